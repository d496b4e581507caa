// SPDX-License-Identifier: MIT
/* The table of kinds. */
#include "devcluster/objects/kinds.h"

#include "devcluster/objects/check.h"
#include "devcluster/objects/defaults.h"

static const char *const META_FIELDS[] = {"metadata.name", "metadata.namespace", NULL};
static const char *const POD_FIELDS[] = {"metadata.name",      "metadata.namespace", "spec.nodeName",
                                         "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                                         "status.phase",       "status.podIP",       NULL};
static const char *const EVENT_FIELDS[] = {"involvedObject.kind",
                                           "involvedObject.namespace",
                                           "involvedObject.name",
                                           "involvedObject.uid",
                                           "involvedObject.apiVersion",
                                           "involvedObject.resourceVersion",
                                           "involvedObject.fieldPath",
                                           "reason",
                                           "reportingComponent",
                                           "source",
                                           "type",
                                           "metadata.name",
                                           "metadata.namespace",
                                           NULL};
static const char *const SECRET_FIELDS[] = {"metadata.name", "metadata.namespace", "type", NULL};
static const char *const PHASE_FIELDS[] = {"metadata.name", "status.phase", NULL};

enum { N = IS_NAMESPACED, S = HAS_STATUS, G = HAS_GENERATION };

#define CLUSTER(version, check, fill)                                                                                  \
    {                                                                                                                  \
        KIND_CLUSTER, "apps.kubeblocks.io", version, "clusters", "cluster", "Cluster", "", N | S | G | IS_CUSTOM,      \
            NAME_SUBDOMAIN, META_FIELDS, fill, check, NULL                                                             \
    }
static const struct kind CLUSTER_V1 = CLUSTER("v1", check_cluster_v1, defaults_cluster_v1);

static const struct kind KINDS[KIND_N] = {
    [KIND_NAMESPACE] = {KIND_NAMESPACE,      "",                          "v1", "namespaces",             "namespace",             "Namespace",             "ns",     S | DELETE_SHOWS,
                        NAME_LABEL,                                                                                                                                                                             PHASE_FIELDS,  defaults_namespace,     NULL,              NULL                   },
    [KIND_NODE] = {KIND_NODE,           "",                          "v1", "nodes",                  "node",                  "Node",                  "no",     S,                        NAME_SUBDOMAIN, META_FIELDS,   NULL,                   NULL,
                        NULL                                                                                                                                                                                                                                                                     },
    [KIND_POD] = {KIND_POD,            "",                          "v1", "pods",                   "pod",                   "Pod",                   "po",     N | S | G | DELETE_SHOWS, NAME_SUBDOMAIN, POD_FIELDS,
                        defaults_pod,                                                                                                                                                                                                                  check_pod,         check_pod_change       },
    [KIND_SERVICE] = {KIND_SERVICE,        "",                          "v1", "services",               "service",               "Service",               "svc",    N | S | DELETE_SHOWS,     NAME_LABEL,
                        META_FIELDS,                                                                                                                                                                                           defaults_service,       check_service,     check_service_change   },
    [KIND_SECRET] = {KIND_SECRET,         "",                          "v1", "secrets",                "secret",                "Secret",                "",       N,                        NAME_SUBDOMAIN, SECRET_FIELDS,
                        defaults_secret,                                                                                                                                                                                                               check_secret,      check_secret_change    },
    [KIND_CONFIGMAP] = {KIND_CONFIGMAP,      "",                          "v1", "configmaps",             "configmap",             "ConfigMap",             "cm",     N,                        NAME_SUBDOMAIN,
                        META_FIELDS,                                                                                                                                                                                           NULL,                   check_configmap,   NULL                   },
    [KIND_SERVICEACCOUNT] = {KIND_SERVICEACCOUNT, "",                          "v1", "serviceaccounts",        "serviceaccount",        "ServiceAccount",        "sa",
                        N | DELETE_SHOWS,                                                                                                                                                       NAME_SUBDOMAIN, META_FIELDS,   NULL,                   NULL,              NULL                   },
    [KIND_EVENT] = {KIND_EVENT,          "",                          "v1", "events",                 "event",                 "Event",                 "ev",     N,                        NAME_SUBDOMAIN, EVENT_FIELDS,  NULL,                   NULL,
                        NULL                                                                                                                                                                                                                                                                     },
    [KIND_PVC] = {KIND_PVC,            "",                          "v1", "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", "pvc",
                        N | S | DELETE_SHOWS,                                                                                                                                                   NAME_SUBDOMAIN, META_FIELDS,   defaults_pvc,           check_pvc,         check_pvc_change       },
    [KIND_QUOTA] = {KIND_QUOTA,          "",                          "v1", "resourcequotas",         "resourcequota",         "ResourceQuota",         "quota",
                        N | S | DELETE_SHOWS,                                                                                                                                                   NAME_SUBDOMAIN, META_FIELDS,   NULL,                   NULL,              NULL                   },
    [KIND_DEPLOYMENT] = {KIND_DEPLOYMENT,     "apps",                      "v1", "deployments",            "deployment",            "Deployment",            "deploy",
                        N | S | G | HAS_SCALE | META_GENERATION,                                                                                                                                NAME_SUBDOMAIN, META_FIELDS,   defaults_deployment,
                        check_deployment,                                                                                                                                                                                                                                 check_deployment_change},
    [KIND_REPLICASET] = {KIND_REPLICASET,     "apps",                      "v1", "replicasets",            "replicaset",            "ReplicaSet",            "rs",
                        N | S | G | HAS_SCALE,                                                                                                                                                  NAME_SUBDOMAIN, META_FIELDS,   defaults_replicaset,    check_replicaset,
                        NULL                                                                                                                                                                                                                                                                     },
    [KIND_STATEFULSET] = {KIND_STATEFULSET,    "apps",                      "v1", "statefulsets",           "statefulset",           "StatefulSet",           "sts",
                        N | S | G | HAS_SCALE,                                                                                                                                                  NAME_SUBDOMAIN, META_FIELDS,   defaults_statefulset,   check_statefulset,
                        check_statefulset_change                                                                                                                                                                                                                                                 },
    [KIND_INGRESS] = {KIND_INGRESS,        "networking.k8s.io",         "v1", "ingresses",              "ingress",               "Ingress",               "ing",    N | S | G,
                        NAME_SUBDOMAIN,                                                                                                                                                                         META_FIELDS,   defaults_ingress,       check_ingress,     NULL                   },
    [KIND_GATEWAY] = {KIND_GATEWAY,        "gateway.networking.k8s.io", "v1", "gateways",               "gateway",               "Gateway",               "gtw",
                        N | S | G | IS_CUSTOM,                                                                                                                                                  NAME_SUBDOMAIN, META_FIELDS,   defaults_gateway,       check_gateway,     NULL                   },
    [KIND_HTTPROUTE] = {KIND_HTTPROUTE,      "gateway.networking.k8s.io", "v1", "httproutes",             "httproute",             "HTTPRoute",             "",
                        N | S | G | IS_CUSTOM,                                                                                                                                                  NAME_SUBDOMAIN, META_FIELDS,   defaults_httproute,     check_httproute,   NULL                   },
    [KIND_NETWORKPOLICY] = {KIND_NETWORKPOLICY,  "networking.k8s.io",         "v1", "networkpolicies",        "networkpolicy",
                        "NetworkPolicy",                                                                                                                    "netpol", N | G,                    NAME_SUBDOMAIN, META_FIELDS,   defaults_networkpolicy, NULL,
                        NULL                                                                                                                                                                                                                                                                     },
    [KIND_ENDPOINTSLICE] = {KIND_ENDPOINTSLICE,  "discovery.k8s.io",          "v1", "endpointslices",         "endpointslice",
                        "EndpointSlice",                                                                                                                    "",       N | G,                    NAME_SUBDOMAIN, META_FIELDS,   NULL,                   NULL,              NULL                   },
    [KIND_ROLE] = {KIND_ROLE,           "rbac.authorization.k8s.io", "v1", "roles",                  "role",                  "Role",                  "",       N,                        NAME_PATH,      META_FIELDS,
                        NULL,                                                                                                                                                                                                                          check_role,        NULL                   },
    [KIND_ROLEBINDING] = {KIND_ROLEBINDING,    "rbac.authorization.k8s.io", "v1", "rolebindings",           "rolebinding",
                        "RoleBinding",                                                                                                                      "",       N,                        NAME_PATH,      META_FIELDS,   defaults_rolebinding,   check_rolebinding,
                        check_rolebinding_change                                                                                                                                                                                                                                                 },
    [KIND_LEASE] = {KIND_LEASE,          "coordination.k8s.io",       "v1", "leases",                 "lease",                 "Lease",                 "",       N,                        NAME_SUBDOMAIN,
                        META_FIELDS,                                                                                                                                                                                           NULL,                   NULL,              NULL                   },
    [KIND_CLUSTER] = CLUSTER("v1alpha1", check_cluster_v1alpha1, defaults_cluster_v1alpha1),
};

const struct kind *kind_get(enum kind_id id)
{
    return &KINDS[id];
}

const struct kind *kind_cluster_v1(void)
{
    return &CLUSTER_V1;
}

static bool is_of(const struct kind *kind, struct str group, struct str version)
{
    return str_eq_text(group, kind->group) && str_eq_text(version, kind->version);
}

const struct kind *kind_find(struct str group, struct str version, struct str plural)
{
    for (size_t i = 0; i < KIND_N; i++)
        if (is_of(&KINDS[i], group, version) && str_eq_text(plural, KINDS[i].plural))
            return &KINDS[i];
    return is_of(&CLUSTER_V1, group, version) && str_eq_text(plural, CLUSTER_V1.plural) ? &CLUSTER_V1 : NULL;
}

bool kind_has_version(struct str group, struct str version)
{
    for (size_t i = 0; i < KIND_N; i++)
        if (is_of(&KINDS[i], group, version))
            return true;
    return is_of(&CLUSTER_V1, group, version);
}

const char *kind_api_version(struct arena *a, const struct kind *kind)
{
    if (kind->group[0] == '\0')
        return kind->version;
    return arena_printf(a, "%s/%s", kind->group, kind->version);
}

const char *kind_resource(struct arena *a, const struct kind *kind)
{
    if (kind->group[0] == '\0')
        return kind->plural;
    return arena_printf(a, "%s.%s", kind->plural, kind->group);
}
