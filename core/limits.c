// SPDX-License-Identifier: MIT
/* Looks, tells, looks again at once while there was something, and then waits for an interval. */
#include "core/limits.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"

struct limits {
    struct limits_config config;
    struct loop_timer timer;
    struct op *look;
    struct limits_stats stats;
};

static void tell(struct limits *l, const struct journal_event *event)
{
    const struct limits_config *c = &l->config;
    c->store->status_drop(c->store->self, event->owner_id, event->project_id);
    c->store->journal_publish(c->store->self, event);
    bus_publish(c->bus, event);
    LOG(INFO, "limit", KV("project", (const char *)event->project_id), KV("code", reason_id(event->code)),
        KV("message", (const char *)event->message));
}

static void on_looked(void *arg, enum limits_verdict verdict, const struct journal_event *event, const struct err *err)
{
    struct limits *l = arg;
    ms_t wait_ms = l->config.interval_ms;
    l->look = NULL;
    if (err != NULL) {
        LOG(DEBUG, "limits are not looked after", KV("err", err));
    } else {
        activity_enable(l->config.activity, verdict != LIMITS_OFF);
        l->stats.warned_n += verdict == LIMITS_WARNED;
        l->stats.kept_n += verdict == LIMITS_KEPT;
        l->stats.stopped_n += verdict == LIMITS_STOPPED;
    }
    if (event != NULL) {
        tell(l, event);
        wait_ms = 0;
    }
    if (verdict == LIMITS_STOPPED && event != NULL)
        reconciler_poke(l->config.reconciler, event->project_id);
    loop_timer_set(&l->timer, wait_ms);
}

static void on_timer(void *arg)
{
    struct limits *l = arg;
    const struct limits_config *c = &l->config;
    l->look = c->store->limits_look(c->store->self, &c->settings, ACTIVITY_LOOK_TIMEOUT_MS, on_looked, l);
}

struct limits *limits_new(const struct limits_config *config)
{
    struct limits *l = xcalloc(1, sizeof(*l));
    l->config = *config;
    loop_timer_init(&l->timer, config->loop, on_timer, l);
    loop_timer_set(&l->timer, config->interval_ms);
    return l;
}

void limits_free(struct limits *l)
{
    if (l == NULL)
        return;
    loop_timer_clear(&l->timer);
    op_cancel(l->look);
    free(l);
}

void limits_stats(const struct limits *l, struct limits_stats *ret)
{
    *ret = l->stats;
}
