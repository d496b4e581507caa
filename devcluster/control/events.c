// SPDX-License-Identifier: MIT
/* Event objects: what happened to which object, the same one counted instead of repeated, gone after an hour; and the
 * small helpers all controllers share. */
#include "core/base/codec.h"
#include "devcluster/control/control_private.h"

enum { EVENT_TTL_MS = 3600 * 1000, EVENT_NAME_RANDOM_N = 16 };

static struct entry *find_event(struct control *control, struct arena *a, const struct object *about,
                                const struct happening *h)
{
    struct entry **found = store_by_reference(control->store, a, about->uid, str_from(h->message));
    for (size_t i = 0; found[i] != NULL; i++)
        if (found[i]->kind->id == KIND_EVENT && str_eq_text(doc_get(found[i]->now->root, "reason"), h->reason))
            return found[i];
    return NULL;
}

static void count_event(struct control *control, struct entry *e)
{
    struct draft *d = draft_of(e);
    doc_set_int(d->arena, d->root, "count", doc_as_int(doc_find(d->root, "count"), 1) + 1);
    doc_set_str(d->arena, d->root, "lastTimestamp", store_time(control->store, d->arena));
    (void)store_put(control->store, d, STORE_STATUS);
}

static void fill_about(struct arena *a, struct doc *root, const struct object *about)
{
    struct doc *object = doc_need_object(a, root, "involvedObject");
    doc_set_text(a, object, "kind", about->kind->name);
    if (about->ns.n > 0)
        doc_set_str(a, object, "namespace", about->ns);
    doc_set_str(a, object, "name", about->name);
    doc_set_str(a, object, "uid", about->uid);
    doc_set_text(a, object, "apiVersion", kind_api_version(a, about->kind));
    doc_set_text(a, object, "resourceVersion", arena_printf(a, "%llu", (unsigned long long)about->version));
}

void event_record(struct control *control, const struct object *about, const struct happening *h)
{
    struct arena *a = arena_new();
    struct entry *old = find_event(control, a, about, h);
    if (old != NULL) {
        count_event(control, old);
        arena_free(a);
        return;
    }
    char random[EVENT_NAME_RANDOM_N + 1];
    codec_random_text(random, EVENT_NAME_RANDOM_N, "0123456789abcdef");
    struct str time = store_time(control->store, a);
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", "Event");
    doc_set_text(a, root, "apiVersion", "v1");
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", arena_printf(a, "%.*s.%s", STR_ARG(about->name), random));
    doc_set_str(a, meta, "namespace", about->ns.n > 0 ? about->ns : STR("default"));
    fill_about(a, root, about);
    doc_set_text(a, root, "reason", h->reason);
    doc_set_text(a, root, "message", h->message);
    doc_set_text(a, doc_need_object(a, root, "source"), "component", h->component);
    doc_set_str(a, root, "firstTimestamp", time);
    doc_set_str(a, root, "lastTimestamp", time);
    doc_set_int(a, root, "count", 1);
    doc_set_text(a, root, "type", h->type);
    doc_set(a, root, "eventTime", doc_null(a));
    doc_set_text(a, root, "reportingComponent", h->component);
    doc_set_text(a, root, "reportingInstance", "");
    (void)store_add(control->store, draft_new(kind_get(KIND_EVENT), root, a));
}

void event_reconcile(struct control *control, struct work *w)
{
    ms_t now = loop_now_ms(control->loop);
    if (w->due_ms == 0)
        w->due_ms = now + EVENT_TTL_MS;
    if (now >= w->due_ms)
        store_delete(control->store, w->entry, DELETE_BACKGROUND, 0);
    else
        work_after(w, w->due_ms - now);
}

/* ---- helpers ---- */

struct doc *condition_find(struct doc *conditions, const char *type)
{
    for (struct doc *c = conditions == NULL ? NULL : conditions->first; c != NULL; c = c->next)
        if (str_eq_text(doc_get(c, "type"), type))
            return c;
    return NULL;
}

void condition_set(struct control *control, struct draft *d, struct doc *conditions, const struct condition *c)
{
    struct arena *a = d->arena;
    struct doc *old = condition_find(conditions, c->type);
    struct str time = store_time(control->store, a);
    struct str since = time;
    if (old != NULL) {
        bool same_status = str_eq_text(doc_get(old, "status"), c->status);
        if (same_status && str_eq_text(doc_get(old, "reason"), c->reason))
            return;
        if (same_status)
            since = doc_get(old, "lastTransitionTime");
        doc_remove_child(conditions, old);
    }
    struct doc *row = doc_append(conditions, doc_object(a));
    doc_set_text(a, row, "type", c->type);
    doc_set_text(a, row, "status", c->status);
    doc_set_str(a, row, "lastUpdateTime", time);
    doc_set_str(a, row, "lastTransitionTime", since);
    doc_set_text(a, row, "reason", c->reason);
    doc_set_text(a, row, "message", c->message);
}

void owner_add(struct arena *a, struct doc *root, const struct object *owner)
{
    struct doc *list = doc_need_array(a, doc_need_object(a, root, "metadata"), "ownerReferences");
    struct doc *r = doc_append(list, doc_object(a));
    doc_set_text(a, r, "apiVersion", kind_api_version(a, owner->kind));
    doc_set_text(a, r, "kind", owner->kind->name);
    doc_set_str(a, r, "name", owner->name);
    doc_set_str(a, r, "uid", owner->uid);
    doc_set_bool(a, r, "controller", true);
    doc_set_bool(a, r, "blockOwnerDeletion", true);
}
