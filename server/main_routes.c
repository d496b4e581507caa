// SPDX-License-Identifier: MIT
/* fullstackd routes: prints the route table, with what each route asks of whoever calls it. For people, and for the
 * test that has an expectation for each row. */
#include <stdio.h>

#include "core/base/json_write.h"
#include "handlers/routes.h"
#include "server/main_program.h"

enum { ROUTES_CEILING_BYTES = 256 * 1024 };

static void print_text(void)
{
    for (size_t i = 0; i < ROUTES_N; i++) {
        const struct route *r = &ROUTES[i];
        printf("%-6s %-45s %-8s %s\n", http_method_name(r->method), r->pattern, route_role_id(r->role),
               token_scope_id(route_scope(r)));
    }
}

static int print_json(void)
{
    struct json_writer *w = jw_new(ROUTES_CEILING_BYTES);
    struct str json;
    struct err err = {0};
    jw_array(w);
    for (size_t i = 0; i < ROUTES_N; i++) {
        const struct route *r = &ROUTES[i];
        jw_object(w);
        jw_kv_text(w, "method", http_method_name(r->method));
        jw_kv_text(w, "path", r->pattern);
        jw_kv_text(w, "role", route_role_id(r->role));
        jw_kv_text(w, "scope", token_scope_id(route_scope(r)));
        jw_kv_int(w, "bodyBytes", (int64_t)r->body.ceiling_bytes);
        jw_kv_bool(w, "takesForm", r->body.takes_form);
        jw_kv_bool(w, "isRateLimited", r->rate != RATE_NONE);
        jw_object_end(w);
    }
    jw_array_end(w);
    bool is_good = jw_finish(w, &json, &err);
    if (is_good)
        printf("%.*s\n", STR_ARG(json));
    jw_free(w);
    return is_good ? EXIT_OK : main_fail(EXIT_FAILED, "writing JSON", &err);
}

int main_routes(const struct main_options *o)
{
    if (o->is_json)
        return print_json();
    print_text();
    return EXIT_OK;
}
