// SPDX-License-Identifier: MIT
/* Finds the row of the route table for a request and answers what needs no handler: 404, 405 with Allow, OPTIONS, HEAD
 * as GET. The table itself is handlers/routes.c. */
#pragma once

#include <stddef.h>

#include "core/api_token.h"
#include "server/http.h"

/* OPTIONAL: like PUBLIC, but who asks is looked up, so that the handler knows. SESSION: a user by cookie; no API token,
 * whatever its scope. */
#define ROUTE_ROLES(X)                                                                                                 \
    X(PUBLIC, "public") X(OPTIONAL, "optional") X(USER, "user") X(SESSION, "session") X(ADMIN, "admin")
enum route_role {
#define X(name, id) ROUTE_##name,
    ROUTE_ROLES(X)
#undef X
        ROUTE_ROLE_N
};
enum route_rate { RATE_NONE, RATE_READ, RATE_WRITE, RATE_SIGNIN, RATE_STREAM };

/* JSON, or where it says so a form as well (http_is_form). */
struct route_body {
    size_t ceiling_bytes; /* 0: a body is refused with 413 */
    bool takes_form;
};

struct app; /* handlers/app.h: what handlers may use */

struct route {
    enum http_method method;
    const char *pattern; /* "/api/sandbox/{projectId}" */
    void (*handler)(struct http_exchange *x, struct app *app);
    enum route_role role;
    struct route_body body;
    enum route_rate rate;
};

/* What an API token needs for it: admin where the role is admin, else read for GET and write for the rest. */
enum token_scope route_scope(const struct route *route);
const char *route_role_id(enum route_role role);

struct router;
/* routes: borrowed for the router's life. */
struct router *router_new(const struct route *routes, size_t n);
void router_free(struct router *r);
/* The row, with path parameters put into the exchange; NULL when the router answered (404, 405, OPTIONS). HEAD finds
 * the row of GET. fallback (may be NULL): the row for GET paths outside /api that match nothing (the dashboard). */
const struct route *router_find(struct router *r, struct http_exchange *x, const struct route *fallback);
/* Adds a field of that name with the methods that the request's path has, as in Allow; nothing when it has none. */
void router_add_methods(const struct router *r, struct http_exchange *x, const char *name);
