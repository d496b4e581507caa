// SPDX-License-Identifier: MIT
/* A controller of the Gateway API: says of each HTTPRoute whether its Gateway takes it and whether its Services are
 * there. A route whose Gateway does not exist is nobody's, so nothing is said of it.
 * source: gateway-api.sigs.k8s.io, HTTPRoute status. */
#include "devcluster/control/control_private.h"

static const char GROUP[] = "gateway.networking.k8s.io";
static const char CONTROLLER[] = "fullstackagent.io/devcluster";

struct said {
    bool is_good;
    const char *reason;
    const char *message;
};

static const struct doc *first_of(const struct doc *list)
{
    return doc_type(list) == JSON_ARRAY ? list->first : NULL;
}

static const struct object *find_gateway(struct control *control, const struct object *route, const struct doc *ref)
{
    struct str ns = doc_get(ref, "namespace");
    struct str kind = doc_get(ref, "kind");
    if (!str_eq_text(doc_get(ref, "group"), GROUP) || !str_eq_text(kind, "Gateway"))
        return NULL;
    const struct entry *e =
        store_find(control->store, kind_get(KIND_GATEWAY), ns.n > 0 ? ns : route->ns, doc_get(ref, "name"));
    return e == NULL ? NULL : e->now;
}

/* "*.example.org" takes any name below example.org; no host name at all takes all. */
static bool host_fits(struct str of_listener, struct str of_route)
{
    if (of_listener.n == 0 || str_eq_nocase(of_listener, of_route))
        return true;
    struct str tail = str_slice(of_listener, 1, of_listener.n);
    return str_starts(of_listener, STR("*.")) && of_route.n > tail.n &&
           str_eq_nocase(str_slice(of_route, of_route.n - tail.n, of_route.n), tail);
}

static bool any_host_fits(const struct doc *listener, const struct object *route)
{
    const struct doc *hosts = doc_at(route->root, "spec", "hostnames", NULL);
    bool is_fit = doc_count(hosts) == 0;
    for (const struct doc *h = first_of(hosts); h != NULL; h = h->next)
        is_fit = is_fit || host_fits(doc_get(listener, "hostname"), doc_as_str(h));
    return is_fit;
}

static bool lets_in(const struct doc *listener, const struct object *gateway, const struct object *route)
{
    struct str from = doc_as_str(doc_at(listener, "allowedRoutes", "namespaces", "from", NULL));
    return str_eq_text(from, "All") || str_eq(gateway->ns, route->ns);
}

static struct said accepted(const struct object *gateway, const struct object *route, const struct doc *ref)
{
    struct str section = doc_get(ref, "sectionName");
    struct said said = {false, "NoMatchingParent", "No listener of the Gateway has that name"};
    for (const struct doc *l = first_of(doc_at(gateway->root, "spec", "listeners", NULL)); l != NULL; l = l->next) {
        if (section.n > 0 && !str_eq(section, doc_get(l, "name")))
            continue;
        if (!lets_in(l, gateway, route))
            said = (struct said){false, "NotAllowedByListeners", "The listener takes no routes of this namespace"};
        else if (!any_host_fits(l, route))
            said = (struct said){false, "NoMatchingListenerHostname",
                                 "No host name of the route fits the listener's host name"};
        else
            return (struct said){true, "Accepted", "Route is accepted"};
    }
    return said;
}

static struct said resolved(struct control *control, struct arena *a, const struct object *route)
{
    for (const struct doc *r = first_of(doc_at(route->root, "spec", "rules", NULL)); r != NULL; r = r->next)
        for (const struct doc *b = first_of(doc_find(r, "backendRefs")); b != NULL; b = b->next) {
            struct str name = doc_get(b, "name");
            if (store_find(control->store, kind_get(KIND_SERVICE), route->ns, name) == NULL)
                return (struct said){false, "BackendNotFound",
                                     arena_printf(a, "Service %.*s/%.*s not found", STR_ARG(route->ns), STR_ARG(name))};
        }
    return (struct said){true, "ResolvedRefs", "Resolved all the object references for the route"};
}

static const struct doc *former(const struct object *route, const struct doc *ref, const char *type)
{
    for (const struct doc *p = first_of(doc_at(route->root, "status", "parents", NULL)); p != NULL; p = p->next)
        if (doc_equal(doc_find(p, "parentRef"), ref))
            return condition_find((struct doc *)doc_find(p, "conditions"), type);
    return NULL;
}

static void add_condition(struct control *control, struct draft *d, struct doc *parent, const char *type,
                          const struct said *said)
{
    struct arena *a = d->arena;
    const struct object *route = d->entry->now;
    const char *status = said->is_good ? "True" : "False";
    const struct doc *old = former(route, doc_find(parent, "parentRef"), type);
    bool is_same = old != NULL && str_eq_text(doc_get(old, "status"), status);
    struct doc *row = doc_append(doc_need_array(a, parent, "conditions"), doc_object(a));
    doc_set_str(a, row, "lastTransitionTime",
                is_same ? doc_get(old, "lastTransitionTime") : store_time(control->store, a));
    doc_set_text(a, row, "message", said->message);
    doc_set_int(a, row, "observedGeneration", doc_as_int(doc_find(object_meta(route), "generation"), 1));
    doc_set_text(a, row, "reason", said->reason);
    doc_set_text(a, row, "status", status);
    doc_set_text(a, row, "type", type);
}

static void add_parent(struct control *control, struct draft *d, struct doc *parents, const struct doc *ref)
{
    const struct object *route = d->entry->now;
    const struct object *gateway = find_gateway(control, route, ref);
    if (gateway == NULL)
        return;
    struct doc *parent = doc_append(parents, doc_object(d->arena));
    doc_set(d->arena, parent, "parentRef", doc_copy(d->arena, ref));
    doc_set_text(d->arena, parent, "controllerName", CONTROLLER);
    struct said said = accepted(gateway, route, ref);
    add_condition(control, d, parent, "Accepted", &said);
    said = resolved(control, d->arena, route);
    add_condition(control, d, parent, "ResolvedRefs", &said);
}

void httproute_reconcile(struct control *control, struct work *w)
{
    ms_t now = loop_now_ms(control->loop);
    if (w->due_ms == 0)
        w->due_ms = now + control->delays.schedule_ms;
    if (now < w->due_ms) {
        work_after(w, w->due_ms - now);
        return;
    }
    if (object_is_deleting(w->entry->now))
        return;
    struct draft *d = draft_of(w->entry);
    struct doc *parents = doc_array(d->arena);
    for (const struct doc *r = first_of(doc_at(w->entry->now->root, "spec", "parentRefs", NULL)); r != NULL;
         r = r->next)
        add_parent(control, d, parents, r);
    doc_set(d->arena, doc_need_object(d->arena, d->root, "status"), "parents", parents);
    (void)store_put(control->store, d, STORE_STATUS);
}
