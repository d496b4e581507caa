// SPDX-License-Identifier: MIT
/* The doctor's checks of PostgreSQL and Redis. */
#include "server/main_doctor.h"
#include "store/migrate.h"

enum { PG_VERSION_MIN = 140000, SLOW_MS = 50 };

/* ---- PostgreSQL ---- */

static void on_selected(void *arg, const struct pg_result *result, const struct err *err)
{
    struct doctor *d = arg;
    ms_t took_ms = loop_now_ms(d->loop) - d->asked_ms;
    int version = pg_conn_server_version(d->pg);
    (void)result;
    if (err != NULL)
        doctor_say(d, DOCTOR_FAIL, "postgresql", NULL, "%s", err->msg);
    else if (version < PG_VERSION_MIN)
        doctor_say(d, DOCTOR_WARN, "postgresql", "Use PostgreSQL 14 or later", "version %d.%d is not tested",
                   version / 10000, version % 10000);
    else if (took_ms > SLOW_MS)
        doctor_say(d, DOCTOR_WARN, "postgresql", "Put the server and its database closer together",
                   "version %d.%d, a statement takes %lld ms", version / 10000, version % 10000, (long long)took_ms);
    else
        doctor_say(d, DOCTOR_OK, "postgresql", NULL, "version %d.%d, a statement takes %lld ms", version / 10000,
                   version % 10000, (long long)took_ms);
    doctor_next(d);
}

static void on_pg_state(void *arg, bool is_up, const struct err *err)
{
    struct doctor *d = arg;
    if (d->is_answered)
        return;
    d->is_answered = true;
    d->asked_ms = loop_now_ms(d->loop);
    if (is_up) {
        pg_conn_query(d->pg, "SELECT 1", NULL, DOCTOR_TIMEOUT_MS, on_selected, d);
        return;
    }
    doctor_say(d, DOCTOR_FAIL, "postgresql", "Check that it runs, DATABASE_URL, and pg_hba.conf", "%s",
               err != NULL ? err->msg : "no connection");
    pg_conn_free(d->pg);
    d->pg = NULL;
    doctor_next(d);
}

void doctor_postgres(struct doctor *d)
{
    struct err err = {0};
    const struct pg_conn_config config = {.conninfo = &d->config.database_url,
                                          .application_name = "fullstackd doctor",
                                          .is_single_try = true,
                                          .on_state = on_pg_state,
                                          .arg = d};
    if (secret_is_none(&d->config.database_url)) {
        doctor_say(d, DOCTOR_FAIL, "postgresql", "Set DATABASE_URL (postgresql://user:password@host:5432/name)",
                   "database_url is not set");
    } else {
        d->pg = pg_conn_new(d->loop, &config, &err);
        if (d->pg != NULL)
            return;
        doctor_say(d, DOCTOR_FAIL, "postgresql", "Correct DATABASE_URL", "%s", err.msg);
    }
    doctor_next(d);
}

static void on_schema(void *arg, unsigned applied_n, const struct err *err)
{
    struct doctor *d = arg;
    (void)applied_n;
    if (err == NULL)
        doctor_say(d, DOCTOR_OK, "schema", NULL, "current, %zu migrations", MIGRATIONS_N);
    else if (str_eq_text(str_from(err->reason), "SchemaOlder"))
        doctor_say(d, d->config.database.is_auto_migrate ? DOCTOR_WARN : DOCTOR_FAIL, "schema",
                   "Run fullstackd migrate, or start fullstackd serve, which does it unless told otherwise", "%s",
                   err->msg);
    else
        doctor_say(d, DOCTOR_FAIL, "schema", "Use the program's version that belongs to this database", "%s", err->msg);
    doctor_next(d);
}

void doctor_schema(struct doctor *d)
{
    if (d->pg == NULL)
        doctor_next(d);
    else
        migrate_start(d->loop, &d->config.database_url, MIGRATE_CHECK, DOCTOR_TIMEOUT_MS, on_schema, d);
}

static void on_terminals(void *arg, const struct pg_result *result, const struct err *err)
{
    struct doctor *d = arg;
    int64_t bad_n = err == NULL ? pg_row_int(result, 0, 0, 0) : 0;
    if (err != NULL)
        doctor_say(d, DOCTOR_WARN, "terminals", "Bring the schema up to date first", "%s", err->msg);
    else if (bad_n > 0)
        doctor_say(d, DOCTOR_WARN, "terminals",
                   "Look at the pod's log for ttyd's words; the image must listen on 7681, the Service name that port",
                   "%lld sandboxes failed because nothing listened on port 7681", (long long)bad_n);
    else
        doctor_say(d, DOCTOR_OK, "terminals", NULL, "no sandbox failed for its terminal");
    doctor_next(d);
}

void doctor_terminals(struct doctor *d)
{
    if (d->pg == NULL)
        doctor_next(d);
    else
        pg_conn_query(d->pg, "SELECT count(*) FROM sandboxes WHERE code = 'TERMINAL_NO_ANSWER'", NULL,
                      DOCTOR_TIMEOUT_MS, on_terminals, d);
}

/* Projects of a cluster that was renamed or taken out: they wait, and whoever did it should know. */
static void on_clusters(void *arg, const struct pg_result *result, const struct err *err)
{
    struct doctor *d = arg;
    size_t n = err == NULL ? pg_row_count(result) : 0;
    if (err != NULL)
        doctor_say(d, DOCTOR_WARN, "clusters", "Bring the schema up to date first", "%s", err->msg);
    for (size_t i = 0; i < n; i++)
        doctor_say(d, DOCTOR_WARN, "clusters",
                   "Put it back into clusters, or into kube.former_names of the cluster that it is now",
                   "%.*s projects wait for cluster %.*s, which is not in the configuration",
                   STR_ARG(pg_row_str(result, i, 1)), STR_ARG(pg_row_str(result, i, 0)));
    if (err == NULL && n == 0)
        doctor_say(d, DOCTOR_OK, "clusters", NULL, "every project's is in the configuration (%zu)",
                   d->config.clusters_n);
    doctor_next(d);
}

void doctor_clusters(struct doctor *d)
{
    struct str names[DOCTOR_CLUSTER_NAMES_MAX];
    size_t n = 0;
    if (d->pg == NULL) {
        doctor_next(d);
        return;
    }
    for (size_t i = 0; i < d->config.clusters_n; i++)
        doctor_add_cluster_names(d, &d->config.clusters[i], names, &n, DOCTOR_CLUSTER_NAMES_MAX);
    struct pg_params *params = pg_params_new();
    pg_add_texts(params, names, n);
    pg_conn_query(d->pg,
                  "SELECT cluster, count(*)::text FROM projects WHERE cluster <> ALL ($1) GROUP BY cluster "
                  "ORDER BY cluster LIMIT 20",
                  params, DOCTOR_TIMEOUT_MS, on_clusters, d);
}

/* ---- Redis ---- */

static void end_redis(struct doctor *d)
{
    d->is_answered = true;
    doctor_next(d);
}

static void on_redis_value(void *arg, struct str value, const struct err *err)
{
    struct doctor *d = arg;
    (void)value;
    if (err != NULL && err->kind != ERR_MISSING)
        doctor_say(d, DOCTOR_WARN, "redis", "Check the Redis server's log", "%s", err->msg);
    else
        doctor_say(d, DOCTOR_OK, "redis", NULL, "answers in %lld ms", (long long)(loop_now_ms(d->loop) - d->asked_ms));
    end_redis(d);
}

static void on_redis_state(void *arg, bool is_up, const struct err *err)
{
    struct doctor *d = arg;
    if (d->is_answered)
        return;
    d->asked_ms = loop_now_ms(d->loop);
    if (is_up) {
        d->is_answered = true;
        redis_get(d->redis, STR("fullstackd:doctor"), on_redis_value, d);
        return;
    }
    doctor_say(d, DOCTOR_WARN, "redis",
               "Check that it runs, and redis_url; without it each replica uses its own memory", "%s",
               err != NULL ? err->msg : "no connection");
    end_redis(d);
}

void doctor_redis(struct doctor *d)
{
    struct err err = {0};
    const struct redis_config config = {.url = &d->config.redis_url, .on_state = on_redis_state, .arg = d};
    if (secret_is_none(&d->config.redis_url)) {
        doctor_say(d, DOCTOR_OK, "redis", NULL, "not configured: each process uses its own memory");
    } else {
        d->redis = redis_new(d->loop, &config, &err);
        if (d->redis != NULL)
            return;
        doctor_say(d, DOCTOR_FAIL, "redis", "Correct redis_url", "%s", err.msg);
    }
    doctor_next(d);
}
