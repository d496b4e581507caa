// SPDX-License-Identifier: MIT
/* Drift: somebody deletes what belongs to a sandbox that runs, and watches stand still without anybody knowing. What
 * was told of it has to be true, and in the end it is made good or told. */
#include "tests/sim/sim_cluster_private.h"

enum { DELETE_ONE_IN = 400, BLIND_ONE_IN = 300, BLIND_MAX_MS = 8000, CLAIM_ONE_IN = 8, UNTOLD_MS = 3000 };

/* What is deleted next at this place; with a StatefulSet now and then its volume. */
static enum cluster_object draw_prey(struct sim *s, const struct place *p)
{
    static const enum cluster_object prey[] = {OBJECT_WORKLOAD, OBJECT_WORKLOAD,      OBJECT_SERVICE,
                                               OBJECT_SERVICE,  OBJECT_INGRESS_APP,   OBJECT_INGRESS_TTY,
                                               OBJECT_DATABASE, OBJECT_NETWORK_POLICY};
    const size_t prey_n = sizeof(prey) / sizeof(*prey);
    size_t draw = sim_below(s, prey_n * CLAIM_ONE_IN);
    bool is_claim = p->kinds.workload == WORKLOAD_STATEFULSET && draw < prey_n;
    return is_claim ? OBJECT_CLAIM : prey[draw % prey_n];
}

/* Is something being made that its workload will own, and that nobody sees? */
static bool is_making_unseen(const struct sim_cluster *c, const struct place *p)
{
    const struct call *call;
    LIST_FOREACH(call, &c->calls, link)
    {
        bool is_owned = call->object > OBJECT_WORKLOAD && !sim_cluster_shows(c, call->object);
        if (call->place == p && call->verb == CALL_APPLY && is_owned && !call->is_answered)
            return true;
    }
    return false;
}

void sim_vandalize(struct sim_cluster *c)
{
    struct sim *s = c->sim;
    if (!s->has_faults)
        return;
    for (size_t i = 0; i < SIM_NODES_N; i++) {
        if (sim_below(s, BLIND_ONE_IN) == 0)
            sim_cluster_blind(c, i, sim_between(s, 100, BLIND_MAX_MS));
    }
    for (size_t i = 0; i < c->places_n; i++) {
        struct place *p = &c->places[i];
        const struct sandbox *sb = sim_store_row(s->store, p->project_id);
        bool is_wished = sb != NULL && sb->desired == DESIRED_RUNNING;
        bool is_running = is_wished && (sb->status == SANDBOX_RUNNING || sb->drift_ms > 0);
        enum cluster_object object = draw_prey(s, p);
        bool is_untold =
            is_wished && !sb->is_settled && p->ready_since_ms > 0 && sim_now(c) > p->ready_since_ms + UNTOLD_MS;
        bool is_weak = object == OBJECT_WORKLOAD && (is_untold || is_making_unseen(c, p));
        unsigned chances = is_running ? 10 : is_weak ? 100 : 2;
        bool is_due = sim_below(s, DELETE_ONE_IN) < chances;
        /* A creation whose workload goes begins with it again; a database that goes takes the creation with it. */
        bool is_prey = is_running || (is_wished && object == OBJECT_WORKLOAD);
        /* What is not watched nobody finds to be gone: how that ends is no promise. */
        if (!is_prey || !is_due || !sim_cluster_shows(c, object) || !p->things[object].exists ||
            p->things[object].gone_at_ms > 0)
            continue;
        p->was_vandalized = true;
        if (object == OBJECT_DATABASE)
            p->lost_attempt = sb->attempt;
        sim_remove_thing(c, p, object);
    }
}

/* A volume that is being deleted goes with the pod that uses it. */
static bool is_volume_going(const struct sim_cluster *c, const char *project_id)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return sim_presence_of(&c->places[i].things[OBJECT_CLAIM]) == PRESENCE_DELETING;
    }
    return false;
}

static bool is_whole(const struct sim_cluster *c, const struct sandbox *sb)
{
    for (enum cluster_object i = OBJECT_DATABASE; i < OBJECT_N; i++) {
        bool is_needed = sim_cluster_shows(c, i) && sandbox_has_object(sb, i);
        bool is_going = i == OBJECT_CLAIM && is_volume_going(c, sb->project_id);
        if (is_needed && !is_going && !sim_cluster_exists(c, sb->project_id, i))
            return false;
    }
    return sim_cluster_runs(c, sb->project_id, OBJECT_DATABASE) && sim_cluster_runs(c, sb->project_id, OBJECT_WORKLOAD);
}

bool sim_drift_is_over(const struct sim_cluster *c, const struct sandbox *sb, bool is_repairing)
{
    if (sb == NULL || sb->desired != DESIRED_RUNNING)
        return true;
    bool is_going = is_volume_going(c, sb->project_id);
    if (sb->status == SANDBOX_RUNNING)
        return is_whole(c, sb) && !is_going;
    bool is_drifted = sb->status == SANDBOX_ERROR && sb->drift_ms > 0;
    bool is_lost = !sim_cluster_exists(c, sb->project_id, OBJECT_DATABASE);
    if (!is_drifted || is_lost || (!is_repairing && !is_whole(c, sb)))
        return true;
    /* It is for a person to decide: that is said, and nothing else waits for it. */
    return is_going && is_whole(c, sb) && strstr(sb->message, "volume is being deleted") != NULL;
}

/* A pod of a fate that is not good may be what was told. */
void sim_drift_check(struct sim *s, const struct sim_cluster *c, const char *project_id, bool is_repairing)
{
    const struct sandbox *sb = sim_store_row(s->store, project_id);
    size_t n;
    const struct journal_event *journal = sim_store_journal(s->store, &n);
    /* How old a row is that is read at start, its clock says: set forward, it makes watches seem newer than the row. */
    bool is_tame = !sim_cluster_was_vandalized(c, project_id) && s->clock_ahead_at_ms == 0;
    for (size_t i = 0; i < n; i++) {
        bool is_drift = journal[i].kind == JOURNAL_STATUS && journal[i].status == SANDBOX_ERROR &&
                        strcmp(journal[i].project_id, project_id) == 0;
        if (is_drift && is_tame)
            sim_violated(s, "%s was told to have drifted, and nobody had touched it: %s", project_id,
                         journal[i].message);
    }
    if (sb != NULL && sb->is_settled && !sim_drift_is_over(c, sb, is_repairing))
        sim_violated(s, "%s is %s (%s) to the end, %s", project_id, sandbox_status_row(sb->status), sb->message,
                     is_whole(c, sb) ? "and it is whole" : "and something of it is missing");
}
