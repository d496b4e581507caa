// SPDX-License-Identifier: MIT
/* The table. Rows that say "granted on" are not used by us: RBAC lets nobody grant what he does not hold, and the
 * database's Role (manifest_db.c) grants them. */
#include "k8s/rights.h"

#include "core/base/json_write.h"

#define BIT(verb) (1u << RIGHT_##verb)
#define OWN       (BIT(GET) | BIT(CREATE) | BIT(PATCH) | BIT(DELETE))
#define SEEN      (BIT(LIST) | BIT(WATCH))
#define ALL       (OWN | SEEN | BIT(UPDATE))

const struct right RIGHTS[] = {
    {"",                          "services",        OWN | SEEN,                                 "the sandbox's Service"                  },
    {"",                          "secrets",         OWN,                                        "environment and credentials, by name"   },
    {"",                          "serviceaccounts", OWN,                                        "the database's account"                 },
    {"",                          "pods",            SEEN | BIT(GET) | BIT(PATCH) | BIT(UPDATE), "state of sandboxes; rest granted on"    },
    {"",                          "events",          SEEN | BIT(CREATE),                         "reasons; create is granted on"          },
    {"",                          "configmaps",      ALL,                                        "granted on to the database"             },
    {"",                          "endpoints",       ALL,                                        "granted on to the database"             },
    {"apps",                      "deployments",     OWN | SEEN,                                 "the sandbox"                            },
    {"networking.k8s.io",         "ingresses",       OWN | SEEN,                                 "addresses of application and terminal"  },
    {"networking.k8s.io",         "networkpolicies", OWN,                                        "isolation of sandboxes"                 },
    {"discovery.k8s.io",          "endpointslices",  SEEN,                                       "whether the Service has a ready address"},
    {"rbac.authorization.k8s.io", "roles",           OWN,                                        "the database's rights"                  },
    {"rbac.authorization.k8s.io", "rolebindings",    OWN,                                        "the database's rights"                  },
    {"apps.kubeblocks.io",        "clusters",        OWN | SEEN,                                 "the database"                           },
    {"apps.kubeblocks.io",        "clusters/status", BIT(GET) | BIT(LIST),                       "granted on to the database"             },
};
const size_t RIGHTS_N = sizeof RIGHTS / sizeof *RIGHTS;

const char *right_verb_text(enum right_verb verb)
{
    static const char *const texts[] = {
#define X(name, text) text,
        RIGHT_VERBS(X)
#undef X
    };

    return texts[verb];
}

static void write_list_of_one(struct json_writer *w, const char *key, const char *value)
{
    jw_key(w, key);
    jw_array(w);
    jw_text(w, value);
    jw_array_end(w);
}

void rights_write_role(struct json_writer *w, const char *name, const char *namespace_name)
{
    jw_object(w);
    jw_kv_text(w, "apiVersion", "rbac.authorization.k8s.io/v1");
    jw_kv_text(w, "kind", "Role");
    jw_key(w, "metadata");
    jw_object(w);
    jw_kv_text(w, "name", name);
    jw_kv_text(w, "namespace", namespace_name);
    jw_object_end(w);
    jw_key(w, "rules");
    jw_array(w);
    for (size_t i = 0; i < RIGHTS_N; i++) {
        jw_object(w);
        write_list_of_one(w, "apiGroups", RIGHTS[i].group);
        write_list_of_one(w, "resources", RIGHTS[i].resource);
        jw_key(w, "verbs");
        jw_array(w);
        for (size_t v = 0; v < RIGHT_VERB_N; v++) {
            if (RIGHTS[i].verbs >> v & 1)
                jw_text(w, right_verb_text((enum right_verb)v));
        }
        jw_array_end(w);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
}
