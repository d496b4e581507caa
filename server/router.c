// SPDX-License-Identifier: MIT
/* Routes by walking path and pattern side by side, row by row: the table is short, and a walk over all rows also knows
 * which methods a path has. A literal segment beats a parameter, the earlier one first. */
#include "server/router.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "server/http_conn.h"

enum { SEGMENTS_MAX = 16, ALLOW_CEILING_BYTES = 128 };

struct router {
    const struct route *routes;
    size_t n;
    unsigned *ranks; /* per row: a bit per literal segment, the first segment's the highest */
};

/* What one path found. */
struct found {
    const struct route *route; /* with the method asked for */
    unsigned methods;          /* bits of all methods of the path */
};

static const char *const role_ids[ROUTE_ROLE_N] = {
#define X(name, id) [ROUTE_##name] = (id),
    ROUTE_ROLES(X)
#undef X
};

enum token_scope route_scope(const struct route *route)
{
    if (route->role == ROUTE_ADMIN)
        return TOKEN_SCOPE_ADMIN;
    return route->method == HTTP_GET ? TOKEN_SCOPE_READ : TOKEN_SCOPE_WRITE;
}

const char *route_role_id(enum route_role role)
{
    return role_ids[role];
}

static bool is_param(struct str segment)
{
    return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

static unsigned rank_of(const char *pattern)
{
    struct str rest = str_from(pattern);
    struct str segment;
    unsigned rank = 0;
    for (unsigned i = 0; i < SEGMENTS_MAX && str_next(&rest, '/', &segment); i++) {
        if (!is_param(segment))
            rank |= 1U << (SEGMENTS_MAX - 1 - i);
    }
    return rank;
}

struct router *router_new(const struct route *routes, size_t n)
{
    struct router *r = xcalloc(1, sizeof *r);
    r->routes = routes;
    r->n = n;
    r->ranks = xcalloc(n > 0 ? n : 1, sizeof *r->ranks);
    for (size_t i = 0; i < n; i++)
        r->ranks[i] = rank_of(routes[i].pattern);
    return r;
}

void router_free(struct router *r)
{
    if (r == NULL)
        return;
    free(r->ranks);
    free(r);
}

static bool matches(const char *pattern, struct str path)
{
    struct str wanted = str_from(pattern);
    struct str given = path;
    struct str a;
    struct str b;
    while (str_next(&wanted, '/', &a)) {
        if (!str_next(&given, '/', &b))
            return false;
        if (is_param(a) ? b.n == 0 : !str_eq(a, b))
            return false;
    }
    return str_is_none(given);
}

static void add_params(struct http_exchange *x, const char *pattern)
{
    struct str wanted = str_from(pattern);
    struct str given = http_path(x);
    struct str a;
    struct str b;
    x->params_n = 0;
    while (str_next(&wanted, '/', &a) && str_next(&given, '/', &b)) {
        if (is_param(a))
            exchange_add_param(x, str_slice(a, 1, a.n - 1), b);
    }
}

static struct found look(const struct router *r, enum http_method method, struct str path)
{
    struct found found = {NULL, 0};
    unsigned best = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct route *route = &r->routes[i];
        if (!matches(route->pattern, path))
            continue;
        found.methods |= 1U << route->method;
        if (route->method != method || (found.route != NULL && r->ranks[i] <= best))
            continue;
        found.route = route;
        best = r->ranks[i];
    }
    return found;
}

static void add_methods(struct http_exchange *x, const char *name, unsigned methods)
{
    struct buf text;
    buf_init(&text, ALLOW_CEILING_BYTES);
    if ((methods & 1U << HTTP_GET) != 0)
        methods |= 1U << HTTP_HEAD;
    methods |= 1U << HTTP_OPTIONS;
    for (unsigned i = 0; i < HTTP_METHOD_N; i++) {
        if ((methods & 1U << i) == 0)
            continue;
        buf_add_text(&text, text.n > 0 ? ", " : "");
        buf_add_text(&text, http_method_name((enum http_method)i));
    }
    http_add_header(x, name, buf_str(&text));
    buf_fini(&text);
}

void router_add_methods(const struct router *r, struct http_exchange *x, const char *name)
{
    struct found found = look(r, http_method(x), http_path(x));
    if (found.methods != 0)
        add_methods(x, name, found.methods);
}

static void answer_missing(struct http_exchange *x)
{
    struct err err;
    err_set(&err, ERR_MISSING, __func__, "Not found");
    http_answer_err(x, &err);
}

static bool is_api(struct str path)
{
    return str_eq(path, STR("/api")) || str_starts(path, STR("/api/"));
}

const struct route *router_find(struct router *r, struct http_exchange *x, const struct route *fallback)
{
    enum http_method method = http_method(x) == HTTP_HEAD ? HTTP_GET : http_method(x);
    struct str path = http_path(x);
    struct found found = look(r, method, path);
    if (found.route != NULL) {
        add_params(x, found.route->pattern);
        return found.route;
    }
    if (found.methods == 0 && fallback != NULL && method == HTTP_GET && !is_api(path))
        return fallback;
    bool is_server = method == HTTP_OPTIONS && str_eq(path, STR("*"));
    if (is_server)
        found.methods = (1U << HTTP_METHOD_N) - 1;
    if (found.methods == 0) {
        answer_missing(x);
        return NULL;
    }
    add_methods(x, "Allow", found.methods);
    if (method == HTTP_OPTIONS)
        http_answer(x, 204, NULL, STR(""));
    else
        problem_answer(x, 405, "Method not allowed");
    return NULL;
}
