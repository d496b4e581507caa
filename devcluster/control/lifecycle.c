// SPDX-License-Identifier: MIT
/* The small controllers: namespaces that end, claims that are bound, quotas that are counted. */
#include "devcluster/control/control_private.h"
#include "devcluster/objects/quota.h"

enum { CLAIM_MS = 500 };

/* Deletes what a namespace holds; true when nothing is left. */
static bool empty_namespace(struct control *control, struct arena *a, struct str ns)
{
    size_t left = 0;
    for (int id = 0; id < KIND_N; id++) {
        const struct kind *kind = kind_get((enum kind_id)id);
        size_t n;
        if ((kind->flags & IS_NAMESPACED) == 0)
            continue;
        struct entry **all = store_range(control->store, kind, ns, &n);
        struct entry **some = arena_alloc(a, (n + 1) * sizeof(some[0]));
        for (size_t i = 0; i < n; i++)
            some[i] = all[i];
        for (size_t i = 0; i < n; i++) {
            if (!object_is_deleting(some[i]->now))
                store_delete(control->store, some[i], DELETE_BACKGROUND, -1);
            left += !some[i]->is_gone;
        }
    }
    return left == 0;
}

void namespace_reconcile(struct control *control, struct work *w)
{
    if (!object_is_deleting(w->entry->now))
        return;
    struct arena *a = arena_new();
    struct str ns = arena_dup_str(a, w->entry->now->name);
    if (empty_namespace(control, a, ns)) {
        struct draft *d = draft_of(w->entry);
        doc_remove(doc_need_object(d->arena, d->root, "spec"), "finalizers");
        (void)store_put(control->store, d, STORE_STATUS);
    }
    arena_free(a);
}

static bool has_finalizer(const struct object *o)
{
    const struct doc *list = doc_find(object_meta(o), "finalizers");
    for (const struct doc *f = list == NULL ? NULL : list->first; f != NULL; f = f->next)
        if (str_eq_text(doc_as_str(f), CLAIM_FINALIZER))
            return true;
    return false;
}

static bool is_used(struct control *control, const struct object *claim)
{
    size_t n;
    struct entry **pods = store_range(control->store, kind_get(KIND_POD), claim->ns, &n);
    for (size_t i = 0; i < n; i++) {
        const struct doc *volumes = doc_at(pods[i]->now->root, "spec", "volumes", NULL);
        for (const struct doc *v = volumes == NULL ? NULL : volumes->first; v != NULL; v = v->next)
            if (str_eq(doc_as_str(doc_at(v, "persistentVolumeClaim", "claimName", NULL)), claim->name))
                return true;
    }
    return false;
}

/* The finalizer that keeps a claim while it is used: there from the first look on, taken away with the last pod. */
static void protect(struct control *control, struct work *w)
{
    const struct object *o = w->entry->now;
    bool is_leaving = object_is_deleting(o);
    if (has_finalizer(o) != is_leaving || (is_leaving && is_used(control, o)))
        return;
    struct draft *d = draft_of(w->entry);
    struct doc *meta = doc_edit(d->root, "metadata");
    struct doc *list = doc_need_array(d->arena, meta, "finalizers");
    if (!is_leaving)
        doc_append(list, doc_text(d->arena, CLAIM_FINALIZER));
    for (const struct doc *f = list->first, *next; is_leaving && f != NULL; f = next) {
        next = f->next;
        if (str_eq_text(doc_as_str(f), CLAIM_FINALIZER))
            doc_remove_child(list, f);
    }
    if (list->first == NULL)
        doc_remove(meta, "finalizers");
    (void)store_put(control->store, d, STORE_STATUS);
}

static void refuse_claim(struct control *control, const struct object *o, struct str class)
{
    struct arena *a = arena_new();
    const char *why = arena_printf(a, "storageclass.storage.k8s.io \"%.*s\" not found", STR_ARG(class));
    event_record(control, o, &(struct happening){"Warning", "ProvisioningFailed", "persistentvolume-controller", why});
    arena_free(a);
}

static void bind_claim(struct control *control, struct work *w)
{
    const struct object *o = w->entry->now;
    struct draft *d = draft_of(w->entry);
    doc_set_text(d->arena, doc_edit(d->root, "spec"), "volumeName",
                 arena_printf(d->arena, "pvc-%.*s", STR_ARG(o->uid)));
    struct doc *status = doc_need_object(d->arena, d->root, "status");
    doc_set_text(d->arena, status, "phase", "Bound");
    doc_set(d->arena, status, "accessModes", doc_copy(d->arena, doc_at(o->root, "spec", "accessModes", NULL)));
    doc_set(d->arena, status, "capacity", doc_copy(d->arena, doc_at(o->root, "spec", "resources", "requests", NULL)));
    (void)store_put(control->store, d, STORE_STATUS);
}

void claim_reconcile(struct control *control, struct work *w)
{
    protect(control, w);
    if (w->entry == NULL)
        return;
    const struct object *o = w->entry->now;
    struct str class = doc_as_str(doc_at(o->root, "spec", "storageClassName", NULL));
    bool is_pending = str_eq_text(doc_as_str(doc_at(o->root, "status", "phase", NULL)), "Pending");
    ms_t now = loop_now_ms(control->loop);
    if (!is_pending || object_is_deleting(o))
        return;
    if (str_find_str(class, STR("nosuch")) < class.n) {
        if (w->due_ms == 0)
            refuse_claim(control, o, class);
        w->due_ms = now;
        return;
    }
    if (w->due_ms == 0)
        w->due_ms = now + (control->delays.schedule_ms > 0 ? CLAIM_MS : 0);
    if (now < w->due_ms)
        work_after(w, w->due_ms - now);
    else
        bind_claim(control, w);
}

void quota_reconcile(struct control *control, struct work *w)
{
    struct arena *a = arena_new();
    quota_count(control->store, arena_dup_str(a, w->entry->now->ns));
    arena_free(a);
}
