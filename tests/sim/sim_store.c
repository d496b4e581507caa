// SPDX-License-Identifier: MIT
/* The simulated store's calls: each may fail before or after its commit, for each process by itself. */
#include "tests/sim/sim_store_private.h"

enum { USUAL_MS = 5000, SLOW_MS = 3000 };

/* ---- calls ---- */

static void free_call(void *p)
{
    struct call *call = p;
    arena_free(call->arena);
    free(call);
}

static void maybe_free(struct call *call)
{
    if (!call->is_answered || (!call->has_committed && !call->is_refused))
        return;
    loop_timer_clear(&call->commit);
    loop_timer_clear(&call->answer);
    LIST_REMOVE(call, link);
    loop_defer_free(call->store->sim->loop, call, free_call);
}

static void cancel_call(struct op *op)
{
    struct call *call = (struct call *)op;
    call->is_answered = true;
    loop_timer_clear(&call->answer);
    maybe_free(call);
}

static size_t number_of(const struct node *node)
{
    return (size_t)(node - node->store->nodes);
}

static bool is_asleep(const struct node *node)
{
    const struct sim *s = node->store->sim;
    return loop_now_ms(s->loop) < s->asleep_until_ms[number_of(node)];
}

static void on_commit(void *arg)
{
    struct call *call = arg;
    if (call->is_slow)
        call->begun_ms = sim_store_now(call->store);
    sim_store_commit(call);
    for (size_t i = 0; i < SIM_NODES_N && call->is_freed; i++) {
        struct node *node = &call->store->nodes[i];
        bool is_lost = sim_percent(call->store->sim, 20) || is_asleep(node);
        if (node->on_freed != NULL && node->replica != call->replica && !is_lost)
            node->on_freed(node->on_freed_arg);
    }
    maybe_free(call);
}

static void hear(struct node *node, const struct journal_event *event)
{
    bool is_lost = sim_percent(node->store->sim, 20) || is_asleep(node);
    if (node->on_event != NULL && !is_lost)
        node->on_event(node->on_event_arg, event);
}

static void spread(const struct call *call)
{
    for (size_t i = 0; i < SIM_NODES_N && !call->is_refused; i++) {
        if (call->node != &call->store->nodes[i])
            hear(&call->store->nodes[i], &call->word);
    }
}

static void tell_renewed(struct call *call, const struct err *err)
{
    if (err == NULL && call->replica == call->node->replica)
        call->node->known_until_ms = call->until_ms;
    call->on.renewed(call->arg, call->was_held, err);
}

static void tell_noted(struct call *call, const struct err *err)
{
    call->on.drift(call->arg, call->drift_result, call->wait_ms,
                   err == NULL && call->watched_n > 0 ? call->watched : NULL,
                   err == NULL && call->events_n > 0 ? call->events : NULL, err);
}

static void answer_usual(struct call *call, const struct err *err)
{
    struct stage_usual usual[STAGE_N];
    for (size_t i = 0; i < STAGE_N; i++)
        usual[i].p50_ms = USUAL_MS;
    call->on.usual(call->arg, usual, err);
}

static void on_answer(void *arg)
{
    struct call *call = arg;
    const struct err *err = call->err.kind != ERR_NONE ? &call->err : NULL;
    const struct env_list env = {NULL, 0};
    if (call->verb != WORD && sim_sleeps(call->store->sim, number_of(call->node), &call->answer))
        return;
    call->is_answered = true;
    switch (call->verb) {
    case RENEW:
        tell_renewed(call, err);
        break;
    case RELEASE:
        call->on.done(call->arg, err);
        break;
    case LOGIN:
        call->on.done(call->arg, err);
        break;
    case CLAIM:
    case LOAD:
        call->on.flows(call->arg, call->flows, err == NULL ? call->flows_n : 0, err);
        break;
    case SAVE:
        call->on.saved(call->arg, call->events, err == NULL ? call->events_n : 0, err);
        break;
    case ENV:
        call->on.env(call->arg, err == NULL ? &env : NULL, err);
        break;
    case REQUEST:
        call->on.request(call->arg, call->result, err == NULL ? &call->sb : NULL, call->events,
                         err == NULL ? call->events_n : 0, err);
        break;
    case WORD:
        spread(call);
        break;
    case WATCHED:
        call->on.watched(call->arg, call->watched, err == NULL ? call->watched_n : 0, call->now_ms, err);
        break;
    case NOTE:
        tell_noted(call, err);
        break;
    case ADMIT: {
        const struct queue_answer answer = {call->flows, call->flows_n, call->events, call->events_n, call->waiting_n};
        call->on.queue(call->arg, err == NULL ? &answer : &(struct queue_answer){0}, err);
        break;
    }
    case USUAL:
        answer_usual(call, err);
        break;
    case JOURNAL:
        call->on.journal(call->arg, call->events, err == NULL ? call->events_n : 0, call->last_seq, err);
        break;
    }
    maybe_free(call);
}

static struct call *new_call(struct node *node, enum verb verb, ms_t timeout_ms, void *arg)
{
    struct sim_store *st = node->store;
    struct sim *s = st->sim;
    struct call *call = xcalloc(1, sizeof(*call));
    call->op.cancel = cancel_call;
    LIST_INSERT_HEAD(&st->calls, call, link);
    call->store = st;
    call->node = node;
    call->verb = verb;
    call->replica = node->replica;
    call->begun_ms = sim_store_now(st);
    call->arena = arena_new();
    call->arg = arg;
    loop_timer_init(&call->commit, s->loop, on_commit, call);
    loop_timer_init(&call->answer, s->loop, on_answer, call);
    ms_t commit_ms = sim_between(s, 1, 10);
    ms_t answer_ms = commit_ms + sim_between(s, 1, 10);
    bool is_unheard = false;
    if (node->is_down || sim_percent(s, 4)) {
        call->is_refused = true;
        (void)err_set(&call->err, ERR_NOT_READY, __func__, "no connection");
    } else if (sim_percent(s, 4)) {
        is_unheard = true;
        call->is_slow = sim_percent(s, 50);
        commit_ms = sim_between(s, 1, timeout_ms + SIM_COMMIT_LATE_MS);
        answer_ms = timeout_ms;
    } else if (sim_percent(s, verb == CLAIM || verb == ADMIT ? 25 : 5)) {
        answer_ms = commit_ms + sim_between(s, 10, SLOW_MS);
    }
    if (is_unheard)
        (void)err_set(&call->err, ERR_TIMEOUT, __func__, "no answer");
    if (!call->is_refused)
        loop_timer_set(&call->commit, commit_ms);
    loop_timer_set(&call->answer, answer_ms);
    return call;
}

static void name_project(struct call *call, const char *project_id)
{
    text_fit(call->project_id, sizeof(call->project_id), str_from(project_id));
}

static struct journal_event *room(struct call *call, size_t n)
{
    return arena_alloc(call->arena, (n + 1) * sizeof(struct journal_event));
}

static struct op *replica_renew(void *self, ms_t lease_ms, ms_t timeout_ms, store_on_renewed *done, void *arg)
{
    struct call *call = new_call(self, RENEW, timeout_ms, arg);
    call->lease_ms = lease_ms;
    call->known_until_ms = call->node->known_until_ms;
    call->on.renewed = done;
    return &call->op;
}

static struct op *replica_release(void *self, ms_t timeout_ms, op_done *done, void *arg)
{
    struct call *call = new_call(self, RELEASE, timeout_ms, arg);
    call->on.done = done;
    return &call->op;
}

static struct op *flows_claim(void *self, const struct flow_claim *claim, ms_t timeout_ms, store_on_flows *done,
                              void *arg)
{
    struct call *call = new_call(self, CLAIM, timeout_ms, arg);
    call->is_recount = claim->is_recount;
    for (size_t i = 0; i < claim->led_n; i++)
        text_fit(call->led[call->led_n++], ID_SIZE, claim->led[i]);
    call->on.flows = done;
    return &call->op;
}

static struct op *queue_admit(void *self, const struct queue_look *look, ms_t timeout_ms, store_on_queue *done,
                              void *arg)
{
    struct call *call = new_call(self, ADMIT, timeout_ms, arg);
    call->node->looked_ms = loop_now_ms(call->store->sim->loop);
    (void)look;
    call->events = room(call, SIM_PROJECTS_N);
    call->on.queue = done;
    return &call->op;
}

static struct op *stage_usual(void *self, ms_t timeout_ms, store_on_usual *done, void *arg)
{
    struct call *call = new_call(self, USUAL, timeout_ms, arg);
    call->on.usual = done;
    return &call->op;
}

static struct op *flow_load(void *self, const char *project_id, ms_t timeout_ms, store_on_flows *done, void *arg)
{
    struct call *call = new_call(self, LOAD, timeout_ms, arg);
    name_project(call, project_id);
    call->on.flows = done;
    return &call->op;
}

static struct op *flow_save(void *self, const struct flow_save *save, ms_t timeout_ms, store_on_saved *done, void *arg)
{
    struct call *call = new_call(self, SAVE, timeout_ms, arg);
    name_project(call, save->sb->project_id);
    call->save = *save;
    call->save_sb = *save->sb;
    if (save->credentials != NULL) {
        call->save_credentials = *save->credentials;
        call->save_credentials.password = SECRET_NONE;
        call->save.credentials = &call->save_credentials;
    }
    call->save.steps_json = arena_dup_str(call->arena, save->steps_json);
    call->save.events = room(call, save->n_events);
    memcpy(call->save.events, save->events, save->n_events * sizeof(*save->events));
    call->events = room(call, save->n_events);
    call->on.saved = done;
    if (save->steps_json.n >= STEPS_SIZE)
        sim_violated(call->store->sim, "steps are %zu bytes", save->steps_json.n);
    return &call->op;
}

static struct op *watched_list(void *self, const struct watched_query *query, ms_t timeout_ms, store_on_watched *done,
                               void *arg)
{
    struct call *call = new_call(self, WATCHED, timeout_ms, arg);
    call->is_of_all = query->ids == NULL;
    for (size_t i = 0; query->ids != NULL && i < query->ids_n && call->led_n < SIM_PROJECTS_N; i++) {
        bool is_known = false; /* asked for twice */
        for (size_t k = 0; k < call->led_n; k++)
            is_known = is_known || str_eq_text(query->ids[i], call->led[k]);
        if (!is_known)
            text_fit(call->led[call->led_n++], ID_SIZE, query->ids[i]);
    }
    call->on.watched = done;
    return &call->op;
}

static struct op *drift_note(void *self, const struct drift_note *note, ms_t timeout_ms, store_on_drift *done,
                             void *arg)
{
    struct call *call = new_call(self, NOTE, timeout_ms, arg);
    name_project(call, note->project_id);
    call->note = *note;
    text_fit(call->message, sizeof(call->message), str_from(note->message));
    call->events = room(call, 1);
    call->on.drift = done;
    return &call->op;
}

static struct op *env_of(void *self, const char *project_id, ms_t timeout_ms, store_on_env *done, void *arg)
{
    struct call *call = new_call(self, ENV, timeout_ms, arg);
    name_project(call, project_id);
    call->on.env = done;
    return &call->op;
}

static struct op *prove_login(void *self, const struct db_credentials *credentials, ms_t timeout_ms, op_done *done,
                              void *arg)
{
    struct call *call = new_call(self, LOGIN, timeout_ms, arg);
    if (!str_eq(secret_reveal(&credentials->password), STR("p")))
        sim_violated(call->store->sim, "login with a wrong password");
    call->on.done = done;
    return &call->op;
}

static struct op *sandbox_request(void *self, const struct sandbox_request *request, ms_t timeout_ms,
                                  store_on_request *done, void *arg)
{
    struct call *call = new_call(self, REQUEST, timeout_ms, arg);
    name_project(call, request->project_id);
    call->desired = request->desired;
    call->states = request->states;
    call->is_again = request->is_again;
    call->names = *request->names;
    call->now_ms = request->now_ms;
    call->events = room(call, 2);
    call->on.request = done;
    return &call->op;
}

static struct op *journal_read(void *self, const struct journal_query *query, ms_t timeout_ms, store_on_journal *done,
                               void *arg)
{
    struct call *call = new_call(self, JOURNAL, timeout_ms, arg);
    call->query = *query;
    if (query->project_id != NULL)
        name_project(call, query->project_id);
    call->events = room(call, query->limit);
    call->on.journal = done;
    return &call->op;
}

/* A word to the others may be lost or late: the journal is the truth. */
static void journal_publish(void *self, const struct journal_event *event)
{
    struct call *call = new_call(self, WORD, 1000, NULL);
    call->word = *event;
}

static void journal_subscribe(void *self, store_on_foreign_event *on_event, void *arg)
{
    struct node *node = self;
    node->on_event = on_event;
    node->on_event_arg = arg;
}

static void flows_subscribe(void *self, store_on_flows_freed *on_freed, void *arg)
{
    struct node *node = self;
    node->on_freed = on_freed;
    node->on_freed_arg = arg;
}

static void status_drop(void *self, const char *owner_id, const char *project_id)
{
    (void)self;
    (void)owner_id;
    (void)project_id;
}

/* ---- life ---- */

struct sim_store *sim_store_new(struct sim *s)
{
    struct sim_store *st = xcalloc(1, sizeof(*st));
    st->sim = s;
    for (size_t i = 0; i < SIM_NODES_N; i++) {
        struct node *node = &st->nodes[i];
        node->store = st;
        node->port = (struct port_store){.self = node,
                                         .replica_renew = replica_renew,
                                         .replica_release = replica_release,
                                         .flows_subscribe = flows_subscribe,
                                         .flows_claim = flows_claim,
                                         .queue_admit = queue_admit,
                                         .stage_usual = stage_usual,
                                         .flow_load = flow_load,
                                         .flow_save = flow_save,
                                         .watched_list = watched_list,
                                         .drift_note = drift_note,
                                         .env_of = env_of,
                                         .prove_login = prove_login,
                                         .sandbox_request = sandbox_request,
                                         .journal_read = journal_read,
                                         .journal_publish = journal_publish,
                                         .journal_subscribe = journal_subscribe,
                                         .status_drop = status_drop};
        sim_store_new_replica(st, i);
    }
    return st;
}

void sim_store_free(struct sim_store *st)
{
    while (!LIST_EMPTY(&st->calls)) {
        struct call *call = LIST_FIRST(&st->calls);
        LIST_REMOVE(call, link);
        loop_timer_clear(&call->commit);
        loop_timer_clear(&call->answer);
        free_call(call);
    }
    for (size_t i = 0; i < st->rows_n; i++)
        db_credentials_fini(&st->rows[i].credentials);
    free(st);
}

const struct port_store *sim_store_port(struct sim_store *st, size_t node)
{
    return &st->nodes[node].port;
}

void sim_store_new_replica(struct sim_store *st, size_t node)
{
    if (st->replicas_n + 1 < REPLICAS_N)
        st->nodes[node].replica = ++st->replicas_n;
    st->nodes[node].known_until_ms = 0;
    st->nodes[node].well_since_ms = 0;
}

void sim_store_add_project(struct sim_store *st, const char *owner_id, const char *project_id)
{
    struct row *row = &st->rows[st->rows_n++];
    row->exists = true;
    row->sb.is_settled = true;
    text_fit(row->sb.owner_id, sizeof(row->sb.owner_id), str_from(owner_id));
    text_fit(row->sb.project_id, sizeof(row->sb.project_id), str_from(project_id));
}

const struct sandbox *sim_store_row(const struct sim_store *st, const char *project_id)
{
    for (size_t i = 0; i < st->rows_n; i++) {
        if (st->rows[i].exists && strcmp(st->rows[i].sb.project_id, project_id) == 0)
            return &st->rows[i].sb;
    }
    return NULL;
}

bool sim_store_leads(struct sim_store *st, size_t node, const char *project_id)
{
    const struct row *row = sim_store_row_of(st, project_id);
    return row != NULL && row->lease_owner == st->nodes[node].replica;
}

bool sim_store_has_credentials(struct sim_store *st, const char *project_id)
{
    const struct row *row = sim_store_row_of(st, project_id);
    return row != NULL && row->has_credentials;
}

const struct journal_event *sim_store_journal(const struct sim_store *st, size_t *ret_n)
{
    *ret_n = st->journal_n;
    return st->journal;
}

void sim_store_step(struct sim_store *st, ms_t by_ms)
{
    st->clock_ahead_ms += by_ms;
}

ms_t sim_store_written_ms(const struct sim_store *st, uint64_t seq)
{
    return st->written_ms[seq - 1];
}

void sim_store_is_down(struct sim_store *st, size_t node, bool is_down)
{
    st->nodes[node].is_down = is_down;
    st->nodes[node].well_since_ms = 0;
}
