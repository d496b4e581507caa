// SPDX-License-Identifier: MIT
/* Signing in by a one-time link, telling who is signed in, signing out. */
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "handlers/handlers.h"
#include "handlers/nextauth.h"
#include "handlers/pending.h"
#include "handlers/return_path.h"
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

/* Where to go is a wish: an address that is not ours leads home, for who signs out is never kept in. */
static const char *way_out(struct http_exchange *x, const struct app *app, const struct nextauth_wish *wish)
{
    struct str path = STR("/");
    if (str_is_none(wish->callback_url) ||
        !return_path_check(app->settings.public_url, wish->callback_url, &path, NULL))
        path = STR("/");
    return arena_printf(http_arena(x), "%s%.*s", app->settings.public_url, STR_ARG(path));
}

static void answer_signed_out(struct http_exchange *x, const struct app *app, const struct nextauth_wish *wish)
{
    signin_add_cookie(x, "", 0);
    nextauth_answer(x, wish, way_out(x, app, wish));
}

struct leaving {
    struct pending pending; /* first: it is what pending.c knows */
    struct nextauth_wish wish;
};

static void on_signed_out(void *arg, const struct err *err)
{
    struct leaving *l = arg;
    struct http_exchange *x = l->pending.x;
    const struct caller *caller = http_context(x);
    /* On failure the cookie stays: the session still exists and can be ended by trying again. */
    if (!pending_done(&l->pending, err))
        return;
    LOG(INFO, "user signed out", KV("user", caller->who.user_id));
    answer_signed_out(x, l->pending.app, &l->wish);
}

void auth_signout(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct nextauth_wish wish = {STR_NONE, false};
    struct err err = {0};
    if (http_is_form(x) && !nextauth_read(x, &wish, &err)) {
        http_answer_err(x, &err);
        return;
    }
    if (str_is_none(caller->session_token) || !caller->is_signed_in) {
        answer_signed_out(x, app, &wish);
        return;
    }
    struct leaving *l = arena_alloc(http_arena(x), sizeof(*l));
    *l = (struct leaving){
        .pending = {.x = x, .app = app},
          .wish = wish
    };
    pending_wait(&l->pending, app->store->session_end(app->store->self, caller->session_token, app->settings.request_ms,
                                                      on_signed_out, l));
}
