// SPDX-License-Identifier: MIT
/* A user's sessions as their owner sees and ends them, and which sessions and tokens have ended meanwhile. */
#include "store/store_private.h"
#include "store/store_rows.h"

enum { SESSIONS_LISTED_MAX = 200 };
enum { COLUMN_ID, COLUMN_AGENT, COLUMN_ADDRESS, COLUMN_CREATED, COLUMN_USED, COLUMN_UNTIL, COLUMN_CURRENT };

#define SQL_LIST                                                                                                       \
    "SELECT id, agent, address, fs_ms(created_at), fs_ms(used_at), fs_ms(least(idle_until, absolute_until)), "         \
    "token_hash = $2::bytea FROM sessions WHERE user_id = $1::text AND idle_until > now() AND absolute_until > now() " \
    "ORDER BY used_at DESC, id LIMIT $3::bigint"
/* $2 NULL: all; $3 NULL: none is kept. */
#define SQL_REVOKE                                                                                                     \
    "WITH gone AS (DELETE FROM sessions WHERE user_id = $1::text AND ($2::text IS NULL OR id = $2::text) "             \
    "AND ($3::bytea IS NULL OR token_hash <> $3::bytea) RETURNING token_hash) "                                        \
    "SELECT fs_credential_ended(token_hash) FROM gone"
/* A row without a hash: there is such a user. */
#define SQL_REVOKE_ALL                                                                                                 \
    "WITH s AS (DELETE FROM sessions WHERE user_id = $1::text RETURNING token_hash), "                                 \
    "t AS (UPDATE api_tokens SET revoked_at = now() WHERE user_id = $1::text AND revoked_at IS NULL "                  \
    "RETURNING token_hash) SELECT NULL FROM users WHERE id = $1::text UNION ALL "                                      \
    "SELECT fs_credential_ended(h.token_hash) FROM (TABLE s UNION ALL TABLE t) h"
#define SQL_ENDED                                                                                                      \
    "SELECT h FROM unnest($1::text[]) AS h WHERE NOT EXISTS (SELECT FROM sessions s "                                  \
    "WHERE s.token_hash = decode(h, 'hex') AND s.idle_until > now() AND s.absolute_until > now()) "                    \
    "AND NOT EXISTS (SELECT FROM api_tokens t WHERE t.token_hash = decode(h, 'hex') AND t.revoked_at IS NULL "         \
    "AND t.valid_until > now())"

/* ---- list ---- */

static bool read_session(const struct pg_result *r, size_t row, struct session_info *ret, struct err *reterr)
{
    ret->created_ms = pg_row_time_ms(r, row, COLUMN_CREATED);
    ret->used_ms = pg_row_time_ms(r, row, COLUMN_USED);
    ret->expires_ms = pg_row_time_ms(r, row, COLUMN_UNTIL);
    ret->is_current = pg_row_bool(r, row, COLUMN_CURRENT);
    return pg_row_copy(r, row, COLUMN_ID, ret->id, sizeof(ret->id), reterr) &&
           pg_row_copy(r, row, COLUMN_AGENT, ret->agent, sizeof(ret->agent), reterr) &&
           pg_row_copy(r, row, COLUMN_ADDRESS, ret->address, sizeof(ret->address), reterr);
}

static void on_sessions(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine = {0};
    err_copy(&mine, err);
    size_t n = err == NULL ? pg_row_count(result) : 0;
    struct session_info *sessions = arena_alloc(call->arena, (n + 1) * sizeof(*sessions));
    for (size_t i = 0; i < n && mine.kind == ERR_NONE; i++)
        (void)!read_session(result, i, &sessions[i], &mine);
    if (mine.kind == ERR_NONE)
        call->done.sessions(call->arg, sessions, n, NULL);
    else
        call->done.sessions(call->arg, NULL, 0, &mine);
    store_call_end(call);
}

static struct op *session_list(void *self, const char *user_id, struct str current_token, ms_t timeout_ms,
                               store_on_sessions *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.sessions = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, user_id);
    identity_repo_add_hash(p, current_token);
    pg_add_int(p, SESSIONS_LISTED_MAX);
    return store_call_query(call, SQL_LIST, p, on_sessions);
}

/* ---- revoke ---- */

static void on_revoked(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    identity_repo_end_revoked(call, result, err, call->must_exist ? "Session not found" : NULL);
}

static void on_locked_out(void *arg, const struct pg_result *result, const struct err *err)
{
    identity_repo_end_revoked(arg, result, err, "User not found");
}

static struct op *session_revoke(void *self, const struct session_choice *which, ms_t timeout_ms, op_done *done,
                                 void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    call->must_exist = which->id != NULL;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, which->user_id);
    pg_add_text(p, which->id);
    if (str_is_none(which->kept_token))
        pg_add_null(p);
    else
        identity_repo_add_hash(p, which->kept_token);
    return store_call_query(call, SQL_REVOKE, p, on_revoked);
}

static struct op *credentials_revoke(void *self, const char *user_id, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, user_id);
    return store_call_query(call, SQL_REVOKE_ALL, p, on_locked_out);
}

/* ---- what has ended ---- */

static void on_ended(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = err == NULL ? pg_row_count(result) : 0;
    struct str *hexes = arena_alloc(call->arena, (n + 1) * sizeof(*hexes));
    for (size_t i = 0; i < n; i++)
        hexes[i] = pg_row_str(result, i, 0);
    call->done.hashes(call->arg, hexes, n, err);
    store_call_end(call);
}

static struct op *credentials_ended(void *self, const struct str *hexes, size_t n, ms_t timeout_ms,
                                    store_on_hashes *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.hashes = done;
    struct pg_params *p = pg_params_new();
    pg_add_texts(p, hexes, n);
    return store_call_query(call, SQL_ENDED, p, on_ended);
}

static void credentials_subscribe(void *self, void (*on_credential_ended)(void *arg, struct str hash_hex), void *arg)
{
    struct store *s = self;
    s->on_ended = on_credential_ended;
    s->ended_arg = arg;
}

void session_repo_fill(struct port_store *port)
{
    port->session_list = session_list;
    port->session_revoke = session_revoke;
    port->credentials_revoke = credentials_revoke;
    port->credentials_ended = credentials_ended;
    port->credentials_subscribe = credentials_subscribe;
}
