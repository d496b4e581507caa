// SPDX-License-Identifier: MIT
/* The simulated cluster: truth that evolves by a tick, a cache that follows it late, calls that may fail, land late or
 * land unheard. Each project has a fate that decides how its pod and database fare. */
#include <string.h>
#include <sys/queue.h>

#include "core/base/fit.h"
#include "core/base/xmem.h"
#include "tests/sim/sim.h"

enum { TICK_LOW_MS = 50, TICK_HIGH_MS = 600, CALLS_N = 256, LATE_MS = 15000 };

enum fate {
    FATE_GOOD,
    FATE_PULL_FAILS,
    FATE_CRASHES,
    FATE_UNSCHEDULABLE,
    FATE_NEVER_READY,
    FATE_DB_FAILS,
    FATE_DB_NEVER,
    FATE_N
};

struct thing {
    bool exists;
    ms_t made_at_ms;
    ms_t gone_at_ms; /* > 0: being deleted, gone then */
    unsigned made_n;
    unsigned removed_n;
    char name[KUBE_NAME_SIZE];
};

struct place {
    char project_id[ID_SIZE];
    enum fate fate;
    bool was_bad; /* once its fate was another than good */
    struct thing things[OBJECT_N];
    char restart_time[15];
    ms_t pod_at_ms;       /* when the present pod was made; 0: none */
    ms_t env_seen_at_ms;  /* when its kubelet found the Secret */
    ms_t kubelet_next_ms; /* its back-off after CreateContainerConfigError */
    ms_t db_running_at_ms;
    ms_t schedule_ms, pull_ms, start_ms, ready_ms;
    struct observed cache;
    bool known[OBJECT_N]; /* unwatched kinds: what this process remembers */
};

struct call {
    struct op op;
    LIST_ENTRY(call) link;
    struct sim_cluster *cluster;
    struct place *place;
    enum { CALL_APPLY, CALL_REMOVE, CALL_CREDENTIALS, CALL_NUDGE } verb;
    enum cluster_object object;
    char name[KUBE_NAME_SIZE];
    char restart_time[15];
    struct loop_timer land;
    struct loop_timer answer;
    struct err err;
    bool has_landed;
    bool is_refused; /* never lands */
    bool is_cancelled;
    bool is_answered;
    op_done *done;
    cluster_on_credentials *on_credentials;
    void *arg;
};

struct sim_cluster {
    struct sim *sim;
    struct port_cluster port;
    LIST_HEAD(, call) calls;
    struct place places[SIM_PROJECTS_N];
    size_t places_n;
    struct loop_timer tick;
    struct loop_timer sync;
    bool is_synced;
    bool is_down;
    unsigned calls_n;
    cluster_on_change *on_change;
    void *on_change_arg;
};

static bool is_watched(enum cluster_object object)
{
    return object == OBJECT_DATABASE || object == OBJECT_DEPLOYMENT || object == OBJECT_SERVICE ||
           object == OBJECT_INGRESS_APP || object == OBJECT_INGRESS_TTY;
}

static bool is_owned_by_deployment(enum cluster_object object)
{
    return object == OBJECT_ENV_SECRET || object == OBJECT_SERVICE || object == OBJECT_INGRESS_APP ||
           object == OBJECT_INGRESS_TTY || object == OBJECT_NETWORK_POLICY;
}

static ms_t now_of(const struct sim_cluster *c)
{
    return loop_now_ms(c->sim->loop);
}

static void roll_fate(struct sim_cluster *c, struct place *p)
{
    struct sim *s = c->sim;
    p->fate = sim_percent(s, 25) ? (enum fate)(1 + sim_below(s, FATE_N - 1)) : FATE_GOOD;
    p->was_bad = p->was_bad || p->fate != FATE_GOOD;
    p->schedule_ms = sim_between(s, 10, 2000);
    p->pull_ms = sim_between(s, 10, 9000);
    p->start_ms = sim_between(s, 10, 1500);
    p->ready_ms = sim_between(s, 10, 4000);
}

static struct place *place_of(struct sim_cluster *c, const struct sandbox *sb)
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

static void remove_thing(struct sim_cluster *c, struct place *p, enum cluster_object object)
{
    struct thing *t = &p->things[object];
    if (!t->exists || t->gone_at_ms > 0)
        return;
    t->gone_at_ms = now_of(c) + sim_between(c->sim, 0, object == OBJECT_DATABASE ? 8000 : 1500);
}

static void make_pod(struct sim_cluster *c, struct place *p, const char *restart_time)
{
    text_fit(p->restart_time, sizeof(p->restart_time), str_from(restart_time));
    p->pod_at_ms = now_of(c);
    p->env_seen_at_ms = 0;
    p->kubelet_next_ms = 0;
    if (p->fate != FATE_GOOD && p->fate < FATE_DB_FAILS)
        roll_fate(c, p); /* a fresh pod may fare better */
}

static void apply_thing(struct sim_cluster *c, const struct call *call)
{
    struct place *p = call->place;
    struct thing *t = &p->things[call->object];
    if (t->exists && strcmp(t->name, call->name) != 0)
        sim_violated(c->sim, "%s %s made while %s still exists", p->project_id, call->name, t->name);
    if (!t->exists) {
        t->exists = true;
        t->made_at_ms = now_of(c);
        t->gone_at_ms = 0;
        t->made_n++;
        memcpy(t->name, call->name, sizeof(t->name));
        if (t->made_n > t->removed_n + 1)
            sim_violated(c->sim, "%s object %d made twice", p->project_id, (int)call->object);
        if (call->object == OBJECT_DATABASE)
            p->db_running_at_ms = now_of(c) + sim_between(c->sim, 50, sim_below(c->sim, 8) == 0 ? 200000 : 20000);
    }
    if (call->object == OBJECT_DEPLOYMENT && strcmp(p->restart_time, call->restart_time) != 0)
        make_pod(c, p, call->restart_time);
}

static void evolve(struct sim_cluster *c, struct place *p)
{
    ms_t now = now_of(c);
    for (size_t i = 0; i < OBJECT_N; i++) {
        struct thing *t = &p->things[i];
        if (t->exists && is_owned_by_deployment((enum cluster_object)i) && !p->things[OBJECT_DEPLOYMENT].exists)
            remove_thing(c, p, (enum cluster_object)i); /* garbage collection */
        if (t->exists && t->gone_at_ms > 0 && now >= t->gone_at_ms) {
            t->exists = false;
            t->gone_at_ms = 0;
            t->removed_n++;
            if (i == OBJECT_DEPLOYMENT) {
                p->pod_at_ms = 0;
                p->restart_time[0] = '\0';
            }
        }
    }
    bool is_pulled = p->pod_at_ms > 0 && now >= p->pod_at_ms + p->schedule_ms + p->pull_ms;
    if (is_pulled && p->env_seen_at_ms == 0 && now >= p->kubelet_next_ms) {
        if (p->things[OBJECT_ENV_SECRET].exists)
            p->env_seen_at_ms = now;
        else
            p->kubelet_next_ms = now + 10000;
    }
}

static enum presence presence_of(const struct thing *t)
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
    bool is_time = now_of(c) >= p->db_running_at_ms;
    if (p->fate == FATE_DB_NEVER)
        db->phase = DB_PHASE_CREATING;
    else if (p->fate == FATE_DB_FAILS)
        db->phase = is_time ? DB_PHASE_FAILED : DB_PHASE_CREATING;
    else
        db->phase = is_time ? DB_PHASE_RUNNING : DB_PHASE_CREATING;
}

static void show_pod(const struct sim_cluster *c, const struct place *p, struct observed_pod *pod)
{
    memset(pod, 0, sizeof(*pod));
    ms_t now = now_of(c);
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

static void show(struct sim_cluster *c, struct place *p, struct observed *seen)
{
    memset(seen, 0, sizeof(*seen));
    for (size_t i = 0; i < OBJECT_N; i++)
        seen->objects[i] = presence_of(&p->things[i]);
    show_database(c, p, &seen->database);
    if (!p->things[OBJECT_DEPLOYMENT].exists)
        return;
    show_pod(c, p, &seen->pod);
    bool has_service = p->things[OBJECT_SERVICE].exists;
    seen->endpoints_n = has_service && seen->pod.is_running;
    seen->endpoints_ready_n = has_service && seen->pod.is_ready;
    seen->deployment = (struct observed_deployment){.generation = 1,
                                                    .observed_generation = 1,
                                                    .replicas_wanted = 1,
                                                    .replicas_updated = 1,
                                                    .replicas_available = seen->pod.is_ready,
                                                    .is_available = seen->pod.is_ready};
}

/* ---- the watch ---- */

static void tell(struct sim_cluster *c, struct str project_id)
{
    if (c->on_change != NULL)
        c->on_change(c->on_change_arg, project_id);
}

static void on_tick(void *arg)
{
    struct sim_cluster *c = arg;
    for (size_t i = 0; i < c->places_n; i++) {
        struct place *p = &c->places[i];
        evolve(c, p);
        bool is_late = !c->is_synced || c->is_down || sim_percent(c->sim, 30);
        if (is_late)
            continue;
        struct observed truth;
        show(c, p, &truth);
        bool is_news = memcmp(&truth, &p->cache, sizeof(truth)) != 0;
        p->cache = truth;
        if (is_news || sim_percent(c->sim, 5))
            tell(c, str_from(p->project_id));
    }
    loop_timer_set(&c->tick, sim_between(c->sim, TICK_LOW_MS, TICK_HIGH_MS));
}

static void on_sync(void *arg)
{
    struct sim_cluster *c = arg;
    c->is_synced = true;
    for (size_t i = 0; i < c->places_n; i++)
        show(c, &c->places[i], &c->places[i].cache);
    tell(c, STR_NONE);
}

static void observe(void *self, const struct sandbox *sb, struct observed *ret)
{
    struct sim_cluster *c = self;
    struct place *p = place_of(c, sb);
    *ret = p->cache;
    ret->is_synced = c->is_synced;
    ret->is_reachable = !c->is_down;
    for (size_t i = 0; i < OBJECT_N; i++) {
        if (!is_watched((enum cluster_object)i))
            ret->objects[i] = p->known[i] ? PRESENCE_PRESENT : PRESENCE_UNKNOWN;
    }
}

/* ---- calls ---- */

static void free_call(void *p)
{
    free(p);
}

static void maybe_free(struct call *call)
{
    if (!call->is_answered || (!call->has_landed && !call->is_refused))
        return;
    call->cluster->calls_n--;
    loop_timer_clear(&call->land);
    loop_timer_clear(&call->answer);
    LIST_REMOVE(call, link);
    loop_defer_free(call->cluster->sim->loop, call, free_call);
}

static void cancel_call(struct op *op)
{
    struct call *call = (struct call *)op;
    call->is_cancelled = true;
    call->is_answered = true;
    loop_timer_clear(&call->answer);
    maybe_free(call);
}

static void on_land(void *arg)
{
    struct call *call = arg;
    struct sim_cluster *c = call->cluster;
    call->has_landed = true;
    struct thing *t = &call->place->things[call->object];
    if (call->verb == CALL_APPLY && t->exists && t->gone_at_ms > 0)
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "object is being deleted");
    else if (call->verb == CALL_APPLY)
        apply_thing(c, call);
    else if (call->verb == CALL_REMOVE && strcmp(t->name, call->name) == 0)
        remove_thing(c, call->place, call->object);
    else if (call->verb == CALL_NUDGE)
        call->place->kubelet_next_ms = 0;
    maybe_free(call);
}

/* "The answer is in the caches before done runs." */
static void remember(struct call *call)
{
    struct place *p = call->place;
    bool is_there = call->verb == CALL_APPLY;
    if (call->verb != CALL_APPLY && call->verb != CALL_REMOVE)
        return;
    if (is_watched(call->object)) {
        p->cache.objects[call->object] = presence_of(&p->things[call->object]);
    } else {
        p->known[call->object] = is_there;
    }
}

static void on_answer(void *arg)
{
    struct call *call = arg;
    call->is_answered = true;
    const struct err *err = call->err.kind != ERR_NONE ? &call->err : NULL;
    if (call->verb == CALL_CREDENTIALS) {
        bool is_there = call->place->things[OBJECT_DATABASE].exists &&
                        now_of(call->cluster) + 3000 >= call->place->db_running_at_ms;
        if (err == NULL && !is_there) {
            (void)err_set(&call->err, ERR_MISSING, __func__, "the Secret is not there");
            err = &call->err;
        }
        struct db_credentials credentials = {.host = "db", .port = 5432, .user = "u", .database = "d"};
        credentials.password = secret_new(STR("p"));
        call->on_credentials(call->arg, err == NULL ? &credentials : NULL, err);
        db_credentials_fini(&credentials);
    } else {
        if (err == NULL)
            remember(call);
        call->done(call->arg, err);
    }
    maybe_free(call);
}

/* How a call fares: refused before it lands, landed unheard, landed late, or as it should. */
static void roll_call(struct call *call, ms_t timeout_ms)
{
    struct sim *s = call->cluster->sim;
    ms_t land_ms = sim_between(s, 1, 80);
    ms_t answer_ms = land_ms + sim_between(s, 1, 60);
    if (call->cluster->is_down) {
        call->is_refused = true;
        answer_ms = sim_between(s, 1, timeout_ms);
        (void)err_set(&call->err, ERR_UPSTREAM, __func__, "connection refused");
    } else if (sim_percent(s, 8)) {
        call->is_refused = true;
        (void)err_set(&call->err, sim_percent(s, 50) ? ERR_NOT_READY : ERR_LIMIT, __func__, "too busy");
        call->err.code = call->err.kind == ERR_LIMIT ? 429 : 503;
    } else if (sim_percent(s, 4)) {
        answer_ms = timeout_ms;
        (void)err_set(&call->err, ERR_TIMEOUT, __func__, "no answer");
    } else if (sim_percent(s, 4)) {
        land_ms = timeout_ms + sim_between(s, 1, LATE_MS);
        answer_ms = timeout_ms;
        (void)err_set(&call->err, ERR_TIMEOUT, __func__, "no answer");
    } else if (call->verb == CALL_APPLY && sim_percent(s, 1) && sim_percent(s, 20)) {
        call->is_refused = true;
        (void)err_set(&call->err, ERR_DENIED, __func__, "forbidden");
        call->err.code = 403;
    }
    if (!call->is_refused)
        loop_timer_set(&call->land, land_ms);
    loop_timer_set(&call->answer, answer_ms);
}

static struct call *new_call(struct sim_cluster *c, const struct sandbox *sb, enum cluster_object object)
{
    struct call *call = xcalloc(1, sizeof(*call));
    call->op.cancel = cancel_call;
    LIST_INSERT_HEAD(&c->calls, call, link);
    call->cluster = c;
    call->place = place_of(c, sb);
    call->object = object;
    text_fit(call->name, sizeof(call->name), str_from(object <= OBJECT_DATABASE ? sb->database_name : sb->name));
    memcpy(call->restart_time, sb->restart_time, sizeof(call->restart_time));
    loop_timer_init(&call->land, c->sim->loop, on_land, call);
    loop_timer_init(&call->answer, c->sim->loop, on_answer, call);
    c->calls_n++;
    return call;
}

static struct op *apply(void *self, enum cluster_object object, const struct sandbox *sb, const struct env_list *env,
                        ms_t timeout_ms, op_done *done, void *arg)
{
    struct sim_cluster *c = self;
    if ((env != NULL) != (object == OBJECT_ENV_SECRET))
        sim_violated(c->sim, "%s: environment for the wrong object %d", sb->project_id, (int)object);
    struct call *call = new_call(c, sb, object);
    call->verb = CALL_APPLY;
    call->done = done;
    call->arg = arg;
    roll_call(call, timeout_ms);
    return &call->op;
}

static struct op *remove_object(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                                op_done *done, void *arg)
{
    struct call *call = new_call(self, sb, object);
    call->verb = CALL_REMOVE;
    call->done = done;
    call->arg = arg;
    roll_call(call, timeout_ms);
    return &call->op;
}

static struct op *credentials(void *self, const struct sandbox *sb, ms_t timeout_ms, cluster_on_credentials *done,
                              void *arg)
{
    struct call *call = new_call(self, sb, OBJECT_DATABASE);
    call->verb = CALL_CREDENTIALS;
    call->on_credentials = done;
    call->arg = arg;
    roll_call(call, timeout_ms);
    return &call->op;
}

static struct op *nudge(void *self, const struct sandbox *sb, ms_t timeout_ms, op_done *done, void *arg)
{
    struct call *call = new_call(self, sb, OBJECT_DEPLOYMENT);
    call->verb = CALL_NUDGE;
    call->done = done;
    call->arg = arg;
    roll_call(call, timeout_ms);
    return &call->op;
}

static void subscribe(void *self, cluster_on_change *on_change, void *arg)
{
    struct sim_cluster *c = self;
    c->on_change = on_change;
    c->on_change_arg = arg;
}

static void forget(void *self, struct str project_id)
{
    struct sim_cluster *c = self;
    for (size_t i = 0; i < c->places_n; i++) {
        if (str_eq_text(project_id, c->places[i].project_id))
            memset(c->places[i].known, 0, sizeof(c->places[i].known));
    }
}

/* ---- life ---- */

struct sim_cluster *sim_cluster_new(struct sim *s)
{
    struct sim_cluster *c = xcalloc(1, sizeof(*c));
    c->sim = s;
    c->port = (struct port_cluster){.self = c,
                                    .observe = observe,
                                    .apply = apply,
                                    .remove = remove_object,
                                    .credentials = credentials,
                                    .nudge = nudge,
                                    .subscribe = subscribe,
                                    .forget = forget};
    loop_timer_init(&c->tick, s->loop, on_tick, c);
    loop_timer_init(&c->sync, s->loop, on_sync, c);
    loop_timer_set(&c->tick, TICK_LOW_MS);
    loop_timer_set(&c->sync, sim_between(s, 10, 2000));
    return c;
}

void sim_cluster_free(struct sim_cluster *c)
{
    while (!LIST_EMPTY(&c->calls)) {
        struct call *call = LIST_FIRST(&c->calls);
        LIST_REMOVE(call, link);
        loop_timer_clear(&call->land);
        loop_timer_clear(&call->answer);
        free_call(call);
    }
    loop_timer_clear(&c->tick);
    loop_timer_clear(&c->sync);
    free(c);
}

const struct port_cluster *sim_cluster_port(struct sim_cluster *c)
{
    return &c->port;
}

void sim_cluster_forget_all(struct sim_cluster *c)
{
    c->is_synced = false;
    for (size_t i = 0; i < c->places_n; i++) {
        memset(&c->places[i].cache, 0, sizeof(c->places[i].cache));
        memset(c->places[i].known, 0, sizeof(c->places[i].known));
    }
    loop_timer_set(&c->sync, sim_between(c->sim, 10, 3000));
}

bool sim_cluster_exists(const struct sim_cluster *c, const char *project_id, enum cluster_object object)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return c->places[i].things[object].exists && c->places[i].things[object].gone_at_ms == 0;
    }
    return false;
}

bool sim_cluster_was_good(const struct sim_cluster *c, const char *project_id)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return !c->places[i].was_bad;
    }
    return true;
}

bool sim_cluster_is_quiet(const struct sim_cluster *c)
{
    return c->calls_n == 0;
}

void sim_cluster_is_down(struct sim_cluster *c, bool is_down)
{
    c->is_down = is_down;
    tell(c, STR_NONE);
}
