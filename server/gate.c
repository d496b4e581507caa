// SPDX-License-Identifier: MIT
/* Runs a request through the gate: route, site, media type, session, rate, role, body ceiling, in this order, because
 * each is cheaper or tells less than the next. The only thing it waits for is who shows the session or API token. */
#include "server/gate.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/caller.h"
#include "core/names.h"
#include "server/audit.h"
#include "server/cors.h"
#include "server/gate_check.h"
#include "server/idempotency.h"
#include "server/rate.h"

/* One more class beside the routes': sessions that are not known, by address. It shields the store. */
enum { CLASS_UNKNOWN_SESSION = GATE_RATE_N };

static const char *const rate_names[GATE_RATE_N] = {
    [RATE_NONE] = "none",     [RATE_READ] = "read",     [RATE_WRITE] = "write",
    [RATE_SIGNIN] = "signin", [RATE_STREAM] = "stream",
};

struct gate {
    struct loop *loop;
    const struct port_store *store;
    struct gate_settings settings;
    struct router *router;
    struct rate *rate;
    struct idempotency *idempotency; /* NULL: keys are not looked at */
    struct audit *audit;             /* NULL: none is written */
    bool is_public_secure;
    uint64_t *requests_n;
    struct gate_stats stats;
};

/* A request on its way; lives in its arena. caller comes first: it is what handlers see as the context. */
struct passage {
    struct caller caller;
    struct gate *gate;
    struct http_exchange *x;
    const struct route *route;
    struct str key; /* Idempotency-Key; absent if there is none */
    bool is_bearer; /* Authorization: Bearer, with whatever behind it: no cookie counts */
    struct op *lookup;
    char address[RATE_ADDRESS_SIZE];
};

struct gate *gate_new(struct loop *loop, const struct port_store *store, const struct gate_settings *settings)
{
    struct gate *g = xcalloc(1, sizeof(*g));
    g->loop = loop;
    g->store = store;
    g->settings = *settings;
    g->router = router_new(settings->routes, settings->routes_n);
    g->rate = rate_new(loop);
    if (settings->idempotency.valid_ms > 0)
        g->idempotency = idempotency_new(loop, store, &settings->idempotency);
    if (settings->audit_keep_ms > 0)
        g->audit = audit_new(loop, store, settings->audit_keep_ms, settings->lookup_ms);
    g->is_public_secure = str_starts(str_from(settings->public_url), STR("https://"));
    g->requests_n = xcalloc(settings->routes_n + 1, sizeof(*g->requests_n));
    return g;
}

void gate_free(struct gate *g)
{
    if (g == NULL)
        return;
    router_free(g->router);
    rate_free(g->rate);
    idempotency_free(g->idempotency);
    audit_free(g->audit);
    free(g->requests_n);
    free(g);
}

void gate_stats(const struct gate *g, struct gate_stats *ret)
{
    *ret = g->stats;
    ret->requests_n = g->requests_n;
    if (g->idempotency != NULL)
        idempotency_stats(g->idempotency, &ret->idempotency);
    if (g->audit != NULL)
        audit_stats(g->audit, &ret->audit);
}

void gate_drain(struct gate *g, void (*done)(void *arg), void *arg)
{
    if (g->audit != NULL)
        audit_drain(g->audit, done, arg);
    else
        done(arg);
}

static void count_request(struct gate *g, const struct route *route)
{
    bool is_fallback = route == g->settings.fallback;
    g->requests_n[is_fallback ? g->settings.routes_n : (size_t)(route - g->settings.routes)]++;
}

/* ---- refusing ---- */

static bool has_scope(const struct passage *p)
{
    return !p->caller.is_by_token || token_scope_allows(p->caller.who.scopes, route_scope(p->route));
}

static void refuse_limit(struct passage *p, const struct rate_verdict *verdict)
{
    struct err err = {0};
    err_set(&err, ERR_LIMIT, __func__, "Too many requests; try again in %u s", verdict->wait_s);
    err.retry_after_s = verdict->wait_s;
    p->gate->stats.limited_n++;
    http_answer_err(p->x, &err);
}

/* source: RFC 6750 3.1. */
static void refuse_scope(struct passage *p, struct err *err)
{
    const char *id = token_scope_id(route_scope(p->route));
    const char *text = arena_printf(http_arena(p->x), "Bearer error=\"insufficient_scope\", scope=\"%s\"", id);
    http_add_header(p->x, "WWW-Authenticate", str_from(text));
    err_set(err, ERR_DENIED, __func__, "This needs a token with the scope %s", id);
}

static void refuse_role(struct passage *p)
{
    struct err err = {0};
    if (!p->caller.is_signed_in) {
        p->gate->stats.unauthorized_n++;
        err_set(&err, ERR_UNAUTHENTICATED, __func__, "Unauthorized");
    } else {
        p->gate->stats.forbidden_n++;
        if (p->caller.is_by_token && p->route->role == ROUTE_SESSION)
            err_set(&err, ERR_DENIED, __func__, "An API token may not do this; sign in");
        else if (!has_scope(p))
            refuse_scope(p, &err);
        else
            err_set(&err, ERR_DENIED, __func__, "Only an administrator may do this");
    }
    http_answer_err(p->x, &err);
}

/* ---- the last part: everything about the caller is known ---- */

static bool may_enter(const struct passage *p)
{
    const struct caller *caller = &p->caller;
    switch (p->route->role) {
    case ROUTE_PUBLIC:
        return true;
    case ROUTE_OPTIONAL:
        return has_scope(p);
    case ROUTE_USER:
        return caller->is_signed_in && has_scope(p);
    case ROUTE_SESSION:
        return caller->is_signed_in && !caller->is_by_token;
    case ROUTE_ADMIN:
        return caller->is_signed_in && caller->who.is_admin && has_scope(p);
    case ROUTE_ROLE_N:
        break;
    }
    return false;
}

/* Sign-in counts by address, whoever is signed in; the rest by user, so that one office does not share one allowance.
 */
static struct str rate_caller(const struct passage *p)
{
    if (p->caller.is_signed_in && p->route->rate != RATE_SIGNIN)
        return str_from(p->caller.who.user_id);
    return str_from(p->address);
}

static bool is_within_rate(struct passage *p)
{
    struct rate_verdict verdict;
    struct arena *arena = http_arena(p->x);
    const char *name = rate_names[p->route->rate];
    unsigned per_window = p->gate->settings.per_window[p->route->rate];
    if (p->route->rate == RATE_NONE || per_window == 0)
        return true;
    rate_take(p->gate->rate, p->route->rate, rate_caller(p), per_window, &verdict);
    http_add_header(p->x, "RateLimit-Policy",
                    str_from(arena_printf(arena, "\"%s\";q=%u;w=%d", name, per_window, RATE_WINDOW_S)));
    http_add_header(p->x, "RateLimit",
                    str_from(arena_printf(arena, "\"%s\";r=%u;t=%u", name, verdict.left, verdict.reset_s)));
    if (!verdict.is_allowed)
        refuse_limit(p, &verdict);
    return verdict.is_allowed;
}

static void enter(struct passage *p)
{
    if (!is_within_rate(p))
        return;
    if (!may_enter(p))
        refuse_role(p);
    else
        http_accept_body(p->x, p->route->body.ceiling_bytes);
}

/* ---- the session or token ---- */

static void on_principal(void *arg, const struct principal *who, const struct err *err)
{
    struct passage *p = arg;
    p->lookup = NULL;
    http_on_gone(p->x, NULL, NULL);
    if (err != NULL && err->kind != ERR_UNAUTHENTICATED) {
        http_answer_err(p->x, err);
        return;
    }
    if (err == NULL) {
        p->caller.is_signed_in = true;
        p->caller.is_by_token = !str_is_none(p->caller.api_token);
        p->caller.who = *who;
        p->caller.who.is_admin =
            who->is_admin || str_list_has(str_from(p->gate->settings.admin_users), str_from(who->user_id));
    } else if (p->gate->settings.per_window[RATE_READ] > 0) {
        struct rate_verdict ignored;
        rate_take(p->gate->rate, CLASS_UNKNOWN_SESSION, str_from(p->address), p->gate->settings.per_window[RATE_READ],
                  &ignored);
    }
    enter(p);
}

static void on_gone(void *arg)
{
    struct passage *p = arg;
    op_cancel(p->lookup);
    p->lookup = NULL;
}

static void find_caller(struct passage *p)
{
    struct gate *g = p->gate;
    struct rate_verdict verdict = {.is_allowed = true};
    if (g->settings.per_window[RATE_READ] > 0)
        rate_look(g->rate, CLASS_UNKNOWN_SESSION, str_from(p->address), g->settings.per_window[RATE_READ], &verdict);
    if (!verdict.is_allowed) {
        refuse_limit(p, &verdict);
        return;
    }
    g->stats.lookups_n++;
    http_on_gone(p->x, on_gone, p);
    if (!str_is_none(p->caller.api_token))
        p->lookup = g->store->token_find(g->store->self, p->caller.api_token, g->settings.lookup_ms, on_principal, p);
    else
        p->lookup =
            g->store->session_find(g->store->self, p->caller.session_token, g->settings.lookup_ms, on_principal, p);
}

/* ---- the service ---- */

static struct passage *passage_new(struct gate *g, struct http_exchange *x, const struct route *route)
{
    struct passage *p = arena_alloc(http_arena(x), sizeof(*p));
    p->gate = g;
    p->x = x;
    p->route = route;
    p->caller.is_secure = g->is_public_secure || http_is_secure(x);
    p->caller.cookie_name = p->caller.is_secure ? "__Host-sid" : "sid";
    p->is_bearer = gate_find_bearer(x, &p->caller.api_token);
    if (!p->is_bearer)
        p->caller.session_token = http_token_cookie(x, p->caller.cookie_name);
    rate_address(http_peer(x), p->address);
    http_set_context(x, &p->caller);
    return p;
}

/* A page of a listed origin may change what its API token may; without one it is as foreign as any other. */
static bool is_site_fine(const struct passage *p, bool is_admitted, struct err *reterr)
{
    if (is_admitted && p->is_bearer && p->route->role != ROUTE_PUBLIC)
        return true;
    return gate_check_site(p->x, p->gate->settings.public_url, p->caller.is_secure, reterr);
}

static void on_head(void *arg, struct http_exchange *x)
{
    struct gate *g = arg;
    struct err err = {0};
    bool is_admitted = cors_admit(x, g->settings.cors_origins);
    if (is_admitted)
        cors_add_preflight(x, g->router);
    const struct route *route = router_find(g->router, x, g->settings.fallback);
    if (route == NULL)
        return;
    count_request(g, route);
    struct passage *p = passage_new(g, x, route);
    if (!is_site_fine(p, is_admitted, &err)) {
        g->stats.forbidden_n++;
        http_answer_err(x, &err);
    } else if (!gate_check_media_type(x, route->body.takes_form, &err) ||
               (g->idempotency != NULL && !idempotency_read_key(x, &p->key, &err))) {
        http_answer_err(x, &err);
    } else if (route->role != ROUTE_PUBLIC &&
               (!str_is_none(p->caller.session_token) || !str_is_none(p->caller.api_token))) {
        find_caller(p);
    } else {
        enter(p);
    }
}

/* ---- the audit ---- */

/* What a known caller changes, and each try to sign in. */
static bool is_audited(const struct passage *p)
{
    if (p->route->role == ROUTE_PUBLIC && p->route->rate == RATE_SIGNIN)
        return true;
    return p->caller.is_signed_in && p->route->method != HTTP_GET;
}

static void note_in_audit(const struct passage *p, int status)
{
    struct str pattern = str_from(p->route->pattern);
    struct str project = http_param(p->x, "projectId");
    bool is_project = !str_is_none(project) || str_starts(pattern, STR("/api/projects/"));
    bool is_user = str_starts(pattern, STR("/api/admin/users/"));
    struct audit_row row = {
        .method = http_method_name(p->route->method),
        .pattern = p->route->pattern,
        .subject_kind = is_project ? "project"
                        : is_user  ? "user"
                                   : "other",
        .credential = !p->caller.is_signed_in ? "none"
                      : p->caller.is_by_token ? "token"
                                              : "session",
        .status = status,
    };
    if (p->caller.is_signed_in)
        (void)!str_copy(str_from(p->caller.who.user_id), row.user_id, sizeof(row.user_id));
    if (p->caller.is_by_token)
        (void)!str_copy(str_from(p->caller.who.token_id), row.token_id, sizeof(row.token_id));
    struct str subject = str_is_none(project) ? http_param(p->x, "id") : project;
    if (names_is_id(subject))
        (void)!str_copy(subject, row.subject_id, sizeof(row.subject_id));
    (void)!str_copy(str_from(p->address), row.address, sizeof(row.address));
    (void)!str_copy(str_from(http_request_id(p->x)), row.request_id, sizeof(row.request_id));
    audit_note(p->gate->audit, &row);
}

static void on_end(void *arg, int status)
{
    const struct passage *p = arg;
    if (p->gate->audit != NULL && is_audited(p))
        note_in_audit(p, status);
    if (p->gate->settings.after != NULL)
        p->gate->settings.after(p->x, p->gate->settings.app, status);
}

static void handle(const struct passage *p)
{
    log_scope_set(http_request_id(p->x));
    p->route->handler(p->x, p->gate->settings.app);
    log_scope_set(NULL);
}

static void handle_keyed(void *arg, const char *operation_id)
{
    struct passage *p = arg;
    p->caller.operation_id = operation_id;
    handle(p);
}

/* A key belongs to a user: who is nobody has none. */
static void on_request(void *arg, struct http_exchange *x)
{
    const struct gate *g = arg;
    struct passage *p = http_context(x);
    http_on_end(x, on_end, p);
    if (str_is_none(p->key) || !p->caller.is_signed_in)
        handle(p);
    else
        idempotency_run(g->idempotency, x, p->caller.who.user_id, p->key, handle_keyed, p);
}

void gate_service(struct gate *g, struct http_service *ret)
{
    *ret = (struct http_service){on_head, on_request, g};
}
