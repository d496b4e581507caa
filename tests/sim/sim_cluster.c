// SPDX-License-Identifier: MIT
/* The simulated cluster: truth that evolves by a tick, and for each process a cache that follows it late. Each project
 * has a fate that decides how its pod and database fare. */
#include "tests/sim/sim_cluster_private.h"

enum { TICK_LOW_MS = 50, TICK_HIGH_MS = 600 };

bool sim_cluster_shows(const struct sim_cluster *c, enum cluster_object object)
{
    if (object == OBJECT_NETWORK_POLICY)
        return c->are_policies_watched;
    return object == OBJECT_DATABASE || object == OBJECT_WORKLOAD || object == OBJECT_SERVICE ||
           object == OBJECT_INGRESS_APP || object == OBJECT_INGRESS_TTY || object == OBJECT_CLAIM;
}

bool sim_is_owned_by_workload(const struct place *p, enum cluster_object object)
{
    return (object == OBJECT_CLAIM && !p->is_claim_kept) || object == OBJECT_ENV_SECRET || object == OBJECT_SERVICE ||
           object == OBJECT_INGRESS_APP || object == OBJECT_INGRESS_TTY || object == OBJECT_NETWORK_POLICY;
}

ms_t sim_now(const struct sim_cluster *c)
{
    return loop_now_ms(c->sim->loop);
}

static void roll_fate(struct sim_cluster *c, struct place *p)
{
    struct sim *s = c->sim;
    p->fate = sim_percent(s, 25) ? (enum fate)(1 + sim_below(s, FATE_N - 1)) : FATE_GOOD;
    p->was_bad = p->was_bad || p->fate != FATE_GOOD;
    p->fate_at_ms = sim_now(c);
    p->schedule_ms = sim_between(s, 10, 2000);
    p->pull_ms = sim_between(s, 10, 9000);
    p->start_ms = sim_between(s, 10, 1500);
    p->ready_ms = sim_between(s, 10, 4000);
    p->endpoint_ms = sim_between(s, 0, 5000);
}

struct place *sim_place_of(struct sim_cluster *c, const struct sandbox *sb)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, sb->project_id) == 0)
            return &c->places[i];
    }
    struct place *p = &c->places[c->places_n++];
    memcpy(p->project_id, sb->project_id, sizeof(p->project_id));
    roll_fate(c, p);
    return p;
}

/* ---- truth ---- */

void sim_remove_thing(struct sim_cluster *c, struct place *p, enum cluster_object object)
{
    struct thing *t = &p->things[object];
    if (!t->exists || t->gone_at_ms > 0)
        return;
    p->worse_n++;
    t->gone_at_ms = sim_now(c) + sim_between(c->sim, 0, object == OBJECT_DATABASE ? 8000 : 1500);
    if (c->hold == SIM_HOLD_FINALIZER && object == c->held_object && t->gone_at_ms < c->hold_until_ms)
        t->gone_at_ms = c->hold_until_ms;
}

static void make_pod(struct sim_cluster *c, struct place *p, const char *restart_time)
{
    text_fit(p->restart_time, sizeof(p->restart_time), str_from(restart_time));
    p->worse_n++;
    p->pod_at_ms = sim_now(c);
    p->env_seen_at_ms = 0;
    p->kubelet_next_ms = 0;
    if (p->fate != FATE_GOOD && p->fate < FATE_DB_FAILS)
        roll_fate(c, p); /* a fresh pod may fare better */
}

void sim_apply_thing(struct sim_cluster *c, const struct call *call)
{
    struct place *p = call->place;
    struct thing *t = &p->things[call->object];
    if (t->exists && strcmp(t->name, call->name) != 0)
        sim_violated(c->sim, "%s %s made while %s still exists", p->project_id, call->name, t->name);
    if (!t->exists) {
        t->exists = true;
        t->made_at_ms = sim_now(c);
        t->gone_at_ms = 0;
        t->made_n++;
        t->version++;
        t->is_halted = false;
        memcpy(t->name, call->name, sizeof(t->name));
        if (t->made_n > t->removed_n + 1)
            sim_violated(c->sim, "%s object %d made twice", p->project_id, (int)call->object);
        if (call->object == OBJECT_DATABASE && !call->is_answered && p->lost_attempt == call->sb.attempt)
            sim_violated(c->sim, "%s: a repair made an empty database", p->project_id);
        if (call->object == OBJECT_DATABASE)
            p->db_running_at_ms = sim_now(c) + sim_between(c->sim, 50, sim_below(c->sim, 8) == 0 ? 200000 : 20000);
    }
    if (call->object != OBJECT_WORKLOAD)
        return;
    p->was_remade_unheard = p->was_remade_unheard || (call->is_answered && t->removed_n > 0);
    p->kinds = call->kinds;
    t->version++;
    t->is_halted = false;
    p->pod_gone_at_ms = 0;
    if (p->pod_at_ms == 0 || strcmp(p->restart_time, call->restart_time) != 0)
        make_pod(c, p, call->restart_time);
}

void sim_run_thing(struct sim_cluster *c, struct place *p, enum cluster_object object, bool is_running)
{
    struct thing *t = &p->things[object];
    bool is_change = t->is_halted == is_running;
    p->worse_n += is_change;
    t->version++;
    t->is_halted = !is_running;
    if (is_change && object == OBJECT_WORKLOAD && !is_running)
        p->pod_gone_at_ms = sim_now(c) + sim_between(c->sim, 1, 30000);
    if (is_change && object == OBJECT_DATABASE && !is_running)
        p->db_stopped_at_ms = sim_now(c) + sim_between(c->sim, 1, 20000);
    if (is_change && object == OBJECT_DATABASE && is_running)
        p->db_running_at_ms = sim_now(c) + sim_between(c->sim, 50, 20000);
}

/* What a StatefulSet makes before its pod. */
static void make_claim(struct sim_cluster *c, struct place *p)
{
    const struct thing *set = &p->things[OBJECT_WORKLOAD];
    struct thing *t = &p->things[OBJECT_CLAIM];
    if (t->exists || !set->exists || set->gone_at_ms > 0 || p->kinds.workload != WORKLOAD_STATEFULSET)
        return;
    *t = (struct thing){.exists = true, .made_at_ms = sim_now(c), .made_n = t->made_n + 1, .removed_n = t->removed_n};
    memcpy(t->name, set->name, sizeof(t->name));
    p->is_claim_kept = sim_percent(c->sim, 30);
}

static void evolve(struct sim_cluster *c, struct place *p)
{
    ms_t now = sim_now(c);
    for (size_t i = 0; i < OBJECT_N; i++) {
        struct thing *t = &p->things[i];
        if (t->exists && sim_is_owned_by_workload(p, (enum cluster_object)i) && !p->things[OBJECT_WORKLOAD].exists)
            sim_remove_thing(c, p, (enum cluster_object)i); /* garbage collection */
        bool is_used = i == OBJECT_CLAIM && p->things[OBJECT_WORKLOAD].exists;
        if (t->exists && t->gone_at_ms > 0 && now >= t->gone_at_ms && !is_used) {
            t->exists = false;
            t->gone_at_ms = 0;
            t->removed_n++;
            p->worse_n++;
            if (i == OBJECT_WORKLOAD) {
                p->pod_at_ms = 0;
                p->pod_gone_at_ms = 0;
                p->restart_time[0] = '\0';
            }
        }
    }
    if (p->pod_gone_at_ms > 0 && now >= p->pod_gone_at_ms) {
        p->worse_n++;
        p->pod_at_ms = 0;
        p->pod_gone_at_ms = 0;
    }
    make_claim(c, p);
    bool is_pulled = p->pod_at_ms > 0 && now >= p->pod_at_ms + p->schedule_ms + p->pull_ms;
    if (is_pulled && p->env_seen_at_ms == 0 && now >= p->kubelet_next_ms) {
        if (p->things[OBJECT_ENV_SECRET].exists)
            p->env_seen_at_ms = now;
        else
            p->kubelet_next_ms = now + 10000;
    }
}

enum presence sim_presence_of(const struct thing *t)
{
    if (!t->exists)
        return PRESENCE_ABSENT;
    return t->gone_at_ms > 0 ? PRESENCE_DELETING : PRESENCE_PRESENT;
}

static void show_database(const struct sim_cluster *c, const struct place *p, struct observed_database *db)
{
    memset(db, 0, sizeof(*db));
    if (!p->things[OBJECT_DATABASE].exists)
        return;
    bool is_time = sim_now(c) >= p->db_running_at_ms;
    db->is_halted = p->things[OBJECT_DATABASE].is_halted;
    if (db->is_halted)
        db->phase = sim_now(c) >= p->db_stopped_at_ms ? DB_PHASE_STOPPED : DB_PHASE_STOPPING;
    else if (p->fate == FATE_DB_NEVER)
        db->phase = DB_PHASE_CREATING;
    else if (p->fate == FATE_DB_FAILS)
        db->phase = is_time ? DB_PHASE_FAILED : DB_PHASE_CREATING;
    else
        db->phase = is_time ? DB_PHASE_RUNNING : DB_PHASE_CREATING;
}

static void show_pod(const struct sim_cluster *c, const struct place *p, struct observed_pod *pod)
{
    memset(pod, 0, sizeof(*pod));
    ms_t now = sim_now(c);
    if (p->pod_at_ms == 0)
        return;
    pod->exists = true;
    if (now < p->pod_at_ms + p->schedule_ms)
        return;
    if (p->fate == FATE_UNSCHEDULABLE) {
        pod->is_unschedulable = true;
        text_fit(pod->message, sizeof(pod->message), STR("0/1 nodes are available: 1 Insufficient memory."));
        return;
    }
    pod->is_scheduled = true;
    text_fit(pod->node, sizeof(pod->node), STR("node-1"));
    bool is_pulled = now >= p->pod_at_ms + p->schedule_ms + p->pull_ms;
    pod->is_pulling = !is_pulled;
    if (!is_pulled)
        return;
    if (p->fate == FATE_PULL_FAILS) {
        text_fit(pod->waiting_reason, sizeof(pod->waiting_reason), STR("ImagePullBackOff"));
    } else if (p->env_seen_at_ms == 0) {
        text_fit(pod->waiting_reason, sizeof(pod->waiting_reason), STR("CreateContainerConfigError"));
    } else if (now < p->env_seen_at_ms + p->start_ms) {
        return;
    } else if (p->fate == FATE_CRASHES) {
        pod->restarts = (int)((now - p->env_seen_at_ms) / 5000);
        text_fit(pod->waiting_reason, sizeof(pod->waiting_reason), STR("CrashLoopBackOff"));
    } else {
        pod->is_running = true;
        pod->is_ready = p->fate != FATE_NEVER_READY && now >= p->env_seen_at_ms + p->start_ms + p->ready_ms;
    }
}

/* Gateways look a little later than objects are made. */
static void show_route(const struct sim_cluster *c, const struct place *p, enum cluster_object object,
                       struct observed_route *route)
{
    const struct thing *t = &p->things[object];
    route->is_accepted = p->kinds.route == ROUTE_HTTPROUTE && t->exists && sim_now(c) >= t->made_at_ms + p->schedule_ms;
}

void sim_show(struct sim_cluster *c, struct place *p, struct observed *seen)
{
    memset(seen, 0, sizeof(*seen));
    for (size_t i = 0; i < OBJECT_N; i++)
        seen->objects[i] = sim_presence_of(&p->things[i]);
    show_database(c, p, &seen->database);
    if (!p->things[OBJECT_WORKLOAD].exists)
        return;
    show_pod(c, p, &seen->pod);
    show_route(c, p, OBJECT_INGRESS_APP, &seen->route_app);
    show_route(c, p, OBJECT_INGRESS_TTY, &seen->route_tty);
    seen->claim.exists = p->things[OBJECT_CLAIM].exists;
    seen->claim.is_bound = seen->pod.is_scheduled;
    bool has_service = p->things[OBJECT_SERVICE].exists;
    seen->endpoints_n = has_service && seen->pod.is_running;
    /* The EndpointSlice is written a moment later. */
    bool is_found = sim_now(c) >= p->env_seen_at_ms + p->start_ms + p->ready_ms + p->endpoint_ms;
    seen->endpoints_ready_n = has_service && seen->pod.is_ready && is_found;
    /* Member by member: what is compared has no bytes that nobody wrote. */
    seen->workload.generation = 1;
    seen->workload.observed_generation = 1;
    seen->workload.replicas_wanted = !p->things[OBJECT_WORKLOAD].is_halted;
    seen->workload.replicas_updated = 1;
    seen->workload.replicas_available = seen->pod.is_ready;
    seen->workload.is_available = seen->pod.is_ready;
}

/* ---- the watch ---- */

static void tell(const struct view *v, struct str project_id)
{
    if (v->on_change != NULL)
        v->on_change(v->on_change_arg, project_id);
}

static void take_up(struct view *v, size_t i, const struct observed *truth)
{
    memcpy(&v->caches[i], truth, sizeof(*truth));
    memcpy(v->restart_times[i], v->cluster->places[i].restart_time, sizeof(v->restart_times[i]));
    v->workloads[i] = v->cluster->places[i].things[OBJECT_WORKLOAD].made_n;
}

static void look(struct view *v, size_t i, const struct observed *truth)
{
    struct sim *s = v->cluster->sim;
    ms_t now_ms = sim_now(v->cluster);
    bool is_asleep = now_ms < s->asleep_until_ms[v - v->cluster->views];
    /* A client ends a watch that is silent for longer. */
    bool is_silent = now_ms < v->blind_until_ms && now_ms < v->sights[i].looked_ms + SIM_BLIND_MS;
    bool is_blind = is_asleep || is_silent;
    bool is_skipped = sim_percent(s, 30);
    if (is_blind || v->is_down || now_ms > v->sights[i].looked_ms + SIM_BEHIND_MS)
        v->blind_last_ms = now_ms;
    if (!v->is_synced || v->is_down || is_blind || is_skipped)
        return;
    sim_sight_look(v, i);
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the padding is zero, see show. */
    bool is_news = memcmp(truth, &v->caches[i], sizeof(*truth)) != 0 ||
                   v->workloads[i] != v->cluster->places[i].things[OBJECT_WORKLOAD].made_n ||
                   strcmp(v->restart_times[i], v->cluster->places[i].restart_time) != 0;
    if (is_news)
        take_up(v, i, truth);
    if (is_news || sim_percent(s, 5))
        tell(v, str_from(v->cluster->places[i].project_id));
}

static void on_tick(void *arg)
{
    struct sim_cluster *c = arg;
    for (size_t i = 0; i < c->places_n; i++) {
        static struct observed truth;
        evolve(c, &c->places[i]);
        sim_show(c, &c->places[i], &truth);
        sim_note_ready(c, &c->places[i], &truth);
        for (size_t k = 0; k < SIM_NODES_N; k++)
            look(&c->views[k], i, &truth);
    }
    sim_vandalize(c);
    loop_timer_set(&c->tick, sim_between(c->sim, TICK_LOW_MS, TICK_HIGH_MS));
}

static void on_sync(void *arg)
{
    struct view *v = arg;
    if (sim_sleeps(v->cluster->sim, (size_t)(v - v->cluster->views), &v->sync))
        return;
    v->is_synced = true;
    for (size_t i = 0; i < v->cluster->places_n; i++) {
        struct observed truth;
        sim_show(v->cluster, &v->cluster->places[i], &truth);
        sim_note_ready(v->cluster, &v->cluster->places[i], &truth);
        take_up(v, i, &truth);
        sim_sight_look(v, i);
    }
    tell(v, STR_NONE);
}

static void observe(void *self, const struct sandbox *sb, struct observed *ret)
{
    struct view *v = self;
    size_t place = (size_t)(sim_place_of(v->cluster, sb) - v->cluster->places);
    *ret = v->caches[place];
    sim_sight_use(v, place);
    /* The port shows no pod of a former attempt. */
    ret->has_left_over_pod = ret->pod.exists && strcmp(v->restart_times[place], sb->restart_time) < 0;
    if (ret->has_left_over_pod)
        memset(&ret->pod, 0, sizeof(ret->pod));
    ret->is_synced = v->is_synced;
    ret->current_ms = v->sights[place].looked_ms;
    ret->pod.is_former = ret->pod.exists && strcmp(v->restart_times[place], sb->restart_time) != 0;
    ret->is_reachable = !v->is_down;
    for (size_t i = 0; i < OBJECT_N; i++) {
        bool is_of_former = sim_is_owned_by_workload(&v->cluster->places[place], (enum cluster_object)i) &&
                            v->known_of[place][i] != v->workloads[place];
        if (!sim_cluster_shows(v->cluster, (enum cluster_object)i))
            ret->objects[i] = v->known[place][i] && !is_of_former ? PRESENCE_PRESENT : PRESENCE_UNKNOWN;
    }
}

static void subscribe(void *self, cluster_on_change *on_change, void *arg)
{
    struct view *v = self;
    v->on_change = on_change;
    v->on_change_arg = arg;
}

static void guard(void *self, cluster_may_send *may_send, void *arg)
{
    struct view *v = self;
    v->may_send = may_send;
    v->may_send_arg = arg;
}

static void forget(void *self, struct str project_id)
{
    struct view *v = self;
    for (size_t i = 0; i < v->cluster->places_n; i++) {
        if (str_eq_text(project_id, v->cluster->places[i].project_id))
            memset(v->known[i], 0, sizeof(v->known[i]));
    }
}

/* ---- life ---- */

struct sim_cluster *sim_cluster_new(struct sim *s)
{
    struct sim_cluster *c = xcalloc(1, sizeof(*c));
    c->sim = s;
    c->are_policies_watched = sim_below(s, 4) == 0;
    for (size_t i = 0; i < SIM_NODES_N; i++) {
        struct view *v = &c->views[i];
        v->cluster = c;
        v->port = (struct port_cluster){
            .self = v, .observe = observe, .guard = guard, .subscribe = subscribe, .forget = forget};
        sim_calls_fill(v);
        loop_timer_init(&v->sync, s->loop, on_sync, v);
        loop_timer_set(&v->sync, sim_between(s, 10, 2000));
    }
    loop_timer_init(&c->tick, s->loop, on_tick, c);
    loop_timer_set(&c->tick, TICK_LOW_MS);
    return c;
}

void sim_cluster_free(struct sim_cluster *c)
{
    sim_calls_free(c);
    loop_timer_clear(&c->tick);
    for (size_t i = 0; i < SIM_NODES_N; i++)
        loop_timer_clear(&c->views[i].sync);
    free(c);
}

const struct port_cluster *sim_cluster_port(struct sim_cluster *c, size_t node)
{
    return &c->views[node].port;
}

void sim_cluster_forget_all(struct sim_cluster *c, size_t node)
{
    struct view *v = &c->views[node];
    v->is_synced = false;
    memset(v->caches, 0, sizeof(v->caches));
    memset(v->known, 0, sizeof(v->known));
    loop_timer_set(&v->sync, sim_between(c->sim, 10, 3000));
}

bool sim_cluster_exists(const struct sim_cluster *c, const char *project_id, enum cluster_object object)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return c->places[i].things[object].exists && c->places[i].things[object].gone_at_ms == 0;
    }
    return false;
}

void sim_cluster_hold(struct sim_cluster *c, enum sim_hold how, enum cluster_object object, ms_t until_ms)
{
    c->hold = how;
    c->held_object = object;
    c->hold_until_ms = until_ms;
}

bool sim_cluster_is_held(const struct sim_cluster *c, const char *project_id)
{
    bool is_time = c->hold != SIM_HOLD_NONE && sim_now(c) < c->hold_until_ms;
    for (size_t i = 0; is_time && i < c->places_n; i++) {
        const struct thing *t = &c->places[i].things[c->held_object];
        ms_t ago_ms = sim_now(c) - t->refused_at_ms;
        if (strcmp(c->places[i].project_id, project_id) != 0)
            continue;
        if (c->hold == SIM_HOLD_FINALIZER)
            return t->exists && t->gone_at_ms > 0;
        return t->exists && t->gone_at_ms == 0 && ago_ms > SIM_HEARD_MS && ago_ms < SIM_REFUSED_LATELY_MS;
    }
    return false;
}

bool sim_cluster_runs(const struct sim_cluster *c, const char *project_id, enum cluster_object object)
{
    for (size_t i = 0; i < c->places_n; i++) {
        const struct place *p = &c->places[i];
        if (strcmp(p->project_id, project_id) != 0 || !p->things[object].exists)
            continue;
        if (!p->things[object].is_halted)
            return true;
        return object == OBJECT_WORKLOAD ? p->pod_at_ms > 0 : sim_now(c) < p->db_stopped_at_ms;
    }
    return false;
}

bool sim_cluster_may_lack(const struct sim_cluster *c, const char *project_id, enum cluster_object object)
{
    for (size_t i = 0; i < c->places_n; i++) {
        const struct place *p = &c->places[i];
        if (strcmp(p->project_id, project_id) == 0)
            return object == OBJECT_NETWORK_POLICY && !c->are_policies_watched && p->was_remade_unheard;
    }
    return false;
}

bool sim_cluster_was_good(const struct sim_cluster *c, const char *project_id)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return !c->places[i].was_bad && !c->places[i].was_vandalized;
    }
    return true;
}

bool sim_cluster_was_vandalized(const struct sim_cluster *c, const char *project_id)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return c->places[i].was_vandalized;
    }
    return false;
}

ms_t sim_cluster_hopeless_since(const struct sim_cluster *c, const char *project_id)
{
    for (size_t i = 0; i < c->places_n; i++) {
        const struct place *p = &c->places[i];
        const struct thing *db = &p->things[OBJECT_DATABASE];
        if (strcmp(p->project_id, project_id) == 0 && p->fate == FATE_DB_NEVER && db->exists)
            return p->fate_at_ms > db->made_at_ms ? p->fate_at_ms : db->made_at_ms;
    }
    return 0;
}

void sim_cluster_blind(struct sim_cluster *c, size_t node, ms_t for_ms)
{
    c->views[node].blind_until_ms = sim_now(c) + for_ms;
}

bool sim_cluster_is_quiet(const struct sim_cluster *c)
{
    return c->calls_n == 0;
}

void sim_cluster_is_down(struct sim_cluster *c, size_t node, bool is_down)
{
    c->views[node].is_down = is_down;
    tell(&c->views[node], STR_NONE);
}
