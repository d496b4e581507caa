// SPDX-License-Identifier: MIT
/* The controllers of the embedded cluster: garbage collection, Deployments, ReplicaSets, a scheduler and a kubelet for
 * one node, EndpointSlices, the KubeBlocks operator. They look at the store and write to it, woken by its events and by
 * timers that stand for the time such things take. */
#pragma once

#include "core/base/err.h"
#include "core/io/loop.h"
#include "devcluster/objects/store.h"

struct control;
struct pg_connection;

/* How long things take. All zero: as fast as the loop turns, but each step is still an event of its own. */
struct control_delays {
    ms_t schedule_ms;
    ms_t pull_first_ms; /* an image the node has not seen */
    ms_t pull_again_ms;
    ms_t start_ms;
    ms_t ready_ms; /* until a readiness or startup probe succeeds; without probes a pod is ready when it runs */
    ms_t stop_ms;  /* from deletion until a container is gone */
    ms_t database_ms;
    ms_t retry_ms; /* back-off of image pulls, crashes and missing Secrets */
};
extern const struct control_delays CONTROL_REALISTIC;
extern const struct control_delays CONTROL_ZERO;

struct control_config {
    struct store *store;
    struct str ca_pem; /* what Secrets of tokens say; borrowed */ /* borrowed */
    struct control_delays delays;
    struct pg_connection *pg; /* borrowed; a role and a database are made per Cluster. NULL: Secrets only */
    const char *pg_host;      /* written into the Secrets when pg is given; borrowed */
    uint16_t pg_port;
};

/* pod_make.c: the condition Ready. */
bool pod_is_ready(const struct object *pod);

struct control *control_new(struct loop *loop, const struct control_config *config);
void control_free(struct control *control);
