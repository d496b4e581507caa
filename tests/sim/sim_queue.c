// SPDX-License-Identifier: MIT
/* The simulated store's queue of creations: as store/migrations/0012_queue.sql has it, of one user. */
#include "tests/sim/sim_store_private.h"

/* A look may go unanswered for 5 s, and a renewal of the lease before it. */
enum { LOOKS_WITHIN_MS = 12000 };

bool sim_queue_waits(const struct row *row)
{
    return row->exists && row->has_sandbox && row->lease_owner == 0 && sandbox_waits(&row->sb);
}

static bool is_under_way(const struct row *row)
{
    bool is_repair = row->sb.drift_ms > 0;
    return row->exists && row->has_sandbox && !row->sb.is_settled && row->sb.desired == DESIRED_RUNNING && !is_repair &&
           !sim_queue_waits(row);
}

static unsigned count(const struct sim_store *st, bool (*is)(const struct row *row), const struct row *but)
{
    unsigned n = 0;
    for (size_t i = 0; i < st->rows_n; i++)
        n += &st->rows[i] != but && is(&st->rows[i]);
    return n;
}

bool sim_queue_is_needed(const struct sim_store *st, const struct row *row)
{
    return st->slots_n > 0 && (count(st, sim_queue_waits, row) > 0 || count(st, is_under_way, row) >= st->slots_n);
}

static void tell(struct call *call, const struct row *row, enum journal_kind kind)
{
    const struct sandbox *sb = &row->sb;
    struct journal_event e = {.kind = kind, .status = sb->status, .attempt = sb->attempt, .duration_ms = -1};
    e.position = kind == JOURNAL_QUEUED ? sb->queue_position : 0;
    memcpy(e.owner_id, sb->owner_id, sizeof(e.owner_id));
    memcpy(e.project_id, sb->project_id, sizeof(e.project_id));
    (void)sim_store_append(call, &e);
}

void sim_queue_put(struct call *call, struct row *row)
{
    row->sb.queued_ms = sim_store_now(call->store);
    row->sb.queue_position = count(call->store, sim_queue_waits, row) + 1;
    row->lease_owner = 0;
    tell(call, row, JOURNAL_QUEUED);
}

bool sim_queue_leave(struct call *call, struct row *row)
{
    struct sandbox *sb = &row->sb;
    bool is_new = sim_queue_waits(row) && sb->created_ms == sb->attempt_started_ms;
    bool is_delete = call->desired == DESIRED_DELETED || call->desired == DESIRED_DETACHED;
    if (!is_new || call->desired < DESIRED_TERMINATED || (is_delete && sb->attempt > 1))
        return false;
    sb->status = SANDBOX_TERMINATED;
    sb->desired = call->desired;
    sb->code = REASON_CANCELLED;
    sb->is_settled = true;
    sb->queued_ms = 0;
    sb->fence++;
    (void)snprintf(row->steps, sizeof(row->steps), "{\"attempt\":%u,\"ended\":true}", sb->attempt);
    tell(call, row, JOURNAL_DONE);
    struct journal_event *done = &call->store->journal[call->store->journal_n - 1];
    done->outcome = is_delete ? OUTCOME_DELETED : OUTCOME_CANCELLED;
    call->events[call->events_n - 1] = *done;
    call->sb = *sb;
    row->exists = !is_delete;
    return true;
}

static struct row *next(struct sim_store *st)
{
    struct row *first = NULL;
    for (size_t i = 0; i < st->rows_n; i++) {
        struct row *row = &st->rows[i];
        if (sim_queue_waits(row) && (first == NULL || row->sb.queued_ms < first->sb.queued_ms))
            first = row;
    }
    return first;
}

void sim_queue_admit(struct call *call)
{
    struct sim_store *st = call->store;
    struct row *row;
    while ((st->slots_n == 0 || count(st, is_under_way, NULL) < st->slots_n) && (row = next(st)) != NULL) {
        row->lease_owner = call->replica;
        row->sb.fence++;
        row->sb.queued_ms = 0;
        row->sb.queue_position = 0;
        tell(call, row, JOURNAL_STATUS);
        sim_store_give(call, row);
    }
    call->waiting_n = count(st, sim_queue_waits, NULL);
}

/* A replica with a lease that is awake and reaches the store. */
static void note_health(struct sim_store *st, size_t i)
{
    const struct sim *s = st->sim;
    struct node *node = &st->nodes[i];
    ms_t now_ms = loop_now_ms(s->loop);
    bool is_well =
        !node->is_down && now_ms >= s->asleep_until_ms[i] && sim_store_now(st) < st->alive_until_ms[node->replica];
    if (!is_well)
        node->well_since_ms = 0;
    else if (node->well_since_ms < s->asleep_until_ms[i] || node->well_since_ms == 0)
        node->well_since_ms = now_ms;
}

/* For how long this replica could have looked at the queue and has not asked to. */
static ms_t unlooked_ms(const struct sim_store *st, size_t i)
{
    const struct node *node = &st->nodes[i];
    ms_t from_ms = node->well_since_ms > st->idle_since_ms ? node->well_since_ms : st->idle_since_ms;
    from_ms = node->looked_ms > from_ms ? node->looked_ms : from_ms;
    return node->well_since_ms > 0 && st->idle_since_ms > 0 ? loop_now_ms(st->sim->loop) - from_ms : 0;
}

void sim_queue_check(struct sim_store *st)
{
    unsigned under_way_n = count(st, is_under_way, NULL);
    bool is_idle = count(st, sim_queue_waits, NULL) > 0 && under_way_n < st->slots_n;
    if (st->slots_n > 0 && under_way_n > st->slots_n)
        sim_violated(st->sim, "%u creations are under way where %u may be", under_way_n, st->slots_n);
    if (!is_idle)
        st->idle_since_ms = 0;
    else if (st->idle_since_ms == 0)
        st->idle_since_ms = loop_now_ms(st->sim->loop);
    for (size_t i = 0; i < SIM_NODES_N; i++) {
        note_health(st, i);
        if (unlooked_ms(st, i) > LOOKS_WITHIN_MS && st->sim->clock_ahead_at_ms == 0)
            sim_violated(st->sim, "somebody waits beside a free slot, and node %zu has not looked for %lld ms", i,
                         (long long)unlooked_ms(st, i));
    }
}

void sim_store_set_slots(struct sim_store *st, unsigned slots_n)
{
    st->slots_n = slots_n;
}

ms_t sim_store_idle_ms(const struct sim_store *st)
{
    ms_t longest_ms = 0;
    for (size_t i = 0; i < SIM_NODES_N; i++) {
        ms_t since_ms = st->nodes[i].well_since_ms;
        ms_t from_ms = since_ms > st->idle_since_ms ? since_ms : st->idle_since_ms;
        ms_t idle_ms = since_ms > 0 && st->idle_since_ms > 0 ? loop_now_ms(st->sim->loop) - from_ms : 0;
        longest_ms = idle_ms > longest_ms ? idle_ms : longest_ms;
    }
    return longest_ms;
}
