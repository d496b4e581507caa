// SPDX-License-Identifier: MIT
/* Between the controllers only: the queue, an entry's work, and small helpers. */
#pragma once

#include "core/base/arena.h"
#include "devcluster/control/control.h"

struct control;
struct database; /* kubeblocks_pg.c */

/* What the controllers keep about a living object. */
struct work {
    struct control *control;
    struct entry *entry;
    struct work *next; /* in the queue */
    bool is_queued;
    bool checks_owners; /* the garbage collector must look whether an owner is left */
    bool is_poked;      /* a pod's annotations changed: try again at once */
    struct loop_timer timer;
    int step;          /* the reconciler's own */
    ms_t due_ms;       /* when the step is due */
    int failures_n;    /* tries in a row that failed */
    int64_t cpu_milli; /* what a bound pod takes from the node */
    int64_t memory_milli;
    bool is_bound;
    struct database *database; /* of a Cluster */
};

struct control {
    struct loop *loop;
    struct store *store;
    struct str ca_pem;
    struct control_delays delays;
    struct pg_connection *pg;
    const char *pg_host;
    uint16_t pg_port;
    struct store_listener listener;
    struct work *first; /* the queue */
    struct work *last;
    struct loop_task task;
    int64_t cpu_used_milli; /* of the one node */
    int64_t memory_used_milli;
    int64_t pods_used;
    uint32_t pod_ips_n;
    char **images; /* what the node has pulled */
    size_t images_n;
    size_t images_cap;
};

/* One step of an object's controller; sets work_after for the next. The entry lives. */
typedef void reconcile(struct control *control, struct work *w);
reconcile secret_reconcile, deployment_reconcile, replicaset_reconcile, statefulset_reconcile, httproute_reconcile,
    pod_reconcile, service_reconcile, cluster_reconcile, namespace_reconcile, claim_reconcile, event_reconcile,
    quota_reconcile;

void work_enqueue(struct entry *e);
/* Enqueues after delay_ms; an earlier timer is replaced. */
void work_after(struct work *w, ms_t delay_ms);

/* gc.c: owners, foreground and orphan deletion. False: the entry is gone. */
bool gc_reconcile(struct control *control, struct work *w);
void gc_on_deleted(struct control *control, const struct object *o);

/* kubeblocks.c: is the operator that of 1.0? The name of the Cluster's (first) component. */
bool cluster_is_v1(const struct control *control);
struct str cluster_component(const struct object *o);
/* kubeblocks_secret.c: does nothing if it is there. */
void cluster_secret_create(struct control *control, struct work *w);
bool cluster_has_secret(struct control *control, const struct object *o);

/* events.c */
struct happening {
    const char *type; /* "Normal", "Warning" */
    const char *reason;
    const char *component;
    const char *message;
};
void event_record(struct control *control, const struct object *about, const struct happening *h);

/* pod_make.c: pods of a template (spec.template of their owner, without defaults). */
struct doc *pod_of_template(struct arena *a, const struct object *owner, const char *name);
/* Ten letters that change with the template. */
const char *template_hash(struct arena *a, const struct object *owner);
/* NULL, or why the API server would refuse the pod: account, quota; in the arena. */
const char *pod_refusal(struct control *control, struct arena *a, const struct doc *root);
/* Failed or Succeeded. */
bool pod_is_over(const struct object *pod);

/* lifecycle.c: a claim stays while a pod uses it. */
#define CLAIM_FINALIZER "kubernetes.io/pvc-protection"

/* pod_node.c: what the node can take. NULL: bound; else why it cannot be scheduled, in the arena. */
const char *node_bind(struct control *control, struct arena *a, struct work *w);
/* The node has taken the pod, now or in an earlier life of the cluster. */
void node_occupy(struct control *control, struct work *w);
void node_release(struct control *control, struct work *w);
/* True the first time an image is asked for. */
bool node_needs_pull(const struct control *control, struct str image);
void node_pulled(struct control *control, struct str image);

/* Sets a condition as Kubernetes does: nothing when status and reason are the same, else the old one is replaced at the
 * end; the transition time is kept while the status is. */
struct condition {
    const char *type;
    const char *status;
    const char *reason;
    const char *message;
};
void condition_set(struct control *control, struct draft *d, struct doc *conditions, const struct condition *c);
struct doc *condition_find(struct doc *conditions, const char *type);
/* An ownerReference with controller and blockOwnerDeletion. */
void owner_add(struct arena *a, struct doc *root, const struct object *owner);

/* kubeblocks_pg.c: a Cluster's role and database. Each calls work_enqueue when it knows more. */
enum database_state { DATABASE_BUSY, DATABASE_DONE, DATABASE_FAILED };
/* Starts or looks at the making of it. */
enum database_state database_make(struct control *control, struct work *w);
enum database_state database_drop(struct control *control, struct work *w);
const char *database_name(const struct work *w);
const char *database_password(const struct work *w);
void database_free(struct work *w);
