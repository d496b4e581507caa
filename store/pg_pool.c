// SPDX-License-Identifier: MIT
/* The pool: who gets which connection, and what happens when there is none. Connections heal themselves. */
#include "store/pg_pool.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "store/pg_private.h"

enum { CONNECTIONS_N = 8, DEPTH_N = 8, QUEUE_MAX = 1024, DOWN_GRACE_MS = 2000 };

struct pg_pool {
    struct loop *loop;
    struct pg_connection *connections[PG_POOL_CONNECTIONS_MAX];
    unsigned connections_n;
    unsigned depth_n;
    unsigned queue_max;
    ms_t down_grace_ms;
    bool is_closed;
    bool is_refusing; /* down for longer than the grace */
    struct loop_timer down_timer;
    struct pg_item_list waiting;
    struct pg_item_list refused;
    struct err down_err;
};

static bool can_take(const struct pg_pool *p, const struct pg_connection *c)
{
    /* While UP a set timer means that a send has failed: it is lost at the next turn. */
    return c->state == PG_UP && c->in_flight.n < p->depth_n && !c->wants_remake && !loop_timer_is_set(&c->timer);
}

static struct pg_connection *find_least_busy(const struct pg_pool *p)
{
    struct pg_connection *best = NULL;
    for (unsigned i = 0; i < p->connections_n; i++) {
        struct pg_connection *c = p->connections[i];
        if (can_take(p, c) && (best == NULL || c->in_flight.n < best->in_flight.n))
            best = c;
    }
    return best;
}

static void dispatch(struct pg_pool *p)
{
    struct pg_connection *c = NULL;
    while (!p->is_closed && p->waiting.n > 0 && (c = find_least_busy(p)) != NULL)
        pg_pipeline_send(c, pg_item_first(&p->waiting));
}

static void on_room(void *arg)
{
    dispatch(arg);
}

static unsigned up_n(const struct pg_pool *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->connections_n; i++)
        n += p->connections[i]->state == PG_UP ? 1 : 0;
    return n;
}

static void on_state(void *arg, bool is_up, const struct err *err)
{
    struct pg_pool *p = arg;
    if (is_up) {
        if (p->waiting.down_err != NULL)
            LOG(INFO, "postgres is up", KV("connections", up_n(p)));
        p->waiting.down_err = NULL;
        p->is_refusing = false;
        loop_timer_clear(&p->down_timer);
        dispatch(p);
        return;
    }
    if (up_n(p) > 0)
        return;
    err_copy(&p->down_err, err);
    if (p->waiting.down_err == NULL)
        LOG(WARN, "postgres is down", KV("err", err));
    p->waiting.down_err = &p->down_err;
    if (!p->is_refusing && !loop_timer_is_set(&p->down_timer))
        loop_timer_set(&p->down_timer, p->down_grace_ms);
}

static void on_down_too_long(void *arg)
{
    struct pg_pool *p = arg;
    struct err err = {0};
    p->is_refusing = true;
    /* Why is in the log: addresses are not told to clients. */
    err_set(&err, ERR_NOT_READY, __func__, "PostgreSQL is not reachable");
    err.retry_after_s = 1;
    pg_item_list_fail(&p->waiting, &err, &p->is_closed);
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
    return value > 0 ? value : otherwise;
}

struct pg_pool *pg_pool_new(struct loop *loop, const struct pg_pool_config *config, struct err *reterr)
{
    struct pg_pool *p = xcalloc(1, sizeof(*p));
    p->loop = loop;
    p->depth_n = or_default(config->depth_n, DEPTH_N);
    p->queue_max = or_default(config->queue_max, QUEUE_MAX);
    p->down_grace_ms = config->down_grace_ms > 0 ? config->down_grace_ms : DOWN_GRACE_MS;
    pg_item_list_init(&p->waiting);
    pg_item_list_init(&p->refused);
    err_set(&p->down_err, ERR_NOT_READY, __func__, "PostgreSQL is being connected to");
    p->waiting.down_err = &p->down_err;
    loop_timer_init(&p->down_timer, loop, on_down_too_long, p);
    loop_timer_set(&p->down_timer, p->down_grace_ms);
    const struct pg_conn_config each = {
        .conninfo = config->conninfo,
        .application_name = config->application_name,
        .connect_timeout_ms = config->connect_timeout_ms,
        .silence_timeout_ms = config->silence_timeout_ms,
        .statement_timeout_ms = config->statement_timeout_ms,
        .on_state = on_state,
        .arg = p,
    };
    unsigned n = or_default(config->connections_n, CONNECTIONS_N);
    n = n > PG_POOL_CONNECTIONS_MAX ? PG_POOL_CONNECTIONS_MAX : n;
    for (; p->connections_n < n; p->connections_n++) {
        struct pg_connection *c = pg_conn_new(loop, &each, reterr);
        if (c == NULL) {
            pg_pool_free(p);
            return NULL;
        }
        c->on_room = on_room;
        c->room_arg = p;
        p->connections[p->connections_n] = c;
    }
    return p;
}

void pg_pool_free(struct pg_pool *p)
{
    if (p == NULL || p->is_closed)
        return;
    p->is_closed = true;
    loop_timer_clear(&p->down_timer);
    for (unsigned i = 0; i < p->connections_n; i++)
        pg_conn_free(p->connections[i]);
    pg_item_list_drop(&p->waiting);
    pg_item_list_drop(&p->refused);
    loop_defer_free(p->loop, p, free);
}

struct op *pg_pool_query(struct pg_pool *p, const char *sql, struct pg_params *params, ms_t timeout_ms,
                         pg_on_result *done, void *arg)
{
    struct pg_item *it = pg_item_new(p->loop, PG_ITEM_PREPARED, sql, params);
    pg_item_promise(it, timeout_ms, done, arg);
    const char *refusal = NULL;
    if (p->is_refusing)
        refusal = "PostgreSQL is not reachable";
    else if (p->waiting.n >= p->queue_max)
        refusal = "too many statements wait for PostgreSQL";
    if (refusal != NULL || pg_item_is_refused(it)) {
        pg_item_refuse(&p->refused, it, ERR_NOT_READY, refusal);
        return &it->op;
    }
    pg_item_append(&p->waiting, it);
    dispatch(p);
    return &it->op;
}

void pg_pool_stats(const struct pg_pool *p, struct pg_pool_stats *ret)
{
    *ret = (struct pg_pool_stats){.connections_n = p->connections_n, .queue_n = p->waiting.n};
    for (unsigned i = 0; i < p->connections_n; i++) {
        const struct pg_connection *c = p->connections[i];
        ret->up_n += c->state == PG_UP ? 1 : 0;
        ret->in_flight_n += c->in_flight.n;
        ret->server_version = c->server_version > 0 ? c->server_version : ret->server_version;
    }
}
