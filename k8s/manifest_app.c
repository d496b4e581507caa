// SPDX-License-Identifier: MIT
/* The sandbox itself: its Deployment or StatefulSet and the Secret with its environment. Labels, annotations and values
 * are the original's, of the StatefulSet its successor's; probes, security context and envFrom are ours. */
#include <stddef.h>

#include "core/base/str.h"
#include "k8s/manifest.h"
#include "k8s/objects.h"

enum {
    TERMINAL_PORT = 7681,
    STARTUP_PERIOD_S = 2,
    STARTUP_FAILURES_N = 150, /* five minutes until the container is restarted */
    READINESS_PERIOD_S = 5,
    READINESS_FAILURES_N = 3,
    VOLUME_GROUP = 1001, /* may write to the volume, whoever the image's user is */
    STATEFUL_GRACE_S = 10,
};

/* A fresh volume hides what the image has at its path, so that is copied into it, once. */
#define INIT_MOUNT "/volume"
static const char INIT_SCRIPT[] = "[ -e " INIT_MOUNT "/.initialized ] && exit 0; "
                                  "if [ -d \"$1\" ]; then cp -a \"$1/.\" " INIT_MOUNT "/ || exit 1; fi; "
                                  ": > " INIT_MOUNT "/.initialized";

static void write_probe(struct json_writer *w, const char *key, int period_s, int failures_n)
{
    manifest_open(w, key, "tcpSocket", NULL);
    jw_kv_int(w, "port", TERMINAL_PORT);
    jw_object_end(w);
    jw_kv_int(w, "periodSeconds", period_s);
    jw_kv_int(w, "failureThreshold", failures_n);
    jw_object_end(w);
}

static void write_resources(struct json_writer *w, const struct k8s_profile *p)
{
    const struct manifest_pair requests[] = {
        {"cpu",    p->cpu_request   },
        {"memory", p->memory_request},
        {NULL,     NULL             },
    };
    const struct manifest_pair limits[] = {
        {"cpu",    p->cpu_limit   },
        {"memory", p->memory_limit},
        {NULL,     NULL           },
    };

    manifest_open(w, "resources", "requests", NULL);
    manifest_pairs(w, requests);
    jw_object_end(w);
    manifest_map(w, "limits", limits);
    jw_object_end(w);
}

static void write_ports(struct json_writer *w, const struct sandbox *sb)
{
    jw_key(w, "ports");
    jw_array(w);
    for (size_t i = 0; i < SANDBOX_PORT_N; i++) {
        jw_object(w);
        jw_kv_int(w, "containerPort", SANDBOX_PORTS[i]);
        jw_kv_text(w, "name", sb->port_names[i]);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_env_from(struct json_writer *w, const struct sandbox *sb)
{
    char name[OBJECT_NAME_SIZE];
    object_name(OBJECT_ENV_SECRET, sb, name);
    jw_key(w, "envFrom");
    jw_array(w);
    jw_object(w);
    manifest_open(w, "secretRef", NULL);
    jw_kv_text(w, "name", name);
    jw_kv_bool(w, "optional", false); /* the container waits for its environment, its image does not */
    manifest_close(w, 2);
    jw_array_end(w);
}

static const char *pull_policy(const struct manifest *m)
{
    struct str image = str_from(m->sb->image);
    if (m->profile->pull_policy != NULL)
        return m->profile->pull_policy;
    return str_find_str(image, STR("@sha256:")) < image.n ? "IfNotPresent" : "Always";
}

static bool is_stateful(const struct manifest *m)
{
    return m->sb->kinds.workload == WORKLOAD_STATEFULSET;
}

/* path: NULL for no volume. */
static void write_mounts(struct json_writer *w, const char *path)
{
    jw_key(w, "volumeMounts");
    jw_array(w);
    if (path != NULL) {
        jw_object(w);
        jw_kv_text(w, "name", VOLUME_NAME);
        jw_kv_text(w, "mountPath", path);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* Of a container. Source: kubernetes.io/docs/concepts/security/pod-security-standards */
static void write_privileges(struct json_writer *w, const struct k8s_profile *profile, bool is_root)
{
    const char *const all[] = {"ALL", NULL};
    manifest_open(w, "securityContext", NULL);
    if (is_root)
        jw_kv_int(w, "runAsUser", 0);
    jw_kv_bool(w, "allowPrivilegeEscalation", false);
    if (profile->is_restricted) {
        manifest_open(w, "capabilities", NULL);
        manifest_texts(w, "drop", all);
        jw_object_end(w);
    }
    jw_object_end(w);
}

static void write_init_container(struct json_writer *w, const struct manifest *m)
{
    const char *const command[] = {"/bin/sh", "-c", INIT_SCRIPT, "init", m->profile->volume_path, NULL};
    jw_key(w, "initContainers");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "name", "init-home-directory");
    jw_kv_text(w, "image", m->sb->image);
    jw_kv_text(w, "imagePullPolicy", pull_policy(m));
    manifest_texts(w, "command", command);
    write_resources(w, m->profile);
    write_mounts(w, INIT_MOUNT);
    /* Root keeps the owners of what it copies. */
    write_privileges(w, m->profile, !m->profile->is_restricted);
    jw_object_end(w);
    jw_array_end(w);
}

static void write_container(struct json_writer *w, const struct manifest *m)
{
    jw_object(w);
    jw_kv_text(w, "name", m->sb->name);
    jw_kv_text(w, "image", m->sb->image);
    write_env_from(w, m->sb);
    write_resources(w, m->profile);
    write_ports(w, m->sb);
    jw_kv_text(w, "imagePullPolicy", pull_policy(m));
    write_probe(w, "startupProbe", STARTUP_PERIOD_S, STARTUP_FAILURES_N);
    write_probe(w, "readinessProbe", READINESS_PERIOD_S, READINESS_FAILURES_N);
    write_privileges(w, m->profile, false);
    write_mounts(w, is_stateful(m) ? m->profile->volume_path : NULL);
    jw_object_end(w);
}

static void write_pod_spec(struct json_writer *w, const struct manifest *m)
{
    manifest_open(w, "spec", NULL);
    jw_kv_bool(w, "automountServiceAccountToken", false);
    jw_kv_bool(w, "enableServiceLinks", false); /* neighbours' addresses are not to be found in the environment */
    if (is_stateful(m))
        jw_kv_int(w, "terminationGracePeriodSeconds", STATEFUL_GRACE_S);
    manifest_open(w, "securityContext", "seccompProfile", NULL);
    jw_kv_text(w, "type", "RuntimeDefault");
    jw_object_end(w);
    if (m->profile->is_restricted) {
        jw_kv_bool(w, "runAsNonRoot", true);
        jw_kv_int(w, "runAsUser", m->profile->run_as_user);
    }
    if (is_stateful(m)) {
        jw_kv_int(w, "fsGroup", VOLUME_GROUP);
        jw_kv_text(w, "fsGroupChangePolicy", "OnRootMismatch");
    }
    jw_object_end(w);
    if (is_stateful(m))
        write_init_container(w, m);
    jw_key(w, "containers");
    jw_array(w);
    write_container(w, m);
    jw_array_end(w);
    jw_key(w, "volumes");
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
}

static void write_strategy(struct json_writer *w)
{
    manifest_open(w, "strategy", NULL);
    jw_kv_text(w, "type", "RollingUpdate");
    manifest_open(w, "rollingUpdate", NULL);
    jw_kv_int(w, "maxUnavailable", 0);
    jw_kv_int(w, "maxSurge", 1);
    manifest_close(w, 2);
}

static void write_template(struct json_writer *w, const struct manifest *m)
{
    const struct manifest_pair labels[] = {
        {"app",              m->sb->name        },
        {"restartTime",      m->sb->restart_time},
        {LABEL_MANAGED_BY,   "fullstackd"       },
        {LABEL_PROJECT_NAME, m->sb->slug        },
        {LABEL_PROJECT_ID,   m->sb->project_id  },
        {NULL,               NULL               },
    };

    manifest_open(w, "template", "metadata", "labels", NULL);
    manifest_pairs(w, labels);
    manifest_close(w, 2);
    write_pod_spec(w, m);
    jw_object_end(w);
}

static void write_workload_metadata(struct json_writer *w, const struct manifest *m)
{
    const struct manifest_pair labels[] = {
        {"cloud.sealos.io/app-deploy-manager", m->sb->name },
        {"app",                                m->sb->name },
        {LABEL_MANAGED_BY,                     "fullstackd"},
        {NULL,                                 NULL        },
    };
    const struct manifest_pair annotations[] = {
        {"originImageName",                    m->sb->image                                    },
        {"deploy.cloud.sealos.io/minReplicas", "1"                                             },
        {"deploy.cloud.sealos.io/maxReplicas", "1"                                             },
        {"deploy.cloud.sealos.io/resize",      is_stateful(m) ? m->profile->volume_size : "0Gi"},
        {NULL,                                 NULL                                            },
    };

    manifest_metadata(w, m, OBJECT_WORKLOAD, labels, annotations);
}

static void write_selector(struct json_writer *w, const struct manifest *m)
{
    manifest_open(w, "selector", "matchLabels", NULL);
    jw_kv_text(w, "app", m->sb->name);
    manifest_close(w, 2);
}

void manifest_deployment(struct json_writer *w, const struct manifest *m)
{
    write_workload_metadata(w, m);
    manifest_open(w, "spec", NULL);
    jw_kv_int(w, "replicas", 1);
    jw_kv_int(w, "revisionHistoryLimit", 1);
    write_selector(w, m);
    write_strategy(w);
    write_template(w, m);
    jw_object_end(w);
}

/* ---- StatefulSet ---- */

/* The controller copies the labels to the claim: by them it is watched. */
static void write_claim_template(struct json_writer *w, const struct manifest *m)
{
    static const char *const modes[] = {"ReadWriteOnce", NULL};
    jw_key(w, "volumeClaimTemplates");
    jw_array(w);
    jw_object(w);
    manifest_open(w, "metadata", NULL);
    jw_kv_text(w, "name", VOLUME_NAME);
    manifest_open(w, "labels", NULL);
    jw_kv_text(w, "cloud.sealos.io/app-deploy-manager", m->sb->name);
    jw_kv_text(w, LABEL_PROJECT_NAME, m->sb->slug);
    jw_kv_text(w, LABEL_PROJECT_ID, m->sb->project_id);
    manifest_close(w, 2);
    manifest_open(w, "spec", NULL);
    manifest_texts(w, "accessModes", modes);
    if (m->profile->volume_class != NULL)
        jw_kv_text(w, "storageClassName", m->profile->volume_class);
    manifest_open(w, "resources", "requests", NULL);
    jw_kv_text(w, "storage", m->profile->volume_size);
    manifest_close(w, 4);
    jw_array_end(w);
}

static void write_stateful_policies(struct json_writer *w, const struct manifest *m)
{
    jw_kv_int(w, "minReadySeconds", m->profile->min_ready_s);
    manifest_open(w, "persistentVolumeClaimRetentionPolicy", NULL);
    jw_kv_text(w, "whenDeleted", "Delete");
    jw_kv_text(w, "whenScaled", "Retain");
    jw_object_end(w);
    manifest_open(w, "updateStrategy", NULL);
    jw_kv_text(w, "type", "RollingUpdate");
    manifest_open(w, "rollingUpdate", NULL);
    jw_kv_text(w, "maxUnavailable", "50%");
    manifest_close(w, 2);
}

void manifest_statefulset(struct json_writer *w, const struct manifest *m)
{
    char service[OBJECT_NAME_SIZE];
    object_name(OBJECT_SERVICE, m->sb, service);
    write_workload_metadata(w, m);
    manifest_open(w, "spec", NULL);
    jw_kv_int(w, "replicas", 1);
    jw_kv_int(w, "revisionHistoryLimit", 1);
    write_stateful_policies(w, m);
    write_template(w, m);
    /* These may not change: an existing set keeps the volume it was made with. */
    if (m->resource_version == NULL) {
        jw_kv_text(w, "serviceName", service);
        jw_kv_text(w, "podManagementPolicy",
                   "Parallel"); /* an ordered set never replaces a pod that was not ready once */
        write_selector(w, m);
        write_claim_template(w, m);
    }
    jw_object_end(w);
}

/* ---- environment ---- */

void manifest_env_secret(struct json_writer *w, const struct manifest *m)
{
    const struct manifest_pair labels[] = {
        {"cloud.sealos.io/app-deploy-manager", m->sb->name },
        {"app",                                m->sb->name },
        {LABEL_MANAGED_BY,                     "fullstackd"},
        {NULL,                                 NULL        },
    };

    manifest_metadata(w, m, OBJECT_ENV_SECRET, labels, NULL);
    if (m->resource_version != NULL) { /* a merge patch would keep variables that are gone */
        jw_key(w, "data");
        jw_null(w);
    }
    jw_key(w, "stringData");
    jw_raw(w, str_is_none(m->env) ? STR("{}") : m->env);
}

void manifest_env(struct json_writer *w, const struct env_list *env)
{
    jw_object(w);
    for (size_t i = 0; i < env->n; i++) {
        jw_key_str(w, env->vars[i].key);
        jw_str(w, env->vars[i].value);
    }
    jw_object_end(w);
}
