// SPDX-License-Identifier: MIT
/* What is asked of the simulated cluster: calls that are refused, land late, or land unheard. */
#include "tests/sim/sim_cluster_private.h"

enum { LATE_MS = 15000, WAIT_MS = 40000 };

static void free_call(void *p)
{
    free(p);
}

static void maybe_free(struct call *call)
{
    if (!call->is_answered || (!call->has_landed && !call->is_refused))
        return;
    call->cluster->calls_n--;
    loop_timer_clear(&call->send);
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
    call->is_refused = call->is_refused || call->is_waiting; /* what was not sent never lands */
    loop_timer_clear(&call->answer);
    maybe_free(call);
}

static void on_land(void *arg)
{
    struct call *call = arg;
    struct sim_cluster *c = call->cluster;
    call->has_landed = true;
    struct thing *t = &call->place->things[call->object];
    /* Who waits for the answer looks again and repeats; what was given up was written for the object as it was then. */
    bool is_stale = call->is_answered && call->version != (t->exists ? t->version : 0);
    bool is_run = call->verb == CALL_HALT || call->verb == CALL_RESUME;
    if (is_stale && (is_run || call->verb == CALL_APPLY))
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "the object was modified");
    else if (is_run && t->exists && t->gone_at_ms == 0)
        sim_run_thing(c, call->place, call->object, call->verb == CALL_RESUME);
    else if (call->verb == CALL_APPLY && t->exists && t->gone_at_ms > 0)
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "object is being deleted");
    else if (call->verb == CALL_APPLY) {
        struct observed truth;
        unsigned made_n = t->made_n;
        sim_apply_thing(c, call);
        if (call->object == OBJECT_WORKLOAD && made_n > 0 && t->made_n > made_n)
            c->sim->on_weak_moment(c->sim->on_weak_arg, (size_t)(call->view - c->views), SIM_WORKLOAD_REMADE);
        sim_show(c, call->place, &truth);
        sim_note_ready(c, call->place, &truth);
    } else if (call->verb == CALL_REMOVE && strcmp(t->name, call->name) == 0)
        sim_remove_thing(c, call->place, call->object);
    else if (call->verb == CALL_NUDGE)
        call->place->kubelet_next_ms = 0;
    maybe_free(call);
}

/* "The answer is in the caches before done runs." */
static void remember(struct call *call)
{
    size_t place = (size_t)(call->place - call->cluster->places);
    bool is_there = call->verb == CALL_APPLY;
    if (call->verb != CALL_APPLY && call->verb != CALL_REMOVE)
        return;
    sim_sight_answer(call->view, place);
    if (call->object == OBJECT_WORKLOAD)
        call->view->workloads[place] = call->place->things[OBJECT_WORKLOAD].made_n;
    if (sim_cluster_shows(call->cluster, call->object)) {
        call->view->caches[place].objects[call->object] = sim_presence_of(&call->place->things[call->object]);
    } else {
        call->view->known[place][call->object] = is_there;
        call->view->known_of[place][call->object] = call->view->workloads[place];
    }
}

static void on_answer(void *arg)
{
    struct call *call = arg;
    if (sim_sleeps(call->cluster->sim, (size_t)(call->view - call->cluster->views), &call->answer))
        return;
    call->is_answered = true;
    const struct err *err = call->err.kind != ERR_NONE ? &call->err : NULL;
    if (call->verb == CALL_CREDENTIALS) {
        bool is_there = call->place->things[OBJECT_DATABASE].exists &&
                        sim_now(call->cluster) + 3000 >= call->place->db_running_at_ms;
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
    bool is_run = call->verb == CALL_HALT || call->verb == CALL_RESUME;
    if (call->view->is_down) {
        call->is_refused = true;
        answer_ms = sim_between(s, 1, timeout_ms);
        (void)err_set(&call->err, ERR_UPSTREAM, __func__, "connection refused");
    } else if (call->verb == CALL_REMOVE && call->cluster->hold == SIM_HOLD_DENIED &&
               call->object == call->cluster->held_object && sim_now(call->cluster) < call->cluster->hold_until_ms) {
        call->is_refused = true;
        call->place->things[call->object].refused_at_ms = sim_now(call->cluster);
        (void)err_set(&call->err, ERR_DENIED, __func__, "may not delete");
        call->err.code = 403;
    } else if (sim_percent(s, 8)) {
        call->is_refused = true;
        (void)err_set(&call->err, sim_percent(s, 50) ? ERR_NOT_READY : ERR_LIMIT, __func__, "too busy");
        call->err.code = call->err.kind == ERR_LIMIT ? 429 : 503;
    } else if (sim_percent(s, 4)) {
        answer_ms = timeout_ms;
        (void)err_set(&call->err, ERR_TIMEOUT, __func__, "no answer");
    } else if (sim_percent(s, is_run ? 20 : 6)) {
        land_ms = timeout_ms + sim_between(s, 1, LATE_MS);
        answer_ms = timeout_ms;
        (void)err_set(&call->err, ERR_TIMEOUT, __func__, "no answer");
    } else if (sim_percent(s, 6)) {
        answer_ms = sim_between(s, 200, timeout_ms - 1); /* slow, and heard: late on its way there or back */
        land_ms = sim_percent(s, 50) ? answer_ms - 1 : land_ms;
    } else if (call->verb == CALL_APPLY && sim_percent(s, 1) && sim_percent(s, 20)) {
        call->is_refused = true;
        (void)err_set(&call->err, ERR_DENIED, __func__, "forbidden");
        call->err.code = 403;
    }
    if (!call->is_refused)
        loop_timer_set(&call->land, land_ms);
    loop_timer_set(&call->answer, answer_ms);
}

/* Only the leader changes anything: whoever lost the lease finds out before it acts again. */
static void check_leader(const struct view *v, const struct sandbox *sb)
{
    size_t node = (size_t)(v - v->cluster->views);
    const struct sim *s = v->cluster->sim;
    /* The store's clock was set forward and ended the lease early: the process finds out with its next renewal. */
    if (s->clock_ahead_at_ms > 0 && loop_now_ms(s->loop) < s->clock_ahead_at_ms + SIM_DECEIVED_MS)
        return;
    if (!sim_store_leads(v->cluster->sim->store, node, sb->project_id))
        sim_violated(v->cluster->sim, "%s is changed by node %zu, which does not lead it", sb->project_id, node);
}

static bool is_act(const struct call *call)
{
    return call->verb == CALL_APPLY || call->verb == CALL_REMOVE || call->verb == CALL_HALT ||
           call->verb == CALL_RESUME || call->verb == CALL_TIDY;
}

static void on_send(void *arg)
{
    struct call *call = arg;
    if (sim_sleeps(call->cluster->sim, (size_t)(call->view - call->cluster->views), &call->send))
        return;
    const struct view *v = call->view;
    if (v->may_send != NULL && !v->may_send(v->may_send_arg)) {
        loop_timer_set(&call->send, 1);
        return;
    }
    const struct thing *t = &call->place->things[call->object];
    call->is_waiting = false;
    call->version = t->exists ? t->version : 0;
    if (is_act(call))
        check_leader(call->view, &call->sb);
    roll_call(call, call->timeout_ms);
}

/* Now, or when enough others have been answered. */
static void send_call(struct call *call, ms_t timeout_ms)
{
    struct sim *s = call->cluster->sim;
    call->timeout_ms = timeout_ms;
    call->is_waiting = true;
    bool is_run = call->verb == CALL_HALT || call->verb == CALL_RESUME;
    if (is_act(call) && sim_percent(s, is_run ? 25 : 8))
        loop_timer_set(&call->send, sim_between(s, 1, WAIT_MS));
    else
        on_send(call);
}

static struct call *new_call(struct view *v, const struct sandbox *sb, enum cluster_object object)
{
    struct sim_cluster *c = v->cluster;
    struct call *call = xcalloc(1, sizeof(*call));
    call->op.cancel = cancel_call;
    LIST_INSERT_HEAD(&c->calls, call, link);
    call->cluster = c;
    call->view = v;
    call->place = sim_place_of(c, sb);
    call->object = object;
    call->kinds = sb->kinds;
    text_fit(call->name, sizeof(call->name), str_from(object <= OBJECT_DATABASE ? sb->database_name : sb->name));
    memcpy(call->restart_time, sb->restart_time, sizeof(call->restart_time));
    call->sb = *sb;
    loop_timer_init(&call->send, c->sim->loop, on_send, call);
    loop_timer_init(&call->land, c->sim->loop, on_land, call);
    loop_timer_init(&call->answer, c->sim->loop, on_answer, call);
    c->calls_n++;
    return call;
}

/* The database goes only with its project, and what serves it stays until it is gone. */
static void check_removal(const struct call *call, const struct sandbox *sb)
{
    bool is_of_database = call->object <= OBJECT_DATABASE;
    if (is_of_database && sb->desired != DESIRED_DELETED)
        sim_violated(call->cluster->sim, "%s: object %d is removed, the database was to stay", sb->project_id,
                     (int)call->object);
    if (!sandbox_has_object(sb, call->object))
        sim_violated(call->cluster->sim, "%s: object %d is removed, it is not made of it", sb->project_id,
                     (int)call->object);
    if (call->object == OBJECT_CLAIM && call->place->things[OBJECT_WORKLOAD].exists)
        sim_violated(call->cluster->sim, "%s: the claim is removed before what uses it", sb->project_id);
    if (call->object < OBJECT_DATABASE && call->place->things[OBJECT_DATABASE].exists)
        sim_violated(call->cluster->sim, "%s: object %d is removed before the database", sb->project_id,
                     (int)call->object);
}

static struct op *apply(void *self, enum cluster_object object, const struct sandbox *sb, const struct env_list *env,
                        ms_t timeout_ms, op_done *done, void *arg)
{
    struct view *v = self;
    if (object == OBJECT_CLAIM)
        sim_violated(v->cluster->sim, "%s: the claim is the StatefulSet's to make", sb->project_id);
    if ((env != NULL) != (object == OBJECT_ENV_SECRET))
        sim_violated(v->cluster->sim, "%s: environment for the wrong object %d", sb->project_id, (int)object);
    struct call *call = new_call(v, sb, object);
    call->verb = CALL_APPLY;
    call->done = done;
    call->arg = arg;
    send_call(call, timeout_ms);
    return &call->op;
}

static struct op *run_object(struct view *v, const struct call *like, const struct sandbox *sb, ms_t timeout_ms)
{
    struct call *call = new_call(v, sb, like->object);
    call->verb = like->verb;
    if (call->verb == CALL_HALT && sb->desired != DESIRED_STOPPED)
        sim_violated(v->cluster->sim, "%s: object %d is stopped, it was to run", sb->project_id, (int)call->object);
    call->done = like->done;
    call->arg = like->arg;
    send_call(call, timeout_ms);
    return &call->op;
}

static struct op *halt(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms, op_done *done,
                       void *arg)
{
    return run_object(self, &(struct call){.verb = CALL_HALT, .object = object, .done = done, .arg = arg}, sb,
                      timeout_ms);
}

static struct op *resume(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                         op_done *done, void *arg)
{
    return run_object(self, &(struct call){.verb = CALL_RESUME, .object = object, .done = done, .arg = arg}, sb,
                      timeout_ms);
}

static struct op *remove_object(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                                op_done *done, void *arg)
{
    struct view *v = self;
    struct call *call = new_call(v, sb, object);
    call->verb = CALL_REMOVE;
    check_removal(call, sb);
    call->done = done;
    call->arg = arg;
    send_call(call, timeout_ms);
    return &call->op;
}

static struct op *remove_former_env(void *self, const struct sandbox *sb, unsigned attempt, ms_t timeout_ms,
                                    op_done *done, void *arg)
{
    struct view *v = self;
    struct call *call = new_call(v, sb, OBJECT_ENV_SECRET);
    if (attempt == 0 || attempt >= sb->attempt)
        sim_violated(v->cluster->sim, "%s: the environment of attempt %u is removed in attempt %u", sb->project_id,
                     attempt, sb->attempt);
    call->verb = CALL_TIDY;
    call->done = done;
    call->arg = arg;
    send_call(call, timeout_ms);
    return &call->op;
}

static struct op *credentials(void *self, const struct sandbox *sb, ms_t timeout_ms, cluster_on_credentials *done,
                              void *arg)
{
    struct call *call = new_call(self, sb, OBJECT_DATABASE);
    call->verb = CALL_CREDENTIALS;
    call->on_credentials = done;
    call->arg = arg;
    send_call(call, timeout_ms);
    return &call->op;
}

static struct op *nudge(void *self, const struct sandbox *sb, ms_t timeout_ms, op_done *done, void *arg)
{
    struct call *call = new_call(self, sb, OBJECT_WORKLOAD);
    call->verb = CALL_NUDGE;
    call->done = done;
    call->arg = arg;
    send_call(call, timeout_ms);
    return &call->op;
}

void sim_calls_fill(struct view *v)
{
    v->port.apply = apply;
    v->port.remove = remove_object;
    v->port.remove_former_env = remove_former_env;
    v->port.halt = halt;
    v->port.resume = resume;
    v->port.credentials = credentials;
    v->port.nudge = nudge;
}

void sim_calls_free(struct sim_cluster *c)
{
    while (!LIST_EMPTY(&c->calls)) {
        struct call *call = LIST_FIRST(&c->calls);
        LIST_REMOVE(call, link);
        loop_timer_clear(&call->send);
        loop_timer_clear(&call->land);
        loop_timer_clear(&call->answer);
        free_call(call);
    }
}
