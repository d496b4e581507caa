// SPDX-License-Identifier: MIT
/* Validation of everything but pods; check_pod.c has those. */
#include "devcluster/objects/check.h"

#include "devcluster/base/names.h"
#include "devcluster/base/selector.h"

enum { SECRET_MAX_BYTES = 1 << 20 };

static struct str json_of(struct fail *f, const struct doc *value)
{
    return doc_json(f->arena, value);
}

static void invalid_value(struct fail *f, const char *field, const struct doc *value, const char *why)
{
    struct doc *sorted = doc_copy(f->arena, value);
    doc_sort(f->arena, sorted, true);
    fail_cause(f, "FieldValueInvalid", field,
               arena_printf(f->arena, "Invalid value: %.*s: %s", STR_ARG(json_of(f, sorted)), why));
}

static const struct doc *first_of(const struct doc *array)
{
    return doc_type(array) == JSON_ARRAY ? array->first : NULL;
}

static const char *at_index(struct fail *f, const char *path, size_t i, const char *member)
{
    return arena_printf(f->arena, "%s[%zu]%s", path, i, member);
}

static void check_labels(struct fail *f, const struct doc *labels, const char *path)
{
    for (const struct doc *c = doc_type(labels) == JSON_OBJECT ? labels->first : NULL; c != NULL; c = c->next) {
        const char *why = label_key_refusal(c->key);
        if (why != NULL)
            fail_value(f, path, c->key, why);
        why = label_value_refusal(doc_as_str(c));
        if (why != NULL)
            fail_value(f, path, doc_as_str(c), why);
    }
}

static void check_owners(struct fail *f, const struct doc *owners)
{
    size_t i = 0;
    for (const struct doc *o = first_of(owners); o != NULL; o = o->next, i++) {
        static const char *const needed[] = {"apiVersion", "kind", "name", "uid"};
        for (size_t k = 0; k < 4; k++)
            if (doc_get(o, needed[k]).n == 0)
                fail_value(f, arena_printf(f->arena, "metadata.ownerReferences[%zu].%s", i, needed[k]), STR(""),
                           "must not be empty");
    }
}

void check_meta(struct fail *f, const struct doc *root, int name_rule)
{
    const struct doc *meta = doc_find(root, "metadata");
    struct str name = doc_get(meta, "name");
    if (name.n == 0) {
        fail_required(f, "metadata.name", "name or generateName is required");
    } else {
        const char *why = name_refusal((enum name_rule)name_rule, name);
        if (why != NULL)
            fail_value(f, "metadata.name", name, why);
    }
    check_labels(f, doc_find(meta, "labels"), "metadata.labels");
    const struct doc *annotations = doc_find(meta, "annotations");
    for (const struct doc *c = doc_type(annotations) == JSON_OBJECT ? annotations->first : NULL; c != NULL;
         c = c->next) {
        const char *why = label_key_refusal(c->key);
        if (why != NULL)
            fail_value(f, "metadata.annotations", c->key, why);
    }
    check_owners(f, doc_find(meta, "ownerReferences"));
}

/* ---- workloads ---- */

static bool check_selector(struct fail *f, const struct doc *selector)
{
    size_t before = f->causes_n;
    check_labels(f, doc_find(selector, "matchLabels"), "spec.selector.matchLabels");
    if (f->causes_n == before)
        return true;
    invalid_value(f, "spec.selector", selector, "invalid label selector");
    return false;
}

static void check_workload(struct fail *f, const struct doc *root)
{
    const struct doc *spec = doc_find(root, "spec");
    const struct doc *selector = doc_find(spec, "selector");
    const struct doc *template = doc_find(spec, "template");
    if (doc_as_int(doc_find(spec, "replicas"), 1) < 0)
        fail_cause(f, "FieldValueInvalid", "spec.replicas",
                   arena_printf(f->arena, "Invalid value: %lld: must be greater than or equal to 0",
                                (long long)doc_as_int(doc_find(spec, "replicas"), 0)));
    if (selector == NULL) {
        fail_required(f, "spec.selector", NULL);
    } else if (doc_count(selector) == 0) {
        invalid_value(f, "spec.selector", selector, "empty selector is invalid for deployment");
    } else if (!check_selector(f, selector)) {
        return;
    }
    const struct doc *labels = doc_at(template, "metadata", "labels", NULL);
    struct selector parsed;
    selector_from_doc(f->arena, selector, &parsed);
    if (doc_count(selector) > 0 && !selector_matches(&parsed, labels))
        invalid_value(f, "spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
    check_labels(f, labels, "spec.template.labels");
    check_pod_spec(f, doc_find(template, "spec"), "spec.template.spec");
    struct str policy = doc_as_str(doc_at(template, "spec", "restartPolicy", NULL));
    if (policy.n > 0 && !str_eq_text(policy, "Always"))
        fail_cause(
            f, "FieldValueNotSupported", "spec.template.spec.restartPolicy",
            arena_printf(f->arena, "Unsupported value: \"%.*s\": supported values: \"Always\"", STR_ARG(policy)));
}

void check_deployment(struct fail *f, const struct doc *root)
{
    check_workload(f, root);
    struct str type = doc_as_str(doc_at(root, "spec", "strategy", "type", NULL));
    if (!str_eq_text(type, "RollingUpdate") && !str_eq_text(type, "Recreate"))
        fail_cause(f, "FieldValueNotSupported", "spec.strategy.type",
                   arena_printf(f->arena,
                                "Unsupported value: \"%.*s\": supported values: \"Recreate\", \"RollingUpdate\"",
                                STR_ARG(type)));
}

void check_deployment_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    const struct doc *selector = doc_at(after, "spec", "selector", NULL);
    if (!doc_equal(doc_at(before, "spec", "selector", NULL), selector))
        invalid_value(f, "spec.selector", selector, "field is immutable");
}

void check_replicaset(struct fail *f, const struct doc *root)
{
    check_workload(f, root);
}

/* The template's volumes are complete once those of the claims stand beside them. */
static struct doc *with_claims(struct fail *f, const struct doc *root)
{
    struct doc *whole = doc_copy(f->arena, root);
    struct doc *pod = doc_edit(doc_edit(doc_edit(whole, "spec"), "template"), "spec");
    const struct doc *claims = doc_at(root, "spec", "volumeClaimTemplates", NULL);
    for (const struct doc *c = pod == NULL ? NULL : first_of(claims); c != NULL; c = c->next) {
        struct doc *volume = doc_append(doc_need_array(f->arena, pod, "volumes"), doc_object(f->arena));
        doc_set_str(f->arena, volume, "name", doc_as_str(doc_at(c, "metadata", "name", NULL)));
    }
    return whole;
}

void check_statefulset(struct fail *f, const struct doc *root)
{
    check_workload(f, with_claims(f, root));
    struct str policy = doc_as_str(doc_at(root, "spec", "podManagementPolicy", NULL));
    if (!str_eq_text(policy, "OrderedReady") && !str_eq_text(policy, "Parallel"))
        fail_value(f, "spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
}

void check_statefulset_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    static const char *const fixed[] = {"serviceName", "podManagementPolicy", "selector", "volumeClaimTemplates"};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        const struct doc *value = doc_at(after, "spec", fixed[i], NULL);
        if (!doc_equal(doc_at(before, "spec", fixed[i], NULL), value))
            invalid_value(f, arena_printf(f->arena, "spec.%s", fixed[i]), value, "field is immutable");
    }
}

/* ---- network ---- */

static void check_service_port(struct fail *f, const struct doc *port, size_t i, size_t n)
{
    int64_t number = doc_as_int(doc_find(port, "port"), 0);
    if (number < 1 || number > 65535)
        fail_cause(
            f, "FieldValueInvalid", at_index(f, "spec.ports", i, ".port"),
            arena_printf(f->arena, "Invalid value: %lld: must be between 1 and 65535, inclusive", (long long)number));
    struct str name = doc_get(port, "name");
    if (name.n == 0 && n > 1)
        fail_required(f, at_index(f, "spec.ports", i, ".name"), NULL);
    const char *why = name.n > 0 ? name_refusal(NAME_LABEL, name) : NULL;
    if (why != NULL)
        fail_value(f, at_index(f, "spec.ports", i, ".name"), name, why);
}

void check_service(struct fail *f, const struct doc *root)
{
    const struct doc *ports = doc_at(root, "spec", "ports", NULL);
    size_t n = doc_count(ports);
    bool needs_ports = !str_eq_text(doc_as_str(doc_at(root, "spec", "clusterIP", NULL)), "None") &&
                       !str_eq_text(doc_as_str(doc_at(root, "spec", "type", NULL)), "ExternalName");
    if (n == 0 && needs_ports)
        fail_required(f, "spec.ports", NULL);
    size_t i = 0;
    for (const struct doc *p = first_of(ports); p != NULL; p = p->next, i++) {
        check_service_port(f, p, i, n);
        for (const struct doc *q = first_of(ports); q != p; q = q->next)
            if (doc_get(p, "name").n > 0 && str_eq(doc_get(p, "name"), doc_get(q, "name")))
                fail_cause(f, "FieldValueDuplicate", at_index(f, "spec.ports", i, ".name"),
                           arena_printf(f->arena, "Duplicate value: \"%.*s\"", STR_ARG(doc_get(p, "name"))));
    }
    check_labels(f, doc_at(root, "spec", "selector", NULL), "spec.selector");
}

void check_service_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    const struct doc *ip = doc_at(after, "spec", "clusterIP", NULL);
    if (!doc_equal(doc_at(before, "spec", "clusterIP", NULL), ip))
        fail_value(f, "spec.clusterIPs[0]", doc_as_str(ip), "may not change once set");
}

static void check_host(struct fail *f, const char *field, struct str host)
{
    struct str rest = str_starts(host, STR("*.")) ? str_slice(host, 2, host.n) : host;
    const char *why = name_refusal(NAME_SUBDOMAIN, rest);
    if (why != NULL)
        fail_value(f, field, host, why);
}

static void check_paths(struct fail *f, const struct doc *paths, const char *path)
{
    size_t i = 0;
    for (const struct doc *p = first_of(paths); p != NULL; p = p->next, i++) {
        struct str type = doc_get(p, "pathType");
        if (type.n == 0)
            fail_required(f, at_index(f, path, i, ".pathType"), "pathType must be specified");
        struct str text = doc_get(p, "path");
        if (!str_eq_text(type, "ImplementationSpecific") && (text.n == 0 || text.p[0] != '/'))
            fail_value(f, at_index(f, path, i, ".path"), text, "must be an absolute path");
        if (doc_as_str(doc_at(p, "backend", "service", "name", NULL)).n == 0)
            fail_required(f, at_index(f, path, i, ".backend"), "port name or number is required");
    }
}

void check_ingress(struct fail *f, const struct doc *root)
{
    const struct doc *spec = doc_find(root, "spec");
    if (doc_count(doc_find(spec, "rules")) == 0 && doc_find(spec, "defaultBackend") == NULL)
        invalid_value(f, "spec", spec, "either `defaultBackend` or `rules` must be specified");
    size_t i = 0;
    for (const struct doc *r = first_of(doc_find(spec, "rules")); r != NULL; r = r->next, i++) {
        if (doc_get(r, "host").n > 0)
            check_host(f, at_index(f, "spec.rules", i, ".host"), doc_get(r, "host"));
        check_paths(f, doc_at(r, "http", "paths", NULL), at_index(f, "spec.rules", i, ".http.paths"));
    }
    i = 0;
    for (const struct doc *t = first_of(doc_find(spec, "tls")); t != NULL; t = t->next, i++) {
        size_t k = 0;
        for (const struct doc *h = first_of(doc_find(t, "hosts")); h != NULL; h = h->next, k++)
            check_host(f, arena_printf(f->arena, "spec.tls[%zu].hosts[%zu]", i, k), doc_as_str(h));
    }
}

/* ---- Gateway API: what its CustomResourceDefinitions require ---- */

void check_gateway(struct fail *f, const struct doc *root)
{
    const struct doc *listeners = doc_at(root, "spec", "listeners", NULL);
    if (doc_as_str(doc_at(root, "spec", "gatewayClassName", NULL)).n == 0)
        fail_required(f, "spec.gatewayClassName", NULL);
    if (doc_count(listeners) == 0)
        fail_required(f, "spec.listeners", NULL);
    size_t i = 0;
    for (const struct doc *l = first_of(listeners); l != NULL; l = l->next, i++)
        if (doc_get(l, "name").n == 0)
            fail_required(f, at_index(f, "spec.listeners", i, ".name"), NULL);
}

/* Up to four parts of up to five digits and a unit. */
static bool is_gateway_duration(struct str text)
{
    size_t i = 0;
    size_t parts_n = 0;
    while (i < text.n && parts_n < 4) {
        size_t digits = i;
        while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
            i++;
        if (i == digits || i - digits > 5 || i == text.n)
            return false;
        bool is_ms = str_starts(str_slice(text, i, text.n), STR("ms"));
        if (!is_ms && text.p[i] != 'h' && text.p[i] != 'm' && text.p[i] != 's')
            return false;
        i += is_ms ? 2 : 1;
        parts_n++;
    }
    return parts_n > 0 && i == text.n;
}

static void check_route_rule(struct fail *f, const struct doc *rule, const char *path)
{
    size_t i = 0;
    for (const struct doc *b = first_of(doc_find(rule, "backendRefs")); b != NULL; b = b->next, i++) {
        if (doc_get(b, "name").n == 0)
            fail_required(f, arena_printf(f->arena, "%s.backendRefs[%zu].name", path, i), NULL);
        if (doc_find(b, "port") == NULL)
            invalid_value(f, arena_printf(f->arena, "%s.backendRefs[%zu]", path, i), b,
                          "Must have port for Service reference");
    }
    for (const struct doc *t = doc_type(doc_find(rule, "timeouts")) == JSON_OBJECT ? doc_find(rule, "timeouts")->first
                                                                                   : NULL;
         t != NULL; t = t->next)
        if (!is_gateway_duration(doc_as_str(t)))
            fail_value(f, arena_printf(f->arena, "%s.timeouts.%.*s", path, STR_ARG(t->key)), doc_as_str(t),
                       "should match '^([0-9]{1,5}(h|m|s|ms)){1,4}$'");
}

void check_httproute(struct fail *f, const struct doc *root)
{
    const struct doc *spec = doc_find(root, "spec");
    size_t i = 0;
    for (const struct doc *p = first_of(doc_find(spec, "parentRefs")); p != NULL; p = p->next, i++)
        if (doc_get(p, "name").n == 0)
            fail_required(f, at_index(f, "spec.parentRefs", i, ".name"), NULL);
    i = 0;
    for (const struct doc *h = first_of(doc_find(spec, "hostnames")); h != NULL; h = h->next, i++)
        check_host(f, at_index(f, "spec.hostnames", i, ""), doc_as_str(h));
    i = 0;
    for (const struct doc *r = first_of(doc_find(spec, "rules")); r != NULL; r = r->next, i++)
        check_route_rule(f, r, at_index(f, "spec.rules", i, ""));
}

/* ---- data ---- */

static void check_data(struct fail *f, const struct doc *data, bool is_base64)
{
    size_t total = 0;
    for (const struct doc *c = doc_type(data) == JSON_OBJECT ? data->first : NULL; c != NULL; c = c->next) {
        size_t n = doc_as_str(c).n;
        total += is_base64 ? n / 4 * 3 : n;
        bool is_bad = c->key.n == 0 || c->key.n > 253;
        for (size_t i = 0; i < c->key.n; i++) {
            char x = c->key.p[i];
            is_bad = is_bad || !((x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
                                 x == '-' || x == '_' || x == '.');
        }
        if (is_bad)
            fail_value(f, arena_printf(f->arena, "data[%.*s]", STR_ARG(c->key)), c->key,
                       "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name', "
                       " or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
    }
    if (total > SECRET_MAX_BYTES)
        fail_cause(f, "FieldValueTooLong", "data", "Too long: may not be more than 1048576 bytes");
}

void check_secret(struct fail *f, const struct doc *root)
{
    check_data(f, doc_find(root, "data"), true);
}

void check_configmap(struct fail *f, const struct doc *root)
{
    check_data(f, doc_find(root, "data"), false);
}

void check_secret_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    if (!doc_equal(doc_find(before, "type"), doc_find(after, "type")))
        fail_value(f, "type", doc_get(after, "type"), "field is immutable");
    if (doc_as_bool(doc_find(before, "immutable"), false) &&
        !doc_equal(doc_find(before, "data"), doc_find(after, "data")))
        fail_cause(f, "FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set");
}

void check_pvc(struct fail *f, const struct doc *root)
{
    if (doc_count(doc_at(root, "spec", "accessModes", NULL)) == 0)
        fail_required(f, "spec.accessModes", "at least 1 access mode is required");
    int64_t size;
    struct str storage = doc_as_str(doc_at(root, "spec", "resources", "requests", "storage", NULL));
    if (storage.n == 0 || !quantity_parse(storage, &size))
        fail_required(f, "spec.resources[storage]", NULL);
}

void check_pvc_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    if (!doc_equal(doc_at(before, "spec", "accessModes", NULL), doc_at(after, "spec", "accessModes", NULL)) ||
        !doc_equal(doc_at(before, "spec", "storageClassName", NULL), doc_at(after, "spec", "storageClassName", NULL)))
        fail_cause(
            f, "FieldValueForbidden", "spec",
            "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
            "for bound claims");
}

/* ---- rights ---- */

void check_role(struct fail *f, const struct doc *root)
{
    size_t i = 0;
    for (const struct doc *r = first_of(doc_find(root, "rules")); r != NULL; r = r->next, i++) {
        static const char *const needed[] = {"verbs", "apiGroups", "resources"};
        static const char *const why[] = {"verbs must contain at least one value",
                                          "resource rules must supply at least one api group",
                                          "resource rules must supply at least one resource"};
        for (size_t k = 0; k < 3; k++)
            if (doc_count(doc_find(r, needed[k])) == 0)
                fail_required(f, arena_printf(f->arena, "rules[%zu].%s", i, needed[k]), why[k]);
    }
}

void check_rolebinding(struct fail *f, const struct doc *root)
{
    const struct doc *ref = doc_find(root, "roleRef");
    struct str kind = doc_get(ref, "kind");
    if (!str_eq_text(kind, "Role") && !str_eq_text(kind, "ClusterRole"))
        fail_cause(f, "FieldValueNotSupported", "roleRef.kind",
                   arena_printf(f->arena, "Unsupported value: \"%.*s\": supported values: \"Role\", \"ClusterRole\"",
                                STR_ARG(kind)));
    if (doc_get(ref, "name").n == 0)
        fail_required(f, "roleRef.name", NULL);
    size_t i = 0;
    for (const struct doc *s = first_of(doc_find(root, "subjects")); s != NULL; s = s->next, i++)
        if (doc_get(s, "name").n == 0)
            fail_required(f, arena_printf(f->arena, "subjects[%zu].name", i), NULL);
}

void check_rolebinding_change(struct fail *f, const struct doc *before, const struct doc *after)
{
    if (!doc_equal(doc_find(before, "roleRef"), doc_find(after, "roleRef")))
        invalid_value(f, "roleRef", doc_find(after, "roleRef"), "cannot change roleRef");
}

/* ---- KubeBlocks: the required fields of its CustomResourceDefinitions ---- */

static void check_policy(struct fail *f, const struct doc *spec, bool has_halt)
{
    static const char *const policies[] = {"DoNotTerminate", "Delete", "WipeOut"};
    struct str policy = doc_get(spec, "terminationPolicy");
    bool is_known = has_halt && str_eq_text(policy, "Halt");
    for (size_t p = 0; p < sizeof(policies) / sizeof(policies[0]); p++)
        is_known = is_known || str_eq_text(policy, policies[p]);
    if (doc_find(spec, "terminationPolicy") == NULL)
        fail_required(f, "spec.terminationPolicy", NULL);
    else if (!is_known)
        fail_cause(f, "FieldValueNotSupported", "spec.terminationPolicy",
                   arena_printf(f->arena,
                                "Unsupported value: \"%.*s\": supported values: \"DoNotTerminate\", %s\"Delete\", "
                                "\"WipeOut\"",
                                STR_ARG(policy), has_halt ? "\"Halt\", " : ""));
}

static void check_cluster(struct fail *f, const struct doc *root, bool has_halt)
{
    const struct doc *spec = doc_find(root, "spec");
    const struct doc *components = doc_find(spec, "componentSpecs");
    size_t i = 0;
    if (doc_type(components) == JSON_ARRAY && components->first == NULL)
        fail_cause(f, "FieldValueInvalid", "spec.componentSpecs",
                   "Invalid value: 0: spec.componentSpecs in body should have at least 1 items");
    for (const struct doc *c = first_of(components); c != NULL; c = c->next, i++) {
        size_t k = 0;
        for (const struct doc *v = first_of(doc_find(c, "volumeClaimTemplates")); v != NULL; v = v->next, k++)
            if (doc_find(v, "name") == NULL)
                fail_required(
                    f, arena_printf(f->arena, "spec.componentSpecs[%zu].volumeClaimTemplates[%zu].name", i, k), NULL);
    }
    check_policy(f, spec, has_halt);
    if (fail_has_causes(f))
        fail_cause(
            f, "FieldValueInvalid", "<nil>",
            "Invalid value: null: some validation rules were not checked because the object was invalid; correct "
            "the existing errors to complete validation");
}

void check_cluster_v1alpha1(struct fail *f, const struct doc *root)
{
    check_cluster(f, root, true);
}

void check_cluster_v1(struct fail *f, const struct doc *root)
{
    check_cluster(f, root, false);
}
