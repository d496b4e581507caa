// SPDX-License-Identifier: MIT
/* Signing in a program on a device without a browser: it shows a code, a signed-in user confirms it on a page of ours,
 * and the program, which asks again and again, is given an API token. source: RFC 8628; bodies are JSON instead of
 * forms. */
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "core/names.h"
#include "core/visitor.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"
#include "handlers/tokens.h"

/* Consonants: no words, and nothing that looks like a digit. 8 of 20 are 34 bits, for 15 minutes, against people who
 * have to be signed in and may try 30 a minute. */
static const char ALPHABET[] = "BCDFGHJKLMNPQRSTVWXZ";
enum { USER_CODE_N = 8, USER_CODE_HALF = 4, INTERVAL_S = 5, VALID_S = 900, DEVICE_CEILING_BYTES = 16 * 1024 };
static const ms_t TOKEN_VALID_MS = INT64_C(90) * 86400000;

/* ---- begin ---- */

struct begin_body {
    struct str name;
    const struct json_value *scopes;
};
static const struct json_field begin_fields[] = {
    {"name",   JSON_STR,   offsetof(struct begin_body, name),   JSON_OPTIONAL, 1, API_TOKEN_NAME_SIZE - 1},
    {"scopes", JSON_ARRAY, offsetof(struct begin_body, scopes), JSON_OPTIONAL, 1, TOKEN_SCOPE_N          },
};

struct beginning {
    struct pending pending; /* first: it is what pending.c knows */
    char device_code[CODEC_TOKEN_SIZE];
    char user_code[USER_CODE_N + 1];
    char agent[VISITOR_AGENT_SIZE];
    char address[VISITOR_ADDRESS_SIZE];
};

static void on_begun(void *arg, const struct err *err)
{
    struct beginning *b = arg;
    struct http_exchange *x = b->pending.x;
    const char *url = b->pending.app->settings.public_url;
    if (!pending_done(&b->pending, err))
        return;
    const char *code =
        arena_printf(http_arena(x), "%.*s-%s", USER_CODE_HALF, b->user_code, b->user_code + USER_CODE_HALF);
    struct json_writer *w = jw_new(DEVICE_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "device_code", b->device_code);
    jw_kv_text(w, "user_code", code);
    jw_kv_text(w, "verification_uri", arena_printf(http_arena(x), "%s/device", url));
    jw_kv_text(w, "verification_uri_complete", arena_printf(http_arena(x), "%s/device?user_code=%s", url, code));
    jw_kv_int(w, "expires_in", VALID_S);
    jw_kv_int(w, "interval", INTERVAL_S);
    jw_object_end(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_keep_no_copy(x);
    http_answer_json(x, 200, w);
}

void device_code(struct http_exchange *x, struct app *app)
{
    struct begin_body body = {STR("A program"), NULL};
    unsigned scopes = 0;
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL || !json_bind(json, begin_fields, sizeof(begin_fields) / sizeof(*begin_fields), &body, &err) ||
        !names_check_project(body.name, &err) || !tokens_read_scopes(http_arena(x), body.scopes, &scopes, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct beginning *b = arena_alloc(http_arena(x), sizeof(*b));
    b->pending = (struct pending){.x = x, .app = app};
    codec_random_token(b->device_code);
    codec_random_text(b->user_code, USER_CODE_N, ALPHABET);
    visitor_agent(http_header(x, "User-Agent"), b->agent);
    visitor_address(http_peer(x), b->address);
    const struct device_wish wish = {
        .device_code = str_from(b->device_code),
        .user_code = str_from(b->user_code),
        .asked = {str_trim(body.name), scopes, str_from(b->agent), str_from(b->address), 0},
        .interval_s = INTERVAL_S,
        .valid_ms = (ms_t)VALID_S * 1000,
    };
    pending_wait(&b->pending, app->store->device_begin(app->store->self, &wish, app->settings.request_ms, on_begun, b));
}

/* ---- the user's page ---- */

/* As people type it: in small letters, with or without the hyphen. The rest is found unknown. */
static struct str normalize(struct http_exchange *x, struct str typed)
{
    struct buf b;
    buf_init(&b, USER_CODE_N + 1);
    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i];
        if (c != '-' && c != ' ')
            buf_add_byte(&b, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    struct str code = b.is_over || !str_is_utf8(buf_str(&b)) ? STR("") : arena_dup_str(http_arena(x), buf_str(&b));
    buf_fini(&b);
    return code;
}

static void on_found(void *arg, const struct device_asked *asked, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(DEVICE_CEILING_BYTES);
    jw_object(w);
    jw_kv_str(w, "name", asked->name);
    tokens_write_scopes(w, asked->scopes);
    jw_kv_str(w, "userAgent", asked->agent);
    jw_kv_str(w, "address", asked->address);
    jw_kv_time(w, "expiresAt", asked->expires_ms);
    jw_object_end(w);
    http_answer_json(p->x, 200, w);
}

void device_find(struct http_exchange *x, struct app *app)
{
    struct pending *p = pending_new(x, app);
    struct str typed = STR("");
    (void)http_query_find(x, "user_code", &typed);
    pending_wait(p,
                 app->store->device_find(app->store->self, normalize(x, typed), app->settings.request_ms, on_found, p));
}

struct decide_body {
    struct str user_code;
    bool is_allowed;
};
static const struct json_field decide_fields[] = {
    {"userCode", JSON_STR,  offsetof(struct decide_body, user_code),  JSON_REQUIRED, 1, 64},
    {"allow",    JSON_BOOL, offsetof(struct decide_body, is_allowed), JSON_REQUIRED, 0, 0 },
};

static void on_decided(void *arg, const struct err *err)
{
    struct pending *p = arg;
    const struct caller *caller = http_context(p->x);
    if (!pending_done(p, err))
        return;
    LOG(INFO, "a device's request decided", KV("user", (const char *)caller->who.user_id));
    documents_answer_success(p->x);
}

void device_decide(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct decide_body body = {STR_NONE, false};
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL || !json_bind(json, decide_fields, sizeof(decide_fields) / sizeof(*decide_fields), &body, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct pending *p = pending_new(x, app);
    const struct device_decision decision = {caller->who.user_id, normalize(x, body.user_code), body.is_allowed,
                                             caller->who.is_admin};
    pending_wait(p, app->store->device_decide(app->store->self, &decision, app->settings.request_ms, on_decided, p));
}

/* ---- the program asks ---- */

struct poll_body {
    struct str grant_type;
    struct str device_code;
    struct str client_id;
};
static const struct json_field poll_fields[] = {
    {"grant_type",  JSON_STR, offsetof(struct poll_body, grant_type),  JSON_OPTIONAL, 1, 100},
    {"device_code", JSON_STR, offsetof(struct poll_body, device_code), JSON_REQUIRED, 1, 100},
    {"client_id",   JSON_STR, offsetof(struct poll_body, client_id),   JSON_OPTIONAL, 1, 100},
};

struct polling {
    struct pending pending; /* first: it is what pending.c knows */
    char token[API_TOKEN_SIZE];
};

static void answer_not_yet(struct http_exchange *x, const char *error)
{
    struct json_writer *w = jw_new(DEVICE_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "error", error);
    jw_object_end(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer_json(x, 400, w);
}

static void answer_token(struct http_exchange *x, const struct api_token *made, const char *token)
{
    struct json_writer *w = jw_new(DEVICE_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "access_token", token);
    jw_kv_text(w, "token_type", "Bearer");
    jw_kv_int(w, "expires_in", TOKEN_VALID_MS / 1000);
    tokens_write_scopes(w, made->scopes);
    jw_object_end(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_keep_no_copy(x);
    http_answer_json(x, 200, w);
}

static void on_polled(void *arg, enum device_verdict verdict, const struct api_token *token, const struct err *err)
{
    /* source: RFC 8628 3.5. */
    static const char *const errors[DEVICE_VERDICT_N] = {
        [DEVICE_PENDING] = "authorization_pending",
        [DEVICE_SLOW_DOWN] = "slow_down",
        [DEVICE_DENIED] = "access_denied",
        [DEVICE_EXPIRED] = "expired_token",
    };
    struct polling *p = arg;
    if (!pending_done(&p->pending, err))
        return;
    if (verdict != DEVICE_TOKEN) {
        answer_not_yet(p->pending.x, errors[verdict]);
        return;
    }
    LOG(INFO, "token made", KV("by", "device"), KV("token", (const char *)token->id));
    answer_token(p->pending.x, token, p->token);
}

void device_token(struct http_exchange *x, struct app *app)
{
    static const struct str grant = {"urn:ietf:params:oauth:grant-type:device_code", 44};
    struct poll_body body = {grant, STR_NONE, STR_NONE};
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL || !json_bind(json, poll_fields, sizeof(poll_fields) / sizeof(*poll_fields), &body, &err)) {
        http_answer_err(x, &err);
        return;
    }
    if (!str_eq(body.grant_type, grant)) {
        answer_not_yet(x, "unsupported_grant_type");
        return;
    }
    struct polling *p = arena_alloc(http_arena(x), sizeof(*p));
    p->pending = (struct pending){.x = x, .app = app};
    api_token_new(p->token);
    pending_wait(&p->pending, app->store->device_poll(app->store->self, body.device_code, str_from(p->token),
                                                      TOKEN_VALID_MS, app->settings.request_ms, on_polled, p));
}
