// SPDX-License-Identifier: MIT
/* The cluster port: all that core knows of Kubernetes. Implemented by k8s/port.c and by the simulation's cluster. */
#pragma once

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/io/op.h"
#include "core/observed.h"
#include "core/sandbox.h"

typedef void cluster_on_credentials(void *arg, const struct db_credentials *credentials, const struct err *err);
/* project_id: whose objects changed; absent: anything may have changed (a cache synced, the API came back or went). */
typedef bool cluster_may_send(void *arg);
typedef void cluster_on_change(void *arg, struct str project_id);

struct port_cluster {
    void *self;

    /* Pure: reads caches, no I/O. */
    void (*observe)(void *self, const struct sandbox *sb, struct observed *ret);

    /* Creates the object or brings it to its manifest; idempotent. The answer is in the caches before `done` runs.
     * env: for OBJECT_ENV_SECRET, else NULL; borrowed during the call. sb: borrowed during the call.
     * err: CONFLICT with reason "Foreign" when the name belongs to somebody else; DENIED with reason "Forbidden" or
     * "QuotaExceeded"; INVALID; UPSTREAM, NOT_READY, LIMIT, TIMEOUT (all retryable). */
    struct op *(*apply)(void *self, enum cluster_object object, const struct sandbox *sb, const struct env_list *env,
                        ms_t timeout_ms, op_done *done, void *arg);

    /* Ends what runs in an object (OBJECT_WORKLOAD, OBJECT_DATABASE) and lets it run again; its definition and its data
     * stay. Each changes the object even where it is so already, so that an earlier call which is still on its way is
     * refused. An object that is not there or not ours counts as done; errors as for apply. */
    struct op *(*halt)(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms, op_done *done,
                       void *arg);
    struct op *(*resume)(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                         op_done *done, void *arg);

    /* Deletes it; an object that is not there, or is being deleted, or is not ours, counts as done. */
    struct op *(*remove)(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                         op_done *done, void *arg);

    /* Deletes the environment Secret that an earlier attempt left (attempt < sb->attempt); otherwise as remove. */
    struct op *(*remove_former_env)(void *self, const struct sandbox *sb, unsigned attempt, ms_t timeout_ms,
                                    op_done *done, void *arg);

    /* Reads the database's credentials; MISSING while the Secret is not there. */
    struct op *(*credentials)(void *self, const struct sandbox *sb, ms_t timeout_ms, cluster_on_credentials *done,
                              void *arg);

    /* Touches the pod, so that a kubelet in back-off (CreateContainerConfigError) tries again at once. */
    struct op *(*nudge)(void *self, const struct sandbox *sb, ms_t timeout_ms, op_done *done, void *arg);

    /* Asked before each call for a project is sent, which may be long after it was started, as after a sleep of the
     * process: where it says no, the call waits. One guard; NULL: none. */
    void (*guard)(void *self, cluster_may_send *may_send, void *arg);

    /* One subscriber; called on the loop, never from within the functions above. */
    void (*subscribe)(void *self, cluster_on_change *on_change, void *arg);

    /* Forgets what is remembered of unwatched objects (Secret, RBAC, NetworkPolicy) of the project. */
    void (*forget)(void *self, struct str project_id);
};
