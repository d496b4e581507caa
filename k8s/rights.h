// SPDX-License-Identifier: MIT
/* What our account must be allowed to do in its namespace, as one table: the doctor asks the API server about each row,
 * and the Role that an operator installs is written from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

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
    unsigned verbs; /* bits: 1 << enum right_verb */
    const char *purpose;
};

extern const struct right RIGHTS[];
extern const size_t RIGHTS_N;

struct json_writer;
/* A Role of that name and namespace which grants exactly the table. */
void rights_write_role(struct json_writer *w, const char *name, const char *namespace_name);
