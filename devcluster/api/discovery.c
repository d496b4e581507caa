// SPDX-License-Identifier: MIT
/* Paths that are no resource (/version, /readyz, /api, /apis …) and the reviews of one's own rights. */
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"

static void add_verbs(struct arena *a, struct doc *resource, const char *list)
{
    struct doc *verbs = doc_need_array(a, resource, "verbs");
    struct str rest = str_from(list);
    struct str part;
    while (str_next(&rest, ',', &part))
        doc_append(verbs, doc_str(a, part));
}

static struct doc *add_resource(struct arena *a, struct doc *all, const struct kind *kind, const char *sub)
{
    struct doc *r = doc_append(all, doc_object(a));
    doc_set_text(a, r, "name", arena_printf(a, "%s%s", kind->plural, sub));
    doc_set_text(a, r, "singularName", sub[0] == '\0' ? kind->singular : "");
    doc_set_bool(a, r, "namespaced", (kind->flags & IS_NAMESPACED) != 0);
    doc_set_text(a, r, "kind", kind->name);
    return r;
}

static void add_kind(struct arena *a, struct doc *all, const struct kind *kind)
{
    struct doc *r = add_resource(a, all, kind, "");
    add_verbs(a, r, "create,delete,deletecollection,get,list,patch,update,watch");
    if (kind->id == KIND_POD || kind->id == KIND_SERVICE || (kind->flags & HAS_SCALE) != 0)
        doc_append(doc_need_array(a, r, "categories"), doc_text(a, "all"));
    if (kind->short_names[0] != '\0') {
        struct doc *names = doc_need_array(a, r, "shortNames");
        doc_append(names, doc_text(a, kind->short_names));
    }
    if ((kind->flags & HAS_STATUS) != 0)
        add_verbs(a, add_resource(a, all, kind, "/status"), "get,patch,update");
    if (kind->id == KIND_POD)
        add_verbs(a, add_resource(a, all, kind, "/log"), "get");
    if ((kind->flags & HAS_SCALE) != 0) {
        r = add_resource(a, all, kind, "/scale");
        doc_set_text(a, r, "group", "autoscaling");
        doc_set_text(a, r, "version", "v1");
        doc_set_text(a, r, "kind", "Scale");
        add_verbs(a, r, "get,patch,update");
    }
}

static void answer_resources(struct call *c, struct str group, struct str version)
{
    struct arena *a = c->arena;
    struct doc *d = doc_object(a);
    doc_set_text(a, d, "kind", "APIResourceList");
    doc_set_text(a, d, "apiVersion", "v1");
    doc_set_text(a, d, "groupVersion",
                 group.n == 0 ? arena_dup(a, version) : arena_printf(a, "%.*s/%.*s", STR_ARG(group), STR_ARG(version)));
    struct doc *all = doc_need_array(a, d, "resources");
    for (int i = 0; i < KIND_N; i++) {
        const struct kind *kind = kind_get((enum kind_id)i);
        if (str_eq_text(group, kind->group) && (str_eq_text(version, kind->version) || kind->id == KIND_CLUSTER))
            add_kind(a, all, kind);
    }
    if (str_eq_text(group, "authorization.k8s.io")) {
        static const struct kind review = {.plural = "selfsubjectaccessreviews",
                                           .singular = "selfsubjectaccessreview",
                                           .name = "SelfSubjectAccessReview"};
        add_verbs(a, add_resource(a, all, &review, ""), "create");
    }
    call_answer_doc(c, 200, d);
}

static bool is_first_of_group(int i)
{
    const char *group = kind_get((enum kind_id)i)->group;
    for (int k = 0; k < i; k++)
        if (str_eq_text(str_from(group), kind_get((enum kind_id)k)->group))
            return false;
    return group[0] != '\0';
}

static void add_version(struct arena *a, struct doc *group, const char *name, const char *version)
{
    struct doc *v = doc_append(doc_need_array(a, group, "versions"), doc_object(a));
    doc_set_text(a, v, "groupVersion", arena_printf(a, "%s/%s", name, version));
    doc_set_text(a, v, "version", version);
    if (doc_find(group, "preferredVersion") == NULL)
        doc_set(a, group, "preferredVersion", doc_copy(a, v));
}

static struct doc *group_doc(struct arena *a, const char *group, const char *version)
{
    struct doc *g = doc_object(a);
    doc_set_text(a, g, "name", group);
    add_version(a, g, group, version);
    return g;
}

/* The group of the kind; NULL: none of its versions is served. */
static struct doc *kind_group(struct call *c, const struct kind *kind)
{
    enum crd crd = store_crd(c->api->store);
    struct doc *g;
    if (kind->id != KIND_CLUSTER)
        return group_doc(c->arena, kind->group, kind->version);
    if (crd == CRD_NONE)
        return NULL;
    g = group_doc(c->arena, kind->group, crd_stored(crd, kind)->version);
    if (crd == CRD_BOTH)
        add_version(c->arena, g, kind->group, kind->version);
    return g;
}

static void answer_groups(struct call *c)
{
    struct arena *a = c->arena;
    struct doc *d = doc_object(a);
    doc_set_text(a, d, "kind", "APIGroupList");
    doc_set_text(a, d, "apiVersion", "v1");
    struct doc *groups = doc_need_array(a, d, "groups");
    for (int i = 0; i < KIND_N; i++) {
        struct doc *group = is_first_of_group(i) ? kind_group(c, kind_get((enum kind_id)i)) : NULL;
        if (group != NULL)
            doc_append(groups, group);
    }
    doc_append(groups, group_doc(a, "authorization.k8s.io", "v1"));
    call_answer_doc(c, 200, d);
}

static void answer_versions(struct call *c)
{
    struct doc *d = doc_object(c->arena);
    doc_set_text(c->arena, d, "kind", "APIVersions");
    doc_append(doc_need_array(c->arena, d, "versions"), doc_text(c->arena, "v1"));
    doc_need_array(c->arena, d, "serverAddressByClientCIDRs");
    call_answer_doc(c, 200, d);
}

static void answer_version(struct call *c)
{
    static const char *const rows[][2] = {
        {"major",                 "1"                   },
        {"minor",                 "37"                  },
        {"emulationMajor",        "1"                   },
        {"emulationMinor",        "37"                  },
        {"minCompatibilityMajor", "1"                   },
        {"minCompatibilityMinor", "36"                  },
        {"gitVersion",            "v1.37.2+devcluster"  },
        {"gitTreeState",          "clean"               },
        {"buildDate",             "1970-01-01T00:00:00Z"},
        {"compiler",              "gcc"                 },
        {"platform",              "linux/amd64"         },
    };
    struct doc *d = doc_object(c->arena);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        doc_set_text(c->arena, d, rows[i][0], rows[i][1]);
    call_answer_doc(c, 200, d);
}

static bool forbidden_path(struct call *c, struct str path)
{
    FAIL(&c->fail, 403, "Forbidden", "forbidden: User \"%s\" cannot get path \"%.*s\"", c->who->user, STR_ARG(path));
    c->fail.has_details = true;
    call_answer_fail(c);
    return true;
}

static bool answer_group(struct call *c, struct str path)
{
    struct str part;
    struct str group = STR_NONE;
    struct str version = STR_NONE;
    path = str_slice(path, 6, path.n);
    (void)str_next(&path, '/', &group);
    if (str_next(&path, '/', &part) && part.n > 0)
        version = part;
    if (!str_is_none(path) && path.n > 0)
        return false;
    bool is_review = str_eq_text(group, "authorization.k8s.io");
    if (!str_is_none(version)) {
        if (!crd_has_version(store_crd(c->api->store), group, version) && !(is_review && str_eq_text(version, "v1")))
            return false;
        answer_resources(c, group, version);
        return true;
    }
    for (int i = 0; i < KIND_N; i++) {
        const struct kind *kind = kind_get((enum kind_id)i);
        if (!str_eq_text(group, kind->group) || group.n == 0)
            continue;
        struct doc *d = kind_group(c, kind);
        if (d == NULL)
            return false;
        doc_set_text(c->arena, d, "kind", "APIGroup");
        doc_set_text(c->arena, d, "apiVersion", "v1");
        call_answer_doc(c, 200, d);
        return true;
    }
    return false;
}

bool call_discovery(struct call *c, struct str path)
{
    static const char *const healthy[] = {"/readyz", "/livez", "/healthz"};
    for (size_t i = 0; i < 3; i++)
        if (str_eq_text(path, healthy[i])) {
            http_answer(c->x, 200, "text/plain; charset=utf-8", STR("ok"));
            return true;
        }
    if (str_eq_text(path, "/version") || str_eq_text(path, "/version/")) {
        answer_version(c);
        return true;
    }
    bool is_ours = str_eq_text(path, "/api") || str_eq_text(path, "/apis") || str_eq_text(path, "/api/v1") ||
                   str_starts(path, STR("/apis/"));
    if (!is_ours)
        return false;
    if (c->who->id == ACCOUNT_ANONYMOUS)
        return forbidden_path(c, path);
    if (str_eq_text(path, "/api"))
        answer_versions(c);
    else if (str_eq_text(path, "/apis"))
        answer_groups(c);
    else if (str_eq_text(path, "/api/v1"))
        answer_resources(c, STR(""), STR("v1"));
    else
        return answer_group(c, path);
    return true;
}

/* ---- reviews ---- */

static const char *why_allowed(struct call *c)
{
    const char *name = c->who->name;
    if (c->who->ns == NULL)
        return "";
    return arena_printf(c->arena, "RBAC: allowed by RoleBinding \"%s/%s\" of Role \"%s\" to ServiceAccount \"%s/%s\"",
                        name, c->who->ns, name, name, c->who->ns);
}

static void review_access(struct call *c, struct doc *root)
{
    const struct doc *asked = doc_at(root, "spec", "resourceAttributes", NULL);
    struct str resource = doc_get(asked, "resource");
    struct str sub = doc_get(asked, "subresource");
    struct str ns = doc_get(asked, "namespace");
    if (sub.n > 0)
        resource = str_from(arena_printf(c->arena, "%.*s/%.*s", STR_ARG(resource), STR_ARG(sub)));
    const char *verb = arena_dup(c->arena, doc_get(asked, "verb"));
    struct str group = doc_get(asked, "group");
    bool may = access_may(c->who, verb, str_is_none(group) ? STR("") : group, resource, ns.n == 0 ? STR_NONE : ns);
    struct doc *status = doc_set(c->arena, root, "status", doc_object(c->arena));
    doc_set_bool(c->arena, status, "allowed", may);
    if (may)
        doc_set_text(c->arena, status, "reason", why_allowed(c));
}

static void review_rules(struct call *c, struct doc *root)
{
    struct str ns = doc_as_str(doc_at(root, "spec", "namespace", NULL));
    doc_set(c->arena, root, "spec", doc_object(c->arena));
    struct doc *status = doc_set(c->arena, root, "status", doc_object(c->arena));
    doc_set(c->arena, status, "resourceRules", access_rules(c->who, c->arena, ns));
    doc_need_array(c->arena, status, "nonResourceRules");
    doc_set_bool(c->arena, status, "incomplete", false);
}

bool call_review(struct call *c)
{
    bool is_access = str_eq_text(c->resource, "selfsubjectaccessreviews");
    struct doc *body = NULL;
    if (!body_is_json(c) || !body_json(c, c->arena, &body))
        return false;
    if (doc_type(doc_find(body, "spec")) != JSON_OBJECT)
        return call_bad_request(c, "spec: Required value");
    struct doc *root = doc_object(c->arena);
    doc_set_text(c->arena, root, "kind", is_access ? "SelfSubjectAccessReview" : "SelfSubjectRulesReview");
    doc_set_text(c->arena, root, "apiVersion", "authorization.k8s.io/v1");
    doc_need_object(c->arena, root, "metadata");
    doc_set(c->arena, root, "spec", doc_copy(c->arena, doc_find(body, "spec")));
    if (is_access)
        review_access(c, root);
    else
        review_rules(c, root);
    call_answer_doc(c, 201, root);
    return true;
}
