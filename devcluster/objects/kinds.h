// SPDX-License-Identifier: MIT
/* The kinds of objects the embedded cluster serves: one table, a row per kind. Discovery, routing, defaults and
 * validation all start from here; a new kind is a new row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/str.h"
#include "devcluster/base/doc.h"
#include "devcluster/base/fail.h"
#include "devcluster/base/names.h"

enum kind_id {
    KIND_NAMESPACE,
    KIND_NODE,
    KIND_POD,
    KIND_SERVICE,
    KIND_SECRET,
    KIND_CONFIGMAP,
    KIND_SERVICEACCOUNT,
    KIND_EVENT,
    KIND_PVC,
    KIND_QUOTA,
    KIND_DEPLOYMENT,
    KIND_REPLICASET,
    KIND_STATEFULSET,
    KIND_INGRESS,
    KIND_GATEWAY,
    KIND_HTTPROUTE,
    KIND_NETWORKPOLICY,
    KIND_ENDPOINTSLICE,
    KIND_ROLE,
    KIND_ROLEBINDING,
    KIND_LEASE,
    KIND_CLUSTER,
    KIND_N
};

enum kind_flag {
    IS_NAMESPACED = 1,
    HAS_STATUS = 2,     /* a status subresource; main writes leave status alone */
    HAS_GENERATION = 4, /* metadata.generation counts changes of the spec */
    IS_CUSTOM = 8,      /* from a CustomResourceDefinition: sorted keys, items of lists carry their kind */
    DELETE_SHOWS = 16,  /* DELETE answers the object, not a Status */
    HAS_SCALE = 32,
    META_GENERATION = 64, /* annotations count as spec (Deployments) */
};

struct kind {
    enum kind_id id;
    const char *group; /* "": the core group */
    const char *version;
    const char *plural;
    const char *singular;
    const char *name;        /* "Deployment" */
    const char *short_names; /* comma-separated, or "" */
    unsigned flags;
    enum name_rule name_rule;
    const char *const *fields;                             /* field selectors, NULL-terminated */
    void (*fill)(struct arena *a, struct doc *root);       /* defaults; NULL: none */
    void (*check)(struct fail *f, const struct doc *root); /* causes of a 422; NULL: none */
    void (*check_change)(struct fail *f, const struct doc *before,
                         const struct doc *after); /* NULL: anything may change */
};

const struct kind *kind_get(enum kind_id id);
/* KIND_CLUSTER in its other version: the same objects (see crd.h). kind_get gives v1alpha1. */
const struct kind *kind_cluster_v1(void);
/* NULL when there is no such resource. */
const struct kind *kind_find(struct str group, struct str version, struct str plural);
bool kind_has_version(struct str group, struct str version);
/* "v1" or "apps/v1", in the arena. */
const char *kind_api_version(struct arena *a, const struct kind *kind);
/* "deployments" or "deployments.apps", as messages name a resource. */
const char *kind_resource(struct arena *a, const struct kind *kind);
