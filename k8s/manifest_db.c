// SPDX-License-Identifier: MIT
/* The account of the database's pods: ServiceAccount, Role, RoleBinding. The Cluster is the dialect's (kubeblocks.c).
 */
#include <stddef.h>

#include "k8s/kubeblocks.h"
#include "k8s/manifest.h"
#include "k8s/objects.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct manifest_rule MANIFEST_DATABASE_RULES[DATABASE_RULE_N] = {
    {"",            LIST("configmaps", "endpoints"),       LIST("create",                    "get",                                                    "list", "patch", "update", "watch", "delete")},
    {"",      LIST("pods"),               LIST("get",                          "list",                                                 "patch",                                                                                                         "update", "watch")},
    {"",LIST("services"),LIST("create","get","list","patch", "watch")},
    {"",             LIST("events"),                             LIST("create")                                   },
    {"apps.kubeblocks.io",      LIST("clusters",               "clusters/status"),                                 LIST("get",                                                                   "list")                                                                                                                                              },
};

static const struct manifest_rule full_rule = {"*", LIST("*"), LIST("*")};

static void write_labels_and_metadata(struct json_writer *w, const struct manifest *m, enum cluster_object object)
{
    const struct manifest_pair labels[] = {
        {"sealos-db-provider-cr",      m->sb->database_name},
        {"app.kubernetes.io/instance", m->sb->database_name},
        {LABEL_MANAGED_BY,             "kbcli"             }, /* the original's value; these kinds are not watched */
        {NULL,                         NULL                },
    };

    manifest_metadata(w, m, object, labels, NULL);
}

void manifest_service_account(struct json_writer *w, const struct manifest *m)
{
    write_labels_and_metadata(w, m, OBJECT_SERVICE_ACCOUNT);
}

static void write_rule(struct json_writer *w, const struct manifest_rule *rule)
{
    jw_object(w);
    manifest_texts(w, "apiGroups", LIST(rule->group));
    manifest_texts(w, "resources", rule->resources);
    manifest_texts(w, "verbs", rule->verbs);
    jw_object_end(w);
}

enum { RULE_VERBS_MAX = RIGHT_VERB_N };

/* Those of the rule's verbs on this resource that we hold; how many. */
static size_t held_verbs(const struct manifest_rule *rule, const char *resource, const struct held *held,
                         const char *ret[RULE_VERBS_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; rule->verbs[i] != NULL && n < RULE_VERBS_MAX; i++) {
        if (held_has(held, rule->group, resource, rule->verbs[i]))
            ret[n++] = rule->verbs[i];
    }
    ret[n] = NULL;
    return n;
}

static bool is_held(const struct manifest_rule *rule, const struct held *held)
{
    for (size_t r = 0; rule->resources[r] != NULL; r++) {
        for (size_t v = 0; rule->verbs[v] != NULL; v++) {
            if (!held_has(held, rule->group, rule->resources[r], rule->verbs[v]))
                return false;
        }
    }
    return true;
}

/* RBAC lets nobody grant what he does not hold: the rule as it is, or resource by resource what is left of it. */
static void write_held_rule(struct json_writer *w, const struct manifest_rule *rule, const struct held *held)
{
    if (is_held(rule, held)) {
        write_rule(w, rule);
        return;
    }
    for (size_t r = 0; rule->resources[r] != NULL; r++) {
        const char *verbs[RULE_VERBS_MAX + 1];
        struct manifest_rule rest = {rule->group, LIST(rule->resources[r]), verbs};
        if (held_verbs(rule, rule->resources[r], held, verbs) > 0)
            write_rule(w, &rest);
    }
}

void manifest_role(struct json_writer *w, const struct manifest *m)
{
    write_labels_and_metadata(w, m, OBJECT_ROLE);
    jw_key(w, "rules");
    jw_array(w);
    if (m->profile->is_role_full)
        write_rule(w, &full_rule);
    for (size_t i = 0; !m->profile->is_role_full && i < DATABASE_RULE_N; i++)
        write_held_rule(w, &MANIFEST_DATABASE_RULES[i], m->held);
    jw_array_end(w);
}

void manifest_role_binding(struct json_writer *w, const struct manifest *m)
{
    write_labels_and_metadata(w, m, OBJECT_ROLE_BINDING);
    manifest_open(w, "roleRef", NULL);
    jw_kv_text(w, "apiGroup", "rbac.authorization.k8s.io");
    jw_kv_text(w, "kind", "Role");
    jw_kv_text(w, "name", m->sb->database_name);
    jw_object_end(w);
    jw_key(w, "subjects");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "kind", "ServiceAccount");
    jw_kv_text(w, "name", m->sb->database_name);
    jw_kv_text(w, "namespace", m->sb->namespace_name);
    jw_object_end(w);
    jw_array_end(w);
}

void manifest_database(struct json_writer *w, const struct manifest *m)
{
    m->dialect->write(w, m);
}
