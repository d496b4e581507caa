// SPDX-License-Identifier: MIT
/* Finds the row of the route table for a request and answers what needs no handler: 404, 405 with Allow, OPTIONS, HEAD
 * as GET. The table itself is handlers/routes.c. */
#pragma once

#include <stddef.h>

#include "server/http.h"

/* OPTIONAL: like PUBLIC, but a session cookie is looked up, so that the handler knows who asks. */
enum route_role { ROUTE_PUBLIC, ROUTE_OPTIONAL, ROUTE_USER, ROUTE_ADMIN };
enum route_rate { RATE_NONE, RATE_READ, RATE_WRITE, RATE_SIGNIN, RATE_STREAM };

struct app; /* handlers/app.h: what handlers may use */

struct route {
    enum http_method method;
    const char *pattern; /* "/api/sandbox/{projectId}" */
    void (*handler)(struct http_exchange *x, struct app *app);
    enum route_role role;
    size_t body_ceiling_bytes; /* 0: a body is refused with 413 */
    enum route_rate rate;
};

struct router;
/* routes: borrowed for the router's life. */
struct router *router_new(const struct route *routes, size_t n);
void router_free(struct router *r);
/* The row, with path parameters put into the exchange; NULL when the router answered (404, 405, OPTIONS). HEAD finds
 * the row of GET. fallback (may be NULL): the row for GET paths outside /api that match nothing (the dashboard). */
const struct route *router_find(struct router *r, struct http_exchange *x, const struct route *fallback);
