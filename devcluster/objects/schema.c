// SPDX-License-Identifier: MIT
/* Known fields as a table: kind, path, names. "[]" in a path stands for any element. What lies below a name that has no
 * row of its own is not looked at. source: the OpenAPI document of Kubernetes 1.37, the Cluster CRD of KubeBlocks 0.9,
 * the standard CRDs of the Gateway API 1.4. */
#include "devcluster/objects/schema.h"

#include <string.h>

enum { SCHEMA_UNKNOWN_MAX = 16 };

struct row {
    int kind; /* an enum kind_id; ANY_KIND; POD_SPEC: pods and pod templates, the path counted from the pod's spec; a
               * version of Cluster */
    const char *path;
    const char *names;
};

enum { ANY_KIND = -1, POD_SPEC = -2, CLUSTER_V1ALPHA1 = -3, CLUSTER_V1 = -4 };

#define CONTAINER                                                                                                      \
    "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy volumeMounts "          \
    "volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath "                        \
    "terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty restartPolicyRules"
#define PROBE                                                                                                          \
    "exec httpGet tcpSocket grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold "  \
    "terminationGracePeriodSeconds"

#define CLAIM_SPEC                                                                                                     \
    "accessModes selector resources volumeName storageClassName volumeMode dataSource dataSourceRef "                  \
    "volumeAttributesClassName"

static const struct row ROWS[] = {
    {ANY_KIND,            "metadata",
     "name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp "
     "deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields"                                                          },
    {ANY_KIND,            "metadata.ownerReferences[]",                "apiVersion kind name uid controller blockOwnerDeletion"                        },
    {POD_SPEC,            "",
     "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds "
     "activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken "
     "nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain "
     "affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates "
     "runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os "
     "hostUsers schedulingGates resourceClaims resources hostnameOverride"                                                                             },
    {POD_SPEC,            "containers[]",                              CONTAINER                                                                       },
    {POD_SPEC,            "initContainers[]",                          CONTAINER                                                                       },
    {POD_SPEC,            "containers[].ports[]",                      "name hostPort containerPort protocol hostIP"                                   },
    {POD_SPEC,            "containers[].env[]",                        "name value valueFrom"                                                          },
    {POD_SPEC,            "containers[].envFrom[]",                    "prefix configMapRef secretRef"                                                 },
    {POD_SPEC,            "containers[].resources",                    "limits requests claims"                                                        },
    {POD_SPEC,            "containers[].readinessProbe",               PROBE                                                                           },
    {POD_SPEC,            "containers[].startupProbe",                 PROBE                                                                           },
    {POD_SPEC,            "containers[].livenessProbe",                PROBE                                                                           },
    {POD_SPEC,            "containers[].volumeMounts[]",
     "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr"                                                                  },
    {POD_SPEC,            "containers[].securityContext",
     "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem "
     "allowPrivilegeEscalation procMount seccompProfile appArmorProfile"                                                                               },
    {POD_SPEC,            "securityContext",
     "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy "
     "fsGroup sysctls fsGroupChangePolicy seccompProfile appArmorProfile seLinuxChangePolicy"                                                          },
    {KIND_POD,            "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_DEPLOYMENT,     "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_DEPLOYMENT,     "spec",
     "replicas selector template strategy minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds"                                         },
    {KIND_DEPLOYMENT,     "spec.strategy",                             "type rollingUpdate"                                                            },
    {KIND_DEPLOYMENT,     "spec.template",                             "metadata spec"                                                                 },
    {KIND_DEPLOYMENT,     "spec.selector",                             "matchLabels matchExpressions"                                                  },
    {KIND_STATEFULSET,    "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_STATEFULSET,    "spec",
     "replicas selector template volumeClaimTemplates serviceName podManagementPolicy updateStrategy "
     "revisionHistoryLimit "
     "minReadySeconds persistentVolumeClaimRetentionPolicy ordinals"                                                                                   },
    {KIND_STATEFULSET,    "spec.updateStrategy",                       "type rollingUpdate"                                                            },
    {KIND_STATEFULSET,    "spec.updateStrategy.rollingUpdate",         "partition maxUnavailable"                                                      },
    {KIND_STATEFULSET,    "spec.persistentVolumeClaimRetentionPolicy", "whenDeleted whenScaled"                                                        },
    {KIND_STATEFULSET,    "spec.template",                             "metadata spec"                                                                 },
    {KIND_STATEFULSET,    "spec.selector",                             "matchLabels matchExpressions"                                                  },
    {KIND_STATEFULSET,    "spec.volumeClaimTemplates[]",               "apiVersion kind metadata spec status"                                          },
    {KIND_STATEFULSET,    "spec.volumeClaimTemplates[].spec",          CLAIM_SPEC                                                                      },
    {KIND_SERVICE,        "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_SERVICE,        "spec",
     "ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges "
     "externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig ipFamilies "
     "ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution"                                        },
    {KIND_SERVICE,        "spec.ports[]",                              "name protocol appProtocol port targetPort nodePort"                            },
    {KIND_SECRET,         "",                                          "apiVersion kind metadata data stringData type immutable"                       },
    {KIND_CONFIGMAP,      "",                                          "apiVersion kind metadata data binaryData immutable"                            },
    {KIND_SERVICEACCOUNT, "",                                          "apiVersion kind metadata secrets imagePullSecrets automountServiceAccountToken"},
    {KIND_PVC,            "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_PVC,            "spec",                                      CLAIM_SPEC                                                                      },
    {KIND_INGRESS,        "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_INGRESS,        "spec",                                      "ingressClassName defaultBackend tls rules"                                     },
    {KIND_INGRESS,        "spec.rules[]",                              "host http"                                                                     },
    {KIND_INGRESS,        "spec.rules[].http.paths[]",                 "path pathType backend"                                                         },
    {KIND_INGRESS,        "spec.tls[]",                                "hosts secretName"                                                              },
    {KIND_NETWORKPOLICY,  "",                                          "apiVersion kind metadata spec"                                                 },
    {KIND_NETWORKPOLICY,  "spec",                                      "podSelector ingress egress policyTypes"                                        },
    {KIND_NETWORKPOLICY,  "spec.ingress[]",                            "ports from"                                                                    },
    {KIND_NETWORKPOLICY,  "spec.egress[]",                             "ports to"                                                                      },
    {KIND_ROLE,           "",                                          "apiVersion kind metadata rules"                                                },
    {KIND_ROLE,           "rules[]",                                   "verbs apiGroups resources resourceNames nonResourceURLs"                       },
    {KIND_ROLEBINDING,    "",                                          "apiVersion kind metadata subjects roleRef"                                     },
    {KIND_GATEWAY,        "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_GATEWAY,        "spec",                                      "gatewayClassName listeners addresses infrastructure allowedListeners tls"      },
    {KIND_GATEWAY,        "spec.listeners[]",                          "name hostname port protocol tls allowedRoutes"                                 },
    {KIND_HTTPROUTE,      "",                                          "apiVersion kind metadata spec status"                                          },
    {KIND_HTTPROUTE,      "spec",                                      "parentRefs hostnames rules"                                                    },
    {KIND_HTTPROUTE,      "spec.parentRefs[]",                         "group kind namespace name sectionName port"                                    },
    {KIND_HTTPROUTE,      "spec.rules[]",                              "name matches filters backendRefs timeouts"                                     },
    {KIND_HTTPROUTE,      "spec.rules[].matches[]",                    "path headers queryParams method"                                               },
    {KIND_HTTPROUTE,      "spec.rules[].matches[].path",               "type value"                                                                    },
    {KIND_HTTPROUTE,      "spec.rules[].backendRefs[]",                "group kind name namespace port weight filters"                                 },
    {KIND_HTTPROUTE,      "spec.rules[].timeouts",                     "request backendRequest"                                                        },
    {KIND_CLUSTER,        "",                                          "apiVersion kind metadata spec status"                                          },
    {CLUSTER_V1ALPHA1,    "spec",
     "affinity availabilityPolicy backup clusterDefinitionRef clusterVersionRef componentSpecs network replicas "
     "resources "
     "runtimeClassName schedulingPolicy services shardingSpecs storage tenancy terminationPolicy tolerations topology"                                 },
    {CLUSTER_V1ALPHA1,    "spec.componentSpecs[]",
     "affinity annotations classDefRef componentDef componentDefRef configs disableExporter enabledLogs env "
     "instanceUpdateStrategy instances issuer labels monitor name offlineInstances parallelPodManagementConcurrency "
     "podUpdatePolicy replicas resources schedulingPolicy serviceAccountName serviceRefs serviceVersion services stop "
     "switchPolicy systemAccounts tls tolerations updateStrategy userResourceRefs volumeClaimTemplates volumes"                                        },
    {CLUSTER_V1,          "spec",
     "backup clusterDef componentSpecs runtimeClassName schedulingPolicy services shardings terminationPolicy "
     "topology"                                                                                                                                        },
    {CLUSTER_V1,          "spec.componentSpecs[]",
     "annotations componentDef configs disableExporter env instanceUpdateStrategy instances issuer labels name "
     "offlineInstances parallelPodManagementConcurrency persistentVolumeClaimRetentionPolicy podUpdatePolicy "
     "podUpgradePolicy replicas resources schedulingPolicy serviceAccountName serviceRefs serviceVersion services stop "
     "systemAccounts tls volumeClaimTemplates volumes"                                                                                                 },
};

struct pruning {
    struct arena *arena;
    const struct kind *kind;
    const char **found;
    size_t found_n;
};

static bool has_name(const char *names, struct str name)
{
    struct str rest = str_from(names);
    struct str part;
    while (str_next(&rest, ' ', &part))
        if (str_eq(part, name))
            return true;
    return false;
}

/* "containers[3].env[0]" is "containers[].env[]". */
static bool is_path(const char *pattern, const char *path)
{
    while (*path != '\0') {
        if (*pattern != *path)
            return false;
        pattern++;
        path++;
        if (pattern[-1] == '[')
            while (*path >= '0' && *path <= '9')
                path++;
    }
    return *pattern == '\0';
}

/* The part of the path below a pod's spec, or NULL. */
static const char *pod_path(const struct kind *kind, const char *path)
{
    const char *prefix = kind->id == KIND_POD ? "spec"
                         : kind->id == KIND_DEPLOYMENT || kind->id == KIND_REPLICASET || kind->id == KIND_STATEFULSET
                             ? "spec.template.spec"
                             : NULL;
    size_t n = prefix == NULL ? 0 : strlen(prefix);
    if (prefix == NULL || strncmp(path, prefix, n) != 0)
        return NULL;
    if (path[n] == '\0')
        return path + n;
    return path[n] == '.' ? path + n + 1 : NULL;
}

static int version_of(const struct kind *kind)
{
    if (kind->id != KIND_CLUSTER)
        return (int)kind->id;
    return kind == kind_cluster_v1() ? CLUSTER_V1 : CLUSTER_V1ALPHA1;
}

static const char *names_at(const struct kind *kind, const char *path)
{
    const char *below = pod_path(kind, path);
    int version = version_of(kind);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct row *r = &ROWS[i];
        if ((r->kind == ANY_KIND || r->kind == (int)kind->id || r->kind == version) && is_path(r->path, path))
            return r->names;
        if (r->kind == POD_SPEC && below != NULL && is_path(r->path, below))
            return r->names;
    }
    return NULL;
}

static void prune(struct pruning *p, struct doc *value, const char *path)
{
    size_t index = 0;
    const char *names = value->type == JSON_OBJECT ? names_at(p->kind, path) : NULL;
    for (struct doc *c = value->first, *next; c != NULL; c = next, index++) {
        next = c->next;
        const char *below;
        if (value->type == JSON_ARRAY)
            below = arena_printf(p->arena, "%s[%zu]", path, index);
        else
            below = arena_printf(p->arena, "%s%s%.*s", path, path[0] == '\0' ? "" : ".", STR_ARG(c->key));
        if (names != NULL && !has_name(names, c->key)) {
            doc_remove_child(value, c);
            if (p->found_n < SCHEMA_UNKNOWN_MAX)
                p->found[p->found_n++] = below;
        } else if (value->type == JSON_ARRAY || names != NULL || path[0] != '\0') {
            prune(p, c, below);
        }
    }
}

const char **schema_prune(struct arena *a, const struct kind *kind, struct doc *root)
{
    struct pruning p = {.arena = a, .kind = kind};
    p.found = arena_alloc(a, (SCHEMA_UNKNOWN_MAX + 1) * sizeof(p.found[0]));
    prune(&p, root, "");
    return p.found;
}
