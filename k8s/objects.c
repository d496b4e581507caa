// SPDX-License-Identifier: MIT
/* Two tables and what follows from them. */
#include "k8s/objects.h"

#include "core/base/codec.h"
#include "k8s/manifest.h"

/* Whatever bears the label of a project's id; pods have it from their template, EndpointSlices from their Service. */
#define OURS "labelSelector=project.fullstackagent.io%2Fid"

static const struct kube_kind_row kinds[KIND_N] = {
    [KIND_CLUSTER] = {"apps.kubeblocks.io",        "v1alpha1", "clusters",        "Cluster",        OURS                                     },
    [KIND_DEPLOYMENT] = {"apps",                      "v1",       "deployments",     "Deployment",     OURS                                     },
    [KIND_POD] = {"",                          "v1",       "pods",            "Pod",            OURS                                     },
    [KIND_SERVICE] = {"",                          "v1",       "services",        "Service",        OURS                                     },
    [KIND_INGRESS] = {"networking.k8s.io",         "v1",       "ingresses",       "Ingress",        OURS                                     },
    [KIND_ENDPOINT_SLICE] = {"discovery.k8s.io",          "v1",       "endpointslices",  "EndpointSlice",  OURS                                     },
    [KIND_EVENT] = {"",                          "v1",       "events",          "Event",          "fieldSelector=involvedObject.kind%3DPod"},
    [KIND_SECRET] = {"",                          "v1",       "secrets",         "Secret",         NULL                                     },
    [KIND_SERVICE_ACCOUNT] = {"",                          "v1",       "serviceaccounts", "ServiceAccount", NULL                                     },
    [KIND_ROLE] = {"rbac.authorization.k8s.io", "v1",       "roles",           "Role",           NULL                                     },
    [KIND_ROLE_BINDING] = {"rbac.authorization.k8s.io", "v1",       "rolebindings",    "RoleBinding",    NULL                                     },
    [KIND_NETWORK_POLICY] = {"networking.k8s.io",         "v1",       "networkpolicies", "NetworkPolicy",  NULL                                     },
};

static const struct object_row objects[OBJECT_N] = {
    [OBJECT_SERVICE_ACCOUNT] = {KIND_SERVICE_ACCOUNT, true,  "",              false, false, manifest_service_account},
    [OBJECT_ROLE] = {KIND_ROLE,            true,  "",              false, false, manifest_role           },
    [OBJECT_ROLE_BINDING] = {KIND_ROLE_BINDING,    true,  "",              false, false, manifest_role_binding   },
 /* The operator and people change a database in place (size, version, parameters): it is never put back. */
    [OBJECT_DATABASE] = {KIND_CLUSTER,         true,  "",              false, true,  manifest_database       },
    [OBJECT_WORKLOAD] = {KIND_DEPLOYMENT,      false, "",              false, false, manifest_deployment     },
    [OBJECT_ENV_SECRET] = {KIND_SECRET,          false, "-env",          true,  false, manifest_env_secret     },
    [OBJECT_SERVICE] = {KIND_SERVICE,         false, "-service",      true,  false, manifest_service        },
    [OBJECT_INGRESS_APP] = {KIND_INGRESS,         false, "-app-ingress",  true,  false, manifest_ingress_app    },
    [OBJECT_INGRESS_TTY] = {KIND_INGRESS,         false, "-ttyd-ingress", true,  false, manifest_ingress_tty    },
    [OBJECT_NETWORK_POLICY] = {KIND_NETWORK_POLICY,  false, "",              true,  false, manifest_network_policy },
};

const struct kube_kind_row *kube_kind_row(enum kube_kind kind)
{
    return &kinds[kind];
}

const struct object_row *object_row(enum cluster_object object)
{
    return &objects[object];
}

void kube_path_add(struct buf *out, enum kube_kind kind, const char *version, const char *namespace_name,
                   const char *name)
{
    const struct kube_kind_row *row = &kinds[kind];
    if (row->group[0] == '\0')
        buf_add_text(out, "/api/");
    else
        buf_addf(out, "/apis/%s/", row->group);
    buf_addf(out, "%s/namespaces/", version != NULL ? version : row->version);
    codec_percent_encode(out, str_from(namespace_name));
    buf_addf(out, "/%s", row->plural);
    if (name != NULL) {
        buf_add_byte(out, '/');
        codec_percent_encode(out, str_from(name));
    }
}

void object_name(enum cluster_object object, const struct sandbox *sb, char ret[OBJECT_NAME_SIZE])
{
    const struct object_row *row = &objects[object];
    struct buf name;
    buf_init(&name, OBJECT_NAME_SIZE);
    buf_add_text(&name, row->is_database ? sb->database_name : sb->name);
    buf_add_text(&name, row->suffix);
    /* A retry's container must not start with what the attempt before left: it waits for a Secret of its own. */
    if (object == OBJECT_ENV_SECRET && sb->attempt > 1)
        buf_addf(&name, "-%u", sb->attempt);
    if (!str_copy(buf_str(&name), ret, OBJECT_NAME_SIZE))
        ret[0] = '\0'; /* cannot be: KUBE_NAME_SIZE and the longest suffix fit */
    buf_fini(&name);
}
