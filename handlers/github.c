// SPDX-License-Identifier: MIT
/* Signing in with GitHub: /api/auth/signin/github, which only our own pages can start, and /api/auth/callback/github,
 * which a browser can use once and only if it is the one that began. Whatever fails sends the browser to the sign-in
 * page with one word; nothing of a code, a state or a token is told or logged. source: RFC 9700; OWASP
 * ASVS 5.0 10.1, 10.2. */
#include "core/github.h"

#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "handlers/handlers.h"
#include "handlers/nextauth.h"
#include "handlers/pending.h"
#include "handlers/return_path.h"
#include "handlers/signin.h"

enum { BODY_CEILING_BYTES = 16 * 1024, CODE_MAX = 512 };
static const ms_t VALID_MS = INT64_C(600000);

static const char HOME[] = "/projects";

/* ---- what is offered ---- */

static const char *public_path(struct http_exchange *x, const struct app *app, const char *path)
{
    return arena_printf(http_arena(x), "%s%s", app->settings.public_url, path);
}

void github_providers(struct http_exchange *x, struct app *app)
{
    struct json_writer *w = jw_new(BODY_CEILING_BYTES);
    jw_object(w);
    if (app->github != NULL) {
        jw_key(w, "github");
        jw_object(w);
        jw_kv_text(w, "id", "github");
        jw_kv_text(w, "name", "GitHub");
        jw_kv_text(w, "type", "oauth");
        jw_kv_text(w, "signinUrl", public_path(x, app, "/api/auth/signin/github"));
        jw_kv_text(w, "callbackUrl", public_path(x, app, "/api/auth/callback/github"));
        jw_object_end(w);
    }
    jw_object_end(w);
    http_answer_json(x, 200, w);
}

static void redirect(struct http_exchange *x, struct str to)
{
    http_add_header(x, "Location", to);
    http_answer(x, 302, NULL, STR_NONE);
}

/* A link that starts a sign-in could be anybody's: it leads to the page with the button. */
void github_signin_page(struct http_exchange *x, struct app *app)
{
    (void)app;
    redirect(x, STR("/signin"));
}

static bool is_offered(struct http_exchange *x, const struct app *app)
{
    struct err err = {0};
    if (app->github != NULL && str_eq(http_param(x, "provider"), STR("github")))
        return true;
    err_set(&err, ERR_MISSING, __func__, "This way of signing in is not offered");
    http_answer_err(x, &err);
    return false;
}

/* ---- the cookie that ties a sign-in to its browser ---- */

static const char *cookie_name(const struct http_exchange *x)
{
    const struct caller *caller = http_context(x);
    return caller->is_secure ? "__Host-signin" : "signin";
}

/* Lax: GitHub's redirect is a navigation from another site. */
static void add_cookie(struct http_exchange *x, const char *value, ms_t max_age_ms)
{
    const struct caller *caller = http_context(x);
    const char *text =
        arena_printf(http_arena(x), "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", cookie_name(x), value,
                     (long long)(max_age_ms / 1000), caller->is_secure ? "; Secure" : "");
    http_add_header(x, "Set-Cookie", str_from(text));
}

/* ---- begin ---- */

struct beginning {
    struct pending pending; /* first: it is what pending.c knows */
    struct nextauth_wish wish;
    char state[CODEC_TOKEN_SIZE];
    char browser[CODEC_TOKEN_SIZE];
    char verifier[CODEC_TOKEN_SIZE];
};

static void on_begun(void *arg, const struct err *err)
{
    struct beginning *b = arg;
    struct http_exchange *x = b->pending.x;
    if (!pending_done(&b->pending, err))
        return;
    add_cookie(x, b->browser, VALID_MS);
    http_keep_no_copy(x);
    nextauth_answer(x, &b->wish, github_authorize_url(b->pending.app->github, http_arena(x), b->state, b->verifier));
}

void github_begin(struct http_exchange *x, struct app *app)
{
    struct str return_to = str_from(HOME);
    struct nextauth_wish wish;
    struct err err = {0};
    if (!is_offered(x, app))
        return;
    if (!nextauth_read(x, &wish, &err) ||
        (!str_is_none(wish.callback_url) &&
         !return_path_check(app->settings.public_url, wish.callback_url, &return_to, &err))) {
        http_answer_err(x, &err);
        return;
    }
    struct beginning *b = arena_alloc(http_arena(x), sizeof(*b));
    b->pending = (struct pending){.x = x, .app = app};
    b->wish = wish;
    codec_random_token(b->state);
    codec_random_token(b->browser);
    codec_random_token(b->verifier);
    const struct oauth_attempt attempt = {str_from(b->state), str_from(b->browser), str_from(b->verifier), return_to};
    pending_wait(&b->pending,
                 app->store->oauth_begin(app->store->self, &attempt, VALID_MS, app->settings.request_ms, on_begun, b));
}

/* ---- the way back ---- */

struct callback {
    struct pending pending; /* first: it is what pending.c knows */
    struct signin signin;
    struct str code;
    struct str error;
    struct str iss;
    const char *return_to;
};

/* Words for the sign-in page. */
#define WORD_STATE       "state"       /* not begun here, used already, or too old */
#define WORD_DENIED      "denied"      /* the user said no */
#define WORD_REFUSED     "refused"     /* GitHub said no */
#define WORD_UNAVAILABLE "unavailable" /* GitHub or our store did not answer */

static void fail(struct callback *c, const char *word, const struct err *err)
{
    struct http_exchange *x = c->pending.x;
    LOG(WARN, "sign-in with GitHub failed", KV("why", word), KV("err", err));
    redirect(x, str_from(arena_printf(http_arena(x), "/signin?error=%s", word)));
}

static const char *word_of(const struct err *err)
{
    if (err->kind == ERR_UNAUTHENTICATED || err->kind == ERR_INVALID)
        return WORD_STATE;
    return err->kind == ERR_DENIED ? WORD_REFUSED : WORD_UNAVAILABLE;
}

/* Failures are for the browser to see as a page: pending_done answers none of them. */
static bool goes_on(struct callback *c, const struct err *err)
{
    (void)!pending_done(&c->pending, NULL);
    if (err != NULL)
        fail(c, word_of(err), err);
    return err == NULL;
}

static void on_entered(void *arg, const struct principal *who, const struct err *err)
{
    struct callback *c = arg;
    struct http_exchange *x = c->pending.x;
    if (!goes_on(c, err))
        return;
    LOG(INFO, "user signed in", KV("user", (const char *)who->user_id), KV("by", "github"));
    signin_add_cookie(x, c->signin.token, c->pending.app->settings.session_absolute_ms);
    redirect(x, str_from(c->return_to));
}

static void on_identified(void *arg, const struct github_user *user, const struct err *err)
{
    struct callback *c = arg;
    struct app *app = c->pending.app;
    if (!goes_on(c, err))
        return;
    signin_wish(&c->signin, c->pending.x, app);
    pending_wait(&c->pending, app->store->github_enter(app->store->self, user, &c->signin.wish,
                                                       app->settings.request_ms, on_entered, c));
}

static void on_taken(void *arg, const struct oauth_attempt *attempt, const struct err *err)
{
    struct callback *c = arg;
    struct http_exchange *x = c->pending.x;
    struct github *github = c->pending.app->github;
    struct err why = {0};
    if (!goes_on(c, err))
        return;
    if (!str_is_none(c->error)) {
        err_set(&why, ERR_DENIED, __func__, "GitHub tells an error instead of a code");
        fail(c, str_eq(c->error, STR("access_denied")) ? WORD_DENIED : WORD_REFUSED, &why);
    } else if (c->code.n == 0 || c->code.n > CODE_MAX || (!str_is_none(c->iss) && !github_is_issuer(github, c->iss))) {
        err_set(&why, ERR_DENIED, __func__, "the code is missing, too long or of another issuer");
        fail(c, WORD_REFUSED, &why);
    } else {
        c->return_to = arena_dup(http_arena(x), attempt->return_to);
        const char *verifier = arena_dup(http_arena(x), attempt->verifier);
        pending_wait(&c->pending, github_identify(github, c->code, verifier, on_identified, c));
    }
}

/* False: it is there more than once, and two readers could choose differently. */
static bool read_once(struct http_exchange *x, const char *name, struct str *ret)
{
    struct str rest = http_query(x);
    struct str pair;
    unsigned n = 0;
    *ret = STR_NONE;
    while (str_next(&rest, '&', &pair)) {
        struct str key;
        if (!codec_percent_decode(http_arena(x), str_slice(pair, 0, str_find(pair, '=', 0)), &key, NULL))
            return false;
        n += str_eq_text(key, name);
    }
    if (n == 1)
        (void)http_query_find(x, name, ret);
    return n <= 1;
}

void github_callback(struct http_exchange *x, struct app *app)
{
    struct err err = {0};
    struct str state;
    if (!is_offered(x, app))
        return;
    struct callback *c = arena_alloc(http_arena(x), sizeof(*c));
    c->pending = (struct pending){.x = x, .app = app};
    struct str browser = http_token_cookie(x, cookie_name(x));
    bool is_clear = read_once(x, "state", &state) && read_once(x, "code", &c->code) &&
                    read_once(x, "error", &c->error) && read_once(x, "iss", &c->iss);
    add_cookie(x, "", 0);
    /* A link checker's HEAD must not use the state up. */
    if (http_method(x) != HTTP_GET || !is_clear || state.n != CODEC_TOKEN_SIZE - 1 || str_is_none(browser)) {
        err_set(&err, ERR_INVALID, __func__, "state or cookie is missing or malformed");
        fail(c, WORD_STATE, &err);
        return;
    }
    pending_wait(&c->pending,
                 app->store->oauth_take(app->store->self, state, browser, app->settings.request_ms, on_taken, c));
}
