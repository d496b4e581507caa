// SPDX-License-Identifier: MIT
/* Between pod.c, pod_fate.c and pod_status.c only. */
#pragma once

#include "devcluster/control/control_private.h"

/* What a pod's containers look like; written into its status. */
struct pod_look {
    const char *phase;   /* NULL: unchanged */
    const char *waiting; /* reason; NULL: running */
    const char *message; /* of waiting; NULL: none */
    bool has_sandbox;    /* PodReadyToStartContainers, an IP address */
    bool is_pulled;      /* imageID and containerID are known */
    bool is_started;
    bool is_ready;
    bool adds_restart;
    const char *ended; /* lastState.terminated.reason; NULL: unchanged */
    int exit_code;
};
void pod_show(struct control *control, struct work *w, const struct pod_look *look);
/* phase Failed with a reason, as after an eviction. */
void pod_fail(struct control *control, struct work *w, const char *reason, const char *message);
/* The first container's name and image. */
struct str pod_container(const struct object *pod);
struct str pod_image(const struct object *pod);

/* What is to go wrong with a pod: the first found of annotation or label kwok.test/NAME, a container's env, a Secret
 * it takes its env from. */
enum fate {
    FATE_NONE,
    FATE_IMAGE_PULL,
    FATE_INVALID_IMAGE,
    FATE_CRASH,
    FATE_OOM,
    FATE_CONFIG,
    FATE_NOT_READY,
    FATE_EVICTED,
    FATE_NEVER_STARTS
};
enum fate pod_fate(struct control *control, const struct object *pod);
/* How often it crashes before it stays up. */
int64_t pod_fail_times(struct control *control, const struct object *pod);
/* A duration knob ("ready-delay", "retry-delay"), or `otherwise`. */
ms_t pod_delay(struct control *control, const struct object *pod, const char *knob, ms_t otherwise);
/* NULL, or why the container cannot be configured: a Secret or ConfigMap that is not there; in the arena. */
const char *pod_missing_config(struct control *control, struct arena *a, const struct object *pod);
bool pod_has_probe(const struct object *pod);
