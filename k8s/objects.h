// SPDX-License-Identifier: MIT
/* The tables: a row per kind of the API that we touch, and a row per object of a project. Names and paths follow from
 * them. */
#pragma once

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/observed.h"
#include "core/sandbox.h"

struct json_writer;
struct manifest;

#define LABEL_PROJECT_ID   "project.fullstackagent.io/id"
#define LABEL_PROJECT_NAME "project.fullstackagent.io/name"
#define LABEL_MANAGED_BY   "app.kubernetes.io/managed-by"

/* Watched kinds first: their enum values index the caches. Watching secrets and roles is a right that we do not
 * ask for: whoever lists secrets reads them all. */
enum kube_kind {
    KIND_CLUSTER,
    KIND_DEPLOYMENT,
    KIND_STATEFULSET,
    KIND_POD,
    KIND_SERVICE,
    KIND_INGRESS,
    KIND_HTTPROUTE,
    KIND_CLAIM,
    KIND_NETWORK_POLICY,
    KIND_ENDPOINT_SLICE,
    KIND_CACHED_N,              /* the kinds whose objects are kept */
    KIND_EVENT = KIND_CACHED_N, /* of pods */
    KIND_STATEFULSET_EVENT,
    KIND_CLAIM_EVENT,
    KIND_WATCHED_N,
    KIND_SECRET = KIND_WATCHED_N,
    KIND_SERVICE_ACCOUNT,
    KIND_ROLE,
    KIND_ROLE_BINDING,
    KIND_N
};

/* Which sandboxes need a kind, or a right: all, or those made of a certain one. */
enum kube_use { USE_ALWAYS, USE_DEPLOYMENT, USE_STATEFULSET, USE_INGRESS, USE_HTTPROUTE };
bool kube_is_used(enum kube_use use, const struct sandbox_kinds *of);

struct kube_kind_row {
    const char *group; /* "" is the core group */
    const char *version;
    const char *plural;
    const char *kind;
    const char *selector; /* query of its list and watch; NULL: not watched */
    enum kube_use use;
};
const struct kube_kind_row *kube_kind_row(enum kube_kind kind);

/* Adds "/apis/{group}/{version}/namespaces/{namespace}/{plural}", and "/{name}" unless name is NULL.
 * version: NULL for the row's own. */
void kube_path_add(struct buf *out, enum kube_kind kind, const char *version, const char *namespace_name,
                   const char *name);

struct object_row {
    enum kube_kind kind;
    bool is_database;    /* named after the database, otherwise after the sandbox */
    const char *prefix;  /* of the name */
    const char *suffix;  /* of the name */
    bool is_owned;       /* the workload is its owner, so the garbage collector takes it along */
    bool is_create_only; /* an existing one of ours is left as it is */
    void (*write)(struct json_writer *w, const struct manifest *m); /* NULL: it is not made by us */
};
/* The one place where an object's kind follows from what the sandbox is made of. */
const struct object_row *object_row(enum cluster_object object, const struct sandbox_kinds *of);

/* Which sandbox's or database's name is an object's name derived from? Absent if from none. */
struct str object_base(enum kube_kind kind, struct str name, bool *ret_is_database);

/* The volume of a StatefulSet's pod; its claim is VOLUME_NAME-{pod}. */
#define VOLUME_NAME "vn-homevn-fulling"

/* KUBE_NAME_SIZE + 32 holds every name. */
enum { OBJECT_NAME_SIZE = KUBE_NAME_SIZE + 32 };
/* Empty if the sandbox has no such object. */
void object_name(enum cluster_object object, const struct sandbox *sb, char ret[OBJECT_NAME_SIZE]);
