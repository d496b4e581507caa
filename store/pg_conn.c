// SPDX-License-Identifier: MIT
/* The life of one connection, a ladder: LOST -> LOOKING_UP -> CONNECTING -> UP -> LOST. What travels over it is
 * pg_pipeline.c's. Ways down: connect failure or its deadline, an error of the socket, silence, pg_conn_free. */
#include "store/pg_conn.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/resolve.h"
#include "store/pg_private.h"
#include "store/sqlstate.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    SILENCE_TIMEOUT_MS = 15000,
    RETRY_FIRST_MS = 100,
    RETRY_CAP_MS = 5000,
};

static void look_up_next(struct pg_connection *c);

/* The one place that changes the state. */
static void set_state(struct pg_connection *c, enum pg_state state)
{
    c->state = state;
    c->is_closed = state == PG_CLOSED;
    c->waiting.down_err = state == PG_UP ? NULL : &c->last_err;
}

static void close_session(struct pg_connection *c)
{
    loop_timer_clear(&c->timer);
    loop_timer_clear(&c->silence);
    op_cancel(c->look_up);
    c->look_up = NULL;
    loop_fd_free(c->fd);
    c->fd = NULL;
    PQfinish(c->pq);
    c->pq = NULL;
}

void pg_conn_lost(struct pg_connection *c, const struct err *err)
{
    bool was_up = c->state == PG_UP;
    struct err why = {0};
    err_copy(&why, err);
    close_session(c);
    err_copy(&c->last_err, &why);
    set_state(c, PG_LOST);
    if (!c->is_single_try) {
        uint32_t chance;
        codec_random(&chance, sizeof(chance));
        loop_timer_set(&c->timer, backoff_next(&c->backoff, chance));
    }
    if (was_up) {
        struct err gone = {0};
        LOG(WARN, "postgres connection lost", KV("err", &why));
        err_set(&gone, ERR_NOT_READY, __func__, "the connection to PostgreSQL was lost");
        gone.retry_after_s = 1;
        memcpy(gone.reason, "ConnectionLost", sizeof("ConnectionLost"));
        pg_item_list_fail(&c->in_flight, &gone, &c->is_closed);
    }
    if (c->is_single_try && !c->is_closed)
        pg_item_list_fail(&c->waiting, &why, &c->is_closed);
    if (!c->is_closed && c->on_state != NULL)
        c->on_state(c->arg, false, &why);
}

static void on_listening(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    struct pg_connection *c = arg;
    if (err != NULL && c->state == PG_UP && err->kind != ERR_NOT_READY)
        pg_conn_lost(c, err);
}

static void on_up(struct pg_connection *c)
{
    struct err err = {0};
    if (!pg_pipeline_begin(c, &err)) {
        pg_conn_lost(c, &err);
        return;
    }
    loop_timer_clear(&c->timer);
    backoff_reset(&c->backoff);
    c->server_version = PQserverVersion(c->pq);
    set_state(c, PG_UP);
    loop_fd_want(c->fd, LOOP_READ);
    if (c->listen_sql != NULL) {
        struct pg_item *it = pg_item_new(c->loop, PG_ITEM_ONCE, c->listen_sql, NULL);
        pg_item_promise(it, c->connect_timeout_ms, on_listening, c);
        pg_pipeline_send(c, it);
    }
    if (c->on_state != NULL)
        c->on_state(c->arg, true, NULL);
    pg_pipeline_pump(c);
}

static void on_fd(void *arg, int events);

/* libpq may have closed one socket and opened another under the same number, so the watch is made anew each time. */
static void poll_connect(struct pg_connection *c)
{
    loop_fd_free(c->fd);
    c->fd = NULL;
    PostgresPollingStatusType polled = PQconnectPoll(c->pq);
    if (polled == PGRES_POLLING_FAILED) {
        struct err err = {0};
        sqlstate_err(&err, __func__, NULL, PQerrorMessage(c->pq));
        pg_conn_lost(c, &err);
        return;
    }
    c->fd = loop_fd_new(c->loop, PQsocket(c->pq), on_fd, c);
    loop_fd_want(c->fd, polled == PGRES_POLLING_READING ? LOOP_READ : LOOP_WRITE);
    if (polled == PGRES_POLLING_OK)
        on_up(c);
}

static void on_fd(void *arg, int events)
{
    struct pg_connection *c = arg;
    if (c->state == PG_CONNECTING)
        poll_connect(c);
    else if (c->state == PG_UP)
        pg_pipeline_on_ready(c, events);
}

static void on_notice(void *arg, const PGresult *r)
{
    (void)arg;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        LOG(WARN, "postgres warning", KV("message", message));
    else
        LOG(DEBUG, "postgres notice", KV("message", message));
}

static void open_session(struct pg_connection *c)
{
    struct pg_dsn_arrays arrays;
    pg_dsn_fill(c->dsn, c->server_options, &arrays);
    set_state(c, PG_CONNECTING);
    c->pq = PQconnectStartParams(arrays.keywords, arrays.values, 0);
    struct err err = {0};
    if (c->pq == NULL || PQstatus(c->pq) == CONNECTION_BAD) {
        sqlstate_err(&err, __func__, NULL, c->pq == NULL ? "out of memory" : PQerrorMessage(c->pq));
        pg_conn_lost(c, &err);
        return;
    }
    PQsetNoticeReceiver(c->pq, on_notice, c);
    /* The manual: behave as if PQconnectPoll had just said WRITING. */
    c->fd = loop_fd_new(c->loop, PQsocket(c->pq), on_fd, c);
    loop_fd_want(c->fd, LOOP_WRITE);
}

static void on_looked_up(void *arg, const struct resolved *found, const struct err *err)
{
    struct pg_connection *c = arg;
    c->look_up = NULL;
    if (err != NULL) {
        pg_conn_lost(c, err);
        return;
    }
    /* One address a try; the next try takes the next. */
    pg_dsn_set_address(c->dsn, c->host_index, found->addresses[c->backoff.tries % found->n]);
    c->host_index++;
    look_up_next(c);
}

static void look_up_next(struct pg_connection *c)
{
    const char *host = pg_dsn_host_to_look_up(c->dsn, &c->host_index);
    if (host == NULL) {
        open_session(c);
        return;
    }
    set_state(c, PG_LOOKING_UP);
    c->look_up = resolve_start(c->loop, host, c->connect_timeout_ms, on_looked_up, c);
}

static void connect_start(struct pg_connection *c)
{
    c->host_index = 0;
    loop_timer_set(&c->timer, c->connect_timeout_ms);
    look_up_next(c);
}

static void on_timer(void *arg)
{
    struct pg_connection *c = arg;
    struct err err = {0};
    if (c->state == PG_LOST) {
        connect_start(c);
    } else if (c->state == PG_UP) {
        pg_pipeline_break(c);
    } else {
        err_set(&err, ERR_NOT_READY, __func__, "PostgreSQL did not answer within %lld ms%s",
                (long long)c->connect_timeout_ms, c->state == PG_LOOKING_UP ? " (looking up its name)" : "");
        pg_conn_lost(c, &err);
    }
}

/* ---- public ---- */

static ms_t or_default(ms_t value, ms_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static bool set_up_texts(struct pg_connection *c, const struct pg_conn_config *config, struct err *reterr)
{
    struct buf b;
    buf_init(&b, sizeof(c->server_options) - 1);
    if (config->statement_timeout_ms > 0)
        buf_addf(&b, "-c statement_timeout=%lld", (long long)config->statement_timeout_ms);
    bool is_ok = str_copy(buf_str(&b), c->server_options, sizeof(c->server_options));
    buf_fini(&b);
    if (is_ok && config->listen_channel != NULL) {
        struct arena *a = arena_new();
        struct str quoted;
        is_ok = pg_quote_identifier(a, str_from(config->listen_channel), &quoted, reterr);
        if (is_ok)
            c->listen_sql = xstrdup(arena_printf(a, "LISTEN %.*s", STR_ARG(quoted)));
        arena_free(a);
    }
    c->dsn = is_ok ? pg_dsn_new(config->conninfo, config->application_name, reterr) : NULL;
    return c->dsn != NULL;
}

static void free_connection(void *p)
{
    struct pg_connection *c = p;
    pg_dsn_free(c->dsn);
    free(c->listen_sql);
    free(c);
}

struct pg_connection *pg_conn_new(struct loop *loop, const struct pg_conn_config *config, struct err *reterr)
{
    struct pg_connection *c = xcalloc(1, sizeof(*c));
    c->loop = loop;
    pg_item_list_init(&c->waiting);
    pg_item_list_init(&c->in_flight);
    pg_item_list_init(&c->refused);
    if (!set_up_texts(c, config, reterr)) {
        free_connection(c);
        return NULL;
    }
    c->is_single_try = config->is_single_try;
    c->connect_timeout_ms = or_default(config->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    c->silence_timeout_ms = or_default(config->silence_timeout_ms, SILENCE_TIMEOUT_MS);
    c->on_state = config->on_state;
    c->on_notify = config->on_notify;
    c->arg = config->arg;
    c->backoff = (struct backoff){RETRY_FIRST_MS, RETRY_CAP_MS, 0};
    loop_timer_init(&c->timer, loop, on_timer, c);
    loop_timer_init(&c->silence, loop, pg_pipeline_on_silence, c);
    err_set(&c->last_err, ERR_NOT_READY, __func__, "PostgreSQL is being connected to");
    set_state(c, PG_LOST);
    loop_timer_set(&c->timer, 0); /* so that nothing is called before this returns */
    return c;
}

void pg_conn_free(struct pg_connection *c)
{
    if (c == NULL || c->state == PG_CLOSED)
        return;
    close_session(c);
    set_state(c, PG_CLOSED);
    pg_item_list_drop(&c->in_flight);
    pg_item_list_drop(&c->waiting);
    pg_item_list_drop(&c->refused);
    loop_defer_free(c->loop, c, free_connection);
}

bool pg_conn_is_up(const struct pg_connection *c)
{
    return c->state == PG_UP;
}

int pg_conn_server_version(const struct pg_connection *c)
{
    return c->server_version;
}

unsigned pg_conn_in_flight_n(const struct pg_connection *c)
{
    return c->in_flight.n;
}

static struct op *run(struct pg_connection *c, struct pg_item *it)
{
    const char *refusal = NULL;
    if (c->state == PG_LOST && c->is_single_try && !loop_timer_is_set(&c->timer))
        refusal = "the connection to PostgreSQL is lost";
    else if (c->waiting.n >= PG_WAITING_MAX)
        refusal = "too many statements wait for PostgreSQL";
    if (refusal != NULL || pg_item_is_refused(it)) {
        pg_item_refuse(&c->refused, it, ERR_NOT_READY, refusal);
        return &it->op;
    }
    pg_item_append(&c->waiting, it);
    pg_pipeline_pump(c);
    return &it->op;
}

struct op *pg_conn_query(struct pg_connection *c, const char *sql, struct pg_params *params, ms_t timeout_ms,
                         pg_on_result *done, void *arg)
{
    struct pg_item *it = pg_item_new(c->loop, PG_ITEM_PREPARED, sql, params);
    pg_item_promise(it, timeout_ms, done, arg);
    return run(c, it);
}

struct op *pg_conn_query_once(struct pg_connection *c, const char *sql, struct pg_params *params, ms_t timeout_ms,
                              pg_on_result *done, void *arg)
{
    struct pg_item *it = pg_item_new(c->loop, PG_ITEM_ONCE, sql, params);
    pg_item_promise(it, timeout_ms, done, arg);
    return run(c, it);
}

struct op *pg_conn_script(struct pg_connection *c, const char *sql, ms_t timeout_ms, pg_on_result *done, void *arg)
{
    struct pg_item *it = pg_item_new(c->loop, PG_ITEM_SCRIPT, sql, NULL);
    pg_item_promise(it, timeout_ms, done, arg);
    return run(c, it);
}
