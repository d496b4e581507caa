// SPDX-License-Identifier: MIT
/* A user's API tokens: made, listed, revoked, found. Only hashes are stored. */
#include "store/token_repo.h"

#include "store/store_private.h"
#include "store/store_rows.h"

enum { COLUMN_ID, COLUMN_NAME, COLUMN_PREFIX, COLUMN_SCOPES, COLUMN_CREATED, COLUMN_UNTIL, COLUMN_USED };

#define SQL_CREATE                                                                                                     \
    "SELECT " TOKEN_REPO_COLUMNS                                                                                       \
    " FROM fs_token_create($1::text, $2::text, $3::text, $4::text, $5::bytea, $6::text[], "                            \
    "$7::bigint, $8::bigint) AS t"
#define SQL_LIST                                                                                                       \
    "SELECT " TOKEN_REPO_COLUMNS " FROM api_tokens t WHERE t.user_id = $1::text AND t.revoked_at IS NULL "             \
    "AND t.valid_until > now() ORDER BY t.created_at DESC, t.id LIMIT 1000"
#define SQL_REVOKE                                                                                                     \
    "WITH gone AS (UPDATE api_tokens SET revoked_at = now() WHERE id = $1::text AND user_id = $2::text "               \
    "AND revoked_at IS NULL RETURNING token_hash) SELECT fs_credential_ended(token_hash) FROM gone"
#define SQL_FIND                                                                                                       \
    "SELECT " ROWS_USER ", fs_ms(until), scopes, token_id FROM fs_token_enter($1::bytea) "                             \
    "AS f (u, until, scopes, token_id)"

bool token_repo_read(const struct pg_result *r, size_t row, struct api_token *ret, struct err *reterr)
{
    ret->scopes = identity_repo_scopes(pg_row_str(r, row, COLUMN_SCOPES));
    ret->created_ms = pg_row_time_ms(r, row, COLUMN_CREATED);
    ret->expires_ms = pg_row_time_ms(r, row, COLUMN_UNTIL);
    ret->used_ms = pg_row_time_ms(r, row, COLUMN_USED);
    return pg_row_copy(r, row, COLUMN_ID, ret->id, sizeof(ret->id), reterr) &&
           pg_row_copy(r, row, COLUMN_NAME, ret->name, sizeof(ret->name), reterr) &&
           pg_row_copy(r, row, COLUMN_PREFIX, ret->prefix, sizeof(ret->prefix), reterr);
}

static void on_tokens(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine = {0};
    err_copy(&mine, err);
    size_t n = err == NULL ? pg_row_count(result) : 0;
    struct api_token *tokens = arena_alloc(call->arena, (n + 1) * sizeof(*tokens));
    for (size_t i = 0; i < n && mine.kind == ERR_NONE; i++)
        (void)!token_repo_read(result, i, &tokens[i], &mine);
    if (mine.kind == ERR_NONE)
        call->done.tokens(call->arg, tokens, n, NULL);
    else
        call->done.tokens(call->arg, NULL, 0, &mine);
    store_call_end(call);
}

void token_repo_add_scopes(struct pg_params *p, unsigned scopes)
{
    struct str ids[TOKEN_SCOPE_N];
    size_t n = 0;
    for (size_t i = 0; i < TOKEN_SCOPE_N; i++) {
        if ((scopes & 1U << i) != 0)
            ids[n++] = str_from(token_scope_id((enum token_scope)i));
    }
    pg_add_texts(p, ids, n);
}

static struct op *token_create(void *self, const struct token_wish *wish, ms_t timeout_ms, store_on_tokens *done,
                               void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    char id[CODEC_UUID_SIZE];
    call->done.tokens = done;
    codec_uuid7(loop_wall_ms(s->loop), id);
    struct pg_params *p = pg_params_new();
    pg_add_text(p, wish->owner_id);
    pg_add_text(p, id);
    pg_add_str(p, wish->name);
    pg_add_str(p, str_slice(wish->token, 0, API_TOKEN_SHOWN_N));
    identity_repo_add_hash(p, wish->token);
    token_repo_add_scopes(p, wish->scopes);
    pg_add_int(p, wish->valid_ms);
    pg_add_int(p, TOKEN_REPO_MAX);
    return store_call_query(call, SQL_CREATE, p, on_tokens);
}

static struct op *token_list(void *self, const char *owner_id, ms_t timeout_ms, store_on_tokens *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.tokens = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, owner_id);
    return store_call_query(call, SQL_LIST, p, on_tokens);
}

static void on_revoked(void *arg, const struct pg_result *result, const struct err *err)
{
    identity_repo_end_revoked(arg, result, err, "Token not found");
}

static struct op *token_revoke(void *self, const char *owner_id, const char *id, ms_t timeout_ms, op_done *done,
                               void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, id);
    pg_add_text(p, owner_id);
    return store_call_query(call, SQL_REVOKE, p, on_revoked);
}

static struct op *token_find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
{
    return identity_repo_find(self, token, SQL_FIND, timeout_ms, done, arg);
}

void token_repo_fill(struct port_store *port)
{
    port->token_create = token_create;
    port->token_list = token_list;
    port->token_revoke = token_revoke;
    port->token_find = token_find;
}
