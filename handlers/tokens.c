// SPDX-License-Identifier: MIT
/* /api/tokens: a user's API tokens. Only a signed-in person makes them, never another token: one that leaked cannot
 * outlive its own end. The text of a token is in one answer only. */
#include "handlers/tokens.h"

#include "core/base/log.h"
#include "core/caller.h"
#include "core/names.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { TOKENS_CEILING_BYTES = 1024 * 1024, VALID_DAYS = 90, VALID_DAYS_MAX = 366 };
static const ms_t DAY_MS = INT64_C(86400000);

/* ---- documents ---- */

bool tokens_read_scopes(struct arena *a, const struct json_value *list, unsigned *ret, struct err *reterr)
{
    *ret = list == NULL ? 1U << TOKEN_SCOPE_READ : 0;
    size_t at = 0;
    for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v), at++) {
        enum token_scope scope;
        if (!token_scope_parse(json_str(v), &scope))
            return err_set_field(reterr, ERR_INVALID, __func__, arena_printf(a, "/scopes/%zu", at),
                                 "A scope is read, write or admin");
        *ret |= 1U << scope;
    }
    return true;
}

void tokens_write_scopes(struct json_writer *w, unsigned scopes)
{
    jw_key(w, "scopes");
    jw_array(w);
    for (size_t i = 0; i < TOKEN_SCOPE_N; i++) {
        if ((scopes & 1U << i) != 0)
            jw_text(w, token_scope_id((enum token_scope)i));
    }
    jw_array_end(w);
}

static void write_token(struct json_writer *w, const struct api_token *t, const char *text)
{
    jw_object(w);
    jw_kv_text(w, "id", t->id);
    jw_kv_text(w, "name", t->name);
    jw_kv_text(w, "prefix", t->prefix);
    tokens_write_scopes(w, t->scopes);
    jw_kv_time(w, "createdAt", t->created_ms);
    jw_kv_time(w, "expiresAt", t->expires_ms);
    jw_kv_time(w, "lastUsedAt", t->used_ms);
    if (text != NULL)
        jw_kv_text(w, "token", text);
    jw_object_end(w);
}

/* ---- list ---- */

static void on_list(void *arg, const struct api_token *tokens, size_t n, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(TOKENS_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < n; i++)
        write_token(w, &tokens[i], NULL);
    jw_array_end(w);
    http_answer_json(p->x, 200, w);
}

void tokens_list(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct pending *p = pending_new(x, app);
    pending_wait(p,
                 app->store->token_list(app->store->self, caller->who.user_id, app->settings.request_ms, on_list, p));
}

/* ---- create ---- */

struct create_body {
    struct str name;
    const struct json_value *scopes;
    int64_t days;
};
static const struct json_field create_fields[] = {
    {"name",          JSON_STR,    offsetof(struct create_body, name),   JSON_REQUIRED, 1, API_TOKEN_NAME_SIZE - 1},
    {"scopes",        JSON_ARRAY,  offsetof(struct create_body, scopes), JSON_OPTIONAL, 1, TOKEN_SCOPE_N          },
    {"expiresInDays", JSON_NUMBER, offsetof(struct create_body, days),   JSON_OPTIONAL, 1, VALID_DAYS_MAX         },
};

struct creation {
    struct pending pending; /* first: it is what pending.c knows */
    unsigned scopes;
    char token[API_TOKEN_SIZE];
};

static bool read_scopes(struct arena *a, const struct json_value *list, bool is_admin, unsigned *ret,
                        struct err *reterr)
{
    if (!tokens_read_scopes(a, list, ret, reterr))
        return false;
    if ((*ret & 1U << TOKEN_SCOPE_ADMIN) != 0 && !is_admin)
        return err_set_field(reterr, ERR_DENIED, __func__, "/scopes",
                             "Only an administrator can make a token with the scope admin");
    return true;
}

static void on_created(void *arg, const struct api_token *tokens, size_t n, const struct err *err)
{
    struct creation *c = arg;
    struct http_exchange *x = c->pending.x;
    const struct caller *caller = http_context(x);
    (void)n;
    if (!pending_done(&c->pending, err))
        return;
    LOG(INFO, "token made", KV("user", (const char *)caller->who.user_id), KV("token", (const char *)tokens->id));
    struct json_writer *w = jw_new(TOKENS_CEILING_BYTES);
    write_token(w, tokens, c->token);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_keep_no_copy(x);
    http_answer_json(x, 201, w);
}

void tokens_create(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct create_body body = {STR_NONE, NULL, VALID_DAYS};
    struct creation *c = arena_alloc(http_arena(x), sizeof(*c));
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL || !json_bind(json, create_fields, sizeof(create_fields) / sizeof(*create_fields), &body, &err) ||
        !names_check_project(body.name, &err) ||
        !read_scopes(http_arena(x), body.scopes, caller->who.is_admin, &c->scopes, &err)) {
        http_answer_err(x, &err);
        return;
    }
    c->pending = (struct pending){.x = x, .app = app};
    api_token_new(c->token);
    const struct token_wish wish = {caller->who.user_id, str_trim(body.name), str_from(c->token), c->scopes,
                                    body.days * DAY_MS};
    pending_wait(&c->pending,
                 app->store->token_create(app->store->self, &wish, app->settings.request_ms, on_created, c));
}

/* ---- revoke ---- */

static void on_revoked(void *arg, const struct err *err)
{
    struct pending *p = arg;
    const struct caller *caller = http_context(p->x);
    if (!pending_done(p, err))
        return;
    LOG(INFO, "token revoked", KV("user", (const char *)caller->who.user_id));
    documents_answer_success(p->x);
}

void tokens_revoke(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct pending *p = pending_new(x, app);
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(p, app->store->token_revoke(app->store->self, caller->who.user_id, id, app->settings.request_ms,
                                             on_revoked, p));
}
