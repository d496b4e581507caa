// SPDX-License-Identifier: MIT
/* The one node: what it can take, what it has pulled. Its capacity is read from the Node object. */
#include <stdlib.h>

#include "core/base/xmem.h"
#include "devcluster/base/names.h"
#include "devcluster/control/control_private.h"

static int64_t allocatable(const struct object *node, const char *resource)
{
    int64_t milli = 0;
    if (!quantity_parse(doc_as_str(doc_at(node->root, "status", "allocatable", resource, NULL)), &milli))
        return 0;
    return milli;
}

static int64_t requested(const struct object *pod, const char *resource)
{
    const struct doc *all = doc_at(pod->root, "spec", "containers", NULL);
    int64_t total = 0;
    for (const struct doc *c = all == NULL ? NULL : all->first; c != NULL; c = c->next) {
        int64_t milli;
        if (quantity_parse(doc_as_str(doc_at(c, "resources", "requests", resource, NULL)), &milli))
            total += milli;
    }
    return total;
}

static const char *claim_refusal(struct control *control, struct arena *a, const struct object *pod)
{
    const struct doc *volumes = doc_at(pod->root, "spec", "volumes", NULL);
    for (const struct doc *v = volumes == NULL ? NULL : volumes->first; v != NULL; v = v->next) {
        struct str name = doc_as_str(doc_at(v, "persistentVolumeClaim", "claimName", NULL));
        if (name.n == 0)
            continue;
        const struct entry *claim = store_find(control->store, kind_get(KIND_PVC), pod->ns, name);
        if (claim == NULL)
            return arena_printf(a, "persistentvolumeclaim \"%.*s\" not found", STR_ARG(name));
        if (!str_eq_text(doc_as_str(doc_at(claim->now->root, "status", "phase", NULL)), "Bound"))
            return "pod has unbound immediate PersistentVolumeClaims";
    }
    return NULL;
}

static const char *unfit(struct control *control, struct arena *a, const struct work *w, const struct object *node)
{
    static const char hopeless[] = "Preemption is not helpful for scheduling.";
    const char *claim = claim_refusal(control, a, w->entry->now);
    if (claim != NULL)
        return arena_printf(a, "0/1 nodes are available: %s. preemption: 0/1 nodes are available: 1 %s", claim,
                            hopeless);
    const char *what = NULL;
    if (control->pods_used * 1000 + 1000 > allocatable(node, "pods"))
        what = "Too many pods";
    else if (control->cpu_used_milli + w->cpu_milli > allocatable(node, "cpu"))
        what = "Insufficient cpu";
    else if (control->memory_used_milli + w->memory_milli > allocatable(node, "memory"))
        what = "Insufficient memory";
    if (what == NULL)
        return NULL;
    bool never = w->cpu_milli > allocatable(node, "cpu") || w->memory_milli > allocatable(node, "memory");
    return arena_printf(a, "0/1 nodes are available: 1 %s. preemption: 0/1 nodes are available: 1 %s", what,
                        never ? hopeless : "No preemption victims found for incoming pod.");
}

static void write_binding(struct control *control, struct work *w, struct str node)
{
    struct draft *d = draft_of(w->entry);
    struct arena *a = d->arena;
    doc_set_str(a, doc_edit(d->root, "spec"), "nodeName", node);
    struct doc *rows = doc_need_array(a, doc_need_object(a, d->root, "status"), "conditions");
    struct doc *old = condition_find(rows, "PodScheduled");
    if (old != NULL)
        doc_remove_child(rows, old);
    struct doc *row = doc_append(rows, doc_object(a));
    doc_set_text(a, row, "type", "PodScheduled");
    doc_set_text(a, row, "status", "True");
    doc_set(a, row, "lastProbeTime", doc_null(a));
    doc_set_str(a, row, "lastTransitionTime", store_time(control->store, a));
    (void)store_put(control->store, d, STORE_STATUS);
}

void node_occupy(struct control *control, struct work *w)
{
    w->cpu_milli = requested(w->entry->now, "cpu");
    w->memory_milli = requested(w->entry->now, "memory");
    w->is_bound = true;
    control->cpu_used_milli += w->cpu_milli;
    control->memory_used_milli += w->memory_milli;
    control->pods_used++;
}

const char *node_bind(struct control *control, struct arena *a, struct work *w)
{
    size_t n;
    struct entry **nodes = store_range(control->store, kind_get(KIND_NODE), STR_NONE, &n);
    if (n == 0)
        return "no nodes available to schedule pods";
    w->cpu_milli = requested(w->entry->now, "cpu");
    w->memory_milli = requested(w->entry->now, "memory");
    const char *why = unfit(control, a, w, nodes[0]->now);
    if (why != NULL)
        return why;
    node_occupy(control, w);
    write_binding(control, w, nodes[0]->now->name);
    return NULL;
}

void node_release(struct control *control, struct work *w)
{
    if (!w->is_bound)
        return;
    w->is_bound = false;
    control->cpu_used_milli -= w->cpu_milli;
    control->memory_used_milli -= w->memory_milli;
    control->pods_used--;
}

bool node_needs_pull(const struct control *control, struct str image)
{
    for (size_t i = 0; i < control->images_n; i++)
        if (str_eq_text(image, control->images[i]))
            return false;
    return true;
}

void node_pulled(struct control *control, struct str image)
{
    if (!node_needs_pull(control, image))
        return;
    if (control->images_n == control->images_cap) {
        control->images_cap = control->images_cap == 0 ? 8 : control->images_cap * 2;
        control->images = xrealloc(control->images, control->images_cap * sizeof(char *));
    }
    control->images[control->images_n++] = xmemdup(image.p, image.n);
}
