// SPDX-License-Identifier: MIT
/* Two timers. A sweep's next time is drawn around the interval, so that replicas do not ask all at once; who comes too
 * early is sent away by the table. */
#include "core/sweeper.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

enum {
    FIRST_MS = 3000,      /* the schema may have to be brought up to date first */
    FIRST_AGE_MS = 60000, /* a replica that starts need not sweep what was swept just now */
    AGAIN_MS = 60000,     /* after a sweep that could not look at everything because somebody was away */
    JITTER_PERCENT = 20,
    AGE_PERCENT = 80, /* of the interval: the least that jitter leaves of it */
    EXPIRE_PER_GRACE = 10,
    EXPIRE_LEAST_MS = 250,
    EXPIRE_MOST_MS = 60000,
    EXPIRE_N = 100,
};

struct sweeper {
    struct sweeper_config config;
    struct loop_timer sweep_timer;
    struct loop_timer expire_timer;
    struct op *pass;
    struct op *read;
    struct op *expire;
    bool was_swept;      /* since the start */
    bool is_expire_down; /* the last try failed, and was logged */
    struct arena *arena; /* of the summaries */
    struct sweep_summary *summaries;
    struct sweeper_stats stats;
};

/* ---- the sweep ---- */

static ms_t around(ms_t ms)
{
    uint32_t chance;
    codec_random(&chance, sizeof(chance));
    ms_t spread_ms = ms * JITTER_PERCENT / 100;
    return ms - spread_ms + (spread_ms > 0 ? (ms_t)(chance % (uint64_t)(2 * spread_ms)) : 0);
}

static void keep_summaries(struct sweeper *s, const struct sweep_report *report)
{
    arena_free(s->arena);
    s->arena = arena_new();
    s->summaries = arena_alloc(s->arena, (report->clusters_n + 1) * sizeof(*s->summaries));
    for (size_t i = 0; i < report->clusters_n; i++) {
        s->summaries[i] = report->clusters[i];
        s->summaries[i].cluster = arena_dup(s->arena, str_from(report->clusters[i].cluster));
        s->summaries[i].detail = "";
    }
    s->stats.clusters = s->summaries;
    s->stats.clusters_n = report->clusters_n;
}

/* What other replicas found is told by this one's metrics as well. */
static void on_read(void *arg, const struct sweep_report *report, const struct err *err)
{
    struct sweeper *s = arg;
    s->read = NULL;
    if (err != NULL)
        LOG(WARN, "reading what the sweep found failed", KV("err", err));
    else
        keep_summaries(s, report);
}

static void on_swept(void *arg, const struct sweep_report *report, size_t left_out_n)
{
    struct sweeper *s = arg;
    const struct port_store *store = s->config.sweep.store;
    bool is_blind = false;
    (void)left_out_n;
    s->pass = NULL;
    s->stats.sweeps_n += report->clusters_n;
    for (size_t i = 0; i < report->clusters_n; i++) {
        s->stats.removed_n += report->clusters[i].counts[SWEEP_REMOVED];
        is_blind = is_blind || report->clusters[i].result == SWEEP_UNKNOWN;
    }
    s->was_swept = s->was_swept || report->clusters_n > 0;
    ms_t wait_ms = is_blind && s->config.interval_ms > AGAIN_MS ? AGAIN_MS : s->config.interval_ms;
    loop_timer_set(&s->sweep_timer, around(wait_ms));
    op_cancel(s->read);
    s->read = store->sweep_read(store->self, s->config.sweep.call_ms, on_read, s);
}

static void on_sweep_timer(void *arg)
{
    struct sweeper *s = arg;
    struct sweep_options options = s->config.sweep;
    options.age_ms = s->config.interval_ms * AGE_PERCENT / 100;
    if (!s->was_swept && options.age_ms > FIRST_AGE_MS)
        options.age_ms = FIRST_AGE_MS;
    s->pass = sweep_start(&options, on_swept, s);
}

/* ---- failed creations ---- */

static void on_expired(void *arg, const struct journal_event *events, size_t n, const struct err *err)
{
    struct sweeper *s = arg;
    const struct port_store *store = s->config.sweep.store;
    s->expire = NULL;
    if (err != NULL && !s->is_expire_down)
        LOG(WARN, "looking for failed creations whose time is over failed", KV("err", err));
    s->is_expire_down = err != NULL;
    for (size_t i = 0; i < n && err == NULL; i++) {
        LOG(INFO, "a failed creation is given up", KV("project", events[i].project_id),
            KV("attempt", events[i].attempt));
        store->journal_publish(store->self, &events[i]);
        bus_publish(s->config.bus, &events[i]);
        s->stats.expired_n++;
    }
    ms_t wait_ms = s->config.failed_grace_ms / EXPIRE_PER_GRACE;
    wait_ms = wait_ms < EXPIRE_LEAST_MS ? EXPIRE_LEAST_MS : wait_ms > EXPIRE_MOST_MS ? EXPIRE_MOST_MS : wait_ms;
    loop_timer_set(&s->expire_timer, n == EXPIRE_N ? 1 : around(wait_ms));
}

static void on_expire_timer(void *arg)
{
    struct sweeper *s = arg;
    const struct port_store *store = s->config.sweep.store;
    s->expire =
        store->failed_expire(store->self, s->config.failed_grace_ms, EXPIRE_N, s->config.sweep.call_ms, on_expired, s);
}

/* ---- life ---- */

struct sweeper *sweeper_new(const struct sweeper_config *config)
{
    struct sweeper *s = xcalloc(1, sizeof(*s));
    struct loop *loop = config->sweep.loop;
    s->config = *config;
    loop_timer_init(&s->sweep_timer, loop, on_sweep_timer, s);
    loop_timer_init(&s->expire_timer, loop, on_expire_timer, s);
    ms_t first_ms = config->interval_ms < FIRST_MS ? config->interval_ms : FIRST_MS;
    if (config->interval_ms > 0)
        loop_timer_set(&s->sweep_timer, around(first_ms));
    if (config->failed_grace_ms > 0)
        loop_timer_set(&s->expire_timer, around(config->failed_grace_ms < FIRST_MS ? EXPIRE_LEAST_MS : FIRST_MS));
    return s;
}

void sweeper_free(struct sweeper *s)
{
    if (s == NULL)
        return;
    loop_timer_clear(&s->sweep_timer);
    loop_timer_clear(&s->expire_timer);
    op_cancel(s->pass);
    op_cancel(s->read);
    op_cancel(s->expire);
    arena_free(s->arena);
    free(s);
}

void sweeper_stats(const struct sweeper *s, struct sweeper_stats *ret)
{
    *ret = s->stats;
}
