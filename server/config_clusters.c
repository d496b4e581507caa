// SPDX-License-Identifier: MIT
/* More clusters than one. Every row of kube and sandbox is also a row of each of them, so there is no second table: a
 * key that is added there is a key here. What says which cluster it is (kube) begins from the rows' defaults, how
 * sandboxes are made there (sandbox) from what the default cluster has. */
#include "server/config_clusters.h"

#include <string.h>

#include "core/base/arena.h"
#include "server/config_check.h"
#include "server/config_report.h"
#include "server/config_row.h"

static const struct str SECTION = {"clusters.", 9};

static size_t size_of(enum config_type type)
{
    static const size_t sizes[] = {
        [CONFIG_TEXT] = sizeof(const char *), [CONFIG_SECRET] = sizeof(struct secret), [CONFIG_BOOL] = sizeof(bool),
        [CONFIG_INT] = sizeof(int64_t),       [CONFIG_DURATION] = sizeof(ms_t),        [CONFIG_SIZE] = sizeof(size_t),
        [CONFIG_CHOICE] = sizeof(int),
    };
    return sizes[type];
}

static bool is_inherited(const struct config_row *row)
{
    return str_starts(str_from(row->key), STR("sandbox."));
}

/* ---- reading ---- */

static void fill_defaults(struct config *c, struct config_cluster *cluster)
{
    struct config_row own;
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        bool is_own = config_row_of_cluster(&CONFIG_ROWS[i], &own);
        if (is_own) /* the table's defaults are valid: its test says so */
            (void)!config_value_parse(&own, str_from(own.standard), c->private_arena, cluster, NULL);
    }
}

/* The cluster of that name, made when it is named first; NULL: reported. */
static struct config_cluster *find_or_add(struct config *c, struct str name, const char *where,
                                          struct config_report *report)
{
    struct err err = {0};
    if (c->clusters_n == 0)
        c->clusters_n = 1; /* the default one's place */
    for (size_t i = 1; i < c->clusters_n; i++) {
        if (str_eq_text(name, c->clusters[i].name))
            return &c->clusters[i];
    }
    if (!config_check_kube_label(name, &err)) {
        config_report_error(report, where, "clusters: %s", err.msg);
        return NULL;
    }
    if (c->clusters_n == CONFIG_CLUSTERS_MAX) {
        config_report_error(report, where, "clusters: more than %d with the default one", CONFIG_CLUSTERS_MAX);
        return NULL;
    }
    struct config_cluster *cluster = &c->clusters[c->clusters_n++];
    cluster->name = arena_dup(c->private_arena, name);
    cluster->private_origins = arena_alloc(c->private_arena, CONFIG_ROWS_N * sizeof(*cluster->private_origins));
    fill_defaults(c, cluster);
    return cluster;
}

bool config_clusters_take(struct config *c, struct str key, struct str value, const char *where,
                          struct config_report *report)
{
    struct err err = {0};
    struct config_row own;
    if (!str_starts(key, SECTION))
        return false;
    struct str rest = str_slice(key, SECTION.n, key.n);
    size_t dot = str_find(rest, '.', 0);
    struct str name = str_slice(rest, 0, dot);
    const struct config_row *row = config_row_find(str_slice(rest, dot < rest.n ? dot + 1 : dot, rest.n));
    if (row == NULL || !config_row_of_cluster(row, &own)) {
        config_report_error(report, where, "unknown key '%.*s': a cluster has the keys of kube and sandbox",
                            STR_ARG(key));
        return true;
    }
    struct config_cluster *cluster = find_or_add(c, name, where, report);
    if (cluster == NULL)
        return true;
    struct config_origin *origin = &cluster->private_origins[row - CONFIG_ROWS];
    if (origin->source == CONFIG_FROM_FILE)
        config_report_error(report, where, "%.*s: given already at %s", STR_ARG(key), origin->where);
    else if (!config_value_parse(&own, value, c->private_arena, cluster, &err))
        config_report_error(report, where, "%.*s: %s", STR_ARG(key), err.msg);
    *origin = (struct config_origin){CONFIG_FROM_FILE, where};
    return true;
}

/* ---- after every source ---- */

static void inherit(struct config *c, struct config_cluster *cluster)
{
    struct config_row own;
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        const struct config_row *row = &CONFIG_ROWS[i];
        bool is_own = config_row_of_cluster(row, &own);
        if (!is_own || !is_inherited(row) || cluster->private_origins[i].source != CONFIG_FROM_DEFAULT)
            continue;
        memcpy((char *)cluster + own.offset, (const char *)c + row->offset, size_of(row->type));
        cluster->private_origins[i].source = CONFIG_FROM_DEFAULT_CLUSTER;
    }
}

static bool is_given(const struct config_cluster *cluster, const char *key)
{
    const struct config_row *row = config_row_find(str_from(key));
    return row != NULL && cluster->private_origins[row - CONFIG_ROWS].source == CONFIG_FROM_FILE;
}

/* What another cluster's value would make wrong in silence. */
static void check(const struct config *c, const struct config_cluster *cluster, struct config_report *report)
{
    struct arena *a = c->private_arena;
    if (cluster->kube.kubeconfig[0] == '\0')
        config_report_error(report, arena_printf(a, "clusters.%s.kube.kubeconfig", cluster->name),
                            "not given: only the default cluster's is looked for");
    if (!is_given(cluster, "sandbox.domain"))
        config_report_error(report, arena_printf(a, "clusters.%s.sandbox.domain", cluster->name),
                            "not given: hosts below %s lead to cluster %s", c->sandbox.domain, c->default_cluster);
    if (str_eq_text(str_from(cluster->name), c->default_cluster))
        config_report_error(report, arena_printf(a, "clusters.%s", cluster->name),
                            "it is the default cluster's name; its keys are kube and sandbox themselves");
}

const char *config_cluster_place(const struct config_cluster *cluster, struct arena *arena)
{
    const struct config_row *row = config_row_find(STR("kube.kubeconfig"));
    const struct config_origin *origin = &cluster->private_origins[row - CONFIG_ROWS];
    return arena_printf(arena, "clusters.%s.kube.kubeconfig (%s)", cluster->name, origin->where);
}

static bool next_name(struct str *rest, struct str *ret)
{
    bool is_there = str_next(rest, ',', ret);
    while (is_there && str_trim(*ret).n == 0)
        is_there = str_next(rest, ',', ret);
    *ret = str_trim(*ret);
    return is_there;
}

/* A row of a project must not lead to two. */
static bool answers_to(const struct config_cluster *cluster, struct str name)
{
    struct str rest = str_from(cluster->kube.former_names);
    struct str one;
    bool is_so = str_eq_text(name, cluster->name);
    while (!is_so && next_name(&rest, &one))
        is_so = str_eq(one, name);
    return is_so;
}

static void check_names(const struct config *c, const struct config_cluster *cluster, struct config_report *report)
{
    struct str rest = str_from(cluster->kube.former_names);
    struct str name;
    while (next_name(&rest, &name)) {
        for (size_t i = 0; i < c->clusters_n; i++) {
            const struct config_cluster *other = &c->clusters[i];
            if (other != cluster && answers_to(other, name))
                config_report_error(report, "kube.former_names", "'%.*s' of cluster %s is also a name of cluster %s",
                                    STR_ARG(name), cluster->name, other->name);
        }
    }
}

void config_clusters_finish(struct config *c, struct config_report *report)
{
    if (c->clusters_n == 0)
        c->clusters_n = 1;
    if (c->default_cluster[0] == '\0')
        config_report_error(report, "default_cluster", "a cluster needs a name");
    c->clusters[0] = (struct config_cluster){c->default_cluster, c->kube, c->sandbox, NULL};
    for (size_t i = 1; i < c->clusters_n; i++) {
        inherit(c, &c->clusters[i]);
        check(c, &c->clusters[i], report);
    }
    for (size_t i = 0; i < c->clusters_n; i++)
        check_names(c, &c->clusters[i], report);
}
