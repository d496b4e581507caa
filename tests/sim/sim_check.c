// SPDX-License-Identifier: MIT
/* What the engine promises, looked for in the rows, the journal and the cluster's truth. */
#include <string.h>

#include "tests/sim/sim_run.h"

/* A deadline may be noticed so much later: an outage of the store and a take-over. */
enum { LATE_MS = SIM_STORE_OUTAGE_MS + 25 * 1000 };

static unsigned holds_told;

unsigned sim_check_told_n(void)
{
    return holds_told;
}

static enum reason last_told(const struct run *r, const char *project_id)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    enum reason code = REASON_NONE;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(journal[i].project_id, project_id) == 0)
            code = journal[i].kind == JOURNAL_STATUS ? journal[i].code : REASON_NONE;
    }
    return code;
}

/* An undo that cannot go on says why, in the row and to whoever reads the stream. */
void sim_check_told(struct run *r)
{
    enum reason wanted = r->hold == SIM_HOLD_DENIED ? REASON_FORBIDDEN : REASON_FINALIZER;
    for (size_t i = 0; i < SIM_PROJECTS_N; i++) {
        const char *id = r->projects[i].id;
        const struct sandbox *sb = sim_store_row(r->store, id);
        bool is_undoing = sb != NULL && !sb->is_settled && sb->status == SANDBOX_TERMINATING;
        bool is_in_scope = r->held_object > OBJECT_DATABASE || (sb != NULL && sb->desired == DESIRED_DELETED);
        if (!is_undoing || !is_in_scope || !sim_cluster_is_held(r->cluster, id))
            continue;
        holds_told++;
        if (sb->code != wanted || last_told(r, id) != wanted)
            sim_violated(&r->sim, "%s stays TERMINATING and says %s, its stream %s, and not %s", id,
                         reason_id(sb->code), reason_id(last_told(r, id)), reason_id(wanted));
    }
}

bool sim_check_readers(const struct run *r)
{
    size_t n;
    (void)sim_store_journal(r->store, &n);
    for (size_t i = 0; i < r->nodes_n; i++) {
        if (!r->nodes[i].is_process_up || r->nodes[i].seen_seq != n)
            return false;
    }
    return true;
}

/* ---- what was promised ---- */

static void check_ended(struct run *r, const char *project_id, const struct sandbox *sb)
{
    if (sb != NULL && !sb->is_settled)
        sim_violated(&r->sim, "%s attempt %u never ended (desired %s, status %s)", project_id, sb->attempt,
                     desired_id(sb->desired), sandbox_status_row(sb->status));
}

static void check_objects(struct run *r, const char *project_id, const struct sandbox *sb)
{
    bool is_running = sb != NULL && sb->status == SANDBOX_RUNNING;
    bool is_stopped = sb != NULL && sb->status == SANDBOX_STOPPED;
    bool may_have_sandbox = is_running || is_stopped || (sb != NULL && sb->status == SANDBOX_ERROR);
    for (enum cluster_object i = OBJECT_DATABASE; i <= OBJECT_WORKLOAD; i++) {
        bool runs = sim_cluster_runs(r->cluster, project_id, i);
        if ((is_running && !runs) || (is_stopped && runs))
            sim_violated(&r->sim, "%s is %s and its object %d %s", project_id, sandbox_status_row(sb->status), (int)i,
                         runs ? "runs" : "does not run");
    }
    for (size_t i = 0; i < OBJECT_N; i++) {
        bool exists = sim_cluster_exists(r->cluster, project_id, (enum cluster_object)i);
        bool is_excused = exists || sim_cluster_may_lack(r->cluster, project_id, (enum cluster_object)i);
        if (is_running && !is_excused && sandbox_has_object(sb, (enum cluster_object)i))
            sim_violated(&r->sim, "%s is RUNNING without object %zu", project_id, i);
        if (i > OBJECT_DATABASE && exists && !may_have_sandbox)
            sim_violated(&r->sim, "%s left object %zu behind", project_id, i);
    }
}

static void check_deleted(struct run *r, const char *project_id)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    bool is_deleted = false;
    for (size_t i = 0; i < n; i++) {
        bool is_end = journal[i].kind == JOURNAL_DONE && strcmp(journal[i].project_id, project_id) == 0 &&
                      journal[i].outcome == OUTCOME_DELETED;
        is_deleted = is_deleted || (is_end && strstr(journal[i].message, "kept") == NULL);
    }
    for (size_t i = 0; is_deleted && i <= OBJECT_DATABASE; i++) {
        if (sim_cluster_exists(r->cluster, project_id, (enum cluster_object)i))
            sim_violated(&r->sim, "%s was deleted and left object %zu behind", project_id, i);
    }
}

/* What ended has told so with its last row, and as the row says. */
static void check_end_told(struct run *r, const char *project_id, const struct sandbox *sb)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    const struct journal_event *last = NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(journal[i].project_id, project_id) == 0)
            last = &journal[i];
    }
    if (last == NULL)
        return;
    enum outcome outcome = last->kind == JOURNAL_DONE ? last->outcome : OUTCOME_NONE;
    static const unsigned told_by[SANDBOX_STATUS_N] = {
        [SANDBOX_RUNNING] = 1u << OUTCOME_READY,
        [SANDBOX_STOPPED] = 1u << OUTCOME_STOPPED,
        [SANDBOX_ERROR] = 1u << OUTCOME_FAILED,
        [SANDBOX_TERMINATED] = 1u << OUTCOME_TERMINATED | 1u << OUTCOME_CANCELLED,
    };
    bool is_drift = sb != NULL && sb->status == SANDBOX_ERROR && sb->drift_ms > 0 && last->kind == JOURNAL_STATUS;
    if (is_drift && last->status == SANDBOX_ERROR)
        return;
    bool is_told = ((sb == NULL ? 1u << OUTCOME_DELETED : told_by[sb->status]) >> outcome & 1) != 0;
    if (!is_told)
        sim_violated(&r->sim, "%s is %s, its last row says %s", project_id,
                     sb != NULL ? sandbox_status_row(sb->status) : "gone", outcome_id(outcome));
    if (sb != NULL && sb->status == SANDBOX_RUNNING && !sim_store_has_credentials(r->store, project_id))
        sim_violated(&r->sim, "%s is RUNNING and its credentials were not stored", project_id);
}

/* Outages are shorter than deadlines: where nothing is wrong with pod and database, none may end an attempt. */
static void check_failure(struct run *r, const struct journal_event *e)
{
    bool is_late = e->code == REASON_DEADLINE || e->code == REASON_CLUSTER_UNREACHABLE;
    if (r->sim.is_wall_set)
        return; /* deadlines are kept over restarts by the wall clock */
    if (e->outcome == OUTCOME_FAILED && is_late && sim_cluster_was_good(r->cluster, e->project_id))
        sim_violated(&r->sim, "%s attempt %u failed without a cause: %s", e->project_id, e->attempt, e->message);
}

/* A database that never comes up ends the attempt when its time is over, however often the process was restarted. */
static void check_deadline(struct run *r, const struct journal_event *end, ms_t waits_since_ms)
{
    ms_t since_ms = sim_cluster_hopeless_since(r->cluster, end->project_id);
    ms_t written_ms = sim_store_written_ms(r->store, end->seq);
    if (since_ms == 0 || r->sim.is_wall_set || waits_since_ms == 0 || end->outcome != OUTCOME_FAILED)
        return;
    ms_t from_ms = since_ms > waits_since_ms ? since_ms : waits_since_ms;
    ms_t late_ms = written_ms - from_ms - r->settings.deadlines_ms[DEADLINE_DATABASE];
    if (late_ms > LATE_MS)
        sim_violated(&r->sim, "%s attempt %u ended %lld ms after the deadline of its database", end->project_id,
                     end->attempt, (long long)late_ms);
}

static bool is_creation_end(const struct journal_event *e)
{
    return e->outcome == OUTCOME_READY || e->outcome == OUTCOME_FAILED || e->outcome == OUTCOME_CANCELLED;
}

/* An end leaves no stage in progress, and READY comes after five completed ones. */
static void check_stages_at_end(struct run *r, const struct journal_event *end, const enum stage_status *stages)
{
    for (size_t k = 0; k < STAGE_N; k++) {
        bool is_open = stages[k] == STAGE_STATUS_IN_PROGRESS;
        if (is_open || (end->outcome == OUTCOME_READY && stages[k] != STAGE_STATUS_COMPLETED))
            sim_violated(&r->sim, "%s ended %s while stage %s is %s", end->project_id, outcome_id(end->outcome),
                         stage_id((enum stage)k), stage_status_id(stages[k]));
    }
}

/* An attempt as far as its journal was read. */
struct story {
    enum stage_status stages[STAGE_N];
    unsigned attempt;
    unsigned ends_n;     /* of its creation */
    ms_t waits_since_ms; /* for the database, as was told */
    bool is_stop;
    bool is_reopened; /* it had ended and drifted: there is one more end to come */
};

static void check_end(struct run *r, struct story *s, const struct journal_event *e)
{
    /* A stop also ends a start that it broke off, and may itself fail. */
    if (s->is_stop ? s->ends_n == 0 : is_creation_end(e) && !s->is_reopened)
        s->ends_n++;
    s->is_reopened = false;
    check_failure(r, e);
    check_deadline(r, e, s->waits_since_ms);
    if (e->outcome == OUTCOME_TERMINATED && s->ends_n == 0)
        sim_violated(&r->sim, "%s attempt %u was terminated without having ended", e->project_id, s->attempt);
    if (s->ends_n > 1)
        sim_violated(&r->sim, "%s attempt %u ended twice", e->project_id, s->attempt);
    check_stages_at_end(r, e, s->stages);
}

static void check_event(struct run *r, struct story *s, const struct journal_event *e)
{
    bool is_drift = e->kind == JOURNAL_STATUS && e->status == SANDBOX_ERROR;
    if (e->attempt != s->attempt)
        *s = (struct story){.attempt = e->attempt, .is_stop = s->is_stop};
    if (e->kind == JOURNAL_STAGE) {
        bool is_undone = s->stages[e->stage] == STAGE_STATUS_COMPLETED && e->stage_status == STAGE_STATUS_IN_PROGRESS;
        if (is_undone && strcmp(e->message, "reading the database's credentials") == 0)
            sim_violated(&r->sim, "%s attempt %u: its credentials were known and are read once more", e->project_id,
                         e->attempt);
        s->stages[e->stage] = e->stage_status;
    }
    if (e->kind == JOURNAL_STAGE && s->waits_since_ms == 0 && strstr(e->message, "KubeBlocks") != NULL)
        s->waits_since_ms = sim_store_written_ms(r->store, e->seq);
    if (e->kind == JOURNAL_STATUS)
        s->is_stop = e->status == SANDBOX_STOPPING;
    s->is_reopened = s->is_reopened || is_drift;
    if (e->kind == JOURNAL_DONE)
        check_end(r, s, e);
}

/* Of each attempt: a stage is told as it goes, READY only after five completed stages, one end of a creation. */
static void check_journal(struct run *r, const char *project_id)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    struct story story = {0};
    for (size_t i = 0; i < n; i++) {
        if (strcmp(journal[i].project_id, project_id) == 0)
            check_event(r, &story, &journal[i]);
    }
}

void sim_check(struct run *r)
{
    for (size_t i = 0; i < SIM_PROJECTS_N; i++) {
        const char *id = r->projects[i].id;
        const struct sandbox *sb = sim_store_row(r->store, id);
        check_ended(r, id, sb);
        check_objects(r, id, sb);
        check_deleted(r, id);
        check_end_told(r, id, sb);
        check_journal(r, id);
        sim_drift_check(&r->sim, r->cluster, id, r->is_repairing);
    }
    if (!sim_check_readers(r))
        sim_violated(&r->sim, "a reader did not see every row");
}
