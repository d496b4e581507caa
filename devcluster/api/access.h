// SPDX-License-Identifier: MIT
/* Who may do what: a handful of accounts with bearer tokens, each with rules like those of a Role. They come from a
 * table; those of an account may be replaced by a Role's (devcluster --role), and follow it. RoleBindings are stored
 * and not read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "devcluster/base/doc.h"

struct access_rule { /* comma-separated; "*" is anything */
    const char *groups;
    const char *resources; /* with subresources: "pods/log" */
    const char *verbs;
};

enum account_id {
    ACCOUNT_ADMIN,   /* system:masters: everything */
    ACCOUNT_OWNER,   /* "*" within the namespace, as a Sealos user has */
    ACCOUNT_LIMITED, /* just what fullstackd needs within the namespace */
    ACCOUNT_MEAGRE,  /* less than that; a creation is still possible */
    ACCOUNT_ANONYMOUS,
    ACCOUNT_N
};

struct account {
    enum account_id id;
    const char *name;                /* of the kubeconfig's user */
    const char *user;                /* "system:serviceaccount:NS:NAME" */
    const char *groups;              /* as messages print them */
    const char *ns;                  /* where the rules hold; NULL: everywhere */
    const struct access_rule *rules; /* ended by a NULL groups */
    struct secret token;
    struct arena *own; /* of rules that were set; NULL: they are the table's */
};

struct access;
/* ns: the namespace of the owner and the limited account; copied. Tokens are drawn at random. */
struct access *access_new(const char *ns);
void access_free(struct access *x);
const struct account *access_account(const struct access *x, enum account_id id);
/* Replaces a token (one kept from an earlier start). */
void access_set_token(struct access *x, enum account_id id, struct str token);
/* Replaces an account's rules by those of a Role; NULL: by none. Rules for single objects by name are left out. */
void access_set_rules(struct access *x, enum account_id id, const struct doc *rules);
/* The bearer token of an Authorization header; absent: there is none. */
struct str access_token(struct str authorization);
/* Whose token it is, of those the accounts began with: anonymous when absent, NULL when it is nobody's. */
const struct account *access_who(const struct access *x, struct str token);
/* The account behind a ServiceAccount; NULL: it is none of the table. */
const struct account *access_service_account(const struct access *x, struct str ns, struct str name);

/* resource: "pods" or "pods/log"; ns absent: the cluster scope. */
bool access_may(const struct account *who, const char *verb, struct str group, struct str resource, struct str ns);
/* Does the account itself hold all that these rules (of a Role) grant within ns? */
bool access_holds(const struct account *who, const struct doc *rules, struct str ns);
/* The rules as SelfSubjectRulesReview lists them. */
struct doc *access_rules(const struct account *who, struct arena *a, struct str ns);
