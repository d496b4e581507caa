// SPDX-License-Identifier: MIT
/* Opening, closing and health of the store, and the life of one call. */
#include "store/store_port.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "store/migrate.h"
#include "store/store_private.h"

enum {
    STATEMENT_TIMEOUT_MS = 10000,
    PROBE_MS = 5000,
    PROBE_TIMEOUT_MS = 3000,
    MEMORY_ENTRIES_MAX = 4096,
    MEMORY_VALUE_BYTES_MAX = 64 * 1024,
};

/* ---- one call ---- */

static void free_call(void *p)
{
    struct store_call *call = p;
    arena_free(call->arena);
    free(call);
}

void store_call_end(struct store_call *call)
{
    loop_task_clear(&call->refuse);
    loop_task_clear(&call->tell);
    TAILQ_REMOVE(&call->store->calls, call, link);
    pg_conn_free(call->conn);
    call->conn = NULL;
    loop_defer_free(call->store->loop, call, free_call);
}

static void on_cancel(struct op *op)
{
    struct store_call *call = (struct store_call *)op;
    op_cancel(call->inner);
    call->inner = NULL;
    store_call_end(call);
}

static void on_refuse(void *arg)
{
    struct store_call *call = arg;
    call->on_result(call, NULL, &call->refusal);
}

static void on_tell(void *arg)
{
    struct store_call *call = arg;
    struct err err = {0};
    if (str_is_none(call->found))
        err_set(&err, ERR_MISSING, __func__, "nothing is remembered");
    call->on_text(call, call->found, str_is_none(call->found) ? &err : NULL);
}

struct store_call *store_call_new(struct store *s, ms_t timeout_ms, void *arg)
{
    struct store_call *call = xcalloc(1, sizeof(*call));
    call->op.cancel = on_cancel;
    call->store = s;
    call->arena = arena_new();
    call->until_ms = loop_now_ms(s->loop) + timeout_ms;
    call->arg = arg;
    loop_task_init(&call->refuse, s->loop, on_refuse, call);
    loop_task_init(&call->tell, s->loop, on_tell, call);
    TAILQ_INSERT_TAIL(&s->calls, call, link);
    return call;
}

static ms_t left_ms(const struct store_call *call)
{
    ms_t left = call->until_ms - loop_now_ms(call->store->loop);
    return left > 0 ? left : 0;
}

static void on_answer(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    call->inner = NULL;
    call->on_result(call, result, err);
}

struct op *store_call_query(struct store_call *call, const char *sql, struct pg_params *params, pg_on_result *on_result)
{
    call->on_result = on_result;
    call->inner = pg_pool_query(call->store->pool, sql, params, left_ms(call), on_answer, call);
    return &call->op;
}

struct op *store_call_refuse(struct store_call *call, const struct err *err, pg_on_result *on_result)
{
    call->on_result = on_result;
    err_copy(&call->refusal, err);
    loop_defer(&call->refuse);
    return &call->op;
}

/* ---- health ---- */

/* Also finds out that a quiet connection is dead. */
#define SQL_PROBE "SELECT coalesce(max(version), 0) FROM schema_migrations"

static void on_probe(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store *s = arg;
    s->probe = NULL;
    /* 42P01, no such table, is an answer: PostgreSQL is there and nothing was migrated. */
    s->is_answering = err == NULL || err->kind == ERR_BUG;
    s->is_schema_current = err == NULL && pg_row_int(result, 0, 0, 0) == MIGRATIONS[MIGRATIONS_N - 1].version;
    loop_timer_set(&s->probe_timer, s->is_schema_current ? PROBE_MS : PROBE_MS / 10);
}

static void on_probe_timer(void *arg)
{
    struct store *s = arg;
    s->probe = pg_pool_query(s->pool, SQL_PROBE, NULL, PROBE_TIMEOUT_MS, on_probe, s);
}

static void health(void *self, struct store_health *ret)
{
    const struct store *s = self;
    struct pg_pool_stats stats;
    pg_pool_stats(s->pool, &stats);
    *ret = (struct store_health){
        .is_postgres_up = stats.up_n > 0 && s->is_answering,
        .is_schema_current = s->is_schema_current,
        .has_redis = s->redis != NULL,
        .is_redis_up = s->redis != NULL && redis_is_up(s->redis),
        .postgres_version = stats.server_version,
        .queue_n = stats.queue_n,
    };
}

/* ---- what comes from other replicas ---- */

static void on_notify(void *arg, struct str channel, struct str payload)
{
    (void)channel;
    journal_repo_heard(arg, payload);
}

static void on_message(void *arg, struct str payload)
{
    journal_repo_heard(arg, payload);
}

static void on_redis_state(void *arg, bool is_up, const struct err *err)
{
    (void)arg;
    if (is_up)
        LOG(INFO, "redis is up", KV("up", is_up));
    else
        LOG(WARN, "redis is down", KV("err", err));
}

/* ---- life ---- */

static bool open_postgres(struct store *s, const struct store_config *config, struct err *reterr)
{
    const struct pg_pool_config pool = {
        .conninfo = config->database_url,
        .connections_n = config->pool_n,
        .queue_max = config->queue_max,
        .down_grace_ms = config->down_grace_ms,
        .connect_timeout_ms = config->connect_timeout_ms,
        .silence_timeout_ms = config->silence_timeout_ms,
        .statement_timeout_ms = config->statement_timeout_ms > 0 ? config->statement_timeout_ms : STATEMENT_TIMEOUT_MS,
    };
    const struct pg_conn_config listener = {
        .conninfo = config->database_url,
        .application_name = "fullstackd listener",
        .listen_channel = STORE_CHANNEL,
        .connect_timeout_ms = config->connect_timeout_ms,
        .silence_timeout_ms = config->silence_timeout_ms,
        .on_notify = on_notify,
        .arg = s,
    };
    s->pool = pg_pool_new(s->loop, &pool, reterr);
    s->listener = s->pool == NULL ? NULL : pg_conn_new(s->loop, &listener, reterr);
    return s->listener != NULL;
}

static bool open_redis(struct store *s, const struct store_config *config, struct err *reterr)
{
    if (config->redis_url == NULL || secret_is_none(config->redis_url))
        return true;
    const struct redis_config redis = {
        .url = config->redis_url,
        .channel = STORE_REDIS_CHANNEL,
        .on_state = on_redis_state,
        .on_message = on_message,
        .arg = s,
    };
    s->redis = redis_new(s->loop, &redis, reterr);
    return s->redis != NULL;
}

static void fill_port(struct store *s)
{
    s->port.self = s;
    s->port.health = health;
    project_repo_fill(&s->port);
    variables_repo_fill(&s->port);
    request_repo_fill(&s->port);
    flow_repo_fill(&s->port);
    queue_repo_fill(&s->port);
    journal_repo_fill(&s->port);
    identity_repo_fill(&s->port);
    session_repo_fill(&s->port);
    token_repo_fill(&s->port);
    idempotency_repo_fill(&s->port);
    audit_repo_fill(&s->port);
    admin_repo_fill(&s->port);
    repo_link_repo_fill(&s->port);
    limits_repo_fill(&s->port);
    github_repo_fill(&s->port);
    device_repo_fill(&s->port);
    store_cache_fill(&s->port);
    sweep_repo_fill(&s->port);
    login_probe_fill(&s->port);
}

struct store *store_open(struct loop *loop, const struct store_config *config, struct err *reterr)
{
    struct store *s = xcalloc(1, sizeof(*s));
    s->loop = loop;
    s->ring = config->keyring;
    s->address = xstrdup(config->replica_address != NULL ? config->replica_address : "");
    s->memory = memory_cache_new(loop, MEMORY_ENTRIES_MAX, MEMORY_VALUE_BYTES_MAX);
    TAILQ_INIT(&s->calls);
    loop_timer_init(&s->probe_timer, loop, on_probe_timer, s);
    struct str id = str_from(config->replica_id);
    bool is_ok = id.n > 0 && str_copy(id, s->replica_id, sizeof(s->replica_id));
    if (!is_ok)
        err_set(reterr, ERR_INVALID, __func__, "a replica id has 1 to %d bytes", ID_SIZE - 1);
    if (!is_ok || !open_postgres(s, config, reterr) || !open_redis(s, config, reterr)) {
        store_close(s);
        return NULL;
    }
    fill_port(s);
    loop_timer_set(&s->probe_timer, 0);
    return s;
}

static void free_store(void *p)
{
    struct store *s = p;
    memory_cache_free(s->memory);
    free(s->address);
    free(s);
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    loop_timer_clear(&s->probe_timer);
    while (!TAILQ_EMPTY(&s->calls))
        op_cancel(&TAILQ_FIRST(&s->calls)->op);
    redis_free(s->redis);
    pg_conn_free(s->listener);
    pg_pool_free(s->pool);
    loop_defer_free(s->loop, s, free_store);
}

const struct port_store *store_port(const struct store *s)
{
    return &s->port;
}
