// SPDX-License-Identifier: MIT
/* The table. Rows that say "granted on" are not used by us: RBAC lets nobody grant what he does not hold, and the
 * database's Role (manifest_db.c) grants them. It grants less where we hold less. */
#include "k8s/rights.h"

#include <string.h>

#define BIT(verb) (1u << RIGHT_##verb)
#define KEPT      (BIT(GET) | BIT(CREATE) | BIT(DELETE))
#define OWN       (KEPT | BIT(PATCH))
#define SEEN      (BIT(LIST) | BIT(WATCH))
#define ALL       (OWN | SEEN | BIT(UPDATE))
#define USED_ON   (BIT(GET) | BIT(PATCH) | BIT(UPDATE))

#define UNSWEPT   "what a removed project left of this kind is not found"
#define LESS      "the database's Role grants less: its PostgreSQL may not come up"

/* clang-format off */
const struct right RIGHTS[] = {
    /* group                      resource           verbs                of them spared        purpose                                    for            without the spared */
    {"",                          "services",        OWN | SEEN,          0,                    "the sandbox's Service",                   USE_ALWAYS,      NULL},
    {"",                          "secrets",         OWN,                 0,                    "environment and credentials, by name",    USE_ALWAYS,      NULL},
    {"",                          "serviceaccounts", OWN | BIT(LIST),  BIT(LIST),   "the database's account",                  USE_ALWAYS,      UNSWEPT},
    {"",                          "pods",            SEEN | USED_ON,      USED_ON,              "state of sandboxes; rest granted on",     USE_ALWAYS,      "a waiting container starts later, and " LESS},
    {"",                          "events",          SEEN | BIT(CREATE),  SEEN | BIT(CREATE),   "reasons; create is granted on",           USE_ALWAYS,      "waiting and failing are told with fewer reasons"},
    {"",                          "persistentvolumeclaims", SEEN | BIT(GET) | BIT(DELETE), 0,        "whether volumes are bound, and gone",     USE_STATEFULSET, NULL},
    {"",                          "configmaps",      ALL,                 ALL,                  "granted on to the database",              USE_ALWAYS,      LESS},
    {"",                          "endpoints",       ALL,                 ALL,                  "granted on to the database",              USE_ALWAYS,      LESS},
    {"apps",                      "deployments",     OWN | SEEN,          0,                    "the sandbox",                             USE_DEPLOYMENT,  NULL},
    {"apps",                      "statefulsets",    OWN | SEEN,          0,                    "the sandbox",                             USE_STATEFULSET, NULL},
    {"networking.k8s.io",         "ingresses",       OWN | SEEN,          0,                    "addresses of application and terminal",   USE_INGRESS,     NULL},
    {"gateway.networking.k8s.io", "httproutes",      OWN | SEEN,          0,                    "addresses of application and terminal",   USE_HTTPROUTE,   NULL},
    {"networking.k8s.io",         "networkpolicies", OWN | SEEN,          SEEN,                 "isolation of sandboxes",                  USE_ALWAYS,      "a deleted NetworkPolicy is made again with the next repair only"},
    {"discovery.k8s.io",          "endpointslices",  SEEN,                SEEN,                 "whether the Service has a ready address", USE_ALWAYS,      "a ready pod stands for an address of its Service"},
    {"rbac.authorization.k8s.io", "roles",           OWN | BIT(LIST),  BIT(LIST),   "the database's rights",                   USE_ALWAYS,      UNSWEPT},
    {"rbac.authorization.k8s.io", "rolebindings",    OWN | BIT(LIST),  BIT(LIST),   "the database's rights",                   USE_ALWAYS,      UNSWEPT},
    {"apps.kubeblocks.io",        "clusters",        OWN | SEEN,          0,                    "the database",                            USE_ALWAYS,      NULL},
    {"apps.kubeblocks.io",        "clusters/status", BIT(GET) | BIT(LIST), BIT(GET) | BIT(LIST), "granted on to the database",             USE_ALWAYS,      LESS},
};
/* clang-format on */
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

bool right_is_needed(const struct right *right, const struct sandbox_kinds *kinds)
{
    return kube_is_used(right->use, kinds);
}

bool right_is_spared(const char *group, const char *resource, enum right_verb verb)
{
    for (size_t i = 0; i < RIGHTS_N; i++) {
        if (strcmp(RIGHTS[i].group, group) == 0 && strcmp(RIGHTS[i].resource, resource) == 0)
            return (RIGHTS[i].spared >> verb & 1) != 0;
    }
    return false;
}
