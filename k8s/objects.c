// SPDX-License-Identifier: MIT
/* The tables and what follows from them. */
#include "k8s/objects.h"

#include <string.h>

#include "core/base/codec.h"
#include "k8s/manifest.h"

/* Whatever bears the label of a project's id; pods have it from their template, EndpointSlices from their Service. */
#define OURS        "labelSelector=project.fullstackagent.io%2Fid"
#define ABOUT(kind) "fieldSelector=involvedObject.kind%3D" kind

/* clang-format off */
static const struct kube_kind_row kinds[KIND_N] = {
    [KIND_CLUSTER]           = {"apps.kubeblocks.io",        "v1alpha1", "clusters",               "Cluster",               OURS, USE_ALWAYS},
    [KIND_DEPLOYMENT]        = {"apps",                      "v1",       "deployments",            "Deployment",            OURS, USE_DEPLOYMENT},
    [KIND_STATEFULSET]       = {"apps",                      "v1",       "statefulsets",           "StatefulSet",           OURS, USE_STATEFULSET},
    [KIND_POD]               = {"",                          "v1",       "pods",                   "Pod",                   OURS, USE_ALWAYS},
    [KIND_SERVICE]           = {"",                          "v1",       "services",               "Service",               OURS, USE_ALWAYS},
    [KIND_INGRESS]           = {"networking.k8s.io",         "v1",       "ingresses",              "Ingress",               OURS, USE_INGRESS},
    [KIND_HTTPROUTE]         = {"gateway.networking.k8s.io", "v1",       "httproutes",             "HTTPRoute",             OURS, USE_HTTPROUTE},
    [KIND_CLAIM]             = {"",                          "v1",       "persistentvolumeclaims", "PersistentVolumeClaim", OURS, USE_STATEFULSET},
    [KIND_NETWORK_POLICY]    = {"networking.k8s.io",         "v1",       "networkpolicies",        "NetworkPolicy",         OURS, USE_ALWAYS},
    [KIND_ENDPOINT_SLICE]    = {"discovery.k8s.io",          "v1",       "endpointslices",         "EndpointSlice",         OURS, USE_ALWAYS},
    [KIND_EVENT]             = {"",                          "v1",       "events",                 "Event",                 ABOUT("Pod"), USE_ALWAYS},
    [KIND_STATEFULSET_EVENT] = {"",                          "v1",       "events",                 "Event",                 ABOUT("StatefulSet"), USE_STATEFULSET},
    [KIND_CLAIM_EVENT]       = {"",                          "v1",       "events",                 "Event",                 ABOUT("PersistentVolumeClaim"), USE_STATEFULSET},
    [KIND_SECRET]            = {"",                          "v1",       "secrets",                "Secret",                NULL, USE_ALWAYS},
    [KIND_SERVICE_ACCOUNT]   = {"",                          "v1",       "serviceaccounts",        "ServiceAccount",        NULL, USE_ALWAYS},
    [KIND_ROLE]              = {"rbac.authorization.k8s.io", "v1",       "roles",                  "Role",                  NULL, USE_ALWAYS},
    [KIND_ROLE_BINDING]      = {"rbac.authorization.k8s.io", "v1",       "rolebindings",           "RoleBinding",           NULL, USE_ALWAYS},
};

static const struct object_row objects[OBJECT_N] = {
    [OBJECT_SERVICE_ACCOUNT] = {KIND_SERVICE_ACCOUNT, true,  "", "",              false, false, manifest_service_account},
    [OBJECT_ROLE]            = {KIND_ROLE,            true,  "", "",              false, false, manifest_role},
    [OBJECT_ROLE_BINDING]    = {KIND_ROLE_BINDING,    true,  "", "",              false, false, manifest_role_binding},
    /* The operator and people change a database in place (size, version, parameters): it is never put back. */
    [OBJECT_DATABASE]        = {KIND_CLUSTER,         true,  "", "",              false, true,  manifest_database},
    [OBJECT_WORKLOAD]        = {KIND_DEPLOYMENT,      false, "", "",              false, false, manifest_deployment},
    [OBJECT_ENV_SECRET]      = {KIND_SECRET,          false, "", "-env",          true,  false, manifest_env_secret},
    [OBJECT_SERVICE]         = {KIND_SERVICE,         false, "", "-service",      true,  false, manifest_service},
    [OBJECT_INGRESS_APP]     = {KIND_INGRESS,         false, "", "-app-ingress",  true,  false, manifest_ingress_app},
    [OBJECT_INGRESS_TTY]     = {KIND_INGRESS,         false, "", "-ttyd-ingress", true,  false, manifest_ingress_tty},
    [OBJECT_NETWORK_POLICY]  = {KIND_NETWORK_POLICY,  false, "", "",              true,  false, manifest_network_policy},
    /* The pod is the set's first; whether the set owns its claim is the retention policy's business. */
    [OBJECT_CLAIM]           = {KIND_CLAIM,           false, VOLUME_NAME "-", "-0", false, false, NULL},
};

/* Instead of the rows above, where the sandbox is made of these. */
static const struct object_row stateful = {KIND_STATEFULSET, false, "", "", false, false, manifest_statefulset};
static const struct object_row route_app = {KIND_HTTPROUTE, false, "", "-app-route", true, false, manifest_route_app};
static const struct object_row route_tty = {KIND_HTTPROUTE, false, "", "-ttyd-route", true, false, manifest_route_tty};
/* clang-format on */

bool kube_is_used(enum kube_use use, const struct sandbox_kinds *of)
{
    switch (use) {
    case USE_ALWAYS:
        return true;
    case USE_DEPLOYMENT:
        return of->workload == WORKLOAD_DEPLOYMENT;
    case USE_STATEFULSET:
        return of->workload == WORKLOAD_STATEFULSET;
    case USE_INGRESS:
        return of->route == ROUTE_INGRESS;
    case USE_HTTPROUTE:
        return of->route == ROUTE_HTTPROUTE;
    }
    return true;
}

const struct kube_kind_row *kube_kind_row(enum kube_kind kind)
{
    return &kinds[kind];
}

const struct object_row *object_row(enum cluster_object object, const struct sandbox_kinds *of)
{
    if (object == OBJECT_WORKLOAD && of->workload == WORKLOAD_STATEFULSET)
        return &stateful;
    if (object == OBJECT_INGRESS_APP && of->route == ROUTE_HTTPROUTE)
        return &route_app;
    if (object == OBJECT_INGRESS_TTY && of->route == ROUTE_HTTPROUTE)
        return &route_tty;
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

struct str object_base(enum kube_kind kind, struct str name, bool *ret_is_database)
{
    static const struct sandbox_kinds all[] = {
        {WORKLOAD_DEPLOYMENT,  ROUTE_INGRESS  },
        {WORKLOAD_STATEFULSET, ROUTE_HTTPROUTE}
    };
    const struct object_row *best = NULL;
    *ret_is_database = false;
    for (size_t i = 0; i < OBJECT_N * sizeof all / sizeof *all; i++) {
        const struct object_row *row = object_row((enum cluster_object)(i % OBJECT_N), &all[i / OBJECT_N]);
        bool is_like = row->kind == kind && str_starts(name, str_from(row->prefix)) &&
                       str_ends(name, str_from(row->suffix)) && name.n > strlen(row->prefix) + strlen(row->suffix);
        if (is_like && (best == NULL || strlen(row->suffix) > strlen(best->suffix)))
            best = row;
    }
    if (best == NULL)
        return STR_NONE;
    *ret_is_database = best->is_database;
    return str_slice(name, strlen(best->prefix), name.n - strlen(best->suffix));
}

void object_name(enum cluster_object object, const struct sandbox *sb, char ret[OBJECT_NAME_SIZE])
{
    const struct object_row *row = object_row(object, &sb->kinds);
    struct buf name;
    ret[0] = '\0';
    if (!sandbox_has_object(sb, object))
        return;
    buf_init(&name, OBJECT_NAME_SIZE);
    buf_add_text(&name, row->prefix);
    buf_add_text(&name, row->is_database ? sb->database_name : sb->name);
    buf_add_text(&name, row->suffix);
    /* A retry's container must not start with what the attempt before left: it waits for a Secret of its own. */
    if (object == OBJECT_ENV_SECRET && sb->attempt > 1)
        buf_addf(&name, "-%u", sb->attempt);
    if (!str_copy(buf_str(&name), ret, OBJECT_NAME_SIZE))
        ret[0] = '\0'; /* cannot be: KUBE_NAME_SIZE and the longest suffix fit */
    buf_fini(&name);
}
