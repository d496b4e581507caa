// SPDX-License-Identifier: MIT
/* Looking and telling. What contradicts a row counts only if this replica's caches once agreed with it, or have heard
 * of everything since it became so: a watch that lags or was cut looks like a deletion to nobody. */
#include "core/drift.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/drift_check.h"
#include "core/drift_private.h"

enum {
    LOOKS_PER_TURN = 128,
    NOTES_AT_ONCE = 16, /* a node that dies takes many along; PostgreSQL has others to serve */
    NOTE_TIMEOUT_MS = 5000,
    CROWDED_MS = 100,   /* until a note that found no room is tried again */
    UNSURE_MS = 1000,   /* until caches that may be old are looked at again */
    NO_ROOM_MS = 1000,  /* until a repair that found no room is tried again */
    UNLIKE_MS = 1000,   /* the store refused what it says itself: its lease on us is over */
    WAIT_GRAIN_MS = 20, /* those due soon are looked at together */
    /* How often one sandbox is told of, or repaired: at once, then 5, 10, 20 s … after that and at last every hour. */
    PACE_MS = 5000,
    PACE_CAP_MS = 3600 * 1000,
    CALM_MS = 2 * 3600 * 1000,
};
#define NEVER_MS INT64_MAX

/* ---- lists ---- */

void drift_leave_lists(struct watched *w)
{
    struct drift_watch *d = w->owner;
    if (w->at == WATCHED_QUEUED)
        TAILQ_REMOVE(&d->queue, w, link);
    else if (w->at == WATCHED_WAITING)
        TAILQ_REMOVE(&d->waiting, w, link);
    w->at = WATCHED_AT_REST;
}

void drift_enqueue(struct watched *w)
{
    struct drift_watch *d = w->owner;
    if (w->at == WATCHED_QUEUED || w->note != NULL || d->is_stopped)
        return;
    drift_leave_lists(w);
    TAILQ_INSERT_TAIL(&d->queue, w, link);
    w->at = WATCHED_QUEUED;
    loop_defer(&d->run);
}

/* Until then, or a change in the cluster. */
static void wait_until(struct watched *w, ms_t due_ms)
{
    struct drift_watch *d = w->owner;
    ms_t now = loop_now_ms(d->config.loop);
    drift_leave_lists(w);
    w->due_ms = due_ms;
    TAILQ_INSERT_TAIL(&d->waiting, w, link);
    w->at = WATCHED_WAITING;
    ms_t delay_ms = due_ms > now + WAIT_GRAIN_MS ? due_ms - now : WAIT_GRAIN_MS;
    if (!loop_timer_is_set(&d->wait) || now + delay_ms < d->wait_ms) {
        d->wait_ms = now + delay_ms;
        loop_timer_set(&d->wait, delay_ms);
    }
}

static void on_wait(void *arg)
{
    struct drift_watch *d = arg;
    ms_t now = loop_now_ms(d->config.loop);
    ms_t next_ms = NEVER_MS;
    struct watched *next;
    for (struct watched *w = TAILQ_FIRST(&d->waiting); w != NULL; w = next) {
        next = TAILQ_NEXT(w, link);
        if (w->due_ms <= now)
            drift_enqueue(w);
        else if (w->due_ms < next_ms)
            next_ms = w->due_ms;
    }
    if (next_ms == NEVER_MS)
        return;
    d->wait_ms = next_ms > now + WAIT_GRAIN_MS ? next_ms : now + WAIT_GRAIN_MS;
    loop_timer_set(&d->wait, d->wait_ms - now);
}

/* ---- telling ---- */

/* A code says it; words alone may count and name what changes all the time. */
uint64_t drift_words(enum reason code, const char *message)
{
    const char *text = code == REASON_DRIFT ? message : reason_id(code);
    return codec_hash(text, strlen(text)) | 1;
}

static void log_note(const struct watched *w, const struct journal_event *e)
{
    if (w->wish == DRIFT_HEALED)
        LOG(INFO, "the sandbox runs again", KV("project", w->texts), KV("sandbox", w->name));
    else
        LOG(WARN, w->wish == DRIFT_REPAIR ? "repairing what is missing" : "the sandbox does not run as it should",
            KV("project", w->texts), KV("sandbox", w->name), KV("cluster", w->cluster), KV("code", reason_id(e->code)),
            KV("text", e->message));
}

static void count_note(struct drift_watch *d, enum drift_wish wish)
{
    d->stats.told_n += wish == DRIFT_REPORT;
    d->stats.repairs_n += wish == DRIFT_REPAIR;
    d->stats.healed_n += wish == DRIFT_HEALED;
}

/* Another replica was first, or the row is wanted otherwise. */
static void on_other(struct watched *w, const struct sandbox *sb)
{
    struct drift_watch *d = w->owner;
    if (sb == NULL)
        drift_drop(w);
    else if (sb->fence == w->fence && sb->attempt == w->attempt)
        wait_until(w, loop_now_ms(d->config.loop) + UNLIKE_MS);
    else
        drift_take(d, sb, loop_now_ms(d->config.loop), false);
}

static void on_told(struct watched *w, const struct sandbox *sb, const struct journal_event *event)
{
    struct drift_watch *d = w->owner;
    const struct drift_listener *l = &d->config.listener;
    enum drift_wish wish = w->wish;
    count_note(d, wish);
    log_note(w, event);
    l->on_event(l->arg, event);
    if (!sb->is_settled) {
        char project_id[ID_SIZE];
        text_fit(project_id, sizeof(project_id), str_from(w->texts));
        drift_drop(w);
        l->on_repair(l->arg, project_id);
    } else {
        drift_take(d, sb, loop_now_ms(d->config.loop), true);
    }
}

static void on_noted(void *arg, enum drift_result result, ms_t wait_ms, const struct sandbox *sb,
                     const struct journal_event *event, const struct err *err)
{
    struct watched *w = arg;
    struct drift_watch *d = w->owner;
    ms_t now = loop_now_ms(d->config.loop);
    w->note = NULL;
    d->notes_n--;
    if (err != NULL) {
        /* It may have been written: the row tells. */
        LOG(WARN, "writing what was seen failed", KV("project", w->texts), KV("err", err));
        if (w->wish != DRIFT_REPORT)
            d->config.listener.on_doubt(d->config.listener.arg);
        w->must_read = true;
        wait_until(w, now + backoff_next(&w->backoff, (uint32_t)w->noted));
        return;
    }
    backoff_reset(&w->backoff);
    switch (result) {
    case DRIFT_TOLD:
        on_told(w, sb, event);
        return;
    case DRIFT_LATER:
        w->later_ms = now + wait_ms;
        w->is_later_healed = w->wish == DRIFT_HEALED;
        wait_until(w, w->later_ms);
        return;
    case DRIFT_OTHER:
        on_other(w, sb);
        return;
    }
}

static void note(struct watched *w, enum drift_wish wish, enum reason code, const char *message)
{
    struct drift_watch *d = w->owner;
    const struct drift_listener *l = &d->config.listener;
    ms_t now = loop_now_ms(d->config.loop);
    if (now < w->later_ms && w->is_later_healed == (wish == DRIFT_HEALED)) {
        wait_until(w, w->later_ms);
        return;
    }
    if (d->notes_n >= NOTES_AT_ONCE || !l->may_act(l->arg)) {
        wait_until(w, now + CROWDED_MS);
        return;
    }
    const struct drift_note n = {.project_id = w->texts,
                                 .attempt = w->attempt,
                                 .fence = w->fence,
                                 .wish = wish,
                                 .code = code,
                                 .message = message,
                                 .now_ms = loop_wall_ms(d->config.loop),
                                 .pace_ms = PACE_MS,
                                 .pace_cap_ms = PACE_CAP_MS,
                                 .calm_ms = CALM_MS};
    const struct port_store *store = d->config.store;
    w->wish = wish;
    w->noted = drift_words(code, message);
    w->note = store->drift_note(store->self, &n, NOTE_TIMEOUT_MS, on_noted, w);
    d->notes_n++;
}

/* ---- looking ---- */

static void see(const struct watched *w, struct observed *seen, struct drift_verdict *ret)
{
    const struct port_cluster *cluster = w->owner->config.cluster;
    struct sandbox sb;
    drift_expand(w, &sb);
    cluster->observe(cluster->self, &sb, seen);
    *ret = (struct drift_verdict){.drift = DRIFT_NONE};
    if (drift_can_check(seen))
        drift_check(&sb, seen, ret);
}

/* Has it looked like this for long enough? Else it is looked at again then. */
static bool has_stood(struct watched *w, const struct drift_verdict *v)
{
    ms_t now = loop_now_ms(w->owner->config.loop);
    uint64_t bad = drift_words(v->code, v->message);
    if (w->bad != bad) {
        w->bad = bad;
        w->bad_since_ms = now;
    }
    if (now >= w->bad_since_ms + v->grace_ms)
        return true;
    wait_until(w, w->bad_since_ms + v->grace_ms);
    return false;
}

static void on_good(struct watched *w)
{
    w->bad = 0;
    w->is_bad = false;
    if (w->told == 0)
        w->is_agreed = true;
    else
        note(w, DRIFT_HEALED, REASON_NONE, "the sandbox runs again");
}

static void on_bad(struct watched *w, const struct drift_verdict *v)
{
    struct drift_watch *d = w->owner;
    const struct drift_listener *l = &d->config.listener;
    if (w->told != 0)
        w->is_agreed = true;
    if (!has_stood(w, v))
        return;
    w->is_bad = true;
    bool is_to_repair = v->drift == DRIFT_MISSING && d->config.is_repairing;
    bool has_room = l->has_room(l->arg);
    if (is_to_repair && has_room)
        note(w, DRIFT_REPAIR, v->code, v->message);
    else if (w->told != drift_words(v->code, v->message))
        note(w, DRIFT_REPORT, v->code, v->message);
    else if (is_to_repair)
        wait_until(w, loop_now_ms(d->config.loop) + NO_ROOM_MS);
}

static void look(struct watched *w)
{
    struct drift_watch *d = w->owner;
    struct observed seen;
    struct drift_verdict v;
    if (w->must_read) {
        w->must_read = false;
        drift_ask(d, str_from(w->texts));
        wait_until(w, loop_now_ms(d->config.loop) + NOTE_TIMEOUT_MS); /* if the row is as it was */
        return;
    }
    see(w, &seen, &v);
    if (!drift_can_check(&seen))
        return; /* when it can, everything is looked at */
    bool is_contrary = (v.drift != DRIFT_NONE) != (w->told != 0);
    if (is_contrary && !w->is_agreed && seen.current_ms <= w->changed_ms)
        wait_until(w, loop_now_ms(d->config.loop) + UNSURE_MS);
    else if (v.drift == DRIFT_NONE)
        on_good(w);
    else
        on_bad(w, &v);
}

static void on_run(void *arg)
{
    struct drift_watch *d = arg;
    for (unsigned i = 0; i < LOOKS_PER_TURN && !TAILQ_EMPTY(&d->queue); i++) {
        struct watched *w = TAILQ_FIRST(&d->queue);
        drift_leave_lists(w);
        look(w);
    }
    if (!TAILQ_EMPTY(&d->queue))
        loop_defer(&d->run);
}

void drift_look(struct drift_watch *d, struct str project_id)
{
    struct watched *w = drift_find(d, project_id);
    if (w != NULL && w->must_read)
        return;
    if (w != NULL)
        drift_enqueue(w);
    for (w = d->all; str_is_none(project_id) && w != NULL; w = w->hh.next) {
        if (!w->must_read)
            drift_enqueue(w);
    }
}

/* ---- what is said of rows ---- */

void drift_know(struct drift_watch *d, const struct sandbox *sb)
{
    bool is_told = sb->status == SANDBOX_ERROR && sandbox_is_repair(sb);
    if (d->is_stopped)
        return;
    if (sb->is_settled && sb->desired == DESIRED_RUNNING && (sb->status == SANDBOX_RUNNING || is_told))
        drift_take(d, sb, loop_now_ms(d->config.loop), true);
    else
        drift_forget(d, str_from(sb->project_id));
}

void drift_forget(struct drift_watch *d, struct str project_id)
{
    struct watched *w = drift_find(d, project_id);
    if (w != NULL)
        drift_drop(w);
}

void drift_hear(struct drift_watch *d, const struct journal_event *event)
{
    struct str id = str_from(event->project_id);
    bool is_end = event->kind == JOURNAL_DONE && event->outcome == OUTCOME_READY;
    bool is_of_known = event->kind != JOURNAL_STAGE && drift_find(d, id) != NULL;
    /* A report of what nobody knew of here, or the failure of its repair. */
    bool is_drift = event->kind != JOURNAL_STAGE && event->status == SANDBOX_ERROR;
    if (is_end || is_of_known || is_drift)
        drift_ask(d, id);
}

bool drift_shown(const struct drift_watch *d, const struct sandbox *sb, enum reason *ret_code,
                 char ret_message[MESSAGE_SIZE])
{
    const struct watched *w = drift_find(d, str_from(sb->project_id));
    struct observed seen;
    struct drift_verdict v;
    if (w == NULL || !w->is_bad || w->told != 0 || w->attempt != sb->attempt || w->fence != sb->fence)
        return false;
    see(w, &seen, &v);
    *ret_code = v.code;
    memcpy(ret_message, v.message, sizeof(v.message));
    return v.drift != DRIFT_NONE;
}

void drift_stats(const struct drift_watch *d, struct drift_stats *ret)
{
    *ret = d->stats;
}

/* ---- life ---- */

struct drift_watch *drift_new(const struct drift_config *config)
{
    struct drift_watch *d = xcalloc(1, sizeof(*d));
    d->config = *config;
    TAILQ_INIT(&d->queue);
    TAILQ_INIT(&d->waiting);
    loop_task_init(&d->run, config->loop, on_run, d);
    loop_timer_init(&d->wait, config->loop, on_wait, d);
    drift_set_init(d);
    return d;
}

void drift_stop(struct drift_watch *d)
{
    d->is_stopped = true;
    loop_task_clear(&d->run);
    loop_timer_clear(&d->wait);
    drift_set_fini(d);
}

void drift_free(struct drift_watch *d)
{
    if (d == NULL)
        return;
    drift_stop(d);
    free(d);
}
