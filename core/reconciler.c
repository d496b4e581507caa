// SPDX-License-Identifier: MIT
/* Herding of flows. A flow is here while this replica leads it; its place in the run queue is its only state here. */
#include "core/reconciler.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/reconciler_private.h"

enum {
    ADVANCE_PER_TURN = 64,
    CALL_TIMEOUT_MS = 5000,
    RENEWS_PER_LEASE = 3,
    RENEW_AGAIN_MS = 500,
    LOAD_FIRST_MS = 200,
    LOAD_CAP_MS = 5000,
    RECOUNT_MS = 60000, /* a claim without an answer has taken effect by then, or never will */
};

static void load(void *arg);
static bool may_act(void *arg);
static void on_flows_freed(void *arg);

/* ---- the set ---- */

static struct led *find(struct reconciler *r, struct str project_id)
{
    struct led *led;
    HASH_FIND(hh, r->leds, project_id.p, project_id.n, led);
    return led;
}

static struct led *add(struct reconciler *r, const char *project_id)
{
    struct led *led = xcalloc(1, sizeof(*led));
    led->owner = r;
    (void)!str_copy(str_from(project_id), led->project_id, sizeof(led->project_id));
    led->load_backoff = (struct backoff){.first_ms = LOAD_FIRST_MS, .cap_ms = LOAD_CAP_MS};
    loop_timer_init(&led->load_timer, r->config.loop, load, led);
    HASH_ADD(hh, r->leds, project_id, strlen(led->project_id), led);
    return led;
}

static void dequeue(struct led *led)
{
    if (!led->is_queued)
        return;
    TAILQ_REMOVE(&led->owner->runnable, led, link);
    led->is_queued = false;
}

static void drop(struct led *led)
{
    dequeue(led);
    op_cancel(led->load);
    loop_timer_clear(&led->load_timer);
    flow_free(led->flow);
    HASH_DEL(led->owner->leds, led);
    free(led);
}

static void enqueue(struct led *led)
{
    if (led->is_queued || led->flow == NULL)
        return;
    TAILQ_INSERT_TAIL(&led->owner->runnable, led, link);
    led->is_queued = true;
    loop_defer(&led->owner->run);
}

static void enqueue_all(struct reconciler *r)
{
    for (struct led *led = r->leds; led != NULL; led = led->hh.next)
        enqueue(led);
}

void reconciler_recount(void *arg)
{
    struct reconciler *r = arg;
    r->recount_until_ms = loop_now_ms(r->config.loop) + RECOUNT_MS;
}

/* While there was no lease another replica may have taken any of them over; what is being read may be from before. */
static void reload_all(struct reconciler *r)
{
    for (struct led *led = r->leds; led != NULL; led = led->hh.next) {
        led->must_load = true;
        if (led->flow != NULL)
            flow_reload(led->flow);
    }
    bool was_looking = queue_restart(r->queue);
    if (r->claim != NULL || was_looking)
        reconciler_recount(r);
    op_cancel(r->claim);
    r->claim = NULL;
}

static void on_run(void *arg)
{
    struct reconciler *r = arg;
    for (unsigned i = 0; i < ADVANCE_PER_TURN && !TAILQ_EMPTY(&r->runnable); i++) {
        struct led *led = TAILQ_FIRST(&r->runnable);
        dequeue(led);
        log_scope_set(led->project_id);
        flow_advance(led->flow);
        log_scope_set(NULL);
    }
    if (!TAILQ_EMPTY(&r->runnable))
        loop_defer(&r->run);
}

/* ---- what flows report ---- */

static void on_events(void *arg, const struct journal_event *events, size_t n)
{
    struct reconciler *r = arg;
    for (size_t i = 0; i < n; i++) {
        r->config.store->journal_publish(r->config.store->self, &events[i]);
        bus_publish(r->config.bus, &events[i]);
    }
}

static void on_hint(void *arg, const char *owner_id)
{
    struct reconciler *r = arg;
    bus_hint(r->config.bus, owner_id);
}

static void free_flow(void *p)
{
    flow_free(p);
}

static void on_flow_end(void *arg, struct flow *f)
{
    struct reconciler *r = arg;
    struct led *led = find(r, str_from(flow_sandbox(f)->project_id));
    if (led == NULL)
        return;
    dequeue(led);
    r->ended_ms = loop_now_ms(r->config.loop);
    led->is_overtaken = flow_is_overtaken(f);
    if (flow_has_settled(f))
        drift_know(r->drift, flow_sandbox(f));
    else
        drift_ask(r->drift, str_from(led->project_id));
    loop_defer_free(r->config.loop, led->flow, free_flow);
    led->flow = NULL;
    queue_slot_freed(r->queue);
    if (flow_is_left(f)) {
        led->is_left = true;
        led->left_ms = r->ended_ms;
        on_flows_freed(r);
        return;
    }
    /* A retry may have been asked for while the end was written. */
    if ((led->must_load || led->is_overtaken) && !r->is_draining)
        load(led);
    else
        drop(led);
}

static bool may_act(void *arg)
{
    const struct reconciler *r = arg;
    return !r->is_draining && loop_now_ms(r->config.loop) < r->lease_until_ms;
}

static void on_wake(void *arg, struct flow *f)
{
    struct reconciler *r = arg;
    struct led *led = find(r, str_from(flow_sandbox(f)->project_id));
    if (led != NULL && led->flow == f)
        enqueue(led);
}

/* ---- taking up ---- */

static void take_up(struct led *led, const struct flow_row *row, bool is_resumed)
{
    led->flow = flow_new(&led->owner->ports, row, is_resumed);
    drift_forget(led->owner->drift, str_from(led->project_id));
    LOG(INFO, is_resumed ? "flow resumed" : "flow started", KV("project", led->project_id),
        KV("sandbox", row->sandbox.name), KV("cluster", row->sandbox.cluster), KV("attempt", row->sandbox.attempt),
        KV("desired", desired_id(row->sandbox.desired)));
    enqueue(led);
}

static void on_loaded(void *arg, const struct flow_row *rows, size_t n, const struct err *err)
{
    struct led *led = arg;
    led->load = NULL;
    if (err != NULL) {
        /* The row may name this replica as the one that leads: nobody else will. */
        LOG(WARN, "reading a flow failed", KV("project", led->project_id), KV("err", err));
        loop_timer_set(&led->load_timer, backoff_next(&led->load_backoff, led->load_backoff.tries * 2654435761u));
        return;
    }
    bool is_again = led->must_load;
    led->must_load = false;
    if (is_again)
        load(led);
    else if (n == 1)
        take_up(led, &rows[0], led->is_overtaken);
    else {
        drift_ask(led->owner->drift, str_from(led->project_id));
        drop(led);
    }
}

static void load(void *arg)
{
    struct led *led = arg;
    const struct port_store *store = led->owner->config.store;
    if (led->load != NULL)
        return;
    loop_timer_clear(&led->load_timer);
    led->must_load = false;
    led->load = store->flow_load(store->self, led->project_id, CALL_TIMEOUT_MS, on_loaded, led);
}

void reconciler_poke(struct reconciler *r, const char *project_id)
{
    if (r->is_draining)
        return;
    drift_forget(r->drift, str_from(project_id));
    struct led *led = find(r, str_from(project_id));
    if (led == NULL) {
        load(add(r, project_id));
        return;
    }
    led->must_load = true;
    if (led->flow != NULL)
        flow_reload(led->flow);
}

static void take_up_left(struct led *led, const struct flow_row *row, ms_t sent_ms, bool is_claimed)
{
    if (!is_claimed || sent_ms < led->left_ms)
        return;
    bool is_again = led->must_load;
    led->is_left = false;
    led->must_load = false;
    take_up(led, row, true);
    if (is_again)
        flow_reload(led->flow);
}

/* Rows as they were when that was sent, or since. Where one is known here, or a flow has ended here meanwhile, which
 * may have been of one of them, they are read anew: an old row would begin again what is over. */
static void take_up_all(struct reconciler *r, const struct flow_row *rows, size_t n, ms_t sent_ms, bool is_resumed)
{
    for (size_t i = 0; i < n; i++) {
        const char *project_id = rows[i].sandbox.project_id;
        struct led *led = find(r, str_from(project_id));
        if (led == NULL && r->ended_ms <= sent_ms) {
            take_up(add(r, project_id), &rows[i], is_resumed);
            continue;
        }
        if (led != NULL && led->is_left) {
            take_up_left(led, &rows[i], sent_ms, is_resumed);
            continue;
        }
        led = led != NULL ? led : add(r, project_id);
        led->is_overtaken = led->is_overtaken || (is_resumed && led->flow == NULL);
        if (led->flow == NULL && led->load == NULL)
            load(led);
        else
            reconciler_poke(r, project_id);
    }
}

/* What a claim that could have given it did not give is over, or another's: its row says which. */
static void settle_left(struct reconciler *r)
{
    struct led *led;
    struct led *next;
    HASH_ITER(hh, r->leds, led, next)
    {
        if (!led->is_left || led->left_ms > r->claim_sent_ms)
            continue;
        led->is_left = false;
        load(led);
    }
}

static bool has_left(const struct reconciler *r)
{
    for (const struct led *led = r->leds; led != NULL; led = led->hh.next) {
        if (led->is_left)
            return true;
    }
    return false;
}

static void on_claimed(void *arg, const struct flow_row *rows, size_t n, const struct err *err)
{
    struct reconciler *r = arg;
    r->claim = NULL;
    if (err != NULL) {
        LOG(WARN, "claiming flows failed", KV("err", err));
        reconciler_recount(r);
    }
    take_up_all(r, rows, err == NULL ? n : 0, r->claim_sent_ms, true);
    if (err == NULL && n < r->config.claim_n)
        settle_left(r);
    bool is_more = err == NULL && (n == r->config.claim_n || r->must_claim);
    loop_timer_set(&r->claim_timer, is_more ? 1 : r->config.claim_ms);
}

/* Those whose turn it is. */
static void on_look(void *arg, const struct queue_answer *answer, const struct err *err)
{
    struct reconciler *r = arg;
    if (err != NULL)
        reconciler_recount(r);
    on_events(r, answer->events, answer->n_events);
    take_up_all(r, answer->rows, answer->n, queue_looked_ms(r->queue), false);
}

static void send_claim(struct reconciler *r)
{
    const struct port_store *store = r->config.store;
    struct flow_claim claim = {.max = r->config.claim_n};
    struct str *led_ids = NULL;
    r->must_claim = false;
    claim.is_recount = loop_now_ms(r->config.loop) < r->recount_until_ms || has_left(r);
    if (claim.is_recount)
        led_ids = xcalloc(HASH_COUNT(r->leds) + 1, sizeof(*led_ids));
    for (struct led *led = r->leds; led != NULL && claim.is_recount; led = led->hh.next) {
        if (!led->is_left)
            led_ids[claim.led_n++] = str_from(led->project_id);
    }
    claim.led = led_ids;
    r->claim_sent_ms = loop_now_ms(r->config.loop);
    r->claim = store->flows_claim(store->self, &claim, CALL_TIMEOUT_MS, on_claimed, r);
    free(led_ids);
}

static void on_claim_timer(void *arg)
{
    struct reconciler *r = arg;
    if (r->is_draining || r->claim != NULL)
        return;
    if (may_act(r))
        send_claim(r);
    else
        loop_timer_set(&r->claim_timer, r->config.claim_ms);
}

/* ---- the lease ---- */

static void hold_all(struct reconciler *r)
{
    for (struct led *led = r->leds; led != NULL; led = led->hh.next) {
        if (led->flow != NULL)
            flow_hold(led->flow);
    }
}

static void on_lapse(void *arg)
{
    struct reconciler *r = arg;
    if (may_act(r))
        return;
    LOG(WARN, "the lease is over, calls under way are dropped", KV("flows", HASH_COUNT(r->leds)));
    hold_all(r);
}

/* The lease is this replica's again; it may have been nobody's for a while, or another's. */
static void take_back(struct reconciler *r)
{
    hold_all(r);
    reload_all(r);
    loop_timer_set(&r->claim_timer, 0);
}

static void on_renewed(void *arg, bool was_held, const struct err *err)
{
    struct reconciler *r = arg;
    r->renew = NULL;
    bool was_out = !may_act(r);
    if (err != NULL) {
        if (!r->is_renewal_failing)
            LOG(WARN, "renewing the lease failed", KV("err", err));
    } else {
        r->lease_until_ms = r->renew_sent_ms + r->config.lease_ms;
        ms_t left_ms = r->lease_until_ms - loop_now_ms(r->config.loop);
        loop_timer_set(&r->lapse_timer, left_ms > 0 ? left_ms : 0);
        if ((was_out || !was_held) && may_act(r))
            take_back(r);
    }
    r->is_renewal_failing = err != NULL;
    /* Without a lease nothing is acted on, so it is asked for again soon: at start the tables may be a second away. */
    ms_t usual_ms = r->config.lease_ms / RENEWS_PER_LEASE;
    loop_timer_set(&r->renew_timer, err != NULL && usual_ms > RENEW_AGAIN_MS ? RENEW_AGAIN_MS : usual_ms);
}

static void on_renew_timer(void *arg)
{
    struct reconciler *r = arg;
    const struct port_store *store = r->config.store;
    r->renew_sent_ms = loop_now_ms(r->config.loop);
    r->renew =
        store->replica_renew(store->self, r->config.lease_ms, r->config.lease_ms / RENEWS_PER_LEASE, on_renewed, r);
}

/* ---- what comes from outside ---- */

static void on_cluster_change(void *arg, struct str project_id)
{
    struct reconciler *r = arg;
    drift_look(r->drift, project_id);
    if (str_is_none(project_id)) {
        enqueue_all(r);
        return;
    }
    struct led *led = find(r, project_id);
    if (led != NULL)
        enqueue(led);
}

/* A replica that stops said so: nobody waits for the end of its lease. */
static void on_flows_freed(void *arg)
{
    struct reconciler *r = arg;
    r->must_claim = true;
    if (r->claim == NULL && !r->is_draining)
        loop_timer_set(&r->claim_timer, 0);
}

static void on_foreign_event(void *arg, const struct journal_event *event)
{
    struct reconciler *r = arg;
    bus_publish(r->config.bus, event);
    drift_hear(r->drift, event);
    if (event->kind == JOURNAL_QUEUED && queue_waiting_n(r->queue) == 0)
        queue_poke(r->queue); /* nobody was known to wait */
    /* Another replica took a request for a flow that this one leads. */
    struct led *led = find(r, str_from(event->project_id));
    if (led != NULL && event->kind == JOURNAL_STATUS)
        reconciler_poke(r, event->project_id);
}

/* ---- life ---- */

struct reconciler *reconciler_new(const struct reconciler_config *config)
{
    struct reconciler *r = xcalloc(1, sizeof(*r));
    r->config = *config;
    TAILQ_INIT(&r->runnable);
    r->ports = (struct flow_ports){
        .loop = config->loop,
        .cluster = clusters_port(config->clusters),
        .store = config->store,
        .settings = config->settings,
        .counters = &r->counters,
        .listener = {.on_events = on_events,
                     .on_hint = on_hint,
                     .on_end = on_flow_end,
                     .may_act = may_act,
                     .on_wake = on_wake,
                     .arg = r},
    };
    loop_task_init(&r->run, config->loop, on_run, r);
    loop_timer_init(&r->renew_timer, config->loop, on_renew_timer, r);
    loop_timer_init(&r->claim_timer, config->loop, on_claim_timer, r);
    loop_timer_init(&r->lapse_timer, config->loop, on_lapse, r);
    r->drift = reconciler_watch_drift(r);
    r->ports.cluster->guard(r->ports.cluster->self, may_act, r);
    r->ports.cluster->subscribe(r->ports.cluster->self, on_cluster_change, r);
    config->store->journal_subscribe(config->store->self, on_foreign_event, r);
    config->store->flows_subscribe(config->store->self, on_flows_freed, r);
    r->queue = queue_new(&(struct queue_config){.loop = config->loop,
                                                .store = config->store,
                                                .clusters = config->clusters,
                                                .limits = config->limits,
                                                .has_overlap = config->settings->has_overlap,
                                                .idle_ms = config->claim_ms,
                                                .max = config->claim_n,
                                                .on_look = on_look,
                                                .may_look = may_act,
                                                .arg = r});
    r->lease_until_ms = loop_now_ms(config->loop);
    loop_timer_set(&r->renew_timer, 0);
    return r;
}

static void stop(struct reconciler *r)
{
    r->is_draining = true;
    drift_stop(r->drift);
    loop_timer_clear(&r->renew_timer);
    loop_timer_clear(&r->claim_timer);
    loop_timer_clear(&r->lapse_timer);
    op_cancel(r->renew);
    op_cancel(r->claim);
    r->renew = NULL;
    r->claim = NULL;
    (void)queue_restart(r->queue);
    struct led *led;
    struct led *next;
    HASH_ITER(hh, r->leds, led, next)
    drop(led);
}

void reconciler_free(struct reconciler *r)
{
    if (r == NULL)
        return;
    r->ports.cluster->guard(r->ports.cluster->self, NULL, NULL);
    r->ports.cluster->subscribe(r->ports.cluster->self, NULL, NULL);
    r->config.store->journal_subscribe(r->config.store->self, NULL, NULL);
    r->config.store->flows_subscribe(r->config.store->self, NULL, NULL);
    stop(r);
    queue_free(r->queue);
    loop_task_clear(&r->run);
    drift_free(r->drift);
    free(r);
}

static void on_released(void *arg, const struct err *err)
{
    struct reconciler *r = arg;
    r->renew = NULL;
    if (err != NULL)
        LOG(WARN, "giving the lease back failed; it ends by itself", KV("err", err));
    r->on_drained(r->drained_arg);
}

void reconciler_drain(struct reconciler *r, ms_t timeout_ms, void (*done)(void *arg), void *arg)
{
    stop(r);
    r->on_drained = done;
    r->drained_arg = arg;
    r->renew = r->config.store->replica_release(r->config.store->self, timeout_ms, on_released, r);
}

struct queue *reconciler_queue(struct reconciler *r)
{
    return r->queue;
}

void reconciler_stats(const struct reconciler *r, struct reconciler_stats *ret)
{
    ret->flows_n = HASH_COUNT(r->leds);
    ret->waiting_n = queue_waiting_n(r->queue);
    ret->has_lease = may_act((void *)r);
    ret->flows = r->counters;
    drift_stats(r->drift, &ret->drift);
}
