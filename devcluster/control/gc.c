// SPDX-License-Identifier: MIT
/* Garbage collection by ownerReferences: dependents of what is gone go, foreground deletion waits for them, orphaning
 * sets them free. source: Kubernetes, "Garbage Collection". */
#include "devcluster/control/control_private.h"

static bool remove_finalizer(struct control *control, struct entry *e, const char *name)
{
    struct draft *d = draft_of(e);
    struct doc *meta = doc_edit(d->root, "metadata");
    struct doc *list = doc_edit(meta, "finalizers");
    for (const struct doc *f = list == NULL ? NULL : list->first; f != NULL; f = f->next)
        if (str_eq_text(doc_as_str(f), name)) {
            doc_remove_child(list, f);
            break;
        }
    if (list != NULL && list->first == NULL)
        doc_remove(meta, "finalizers");
    return store_put(control->store, d, STORE_STATUS);
}

static bool has_finalizer(const struct object *o, const char *name)
{
    const struct doc *list = doc_find(object_meta(o), "finalizers");
    for (const struct doc *f = list == NULL ? NULL : list->first; f != NULL; f = f->next)
        if (str_eq_text(doc_as_str(f), name))
            return true;
    return false;
}

static const struct doc *reference_to(const struct object *o, struct str uid)
{
    const struct doc *owners = doc_find(object_meta(o), "ownerReferences");
    for (const struct doc *r = owners == NULL ? NULL : owners->first; r != NULL; r = r->next)
        if (str_eq(doc_get(r, "uid"), uid))
            return r;
    return NULL;
}

static void set_free(struct control *control, struct arena *a, struct entry *owner)
{
    struct entry **dependents = store_by_owner(control->store, a, owner->now->uid);
    for (size_t i = 0; dependents[i] != NULL; i++) {
        struct draft *d = draft_of(dependents[i]);
        struct doc *list = doc_edit(doc_edit(d->root, "metadata"), "ownerReferences");
        for (const struct doc *r = list == NULL ? NULL : list->first, *next; r != NULL; r = next) {
            next = r->next;
            if (str_eq(doc_get(r, "uid"), owner->now->uid))
                doc_remove_child(list, r);
        }
        if (list != NULL && list->first == NULL)
            doc_remove(doc_edit(d->root, "metadata"), "ownerReferences");
        (void)store_put(control->store, d, STORE_STATUS);
    }
}

/* True when no dependent that blocks its owner is left. */
static bool foreground(struct control *control, struct arena *a, struct entry *owner)
{
    bool is_free = true;
    struct str uid = arena_dup_str(a, owner->now->uid);
    struct entry **dependents = store_by_owner(control->store, a, uid);
    for (size_t i = 0; dependents[i] != NULL; i++) {
        struct entry *e = dependents[i];
        const struct doc *reference = e->is_gone ? NULL : reference_to(e->now, uid);
        if (reference == NULL)
            continue;
        bool blocks = doc_as_bool(doc_find(reference, "blockOwnerDeletion"), false);
        if (!object_is_deleting(e->now)) {
            struct entry **below = store_by_owner(control->store, a, e->now->uid);
            store_delete(control->store, e, below[0] != NULL ? DELETE_FOREGROUND : DELETE_BACKGROUND, -1);
        }
        is_free = is_free && (e->is_gone || !blocks);
    }
    return is_free;
}

static bool has_living_owner(struct control *control, const struct object *o)
{
    const struct doc *owners = doc_find(object_meta(o), "ownerReferences");
    if (owners == NULL || owners->first == NULL)
        return true;
    for (const struct doc *r = owners->first; r != NULL; r = r->next)
        if (store_find_uid(control->store, doc_get(r, "uid")) != NULL)
            return true;
    return false;
}

bool gc_reconcile(struct control *control, struct work *w)
{
    struct entry *e = w->entry;
    if (w->checks_owners) {
        w->checks_owners = false;
        if (!has_living_owner(control, e->now) && !object_is_deleting(e->now))
            store_delete(control->store, e, DELETE_BACKGROUND, -1);
    }
    if (e->is_gone || !object_is_deleting(e->now))
        return !e->is_gone;
    struct arena *a = arena_new();
    if (has_finalizer(e->now, "orphan")) {
        set_free(control, a, e);
        (void)remove_finalizer(control, e, "orphan");
    } else if (has_finalizer(e->now, "foregroundDeletion") && foreground(control, a, e)) {
        (void)remove_finalizer(control, e, "foregroundDeletion");
    }
    arena_free(a);
    return !e->is_gone;
}

void gc_on_deleted(struct control *control, const struct object *o)
{
    struct arena *a = arena_new();
    struct entry **dependents = store_by_owner(control->store, a, o->uid);
    for (size_t i = 0; dependents[i] != NULL; i++)
        if (dependents[i]->work != NULL) {
            dependents[i]->work->checks_owners = true;
            work_enqueue(dependents[i]);
        }
    arena_free(a);
}
