// SPDX-License-Identifier: MIT
/* What differs between clusters in the objects we make: ingress controller, storage class, image pull, resources.
 * Filled from the configuration; the defaults are the original's. Texts are borrowed and live as long as the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/sandbox.h"

struct ingress_annotation {
    const char *key;
    const char *value;
};

/* How an ingress controller is addressed. */
struct ingress_profile {
    const char *name;
    enum route_kind route;
    const char *class_name;           /* of Ingresses; NULL: the cluster's default */
    bool is_class_annotated;          /* by the old annotation instead of spec.ingressClassName */
    const char *controller_namespace; /* where such a controller usually lives; NULL: anywhere */
    const struct ingress_annotation *annotations;
    size_t annotations_n;
};

/* seed (the original's annotations), nginx (ingress-nginx without snippets), traefik, plain, gateway (HTTPRoutes
 * instead of Ingresses); NULL if there is no such. */
const struct ingress_profile *ingress_profile_find(struct str name);

struct k8s_profile {
    const struct ingress_profile *ingress;
    const char *ingress_class;        /* instead of the profile's class; NULL: the profile's */
    const char *tls_secret;           /* of the wildcard certificate; NULL: no tls section. HTTPRoutes have none */
    const char *controller_namespace; /* its pods may reach ports 3000 and 7681; NULL: as the profile says */
    const char *gateway_name;         /* that HTTPRoutes belong to */
    const char *gateway_namespace;    /* NULL: the sandboxes' own */
    const char *gateway_section;      /* its listener; NULL: any */
    const char *gateway_timeout;      /* of a request or terminal; "0s": none; NULL: as the controller likes */
    const char *pull_policy;          /* NULL: IfNotPresent for an image by digest, else Always */
    const char *cpu_request, *cpu_limit, *memory_request, *memory_limit; /* of the sandbox's container */
    const char *storage_class, *storage_size;                            /* of the database; class NULL: the default */
    bool is_acceptance_needed; /* an HTTPRoute counts once its Gateway says it took it, not as soon as it is there */
    enum workload_kind workload;
    const char *volume_class, *volume_size, *volume_path; /* of a StatefulSet's pod; class NULL: the default */
    int min_ready_s;                                      /* a StatefulSet's pod is ready so long before it counts */
    const char *database_version;                         /* KubeBlocks' ClusterVersion */
    bool is_restricted; /* pods keep to the Pod Security level "restricted": none is root, none holds a capability */
    int run_as_user;    /* then: whose processes theirs are, the image's user must not be root */
    bool is_role_full;  /* the database's Role is everything on everything, as in the original */
};

extern const struct k8s_profile K8S_PROFILE_DEFAULT;

/* What sandboxes are made of from now on. */
struct sandbox_kinds k8s_profile_kinds(const struct k8s_profile *p);
/* The class of Ingresses; NULL: the cluster's default. */
const char *k8s_profile_class(const struct k8s_profile *p);
/* The namespace whose pods may reach a sandbox; NULL: any but the sandboxes' own. */
const char *k8s_profile_controller(const struct k8s_profile *p);
