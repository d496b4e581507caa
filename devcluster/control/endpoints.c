// SPDX-License-Identifier: MIT
/* EndpointSlices: for every Service with a selector, the addresses of its pods and whether they are ready. One slice
 * per Service. source: Kubernetes, "EndpointSlices". */
#include "core/base/codec.h"
#include "devcluster/base/selector.h"
#include "devcluster/control/control_private.h"

enum { SLICE_SUFFIX_N = 5 };

static bool pod_ready(const struct object *pod)
{
    struct doc *conditions = (struct doc *)doc_at(pod->root, "status", "conditions", NULL);
    return str_eq_text(doc_get(condition_find(conditions, "Ready"), "status"), "True");
}

static void add_endpoint(struct arena *a, struct doc *list, const struct object *pod)
{
    bool is_leaving = object_is_deleting(pod);
    bool is_ready = pod_ready(pod);
    struct doc *e = doc_append(list, doc_object(a));
    doc_append(doc_need_array(a, e, "addresses"), doc_str(a, doc_as_str(doc_at(pod->root, "status", "podIP", NULL))));
    struct doc *conditions = doc_need_object(a, e, "conditions");
    doc_set_bool(a, conditions, "ready", is_ready && !is_leaving);
    doc_set_bool(a, conditions, "serving", is_ready);
    doc_set_bool(a, conditions, "terminating", is_leaving);
    doc_set_str(a, e, "nodeName", doc_as_str(doc_at(pod->root, "spec", "nodeName", NULL)));
    struct doc *target = doc_need_object(a, e, "targetRef");
    doc_set_text(a, target, "kind", "Pod");
    doc_set_str(a, target, "name", pod->name);
    doc_set_str(a, target, "namespace", pod->ns);
    doc_set_str(a, target, "uid", pod->uid);
}

static void fill_endpoints(struct control *control, struct arena *a, struct doc *root, const struct object *service)
{
    struct doc *list = doc_set(a, root, "endpoints", doc_array(a));
    struct selector selector;
    struct doc *spec = doc_object(a);
    doc_set(a, spec, "matchLabels", doc_copy(a, doc_at(service->root, "spec", "selector", NULL)));
    selector_from_doc(a, spec, &selector);
    const struct selector_rule *rule = selector_equality(&selector);
    if (rule == NULL)
        return;
    struct entry **pods = store_by_label(control->store, a, kind_get(KIND_POD), rule->key, rule->values[0]);
    for (size_t i = 0; pods[i] != NULL; i++) {
        const struct object *pod = pods[i]->now;
        bool has_address = doc_at(pod->root, "status", "podIP", NULL) != NULL;
        struct str phase = doc_as_str(doc_at(pod->root, "status", "phase", NULL));
        if (str_eq(pod->ns, service->ns) && has_address && !str_eq_text(phase, "Failed") &&
            selector_matches(&selector, object_labels(pod)))
            add_endpoint(a, list, pod);
    }
}

static void fill_ports(struct arena *a, struct doc *root, const struct object *service)
{
    struct doc *list = doc_set(a, root, "ports", doc_array(a));
    const struct doc *ports = doc_at(service->root, "spec", "ports", NULL);
    for (const struct doc *p = ports == NULL ? NULL : ports->first; p != NULL; p = p->next) {
        struct doc *row = doc_append(list, doc_object(a));
        doc_set_str(a, row, "name", doc_get(p, "name"));
        doc_set_str(a, row, "protocol", doc_get(p, "protocol"));
        doc_set(a, row, "port", doc_copy(a, doc_find(p, "targetPort")));
    }
}

/* The Service's labels are the slice's too (kubernetes, staging/src/k8s.io/endpointslice: setEndpointSliceLabels): a
 * watch that selects by label sees both. */
static void fill_labels(struct arena *a, struct doc *root, const struct object *service)
{
    struct doc *labels = doc_set(a, doc_need_object(a, root, "metadata"), "labels", doc_object(a));
    const struct doc *own = object_labels(service);
    for (const struct doc *label = own == NULL ? NULL : own->first; label != NULL; label = label->next)
        doc_set_str_key(a, labels, label->key, doc_copy(a, label));
    doc_set_str(a, labels, "kubernetes.io/service-name", service->name);
    doc_set_text(a, labels, "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
}

static struct doc *new_slice(struct arena *a, const struct object *service)
{
    char suffix[SLICE_SUFFIX_N + 1];
    codec_random_text(suffix, SLICE_SUFFIX_N, "bcdfghjklmnpqrstvwxz2456789");
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", "EndpointSlice");
    doc_set_text(a, root, "apiVersion", "discovery.k8s.io/v1");
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", arena_printf(a, "%.*s-%s", STR_ARG(service->name), suffix));
    doc_set_text(a, meta, "generateName", arena_printf(a, "%.*s-", STR_ARG(service->name)));
    doc_set_str(a, meta, "namespace", service->ns);
    owner_add(a, root, service);
    doc_set_text(a, root, "addressType", "IPv4");
    return root;
}

void service_reconcile(struct control *control, struct work *w)
{
    const struct object *service = w->entry->now;
    if (object_is_deleting(service) || doc_at(service->root, "spec", "selector", NULL) == NULL)
        return;
    struct arena *a = arena_new();
    struct entry **owned = store_by_owner(control->store, a, service->uid);
    struct entry *slice = NULL;
    for (size_t i = 0; owned[i] != NULL && slice == NULL; i++)
        if (owned[i]->kind->id == KIND_ENDPOINTSLICE)
            slice = owned[i];
    struct draft *d;
    if (slice == NULL) {
        struct arena *own = arena_new();
        d = draft_new(kind_get(KIND_ENDPOINTSLICE), new_slice(own, service), own);
    } else {
        d = draft_of(slice);
    }
    fill_labels(d->arena, d->root, service);
    fill_endpoints(control, d->arena, d->root, service);
    fill_ports(d->arena, d->root, service);
    /* A real server prints what Go leaves nil as null. */
    static const char *const lists[] = {"endpoints", "ports"};
    for (size_t i = 0; i < 2; i++)
        if (doc_count(doc_find(d->root, lists[i])) == 0)
            doc_set(d->arena, d->root, lists[i], doc_null(d->arena));
    if (slice == NULL)
        (void)store_add(control->store, d);
    else
        (void)store_put(control->store, d, STORE_STATUS);
    arena_free(a);
}
