// SPDX-License-Identifier: MIT
/* What our account must be allowed to do in its namespace, as one table: the doctor asks the API server about each row,
 * and the Role that an operator installs is written from it (rights_role.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "k8s/objects.h"

#define RIGHT_VERBS(X)                                                                                                 \
    X(GET, "get")                                                                                                      \
    X(LIST, "list")                                                                                                    \
    X(WATCH, "watch")                                                                                                  \
    X(CREATE, "create")                                                                                                \
    X(UPDATE, "update")                                                                                                \
    X(PATCH, "patch")                                                                                                  \
    X(DELETE, "delete")

enum right_verb {
#define X(name, text) RIGHT_##name,
    RIGHT_VERBS(X)
#undef X
        RIGHT_VERB_N
};
const char *right_verb_text(enum right_verb verb);

struct right {
    const char *group; /* "" is the core group */
    const char *resource;
    unsigned verbs;  /* bits: 1 << enum right_verb */
    unsigned spared; /* those of them without which everything goes on by design; any other ends in FORBIDDEN */
    const char *purpose;
    enum kube_use use;   /* by which sandboxes */
    const char *without; /* what is lost without the spared ones; NULL when none is */
};

extern const struct right RIGHTS[];
extern const size_t RIGHTS_N;
/* Do sandboxes of these kinds need it? */
bool right_is_needed(const struct right *right, const struct sandbox_kinds *kinds);

/* False also for what is no row of the table. */
bool right_is_spared(const char *group, const char *resource, enum right_verb verb);

#define RIGHTS_ACCOUNT "fullstackd" /* name of the ServiceAccount, its Role and its RoleBinding */

struct json_writer;
/* A List of ServiceAccount, Role and RoleBinding by which the account holds exactly what the table says of these kinds.
 * namespace_name: NULL leaves it to whoever applies them. */
void rights_write_json(struct json_writer *w, const char *namespace_name, const struct sandbox_kinds *kinds);
/* The same as YAML documents for people, with each row's purpose beside it. */
void rights_write_yaml(struct buf *out, const char *namespace_name, const struct sandbox_kinds *kinds);
