// SPDX-License-Identifier: MIT
/* The account that holds the table: ServiceAccount, Role and RoleBinding, as JSON for programs and YAML for people. */
#include "k8s/rights.h"

#include "core/base/json_write.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

static void open_object(struct json_writer *w, const char *api_version, const char *kind, const char *namespace_name)
{
    jw_object(w);
    jw_kv_text(w, "apiVersion", api_version);
    jw_kv_text(w, "kind", kind);
    jw_key(w, "metadata");
    jw_object(w);
    jw_kv_text(w, "name", RIGHTS_ACCOUNT);
    if (namespace_name != NULL)
        jw_kv_text(w, "namespace", namespace_name);
    jw_object_end(w);
}

static void write_list_of_one(struct json_writer *w, const char *key, const char *value)
{
    jw_key(w, key);
    jw_array(w);
    jw_text(w, value);
    jw_array_end(w);
}

static void write_rule(struct json_writer *w, const struct right *right)
{
    jw_object(w);
    write_list_of_one(w, "apiGroups", right->group);
    write_list_of_one(w, "resources", right->resource);
    jw_key(w, "verbs");
    jw_array(w);
    for (size_t v = 0; v < RIGHT_VERB_N; v++) {
        if (right->verbs >> v & 1)
            jw_text(w, right_verb_text((enum right_verb)v));
    }
    jw_array_end(w);
    jw_object_end(w);
}

static void write_binding_rest(struct json_writer *w, const char *namespace_name)
{
    jw_key(w, "roleRef");
    jw_object(w);
    jw_kv_text(w, "apiGroup", RBAC_GROUP);
    jw_kv_text(w, "kind", "Role");
    jw_kv_text(w, "name", RIGHTS_ACCOUNT);
    jw_object_end(w);
    jw_key(w, "subjects");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "kind", "ServiceAccount");
    jw_kv_text(w, "name", RIGHTS_ACCOUNT);
    if (namespace_name != NULL) /* without one it is the binding's own */
        jw_kv_text(w, "namespace", namespace_name);
    jw_object_end(w);
    jw_array_end(w);
}

void rights_write_json(struct json_writer *w, const char *namespace_name, const struct sandbox_kinds *kinds)
{
    jw_object(w);
    jw_kv_text(w, "apiVersion", "v1");
    jw_kv_text(w, "kind", "List");
    jw_key(w, "items");
    jw_array(w);
    open_object(w, "v1", "ServiceAccount", namespace_name);
    jw_object_end(w);
    open_object(w, RBAC_GROUP "/v1", "Role", namespace_name);
    jw_key(w, "rules");
    jw_array(w);
    for (size_t i = 0; i < RIGHTS_N; i++) {
        if (right_is_needed(&RIGHTS[i], kinds))
            write_rule(w, &RIGHTS[i]);
    }
    jw_array_end(w);
    jw_object_end(w);
    open_object(w, RBAC_GROUP "/v1", "RoleBinding", namespace_name);
    write_binding_rest(w, namespace_name);
    jw_object_end(w);
    jw_array_end(w);
    jw_object_end(w);
}

/* ---- YAML ---- */

static void add_head(struct buf *out, const char *api_version, const char *kind, const char *namespace_name)
{
    buf_addf(out, "apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n", api_version, kind, RIGHTS_ACCOUNT);
    if (namespace_name != NULL)
        buf_addf(out, "  namespace: \"%s\"\n", namespace_name);
}

static void add_rule(struct buf *out, const struct right *right)
{
    const char *comma = "";
    buf_addf(out, "  # %s\n  - apiGroups: [\"%s\"]\n    resources: [%s]\n    verbs: [", right->purpose, right->group,
             right->resource);
    for (size_t v = 0; v < RIGHT_VERB_N; v++) {
        if ((right->verbs >> v & 1) == 0)
            continue;
        buf_addf(out, "%s%s", comma, right_verb_text((enum right_verb)v));
        comma = ", ";
    }
    buf_add_text(out, "]\n");
}

void rights_write_yaml(struct buf *out, const char *namespace_name, const struct sandbox_kinds *kinds)
{
    buf_add_text(out,
                 "# The account of fullstackd: what it may do in its namespace, verb by verb, and nothing beside.\n"
                 "# Made by: fullstackd role. To install it: kubectl -n NAMESPACE apply -f FILE\n");
    add_head(out, "v1", "ServiceAccount", namespace_name);
    buf_add_text(out, "---\n");
    add_head(out, RBAC_GROUP "/v1", "Role", namespace_name);
    buf_add_text(out, "rules:\n");
    for (size_t i = 0; i < RIGHTS_N; i++) {
        if (right_is_needed(&RIGHTS[i], kinds))
            add_rule(out, &RIGHTS[i]);
    }
    buf_add_text(out, "---\n");
    add_head(out, RBAC_GROUP "/v1", "RoleBinding", namespace_name);
    buf_addf(out, "roleRef:\n  apiGroup: %s\n  kind: Role\n  name: %s\n", RBAC_GROUP, RIGHTS_ACCOUNT);
    buf_addf(out, "subjects:\n  - kind: ServiceAccount\n    name: %s\n", RIGHTS_ACCOUNT);
    if (namespace_name != NULL)
        buf_addf(out, "    namespace: \"%s\"\n", namespace_name);
}
