// SPDX-License-Identifier: MIT
/* The engine: one look at the world, from the plan's first row to its last (or back), then at most one act per row. It
 * keeps no position: what is done is found out anew each time, so a restart needs no special case. */
#include "core/flow.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/checks.h"
#include "core/flow_ops.h"
#include "core/flow_private.h"

enum {
    SAVE_FIRST_MS = 200,
    SAVE_CAP_MS = 5000,
    QUIET_MS = 20000,        /* a request of another replica that nobody told of is found by then */
    AWAY_PATIENCE_MS = 3000, /* an API that was missed for a moment is no news */
};
#define NEVER_MS INT64_MAX

void flow_wake(struct flow *f)
{
    if (f->state != FLOW_OVER)
        f->ports.listener.on_wake(f->ports.listener.arg, f);
}

void flow_look_at(struct flow *f, ms_t at_ms)
{
    if (at_ms < f->next_ms)
        f->next_ms = at_ms;
}

static void on_timer(void *arg)
{
    flow_wake(arg);
}

static void end(struct flow *f)
{
    f->state = FLOW_OVER;
    loop_timer_clear(&f->timer);
    f->ports.listener.on_end(f->ports.listener.arg, f);
}

static void on_end_task(void *arg)
{
    end(arg);
}

/* ---- building ---- */

static uint64_t needs_of(const struct flow *f, const struct step *s)
{
    if (f->ports.settings->has_overlap)
        return s->needs;
    uint64_t earlier = 0;
    for (size_t i = 0; i < STEP_CREATE_N && s->stage < STAGE_N; i++) {
        if (PLAN[i].stage < s->stage)
            earlier |= BIT(i);
    }
    return s->needs | earlier;
}

static void enter(struct flow *f, struct step_run *run)
{
    if (run->is_entered)
        return;
    run->is_entered = true;
    run->entered_at_ms = loop_now_ms(f->ports.loop);
    f->is_dirty = true;
}

void flow_end_open_stages(struct flow *f, enum reason code, const char *message)
{
    for (size_t i = 0; i < STAGE_N; i++) {
        if (f->stages[i].status == STAGE_STATUS_IN_PROGRESS)
            flow_journal_stage_end(f, (enum stage)i, STAGE_STATUS_SKIPPED, code, message);
    }
}

/* The next stop begins anew. */
static void forget_stop(struct flow *f)
{
    f->halted = 0;
    for (size_t i = STEP_CREATE_N; i < STEP_N; i++)
        f->steps[i].is_entered = false;
}

static void fail(struct flow *f, enum step_id step, enum reason code, const char *message)
{
    const struct step *s = &PLAN[step];
    char text[MESSAGE_SIZE];
    text_fit(text, sizeof(text), str_from(message[0] != '\0' ? message : "it took longer than allowed"));
    f->sb.status = SANDBOX_ERROR;
    forget_stop(f);
    if (s->stage < STAGE_N)
        flow_journal_stage_end(f, s->stage, STAGE_STATUS_FAILED, code, text);
    flow_end_open_stages(f, REASON_NONE, "not finished: another stage failed");
    flow_journal_done(f, OUTCOME_FAILED, code, text);
}

/* A failed try speaks louder than the check that would start the next. */
static void hear_errors(const struct step_run *run, struct verdict *v)
{
    if (v->check != CHECK_MISSING || run->backoff.tries == 0 || run->error_message[0] == '\0')
        return;
    v->code = run->error_code;
    text_fitf(v->message, sizeof(v->message), "%s; trying again", run->error_message);
}

/* What is waited for is not seen while the API is away: then the words of before are no truth any more. */
static void hear_away(struct flow *f, struct verdict *v)
{
    if (v->check != CHECK_WAITING || f->away_since_ms == 0)
        return;
    ms_t told_ms = f->away_since_ms + AWAY_PATIENCE_MS;
    if (loop_now_ms(f->ports.loop) < told_ms) {
        flow_look_at(f, told_ms);
        return;
    }
    checks_unreachable(&f->sb, &f->seen, &v->code, v->message);
    v->late_code = REASON_NONE;
}

/* Is it broken for good? A code that may heal by itself has to stand for its grace. */
static bool is_broken(struct flow *f, struct step_run *run, const struct verdict *v)
{
    ms_t now = loop_now_ms(f->ports.loop);
    if (v->check != CHECK_BROKEN) {
        run->broken_code = REASON_NONE;
        return false;
    }
    if (run->broken_code != v->code) {
        run->broken_code = v->code;
        run->broken_since_ms = now;
    }
    flow_look_at(f, run->broken_since_ms + v->grace_ms);
    return now >= run->broken_since_ms + v->grace_ms;
}

static enum reason late_code(const struct verdict *v)
{
    if (v->late_code != REASON_NONE)
        return v->late_code;
    return v->code != REASON_NONE ? v->code : REASON_DEADLINE;
}

/* A step that was done before a restart looks undone until the caches are there, and its time may be over by then. */
static ms_t deadline_of(const struct flow *f, const struct step_run *run)
{
    ms_t until = run->entered_at_ms + f->ports.settings->deadlines_ms[PLAN[run->id].deadline];
    return until > f->settling_until_ms ? until : f->settling_until_ms;
}

/* Ends the flow if the step cannot be done any more. */
static bool failed(struct flow *f, struct step_run *run, const struct verdict *v)
{
    const struct step *s = &PLAN[run->id];
    ms_t now = loop_now_ms(f->ports.loop);
    ms_t until = deadline_of(f, run);
    bool is_refused = run->error_code != REASON_NONE && (run->is_fatal || run->refused_n > s->tries);
    if (is_broken(f, run, v)) {
        fail(f, run->id, v->code, v->message);
    } else if (is_refused && v->check == CHECK_MISSING) {
        fail(f, run->id, run->error_code, run->error_message);
    } else if (now >= until) {
        fail(f, run->id, late_code(v), v->message);
    } else {
        flow_look_at(f, until);
        return false;
    }
    return true;
}

static void maybe_start(struct flow *f, struct step_run *run, const struct verdict *v)
{
    const struct step *s = &PLAN[run->id];
    if (v->check != CHECK_MISSING || s->start == NULL || run->op != NULL || !flow_facts_may_make(f, s->object))
        return;
    if (loop_now_ms(f->ports.loop) < run->retry_at_ms)
        flow_look_at(f, run->retry_at_ms);
    else if (f->ports.listener.may_act(f->ports.listener.arg))
        s->start(f, run->id);
}

static void note(struct flow_notes *notes, enum step_id step, const struct verdict *v)
{
    notes->is_entered[step] = true;
    notes->is_done[step] = v->check == CHECK_DONE;
    notes->code[step] = v->code;
    memcpy(notes->message[step], v->message, sizeof(notes->message[step]));
}

/* Told, not only done: an event may wait for room in the outbox. */
static bool are_stages_complete(const struct flow *f)
{
    for (size_t i = 0; i < STAGE_N; i++) {
        if (f->stages[i].status != STAGE_STATUS_COMPLETED)
            return false;
    }
    return true;
}

/* What a step's call changes; that of a database which is to run again is not the step's to make. */
static enum cluster_object acted_on(enum step_id step)
{
    return step == STEP_DB_RUNNING ? OBJECT_DATABASE : PLAN[step].object;
}

/* Objects that a call under way or given up may still make or change. */
static uint64_t doubted(struct flow *f)
{
    uint64_t objects = 0;
    for (size_t i = 0; i < STEP_N; i++) {
        const struct step_run *run = &f->steps[i];
        bool is_late = loop_now_ms(f->ports.loop) < run->uncertain_until_ms;
        enum cluster_object object = acted_on((enum step_id)i);
        if (object == OBJECT_N || (!is_late && (run->op == NULL || !run->is_act)))
            continue;
        objects |= BIT(object);
        if (is_late && f->sb.desired == DESIRED_STOPPED)
            flow_look_at(f, run->uncertain_until_ms);
    }
    return objects;
}

/* Is nothing of earlier attempts left, or was there no time for it? A sandbox is ready all the same. */
static bool is_tidy(const struct flow *f)
{
    const struct step_run *run = &f->steps[STEP_APP_TIDY];
    bool is_late = run->is_entered && loop_now_ms(f->ports.loop) >= deadline_of(f, run);
    return f->is_tidied || is_late || f->env_from >= f->sb.attempt;
}

/* Looks at the rows from `first` up to `end` and acts. Returns the bits of those done; the flow may have failed. */
static uint64_t walk(struct flow *f, enum step_id first, enum step_id end_step, struct flow_notes *notes)
{
    const struct world world = {.sb = &f->sb,
                                .seen = &f->seen,
                                .applied = f->applied,
                                .halted = f->halted,
                                .doubted = doubted(f),
                                .has_rights = f->has_rights,
                                .has_credentials = f->has_credentials,
                                .is_login_proven = f->is_login_proven,
                                .must_prove_login = f->ports.settings->must_prove_login && !f->seen.are_databases_far,
                                .is_tidy = is_tidy(f)};
    uint64_t done = 0;
    for (size_t i = first; i < end_step; i++) {
        const struct step *s = &PLAN[i];
        struct step_run *run = &f->steps[i];
        uint64_t needs = needs_of(f, s);
        struct verdict v = {.check = CHECK_WAITING};
        bool is_its_turn = (needs & done) == needs;
        bool is_heard = s->heard_after != 0 && (s->heard_after & done) == s->heard_after;
        if (is_its_turn || is_heard) {
            s->check(s, &world, &v);
            hear_away(f, &v);
        }
        if (!is_its_turn) {
            if (is_heard)
                note(notes, (enum step_id)i, &v);
            notes->is_done[i] = false;
            continue;
        }
        enter(f, run);
        hear_errors(run, &v);
        note(notes, (enum step_id)i, &v);
        if (v.check == CHECK_DONE) {
            done |= BIT(i);
            continue;
        }
        if (failed(f, run, &v))
            break;
        maybe_start(f, run, &v);
    }
    return done;
}

static void build(struct flow *f)
{
    flow_facts_forget_absent(f);
    struct flow_notes notes = {0};
    for (size_t i = STEP_CREATE_N; i < STEP_N; i++)
        flow_ops_drop(f, (enum step_id)i);
    uint64_t done = walk(f, 0, STEP_CREATE_N, &notes);
    if (f->state != FLOW_WORKING)
        return;
    flow_journal_stages(f, &notes);
    /* Whatever else the stage has to say: that the former data is gone is told. */
    if (notes.code[STEP_DB_CLUSTER] == REASON_DRIFT)
        flow_journal_status(f, REASON_DRIFT, notes.message[STEP_DB_CLUSTER]);
    if (done == BIT(STEP_CREATE_N) - 1 && are_stages_complete(f)) {
        f->sb.status = SANDBOX_RUNNING;
        flow_journal_done(f, OUTCOME_READY, REASON_NONE, "the sandbox is ready");
    }
}

/* ---- stopping ---- */

/* What would run again what is to be stopped must not be sent after it was told to stop; what was sent before is
 * refused then. */
static void drop_starts(struct flow *f)
{
    for (size_t i = 0; i < STEP_CREATE_N; i++) {
        enum cluster_object object = acted_on((enum step_id)i);
        if (object == OBJECT_WORKLOAD || object == OBJECT_DATABASE)
            flow_ops_drop(f, (enum step_id)i);
    }
}

static void stop(struct flow *f)
{
    struct flow_notes notes = {0};
    flow_ops_cancel(f, false);
    drop_starts(f);
    uint64_t done = walk(f, STEP_CREATE_N, STEP_N, &notes);
    if (f->state != FLOW_WORKING)
        return;
    if (done != BIT(STEP_N) - BIT(STEP_CREATE_N)) {
        flow_journal_words(f, &notes, STEP_CREATE_N, STEP_N);
        return;
    }
    flow_end_open_stages(f, REASON_NONE, "stopped");
    forget_stop(f);
    f->sb.status = SANDBOX_STOPPED;
    flow_journal_done(f, OUTCOME_STOPPED, REASON_NONE, "the sandbox and its database are stopped, their data is kept");
}

/* ---- the look ---- */

static void read_row(struct flow *f);

typedef void direction(struct flow *f);

static direction *direction_of(enum desired desired)
{
    static direction *const directions[] = {
        [DESIRED_RUNNING] = build,     [DESIRED_STOPPED] = stop,       [DESIRED_TERMINATED] = flow_undo,
        [DESIRED_DELETED] = flow_undo, [DESIRED_DETACHED] = flow_undo,
    };
    return directions[desired];
}

/* The word of a request on another replica may be lost, and a flow that has nothing to write would never find out. */
static void look_for_requests(struct flow *f)
{
    bool is_busy = f->save != NULL || f->is_dirty || f->outbox_n > 0 || f->state != FLOW_WORKING;
    if (is_busy || f->must_load)
        return;
    if (loop_now_ms(f->ports.loop) >= f->known_at_ms + QUIET_MS)
        f->must_load = true;
    else
        flow_look_at(f, f->known_at_ms + QUIET_MS);
}

void flow_advance(struct flow *f)
{
    f->next_ms = NEVER_MS;
    look_for_requests(f);
    if (f->must_load)
        read_row(f);
    else if (f->state == FLOW_WORKING) {
        flow_facts_read(f);
        direction_of(f->sb.desired)(f);
    }
    flow_journal_flush(f);
    if (f->next_ms != NEVER_MS && f->state != FLOW_OVER) {
        ms_t wait_ms = f->next_ms - loop_now_ms(f->ports.loop);
        loop_timer_set(&f->timer, wait_ms > 0 ? wait_ms : 1);
    } else {
        loop_timer_clear(&f->timer);
    }
}

/* ---- the row changed under us ---- */

static void drop_saved(struct flow *f)
{
    memmove(f->outbox, f->outbox + f->saving_n, (f->outbox_n - f->saving_n) * sizeof(*f->outbox));
    f->outbox_n -= f->saving_n;
    f->saving_n = 0;
    f->must_save_credentials = f->must_save_credentials && !f->saving_has_credentials;
    f->row_applied = f->saving_applied;
}

static void take_row(struct flow *f, const struct flow_row *row)
{
    flow_journal_drop_status(f);
    bool is_turned = direction_of(row->sandbox.desired) != direction_of(f->sb.desired);
    f->sb = row->sandbox;
    f->state = FLOW_WORKING;
    f->is_project_gone = false;
    if (!is_turned)
        return;
    forget_stop(f);
    for (size_t i = 0; i < STEP_N; i++) {
        f->steps[i].retry_at_ms = 0;
        f->steps[i].is_undone = false;
        f->steps[i].error_code = REASON_NONE; /* what went wrong before is no news of the undo */
        backoff_reset(&f->steps[i].backoff);
        /* What a controller made nobody answered for, and a watch may lag: the API itself is asked once. */
        if (PLAN[i].start == NULL && f->steps[i].uncertain_until_ms == 0)
            f->steps[i].uncertain_until_ms = loop_now_ms(f->ports.loop);
    }
}

/* Whoever changes a row raises its fence or its count of writes. */
static bool is_as_known(const struct flow *f, const struct sandbox *row)
{
    return row->fence == f->sb.fence && row->saves == f->sb.saves && row->attempt == f->sb.attempt;
}

static void on_loaded(void *arg, const struct flow_row *rows, size_t n, const struct err *err)
{
    struct flow *f = arg;
    f->load = NULL;
    if (err != NULL) {
        f->load_at_ms = loop_now_ms(f->ports.loop) + backoff_next(&f->save_backoff, f->chance++);
        flow_wake(f);
        return;
    }
    f->must_load = false;
    backoff_reset(&f->save_backoff);
    f->known_at_ms = loop_now_ms(f->ports.loop);
    if (n == 1 && !f->is_save_in_doubt && is_as_known(f, &rows[0].sandbox)) {
        flow_wake(f);
        return;
    }
    /* Another wrote, or our own write whose answer was lost: either way there are rows nobody published. */
    f->ports.listener.on_hint(f->ports.listener.arg, f->sb.owner_id);
    bool is_saved = n == 1 && f->is_save_in_doubt && rows[0].sandbox.saves == f->sb.saves + 1;
    /* Two steps of the fence: another replica may have led meanwhile, and the one write more may be its own. */
    bool is_near = n == 1 && rows[0].sandbox.fence <= f->sb.fence + 1;
    bool is_mine =
        is_near && rows[0].sandbox.attempt == f->sb.attempt && (is_saved || rows[0].sandbox.saves == f->sb.saves);
    if (is_mine && is_saved)
        drop_saved(f);
    /* It took effect, or the fence will refuse it. */
    if (is_mine && (rows[0].sandbox.saves != f->sb.saves || rows[0].sandbox.fence != f->sb.fence))
        f->is_save_in_doubt = false;
    if (!is_mine) {
        /* Another replica's, settled, a new attempt, or another replica led meanwhile and what is remembered here is
         * not what was told: the owner finds out what is to be done. */
        f->is_overtaken = n == 1;
        f->state = FLOW_OVER;
        loop_defer(&f->end_task);
        return;
    }
    if (f->is_save_in_doubt) {
        flow_wake(f); /* nothing changed: the same is sent again, so it must stay as it was */
        return;
    }
    /* An end that was refused is no end: what it wrote goes, what was observed stays. */
    if (f->state == FLOW_ENDING && f->outbox_n > 0 && f->outbox[f->outbox_n - 1].kind == JOURNAL_DONE) {
        f->outbox_n--;
        f->has_ended = f->had_ended;
    }
    take_row(f, &rows[0]);
    flow_wake(f);
}

static void read_row(struct flow *f)
{
    if (f->load != NULL || f->save != NULL)
        return; /* their end wakes the flow */
    if (loop_now_ms(f->ports.loop) < f->load_at_ms) {
        flow_look_at(f, f->load_at_ms);
        return;
    }
    const struct port_store *store = f->ports.store;
    f->load = store->flow_load(store->self, f->sb.project_id, f->ports.settings->call_timeout_ms, on_loaded, f);
}

void flow_reload(struct flow *f)
{
    op_cancel(f->load); /* it may have read the row as it was before */
    f->load = NULL;
    f->must_load = true;
    flow_wake(f);
}

/* ---- life ---- */

/* Was what this wish asks for begun by a process that is gone? Its row may be read for a request as well as claimed. */
static bool was_begun(const struct flow *f)
{
    if (f->sb.desired == DESIRED_STOPPED)
        return f->steps[STEP_STOP_APP].is_entered;
    if (f->sb.desired != DESIRED_RUNNING || f->has_ended)
        return sandbox_is_repair(&f->sb) && !f->is_repair_new;
    bool is_told = false;
    for (size_t i = 0; i < STAGE_N; i++)
        is_told = is_told || f->stages[i].status != STAGE_STATUS_PENDING;
    return is_told;
}

struct flow *flow_new(const struct flow_ports *ports, const struct flow_row *row, bool is_resumed)
{
    struct flow *f = xcalloc(1, sizeof(*f));
    f->ports = *ports;
    f->sb = row->sandbox;
    for (const char *c = f->sb.project_id; *c != '\0'; c++)
        f->chance = f->chance * 31 + (unsigned char)*c; /* jitter differs between flows and repeats in simulations */
    loop_timer_init(&f->timer, ports->loop, on_timer, f);
    loop_task_init(&f->end_task, ports->loop, on_end_task, f);
    for (size_t i = 0; i < STEP_N; i++) {
        f->steps[i].flow = f;
        f->steps[i].id = (enum step_id)i;
    }
    if (row->credentials != NULL) {
        f->credentials = *row->credentials;
        f->credentials.password = secret_dup(&row->credentials->password);
        f->has_credentials = true;
    }
    f->known_at_ms = loop_now_ms(ports->loop);
    f->save_backoff = (struct backoff){.first_ms = SAVE_FIRST_MS, .cap_ms = SAVE_CAP_MS};
    f->is_repair_new = sandbox_is_repair(&f->sb);
    flow_clocks_read(f, row->steps_json);
    if (f->is_repair_new)
        ports->cluster->forget(ports->cluster->self, str_from(f->sb.project_id));
    is_resumed = is_resumed || was_begun(f);
    if (is_resumed) {
        f->taken_ms = loop_now_ms(ports->loop);
        f->settling_until_ms = f->taken_ms + ports->settings->deadlines_ms[DEADLINE_APPLY];
    }
    /* A creation that did not end and is to be undone here was led by a process that is gone, or by nobody. */
    bool is_led = f->sb.desired != DESIRED_RUNNING && !f->has_ended && f->sb.queued_ms == 0;
    bool is_inherited = is_resumed || is_led;
    ms_t longest_ms = ports->settings->call_timeout_ms + ports->settings->late_ms;
    /* What is undone here may have been made by another replica and not be seen yet: the API itself is asked once. */
    bool is_undo = direction_of(f->sb.desired) == flow_undo;
    ms_t until_ms = loop_now_ms(ports->loop) + (is_inherited ? longest_ms : 0);
    for (size_t i = 0; i < STEP_N && (is_inherited || is_undo); i++) {
        if (f->steps[i].uncertain_until_ms < until_ms)
            f->steps[i].uncertain_until_ms = until_ms;
    }
    return f;
}

void flow_free(struct flow *f)
{
    if (f == NULL)
        return;
    flow_ops_cancel(f, true);
    op_cancel(f->save);
    op_cancel(f->load);
    loop_timer_clear(&f->timer);
    loop_task_clear(&f->end_task);
    db_credentials_fini(&f->credentials);
    free(f->saving_steps);
    free(f);
}

void flow_hold(struct flow *f)
{
    flow_ops_doubt(f);
    flow_ops_cancel(f, true);
}

bool flow_has_settled(const struct flow *f)
{
    return f->has_settled;
}

bool flow_is_overtaken(const struct flow *f)
{
    return f->is_overtaken;
}

bool flow_is_left(const struct flow *f)
{
    return f->is_left;
}

const struct sandbox *flow_sandbox(const struct flow *f)
{
    return &f->sb;
}
