// SPDX-License-Identifier: MIT
/* Signing in by a one-time link, telling who is signed in, signing out. Sessions are rows of the store; here only the
 * cookie is made. Source of its attributes: RFC 6265bis, OWASP ASVS 5.0 3.3. */
#include "core/base/codec.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { SESSION_BODY_BYTES = 8 * 1024 };

/* ---- the cookie ---- */

static void add_cookie(struct http_exchange *x, const char *value, ms_t max_age_ms)
{
    const struct caller *caller = http_context(x);
    const char *text =
        arena_printf(http_arena(x), "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", caller->cookie_name, value,
                     (long long)(max_age_ms / 1000), caller->is_secure ? "; Secure" : "");
    http_add_header(x, "Set-Cookie", str_from(text));
}

/* ---- the session document, as NextAuth's clients read it ---- */

static void write_text_or_null(struct json_writer *w, const char *key, const char *text)
{
    jw_kv_text(w, key, text[0] != '\0' ? text : NULL);
}

static void answer_session(struct http_exchange *x, const struct principal *who)
{
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_object(w);
    jw_key(w, "user");
    jw_object(w);
    jw_kv_text(w, "id", who->user_id);
    write_text_or_null(w, "name", who->name);
    write_text_or_null(w, "email", who->email);
    write_text_or_null(w, "image", who->image);
    jw_object_end(w);
    jw_kv_time(w, "expires", who->expires_ms);
    jw_object_end(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer_json(x, 200, w);
}

void auth_session(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    (void)app;
    if (caller->is_signed_in) {
        answer_session(x, &caller->who);
        return;
    }
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_null(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer_json(x, 200, w);
}

/* ---- signing in by link ---- */

struct signin_body {
    struct str token;
};
static const struct json_field signin_fields[] = {
    {"token", JSON_STR, offsetof(struct signin_body, token), JSON_REQUIRED, 1, 200},
};

struct signin {
    struct pending pending; /* first: it is what pending.c knows */
    char session_token[CODEC_TOKEN_SIZE];
};

static void on_signed_in(void *arg, const struct principal *who, const struct err *err)
{
    struct signin *s = arg;
    struct http_exchange *x = s->pending.x;
    struct err told;
    err_copy(&told, err);
    if (err != NULL && err->kind == ERR_UNAUTHENTICATED)
        err_set(&told, ERR_UNAUTHENTICATED, __func__, "This sign-in link was used already or has expired");
    if (!pending_done(&s->pending, err != NULL ? &told : NULL))
        return;
    LOG(INFO, "user signed in", KV("user", who->user_id), KV("by", "link"));
    add_cookie(x, s->session_token, s->pending.app->settings.session_absolute_ms);
    answer_session(x, who);
}

void auth_signin_link(struct http_exchange *x, struct app *app)
{
    const struct app_settings *settings = &app->settings;
    struct signin_body body = {STR_NONE};
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL ||
        !json_bind(json, signin_fields, sizeof(signin_fields) / sizeof(signin_fields[0]), &body, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct signin *s = arena_alloc(http_arena(x), sizeof(*s));
    s->pending = (struct pending){.x = x, .app = app};
    /* A token of its own at each sign-in: one that was planted in the browser before never becomes a session. */
    codec_random_token(s->session_token);
    pending_wait(&s->pending, app->store->signin_link_use(app->store->self, body.token, str_from(s->session_token),
                                                          settings->session_idle_ms, settings->session_absolute_ms,
                                                          settings->request_ms, on_signed_in, s));
}

/* ---- signing out ---- */

static void answer_signed_out(struct http_exchange *x)
{
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_object(w);
    jw_object_end(w);
    add_cookie(x, "", 0);
    http_answer_json(x, 200, w);
}

static void on_signed_out(void *arg, const struct err *err)
{
    struct pending *p = arg;
    const struct caller *caller = http_context(p->x);
    /* On failure the cookie stays: the session still exists and can be ended by trying again. */
    if (!pending_done(p, err))
        return;
    LOG(INFO, "user signed out", KV("user", caller->who.user_id));
    answer_signed_out(p->x);
}

void auth_signout(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    if (str_is_none(caller->session_token) || !caller->is_signed_in) {
        answer_signed_out(x);
        return;
    }
    struct pending *p = pending_new(x, app);
    pending_wait(p, app->store->session_end(app->store->self, caller->session_token, app->settings.request_ms,
                                            on_signed_out, p));
}
