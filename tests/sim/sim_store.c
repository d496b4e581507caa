// SPDX-License-Identifier: MIT
/* The simulated store: rows, leases, fences and a gapless journal in memory, behind calls that may fail before or after
 * their commit. */
#include <string.h>
#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/fit.h"
#include "core/base/xmem.h"
#include "tests/sim/sim.h"

enum { STEPS_SIZE = 4097, REPLICAS_N = 64 };

struct row {
    bool exists;
    bool has_sandbox;
    bool has_database;
    struct sandbox sb;
    char steps[STEPS_SIZE];
    bool has_credentials;
    struct db_credentials credentials;
    int lease_owner;
};

struct sim_store {
    struct sim *sim;
    struct port_store port;
    LIST_HEAD(, call) calls;
    struct row rows[SIM_PROJECTS_N];
    size_t rows_n;
    struct journal_event journal[SIM_JOURNAL_N];
    size_t journal_n;
    int replica;
    ms_t alive_until_ms[REPLICAS_N];
    bool is_down;
};

enum verb { RENEW, RELEASE, CLAIM, LOAD, SAVE, ENV, LOGIN, REQUEST, JOURNAL };

struct call {
    struct op op;
    LIST_ENTRY(call) link;
    struct sim_store *store;
    enum verb verb;
    int replica;
    struct loop_timer commit;
    struct loop_timer answer;
    struct err err;
    bool is_refused;
    bool has_committed;
    bool is_answered;
    struct arena *arena;
    /* what it asks */
    char project_id[ID_SIZE];
    ms_t lease_ms;
    bool is_recount;
    char led[SIM_PROJECTS_N][ID_SIZE];
    size_t led_n;
    struct flow_save save;
    struct sandbox save_sb;
    struct db_credentials save_credentials;
    enum desired desired;
    struct sandbox names;
    int64_t now_ms;
    struct journal_query query;
    /* what it got */
    enum request_result result;
    struct flow_row flows[SIM_PROJECTS_N];
    size_t flows_n;
    struct journal_event *events;
    size_t events_n;
    uint64_t last_seq;
    struct sandbox sb;
    union {
        op_done *done;
        store_on_flows *flows;
        store_on_saved *saved;
        store_on_env *env;
        store_on_request *request;
        store_on_journal *journal;
    } on;
    void *arg;
};

static ms_t now_of(const struct sim_store *st)
{
    return loop_now_ms(st->sim->loop);
}

static struct row *row_of(struct sim_store *st, const char *project_id)
{
    for (size_t i = 0; i < st->rows_n; i++) {
        if (st->rows[i].exists && strcmp(st->rows[i].sb.project_id, project_id) == 0)
            return &st->rows[i];
    }
    return NULL;
}

static bool is_alive(const struct sim_store *st, int replica)
{
    return replica > 0 && now_of(st) < st->alive_until_ms[replica];
}

static struct journal_event *append(struct call *call, const struct journal_event *e)
{
    struct sim_store *st = call->store;
    if (st->journal_n == SIM_JOURNAL_N) {
        sim_violated(st->sim, "the journal grows without end");
        return NULL;
    }
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
    }
    memcpy(sb->restart_time, call->names.restart_time, sizeof(sb->restart_time));
    sb->attempt++;
    sb->attempt_started_ms = call->now_ms;
    row->has_sandbox = true;
    row->has_database = true;
}

static void commit_request(struct call *call)
{
    struct sim_store *st = call->store;
    struct row *row = row_of(st, call->project_id);
    if (row == NULL) {
        (void)err_set(&call->err, ERR_MISSING, __func__, "Project not found");
        return;
    }
    struct sandbox *sb = &row->sb;
    bool wants_running = call->desired == DESIRED_RUNNING;
    bool is_live = row->has_sandbox && sb->status != SANDBOX_TERMINATED;
    call->result = REQUEST_STARTED;
    if (row->has_sandbox && !sb->is_settled && sb->desired >= DESIRED_DELETED) {
        call->result = REQUEST_REFUSED;
    } else if (wants_running) {
        if (is_live && !sb->is_settled && sb->desired == DESIRED_RUNNING)
            call->result = REQUEST_IN_PROGRESS;
        else if (is_live && !sb->is_settled)
            (void)err_set(&call->err, ERR_CONFLICT, __func__, "being terminated");
        else if (is_live && sb->status == SANDBOX_RUNNING)
            call->result = REQUEST_ALREADY;
    } else if (call->desired == DESIRED_TERMINATED && !is_live) {
        call->result = row->has_sandbox ? REQUEST_ALREADY : REQUEST_NOTHING;
    } else if (is_live && !sb->is_settled && sb->desired == call->desired) {
        call->result = REQUEST_IN_PROGRESS;
    }
    if (call->result != REQUEST_STARTED || call->err.kind != ERR_NONE)
        return;
    struct journal_event e = {.kind = JOURNAL_STATUS, .duration_ms = -1};
    memcpy(e.owner_id, sb->owner_id, sizeof(e.owner_id));
    memcpy(e.project_id, sb->project_id, sizeof(e.project_id));
    if (!wants_running && !row->has_sandbox) {
        /* Nothing was ever made: the project goes at once. */
        e.kind = JOURNAL_DONE;
        e.outcome = OUTCOME_DELETED;
        (void)append(call, &e);
        call->sb = *sb;
        row->exists = false;
        return;
    }
    if (wants_running)
        start_attempt(call, row, is_live);
    sb->status = wants_running ? SANDBOX_CREATING : SANDBOX_TERMINATING;
    sb->desired = call->desired;
    sb->is_settled = false;
    sb->fence++;
    if (!is_alive(st, row->lease_owner))
        row->lease_owner = call->replica;
    e.status = sb->status;
    e.attempt = sb->attempt;
    (void)append(call, &e);
    call->sb = *sb;
}

static void commit_save(struct call *call)
{
    struct sim_store *st = call->store;
    struct row *row = row_of(st, call->project_id);
    const struct sandbox *sb = &call->save_sb;
    bool is_mine = row != NULL && row->lease_owner == call->replica && is_alive(st, call->replica) &&
                   row->sb.fence == sb->fence && row->sb.saves == sb->saves && row->sb.attempt == sb->attempt &&
                   !row->sb.is_settled;
    if (!is_mine) {
        (void)err_set(&call->err, ERR_CONFLICT, __func__, "fenced");
        text_fit(call->err.reason, sizeof(call->err.reason), STR("Fenced"));
        return;
    }
    for (size_t i = 0; i < call->save.n_events; i++)
        (void)append(call, &call->save.events[i]);
    row->sb.status = sb->status;
    row->sb.code = sb->code;
    row->sb.is_settled = sb->is_settled;
    row->sb.saves++;
    (void)!str_copy(call->save.steps_json, row->steps, sizeof(row->steps));
    if (call->save.credentials != NULL) {
        row->has_credentials = true;
        db_credentials_fini(&row->credentials);
        row->credentials = *call->save.credentials;
        row->credentials.password = secret_new(STR("p"));
    }
    if (sb->is_settled)
        row->lease_owner = 0;
    if (call->save.is_project_gone)
        row->exists = false;
}

static void give(struct call *call, struct row *row)
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

static void commit(struct call *call)
{
    struct sim_store *st = call->store;
    call->has_committed = true;
    switch (call->verb) {
    case RENEW:
        st->alive_until_ms[call->replica] = now_of(st) + call->lease_ms;
        break;
    case RELEASE:
        st->alive_until_ms[call->replica] = 0;
        break;
    case CLAIM:
        for (size_t i = 0; i < st->rows_n; i++) {
            struct row *row = &st->rows[i];
            bool is_free = !is_alive(st, row->lease_owner) || is_lost(call, row);
            if (!row->exists || !row->has_sandbox || row->sb.is_settled || !is_free)
                continue;
            row->lease_owner = call->replica;
            row->sb.fence++;
            give(call, row);
        }
        break;
    case LOAD: {
        struct row *row = row_of(st, call->project_id);
        if (row != NULL && row->has_sandbox && !row->sb.is_settled && row->lease_owner == call->replica)
            give(call, row);
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
    case ENV:
    case LOGIN:
        break;
    }
}

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

static void on_commit(void *arg)
{
    struct call *call = arg;
    commit(call);
    maybe_free(call);
}

static void on_answer(void *arg)
{
    struct call *call = arg;
    const struct err *err = call->err.kind != ERR_NONE ? &call->err : NULL;
    const struct env_list env = {NULL, 0};
    call->is_answered = true;
    switch (call->verb) {
    case RENEW:
    case RELEASE:
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
    case JOURNAL:
        call->on.journal(call->arg, call->events, err == NULL ? call->events_n : 0, call->last_seq, err);
        break;
    }
    maybe_free(call);
}

static struct call *new_call(struct sim_store *st, enum verb verb, ms_t timeout_ms, void *arg)
{
    struct sim *s = st->sim;
    struct call *call = xcalloc(1, sizeof(*call));
    call->op.cancel = cancel_call;
    LIST_INSERT_HEAD(&st->calls, call, link);
    call->store = st;
    call->verb = verb;
    call->replica = st->replica;
    call->arena = arena_new();
    call->arg = arg;
    loop_timer_init(&call->commit, s->loop, on_commit, call);
    loop_timer_init(&call->answer, s->loop, on_answer, call);
    ms_t commit_ms = sim_between(s, 1, 10);
    ms_t answer_ms = commit_ms + sim_between(s, 1, 10);
    bool is_unheard = false;
    if (st->is_down || sim_percent(s, 4)) {
        call->is_refused = true;
        (void)err_set(&call->err, ERR_NOT_READY, __func__, "no connection");
    } else if (sim_percent(s, 4)) {
        is_unheard = true;
        commit_ms = sim_between(s, 1, timeout_ms + 3000);
        answer_ms = timeout_ms;
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

static struct op *replica_renew(void *self, ms_t lease_ms, ms_t timeout_ms, op_done *done, void *arg)
{
    struct call *call = new_call(self, RENEW, timeout_ms, arg);
    call->lease_ms = lease_ms;
    call->on.done = done;
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

static void journal_publish(void *self, const struct journal_event *event)
{
    (void)self;
    (void)event;
}

static void journal_subscribe(void *self, store_on_foreign_event *on_event, void *arg)
{
    (void)self;
    (void)on_event;
    (void)arg;
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
    st->replica = 1;
    st->port = (struct port_store){.self = st,
                                   .replica_renew = replica_renew,
                                   .replica_release = replica_release,
                                   .flows_claim = flows_claim,
                                   .flow_load = flow_load,
                                   .flow_save = flow_save,
                                   .env_of = env_of,
                                   .prove_login = prove_login,
                                   .sandbox_request = sandbox_request,
                                   .journal_read = journal_read,
                                   .journal_publish = journal_publish,
                                   .journal_subscribe = journal_subscribe,
                                   .status_drop = status_drop};
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

const struct port_store *sim_store_port(struct sim_store *st)
{
    return &st->port;
}

void sim_store_new_replica(struct sim_store *st)
{
    if (st->replica + 1 < REPLICAS_N)
        st->replica++;
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

bool sim_store_has_credentials(struct sim_store *st, const char *project_id)
{
    const struct row *row = row_of(st, project_id);
    return row != NULL && row->has_credentials;
}

const struct journal_event *sim_store_journal(const struct sim_store *st, size_t *ret_n)
{
    *ret_n = st->journal_n;
    return st->journal;
}

void sim_store_is_down(struct sim_store *st, bool is_down)
{
    st->is_down = is_down;
}
