// SPDX-License-Identifier: MIT
/* Host and path to the rule of an Ingress or HTTPRoute, to Service, to ready endpoint, to a page. */
#include "devcluster/gateway.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"

enum { GATEWAY_BODY_CEILING_BYTES = 1 << 20, PAGE_CEILING_BYTES = 64 * 1024 };

struct gateway {
    struct store *store;
    struct http_service service;
};

struct route {
    const struct object *object; /* Ingress or HTTPRoute */
    struct str service;
    int64_t port;
};

static void add_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '<':
            buf_add_text(out, "&lt;");
            break;
        case '>':
            buf_add_text(out, "&gt;");
            break;
        case '&':
            buf_add_text(out, "&amp;");
            break;
        case '"':
            buf_add_text(out, "&quot;");
            break;
        default:
            buf_add_byte(out, text.p[i]);
        }
    }
}

static struct str host_of(const struct http_exchange *x)
{
    struct str host = http_header(x, "Host");
    return str_slice(host, 0, str_find(host, ':', 0));
}

static bool prefix_matches(struct str prefix, bool is_exact, struct str path)
{
    if (prefix.n == 0 || str_eq_text(prefix, "/"))
        return true;
    if (is_exact)
        return str_eq(prefix, path);
    return str_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/' || prefix.p[prefix.n - 1] == '/');
}

static bool path_matches(const struct doc *row, struct str path)
{
    return prefix_matches(doc_get(row, "path"), str_eq_text(doc_get(row, "pathType"), "Exact"), path);
}

static bool match_rules(const struct object *ingress, struct str host, struct str path, struct route *ret)
{
    const struct doc *rules = doc_at(ingress->root, "spec", "rules", NULL);
    for (const struct doc *r = rules == NULL ? NULL : rules->first; r != NULL; r = r->next) {
        const struct doc *paths = doc_at(r, "http", "paths", NULL);
        if (!str_eq_nocase(doc_get(r, "host"), host))
            continue;
        for (const struct doc *p = paths == NULL ? NULL : paths->first; p != NULL; p = p->next)
            if (path_matches(p, path)) {
                ret->object = ingress;
                ret->service = doc_as_str(doc_at(p, "backend", "service", "name", NULL));
                ret->port = doc_as_int(doc_at(p, "backend", "service", "port", "number", NULL), 0);
                return true;
            }
    }
    return false;
}

static bool is_accepted(const struct object *route)
{
    const struct doc *parents = doc_at(route->root, "status", "parents", NULL);
    for (const struct doc *p = parents == NULL ? NULL : parents->first; p != NULL; p = p->next) {
        const struct doc *all = doc_find(p, "conditions");
        for (const struct doc *c = all == NULL ? NULL : all->first; c != NULL; c = c->next)
            if (str_eq_text(doc_get(c, "type"), "Accepted") && str_eq_text(doc_get(c, "status"), "True"))
                return true;
    }
    return false;
}

static bool rule_matches(const struct doc *rule, struct str path)
{
    const struct doc *matches = doc_find(rule, "matches");
    for (const struct doc *m = matches == NULL ? NULL : matches->first; m != NULL; m = m->next) {
        const struct doc *of = doc_find(m, "path");
        struct str prefix = doc_get(of, "value");
        if (prefix_matches(prefix, str_eq_text(doc_get(of, "type"), "Exact"), path))
            return true;
    }
    return false;
}

/* The host is the route's own: it was found by it. */
static bool match_httproute(const struct object *route, struct str path, struct route *ret)
{
    const struct doc *rules = doc_at(route->root, "spec", "rules", NULL);
    if (!is_accepted(route))
        return false;
    for (const struct doc *r = rules == NULL ? NULL : rules->first; r != NULL; r = r->next) {
        const struct doc *backends = doc_find(r, "backendRefs");
        if (backends == NULL || backends->first == NULL || !rule_matches(r, path))
            continue;
        ret->object = route;
        ret->service = doc_get(backends->first, "name");
        ret->port = doc_as_int(doc_find(backends->first, "port"), 0);
        return true;
    }
    return false;
}

static bool match(const struct object *o, struct str host, struct str path, struct route *ret)
{
    if (o->kind->id == KIND_INGRESS)
        return match_rules(o, host, path, ret);
    return o->kind->id == KIND_HTTPROUTE && match_httproute(o, path, ret);
}

static bool find_route(struct gateway *g, struct http_exchange *x, struct route *ret)
{
    struct str host = host_of(x);
    struct entry **found = store_by_reference(g->store, http_arena(x), STR(""), host);
    for (size_t i = 0; found[i] != NULL; i++)
        if (match(found[i]->now, host, http_path(x), ret))
            return true;
    return false;
}

/* The name of a pod that would answer, or absent. */
static struct str find_ready_pod(struct gateway *g, struct arena *a, const struct route *route)
{
    const struct entry *service = store_find(g->store, kind_get(KIND_SERVICE), route->object->ns, route->service);
    if (service == NULL)
        return STR_NONE;
    struct entry **slices = store_by_owner(g->store, a, service->now->uid);
    for (size_t i = 0; slices[i] != NULL; i++) {
        const struct doc *list = doc_find(slices[i]->now->root, "endpoints");
        for (const struct doc *e = list == NULL ? NULL : list->first; e != NULL; e = e->next)
            if (doc_as_bool(doc_at(e, "conditions", "ready", NULL), false))
                return doc_as_str(doc_at(e, "targetRef", "name", NULL));
    }
    return STR_NONE;
}

static void answer_page(struct http_exchange *x, int status, const char *title, struct str text)
{
    struct buf page;
    buf_init(&page, PAGE_CEILING_BYTES);
    buf_addf(
        &page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>%s</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:10vh "
        "auto;max-width:40rem;padding:0 1rem;background:#111;color:#ddd}h1{font-size:1.3rem}</style><h1>%s</h1><p>",
        title, title);
    add_escaped(&page, text);
    buf_add_text(&page, "</p></html>\n");
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_add_header(x, "Content-Security-Policy", STR("default-src 'none'; style-src 'unsafe-inline'"));
    http_add_header(x, "X-Content-Type-Options", STR("nosniff"));
    http_answer(x, status, "text/html; charset=utf-8", buf_str(&page));
    buf_fini(&page);
}

static const char *what_listens(int64_t port)
{
    return port == 7681 ? "the web terminal (ttyd)" : "the application";
}

static void on_request(void *arg, struct http_exchange *x)
{
    struct gateway *g = arg;
    struct arena *a = http_arena(x);
    struct route route;
    if (!find_route(g, x, &route)) {
        answer_page(x, 404, "No such host",
                    str_from(arena_printf(a, "No Ingress or HTTPRoute of the embedded cluster names the host %.*s.",
                                          STR_ARG(host_of(x)))));
        return;
    }
    struct str pod = find_ready_pod(g, a, &route);
    if (str_is_none(pod)) {
        answer_page(x, 503, "Not ready yet",
                    str_from(arena_printf(a, "The Service %.*s has no ready endpoint.", STR_ARG(route.service))));
        return;
    }
    answer_page(x, 200, "Embedded cluster",
                str_from(arena_printf(a,
                                      "On a real cluster, %s of the pod %.*s (Service %.*s, port %lld, namespace %.*s) "
                                      "answers here. The embedded cluster runs no containers.",
                                      what_listens(route.port), STR_ARG(pod), STR_ARG(route.service),
                                      (long long)route.port, STR_ARG(route.object->ns))));
}

static void on_head(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_accept_body(x, GATEWAY_BODY_CEILING_BYTES);
}

struct gateway *gateway_new(struct store *store)
{
    struct gateway *g = xcalloc(1, sizeof(*g));
    g->store = store;
    g->service = (struct http_service){.on_head = on_head, .on_request = on_request, .arg = g};
    return g;
}

void gateway_free(struct gateway *g)
{
    free(g);
}

const struct http_service *gateway_service(struct gateway *g)
{
    return &g->service;
}
