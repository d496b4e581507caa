// SPDX-License-Identifier: MIT
/* Signing in by a one-time link, telling who is signed in, signing out. */
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"
#include "handlers/signin.h"

enum { SESSION_BODY_BYTES = 8 * 1024 };

void auth_session(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    (void)app;
    if (caller->is_signed_in) {
        signin_answer(x, &caller->who);
        return;
    }
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_null(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer_json(x, 200, w);
}

/* NextAuth's clients ask for one before they post. Here Origin, Sec-Fetch-Site and SameSite do its work, so it is drawn
 * and not asked for again. */
void auth_csrf(struct http_exchange *x, struct app *app)
{
    char token[CODEC_TOKEN_SIZE];
    (void)app;
    codec_random_token(token);
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_object(w);
    jw_kv_text(w, "csrfToken", token);
    jw_object_end(w);
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

struct entry {
    struct pending pending; /* first: it is what pending.c knows */
    struct signin signin;
};

static void on_signed_in(void *arg, const struct principal *who, const struct err *err)
{
    struct entry *e = arg;
    struct http_exchange *x = e->pending.x;
    struct err told;
    err_copy(&told, err);
    if (err != NULL && err->kind == ERR_UNAUTHENTICATED)
        err_set(&told, ERR_UNAUTHENTICATED, __func__, "This sign-in link was used already or has expired");
    if (!pending_done(&e->pending, err != NULL ? &told : NULL))
        return;
    LOG(INFO, "user signed in", KV("user", who->user_id), KV("by", "link"));
    signin_add_cookie(x, e->signin.token, e->pending.app->settings.session_absolute_ms);
    signin_answer(x, who);
}

void auth_signin_link(struct http_exchange *x, struct app *app)
{
    struct signin_body body = {STR_NONE};
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL ||
        !json_bind(json, signin_fields, sizeof(signin_fields) / sizeof(signin_fields[0]), &body, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct entry *e = arena_alloc(http_arena(x), sizeof(*e));
    e->pending = (struct pending){.x = x, .app = app};
    signin_wish(&e->signin, x, app);
    pending_wait(&e->pending, app->store->signin_link_use(app->store->self, body.token, &e->signin.wish,
                                                          app->settings.request_ms, on_signed_in, e));
}

/* ---- signing out ---- */

static void answer_signed_out(struct http_exchange *x)
{
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_object(w);
    jw_object_end(w);
    signin_add_cookie(x, "", 0);
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
