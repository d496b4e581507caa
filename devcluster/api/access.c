// SPDX-License-Identifier: MIT
/* Accounts, tokens and rules. */
#include "devcluster/api/access.h"

#include <stdlib.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"

#define ALL_VERBS "get,list,watch,create,update,patch,delete,deletecollection"

static const struct access_rule EVERYTHING[] = {
    {"*",  "*",  "*" },
    {NULL, NULL, NULL}
};
static const struct access_rule LIMITED[] = {
    {"authorization.k8s.io",      "selfsubjectaccessreviews,selfsubjectrulesreviews",                                        "create"                            },
    {"apps",                      "deployments,statefulsets",                                                                ALL_VERBS                           },
    {"apps",                      "deployments/status,deployments/scale,statefulsets/status,statefulsets/scale,replicasets",
     "get,list,watch,update,patch"                                                                                                                               },
    {"",                          "services,secrets,serviceaccounts,configmaps,endpoints,persistentvolumeclaims",            ALL_VERBS                           },
    {"",                          "pods",                                                                                    "get,list,watch,update,patch,delete"},
    {"",                          "pods/log",                                                                                "get,list,watch"                    },
    {"",                          "events",                                                                                  "get,list,watch,create"             },
    {"",                          "pods/exec",                                                                               "get,create"                        },
    {"networking.k8s.io",         "ingresses,networkpolicies",                                                               ALL_VERBS                           },
    {"gateway.networking.k8s.io", "httproutes",                                                                              ALL_VERBS                           },
    {"rbac.authorization.k8s.io", "roles,rolebindings",                                                                      ALL_VERBS                           },
    {"apps.kubeblocks.io",        "clusters",                                                                                ALL_VERBS                           },
    {"apps.kubeblocks.io",        "clusters/status",                                                                         "get,list"                          },
    {"discovery.k8s.io",          "endpointslices",                                                                          "get,list,watch"                    },
    {NULL,                        NULL,                                                                                      NULL                                }
};
/* An operator who gave too little: no sight of EndpointSlices, pods may only be looked at. */
static const struct access_rule MEAGRE[] = {
    {"apps",                      "deployments",                      ALL_VERBS       },
    {"",                          "services,secrets,serviceaccounts", ALL_VERBS       },
    {"",                          "configmaps,endpoints",             ALL_VERBS       },
    {"",                          "pods",                             "get,list,watch"},
    {"",                          "events",                           "get,list,watch"},
    {"networking.k8s.io",         "ingresses,networkpolicies",        ALL_VERBS       },
    {"rbac.authorization.k8s.io", "roles,rolebindings",               ALL_VERBS       },
    {"apps.kubeblocks.io",        "clusters",                         ALL_VERBS       },
    {NULL,                        NULL,                               NULL            }
};
static const struct access_rule NOTHING[] = {
    {NULL, NULL, NULL}
};

struct access {
    struct account accounts[ACCOUNT_N];
    struct arena *arena;
};

static void add_account(struct access *x, enum account_id id, const char *name, const char *ns,
                        const struct access_rule *rules)
{
    struct account *account = &x->accounts[id];
    char token[CODEC_TOKEN_SIZE];
    codec_random_token(token);
    *account = (struct account){.id = id, .name = name, .ns = ns, .rules = rules};
    account->user = name;
    account->groups = "\"system:masters\" \"system:authenticated\"";
    if (ns != NULL) {
        account->user = arena_printf(x->arena, "system:serviceaccount:%s:%s", ns, name);
        account->groups = arena_printf(
            x->arena, "\"system:serviceaccounts\" \"system:serviceaccounts:%s\" \"system:authenticated\"", ns);
    }
    if (id != ACCOUNT_ANONYMOUS)
        account->token = secret_new(str_from(token));
}

struct access *access_new(const char *ns)
{
    struct access *x = xcalloc(1, sizeof(*x));
    x->arena = arena_new();
    const char *own = arena_dup(x->arena, str_from(ns));
    add_account(x, ACCOUNT_ADMIN, "admin", NULL, EVERYTHING);
    add_account(x, ACCOUNT_OWNER, "sealos-user", own, EVERYTHING);
    add_account(x, ACCOUNT_LIMITED, "fullstackd", own, LIMITED);
    add_account(x, ACCOUNT_MEAGRE, "meagre", own, MEAGRE);
    add_account(x, ACCOUNT_ANONYMOUS, "system:anonymous", NULL, NOTHING);
    return x;
}

void access_free(struct access *x)
{
    if (x == NULL)
        return;
    for (size_t i = 0; i < ACCOUNT_N; i++) {
        secret_fini(&x->accounts[i].token);
        arena_free(x->accounts[i].own);
    }
    arena_free(x->arena);
    free(x);
}

const struct account *access_account(const struct access *x, enum account_id id)
{
    return &x->accounts[id];
}

void access_set_token(struct access *x, enum account_id id, struct str token)
{
    secret_fini(&x->accounts[id].token);
    x->accounts[id].token = secret_new(token);
}

static const char *joined(struct arena *a, const struct doc *texts)
{
    const char *list = "";
    for (const struct doc *t = texts == NULL ? NULL : texts->first; t != NULL; t = t->next)
        list = arena_printf(a, "%s%s%.*s", list, t == texts->first ? "" : ",", STR_ARG(doc_as_str(t)));
    return list;
}

void access_set_rules(struct access *x, enum account_id id, const struct doc *rules)
{
    struct account *account = &x->accounts[id];
    struct arena *a = arena_new();
    struct access_rule *all = arena_alloc(a, (doc_count(rules) + 1) * sizeof(*all));
    size_t n = 0;
    for (const struct doc *r = rules == NULL ? NULL : rules->first; r != NULL; r = r->next)
        if (doc_count(doc_find(r, "resourceNames")) == 0)
            all[n++] = (struct access_rule){.groups = joined(a, doc_find(r, "apiGroups")),
                                            .resources = joined(a, doc_find(r, "resources")),
                                            .verbs = joined(a, doc_find(r, "verbs"))};
    all[n] = (struct access_rule){NULL, NULL, NULL};
    arena_free(account->own);
    account->own = a;
    account->rules = all;
}

struct str access_token(struct str authorization)
{
    if (str_is_none(authorization) || !str_starts(authorization, STR("Bearer ")))
        return STR_NONE;
    return str_trim(str_slice(authorization, 7, authorization.n));
}

const struct account *access_who(const struct access *x, struct str token)
{
    if (str_is_none(token))
        return &x->accounts[ACCOUNT_ANONYMOUS];
    for (size_t i = 0; i < ACCOUNT_N; i++)
        if (!secret_is_none(&x->accounts[i].token) && codec_equal_secret(token, secret_reveal(&x->accounts[i].token)))
            return &x->accounts[i];
    return NULL;
}

const struct account *access_service_account(const struct access *x, struct str ns, struct str name)
{
    for (size_t i = 0; i < ACCOUNT_N; i++) {
        const struct account *account = &x->accounts[i];
        if (account->ns != NULL && str_eq_text(ns, account->ns) && str_eq_text(name, account->name))
            return account;
    }
    return NULL;
}

static bool list_has(const char *list, struct str wanted)
{
    struct str rest = str_from(list);
    struct str part;
    while (str_next(&rest, ',', &part))
        if (str_eq_text(part, "*") || str_eq(part, wanted))
            return true;
    return false;
}

static bool is_self_review(const struct account *who, struct str group, struct str resource)
{
    return who->id != ACCOUNT_ANONYMOUS && str_eq_text(group, "authorization.k8s.io") &&
           (str_eq_text(resource, "selfsubjectaccessreviews") || str_eq_text(resource, "selfsubjectrulesreviews"));
}

bool access_may(const struct account *who, const char *verb, struct str group, struct str resource, struct str ns)
{
    if (is_self_review(who, group, resource))
        return true;
    if (who->ns != NULL && !str_eq_text(ns, who->ns))
        return false;
    if (who->id == ACCOUNT_LIMITED && str_eq_text(resource, "namespaces"))
        return false;
    for (const struct access_rule *r = who->rules; r->groups != NULL; r++)
        if (list_has(r->groups, group) && list_has(r->resources, resource) && list_has(r->verbs, str_from(verb)))
            return true;
    return false;
}

static bool holds_one(const struct account *who, struct str group, struct str resource, struct str verb)
{
    for (const struct access_rule *r = who->rules; r->groups != NULL; r++)
        if (list_has(r->groups, group) && list_has(r->resources, resource) && list_has(r->verbs, verb))
            return true;
    return false;
}

static bool holds_verbs(const struct account *who, struct str group, struct str resource, const struct doc *verbs)
{
    for (const struct doc *v = verbs == NULL ? NULL : verbs->first; v != NULL; v = v->next)
        if (!holds_one(who, group, resource, doc_as_str(v)))
            return false;
    return true;
}

static bool holds_rule(const struct account *who, const struct doc *rule)
{
    const struct doc *groups = doc_find(rule, "apiGroups");
    const struct doc *resources = doc_find(rule, "resources");
    for (const struct doc *g = groups == NULL ? NULL : groups->first; g != NULL; g = g->next)
        for (const struct doc *r = resources == NULL ? NULL : resources->first; r != NULL; r = r->next)
            if (!holds_verbs(who, doc_as_str(g), doc_as_str(r), doc_find(rule, "verbs")))
                return false;
    return true;
}

bool access_holds(const struct account *who, const struct doc *rules, struct str ns)
{
    if (who->ns != NULL && !str_eq_text(ns, who->ns))
        return false;
    for (const struct doc *r = rules == NULL ? NULL : rules->first; r != NULL; r = r->next)
        if (!holds_rule(who, r))
            return false;
    return true;
}

static void add_list(struct arena *a, struct doc *rule, const char *key, const char *list)
{
    struct doc *array = doc_need_array(a, rule, key);
    struct str rest = str_from(list);
    struct str part;
    while (str_next(&rest, ',', &part))
        doc_append(array, doc_str(a, part));
}

struct doc *access_rules(const struct account *who, struct arena *a, struct str ns)
{
    struct doc *all = doc_array(a);
    bool is_here = who->ns == NULL || str_eq_text(ns, who->ns);
    for (const struct access_rule *r = who->rules; is_here && r->groups != NULL; r++) {
        struct doc *rule = doc_append(all, doc_object(a));
        add_list(a, rule, "verbs", r->verbs);
        add_list(a, rule, "apiGroups", r->groups);
        add_list(a, rule, "resources", r->resources);
    }
    return all;
}
