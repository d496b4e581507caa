// SPDX-License-Identifier: MIT
/* Flows: this replica's lease, taking flows over, writing how far they are. */
#include <string.h>

#include "core/base/fit.h"
#include "core/base/log.h"
#include "store/drift_repo.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { LIST_MAX = 1000, STEPS_BYTES_MAX = 4096 };

#define FROM_SANDBOXES                                                                                                 \
    " FROM sandboxes s JOIN projects p ON p.id = s.project_id LEFT JOIN databases d ON d.project_id = s.project_id "

/* A renewal that was given up may be done after the next one: it shortens nothing. A clock that was set back leaves no
 * lease longer than was asked for. Whether the lease was held is asked of the end that was last told: a renewal whose
 * answer was lost may have begun it anew. */
#define SQL_RENEW                                                                                                      \
    "WITH old AS (DELETE FROM replicas WHERE lease_until < now() - interval '1 day' AND id <> $1::text) "              \
    "INSERT INTO replicas AS r (id, address, lease_until) VALUES ($1::text, $2::text, "                                \
    "now() + $3::bigint * interval '1 millisecond') ON CONFLICT (id) DO UPDATE SET lease_until = "                     \
    "least(greatest(r.lease_until, excluded.lease_until), "                                                            \
    "clock_timestamp() + $3::bigint * interval '1 millisecond'), address = excluded.address "                          \
    "RETURNING coalesce($4::timestamptz > now(), false), r.lease_until"

/* The fence grows, so that a write still on its way is refused. The word goes out with the commit. */
#define SQL_RELEASE                                                                                                    \
    "WITH gone AS (DELETE FROM replicas WHERE id = $1::text), freed AS (UPDATE sandboxes SET lease_owner = NULL, "     \
    "fence = fence + 1 WHERE lease_owner = $1::text AND NOT is_settled RETURNING project_id) "                         \
    "SELECT pg_notify($2::text, json_build_object('replica', $1::text, 'freed', count(*))::text) FROM freed "          \
    "HAVING count(*) > 0"

#define SQL_CLAIM                                                                                                      \
    "WITH free AS (SELECT o.project_id FROM sandboxes o WHERE NOT o.is_settled AND NOT fs_waits(o) AND (NOT EXISTS "   \
    "(SELECT FROM "                                                                                                    \
    "replicas r WHERE r.id = o.lease_owner AND r.lease_until > now()) OR ($3::boolean AND o.lease_owner = $1::text "   \
    "AND o.project_id <> ALL ($4::text[]))) ORDER BY o.updated_at LIMIT $2::integer "                                  \
    "FOR UPDATE SKIP LOCKED), s AS (UPDATE sandboxes o SET lease_owner = $1::text, fence = o.fence + 1 FROM free "     \
    "WHERE o.project_id = free.project_id RETURNING o.*) SELECT " ROWS_FLOW                                            \
    " FROM s JOIN projects p ON p.id = s.project_id LEFT JOIN databases d ON d.project_id = s.project_id"

#define SQL_LOAD                                                                                                       \
    "SELECT " ROWS_FLOW FROM_SANDBOXES "WHERE s.project_id = $1::text AND s.lease_owner = $2::text AND NOT "           \
    "s.is_settled"

#define SQL_SAVE                                                                                                       \
    "SELECT fs_flow_save($1::text, $2::text, $3::integer, $4::bigint, $5::bigint, $6::text, $7::text, $8::text, "      \
    "$9::boolean, $10::text, $11::text[], $12::bytea, $13::boolean, $14::boolean, $15::text[], $16::text[], "          \
    "$17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::bigint[], $23::bigint[])"

#define SQL_CREDENTIALS                                                                                                \
    "SELECT " ROWS_CREDENTIALS " FROM projects p JOIN databases d ON d.project_id = p.id "                             \
    "WHERE p.id = $1::text AND p.owner_id = $2::text"

/* ---- the lease ---- */

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    struct store_call *call = arg;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static void on_renewed(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    bool was_held = err == NULL && pg_row_bool(result, 0, 0);
    if (err == NULL)
        text_fit(call->store->lease_until, sizeof(call->store->lease_until), pg_row_str(result, 0, 1));
    call->done.renewed(call->arg, was_held, err);
    store_call_end(call);
}

static struct op *replica_renew(void *self, ms_t lease_ms, ms_t timeout_ms, store_on_renewed *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.renewed = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, s->replica_id);
    pg_add_text(p, s->address);
    pg_add_int(p, lease_ms);
    pg_add_text(p, s->lease_until[0] != '\0' ? s->lease_until : NULL);
    return store_call_query(call, SQL_RENEW, p, on_renewed);
}

static struct op *replica_release(void *self, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, s->replica_id);
    pg_add_text(p, STORE_CHANNEL);
    return store_call_query(call, SQL_RELEASE, p, on_plain);
}

static void flows_subscribe(void *self, store_on_flows_freed *on_freed, void *arg)
{
    struct store *s = self;
    s->on_freed = on_freed;
    s->freed_arg = arg;
}

/* ---- reading flows ---- */

bool flow_repo_read(const struct store_call *call, struct rows_at at, struct flow_row *ret,
                    struct db_credentials *credentials, struct err *reterr)
{
    bool has = false;
    struct err unreadable = {0};
    if (!rows_sandbox(at, &ret->sandbox, reterr))
        return false;
    /* Sealed with a key that is gone: the engine reads them from the cluster again, and other flows must not wait. */
    if (!rows_credentials((struct rows_at){at.result, at.row, at.column + ROWS_SANDBOX_N + 1}, call->store->ring,
                          ret->sandbox.project_id, credentials, &has, &unreadable)) {
        LOG(WARN, "stored credentials cannot be read", KV("project", ret->sandbox.project_id), KV("err", &unreadable));
        has = false;
    }
    ret->steps_json = pg_row_str(at.result, at.row, at.column + ROWS_SANDBOX_N);
    ret->credentials = has ? credentials : NULL;
    return true;
}

static void on_flows(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    struct flow_row *rows = arena_alloc(call->arena, (n + 1) * sizeof(*rows));
    struct db_credentials *credentials = arena_alloc(call->arena, (n + 1) * sizeof(*credentials));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = flow_repo_read(call, (struct rows_at){result, i, 0}, &rows[i], &credentials[i], &mine);
    call->done.flows(call->arg, is_ok ? rows : NULL, is_ok ? n : 0, is_ok ? NULL : &mine);
    for (size_t i = 0; i < n; i++)
        db_credentials_fini(&credentials[i]);
    store_call_end(call);
}

static struct op *flows_claim(void *self, const struct flow_claim *claim, ms_t timeout_ms, store_on_flows *done,
                              void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.flows = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, s->replica_id);
    pg_add_int(p, claim->max < LIST_MAX ? claim->max : LIST_MAX);
    pg_add_bool(p, claim->is_recount);
    pg_add_texts(p, claim->led, claim->is_recount ? claim->led_n : 0);
    return store_call_query(call, SQL_CLAIM, p, on_flows);
}

static struct op *flow_load(void *self, const char *project_id, ms_t timeout_ms, store_on_flows *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.flows = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, project_id);
    pg_add_text(p, s->replica_id);
    return store_call_query(call, SQL_LOAD, p, on_flows);
}

static void on_credentials(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct db_credentials credentials = {0};
    struct err mine = {0};
    bool has = false;
    err_copy(&mine, err);
    bool is_ok =
        err == NULL && (pg_row_count(result) == 0 || rows_credentials((struct rows_at){result, 0, 0}, call->store->ring,
                                                                      call->project_id, &credentials, &has, &mine));
    if (is_ok && !has)
        is_ok = err_set(&mine, ERR_MISSING, __func__, "the project has no database credentials yet");
    call->done.credentials(call->arg, is_ok ? &credentials : NULL, is_ok ? NULL : &mine);
    db_credentials_fini(&credentials);
    store_call_end(call);
}

static struct op *credentials_get(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                                  store_on_credentials *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.credentials = done;
    call->project_id = arena_dup(call->arena, str_from(project_id));
    struct pg_params *p = pg_params_new();
    pg_add_text(p, project_id);
    pg_add_text(p, owner_id);
    return store_call_query(call, SQL_CREDENTIALS, p, on_credentials);
}

/* ---- writing ---- */

static void on_saved(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    if (err != NULL) {
        call->done.saved(call->arg, NULL, 0, err);
        store_call_end(call);
        return;
    }
    uint64_t last = (uint64_t)pg_row_int(result, 0, 0, 0);
    for (size_t i = 0; i < call->n_events; i++)
        call->events[i].seq = last - call->n_events + 1 + i;
    store_cache_drop_status(call->store, call->owner_id, call->project_id);
    call->done.saved(call->arg, call->events, call->n_events, NULL);
    store_call_end(call);
}

static void add_credentials(struct pg_params *p, const struct store_call *call, const struct db_credentials *c)
{
    if (c == NULL) {
        pg_add_null(p);
        pg_add_null(p);
        return;
    }
    const struct str texts[] = {str_from(c->host), str_from(arena_printf(call->arena, "%d", c->port)),
                                str_from(c->user), str_from(c->database)};
    struct str password = secret_reveal(&c->password);
    pg_add_texts(p, texts, sizeof(texts) / sizeof(texts[0]));
    rows_add_box(p, call->store->ring, rows_aad(call->arena, "databases", "password_box", call->project_id),
                 str_is_none(password) ? STR("") : password);
}

static struct op *flow_save(void *self, const struct flow_save *save, ms_t timeout_ms, store_on_saved *done, void *arg)
{
    struct store *s = self;
    const struct sandbox *sb = save->sb;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.saved = done;
    call->owner_id = arena_dup(call->arena, str_from(sb->owner_id));
    call->project_id = arena_dup(call->arena, str_from(sb->project_id));
    call->n_events = save->n_events;
    call->events = arena_alloc(call->arena, (save->n_events + 1) * sizeof(*call->events));
    for (size_t i = 0; i < save->n_events; i++) {
        /* As the rows will say, whatever the caller left open. */
        call->events[i] = save->events[i];
        call->events[i].attempt = sb->attempt;
        memcpy(call->events[i].owner_id, sb->owner_id, sizeof(sb->owner_id));
        memcpy(call->events[i].project_id, sb->project_id, sizeof(sb->project_id));
    }
    struct pg_params *p = pg_params_new();
    pg_add_text(p, sb->project_id);
    pg_add_text(p, s->replica_id);
    pg_add_int(p, sb->attempt);
    pg_add_int(p, sb->fence);
    pg_add_int(p, sb->saves);
    pg_add_text(p, sandbox_status_row(sb->status));
    pg_add_text(p, reason_id(sb->code));
    pg_add_text(p, sb->message);
    pg_add_bool(p, sb->is_settled);
    if (save->steps_json.n > STEPS_BYTES_MAX)
        pg_params_refuse(p, ERR_TOO_LARGE);
    pg_add_str(p, str_is_none(save->steps_json) ? STR("") : save->steps_json);
    add_credentials(p, call, save->credentials);
    pg_add_bool(p, save->is_project_gone);
    pg_add_bool(p, journal_repo_must_notify(s));
    journal_repo_add_events(p, save->events, save->n_events);
    return store_call_query(call, SQL_SAVE, p, on_saved);
}

void flow_repo_fill(struct port_store *port)
{
    port->replica_renew = replica_renew;
    port->replica_release = replica_release;
    port->flows_subscribe = flows_subscribe;
    port->flows_claim = flows_claim;
    port->flow_load = flow_load;
    drift_repo_fill(port);
    port->credentials_get = credentials_get;
    port->flow_save = flow_save;
}
