// SPDX-License-Identifier: MIT
/* DELETE: of one object and of a collection. */
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"
#include "devcluster/api/filter.h"
#include "devcluster/api/table.h"

struct options {
    enum delete_policy policy;
    int64_t grace_s; /* -1: the object's own */
    struct str uid;
    struct str version;
};

static bool bad_policy(struct call *c, struct str given)
{
    fail_cause(
        &c->fail, "FieldValueNotSupported", "propagationPolicy",
        arena_printf(c->arena,
                     "Unsupported value: \"%.*s\": supported values: \"Foreground\", \"Background\", \"Orphan\", "
                     "\"nil\"",
                     STR_ARG(given)));
    return fail_invalid(&c->fail, "meta.k8s.io", "DeleteOptions", STR(""));
}

static bool read_options(struct call *c, struct options *ret)
{
    struct doc *body = NULL;
    struct str policy = STR_NONE;
    struct str grace;
    uint64_t seconds;
    *ret = (struct options){.policy = DELETE_BACKGROUND, .grace_s = -1};
    if (http_body(c->x).n > 0 && !body_json(c, c->arena, &body))
        return false;
    ret->uid = doc_as_str(doc_at(body, "preconditions", "uid", NULL));
    ret->version = doc_as_str(doc_at(body, "preconditions", "resourceVersion", NULL));
    ret->grace_s = doc_as_int(doc_find(body, "gracePeriodSeconds"), -1);
    if (http_query_find(c->x, "gracePeriodSeconds", &grace) && str_parse_u64(grace, INT32_MAX, &seconds))
        ret->grace_s = (int64_t)seconds;
    const struct doc *dry = doc_find(body, "dryRun");
    c->is_dry_run = c->is_dry_run || doc_count(dry) > 0;
    if (!http_query_find(c->x, "propagationPolicy", &policy))
        policy = doc_get(body, "propagationPolicy");
    if (doc_as_bool(doc_find(body, "orphanDependents"), false) || str_eq_text(policy, "Orphan"))
        ret->policy = DELETE_ORPHAN;
    else if (str_eq_text(policy, "Foreground"))
        ret->policy = DELETE_FOREGROUND;
    else if (policy.n > 0 && !str_eq_text(policy, "Background"))
        return bad_policy(c, policy);
    return true;
}

static bool check_preconditions(struct call *c, const struct options *o, const struct object *now)
{
    const char *what = NULL;
    struct str given = o->uid;
    struct str real = now->uid;
    if (o->uid.n > 0 && !str_eq(o->uid, now->uid)) {
        what = "UID";
    } else if (o->version.n > 0 && !str_eq(o->version, doc_get(object_meta(now), "resourceVersion"))) {
        what = "ResourceVersion";
        given = o->version;
        real = doc_get(object_meta(now), "resourceVersion");
    }
    if (what == NULL)
        return true;
    const char *dot = c->kind->group[0] == '\0' ? "" : ".";
    FAIL(&c->fail, 409, "Conflict",
         "Operation cannot be fulfilled on %s%s%s \"%.*s\": the %s in the precondition (%.*s) does not match the %s in "
         "record (%.*s). The object might have been %s",
         c->kind->name, dot, c->kind->group, STR_ARG(now->name), what, STR_ARG(given), what, STR_ARG(real),
         what[0] == 'U' ? "deleted and then recreated" : "modified");
    return fail_details(&c->fail, c->kind->group, c->kind->name, now->name);
}

bool call_delete(struct call *c)
{
    struct options options;
    if (!read_options(c, &options))
        return false;
    struct entry *e = call_entry(c);
    if (e == NULL)
        return call_not_found(c);
    if (!check_preconditions(c, &options, e->now))
        return false;
    const struct object *before = object_ref(e->now);
    if (!c->is_dry_run)
        store_delete(c->api->store, e, options.policy, options.grace_s);
    if (!e->is_gone && !c->is_dry_run)
        call_answer_object(c, 200, e->now);
    else if ((c->kind->flags & DELETE_SHOWS) != 0)
        call_answer_object(c, 200, before);
    else
        call_answer_deleted(c, before);
    object_unref(before);
    return true;
}

bool call_delete_collection(struct call *c)
{
    struct options options;
    struct filter filter;
    size_t n;
    if (!read_options(c, &options) || !filter_parse(c, c->arena, &filter))
        return false;
    const struct object **set = filter_collect(c, &filter, &n);
    for (size_t i = 0; i < n; i++)
        (void)object_ref(set[i]);
    for (size_t i = 0; i < n && !c->is_dry_run; i++) {
        struct entry *e = store_find(c->api->store, c->kind, set[i]->ns, set[i]->name);
        if (e != NULL)
            store_delete(c->api->store, e, options.policy, options.grace_s);
    }
    struct doc *meta = doc_object(c->arena);
    doc_set_text(c->arena, meta, "resourceVersion",
                 arena_printf(c->arena, "%llu", (unsigned long long)store_version(c->api->store)));
    list_answer(c, set, n, meta);
    for (size_t i = 0; i < n; i++)
        object_unref(set[i]);
    return true;
}
