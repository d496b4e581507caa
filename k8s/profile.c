// SPDX-License-Identifier: MIT
/* The table of ingress profiles and the original's values. */
#include "k8s/profile.h"

#define NGINX   "nginx.ingress.kubernetes.io/"
#define TRAEFIK "traefik.ingress.kubernetes.io/"

static const struct ingress_annotation seed_annotations[] = {
    {"kubernetes.io/ingress.class",   "nginx"                                                              },
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

static const struct ingress_profile profiles[] = {
    {"seed",    NULL,      seed_annotations,    N(seed_annotations)   },
    {"nginx",   "nginx",   nginx_annotations,   N(nginx_annotations)  },
    {"traefik", "traefik", traefik_annotations, N(traefik_annotations)},
    {"plain",   NULL,      NULL,                0                     },
};

const struct k8s_profile K8S_PROFILE_DEFAULT = {
    .ingress = &profiles[0],
    .tls_secret = "wildcard-cert",
    .controller_namespace = "ingress-nginx",
    .cpu_request = "20m",
    .cpu_limit = "200m",
    .memory_request = "25Mi",
    .memory_limit = "256Mi",
    .storage_class = "openebs-backup",
    .storage_size = "3Gi",
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
