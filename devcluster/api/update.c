// SPDX-License-Identifier: MIT
/* PUT and PATCH: of the object, its status, its scale. */
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"
#include "devcluster/base/patch.h"

static const char MODIFIED[] =
    "the object has been modified; please apply your changes to the latest version and try again";

static bool is_status(const struct call *c)
{
    return str_eq_text(c->sub, "status");
}

/* Keeps the half of the object this write may not touch: status for a main write, the rest for a status write. */
static void keep_other_half(struct call *c, struct draft *d, const struct doc *before)
{
    struct arena *a = d->arena;
    if (is_status(c)) {
        struct doc *kept = doc_copy(a, before);
        doc_set(a, kept, "status", doc_copy(a, doc_find(d->root, "status")));
        struct doc *annotations = doc_edit(doc_edit(d->root, "metadata"), "annotations");
        if (annotations != NULL)
            doc_set(a, doc_edit(kept, "metadata"), "annotations", doc_copy(a, annotations));
        d->root = kept;
        return;
    }
    if ((c->kind->flags & HAS_STATUS) == 0)
        return;
    if (doc_find(before, "status") == NULL)
        doc_remove(d->root, "status");
    else
        doc_set(a, d->root, "status", doc_copy(a, doc_find(before, "status")));
}

static void keep_meta(struct draft *d, const struct doc *before)
{
    static const char *const kept[] = {
        "uid",           "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
        "managedFields", "generateName"};
    const struct doc *old = doc_find(before, "metadata");
    struct doc *meta = doc_edit(d->root, "metadata");
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (doc_find(old, kept[i]) == NULL)
            doc_remove(meta, kept[i]);
        else
            doc_set(d->arena, meta, kept[i], doc_copy(d->arena, doc_find(old, kept[i])));
    }
}

/* A resourceVersion in what the client sent must be the newest; a uid must be the object's. */
static bool check_versions(struct call *c, const struct doc *root, const struct object *now)
{
    const struct doc *meta = doc_find(root, "metadata");
    struct str version = doc_get(meta, "resourceVersion");
    struct str uid = doc_get(meta, "uid");
    if (version.n > 0 && !str_eq(version, doc_get(object_meta(now), "resourceVersion")))
        return call_conflict(c, MODIFIED);
    if (uid.n > 0 && !str_eq(uid, now->uid))
        return call_conflict(c, arena_printf(c->arena,
                                             "Precondition failed: UID in precondition: %.*s, UID in object "
                                             "meta: %.*s",
                                             STR_ARG(uid), STR_ARG(now->uid)));
    return true;
}

/* The common end of PUT and PATCH. Takes the draft. */
static bool finish(struct call *c, struct draft *d)
{
    const struct doc *before = call_view(c, d->entry->now);
    if (!check_versions(c, d->root, d->entry->now)) {
        draft_drop(d);
        return false;
    }
    keep_meta(d, before);
    keep_other_half(c, d, before);
    if (!is_status(c) && (!write_check(c, d->root, d->arena, before) || !write_admit_change(c, before, d->root))) {
        draft_drop(d);
        return false;
    }
    if (!is_status(c))
        write_manager(c, d, before);
    return write_changed(c, d, is_status(c) ? STORE_STATUS : STORE_MAIN);
}

/* ---- PUT ---- */

static bool update_scale(struct call *c, struct entry *e)
{
    struct doc *body = NULL;
    if (!body_json(c, c->arena, &body))
        return false;
    const struct doc *replicas = doc_at(body, "spec", "replicas", NULL);
    struct draft *d = draft_of(e);
    doc_set_int(d->arena, doc_need_object(d->arena, d->root, "spec"), "replicas", doc_as_int(replicas, 0));
    (void)store_put(c->api->store, d, STORE_MAIN);
    return call_get(c);
}

bool call_update(struct call *c)
{
    struct entry *e = call_entry(c);
    if (e == NULL)
        return call_not_found(c);
    if (str_eq_text(c->sub, "scale"))
        return update_scale(c, e);
    struct arena *a = arena_new();
    struct doc *root = NULL;
    if (!body_object(c, a, &root) || !write_known(c, root)) {
        arena_free(a);
        return false;
    }
    struct draft *d = draft_new(c->kind, root, a);
    d->entry = e;
    return finish(c, d);
}

/* ---- PATCH ---- */

static bool unsupported(struct call *c)
{
    bool is_custom = (c->kind->flags & IS_CUSTOM) != 0;
    return fail_set(&c->fail, 415, "UnsupportedMediaType",
                    is_custom
                        ? "the body of the request was in an unknown format - accepted media types include: "
                          "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
                        : "the body of the request was in an unknown format - accepted media types include: "
                          "application/json-patch+json, application/merge-patch+json, "
                          "application/strategic-merge-patch+json, application/apply-patch+yaml");
}

static bool rejected(struct call *c)
{
    c->fail.has_details = true;
    return fail_set(&c->fail, 422, "Invalid", "the server rejected our request due to an error in our request");
}

static bool apply_patch(struct call *c, struct draft *d, const struct doc *patch)
{
    if (body_is(c, "application/json-patch+json"))
        return patch_json(d->arena, d->root, patch) || rejected(c);
    if (doc_type(patch) != JSON_OBJECT)
        return call_bad_request(c, "the patch is not a JSON object");
    if (body_is(c, "application/merge-patch+json"))
        patch_merge(d->arena, d->root, patch);
    else
        patch_strategic(d->arena, d->root, patch);
    return true;
}

static bool is_patch_type(const struct call *c)
{
    if (body_is(c, "application/strategic-merge-patch+json"))
        return (c->kind->flags & IS_CUSTOM) == 0;
    return body_is(c, "application/json-patch+json") || body_is(c, "application/merge-patch+json");
}

static bool patch_scale(struct call *c, struct entry *e, const struct doc *patch)
{
    const struct doc *replicas = doc_at(patch, "spec", "replicas", NULL);
    if (doc_type(replicas) != JSON_NUMBER)
        return rejected(c);
    struct draft *d = draft_of(e);
    doc_set_int(d->arena, doc_need_object(d->arena, d->root, "spec"), "replicas", doc_as_int(replicas, 0));
    (void)store_put(c->api->store, d, STORE_MAIN);
    return call_get(c);
}

bool call_patch(struct call *c)
{
    if (body_is(c, "application/apply-patch+yaml"))
        return call_apply(c);
    if (!is_patch_type(c))
        return unsupported(c);
    struct entry *e = call_entry(c);
    if (e == NULL)
        return call_not_found(c);
    struct doc *patch = NULL;
    if (!body_json(c, c->arena, &patch))
        return false;
    if (str_eq_text(c->sub, "scale"))
        return patch_scale(c, e, patch);
    struct draft *d = draft_of(e);
    d->root = doc_copy(d->arena, call_view(c, e->now));
    if (!apply_patch(c, d, patch)) {
        draft_drop(d);
        return false;
    }
    if (doc_type(doc_find(d->root, "metadata")) != JSON_OBJECT) {
        draft_drop(d);
        return rejected(c);
    }
    doc_set_text(d->arena, d->root, "kind", c->kind->name);
    doc_set_text(d->arena, d->root, "apiVersion", kind_api_version(d->arena, c->kind));
    if (!body_types(c, d->root) || !write_known(c, d->root)) {
        draft_drop(d);
        return false;
    }
    return finish(c, d);
}
