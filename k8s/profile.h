// SPDX-License-Identifier: MIT
/* What differs between clusters in the objects we make: ingress controller, storage class, image pull, resources.
 * Filled from the configuration; the defaults are the original's. Texts are borrowed and live as long as the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct ingress_annotation {
    const char *key;
    const char *value;
};

/* How an ingress controller is addressed. */
struct ingress_profile {
    const char *name;
    const char *class_name; /* spec.ingressClassName; NULL: none */
    const struct ingress_annotation *annotations;
    size_t annotations_n;
};

/* seed (the original's annotations), nginx (ingress-nginx without snippets), traefik, plain; NULL if there is no such.
 */
const struct ingress_profile *ingress_profile_find(struct str name);

struct k8s_profile {
    const struct ingress_profile *ingress;
    const char *ingress_class;        /* instead of the profile's class; NULL: the profile's */
    const char *tls_secret;           /* of the wildcard certificate; NULL: no tls section */
    const char *controller_namespace; /* pods of this namespace may reach ports 3000 and 7681 */
    const char *pull_policy;          /* NULL: IfNotPresent for an image by digest, else Always */
    const char *cpu_request, *cpu_limit, *memory_request, *memory_limit; /* of the sandbox's container */
    const char *storage_class, *storage_size;                            /* of the database; class NULL: the default */
    const char *database_version;                                        /* KubeBlocks' ClusterVersion */
    bool is_role_full; /* the database's Role is everything on everything, as in the original */
};

extern const struct k8s_profile K8S_PROFILE_DEFAULT;
