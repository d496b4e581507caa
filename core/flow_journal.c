// SPDX-License-Identifier: MIT
/* Telling: turns verdicts into stage events, keeps them in an outbox, writes them with the row's state in one
 * transaction, and only then hands them to whoever listens. */
#include "core/flow_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

/* A wall clock that was set back makes nothing end before it began. */
static int64_t elapsed(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

static struct journal_event *add_event(struct flow *f, enum journal_kind kind, enum reason code, const char *message)
{
    if (f->outbox_n == FLOW_OUTBOX_N)
        return NULL;
    struct journal_event *e = &f->outbox[f->outbox_n++];
    *e = (struct journal_event){.kind = kind,
                                .attempt = f->sb.attempt,
                                .status = f->sb.status,
                                .code = code,
                                .at_ms = loop_wall_ms(f->ports.loop),
                                .duration_ms = -1};
    memcpy(e->owner_id, f->sb.owner_id, sizeof(e->owner_id));
    memcpy(e->project_id, f->sb.project_id, sizeof(e->project_id));
    text_fit(e->message, sizeof(e->message), str_from(message));
    f->events_n++;
    return e;
}

static void add_stage_event(struct flow *f, enum stage stage)
{
    const struct stage_run *run = &f->stages[stage];
    struct journal_event *e = add_event(f, JOURNAL_STAGE, run->code, run->message);
    if (e == NULL)
        return;
    e->stage = stage;
    e->stage_status = run->status;
    if (run->ended_ms > 0)
        e->duration_ms = elapsed(run->started_ms, run->ended_ms);
    LOG(DEBUG, "stage", KV("project", f->sb.project_id), KV("stage", stage_id(stage)),
        KV("status", stage_status_id(run->status)), KV("code", reason_id(run->code)), KV("text", run->message));
}

/* What stands in the journal about a stage is one step's word: the first that is not done, else the last. */
static size_t speaker(const struct flow_notes *notes, enum stage stage, bool *ret_all_done, bool *ret_any_entered)
{
    size_t first_open = STEP_N;
    size_t last_done = STEP_N;
    *ret_all_done = true;
    *ret_any_entered = false;
    for (size_t i = 0; i < STEP_N; i++) {
        if (PLAN[i].stage != stage)
            continue;
        *ret_all_done = *ret_all_done && notes->is_done[i];
        *ret_any_entered = *ret_any_entered || notes->is_entered[i];
        if (notes->is_done[i])
            last_done = i;
        else if (notes->is_entered[i] && first_open == STEP_N)
            first_open = i;
    }
    return first_open < STEP_N ? first_open : last_done;
}

static bool is_being_read(const struct flow *f)
{
    return !f->seen.is_synced && f->seen.is_reachable;
}

static void sync_stage(struct flow *f, const struct flow_notes *notes, enum stage stage)
{
    bool is_all_done;
    bool is_entered;
    size_t from = speaker(notes, stage, &is_all_done, &is_entered);
    struct stage_run *run = &f->stages[stage];
    enum stage_status status = is_all_done  ? STAGE_STATUS_COMPLETED
                               : is_entered ? STAGE_STATUS_IN_PROGRESS
                                            : STAGE_STATUS_PENDING;
    bool has_room = f->outbox_n + FLOW_OUTBOX_LAST_N < FLOW_OUTBOX_N;
    if (status == STAGE_STATUS_PENDING || from == STEP_N || !has_room)
        return;
    /* After a restart the cluster has yet to be read: not knowing takes back nothing that was told, and is no news. */
    bool is_seen = f->seen.is_synced && f->seen.is_reachable;
    bool is_unread = run->status == STAGE_STATUS_COMPLETED ? !is_seen : is_being_read(f);
    if (is_unread && run->status != STAGE_STATUS_PENDING)
        return;
    bool is_change = status != run->status;
    bool is_word = run->code != notes->code[from] || strcmp(run->message, notes->message[from]) != 0;
    if (!is_change && (!is_word || status == STAGE_STATUS_COMPLETED || f->events_n >= FLOW_EVENTS_PER_ATTEMPT))
        return;
    int64_t now = loop_wall_ms(f->ports.loop);
    if (run->started_ms == 0)
        run->started_ms = now;
    run->status = status;
    run->ended_ms = status == STAGE_STATUS_COMPLETED ? now : 0;
    run->code = notes->code[from];
    memcpy(run->message, notes->message[from], sizeof(run->message));
    add_stage_event(f, stage);
    if (status == STAGE_STATUS_COMPLETED) {
        f->ports.counters->stages_n[stage]++;
        f->ports.counters->stages_sum_ms[stage] += elapsed(run->started_ms, run->ended_ms);
    }
}

void flow_journal_stages(struct flow *f, const struct flow_notes *notes)
{
    for (size_t i = 0; i < STAGE_N; i++)
        sync_stage(f, notes, (enum stage)i);
}

void flow_journal_stage_end(struct flow *f, enum stage stage, enum stage_status status, enum reason code,
                            const char *message)
{
    struct stage_run *run = &f->stages[stage];
    run->status = status;
    run->ended_ms = loop_wall_ms(f->ports.loop);
    if (run->started_ms == 0)
        run->started_ms = run->ended_ms;
    run->code = code;
    text_fit(run->message, sizeof(run->message), str_from(message));
    add_stage_event(f, stage);
}

void flow_journal_status(struct flow *f, enum reason code, const char *message)
{
    char text[MESSAGE_SIZE];
    text_fit(text, sizeof(text), str_from(message));
    bool has_room = f->outbox_n + FLOW_OUTBOX_LAST_N < FLOW_OUTBOX_N;
    if (!has_room || (f->sb.code == code && strcmp(f->sb.message, text) == 0))
        return;
    f->sb.code = code;
    memcpy(f->sb.message, text, sizeof(text));
    f->is_dirty = true;
    if (f->events_n < FLOW_EVENTS_PER_ATTEMPT)
        (void)add_event(f, JOURNAL_STATUS, code, text);
    if (code != REASON_NONE)
        LOG(WARN, "held up", KV("project", f->sb.project_id), KV("code", reason_id(code)), KV("text", text));
}

void flow_journal_drop_status(struct flow *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->outbox_n; i++) {
        if (f->outbox[i].kind != JOURNAL_STATUS)
            f->outbox[n++] = f->outbox[i];
    }
    f->outbox_n = n;
    f->saving_n = 0;
}

void flow_journal_words(struct flow *f, const struct flow_notes *notes, enum step_id first, enum step_id end)
{
    size_t i = first;
    while (i < end && (notes->is_done[i] || !notes->is_entered[i]))
        i++;
    if (i < end && !is_being_read(f))
        flow_journal_status(f, notes->code[i], notes->message[i]);
}

void flow_journal_done(struct flow *f, enum outcome outcome, enum reason code, const char *message)
{
    f->sb.code = code;
    text_fit(f->sb.message, sizeof(f->sb.message), str_from(message));
    f->sb.is_settled = true;
    f->had_ended = f->has_ended;
    f->has_ended = true;
    f->is_dirty = true;
    f->state = FLOW_ENDING;
    f->ended_at_ms = loop_now_ms(f->ports.loop);
    flow_hold(f); /* what they find out would start more, and what waits for its turn would act after the end */
    struct journal_event *e = add_event(f, JOURNAL_DONE, code, message);
    if (e != NULL) {
        e->outcome = outcome;
        e->duration_ms = elapsed(sandbox_is_repair(&f->sb) ? f->sb.drift_ms : f->sb.attempt_started_ms, e->at_ms);
    }
    f->ports.counters->outcomes_n[outcome]++;
    if (outcome == OUTCOME_FAILED)
        f->ports.counters->failures_n[code]++;
    LOG(INFO, "attempt ended", KV("project", f->sb.project_id), KV("sandbox", f->sb.name), KV("attempt", f->sb.attempt),
        KV("outcome", outcome_id(outcome)), KV("code", reason_id(code)), KV("text", f->sb.message));
}

static void on_saved(void *arg, const struct journal_event *events, size_t n_events, const struct err *err)
{
    struct flow *f = arg;
    f->save = NULL;
    if (err == NULL) {
        f->is_save_in_doubt = false;
        f->sb.saves++;
        f->known_at_ms = loop_now_ms(f->ports.loop);
        backoff_reset(&f->save_backoff);
        f->ports.listener.on_events(f->ports.listener.arg, events, n_events);
        memmove(f->outbox, f->outbox + f->saving_n, (f->outbox_n - f->saving_n) * sizeof(*f->outbox));
        f->outbox_n -= f->saving_n;
        f->must_save_credentials = f->must_save_credentials && !f->saving_has_credentials;
        f->row_applied = f->saving_applied;
        if (f->state == FLOW_ENDING && f->outbox_n == 0 && !f->is_dirty) {
            f->has_settled = true;
            loop_defer(&f->end_task);
        }
    } else if (err->kind == ERR_CONFLICT) {
        f->is_dirty = true;
        flow_reload(f);
        return;
    } else {
        f->is_save_in_doubt = true;
        f->is_dirty = true;
        f->save_at_ms = loop_now_ms(f->ports.loop) + backoff_next(&f->save_backoff, f->chance++ * 2654435761u);
        LOG(WARN, "journal write failed", KV("project", f->sb.project_id), KV("err", err));
    }
    flow_wake(f);
}

static void keep_clocks(struct flow *f)
{
    struct json_writer *w = jw_new(FLOW_STEPS_CEILING_BYTES);
    struct str steps;
    if (!flow_clocks_write(f, w, &steps))
        steps = STR("{}");
    free(f->saving_steps);
    f->saving_steps = xmemdup(steps.p, steps.n);
    f->saving_steps_n = steps.n;
    f->saving_applied = f->applied;
    jw_free(w);
}

static bool is_ready_old(const struct flow *f)
{
    bool is_ready = f->state == FLOW_ENDING && f->sb.status == SANDBOX_RUNNING;
    return is_ready && loop_now_ms(f->ports.loop) > f->ended_at_ms + FLOW_READY_FRESH_MS;
}

/* Whether it was written the row says; who claims it looks anew. */
static void give_up_end(struct flow *f)
{
    LOG(WARN, "written too late to be told ready, looking again", KV("project", f->sb.project_id));
    f->ports.listener.on_hint(f->ports.listener.arg, f->sb.owner_id);
    f->is_left = true;
    f->state = FLOW_OVER;
    loop_defer(&f->end_task);
}

void flow_journal_flush(struct flow *f)
{
    bool has_news = f->outbox_n > 0 || f->is_dirty || f->must_save_credentials;
    if (!has_news || f->save != NULL || f->must_load || f->state == FLOW_OVER)
        return;
    if (loop_now_ms(f->ports.loop) < f->save_at_ms) {
        flow_look_at(f, f->save_at_ms);
        return;
    }
    if (is_ready_old(f)) {
        give_up_end(f);
        return;
    }
    if (!f->is_save_in_doubt) {
        f->saving_sb = f->sb;
        f->saving_n = f->outbox_n;
        f->saving_is_gone = f->state == FLOW_ENDING && f->is_project_gone;
        f->saving_has_credentials = f->must_save_credentials;
        f->is_dirty = false;
        keep_clocks(f);
    }
    struct flow_save save = {
        .sb = &f->saving_sb,
        .credentials = f->saving_has_credentials ? &f->credentials : NULL,
        .events = f->outbox,
        .n_events = f->saving_n,
        .is_project_gone = f->saving_is_gone,
        .steps_json = {f->saving_steps, f->saving_steps_n}
    };
    const struct port_store *store = f->ports.store;
    f->save = store->flow_save(store->self, &save, f->ports.settings->call_timeout_ms, on_saved, f);
}
