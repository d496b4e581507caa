// SPDX-License-Identifier: MIT
/* What an owner asks of a sandbox or a project: one call of fs_sandbox_ask. */
#include "store/environment_repo.h"
#include "store/store_private.h"
#include "store/store_rows.h"

#define SQL_REQUEST                                                                                                    \
    "SELECT result, " ROWS_SANDBOX ", " ROWS_EVENT " FROM fs_sandbox_ask($1::text, $2::text, $3::text, $4::text, "     \
    "$5::bigint, $6::text, $7::text[], $8::text[], $9::bytea, $10::boolean, $11::text[], $12::boolean, "               \
    "$13::bigint[], $14::bigint) AS f (result, s, p, d, j)"

/* A request, and its place in the queue. */
enum { EVENTS_N = 2 };
enum { COLUMN_SANDBOX = 1, COLUMN_EVENT = COLUMN_SANDBOX + ROWS_SANDBOX_N };

static bool parse_result(struct str text, enum request_result *ret)
{
    static const char *const ids[] = {[REQUEST_STARTED] = "started",
                                      [REQUEST_IN_PROGRESS] = "in_progress",
                                      [REQUEST_ALREADY] = "already",
                                      [REQUEST_NOTHING] = "nothing",
                                      [REQUEST_REFUSED] = "refused"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (str_eq_text(text, ids[i])) {
            *ret = (enum request_result)i;
            return true;
        }
    }
    return false;
}

struct answer {
    enum request_result result;
    struct sandbox sandbox;
    struct journal_event events[EVENTS_N];
    size_t n_events;
};

/* Without a sandbox row there is nothing but whose project it is, or was. */
static bool read_answer(const struct store_call *call, const struct pg_result *r, struct answer *ret,
                        struct err *reterr)
{
    if (pg_row_count(r) == 0)
        return err_set(reterr, ERR_MISSING, __func__, "Project not found");
    if (!parse_result(pg_row_str(r, 0, 0), &ret->result))
        return err_set(reterr, ERR_BUG, __func__, "fs_sandbox_ask said something unknown");
    for (size_t i = 0; i < pg_row_count(r) && i < EVENTS_N && !pg_row_is_null(r, i, COLUMN_EVENT); i++) {
        if (!rows_event((struct rows_at){r, i, COLUMN_EVENT}, &ret->events[ret->n_events++], reterr))
            return false;
    }
    if (!pg_row_is_null(r, 0, COLUMN_SANDBOX))
        return rows_sandbox((struct rows_at){r, 0, COLUMN_SANDBOX}, &ret->sandbox, reterr);
    ret->sandbox.status = SANDBOX_TERMINATED;
    ret->sandbox.desired = DESIRED_TERMINATED;
    ret->sandbox.is_settled = true;
    return str_copy(str_from(call->owner_id), ret->sandbox.owner_id, sizeof(ret->sandbox.owner_id)) &&
           str_copy(str_from(call->project_id), ret->sandbox.project_id, sizeof(ret->sandbox.project_id));
}

static void on_request(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct answer *answer = arena_alloc(call->arena, sizeof(*answer));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_answer(call, result, answer, &mine);
    if (is_ok) {
        store_cache_drop_status(call->store, call->owner_id, call->project_id);
        call->done.request(call->arg, answer->result, &answer->sandbox, answer->events, answer->n_events, NULL);
    } else {
        call->done.request(call->arg, REQUEST_REFUSED, NULL, NULL, 0, &mine);
    }
    store_call_end(call);
}

static void add_names(struct pg_params *p, const struct sandbox *names)
{
    if (names == NULL) {
        pg_add_texts(p, NULL, 0);
        pg_add_texts(p, NULL, 0);
        return;
    }
    const struct str texts[] = {str_from(names->namespace_name),
                                str_from(names->slug),
                                str_from(names->name),
                                str_from(names->database_name),
                                str_from(names->app_host),
                                str_from(names->tty_host),
                                str_from(names->app_label),
                                str_from(names->tty_label),
                                str_from(names->image),
                                str_from(names->restart_time),
                                str_from(workload_id(names->kinds.workload)),
                                str_from(route_id(names->kinds.route))};
    struct str ports[SANDBOX_PORT_N];
    for (size_t i = 0; i < SANDBOX_PORT_N; i++)
        ports[i] = str_from(names->port_names[i]);
    pg_add_texts(p, texts, sizeof(texts) / sizeof(texts[0]));
    pg_add_texts(p, ports, SANDBOX_PORT_N);
}

static void add_states(struct pg_params *p, unsigned states)
{
    struct str texts[SANDBOX_STATUS_N];
    size_t n = 0;
    for (size_t i = 0; i < SANDBOX_STATUS_N; i++) {
        if (states == 0 || (states >> i & 1) != 0)
            texts[n++] = str_from(sandbox_status_row((enum sandbox_status)i));
    }
    pg_add_texts(p, texts, n);
}

static void add_limits(struct pg_params *p, const struct request_limits *l)
{
    const int64_t most[] = {l->user_sandboxes_max,    l->cluster_sandboxes_max, l->cluster_creations_max,
                            l->replica_creations_max, l->creations_max,         l->waiting_max};
    pg_add_ints(p, most, sizeof(most) / sizeof(most[0]));
    pg_add_int(p, l->usual_ms);
}

static struct op *sandbox_request(void *self, const struct sandbox_request *request, ms_t timeout_ms,
                                  store_on_request *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.request = done;
    call->owner_id = arena_dup(call->arena, str_from(request->owner_id));
    call->project_id = arena_dup(call->arena, str_from(request->project_id));
    char id[CODEC_UUID_SIZE];
    codec_uuid7(request->now_ms, id);
    struct pg_params *p = pg_params_new();
    struct err err = {0};
    pg_add_text(p, request->owner_id);
    pg_add_text(p, request->project_id);
    pg_add_text(p, desired_id(request->desired));
    pg_add_text(p, s->replica_id);
    pg_add_int(p, request->now_ms);
    pg_add_text(p, id);
    add_names(p, request->names);
    bool is_ok = true;
    if (request->desired == DESIRED_RUNNING && request->names == NULL)
        is_ok = err_set(&err, ERR_BUG, __func__, "a sandbox cannot be made without names");
    if (!is_ok || !environment_repo_add(p, s, request->project_id, request->env, &err)) {
        pg_params_free(p);
        return store_call_refuse(call, &err, on_request);
    }
    pg_add_bool(p, journal_repo_must_notify(s));
    add_states(p, request->states);
    pg_add_bool(p, request->is_again);
    add_limits(p, &request->limits);
    return store_call_query(call, SQL_REQUEST, p, on_request);
}

void request_repo_fill(struct port_store *port)
{
    port->sandbox_request = sandbox_request;
    environment_repo_fill(port);
}
