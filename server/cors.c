// SPDX-License-Identifier: MIT
/* The Access-Control fields. */
#include "server/cors.h"

/* Fields that pages may not send without asking; Accept and the like they may. */
#define REQUEST_FIELDS "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id"
/* Fields that pages may not read without being told. */
#define ANSWER_FIELDS  "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Journal-Seq, X-Request-Id"
#define MAX_AGE_S      "600" /* how long a browser remembers a preflight */

bool cors_admit(struct http_exchange *x, const char *origins)
{
    struct str origin = http_header(x, "Origin");
    if (origins[0] == '\0')
        return false;
    /* Also where no origin was sent: a cache must not hand this answer to a page. */
    http_add_header(x, "Vary", STR("Origin"));
    if (!str_list_has(str_from(origins), origin))
        return false;
    http_add_header(x, "Access-Control-Allow-Origin", origin);
    http_add_header(x, "Access-Control-Expose-Headers", STR(ANSWER_FIELDS));
    return true;
}

void cors_add_preflight(struct http_exchange *x, const struct router *router)
{
    if (http_method(x) != HTTP_OPTIONS || str_is_none(http_header(x, "Access-Control-Request-Method")))
        return;
    router_add_methods(router, x, "Access-Control-Allow-Methods");
    http_add_header(x, "Access-Control-Allow-Headers", STR(REQUEST_FIELDS));
    http_add_header(x, "Access-Control-Max-Age", STR(MAX_AGE_S));
}
