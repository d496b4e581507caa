// SPDX-License-Identifier: MIT
/* A queue of rows. Those being written stay at its front until PostgreSQL has them; their ids make a second try
 * harmless. */
#include "server/audit.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

enum { TICK_MS = 1000, BATCH_N = 500, CLEAN_N = 500, CLEAN_MS = 60 * 1000, CLEAN_AGAIN_MS = 1000 };

struct audit {
    struct loop *loop;
    const struct port_store *store;
    ms_t keep_ms;
    ms_t call_ms;
    struct audit_row *rows; /* AUDIT_MAX_N places */
    size_t n;
    size_t writing_n; /* the first ones, while write is set */
    struct op *write;
    struct loop_timer timer; /* set while rows wait and none are written */
    struct op *cleaning;
    struct loop_timer clean_timer;
    void (*on_drained)(void *arg);
    void *on_drained_arg;
    bool is_full; /* was told of */
    struct audit_stats stats;
};

static void start_write(void *arg);

static void drop_front(struct audit *a, size_t n)
{
    a->n -= n;
    memmove(a->rows, a->rows + n, a->n * sizeof(*a->rows));
}

static void go_on(struct audit *a)
{
    void (*on_drained)(void *arg) = a->on_drained;
    if (a->n > 0 && on_drained != NULL) {
        start_write(a);
    } else if (a->n > 0) {
        loop_timer_set(&a->timer, TICK_MS);
    } else if (on_drained != NULL) {
        a->on_drained = NULL;
        on_drained(a->on_drained_arg);
    }
}

static void on_written(void *arg, const struct err *err)
{
    struct audit *a = arg;
    a->write = NULL;
    if (err == NULL) {
        a->stats.written_n += a->writing_n;
        drop_front(a, a->writing_n);
        a->is_full = false;
    } else if (a->on_drained != NULL || !err_retryable(err->kind)) {
        size_t lost_n = a->on_drained != NULL ? a->n : a->writing_n;
        LOG(ERROR, "audit rows are lost", KV("rows", (uint64_t)lost_n), KV("err", err));
        a->stats.dropped_n += lost_n;
        drop_front(a, lost_n);
    } else {
        LOG(WARN, "audit is not written, it is tried again", KV("rows", (uint64_t)a->n), KV("err", err));
    }
    go_on(a);
}

static void start_write(void *arg)
{
    struct audit *a = arg;
    a->writing_n = a->n < BATCH_N ? a->n : BATCH_N;
    a->write = a->store->audit.write(a->store->self, a->rows, a->writing_n, a->call_ms, on_written, a);
}

void audit_note(struct audit *a, const struct audit_row *row)
{
    if (a->n == AUDIT_MAX_N) {
        if (!a->is_full)
            LOG(ERROR, "audit rows are lost, too many wait to be written", KV("rows", (uint64_t)a->n));
        a->is_full = true;
        a->stats.dropped_n++;
        return;
    }
    struct audit_row *r = &a->rows[a->n++];
    *r = *row;
    r->at_ms = loop_wall_ms(a->loop);
    codec_uuid7(r->at_ms, r->id);
    if (a->n == 1)
        loop_timer_set(&a->timer, TICK_MS);
}

void audit_drain(struct audit *a, void (*done)(void *arg), void *arg)
{
    a->on_drained = done;
    a->on_drained_arg = arg;
    loop_timer_clear(&a->timer);
    if (a->write == NULL)
        go_on(a);
}

/* ---- what is over ---- */

static void on_cleaned(void *arg, size_t n, const struct err *err)
{
    struct audit *a = arg;
    a->cleaning = NULL;
    if (err != NULL)
        LOG(DEBUG, "old audit rows are not removed", KV("err", err));
    loop_timer_set(&a->clean_timer, n >= CLEAN_N ? CLEAN_AGAIN_MS : CLEAN_MS);
}

static void on_clean_timer(void *arg)
{
    struct audit *a = arg;
    a->cleaning = a->store->audit.clean(a->store->self, a->keep_ms, CLEAN_N, a->call_ms, on_cleaned, a);
}

/* ---- life ---- */

struct audit *audit_new(struct loop *loop, const struct port_store *store, ms_t keep_ms, ms_t call_ms)
{
    struct audit *a = xcalloc(1, sizeof(*a));
    a->loop = loop;
    a->store = store;
    a->keep_ms = keep_ms;
    a->call_ms = call_ms;
    a->rows = xcalloc(AUDIT_MAX_N, sizeof(*a->rows));
    loop_timer_init(&a->timer, loop, start_write, a);
    loop_timer_init(&a->clean_timer, loop, on_clean_timer, a);
    loop_timer_set(&a->clean_timer, CLEAN_MS);
    return a;
}

void audit_free(struct audit *a)
{
    if (a == NULL)
        return;
    loop_timer_clear(&a->timer);
    loop_timer_clear(&a->clean_timer);
    op_cancel(a->write);
    op_cancel(a->cleaning);
    free(a->rows);
    free(a);
}

void audit_stats(const struct audit *a, struct audit_stats *ret)
{
    *ret = a->stats;
}
