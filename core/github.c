// SPDX-License-Identifier: MIT
/* A sign-in is a ladder of calls: token, user, and the addresses when the user shows none. */
#include "core/github.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/json_read.h"
#include "core/base/xmem.h"
#include "core/github_private.h"

#define SCOPES "read:user user:email repo"

enum {
    URL_CEILING_BYTES = 8 * 1024,
    FORM_CEILING_BYTES = 16 * 1024,
    TOKEN_ANSWER_BYTES = 16 * 1024,
};

struct identification {
    struct github_op base; /* first */
    struct github_user user;
    github_on_user *done;
    void *arg;
};

static void tell(struct identification *i, const struct err *err)
{
    i->user.token = &i->base.token;
    i->done(i->arg, err == NULL ? &i->user : NULL, err);
    github_op_spend(&i->base);
}

/* ---- answers ---- */

/* The document, or NULL with err set. 401 and 403 are about the account or the code, the rest about GitHub. */
static const struct json_value *read_answer(struct arena *a, const struct fetch_answer *answer,
                                            const struct err *fetch_err, struct err *reterr)
{
    if (fetch_err != NULL) {
        err_copy(reterr, fetch_err);
        (void)err_wrap(reterr, "asking GitHub");
        return NULL;
    }
    if (answer->status == 401 || answer->status == 403) {
        err_set(reterr, ERR_DENIED, __func__, "GitHub refuses: %d", answer->status);
        return NULL;
    }
    if (answer->status != 200 || !github_is_json(answer)) {
        err_set(reterr, ERR_UPSTREAM, __func__, "GitHub answered %d with %.60s", answer->status, answer->content_type);
        return NULL;
    }
    const struct json_value *v = json_parse(a, answer->body, &GITHUB_LIMITS_ONE, NULL);
    /* The parser's own words may quote what was sent. */
    if (v == NULL)
        err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer cannot be read");
    return v;
}

static void get(struct identification *i, const char *path, fetch_on_done *on_done)
{
    github_op_ask(&i->base,
                  &(struct fetch_request){
                      .method = "GET", .path = path, .ceiling_bytes = GITHUB_ONE_BYTES, .on_done = on_done, .arg = i});
}

/* ---- the third call: addresses ---- */

static void on_emails(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct identification *i = arg;
    struct arena *a = arena_new();
    struct err err = {0};
    i->base.call = NULL;
    const struct json_value *list = read_answer(a, answer, fetch_err, &err);
    github_read_address(list, &i->user);
    arena_free(a);
    /* Nobody is identified by an address: without one the sign-in goes on, unless the account itself is refused. */
    tell(i, err.kind == ERR_DENIED ? &err : NULL);
}

/* ---- the second: the user ---- */

static void on_user(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct identification *i = arg;
    struct arena *a = arena_new();
    struct err err = {0};
    i->base.call = NULL;
    const struct json_value *v = read_answer(a, answer, fetch_err, &err);
    bool is_known = v != NULL && github_read_user(v, &i->user, &err);
    arena_free(a);
    if (is_known)
        get(i, "/user/emails?per_page=100", on_emails);
    else
        tell(i, &err);
}

/* ---- the first: the token ---- */

static void on_token(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct identification *i = arg;
    struct arena *a = arena_new();
    struct err err = {0};
    i->base.call = NULL;
    const struct json_value *v = read_answer(a, answer, fetch_err, &err);
    bool has_token = v != NULL && github_read_token(v, &i->base.token, &err);
    arena_free(a);
    if (has_token)
        get(i, "/user", on_user);
    else
        tell(i, &err);
}

static void add_field(struct buf *form, const char *name, struct str value)
{
    buf_addf(form, "%s%s=", form->n > 0 ? "&" : "", name);
    codec_percent_encode(form, value);
}

struct op *github_identify(struct github *g, struct str code, const char *verifier, github_on_user *done, void *arg)
{
    struct identification *i = xcalloc(1, sizeof(*i));
    struct buf form;
    i->done = done;
    i->arg = arg;
    github_op_begin(&i->base, g);
    buf_init(&form, FORM_CEILING_BYTES);
    add_field(&form, "client_id", str_from(g->client_id));
    add_field(&form, "client_secret", secret_reveal(&g->client_secret));
    add_field(&form, "code", code);
    add_field(&form, "redirect_uri", str_from(g->redirect_uri));
    add_field(&form, "code_verifier", str_from(verifier));
    const struct fetch_request req = {.method = "POST",
                                      .path = "/login/oauth/access_token",
                                      .content_type = "application/x-www-form-urlencoded",
                                      .body = buf_str(&form),
                                      .deadline_ms = g->timeout_ms,
                                      .ceiling_bytes = TOKEN_ANSWER_BYTES,
                                      .on_done = on_token,
                                      .arg = i};
    i->base.call = fetch_start(g->site, &req);
    explicit_bzero(form.p, form.n);
    buf_fini(&form);
    return &i->base.op;
}

/* ---- where the browser goes ---- */

const char *github_url(const struct github *g)
{
    return g->url;
}

bool github_is_issuer(const struct github *g, struct str iss)
{
    return str_eq_text(iss, g->url);
}

const char *github_authorize_url(const struct github *g, struct arena *a, const char *state, const char *verifier)
{
    uint8_t hash[CODEC_SHA256_BYTES];
    struct buf url;
    struct buf challenge;
    codec_sha256(str_from(verifier), hash);
    buf_init(&challenge, 2 * CODEC_SHA256_BYTES);
    codec_base64url(&challenge, (struct str){(const char *)hash, sizeof(hash)});
    buf_init(&url, URL_CEILING_BYTES);
    add_field(&url, "client_id", str_from(g->client_id));
    add_field(&url, "redirect_uri", str_from(g->redirect_uri));
    add_field(&url, "scope", STR(SCOPES));
    add_field(&url, "state", str_from(state));
    add_field(&url, "code_challenge", buf_str(&challenge));
    add_field(&url, "code_challenge_method", STR("S256"));
    const char *text = arena_printf(a, "%s/login/oauth/authorize?%s", g->url, buf_text(&url));
    buf_fini(&challenge);
    buf_fini(&url);
    return text;
}

/* ---- calls ---- */

static void free_op(void *p)
{
    struct github_op *o = p;
    secret_fini(&o->token);
    free(o);
}

void github_op_spend(struct github_op *o)
{
    op_cancel(o->call);
    o->call = NULL;
    LIST_REMOVE(o, link);
    loop_defer_free(o->g->loop, o, free_op);
}

static void on_cancel(struct op *op)
{
    github_op_spend((struct github_op *)op);
}

void github_op_begin(struct github_op *o, struct github *g)
{
    o->op = (struct op){on_cancel};
    o->g = g;
    o->call = NULL;
    o->token = SECRET_NONE;
    LIST_INSERT_HEAD(&g->running, o, link);
}

void github_op_ask(struct github_op *o, const struct fetch_request *what)
{
    struct fetch_request req = *what;
    req.deadline_ms = o->g->timeout_ms;
    fetch_client_set_token(o->g->api, &o->token);
    o->call = fetch_start(o->g->api, &req);
    fetch_client_set_token(o->g->api, NULL);
}

bool github_is_json(const struct fetch_answer *answer)
{
    return str_is_media_type(str_from(answer->content_type), STR("application/json"));
}

/* ---- life ---- */

struct github *github_new(struct loop *loop, struct fetch *f, const struct github_settings *settings,
                          struct err *reterr)
{
    const struct fetch_peer site = {.base_url = settings->url};
    const struct fetch_peer api = {.base_url = settings->api_url};
    struct github *g = xcalloc(1, sizeof(*g));
    g->loop = loop;
    g->url = xstrdup(settings->url);
    g->api_url = xstrdup(settings->api_url);
    g->client_id = xstrdup(settings->client_id);
    g->client_secret = secret_dup(settings->client_secret);
    g->redirect_uri = xstrdup(settings->redirect_uri);
    g->timeout_ms = settings->timeout_ms;
    LIST_INIT(&g->running);
    g->site = fetch_client_new(f, &site, reterr);
    g->api = g->site != NULL ? fetch_client_new(f, &api, reterr) : NULL;
    if (g->api != NULL)
        return g;
    github_free(g);
    return NULL;
}

void github_free(struct github *g)
{
    if (g == NULL)
        return;
    while (!LIST_EMPTY(&g->running))
        github_op_spend(LIST_FIRST(&g->running));
    fetch_client_free(g->site);
    fetch_client_free(g->api);
    secret_fini(&g->client_secret);
    free(g->url);
    free(g->api_url);
    free(g->client_id);
    free(g->redirect_uri);
    free(g);
}
