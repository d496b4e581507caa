// SPDX-License-Identifier: MIT
/* Validation of pods and pod templates. */
#include "devcluster/base/names.h"
#include "devcluster/objects/check.h"

static const struct doc *first_of(const struct doc *array)
{
    return doc_type(array) == JSON_ARRAY ? array->first : NULL;
}

static const char *under(struct fail *f, const char *path, const char *member, size_t i, const char *last)
{
    return arena_printf(f->arena, "%s.%s[%zu]%s", path, member, i, last);
}

static void check_ports(struct fail *f, const struct doc *container, const char *path)
{
    size_t i = 0;
    const struct doc *ports = doc_find(container, "ports");
    for (const struct doc *p = first_of(ports); p != NULL; p = p->next, i++) {
        struct str name = doc_get(p, "name");
        const char *why = name.n > 0 ? port_name_refusal(name) : NULL;
        if (why != NULL)
            fail_value(f, under(f, path, "ports", i, ".name"), name, why);
        for (const struct doc *q = first_of(ports); q != p; q = q->next)
            if (name.n > 0 && str_eq(name, doc_get(q, "name")))
                fail_cause(f, "FieldValueDuplicate", under(f, path, "ports", i, ".name"),
                           arena_printf(f->arena, "Duplicate value: \"%.*s\"", STR_ARG(name)));
        int64_t number = doc_as_int(doc_find(p, "containerPort"), 0);
        if (number == 0)
            fail_required(f, under(f, path, "ports", i, ".containerPort"), NULL);
        else if (number < 1 || number > 65535)
            fail_cause(f, "FieldValueInvalid", under(f, path, "ports", i, ".containerPort"),
                       arena_printf(f->arena, "Invalid value: %lld: must be between 1 and 65535, inclusive",
                                    (long long)number));
    }
}

static void check_env(struct fail *f, const struct doc *container, const char *path)
{
    size_t i = 0;
    for (const struct doc *e = first_of(doc_find(container, "env")); e != NULL; e = e->next, i++) {
        struct str name = doc_get(e, "name");
        if (name.n == 0) {
            fail_required(f, under(f, path, "env", i, ".name"), NULL);
            continue;
        }
        const char *why = env_name_refusal(name);
        if (why != NULL)
            fail_value(f, under(f, path, "env", i, ".name"), name, why);
    }
}

static void check_resources(struct fail *f, const struct doc *resources, const char *path)
{
    const struct doc *limits = doc_find(resources, "limits");
    const struct doc *requests = doc_find(resources, "requests");
    for (const struct doc *r = doc_type(requests) == JSON_OBJECT ? requests->first : NULL; r != NULL; r = r->next) {
        const struct doc *limit = doc_find_str(limits, r->key);
        int64_t asked;
        int64_t most;
        if (limit == NULL || !quantity_parse(doc_as_str(r), &asked) || !quantity_parse(doc_as_str(limit), &most))
            continue;
        if (asked > most)
            fail_value(f, arena_printf(f->arena, "%s.resources.requests", path), doc_as_str(r),
                       arena_printf(f->arena, "must be less than or equal to %.*s limit of %.*s", STR_ARG(r->key),
                                    STR_ARG(doc_as_str(limit))));
    }
}

static void check_mounts(struct fail *f, const struct doc *spec, const struct doc *container, const char *path)
{
    size_t i = 0;
    for (const struct doc *m = first_of(doc_find(container, "volumeMounts")); m != NULL; m = m->next, i++) {
        bool is_there = false;
        for (const struct doc *v = first_of(doc_find(spec, "volumes")); v != NULL; v = v->next)
            is_there = is_there || str_eq(doc_get(v, "name"), doc_get(m, "name"));
        if (!is_there)
            fail_cause(f, "FieldValueNotFound", under(f, path, "volumeMounts", i, ".name"),
                       arena_printf(f->arena, "Not found: \"%.*s\"", STR_ARG(doc_get(m, "name"))));
    }
}

static void check_container(struct fail *f, const struct doc *spec, const struct doc *container, const char *path)
{
    struct str name = doc_get(container, "name");
    const char *why = name.n > 0 ? name_refusal(NAME_LABEL, name) : NULL;
    const char *field = arena_printf(f->arena, "%s.name", path);
    if (name.n == 0)
        fail_required(f, field, NULL);
    else if (why != NULL)
        fail_value(f, field, name, why);
    if (doc_get(container, "image").n == 0)
        fail_required(f, arena_printf(f->arena, "%s.image", path), NULL);
    check_ports(f, container, path);
    check_env(f, container, path);
    check_mounts(f, spec, container, path);
    check_resources(f, doc_find(container, "resources"), path);
}

static void check_twins(struct fail *f, const struct doc *list, const struct doc *container, const char *path)
{
    for (const struct doc *d = first_of(list); d != container; d = d->next)
        if (str_eq(doc_get(container, "name"), doc_get(d, "name")))
            fail_cause(f, "FieldValueDuplicate", arena_printf(f->arena, "%s.name", path),
                       arena_printf(f->arena, "Duplicate value: \"%.*s\"", STR_ARG(doc_get(d, "name"))));
}

void check_pod_spec(struct fail *f, const struct doc *spec, const char *path)
{
    const struct doc *containers = doc_find(spec, "containers");
    if (doc_count(containers) == 0)
        fail_required(f, arena_printf(f->arena, "%s.containers", path), NULL);
    static const char *const lists[] = {"initContainers", "containers"};
    for (size_t k = 0; k < 2; k++) {
        size_t i = 0;
        const struct doc *list = doc_find(spec, lists[k]);
        for (const struct doc *c = first_of(list); c != NULL; c = c->next, i++) {
            const char *own = under(f, path, lists[k], i, "");
            check_container(f, spec, c, own);
            check_twins(f, list, c, own);
        }
    }
}

void check_pod(struct fail *f, const struct doc *root)
{
    check_pod_spec(f, doc_find(root, "spec"), "spec");
}

void check_pod_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    static const char *const mutable_fields[] = {"tolerations", "activeDeadlineSeconds", "nodeName",
                                                 "terminationGracePeriodSeconds"};
    struct doc *one = doc_copy(f->arena, doc_find(before, "spec"));
    struct doc *two = doc_copy(f->arena, doc_find(after, "spec"));
    for (size_t i = 0; i < sizeof(mutable_fields) / sizeof(mutable_fields[0]); i++) {
        doc_remove(one, mutable_fields[i]);
        doc_remove(two, mutable_fields[i]);
    }
    struct doc *container = doc_edit(one, "containers") == NULL ? NULL : doc_edit(one, "containers")->first;
    struct doc *other = doc_edit(two, "containers") == NULL ? NULL : doc_edit(two, "containers")->first;
    for (; container != NULL && other != NULL; container = container->next, other = other->next) {
        doc_remove(container, "image");
        doc_remove(other, "image");
    }
    if (!doc_equal(one, two))
        fail_cause(f, "FieldValueForbidden", "spec",
                   "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
                   "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
                   "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
                   "previously negative)");
}
