// SPDX-License-Identifier: MIT
/* Sign-in links and sessions, and who shows a session or API token. Tokens are hashed here and never stored; found
 * sessions are remembered for a minute, and an ended one is remembered as ended, so that a look-up that was under way
 * cannot bring it back. */
#include <string.h>

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { SESSION_TTL_MS = 60000, SESSION_JSON_BYTES_MAX = 8192, COLUMN_UNTIL = ROWS_USER_N, COLUMN_SCOPES, COLUMN_TOKEN };

#define ENDED STR("ended")

#define SQL_LINK_CREATE                                                                                                \
    "SELECT fs_signin_link_create($1::text, $2::text, $3::text, $4::text, $5::text, $6::bytea, $7::bigint)"
#define SQL_LINK_USE                                                                                                   \
    "SELECT " ROWS_USER                                                                                                \
    ", fs_ms(until), NULL, NULL FROM fs_signin_link_enter($1::bytea, $2::bytea, $3::bytea, $4::bigint, "               \
    "$5::bigint, $6::text, $7::text) "                                                                                 \
    "AS f (u, until)"
#define SQL_SESSION_FIND                                                                                               \
    "SELECT " ROWS_USER ", fs_ms(until), NULL, NULL FROM fs_session_find($1::bytea) AS f (u, until)"
#define SQL_SESSION_END                                                                                                \
    "WITH gone AS (DELETE FROM sessions WHERE token_hash = $1::bytea RETURNING token_hash) SELECT "                    \
    "fs_credential_ended(token_hash) FROM gone"

void identity_repo_add_hash(struct pg_params *p, struct str token)
{
    uint8_t hash[CODEC_SHA256_BYTES];
    codec_sha256(token, hash);
    pg_add_bytea(p, (struct str){(const char *)hash, sizeof(hash)});
}

static struct str key_of_hex(struct arena *a, struct str hex)
{
    return str_from(arena_printf(a, "fsd:session:%.*s", STR_ARG(hex)));
}

struct str identity_repo_hash_hex(struct arena *a, struct str token)
{
    uint8_t hash[CODEC_SHA256_BYTES];
    struct buf b;
    codec_sha256(token, hash);
    buf_init(&b, 2 * CODEC_SHA256_BYTES);
    codec_hex(&b, hash, sizeof(hash));
    struct str hex = str_from(arena_dup(a, buf_str(&b)));
    buf_fini(&b);
    return hex;
}

static struct str session_key(struct arena *a, struct str token)
{
    return key_of_hex(a, identity_repo_hash_hex(a, token));
}

void identity_repo_ended(struct store *s, struct str hex)
{
    struct arena *a = arena_new();
    store_cache_put(s, key_of_hex(a, hex), ENDED, SESSION_TTL_MS);
    if (s->on_ended != NULL)
        s->on_ended(s->ended_arg, hex);
    arena_free(a);
}

void identity_repo_end_revoked(struct store_call *call, const struct pg_result *result, const struct err *err,
                               const char *missing)
{
    struct err mine = {0};
    err_copy(&mine, err);
    size_t n = err == NULL ? pg_row_count(result) : 0;
    for (size_t i = 0; i < n; i++) {
        if (!pg_row_is_null(result, i, 0))
            identity_repo_ended(call->store, pg_row_str(result, i, 0));
    }
    if (err == NULL && n == 0 && missing != NULL)
        err_set(&mine, ERR_MISSING, __func__, "%s", missing);
    call->done.plain(call->arg, mine.kind != ERR_NONE ? &mine : NULL);
    store_call_end(call);
}

/* ---- links ---- */

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    struct store_call *call = arg;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static struct op *signin_link_create(void *self, struct str user_key, struct str token, ms_t valid_ms, ms_t timeout_ms,
                                     op_done *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.plain = done;
    size_t colon = str_find(user_key, ':', 0);
    struct str name = str_slice(user_key, colon + 1, user_key.n);
    if (colon == 0 || name.n == 0 || name.n >= sizeof(((struct principal *)NULL)->name)) {
        struct err err = {0};
        err_set(&err, ERR_INVALID, __func__, "a user is named as local:NAME");
        return store_call_refuse(call, &err, on_plain);
    }
    char user_id[CODEC_UUID_SIZE];
    char identity_id[CODEC_UUID_SIZE];
    codec_uuid7(loop_wall_ms(s->loop), user_id);
    codec_uuid7(loop_wall_ms(s->loop), identity_id);
    struct pg_params *p = pg_params_new();
    pg_add_str(p, str_slice(user_key, 0, colon));
    pg_add_str(p, name);
    pg_add_str(p, name);
    pg_add_text(p, user_id);
    pg_add_text(p, identity_id);
    identity_repo_add_hash(p, token);
    pg_add_int(p, valid_ms);
    return store_call_query(call, SQL_LINK_CREATE, p, on_plain);
}

unsigned identity_repo_scopes(struct str words)
{
    unsigned scopes = 0;
    struct str word;
    enum token_scope scope;
    while (str_next(&words, ' ', &word)) {
        if (token_scope_parse(word, &scope))
            scopes |= 1U << scope;
    }
    return scopes;
}

static bool read_principal(const struct pg_result *r, struct principal *ret, struct err *reterr)
{
    if (pg_row_count(r) == 0)
        return err_set(reterr, ERR_UNAUTHENTICATED, __func__, "the sign-in is unknown, used or over");
    ret->expires_ms = 0;
    if (!rows_user((struct rows_at){r, 0, 0}, ret, reterr))
        return false;
    ret->expires_ms = pg_row_time_ms(r, 0, COLUMN_UNTIL);
    ret->scopes = identity_repo_scopes(pg_row_str(r, 0, COLUMN_SCOPES));
    return pg_row_copy(r, 0, COLUMN_TOKEN, ret->token_id, sizeof(ret->token_id), reterr);
}

static void tell_principal(struct store_call *call, const struct principal *who, const struct err *err)
{
    call->done.principal(call->arg, err == NULL ? who : NULL, err);
    store_call_end(call);
}

void identity_repo_tell(struct store_call *call, const struct pg_result *result, const struct err *err)
{
    struct principal who = {0};
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_principal(result, &who, &mine);
    if (is_ok && !str_is_none(call->former_hex))
        identity_repo_ended(call->store, call->former_hex);
    tell_principal(call, &who, is_ok ? NULL : &mine);
}

static void on_link_used(void *arg, const struct pg_result *result, const struct err *err)
{
    identity_repo_tell(arg, result, err);
}

void identity_repo_add_session(struct store_call *call, struct pg_params *p, const struct session_wish *wish)
{
    if (!str_is_none(wish->former))
        call->former_hex = identity_repo_hash_hex(call->arena, wish->former);
    identity_repo_add_hash(p, wish->token);
    if (str_is_none(wish->former))
        pg_add_null(p);
    else
        identity_repo_add_hash(p, wish->former);
    pg_add_int(p, wish->idle_ms);
    pg_add_int(p, wish->absolute_ms);
    pg_add_str(p, wish->agent);
    pg_add_str(p, wish->address);
}

static struct op *signin_link_use(void *self, struct str token, const struct session_wish *wish, ms_t timeout_ms,
                                  store_on_principal *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.principal = done;
    struct pg_params *p = pg_params_new();
    identity_repo_add_hash(p, token);
    identity_repo_add_session(call, p, wish);
    return store_call_query(call, SQL_LINK_USE, p, on_link_used);
}

/* ---- sessions ---- */

static void remember(struct store_call *call, const struct principal *who)
{
    int64_t left_ms = who->expires_ms - loop_wall_ms(call->store->loop);
    struct json_writer *w = jw_new(SESSION_JSON_BYTES_MAX);
    struct str json;
    jw_object(w);
    jw_kv_text(w, "id", who->user_id);
    jw_kv_text(w, "name", who->name);
    jw_kv_text(w, "email", who->email);
    jw_kv_text(w, "image", who->image);
    jw_kv_bool(w, "is_admin", who->is_admin);
    jw_kv_int(w, "scopes", who->scopes);
    jw_kv_text(w, "token_id", who->token_id);
    jw_kv_int(w, "expires", who->expires_ms);
    jw_object_end(w);
    if (left_ms > 0 && jw_finish(w, &json, NULL))
        store_cache_add(call->store, call->key, json, left_ms < SESSION_TTL_MS ? left_ms : SESSION_TTL_MS);
    jw_free(w);
}

static bool recall(struct store_call *call, struct str json, struct principal *ret)
{
    const struct json_value *v = json_parse(call->arena, json, &JSON_LIMITS_BODY, NULL);
    *ret = (struct principal){0};
    ret->is_admin = json_bool(json_find(v, "is_admin"), false);
    ret->scopes = (unsigned)json_int(json_find(v, "scopes"), 0);
    ret->expires_ms = json_int(json_find(v, "expires"), 0);
    return ret->expires_ms > loop_wall_ms(call->store->loop) &&
           str_copy(json_str(json_find(v, "token_id")), ret->token_id, sizeof(ret->token_id)) &&
           str_copy(json_str(json_find(v, "id")), ret->user_id, sizeof(ret->user_id)) &&
           str_copy(json_str(json_find(v, "name")), ret->name, sizeof(ret->name)) &&
           str_copy(json_str(json_find(v, "email")), ret->email, sizeof(ret->email)) &&
           str_copy(json_str(json_find(v, "image")), ret->image, sizeof(ret->image));
}

static void on_session(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct principal who = {0};
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_principal(result, &who, &mine);
    if (is_ok)
        remember(call, &who);
    tell_principal(call, &who, is_ok ? NULL : &mine);
}

static void on_cached(void *arg, struct str json, const struct err *err)
{
    struct store_call *call = arg;
    struct principal who = {0};
    struct err ended = {0};
    if (err == NULL && str_eq(json, ENDED)) {
        err_set(&ended, ERR_UNAUTHENTICATED, __func__, "the session has ended");
        tell_principal(call, NULL, &ended);
    } else if (err == NULL && recall(call, json, &who)) {
        tell_principal(call, &who, NULL);
    } else {
        struct pg_params *p = pg_params_new();
        pg_add_bytea(p, call->hash);
        (void)store_call_query(call, call->sql, p, on_session);
    }
}

struct op *identity_repo_find(struct store *s, struct str token, const char *sql, ms_t timeout_ms,
                              store_on_principal *done, void *arg)
{
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.principal = done;
    call->sql = sql;
    call->key = session_key(call->arena, token);
    uint8_t hash[CODEC_SHA256_BYTES];
    codec_sha256(token, hash);
    call->hash = arena_dup_str(call->arena, (struct str){(const char *)hash, sizeof(hash)});
    store_cache_find(call, call->key, on_cached);
    return &call->op;
}

static struct op *session_find(void *self, struct str session_token, ms_t timeout_ms, store_on_principal *done,
                               void *arg)
{
    return identity_repo_find(self, session_token, SQL_SESSION_FIND, timeout_ms, done, arg);
}

static struct op *session_end(void *self, struct str session_token, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    store_cache_put(call->store, session_key(call->arena, session_token), ENDED, SESSION_TTL_MS);
    struct pg_params *p = pg_params_new();
    identity_repo_add_hash(p, session_token);
    return store_call_query(call, SQL_SESSION_END, p, on_plain);
}

void identity_repo_fill(struct port_store *port)
{
    port->signin_link_create = signin_link_create;
    port->signin_link_use = signin_link_use;
    port->session_find = session_find;
    port->session_end = session_end;
}
