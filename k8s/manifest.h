// SPDX-License-Identifier: MIT
/* From a project's row to the JSON of its Kubernetes objects: pure functions, one per object, checked against golden
 * files. Nothing here knows whether an object exists. */
#pragma once

#include <stdbool.h>

#include "core/base/json_write.h"
#include "core/observed.h"
#include "core/sandbox.h"
#include "k8s/held.h"
#include "k8s/profile.h"

struct kubeblocks_dialect;

struct manifest {
    const struct sandbox *sb;
    const struct k8s_profile *profile;
    struct str env;                           /* of OBJECT_ENV_SECRET: made by manifest_env; else absent */
    const struct kubeblocks_dialect *dialect; /* of OBJECT_DATABASE; else NULL */
    const char *owner_uid;                    /* the workload's, for owned objects; NULL: no owner is written */
    const char *resource_version;             /* of the object to be patched; NULL: it is to be created */
    const struct held *held;                  /* of OBJECT_ROLE: grants no more than this; NULL: all of it */
};

/* Writes the whole object. With resource_version it is the merge patch that brings an existing object to it. */
void manifest_write(struct json_writer *w, enum cluster_object object, const struct manifest *m);

/* Stopping and starting what an object runs: the merge patch of a workload or a database. Its annotation changes with
 * each call, so that the API refuses a patch that was written before. */
struct manifest_run {
    const struct kubeblocks_dialect *dialect; /* of OBJECT_DATABASE */
    const struct json_value *seen;            /* the object as read */
    const char *resource_version;             /* of it */
    bool is_running;                          /* what it is led to */
    int64_t asked_ms;                         /* wall clock */
};
void manifest_write_run(struct json_writer *w, enum cluster_object object, const struct manifest_run *m);

/* The variables as a JSON object. */
void manifest_env(struct json_writer *w, const struct env_list *env);

/* What the rows of k8s/objects.c point to: everything after apiVersion and kind. */
void manifest_service_account(struct json_writer *w, const struct manifest *m);
void manifest_role(struct json_writer *w, const struct manifest *m);
void manifest_role_binding(struct json_writer *w, const struct manifest *m);
void manifest_database(struct json_writer *w, const struct manifest *m);
void manifest_deployment(struct json_writer *w, const struct manifest *m);
void manifest_statefulset(struct json_writer *w, const struct manifest *m);
void manifest_env_secret(struct json_writer *w, const struct manifest *m);
void manifest_service(struct json_writer *w, const struct manifest *m);
void manifest_ingress_app(struct json_writer *w, const struct manifest *m);
void manifest_ingress_tty(struct json_writer *w, const struct manifest *m);
void manifest_route_app(struct json_writer *w, const struct manifest *m);
void manifest_route_tty(struct json_writer *w, const struct manifest *m);
void manifest_network_policy(struct json_writer *w, const struct manifest *m);

/* ---- shared by manifest_*.c ---- */

struct manifest_pair {
    const char *key;
    const char *value; /* NULL: the pair is left out */
};

/* "metadata" with name, namespace, labels (those given, then the project's id), annotations (NULL: none), owner and
 * resourceVersion. Lists end with a NULL key. */
void manifest_metadata(struct json_writer *w, const struct manifest *m, enum cluster_object object,
                       const struct manifest_pair *labels, const struct manifest_pair *annotations);
/* Opens objects inside each other, one per key; the list of keys ends with NULL. */
void manifest_open(struct json_writer *w, const char *key, ...) __attribute__((sentinel));
/* Closes the n innermost objects. */
void manifest_close(struct json_writer *w, unsigned n);
/* Members of an object from a list that ends with a NULL key. */
void manifest_pairs(struct json_writer *w, const struct manifest_pair *pairs);
/* "key": {...} of such a list. */
void manifest_map(struct json_writer *w, const char *key, const struct manifest_pair *pairs);
/* "key": ["a", "b"] from a list that ends with NULL. */
void manifest_texts(struct json_writer *w, const char *key, const char *const *texts);

/* A rule of RBAC; lists end with NULL. */
struct manifest_rule {
    const char *group;
    const char *const *resources;
    const char *const *verbs;
};
enum { DATABASE_RULE_N = 5 };
/* What KubeBlocks' PostgreSQL pods need (patroni keeps its state in config maps and endpoints; lorry reports). Our own
 * account must hold all of it, or RBAC refuses to let us grant it. */
extern const struct manifest_rule MANIFEST_DATABASE_RULES[DATABASE_RULE_N];
