// SPDX-License-Identifier: MIT
/* The closed sets of the domain that have names: stages, their states, sandbox states, reasons of failure. Each is one
 * X-macro, from which enum, wire text and words for people come. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/str.h"

/*    name        wire id       title                      description */
#define STAGES(X)                                                                                                      \
    X(DATABASE, "database", "Database Creation", "Setting up a dedicated PostgreSQL database with KubeBlocks")         \
    X(CONTAINER, "container", "Container Provisioning", "Starting an isolated pod with the runtime image")             \
    X(NETWORKING, "networking", "Network Configuration", "Setting up the service and both ingresses")                  \
    X(TERMINAL, "terminal", "Terminal Initialization", "Waiting for the web terminal to listen")                       \
    X(READY, "ready", "Environment Ready", "Everything is available")

enum stage {
#define X(name, id, title, text) STAGE_##name,
    STAGES(X)
#undef X
        STAGE_N
};

#define STAGE_STATUSES(X)                                                                                              \
    X(PENDING, "pending")                                                                                              \
    X(IN_PROGRESS, "in_progress")                                                                                      \
    X(COMPLETED, "completed")                                                                                          \
    X(FAILED, "failed")                                                                                                \
    X(SKIPPED, "skipped")

enum stage_status {
#define X(name, id) STAGE_STATUS_##name,
    STAGE_STATUSES(X)
#undef X
        STAGE_STATUS_N
};

/*    name         row          outer, as the original's clients read it */
#define SANDBOX_STATUSES(X)                                                                                            \
    X(CREATING, "CREATING", "creating")                                                                                \
    X(STARTING, "STARTING", "starting")                                                                                \
    X(RUNNING, "RUNNING", "running")                                                                                   \
    X(STOPPING, "STOPPING", "stopping")                                                                                \
    X(STOPPED, "STOPPED", "stopped")                                                                                   \
    X(ERROR, "ERROR", "error")                                                                                         \
    X(TERMINATING, "TERMINATING", "terminating")                                                                       \
    X(TERMINATED, "TERMINATED", "terminated")

enum sandbox_status {
#define X(name, row, outer) SANDBOX_##name,
    SANDBOX_STATUSES(X)
#undef X
        SANDBOX_STATUS_N
};

/* What the owner asked for last. The flow leads from what is to what is desired. */
#define DESIREDS(X)                                                                                                    \
    X(RUNNING, "running")       /* database and sandbox exist and answer */                                            \
    X(STOPPED, "stopped")       /* both exist and neither runs */                                                      \
    X(TERMINATED, "terminated") /* no sandbox; the database stays */                                                   \
    X(DELETED, "deleted")       /* nothing of the project stays */                                                     \
    X(DETACHED, "detached")     /* the project goes, its database stays in the cluster */

enum desired {
#define X(name, id) DESIRED_##name,
    DESIREDS(X)
#undef X
        DESIRED_N
};

/* What runs a sandbox's pod. Rows hold the id. */
#define WORKLOADS(X)                                                                                                   \
    X(DEPLOYMENT, "deployment", "Deployment")                                                                          \
    X(STATEFULSET, "statefulset", "StatefulSet") /* with a volume of its own */

enum workload_kind {
#define X(name, id, kind) WORKLOAD_##name,
    WORKLOADS(X)
#undef X
        WORKLOAD_N
};

/* What leads from a host name to its Service. */
#define ROUTES(X)                                                                                                      \
    X(INGRESS, "ingress", "Ingress")                                                                                   \
    X(HTTPROUTE, "httproute", "HTTPRoute")

enum route_kind {
#define X(name, id, kind) ROUTE_##name,
    ROUTES(X)
#undef X
        ROUTE_N
};

/* How an attempt ended. */
#define OUTCOMES(X)                                                                                                    \
    X(NONE, "none")                                                                                                    \
    X(READY, "ready")                                                                                                  \
    X(FAILED, "failed")                                                                                                \
    X(CANCELLED, "cancelled")                                                                                          \
    X(STOPPED, "stopped")                                                                                              \
    X(TERMINATED, "terminated")                                                                                        \
    X(DELETED, "deleted")

enum outcome {
#define X(name, id) OUTCOME_##name,
    OUTCOMES(X)
#undef X
        OUTCOME_N
};

/* Why something waits or failed: the machine's word and a hint of what to do. */
#define REASONS(X)                                                                                                     \
    X(NONE, "", "")                                                                                                    \
    X(IMAGE_PULL, "IMAGE_PULL", "Check that the image exists and that the cluster may pull it, then retry.")           \
    X(UNSCHEDULABLE, "UNSCHEDULABLE",                                                                                  \
      "No node has room. Stop a sandbox you do not need or ask the operator for capacity, then retry.")                \
    X(QUOTA_EXCEEDED, "QUOTA_EXCEEDED",                                                                                \
      "The namespace's quota is used up. Stop a sandbox you do not need or ask for a larger quota, then retry.")       \
    X(PVC_PENDING, "PVC_PENDING",                                                                                      \
      "No volume could be bound. Ask the operator to check the storage class, then retry.")                            \
    X(CRASH_LOOP, "CRASH_LOOP", "The container ends again and again. Look at its last output, fix it, then retry.")    \
    X(DB_CLUSTER_FAILED, "DB_CLUSTER_FAILED",                                                                          \
      "KubeBlocks could not bring the database up. Ask the operator to look at the Cluster's conditions, then retry.") \
    X(DB_SECRET_MISSING, "DB_SECRET_MISSING",                                                                          \
      "KubeBlocks did not publish the database's credentials. Ask the operator to check it, then retry.")              \
    X(DB_UNREACHABLE, "DB_UNREACHABLE",                                                                                \
      "The database does not answer with its credentials. Wait a little, then retry.")                                 \
    X(INGRESS_CONFLICT, "INGRESS_CONFLICT",                                                                            \
      "The host name is taken in the cluster. Delete the sandbox and create it anew.")                                 \
    X(TERMINAL_NO_ANSWER, "TERMINAL_NO_ANSWER",                                                                        \
      "The terminal does not listen on port 7681. Check the image, then retry.")                                       \
    X(DEADLINE, "DEADLINE", "It took longer than allowed. Retry; what exists already is kept.")                        \
    X(CANCELLED, "CANCELLED", "You cancelled it. Create it again at any time; the database is kept.")                  \
    X(FORBIDDEN, "FORBIDDEN", "The server's account may not do this. Ask the operator to run fullstackd doctor.")      \
    X(FINALIZER, "FINALIZER",                                                                                          \
      "Its removal waits for whoever put a finalizer on it. If it does not go on, ask the operator to look at it.")    \
    X(CLUSTER_UNREACHABLE, "CLUSTER_UNREACHABLE",                                                                      \
      "The Kubernetes API does not answer, or with an error of its own. It is tried again by itself.")                 \
    X(INVALID, "INVALID", "Kubernetes refused the object. Ask the operator to look at the server's log.")              \
    X(CONFLICT, "CONFLICT", "An object of that name belongs to somebody else. Delete the sandbox and create it anew.") \
    X(IDLE_SOON, "IDLE_SOON", "Use it, or say that you do, and it goes on.")                                           \
    X(AGE_SOON, "AGE_SOON", "Save your work. Start it again at any time; its data is kept.")                           \
    X(IDLE_STOP, "IDLE_STOP", "Nobody used it. Start it again at any time; its data is kept.")                         \
    X(AGE_STOP, "AGE_STOP", "It ran for as long as it may. Start it again at any time; its data is kept.")             \
    X(DRIFT, "DRIFT",                                                                                                  \
      "It was changed in the cluster from outside. If that is not made good by itself, start it once more.")

enum reason {
#define X(name, id, hint) REASON_##name,
    REASONS(X)
#undef X
        REASON_N
};

/* Texts of a value; never NULL. */
const char *stage_id(enum stage s);
const char *stage_title(enum stage s);
const char *stage_description(enum stage s);
const char *stage_status_id(enum stage_status s);
const char *sandbox_status_row(enum sandbox_status s);
const char *sandbox_status_outer(enum sandbox_status s);
const char *desired_id(enum desired d);
const char *workload_id(enum workload_kind k);
const char *workload_kind(enum workload_kind k); /* "Deployment" */
const char *route_id(enum route_kind k);
const char *route_kind(enum route_kind k); /* "Ingress" */
const char *outcome_id(enum outcome o);
const char *reason_id(enum reason r);
const char *reason_hint(enum reason r);

/* The value of a text as rows and messages carry it; false if there is none. */
MUST_CHECK bool stage_parse(struct str text, enum stage *ret);
MUST_CHECK bool stage_status_parse(struct str text, enum stage_status *ret);
MUST_CHECK bool sandbox_status_parse(struct str row, enum sandbox_status *ret);
MUST_CHECK bool desired_parse(struct str text, enum desired *ret);
MUST_CHECK bool workload_parse(struct str text, enum workload_kind *ret);
MUST_CHECK bool route_parse(struct str text, enum route_kind *ret);
MUST_CHECK bool outcome_parse(struct str text, enum outcome *ret);
MUST_CHECK bool reason_parse(struct str text, enum reason *ret);
