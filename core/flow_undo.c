// SPDX-License-Identifier: MIT
/* Undoing: the plan's rows from the end, each once nothing that needs it is left. It goes on for ever, and says what
 * holds it up. */
#include "core/base/fit.h"
#include "core/checks.h"
#include "core/flow_ops.h"
#include "core/flow_private.h"

enum {
    UNDO_TELL_TRIES = 3,      /* a call that fails once or twice is no news */
    UNDO_PATIENCE_MS = 30000, /* what is being deleted longer than that is held back by somebody */
};

static bool is_in_scope(const struct flow *f, const struct step *s)
{
    return s->object != OBJECT_N && sandbox_has_object(&f->sb, s->object) &&
           (s->scope == SCOPE_SANDBOX || f->sb.desired == DESIRED_DELETED);
}

/* A call for it was given up: the cache may be older than what that call did, only a removal's own answer counts. */
static bool is_in_doubt(const struct step_run *run)
{
    return run->uncertain_until_ms > 0;
}

/* Is nothing of this row left, as far as can be known? */
static bool is_gone(struct flow *f, const struct step *s, const struct step_run *run)
{
    if (!is_in_scope(f, s))
        return true;
    if (run->op != NULL)
        return false;
    if (loop_now_ms(f->ports.loop) < run->uncertain_until_ms) {
        flow_look_at(f, run->uncertain_until_ms);
        return false;
    }
    enum presence presence = f->seen.objects[s->object];
    if (presence == PRESENCE_FOREIGN)
        return true;
    if (presence == PRESENCE_UNKNOWN || is_in_doubt(run))
        return run->is_undone && presence != PRESENCE_PRESENT && presence != PRESENCE_DELETING;
    return f->seen.is_synced && presence == PRESENCE_ABSENT;
}

static void maybe_undo(struct flow *f, struct step_run *run)
{
    enum presence presence = f->seen.objects[PLAN[run->id].object];
    bool is_unsure = presence == PRESENCE_UNKNOWN || (presence == PRESENCE_ABSENT && is_in_doubt(run));
    bool is_there = presence == PRESENCE_PRESENT || (is_unsure && !run->is_undone);
    if (run->op != NULL || !is_there)
        return;
    if (loop_now_ms(f->ports.loop) < run->retry_at_ms)
        flow_look_at(f, run->retry_at_ms);
    else if (f->ports.listener.may_act(f->ports.listener.arg))
        start_undo(f, run->id);
}

/* What is in the way of undoing this row, if it is worth telling. */
static void hear_undo(struct flow *f, struct step_run *run, struct verdict *ret)
{
    const struct step *s = &PLAN[run->id];
    bool is_going = f->seen.objects[s->object] == PRESENCE_DELETING;
    bool has_failed = run->error_code == REASON_FORBIDDEN || run->backoff.tries >= UNDO_TELL_TRIES;
    if (is_going && !run->is_going)
        run->going_since_ms = loop_now_ms(f->ports.loop);
    run->is_going = is_going;
    if (is_going && loop_now_ms(f->ports.loop) < run->going_since_ms + UNDO_PATIENCE_MS) {
        flow_look_at(f, run->going_since_ms + UNDO_PATIENCE_MS);
    } else if (is_going) {
        ret->code = REASON_FINALIZER;
        text_fitf(ret->message, sizeof(ret->message), "the %s of %s is still being deleted: a finalizer holds it back",
                  sandbox_object_kind(&f->sb, s->object),
                  s->scope == SCOPE_DATABASE ? f->sb.database_name : f->sb.name);
    } else if (run->error_code != REASON_NONE && has_failed) {
        ret->code = run->error_code;
        text_fitf(ret->message, sizeof(ret->message), "%s; trying again", run->error_message);
    }
}

static void finish_undo(struct flow *f)
{
    bool is_delete = f->sb.desired == DESIRED_DELETED || f->sb.desired == DESIRED_DETACHED;
    bool is_cancel = !f->has_ended && !is_delete;
    flow_end_open_stages(f, REASON_CANCELLED, "cancelled");
    f->sb.status = SANDBOX_TERMINATED;
    f->is_project_gone = is_delete;
    f->ports.cluster->forget(f->ports.cluster->self, str_from(f->sb.project_id));
    if (is_delete)
        flow_journal_done(f, OUTCOME_DELETED, REASON_NONE,
                          f->sb.desired == DESIRED_DELETED ? "the project is deleted"
                                                           : "the project is deleted, its database is kept");
    else
        flow_journal_done(f, is_cancel ? OUTCOME_CANCELLED : OUTCOME_TERMINATED,
                          is_cancel ? REASON_CANCELLED : REASON_NONE,
                          is_cancel ? "the creation was cancelled, the database is kept"
                                    : "the sandbox is terminated, the database is kept");
}

static bool is_undone_after(size_t i, size_t j)
{
    return (PLAN[j].needs & BIT(i)) != 0 || (PLAN[i].undone_after & BIT(j)) != 0;
}

void flow_undo(struct flow *f)
{
    flow_ops_cancel(f, false);
    struct verdict hindrance = {.code = REASON_NONE};
    if (f->seen.is_cluster_unknown) { /* only another configuration, so another process, can go on */
        checks_unreachable(&f->sb, &f->seen, &hindrance.code, hindrance.message);
        flow_journal_status(f, hindrance.code, hindrance.message);
        return;
    }
    uint64_t gone = 0;
    for (size_t i = STEP_CREATE_N; i-- > 0;) {
        bool is_needed = false;
        for (size_t j = i + 1; j < STEP_CREATE_N && !is_needed; j++)
            is_needed = is_undone_after(i, j) && (gone & BIT(j)) == 0;
        if (is_needed)
            continue;
        struct step_run *run = &f->steps[i];
        if (is_gone(f, &PLAN[i], run)) {
            gone |= BIT(i);
            continue;
        }
        maybe_undo(f, run);
        if (hindrance.code == REASON_NONE)
            hear_undo(f, run, &hindrance);
    }
    if (gone == BIT(STEP_CREATE_N) - 1)
        finish_undo(f);
    else
        flow_journal_status(f, hindrance.code, hindrance.message);
}
