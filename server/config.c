// SPDX-License-Identifier: MIT
/* Loads the configuration: applies the sources in their order and remembers where each value came from. The rows are
 * config_table.c's, single values config_value.c's, what depends on several keys config_finish.c's. */
#include "server/config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/xmem.h"
#include "server/config_clusters.h"
#include "server/config_finish.h"
#include "server/config_report.h"
#include "server/config_row.h"
#include "server/read_file.h"

enum { CONFIG_FILE_MAX_BYTES = 256 * 1024 };

static const struct str OWN_PREFIX = {"FULLSTACKD_", 11};

struct loader {
    const struct config_inputs *in;
    struct config *config;
    struct config_report *report;
    const char *path; /* of the file being read */
};

static void apply(struct loader *l, const struct config_row *row, struct str value, enum config_source source,
                  const char *where)
{
    struct err err = {0};
    struct config_origin *origin = &l->config->private_origins[row - CONFIG_ROWS];
    if (!config_value_parse(row, value, l->config->private_arena, l->config, &err)) {
        config_report_error(l->report, where, "%s: %s", row->key, err.msg);
        return;
    }
    *origin = (struct config_origin){source, where};
}

static void apply_defaults(struct loader *l)
{
    for (size_t i = 0; i < CONFIG_ROWS_N; i++)
        apply(l, &CONFIG_ROWS[i], str_from(CONFIG_ROWS[i].standard), CONFIG_FROM_DEFAULT, NULL);
}

/* ---- the YAML file ---- */

static const char *place(struct loader *l, unsigned line)
{
    return arena_printf(l->config->private_arena, "%s:%u", l->path, line);
}

static void on_file_value(void *arg, struct str key, struct str value, unsigned line)
{
    struct loader *l = arg;
    const char *where = place(l, line);
    const struct config_row *row = config_row_find(key);
    if (config_clusters_take(l->config, key, value, where, l->report))
        return;
    if (row == NULL) {
        config_report_error(l->report, where, "unknown key '%.*s'", STR_ARG(key));
        return;
    }
    const struct config_origin *origin = &l->config->private_origins[row - CONFIG_ROWS];
    if (origin->source == CONFIG_FROM_FILE)
        config_report_error(l->report, where, "%s: given already at %s", row->key, origin->where);
    else
        apply(l, row, value, CONFIG_FROM_FILE, where);
}

static void on_file_error(void *arg, unsigned line, const char *message)
{
    struct loader *l = arg;
    config_report_error(l->report, place(l, line), "%s", message);
}

static void apply_file(struct loader *l)
{
    struct buf text;
    struct err err = {0};
    buf_init(&text, CONFIG_FILE_MAX_BYTES);
    l->path = l->in->file;
    if (read_file(l->in->file, &text, &err)) {
        struct config_file_sink sink = {on_file_value, on_file_error, l};
        config_file_parse(buf_str(&text), &sink);
    } else {
        config_report_error(l->report, "--config", "%s", err.msg);
    }
    if (text.n > 0)
        explicit_bzero(text.p, text.n);
    buf_fini(&text);
}

/* ---- variables: of the environment and of .env files ---- */

static bool is_own_name_of(const struct config_row *row, struct str name)
{
    struct buf own;
    buf_init(&own, 256);
    config_row_env_name(row, &own);
    bool is_equal = str_eq(buf_str(&own), name);
    buf_fini(&own);
    return is_equal;
}

static const struct config_row *find_by_own_name(struct str name)
{
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        if (is_own_name_of(&CONFIG_ROWS[i], name))
            return &CONFIG_ROWS[i];
    }
    return NULL;
}

static const struct config_row *find_by_alias(struct str name)
{
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        if (CONFIG_ROWS[i].alias != NULL && str_eq_text(name, CONFIG_ROWS[i].alias))
            return &CONFIG_ROWS[i];
    }
    return NULL;
}

/* One source's variables come twice, first the original's names, then ours, so that ours win. An empty variable of the
 * original's names counts as not set: compose files and CI hand on variables that way. */
enum pass { PASS_ALIASES, PASS_OWN, PASS_N };

static void apply_variable(struct loader *l, enum pass pass, const struct dotenv_var *var, enum config_source source)
{
    bool is_own = str_starts(var->key, OWN_PREFIX);
    if (is_own != (pass == PASS_OWN))
        return;
    const struct config_row *row = is_own ? find_by_own_name(var->key) : find_by_alias(var->key);
    const char *where =
        source == CONFIG_FROM_DOTENV ? place(l, var->line) : arena_dup(l->config->private_arena, var->key);
    if (row == NULL && is_own)
        config_report_error(l->report, where, "unknown variable '%.*s'", STR_ARG(var->key));
    else if (row != NULL && (is_own || var->value.n > 0))
        apply(l, row, var->value, source, where);
}

/* "NAME=value"; false for what is no variable. */
static bool split_variable(const char *text, struct dotenv_var *ret)
{
    struct str s = str_from(text);
    size_t equals = str_find(s, '=', 0);
    *ret = (struct dotenv_var){str_slice(s, 0, equals), str_slice(s, equals + 1, s.n), 0};
    return equals < s.n && equals > 0;
}

static void apply_environment(struct loader *l)
{
    for (enum pass pass = PASS_ALIASES; pass < PASS_N; pass++) {
        for (char *const *at = l->in->environ; *at != NULL; at++) {
            struct dotenv_var var;
            if (split_variable(*at, &var))
                apply_variable(l, pass, &var, CONFIG_FROM_ENVIRONMENT);
        }
    }
}

static void apply_dotenv(struct loader *l, const struct dotenv *d)
{
    for (enum pass pass = PASS_ALIASES; pass < PASS_N; pass++) {
        for (size_t i = 0; i < d->n; i++) {
            const struct config_row *row = find_by_alias(d->vars[i].key);
            bool is_node_env = row != NULL && row->offset == offsetof(struct config, node_env);
            if (is_node_env && pass == PASS_ALIASES)
                config_report_warning(l->report, place(l, d->vars[i].line),
                                      "NODE_ENV does not count here: it chooses which file is read");
            else if (!is_node_env)
                apply_variable(l, pass, &d->vars[i], CONFIG_FROM_DOTENV);
        }
    }
}

/* NODE_ENV of the environment comes before the file it chooses; what is wrong with it is told when it is applied. */
static enum config_node_env node_env_of(struct loader *l)
{
    enum config_node_env env = l->config->node_env;
    for (char *const *at = l->in->environ; *at != NULL; at++) {
        struct dotenv_var var;
        bool is_named = split_variable(*at, &var) &&
                        (str_eq_text(var.key, "NODE_ENV") || str_eq_text(var.key, "FULLSTACKD_NODE_ENV"));
        if (is_named && str_eq_text(var.value, "development"))
            env = NODE_ENV_DEVELOPMENT;
        else if (is_named && str_eq_text(var.value, "production"))
            env = NODE_ENV_PRODUCTION;
    }
    return env;
}

bool config_read_dotenv(const char *path, struct dotenv *ret, struct config_report *report)
{
    struct buf text;
    struct err err = {0};
    *ret = (struct dotenv){0};
    buf_init(&text, DOTENV_MAX_BYTES);
    bool is_read = read_file(path, &text, &err);
    if (is_read && !dotenv_parse(buf_str(&text), ret, &err)) {
        config_report_error(report, path, "%s", err.msg);
        is_read = false;
    } else if (!is_read && err.kind != ERR_MISSING) {
        config_report_error(report, "file", "%s", err.msg);
    }
    if (text.n > 0)
        explicit_bzero(text.p, text.n);
    buf_fini(&text);
    return is_read;
}

static void apply_dotenv_file(struct loader *l)
{
    struct dotenv d;
    const char *name = node_env_of(l) == NODE_ENV_DEVELOPMENT ? ".env.local" : ".env.production";
    l->path = arena_printf(l->config->private_arena, "%s/%s", l->in->directory, name);
    if (config_read_dotenv(l->path, &d, l->report))
        apply_dotenv(l, &d);
    dotenv_fini(&d);
}

/* ---- all together ---- */

bool config_load(const struct config_inputs *in, struct config *ret, struct config_report *report)
{
    struct loader l = {.in = in, .config = ret, .report = report};
    *ret = (struct config){0};
    ret->private_arena = arena_new();
    ret->private_origins = xcalloc(CONFIG_ROWS_N, sizeof(*ret->private_origins));
    apply_defaults(&l);
    if (in->file != NULL)
        apply_file(&l);
    apply_dotenv_file(&l);
    apply_environment(&l);
    config_finish(ret, in->directory, report);
    return report->errors_n == 0;
}

void config_fini(struct config *c)
{
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        if (CONFIG_ROWS[i].type == CONFIG_SECRET)
            secret_fini((struct secret *)((char *)c + CONFIG_ROWS[i].offset));
    }
    dotenv_fini(&c->secret_env);
    if (c->private_arena != NULL)
        arena_free(c->private_arena);
    free(c->private_origins);
    *c = (struct config){0};
}
