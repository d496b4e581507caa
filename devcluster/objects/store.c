// SPDX-License-Identifier: MIT
/* Entries, their order, their index, and the writes. */
#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/wall.h"
#include "core/base/xmem.h"
#include "devcluster/objects/store_private.h"

/* Areas of the index; labels use one per kind, from AREA_LABEL on. */
enum { AREA_UID = 1, AREA_OWNER, AREA_REFERENCE, AREA_LABEL };

struct store *store_new(struct loop *loop, size_t events_n)
{
    struct store *s = xcalloc(1, sizeof(*s));
    s->loop = loop;
    s->version = 1;
    s->index = index_new();
    for (size_t i = 0; i < KIND_N; i++)
        ring_init(&s->shelves[i].ring, events_n);
    return s;
}

static void entry_free(void *arg)
{
    struct entry *e = arg;
    object_unref(e->now);
    free(e);
}

void store_free(struct store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < KIND_N; i++) {
        struct shelf *shelf = &s->shelves[i];
        for (size_t k = 0; k < shelf->n; k++) {
            index_remove(s->index, &shelf->entries[k]->links);
            entry_free(shelf->entries[k]);
        }
        free(shelf->entries);
        ring_fini(&shelf->ring);
    }
    index_free(s->index);
    free(s);
}

uint64_t store_version(const struct store *s)
{
    return s->version;
}

enum crd store_crd(const struct store *s)
{
    return s->crd;
}

void store_set_crd(struct store *s, enum crd crd)
{
    const struct shelf *clusters = &s->shelves[KIND_CLUSTER];
    s->crd = crd;
    while (crd == CRD_NONE && clusters->n > 0)
        store_remove(s, clusters->entries[0]);
    for (struct store_listener *l = s->listeners; l != NULL; l = l->next)
        if (l->on_crd != NULL)
            l->on_crd(l->arg);
}

void store_listen(struct store *s, struct store_listener *listener)
{
    struct store_listener **at = &s->listeners;
    while (*at != NULL)
        at = &(*at)->next;
    listener->next = NULL;
    *at = listener;
}

/* ---- order ---- */

static int compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

int object_compare(const struct object *o, struct str ns, struct str name)
{
    int order = compare(o->ns, ns);
    return order != 0 ? order : compare(o->name, name);
}

/* The first place whose entry is not before (ns, name). */
static size_t lower_bound(const struct shelf *shelf, struct str ns, struct str name)
{
    size_t low = 0;
    size_t high = shelf->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (object_compare(shelf->entries[middle]->now, ns, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct entry *store_find(struct store *s, const struct kind *kind, struct str ns, struct str name)
{
    const struct shelf *shelf = &s->shelves[kind->id];
    size_t at = lower_bound(shelf, ns, name);
    if (at == shelf->n || object_compare(shelf->entries[at]->now, ns, name) != 0)
        return NULL;
    return shelf->entries[at];
}

struct entry **store_range(struct store *s, const struct kind *kind, struct str ns, size_t *ret_n)
{
    const struct shelf *shelf = &s->shelves[kind->id];
    if (str_is_none(ns) || (kind->flags & IS_NAMESPACED) == 0) {
        *ret_n = shelf->n;
        return shelf->entries;
    }
    size_t first = lower_bound(shelf, ns, STR(""));
    size_t end = first;
    while (end < shelf->n && str_eq(shelf->entries[end]->now->ns, ns))
        end++;
    *ret_n = end - first;
    return shelf->n == 0 ? NULL : shelf->entries + first;
}

/* ---- index ---- */

struct entry *store_find_uid(struct store *s, struct str uid)
{
    struct arena *a = arena_new();
    struct entry **found = index_collect(s->index, a, index_key(AREA_UID, uid, STR("")), NULL);
    struct entry *e = NULL;
    for (size_t i = 0; found[i] != NULL && e == NULL; i++)
        if (str_eq(found[i]->now->uid, uid))
            e = found[i];
    arena_free(a);
    return e;
}

struct entry **store_by_label(struct store *s, struct arena *a, const struct kind *kind, struct str key,
                              struct str value)
{
    return index_collect(s->index, a, index_key((char)(AREA_LABEL + (int)kind->id), key, value), NULL);
}

struct entry **store_by_owner(struct store *s, struct arena *a, struct str owner_uid)
{
    return index_collect(s->index, a, index_key(AREA_OWNER, owner_uid, STR("")), NULL);
}

struct entry **store_by_reference(struct store *s, struct arena *a, struct str key, struct str value)
{
    return index_collect(s->index, a, index_key(AREA_REFERENCE, key, value), NULL);
}

static void index_references(struct store *s, struct entry *e)
{
    const struct doc *spec = doc_find(e->now->root, "spec");
    if (e->kind->id == KIND_EVENT)
        index_add(s->index,
                  index_key(AREA_REFERENCE, doc_as_str(doc_at(e->now->root, "involvedObject", "uid", NULL)),
                            doc_get(e->now->root, "message")),
                  e, &e->links);
    if (e->kind->id == KIND_SERVICE) {
        const struct doc *selector = doc_find(spec, "selector");
        for (const struct doc *c = selector == NULL ? NULL : selector->first; c != NULL; c = c->next)
            index_add(s->index, index_key(AREA_REFERENCE, c->key, doc_as_str(c)), e, &e->links);
    }
    if (e->kind->id == KIND_INGRESS) {
        const struct doc *rules = doc_find(spec, "rules");
        for (const struct doc *c = rules == NULL ? NULL : rules->first; c != NULL; c = c->next)
            index_add(s->index, index_key(AREA_REFERENCE, STR(""), doc_get(c, "host")), e, &e->links);
    }
    if (e->kind->id == KIND_HTTPROUTE) {
        const struct doc *hosts = doc_find(spec, "hostnames");
        for (const struct doc *c = hosts == NULL ? NULL : hosts->first; c != NULL; c = c->next)
            index_add(s->index, index_key(AREA_REFERENCE, STR(""), doc_as_str(c)), e, &e->links);
    }
}

static void index_entry(struct store *s, struct entry *e)
{
    index_remove(s->index, &e->links);
    index_add(s->index, index_key(AREA_UID, e->now->uid, STR("")), e, &e->links);
    const struct doc *labels = object_labels(e->now);
    for (const struct doc *c = labels == NULL ? NULL : labels->first; c != NULL; c = c->next)
        index_add(s->index, index_key((char)(AREA_LABEL + (int)e->kind->id), c->key, doc_as_str(c)), e, &e->links);
    const struct doc *owners = doc_find(object_meta(e->now), "ownerReferences");
    for (const struct doc *c = owners == NULL ? NULL : owners->first; c != NULL; c = c->next)
        index_add(s->index, index_key(AREA_OWNER, doc_get(c, "uid"), STR("")), e, &e->links);
    index_references(s, e);
}

/* ---- writing ---- */

struct str store_time(const struct store *s, struct arena *a)
{
    char text[WALL_TEXT_SIZE];
    wall_format(loop_wall_ms(s->loop), text);
    return str_from(arena_printf(a, "%.19sZ", text));
}

static void emit(struct store *s, struct entry *e, const struct event *event)
{
    for (struct store_listener *l = s->listeners; l != NULL; l = l->next)
        l->on_event(l->arg, e, event);
}

static const struct object *finish(struct store *s, struct draft *d)
{
    struct doc *meta = doc_edit(d->root, "metadata");
    s->version++;
    doc_set_text(d->arena, meta, "resourceVersion", arena_printf(d->arena, "%llu", (unsigned long long)s->version));
    object_order(d->arena, d->kind, d->root);
    return object_make(d);
}

static bool spec_changed(const struct kind *kind, const struct doc *before, const struct doc *after)
{
    if ((kind->flags & META_GENERATION) != 0 &&
        !doc_equal(doc_at(before, "metadata", "annotations", NULL), doc_at(after, "metadata", "annotations", NULL)))
        return true;
    return !doc_equal(doc_find(before, "spec"), doc_find(after, "spec"));
}

void store_prepare(struct store *s, struct draft *d, enum store_what what)
{
    struct doc *meta = doc_need_object(d->arena, d->root, "metadata");
    struct str time = store_time(s, d->arena);
    if (d->entry == NULL) {
        char uid[CODEC_UUID_SIZE];
        codec_uuid7(loop_wall_ms(s->loop), uid);
        doc_set_text(d->arena, meta, "uid", uid);
        doc_set_str(d->arena, meta, "creationTimestamp", time);
        doc_remove(meta, "resourceVersion");
        if ((d->kind->flags & HAS_GENERATION) != 0)
            doc_set_int(d->arena, meta, "generation", 1);
        return;
    }
    const struct object *now = d->entry->now;
    const struct doc *old = object_meta(now);
    static const char *const kept[] = {"name", "namespace", "uid", "creationTimestamp", "resourceVersion"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (doc_find(old, kept[i]) != NULL)
            doc_set_str(d->arena, meta, kept[i], doc_get(old, kept[i]));
    if ((d->kind->flags & HAS_GENERATION) == 0)
        return;
    int64_t generation = doc_as_int(doc_find(old, "generation"), 1);
    bool deletes = doc_find(meta, "deletionTimestamp") != NULL && doc_find(old, "deletionTimestamp") == NULL;
    if (deletes || (what == STORE_MAIN && spec_changed(d->kind, now->root, d->root)))
        generation++;
    doc_set_int(d->arena, meta, "generation", generation);
}

/* Takes the object. */
static struct entry *insert(struct store *s, const struct object *now)
{
    struct entry *e = xcalloc(1, sizeof(*e));
    e->kind = now->kind;
    e->now = now;
    struct shelf *shelf = &s->shelves[e->kind->id];
    if (shelf->n == shelf->cap) {
        shelf->cap = shelf->cap == 0 ? 64 : shelf->cap * 2;
        shelf->entries = xrealloc(shelf->entries, shelf->cap * sizeof(struct entry *));
    }
    size_t at = lower_bound(shelf, e->now->ns, e->now->name);
    memmove(&shelf->entries[at + 1], &shelf->entries[at], (shelf->n - at) * sizeof(struct entry *));
    shelf->entries[at] = e;
    shelf->n++;
    index_entry(s, e);
    struct event event = {e->now->version, EVENT_ADDED, object_ref(e->now), NULL};
    ring_push(&shelf->ring, &event);
    emit(s, e, &event);
    return e;
}

struct entry *store_add(struct store *s, struct draft *d)
{
    store_prepare(s, d, STORE_MAIN);
    return insert(s, finish(s, d));
}

struct entry *store_restore(struct store *s, struct draft *d)
{
    const struct object *o = object_make(d);
    if (o->version > s->version)
        s->version = o->version;
    return insert(s, o);
}

void store_resume(struct store *s, uint64_t version)
{
    if (version > s->version)
        s->version = version;
    store_compact(s);
}

/* Deleted, no finalizer left, no grace period running. */
static bool may_go(const struct doc *root)
{
    const struct doc *meta = doc_find(root, "metadata");
    if (doc_find(meta, "deletionTimestamp") == NULL || doc_count(doc_find(meta, "finalizers")) > 0)
        return false;
    if (doc_count(doc_at(root, "spec", "finalizers", NULL)) > 0)
        return false;
    return doc_as_int(doc_find(meta, "deletionGracePeriodSeconds"), 0) == 0;
}

bool store_put(struct store *s, struct draft *d, enum store_what what)
{
    struct entry *e = d->entry;
    store_prepare(s, d, what);
    if (e->is_gone || doc_equal(d->root, e->now->root)) {
        draft_drop(d);
        return false;
    }
    if (may_go(d->root)) {
        draft_drop(d);
        store_remove(s, e);
        return true;
    }
    const struct object *before = e->now;
    e->now = finish(s, d);
    index_entry(s, e);
    struct event event = {e->now->version, EVENT_MODIFIED, object_ref(e->now), before};
    ring_push(&s->shelves[e->kind->id].ring, &event);
    emit(s, e, &event);
    return true;
}

void store_remove(struct store *s, struct entry *e)
{
    if (e->is_gone)
        return;
    struct shelf *shelf = &s->shelves[e->kind->id];
    size_t at = lower_bound(shelf, e->now->ns, e->now->name);
    memmove(&shelf->entries[at], &shelf->entries[at + 1], (shelf->n - at - 1) * sizeof(struct entry *));
    shelf->n--;
    index_remove(s->index, &e->links);
    struct draft *last = draft_of(e);
    const struct object *before = e->now;
    e->now = finish(s, last);
    e->is_gone = true;
    struct event event = {e->now->version, EVENT_DELETED, object_ref(e->now), before};
    ring_push(&shelf->ring, &event);
    emit(s, e, &event);
    loop_defer_free(s->loop, e, entry_free);
}

static int64_t grace_of(const struct entry *e, int64_t grace_s)
{
    if (e->kind->id != KIND_POD)
        return 0;
    const struct doc *root = e->now->root;
    struct str phase = doc_as_str(doc_at(root, "status", "phase", NULL));
    bool is_over = str_eq_text(phase, "Failed") || str_eq_text(phase, "Succeeded");
    if (is_over || doc_at(root, "spec", "nodeName", NULL) == NULL)
        return 0;
    return grace_s >= 0 ? grace_s : doc_as_int(doc_at(root, "spec", "terminationGracePeriodSeconds", NULL), 30);
}

void store_delete(struct store *s, struct entry *e, enum delete_policy policy, int64_t grace_s)
{
    if (e->is_gone)
        return;
    int64_t grace = grace_of(e, grace_s);
    struct draft *d = draft_of(e);
    struct doc *meta = doc_edit(d->root, "metadata");
    bool is_first = doc_find(meta, "deletionTimestamp") == NULL;
    if (is_first)
        doc_set_str(d->arena, meta, "deletionTimestamp", store_time(s, d->arena));
    if (is_first || grace < doc_as_int(doc_find(meta, "deletionGracePeriodSeconds"), 0))
        doc_set_int(d->arena, meta, "deletionGracePeriodSeconds", grace);
    if (is_first && policy != DELETE_BACKGROUND)
        doc_append(doc_need_array(d->arena, meta, "finalizers"),
                   doc_text(d->arena, policy == DELETE_ORPHAN ? "orphan" : "foregroundDeletion"));
    if (e->kind->id == KIND_NAMESPACE)
        doc_set_text(d->arena, doc_need_object(d->arena, d->root, "status"), "phase", "Terminating");
    (void)store_put(s, d, STORE_STATUS);
}
