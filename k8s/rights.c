// SPDX-License-Identifier: MIT
/* The table. Rows that say "granted on" are not used by us: RBAC lets nobody grant what he does not hold, and the
 * database's Role (manifest_db.c) grants them. It grants less where we hold less. */
#include "k8s/rights.h"

#define BIT(verb) (1u << RIGHT_##verb)
#define KEPT      (BIT(GET) | BIT(CREATE) | BIT(DELETE))
#define OWN       (KEPT | BIT(PATCH))
#define SEEN      (BIT(LIST) | BIT(WATCH))
#define ALL       (OWN | SEEN | BIT(UPDATE))
#define USED_ON   (BIT(GET) | BIT(PATCH) | BIT(UPDATE))

#define LESS      "the database's Role grants less: its PostgreSQL may not come up"

/* clang-format off */
const struct right RIGHTS[] = {
    /* group                      resource           verbs                of them spared        purpose                                    without the spared */
    {"",                          "services",        OWN | SEEN,          0,                    "the sandbox's Service",                   NULL},
    {"",                          "secrets",         OWN,                 0,                    "environment and credentials, by name",    NULL},
    {"",                          "serviceaccounts", OWN,                 0,                    "the database's account",                  NULL},
    {"",                          "pods",            SEEN | USED_ON,      USED_ON,              "state of sandboxes; rest granted on",     "a waiting container starts later, and " LESS},
    {"",                          "events",          SEEN | BIT(CREATE),  SEEN | BIT(CREATE),   "reasons; create is granted on",           "waiting and failing are told with fewer reasons"},
    {"",                          "configmaps",      ALL,                 ALL,                  "granted on to the database",              LESS},
    {"",                          "endpoints",       ALL,                 ALL,                  "granted on to the database",              LESS},
    {"apps",                      "deployments",     OWN | SEEN,          0,                    "the sandbox",                             NULL},
    {"networking.k8s.io",         "ingresses",       OWN | SEEN,          0,                    "addresses of application and terminal",   NULL},
    {"networking.k8s.io",         "networkpolicies", OWN,                 0,                    "isolation of sandboxes",                  NULL},
    {"discovery.k8s.io",          "endpointslices",  SEEN,                SEEN,                 "whether the Service has a ready address", "a ready pod stands for an address of its Service"},
    {"rbac.authorization.k8s.io", "roles",           OWN,                 0,                    "the database's rights",                   NULL},
    {"rbac.authorization.k8s.io", "rolebindings",    OWN,                 0,                    "the database's rights",                   NULL},
    {"apps.kubeblocks.io",        "clusters",        OWN | SEEN,          0,                    "the database",                            NULL},
    {"apps.kubeblocks.io",        "clusters/status", BIT(GET) | BIT(LIST), BIT(GET) | BIT(LIST), "granted on to the database",             LESS},
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
