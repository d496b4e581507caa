// SPDX-License-Identifier: MIT
/* The cluster as the step engine sees it: the few facts of one sandbox's objects that decide, taken from watch caches.
 * Filled by k8s/ (or by the simulation), read by the checks. Plain data, no pointers to keep. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The objects of a project, the database's first. Rows in the store hold their places: new ones come last. The kinds of
 * the workload and of the ingresses are a sandbox's own (sandbox_object_kind), here stands the usual one. */
#define CLUSTER_OBJECTS(X)                                                                                             \
    X(SERVICE_ACCOUNT, "ServiceAccount")                                                                               \
    X(ROLE, "Role")                                                                                                    \
    X(ROLE_BINDING, "RoleBinding")                                                                                     \
    X(DATABASE, "Cluster")                                                                                             \
    X(WORKLOAD, "Deployment")                                                                                          \
    X(ENV_SECRET, "Secret")                                                                                            \
    X(SERVICE, "Service")                                                                                              \
    X(INGRESS_APP, "Ingress")                                                                                          \
    X(INGRESS_TTY, "Ingress")                                                                                          \
    X(NETWORK_POLICY, "NetworkPolicy")                                                                                 \
    X(CLAIM, "PersistentVolumeClaim") /* made by the StatefulSet */

enum cluster_object {
#define X(name, kind) OBJECT_##name,
    CLUSTER_OBJECTS(X)
#undef X
        OBJECT_N
};

enum presence {
    PRESENCE_UNKNOWN, /* the cache has not synced; of an unwatched kind: not applied by this process, or removed since
                       */
    PRESENCE_ABSENT,  /* seen to be absent: never said of an unwatched kind */
    PRESENCE_PRESENT,
    PRESENCE_DELETING, /* has a deletionTimestamp */
    PRESENCE_FOREIGN,  /* bears the name but not this project's id label */
};

enum db_phase {
    DB_PHASE_NONE,
    DB_PHASE_CREATING,
    DB_PHASE_UPDATING,
    DB_PHASE_RUNNING,
    DB_PHASE_STOPPING,
    DB_PHASE_STOPPED,
    DB_PHASE_FAILED, /* or Abnormal: some of it failed */
    DB_PHASE_DELETING,
    DB_PHASE_OTHER,
};

struct observed_database {
    enum db_phase phase;
    bool is_halted;    /* its definition says that nothing of it is to run */
    bool is_refused;   /* ProvisioningStarted=False (a missing ClusterDefinition): it will not begin */
    char message[192]; /* of the condition or component that says why, for people; may be empty */
};

struct observed_workload {
    int64_t generation;
    int64_t observed_generation;
    int replicas_wanted;
    int replicas_updated;
    int replicas_available;
    bool is_rolling;         /* of a StatefulSet: currentRevision is not updateRevision yet */
    bool is_available;       /* condition Available=True; of a StatefulSet: as many are ready as are wanted */
    bool is_replica_failure; /* condition ReplicaFailure=True; of a StatefulSet: the last event about it says so */
    bool is_quota;           /* because of a quota */
    bool is_progress_over;   /* Progressing=False ProgressDeadlineExceeded */
    char message[192];       /* of ReplicaFailure or Progressing */
};

struct observed_claim {
    bool exists;
    bool is_bound;
    char message[192]; /* of the newest event that says why it is not; empty: none does */
};

/* What Gateways say of an HTTPRoute; of its present generation only. */
struct observed_route {
    bool is_accepted;  /* Accepted=True, and not ResolvedRefs=False; or nobody is expected to say so */
    bool is_refused;   /* one of the two is False */
    bool is_conflict;  /* because somebody else has the host name */
    bool is_elsewhere; /* it does not lead from the sandbox's host name; of an Ingress too */
    char message[192];
};

/* The newest pod of the workload's current generation that is not Failed or being deleted; if all are, the newest. */
struct observed_pod {
    bool exists;
    bool is_former; /* made for an earlier attempt: it is to be replaced */
    bool is_failed; /* phase Failed: evicted, … */
    bool is_scheduled;
    bool is_unschedulable; /* PodScheduled=False Unschedulable */
    bool is_pulling;       /* an event said so and none said it ended */
    bool is_pulled;
    bool is_running; /* container state running */
    bool is_ready;   /* condition Ready=True */
    int restarts;
    int exit_code;           /* of the last termination */
    char waiting_reason[48]; /* containerStatuses[].state.waiting.reason, e.g. "ImagePullBackOff" */
    char last_reason[48];    /* lastState.terminated.reason, e.g. "OOMKilled" */
    char message[192];       /* of the condition or state that says why; may be empty */
    char node[64];
};

struct observed {
    bool is_synced; /* every cache has its first list: absence means something */
    /* Some kind that a sandbox is made of is not served, so that its absence says nothing of what ran. */
    bool is_blind;
    /* Everything that happened up to this moment (monotonic) has been heard of every kind; 0: nothing is known. */
    int64_t current_ms;
    bool is_reachable;       /* the API answers, or was not asked yet, and lets every kind be watched */
    bool are_databases_far;  /* nobody can log in to this cluster's databases from here */
    bool is_cluster_unknown; /* this server's configuration has no cluster of that name: nothing else is known either */
    char unread[320];  /* not reachable, and it does answer: why a kind cannot be watched, in its words; else empty */
    char refused[320]; /* what must be seen and may not: the API's words, which name verb and resource; else empty */
    enum presence objects[OBJECT_N];
    struct observed_database database;
    struct observed_workload workload;
    struct observed_claim claim;
    struct observed_route route_app, route_tty; /* of Ingresses only is_elsewhere */
    struct observed_pod pod;
    bool has_left_over_pod; /* one of a former attempt, which `pod` does not show, has not ended */
    int endpoints_n;        /* addresses behind the Service, ready or not */
    int endpoints_ready_n;  /* of them ready */
    char event_reason[48];  /* the newest warning event about the pod, its ReplicaSet or Deployment */
    char event_message[192];
};
