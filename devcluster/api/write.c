// SPDX-License-Identifier: MIT
/* What all writes share: defaults, validation, admission, managedFields, dry run. */
#include "core/base/codec.h"
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"
#include "devcluster/base/fields.h"
#include "devcluster/objects/check.h"
#include "devcluster/objects/quota.h"
#include "devcluster/objects/schema.h"

static void add_warning(struct call *c, const char *text)
{
    http_add_header(c->x, "Warning", str_from(arena_printf(c->arena, "299 - \"%s\"", text)));
}

bool write_known(struct call *c, struct doc *root)
{
    struct str wish = STR_NONE;
    (void)http_query_find(c->x, "fieldValidation", &wish);
    const char **unknown = schema_prune(c->arena, c->kind, root);
    if (unknown[0] != NULL && str_eq_text(wish, "Strict"))
        return FAIL(&c->fail, 400, "BadRequest",
                    "%s in version \"%s\" cannot be handled as a %s: strict decoding error: unknown field \"%s\"",
                    c->kind->name, c->kind->version, c->kind->name, unknown[0]);
    for (size_t i = 0; unknown[i] != NULL && !str_eq_text(wish, "Ignore"); i++)
        add_warning(c, arena_printf(c->arena, "unknown field \\\"%s\\\"", unknown[i]));
    const struct doc *annotations = doc_at(root, "metadata", "annotations", NULL);
    if (c->kind->id == KIND_INGRESS && doc_find(annotations, "kubernetes.io/ingress.class") != NULL)
        add_warning(c, "annotation \\\"kubernetes.io/ingress.class\\\" is deprecated, please use "
                       "'spec.ingressClassName' instead");
    return true;
}

/* Empty maps and lists of the metadata are not kept. */
static void drop_empty_meta(struct doc *root)
{
    static const char *const names[] = {"labels", "annotations", "finalizers", "ownerReferences"};
    struct doc *meta = doc_edit(root, "metadata");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct doc *there = doc_find(meta, names[i]);
        if (there != NULL && there->first == NULL)
            doc_remove(meta, names[i]);
    }
}

bool write_check(struct call *c, struct doc *root, struct arena *a, const struct doc *before)
{
    struct str name = doc_as_str(doc_at(root, "metadata", "name", NULL));
    drop_empty_meta(root);
    if (c->kind->fill != NULL)
        c->kind->fill(a, root);
    check_meta(&c->fail, root, (int)c->kind->name_rule);
    if (c->kind->check != NULL)
        c->kind->check(&c->fail, root);
    if (before != NULL && c->kind->check_change != NULL)
        c->kind->check_change(&c->fail, before, root);
    return !fail_has_causes(&c->fail) || call_invalid(c, name);
}

/* ---- admission ---- */

static bool admit_namespace(struct call *c, struct str name)
{
    if ((c->kind->flags & IS_NAMESPACED) == 0)
        return true;
    const struct entry *ns = store_find(c->api->store, kind_get(KIND_NAMESPACE), STR_NONE, c->ns);
    if (ns == NULL) {
        FAIL(&c->fail, 404, "NotFound", "namespaces \"%.*s\" not found", STR_ARG(c->ns));
        return fail_details(&c->fail, "", "namespaces", c->ns);
    }
    if (!object_is_deleting(ns->now))
        return true;
    FAIL(&c->fail, 403, "Forbidden",
         "%s \"%.*s\" is forbidden: unable to create new content in namespace %.*s because it is being terminated",
         kind_resource(c->arena, c->kind), STR_ARG(name), STR_ARG(c->ns));
    fail_cause(&c->fail, "NamespaceTerminating", "metadata.namespace",
               arena_printf(c->arena, "namespace %.*s is being terminated", STR_ARG(c->ns)));
    return fail_details(&c->fail, c->kind->group, c->kind->plural, name);
}

/* Nobody hands on rights they do not hold themselves. */
static bool admit_rights(struct call *c, const struct doc *root, struct str name)
{
    const struct doc *rules = NULL;
    if (c->kind->id == KIND_ROLE) {
        rules = doc_find(root, "rules");
    } else if (c->kind->id == KIND_ROLEBINDING) {
        struct str role = doc_as_str(doc_at(root, "roleRef", "name", NULL));
        const struct entry *e = store_find(c->api->store, kind_get(KIND_ROLE), c->ns, role);
        rules = e == NULL ? NULL : doc_find(e->now->root, "rules");
    }
    if (rules == NULL || access_holds(c->who, rules, c->ns))
        return true;
    const char *list = "";
    for (const struct doc *r = rules->first; r != NULL; r = r->next)
        list = arena_printf(c->arena, "%s\n{APIGroups:%.*s, Resources:%.*s, Verbs:%.*s}", list,
                            STR_ARG(doc_json(c->arena, doc_find(r, "apiGroups"))),
                            STR_ARG(doc_json(c->arena, doc_find(r, "resources"))),
                            STR_ARG(doc_json(c->arena, doc_find(r, "verbs"))));
    FAIL(&c->fail, 403, "Forbidden",
         "%s \"%.*s\" is forbidden: user \"%s\" (groups=[%s]) is attempting to grant RBAC permissions not currently "
         "held:%s",
         kind_resource(c->arena, c->kind), STR_ARG(name), c->who->user, c->who->groups, list);
    return fail_details(&c->fail, c->kind->group, c->kind->plural, name);
}

bool write_admit(struct call *c, const struct doc *root)
{
    struct str name = doc_as_str(doc_at(root, "metadata", "name", NULL));
    if (!admit_namespace(c, name) || !admit_rights(c, root, name))
        return false;
    const char *why = quota_refusal(c->api->store, c->arena, c->kind, root);
    if (why == NULL)
        return true;
    FAIL(&c->fail, 403, "Forbidden", "%s \"%.*s\" is forbidden: %s", kind_resource(c->arena, c->kind), STR_ARG(name),
         why);
    return fail_details(&c->fail, c->kind->group, c->kind->plural, name);
}

bool write_admit_change(struct call *c, const struct doc *before, const struct doc *root)
{
    static const char *const granting[] = {"rules", "subjects", "roleRef"};
    bool is_same = true;
    for (size_t i = 0; i < sizeof(granting) / sizeof(granting[0]); i++)
        is_same = is_same && doc_equal(doc_find(before, granting[i]), doc_find(root, granting[i]));
    return is_same || admit_rights(c, root, doc_as_str(doc_at(root, "metadata", "name", NULL)));
}

/* ---- managedFields ---- */

static struct str write_manager_name(struct call *c)
{
    struct str name;
    if (http_query_find(c->x, "fieldManager", &name) && name.n > 0)
        return name;
    struct str agent = http_header(c->x, "User-Agent");
    agent = str_slice(agent, 0, str_find(agent, '/', 0));
    return agent.n > 0 ? agent : STR("unknown");
}

static struct doc *find_manager(struct doc *list, struct str name)
{
    for (struct doc *m = list->first; m != NULL; m = m->next)
        if (str_eq(doc_get(m, "manager"), name) && str_eq_text(doc_get(m, "operation"), "Update"))
            return m;
    return NULL;
}

static void drop_empty_managers(struct doc *list)
{
    for (struct doc *m = list->first, *next; m != NULL; m = next) {
        next = m->next;
        if (fields_is_empty(doc_find(m, "fieldsV1")))
            doc_remove_child(list, m);
    }
}

void write_manager(struct call *c, struct draft *d, const struct doc *before)
{
    struct arena *a = d->arena;
    struct doc *list = doc_need_array(a, doc_need_object(a, d->root, "metadata"), "managedFields");
    struct doc *changed = fields_changed(a, before, d->root, (c->kind->flags & IS_CUSTOM) != 0);
    struct str name = write_manager_name(c);
    if (fields_is_empty(changed))
        return;
    for (struct doc *m = list->first; m != NULL; m = m->next)
        if (doc_type(doc_edit(m, "fieldsV1")) == JSON_OBJECT)
            fields_subtract(doc_edit(m, "fieldsV1"), changed);
    struct doc *mine = find_manager(list, name);
    if (mine == NULL) {
        mine = doc_append(list, doc_object(a));
        doc_set_str(a, mine, "manager", name);
        doc_set_text(a, mine, "operation", "Update");
        doc_set_text(a, mine, "apiVersion", kind_api_version(a, c->kind));
    }
    doc_set_str(a, mine, "time", store_time(c->api->store, a));
    doc_set_text(a, mine, "fieldsType", "FieldsV1");
    fields_unite(a, doc_need_object(a, mine, "fieldsV1"), changed);
    drop_empty_managers(list);
}

/* ---- the end of a write ---- */

static bool already_exists(struct call *c, const struct entry *e)
{
    FAIL(&c->fail, 409, "AlreadyExists", "%s%s \"%.*s\" already exists",
         object_is_deleting(e->now) ? "object is being deleted: " : "", kind_resource(c->arena, c->kind),
         STR_ARG(e->now->name));
    return fail_details(&c->fail, c->kind->group, c->kind->plural, e->now->name);
}

/* What a dry run would have stored, as the client's version shows it. */
static bool answer_dry_run(struct call *c, int status, struct draft *d, enum store_what what)
{
    store_prepare(c->api->store, d, what);
    call_answer_doc(c, status, d->kind == c->kind ? d->root : crd_convert(c->arena, c->kind, d->root));
    draft_drop(d);
    return true;
}

static void need_address(struct call *c, struct draft *d)
{
    struct doc *spec = doc_edit(d->root, "spec");
    if (c->kind->id != KIND_SERVICE || doc_find(spec, "clusterIP") != NULL)
        return;
    unsigned char drawn[2];
    codec_random(drawn, sizeof(drawn));
    const char *ip = arena_printf(d->arena, "10.96.%u.%u", drawn[0], drawn[1] % 254 + 1);
    doc_set_text(d->arena, spec, "clusterIP", ip);
    doc_append(doc_need_array(d->arena, spec, "clusterIPs"), doc_text(d->arena, ip));
}

bool write_new(struct call *c, struct draft *d)
{
    struct str name = doc_as_str(doc_at(d->root, "metadata", "name", NULL));
    bool is_spaced = (c->kind->flags & IS_NAMESPACED) != 0;
    const struct entry *old = store_find(c->api->store, c->kind, is_spaced ? c->ns : STR_NONE, name);
    if (old != NULL) {
        draft_drop(d);
        return already_exists(c, old);
    }
    need_address(c, d);
    call_to_stored(c, d);
    if (c->is_dry_run)
        return answer_dry_run(c, 201, d, STORE_MAIN);
    const struct entry *e = store_add(c->api->store, d);
    call_answer_object(c, 201, e->now);
    return true;
}

bool write_changed(struct call *c, struct draft *d, enum store_what what)
{
    struct entry *e = d->entry;
    call_to_stored(c, d);
    if (c->is_dry_run)
        return answer_dry_run(c, 200, d, what);
    (void)store_put(c->api->store, d, what);
    call_answer_object(c, 200, e->now);
    return true;
}
