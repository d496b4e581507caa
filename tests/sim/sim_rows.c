// SPDX-License-Identifier: MIT
/* What the simulated store's transactions do: rows, leases, fences and a gapless journal in memory. */
#include "tests/sim/sim_store_private.h"

enum { TOLD_WITHIN_MS = 6000, EVENTS_PER_ATTEMPT = 400 };

ms_t sim_store_now(const struct sim_store *st)
{
    return loop_now_ms(st->sim->loop) + st->clock_ahead_ms;
}

struct row *sim_store_row_of(struct sim_store *st, const char *project_id)
{
    for (size_t i = 0; i < st->rows_n; i++) {
        if (st->rows[i].exists && strcmp(st->rows[i].sb.project_id, project_id) == 0)
            return &st->rows[i];
    }
    return NULL;
}

static bool is_alive(const struct sim_store *st, int replica)
{
    return replica > 0 && sim_store_now(st) < st->alive_until_ms[replica];
}

struct journal_event *sim_store_append(struct call *call, const struct journal_event *e)
{
    struct sim_store *st = call->store;
    if (st->journal_n == SIM_JOURNAL_N) {
        sim_violated(st->sim, "the journal grows without end");
        return NULL;
    }
    st->written_ms[st->journal_n] = loop_now_ms(st->sim->loop);
    struct journal_event *kept = &st->journal[st->journal_n++];
    *kept = *e;
    kept->seq = st->journal_n;
    call->events[call->events_n++] = *kept;
    return kept;
}

/* ---- commits ---- */

/* A new sandbox gets the names drawn for it, a retry keeps its own; the database keeps its name in both. */
static void start_attempt(const struct call *call, struct row *row, bool is_live)
{
    struct sandbox *sb = &row->sb;
    struct sandbox kept = *sb;
    if (!is_live) {
        *sb = call->names;
        memcpy(sb->project_id, kept.project_id, sizeof(sb->project_id));
        memcpy(sb->owner_id, kept.owner_id, sizeof(sb->owner_id));
        if (row->has_database)
            memcpy(sb->database_name, kept.database_name, sizeof(sb->database_name));
        sb->fence = kept.fence;
        sb->saves = kept.saves;
        sb->attempt = kept.attempt;
        sb->created_ms = call->now_ms;
    }
    memcpy(sb->restart_time, call->names.restart_time, sizeof(sb->restart_time));
    sb->attempt++;
    sb->drift_ms = 0;
    sb->attempt_started_ms = call->now_ms;
    row->has_sandbox = true;
    row->has_database = true;
}

/* As fs_request_verdict says it; FS002 is an error. */
static enum request_result verdict(struct call *call, const struct row *row)
{
    const struct sandbox *sb = &row->sb;
    bool wants_less = call->desired == DESIRED_TERMINATED || call->desired == DESIRED_STOPPED;
    bool is_so = (sb->status == SANDBOX_RUNNING && call->desired == DESIRED_RUNNING) ||
                 (sb->status == SANDBOX_STOPPED && call->desired == DESIRED_STOPPED) ||
                 (sb->status == SANDBOX_TERMINATED && call->desired == DESIRED_TERMINATED);
    if (!row->has_sandbox)
        return wants_less ? REQUEST_NOTHING : REQUEST_STARTED;
    if (!sb->is_settled && sb->desired == call->desired)
        return REQUEST_IN_PROGRESS;
    if (!sb->is_settled && sb->desired >= DESIRED_DELETED)
        return REQUEST_REFUSED;
    if (!sb->is_settled && sb->desired == DESIRED_TERMINATED && call->desired < DESIRED_TERMINATED) {
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "being terminated");
        return REQUEST_REFUSED;
    }
    if (sb->is_settled && !call->is_again && is_so)
        return REQUEST_ALREADY;
    return call->states != 0 && (call->states >> sb->status & 1) == 0 ? REQUEST_REFUSED : REQUEST_STARTED;
}

static enum sandbox_status status_towards(const struct call *call, const struct sandbox *sb, bool is_live)
{
    if (call->desired == DESIRED_STOPPED)
        return SANDBOX_STOPPING;
    if (call->desired != DESIRED_RUNNING)
        return SANDBOX_TERMINATING;
    bool is_new = !is_live || sb->status == SANDBOX_CREATING || sb->status == SANDBOX_ERROR;
    return is_new ? SANDBOX_CREATING : SANDBOX_STARTING;
}

static void commit_request(struct call *call)
{
    struct sim_store *st = call->store;
    struct row *row = sim_store_row_of(st, call->project_id);
    if (row == NULL) {
        (void)err_set(&call->err, ERR_MISSING, __func__, "Project not found");
        return;
    }
    struct sandbox *sb = &row->sb;
    bool wants_running = call->desired == DESIRED_RUNNING;
    bool is_live = row->has_sandbox && sb->status != SANDBOX_TERMINATED;
    call->result = verdict(call, row);
    if (call->result != REQUEST_STARTED || call->err.kind != ERR_NONE || sim_queue_leave(call, row))
        return;
    bool must_wait = wants_running && sim_queue_is_needed(st, row);
    if (must_wait && row->has_sandbox && !sb->is_settled) {
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "being stopped");
        return;
    }
    struct journal_event e = {.kind = JOURNAL_STATUS, .duration_ms = -1};
    memcpy(e.owner_id, sb->owner_id, sizeof(e.owner_id));
    memcpy(e.project_id, sb->project_id, sizeof(e.project_id));
    if (!wants_running && !row->has_sandbox) {
        /* Nothing was ever made: the project goes at once. */
        e.kind = JOURNAL_DONE;
        e.outcome = OUTCOME_DELETED;
        (void)sim_store_append(call, &e);
        call->sb = *sb;
        row->exists = false;
        return;
    }
    enum sandbox_status status = status_towards(call, sb, is_live);
    if (wants_running)
        start_attempt(call, row, is_live);
    bool never_began = sim_queue_waits(row) && !wants_running;
    sb->status = status;
    sb->code = REASON_NONE; /* what held the former wish up says nothing of this one */
    sb->message[0] = '\0';
    sb->desired = call->desired;
    sb->queued_ms = never_began ? sb->queued_ms : 0;
    sb->is_settled = false;
    sb->fence++;
    sb->updated_ms = sim_store_now(st);
    if (!is_alive(st, row->lease_owner))
        row->lease_owner = call->replica;
    e.status = sb->status;
    e.attempt = sb->attempt;
    (void)sim_store_append(call, &e);
    if (must_wait)
        sim_queue_put(call, row);
    call->sb = *sb;
}

/* What is told READY is, or was a moment ago; and where nothing goes wrong it is told soon. */
static void check_ready(const struct sim_store *st, size_t node, const char *project_id)
{
    struct sim *s = st->sim;
    ms_t now_ms = loop_now_ms(s->loop);
    ms_t since_ms = sim_cluster_ready_since(s->cluster, node, project_id);
    ms_t from_ms = since_ms > s->wished_at_ms ? since_ms : s->wished_at_ms;
    if (since_ms == 0)
        sim_violated(s, "%s is told READY and is not", project_id);
    if (s->wished_at_ms > 0 && now_ms - from_ms > TOLD_WITHIN_MS)
        sim_violated(s, "%s is told READY %lld ms late", project_id, (long long)(now_ms - from_ms));
}

/* What a flow tells of the status is of the row as it is, and what the row says was told. */
static void check_status_told(const struct sim_store *st, const struct row *row)
{
    const struct sandbox *sb = &row->sb;
    const struct journal_event *told = NULL;
    unsigned events_n = 0; /* beyond so many an attempt's words are not told */
    for (size_t i = 0; i < st->journal_n; i++) {
        const struct journal_event *e = &st->journal[i];
        if (strcmp(e->project_id, sb->project_id) != 0 || e->kind == JOURNAL_QUEUED)
            continue;
        told = e->kind == JOURNAL_STAGE ? told : e;
        events_n += e->attempt == sb->attempt;
    }
    bool is_status = told != NULL && told->kind == JOURNAL_STATUS;
    if (is_status && told->status != sb->status)
        sim_violated(st->sim, "%s is %s, and its stream told %s last", sb->project_id, sandbox_status_row(sb->status),
                     sandbox_status_row(told->status));
    if (is_status && told->code != sb->code && events_n < EVENTS_PER_ATTEMPT)
        sim_violated(st->sim, "%s says %s, and its stream %s", sb->project_id, reason_id(sb->code),
                     reason_id(told->code));
}

static void commit_save(struct call *call)
{
    struct sim_store *st = call->store;
    struct row *row = sim_store_row_of(st, call->project_id);
    const struct sandbox *sb = &call->save_sb;
    bool is_mine = row != NULL && row->lease_owner == call->replica && is_alive(st, call->replica) &&
                   row->sb.fence == sb->fence && row->sb.saves == sb->saves && row->sb.attempt == sb->attempt &&
                   !row->sb.is_settled;
    if (!is_mine) {
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "fenced");
        text_fit(call->err.reason, sizeof(call->err.reason), STR("Fenced"));
        return;
    }
    size_t node = (size_t)(call->node - st->nodes);
    sim_cluster_hear_leader(st->sim->cluster, node, &row->told);
    for (size_t i = 0; i < call->save.n_events; i++) {
        (void)sim_store_append(call, &call->save.events[i]);
        if (call->save.events[i].kind == JOURNAL_STAGE)
            sim_cluster_hear_stage(st->sim->cluster, node, &call->save.events[i], &row->told);
        if (call->save.events[i].kind == JOURNAL_STAGE && call->save.events[i].stage_status == STAGE_STATUS_COMPLETED)
            st->sim->on_weak_moment(st->sim->on_weak_arg, node, SIM_STAGE_ENDED);
        if (call->save.events[i].kind == JOURNAL_DONE && call->save.events[i].outcome == OUTCOME_READY)
            check_ready(st, node, sb->project_id);
    }
    row->sb.status = sb->status;
    row->sb.code = sb->code;
    memcpy(row->sb.message, sb->message, sizeof(sb->message));
    row->sb.is_settled = sb->is_settled;
    row->sb.saves++;
    row->sb.updated_ms = sim_store_now(st);
    (void)!str_copy(call->save.steps_json, row->steps, sizeof(row->steps));
    check_status_told(st, row);
    if (call->save.credentials != NULL) {
        row->has_credentials = true;
        db_credentials_fini(&row->credentials);
        row->credentials = *call->save.credentials;
        row->credentials.password = secret_new(STR("p"));
    }
    if (sb->is_settled) {
        row->lease_owner = 0;
        st->sim->on_weak_moment(st->sim->on_weak_arg, node, SIM_FLOW_ENDED);
    }
    if (call->save.is_project_gone)
        row->exists = false;
}

void sim_store_give(struct call *call, struct row *row)
{
    struct flow_row *flow = &call->flows[call->flows_n++];
    flow->sandbox = row->sb;
    flow->steps_json = arena_dup_str(call->arena, str_from(row->steps));
    flow->credentials = row->has_credentials ? &row->credentials : NULL;
}

/* This replica's by the row, and not led by it. */
static bool is_lost(const struct call *call, const struct row *row)
{
    bool is_led = false;
    for (size_t i = 0; i < call->led_n; i++)
        is_led = is_led || strcmp(call->led[i], row->sb.project_id) == 0;
    return call->is_recount && row->lease_owner == call->replica && !is_led;
}

/* As SQL_RENEW: by the moment its statement began, which may be long ago. */
static void commit_renewal(struct call *call)
{
    struct sim_store *st = call->store;
    ms_t *until_ms = &st->alive_until_ms[call->replica];
    ms_t asked_ms = call->begun_ms + call->lease_ms;
    ms_t longest_ms = sim_store_now(st) + call->lease_ms;
    call->was_held = call->known_until_ms > sim_store_now(st);
    *until_ms = *until_ms > asked_ms ? *until_ms : asked_ms;
    *until_ms = *until_ms < longest_ms ? *until_ms : longest_ms;
    call->until_ms = *until_ms;
}

static void commit_release(struct call *call)
{
    struct sim_store *st = call->store;
    st->alive_until_ms[call->replica] = 0;
    for (size_t i = 0; i < st->rows_n; i++) {
        struct row *row = &st->rows[i];
        if (row->lease_owner != call->replica || row->sb.is_settled)
            continue;
        row->lease_owner = 0;
        row->sb.fence++;
        call->is_freed = true;
    }
}

/* ---- what is seen of those that nobody leads ---- */

static bool is_watched(const struct row *row)
{
    const struct sandbox *sb = &row->sb;
    return row->exists && row->has_sandbox && sb->is_settled && sb->desired == DESIRED_RUNNING &&
           (sb->status == SANDBOX_RUNNING || (sb->status == SANDBOX_ERROR && sb->drift_ms > 0));
}

static void commit_watched(struct call *call)
{
    struct sim_store *st = call->store;
    for (size_t i = 0; i < st->rows_n; i++) {
        bool is_asked = call->is_of_all;
        for (size_t k = 0; k < call->led_n; k++)
            is_asked = is_asked || strcmp(call->led[k], st->rows[i].sb.project_id) == 0;
        if (is_asked && is_watched(&st->rows[i]))
            call->watched[call->watched_n++] = st->rows[i].sb;
    }
    call->now_ms = sim_store_now(st);
}

/* Has the last flow failed, and left a stage so? */
static bool has_failed(const struct sim_store *st, const char *project_id)
{
    for (size_t i = st->journal_n; i-- > 0;) {
        if (strcmp(st->journal[i].project_id, project_id) == 0 && st->journal[i].kind == JOURNAL_DONE)
            return st->journal[i].outcome != OUTCOME_READY;
    }
    return true;
}

/* What paces it, as fs_drift_note has it: 0 if it may be told. */
static ms_t drift_wait_ms(const struct call *call, const struct row *row, unsigned *ret_n)
{
    ms_t ago_ms = sim_store_now(call->store) - row->drift_at_ms;
    *ret_n = row->drift_at_ms > 0 && ago_ms < call->note.calm_ms ? row->drift_n : 0;
    ms_t pace_ms = call->note.pace_ms << (*ret_n > 0 ? *ret_n - 1 : 0);
    pace_ms = pace_ms < call->note.pace_cap_ms ? pace_ms : call->note.pace_cap_ms;
    return *ret_n > 0 && pace_ms > ago_ms ? pace_ms - ago_ms : 0;
}

static void tell_drift(struct call *call, struct row *row, unsigned n, bool is_lead, bool is_end)
{
    struct sandbox *sb = &row->sb;
    if (!is_end) {
        row->drift_n = n + 1;
        row->drift_at_ms = sim_store_now(call->store);
        sb->drift_ms = loop_wall_ms(call->store->sim->loop);
    }
    row->told = (struct sim_told){0}; /* what was completed is so no more, or is seen to be so again */
    sb->status = is_end ? SANDBOX_RUNNING : SANDBOX_ERROR;
    sb->code = call->note.code;
    memcpy(sb->message, call->message, sizeof(sb->message));
    sb->fence++;
    sb->updated_ms = sim_store_now(call->store);
    sb->is_settled = !is_lead;
    row->lease_owner = is_lead ? call->replica : 0;
    struct journal_event e = {.kind = is_end ? JOURNAL_DONE : JOURNAL_STATUS,
                              .status = sb->status,
                              .outcome = is_end ? OUTCOME_READY : OUTCOME_NONE,
                              .code = call->note.code,
                              .attempt = sb->attempt,
                              .duration_ms = -1};
    memcpy(e.owner_id, sb->owner_id, sizeof(e.owner_id));
    memcpy(e.project_id, sb->project_id, sizeof(e.project_id));
    memcpy(e.message, call->message, sizeof(e.message));
    (void)sim_store_append(call, &e);
}

static void commit_note(struct call *call)
{
    struct sim_store *st = call->store;
    struct row *row = sim_store_row_of(st, call->project_id);
    const struct drift_note *note = &call->note;
    unsigned n;
    call->drift_result = DRIFT_OTHER;
    bool is_healed = note->wish == DRIFT_HEALED;
    bool is_as_known = row != NULL && is_watched(row) && row->sb.attempt == note->attempt &&
                       row->sb.fence == note->fence && is_alive(st, call->replica) &&
                       !(is_healed && row->sb.status == SANDBOX_RUNNING);
    if (is_as_known) {
        bool is_lead = note->wish == DRIFT_REPAIR || (is_healed && has_failed(st, call->project_id));
        bool is_end = is_healed && !is_lead;
        call->wait_ms = drift_wait_ms(call, row, &n);
        call->drift_result = call->wait_ms > 0 && !is_end ? DRIFT_LATER : DRIFT_TOLD;
        if (call->drift_result == DRIFT_TOLD)
            tell_drift(call, row, n, is_lead, is_end);
    }
    if (row != NULL && (is_watched(row) || call->drift_result == DRIFT_TOLD))
        call->watched[call->watched_n++] = row->sb;
}

void sim_store_commit(struct call *call)
{
    struct sim_store *st = call->store;
    call->has_committed = true;
    switch (call->verb) {
    case RENEW:
        commit_renewal(call);
        break;
    case RELEASE:
        commit_release(call);
        break;
    case CLAIM:
        for (size_t i = 0; i < st->rows_n; i++) {
            struct row *row = &st->rows[i];
            bool is_free = !sim_queue_waits(row) && (!is_alive(st, row->lease_owner) || is_lost(call, row));
            if (!row->exists || !row->has_sandbox || row->sb.is_settled || !is_free)
                continue;
            row->lease_owner = call->replica;
            row->sb.fence++;
            sim_store_give(call, row);
        }
        break;
    case LOAD: {
        struct row *row = sim_store_row_of(st, call->project_id);
        if (row != NULL && row->has_sandbox && !row->sb.is_settled && row->lease_owner == call->replica)
            sim_store_give(call, row);
        break;
    }
    case SAVE:
        commit_save(call);
        break;
    case REQUEST:
        commit_request(call);
        break;
    case JOURNAL:
        for (size_t i = call->query.after; i < st->journal_n && call->events_n < call->query.limit; i++) {
            if (call->query.project_id == NULL || strcmp(st->journal[i].project_id, call->project_id) == 0)
                call->events[call->events_n++] = st->journal[i];
        }
        call->last_seq = st->journal_n;
        break;
    case WATCHED:
        commit_watched(call);
        break;
    case NOTE:
        commit_note(call);
        break;
    case ADMIT:
        sim_queue_admit(call);
        break;
    case ENV:
    case LOGIN:
    case WORD:
    case USUAL:
        break;
    }
    sim_queue_check(st);
}
