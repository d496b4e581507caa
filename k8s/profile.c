// SPDX-License-Identifier: MIT
/* The table of ingress profiles and the original's values. */
#include "k8s/profile.h"

#define NGINX   "nginx.ingress.kubernetes.io/"
#define TRAEFIK "traefik.ingress.kubernetes.io/"

static const struct ingress_annotation seed_annotations[] = {
    {NGINX "proxy-body-size",         "32m"                                                                },
    {NGINX "ssl-redirect",            "false"                                                              },
    {NGINX "backend-protocol",        "HTTP"                                                               },
    {NGINX "client-body-buffer-size", "64k"                                                                },
    {NGINX "proxy-buffer-size",       "64k"                                                                },
    {NGINX "proxy-send-timeout",      "300"                                                                },
    {NGINX "proxy-read-timeout",      "300"                                                                },
    {NGINX "server-snippet",          "client_header_buffer_size 64k;\nlarge_client_header_buffers 4 128k;"},
};

/* Snippets are refused by ingress-nginx unless its operator allows them; an hour for idle terminals. */
static const struct ingress_annotation nginx_annotations[] = {
    {NGINX "proxy-body-size",         "32m"  },
    {NGINX "ssl-redirect",            "false"},
    {NGINX "backend-protocol",        "HTTP" },
    {NGINX "client-body-buffer-size", "64k"  },
    {NGINX "proxy-buffer-size",       "64k"  },
    {NGINX "proxy-send-timeout",      "3600" },
    {NGINX "proxy-read-timeout",      "3600" },
};

static const struct ingress_annotation traefik_annotations[] = {
    {TRAEFIK "router.entrypoints", "websecure"},
    {TRAEFIK "router.tls",         "true"     },
};

#define N(array) (sizeof(array) / sizeof(*(array)))

/* clang-format off */
static const struct ingress_profile profiles[] = {
    {"seed",    ROUTE_INGRESS,   "nginx",   true,  "ingress-nginx", seed_annotations,    N(seed_annotations)},
    {"nginx",   ROUTE_INGRESS,   "nginx",   false, "ingress-nginx", nginx_annotations,   N(nginx_annotations)},
    {"traefik", ROUTE_INGRESS,   "traefik", false, "traefik",       traefik_annotations, N(traefik_annotations)},
    {"plain",   ROUTE_INGRESS,   NULL,      false, NULL,            NULL,                0},
    {"gateway", ROUTE_HTTPROUTE, NULL,      false, NULL,            NULL,                0},
};
/* clang-format on */

const struct k8s_profile K8S_PROFILE_DEFAULT = {
    .ingress = &profiles[0],
    .tls_secret = "wildcard-cert",
    .gateway_name = "gateway",
    .gateway_timeout = "0s",
    .is_acceptance_needed = true,
    .cpu_request = "20m",
    .cpu_limit = "200m",
    .memory_request = "25Mi",
    .memory_limit = "256Mi",
    .storage_class = "openebs-backup",
    .storage_size = "3Gi",
    .workload = WORKLOAD_DEPLOYMENT,
    .volume_size = "10Gi",
    .volume_path = "/home/fulling",
    .min_ready_s = 10,
    .database_version = "postgresql-14.8.0",
};

const struct ingress_profile *ingress_profile_find(struct str name)
{
    for (size_t i = 0; i < N(profiles); i++) {
        if (str_eq_text(name, profiles[i].name))
            return &profiles[i];
    }
    return NULL;
}

struct sandbox_kinds k8s_profile_kinds(const struct k8s_profile *p)
{
    return (struct sandbox_kinds){p->workload, p->ingress->route};
}

const char *k8s_profile_class(const struct k8s_profile *p)
{
    return p->ingress_class != NULL ? p->ingress_class : p->ingress->class_name;
}

const char *k8s_profile_controller(const struct k8s_profile *p)
{
    return p->controller_namespace != NULL ? p->controller_namespace : p->ingress->controller_namespace;
}
