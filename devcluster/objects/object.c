// SPDX-License-Identifier: MIT
/* Versions of objects and drafts of new ones. */
#include <stdlib.h>

#include "core/base/xmem.h"
#include "devcluster/objects/store_private.h"

const struct object *object_ref(const struct object *o)
{
    ((struct object *)o)->refs++;
    return o;
}

void object_unref(const struct object *o)
{
    if (o == NULL || --((struct object *)o)->refs > 0)
        return;
    arena_free(o->arena);
    free((void *)o);
}

const struct doc *object_meta(const struct object *o)
{
    return doc_find(o->root, "metadata");
}

const struct doc *object_labels(const struct object *o)
{
    return doc_find(object_meta(o), "labels");
}

bool object_is_deleting(const struct object *o)
{
    return doc_find(object_meta(o), "deletionTimestamp") != NULL;
}

struct draft *draft_new(const struct kind *kind, struct doc *root_in_arena, struct arena *a)
{
    struct draft *d = xcalloc(1, sizeof(*d));
    d->kind = kind;
    d->arena = a;
    d->root = root_in_arena;
    return d;
}

struct draft *draft_of(struct entry *e)
{
    struct arena *a = arena_new();
    struct draft *d = draft_new(e->kind, doc_copy(a, e->now->root), a);
    d->entry = e;
    return d;
}

void draft_drop(struct draft *d)
{
    if (d == NULL)
        return;
    arena_free(d->arena);
    free(d);
}

static void put_first(struct doc *to, struct doc *from, const char *key)
{
    struct doc *member = doc_edit(from, key);
    if (member == NULL)
        return;
    doc_remove_child(from, member);
    doc_append(to, member);
}

static void reorder(struct doc *object, const char *const *first, const char *last)
{
    struct doc ordered = {.type = JSON_OBJECT};
    for (; *first != NULL; first++)
        put_first(&ordered, object, *first);
    struct doc *end = last == NULL ? NULL : doc_edit(object, last);
    if (end != NULL)
        doc_remove_child(object, end);
    while (object->first != NULL) {
        struct doc *c = object->first;
        doc_remove_child(object, c);
        doc_append(&ordered, c);
    }
    if (end != NULL)
        doc_append(&ordered, end);
    object->first = ordered.first;
    object->last = ordered.last;
}

void object_order(struct arena *a, const struct kind *kind, struct doc *root)
{
    static const char *const top[] = {"kind", "apiVersion", "metadata", NULL};
    static const char *const meta[] = {"name",
                                       "generateName",
                                       "namespace",
                                       "uid",
                                       "resourceVersion",
                                       "generation",
                                       "creationTimestamp",
                                       "deletionTimestamp",
                                       "deletionGracePeriodSeconds",
                                       "labels",
                                       "annotations",
                                       "ownerReferences",
                                       "finalizers",
                                       "managedFields",
                                       NULL};
    if ((kind->flags & IS_CUSTOM) != 0) {
        doc_sort(a, root, true);
        return;
    }
    struct doc *metadata = doc_edit(root, "metadata");
    reorder(root, top, "status");
    reorder(metadata, meta, NULL);
    doc_sort(a, doc_edit(metadata, "labels"), false);
    doc_sort(a, doc_edit(metadata, "annotations"), false);
}

struct object *object_make(struct draft *d)
{
    const struct doc *meta = doc_find(d->root, "metadata");
    struct object *o = xcalloc(1, sizeof(*o));
    o->refs = 1;
    o->kind = d->kind;
    o->arena = d->arena;
    o->root = d->root;
    o->ns = doc_get(meta, "namespace");
    o->name = doc_get(meta, "name");
    o->uid = doc_get(meta, "uid");
    uint64_t version = 0;
    if (str_parse_u64(doc_get(meta, "resourceVersion"), UINT64_MAX, &version))
        o->version = version;
    o->json = doc_json(d->arena, d->root);
    free(d);
    return o;
}
