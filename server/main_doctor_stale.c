// SPDX-License-Identifier: MIT
/* The doctor's check for databases that our rows know and the cluster does not have any more: the document's "stale
 * databaseUrl". Only the newest are looked at, one call each. */
#include "server/main_doctor.h"

static void look_for_next(struct doctor *d);

static void say_result(struct doctor *d)
{
    if (d->stale_gone_n > 0)
        doctor_say(d, DOCTOR_WARN, "databases",
                   "Press Retry in these projects (or POST /api/sandbox/{id}): the database is made again, empty",
                   "%u of the %zu newest databases are gone from the cluster", d->stale_gone_n, d->stale_n);
    else
        doctor_say(d, DOCTOR_OK, "databases", NULL, "the %zu newest are all in the cluster", d->stale_n);
    doctor_next(d);
}

static void on_cluster(void *arg, const struct json_value *object, const struct err *err)
{
    struct doctor *d = arg;
    (void)object;
    if (err != NULL && err->kind != ERR_MISSING) {
        doctor_say(d, DOCTOR_WARN, "databases", NULL, "could not be looked at: %s", err->msg);
        doctor_next(d);
        return;
    }
    d->stale_gone_n += err != NULL;
    d->stale_at++;
    look_for_next(d);
}

static void look_for_next(struct doctor *d)
{
    if (d->stale_at == d->stale_n) {
        say_result(d);
        return;
    }
    const struct kube_request request = {
        .method = "GET",
        .path = arena_printf(d->arena, "/apis/apps.kubeblocks.io/%s/namespaces/%s/clusters/%s", d->kubeblocks_version,
                             d->namespace_name, d->stale[d->stale_at]),
        .timeout_ms = DOCTOR_TIMEOUT_MS,
        .on_answer = on_cluster,
        .arg = d,
    };
    struct op *op = kube_call(d->kube, &request);
    (void)op; /* it has a deadline, and nothing ends before it */
}

static void on_names(void *arg, const struct pg_result *result, const struct err *err)
{
    struct doctor *d = arg;
    size_t n = err == NULL ? pg_row_count(result) : 0;
    if (err != NULL) {
        doctor_say(d, DOCTOR_WARN, "databases", "Bring the schema up to date first", "%s", err->msg);
        doctor_next(d);
        return;
    }
    for (size_t i = 0; i < n && i < DOCTOR_STALE_MAX; i++)
        d->stale[d->stale_n++] = arena_dup(d->arena, pg_row_str(result, i, 0));
    look_for_next(d);
}

void doctor_stale_databases(struct doctor *d)
{
    if (d->pg == NULL || d->kube == NULL || d->kubeblocks_version == NULL) {
        doctor_next(d);
        return;
    }
    struct pg_params *params = pg_params_new();
    struct str names[DOCTOR_CLUSTER_NAMES_MAX];
    size_t names_n = 0;
    doctor_add_cluster_names(d, d->cluster, names, &names_n, DOCTOR_CLUSTER_NAMES_MAX);
    pg_add_text(params, d->namespace_name);
    pg_add_int(params, DOCTOR_STALE_MAX);
    pg_add_texts(params, names, names_n);
    /* Those with credentials were there once; names are DNS labels, checked when they were drawn. */
    pg_conn_query(d->pg,
                  "SELECT d.name FROM databases d JOIN projects p ON p.id = d.project_id WHERE d.namespace_name = $1 "
                  "AND p.cluster = ANY ($3) AND d.password_box IS NOT NULL ORDER BY d.updated_at DESC LIMIT $2",
                  params, DOCTOR_TIMEOUT_MS, on_names, d);
}
