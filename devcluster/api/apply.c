// SPDX-License-Identifier: MIT
/* Server-side apply: who owns which field, conflicts, and what a manager stops applying. Bodies are JSON (a subset
 * of the YAML the media type names). source: Kubernetes API concepts, "Server-Side Apply". */
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"
#include "devcluster/base/fields.h"
#include "devcluster/base/patch.h"

struct apply {
    struct call *call;
    struct draft *draft;
    struct str manager;
    bool is_custom;
    struct doc *config; /* what the client applies */
    struct doc *fields; /* its leaves */
};

static struct doc *managers_of(struct apply *p)
{
    return doc_need_array(p->draft->arena, doc_need_object(p->draft->arena, p->draft->root, "metadata"),
                          "managedFields");
}

static bool is_mine(const struct apply *p, const struct doc *m)
{
    return str_eq(doc_get(m, "manager"), p->manager) && str_eq_text(doc_get(m, "operation"), "Apply");
}

/* Merges the config in; the leaves that change others' values are conflicts unless forced. */
static bool merge(struct apply *p, const struct doc *live)
{
    struct fail *f = &p->call->fail;
    struct arena *a = p->draft->arena;
    patch_apply(a, p->draft->root, p->config, p->is_custom);
    struct doc *changed = fields_changed(a, live, p->draft->root, p->is_custom);
    struct doc *managers = managers_of(p);
    bool is_forced = call_query_is_true(p->call, "force");
    for (struct doc *m = managers->first; m != NULL; m = m->next) {
        struct doc *theirs = doc_edit(m, "fieldsV1");
        if (is_mine(p, m) || doc_type(theirs) != JSON_OBJECT)
            continue;
        if (is_forced)
            fields_subtract(theirs, changed);
        else
            fields_conflicts(f, p->fields, theirs, changed, doc_get(m, "manager"));
    }
    if (f->causes_n == 0)
        return true;
    const char *list = "";
    for (size_t i = 0; i < f->causes_n; i++)
        list = arena_printf(f->arena, "%s%s%s: %s", list, i == 0 ? "" : ", ", f->causes[i].message, f->causes[i].field);
    return FAIL(f, 409, "Conflict", "Apply failed with %zu conflict%s: %s", f->causes_n, f->causes_n == 1 ? "" : "s",
                list);
}

/* Fields this manager applied before, does not apply now, and nobody else owns, go. */
static void drop_unapplied(struct apply *p)
{
    struct arena *a = p->draft->arena;
    struct doc *others = doc_copy(a, p->fields);
    struct doc *old = NULL;
    for (struct doc *m = managers_of(p)->first; m != NULL; m = m->next) {
        if (is_mine(p, m))
            old = doc_copy(a, doc_find(m, "fieldsV1"));
        else
            fields_unite(a, others, doc_find(m, "fieldsV1"));
    }
    if (doc_type(old) != JSON_OBJECT)
        return;
    fields_subtract(old, others);
    fields_prune(a, p->draft->root, old, p->is_custom);
}

static void note_manager(struct apply *p)
{
    struct arena *a = p->draft->arena;
    struct doc *managers = managers_of(p);
    struct doc *mine = NULL;
    for (struct doc *m = managers->first, *next; m != NULL; m = next) {
        next = m->next;
        if (is_mine(p, m))
            mine = m;
        else if (fields_is_empty(doc_find(m, "fieldsV1")))
            doc_remove_child(managers, m);
    }
    if (mine != NULL && doc_equal(doc_find(mine, "fieldsV1"), p->fields))
        return;
    if (mine == NULL)
        mine = doc_append(managers, doc_object(a));
    doc_set_str(a, mine, "manager", p->manager);
    doc_set_text(a, mine, "operation", "Apply");
    doc_set_text(a, mine, "apiVersion", kind_api_version(a, p->call->kind));
    doc_set_str(a, mine, "time", store_time(p->call->api->store, a));
    doc_set_text(a, mine, "fieldsType", "FieldsV1");
    doc_set(a, mine, "fieldsV1", doc_copy(a, p->fields));
}

static bool apply_new(struct apply *p)
{
    struct call *c = p->call;
    struct draft *d = p->draft;
    struct doc *meta = doc_edit(d->root, "metadata");
    doc_remove(meta, "managedFields");
    doc_remove(meta, "uid");
    if ((c->kind->flags & HAS_STATUS) != 0)
        doc_remove(d->root, "status");
    if (!write_check(c, d->root, d->arena, NULL) || !write_admit(c, d->root)) {
        draft_drop(d);
        return false;
    }
    note_manager(p);
    return write_new(c, d);
}

static bool apply_existing(struct apply *p, struct entry *e)
{
    struct call *c = p->call;
    const struct doc *meta = doc_find(p->config, "metadata");
    struct str version = doc_get(meta, "resourceVersion");
    bool is_stale = version.n > 0 && !str_eq(version, doc_get(object_meta(e->now), "resourceVersion"));
    bool is_other = doc_get(meta, "uid").n > 0 && !str_eq(doc_get(meta, "uid"), e->now->uid);
    if (is_stale || is_other) {
        draft_drop(p->draft);
        return call_conflict(c, "the object has been modified; please apply your changes to the latest version and try "
                                "again");
    }
    const struct doc *before = call_view(c, e->now);
    p->draft->root = doc_copy(p->draft->arena, before);
    bool is_good = merge(p, before);
    if (is_good) {
        drop_unapplied(p);
        is_good = write_check(c, p->draft->root, p->draft->arena, before);
    }
    if (!is_good) {
        draft_drop(p->draft);
        return false;
    }
    note_manager(p);
    return write_changed(c, p->draft, STORE_MAIN);
}

static bool no_manager(struct call *c)
{
    fail_required(&c->fail, "fieldManager", "is required for apply patch");
    return fail_invalid(&c->fail, "meta.k8s.io", "PatchOptions", STR(""));
}

bool call_apply(struct call *c)
{
    struct apply p = {.call = c, .is_custom = (c->kind->flags & IS_CUSTOM) != 0};
    if (!http_query_find(c->x, "fieldManager", &p.manager) || p.manager.n == 0)
        return no_manager(c);
    if (!body_object(c, c->arena, &p.config) || !write_known(c, p.config))
        return false;
    if (doc_find(doc_find(p.config, "metadata"), "managedFields") != NULL)
        return call_bad_request(c, "metadata.managedFields must be nil");
    if (c->kind->id == KIND_SECRET && doc_find(p.config, "stringData") != NULL)
        c->kind->fill(c->arena, p.config);
    p.fields = fields_of(c->arena, p.config, p.is_custom);
    struct entry *e = call_entry(c);
    if (e == NULL) {
        struct arena *a = arena_new();
        p.draft = draft_new(c->kind, doc_copy(a, p.config), a);
        return apply_new(&p);
    }
    p.draft = draft_of(e);
    if ((c->kind->flags & HAS_STATUS) != 0)
        doc_remove(p.config, "status");
    doc_remove(doc_edit(p.config, "metadata"), "resourceVersion");
    return apply_existing(&p, e);
}
