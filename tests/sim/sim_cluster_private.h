// SPDX-License-Identifier: MIT
/* The simulated cluster's own state, shared by sim_cluster.c (truth and what is seen of it) and sim_calls.c (what is
 * asked of it). */
#pragma once

#include <string.h>
#include <sys/queue.h>

#include "core/base/fit.h"
#include "core/base/xmem.h"
#include "tests/sim/sim.h"

enum fate {
    FATE_GOOD,
    FATE_PULL_FAILS,
    FATE_CRASHES,
    FATE_UNSCHEDULABLE,
    FATE_NEVER_READY,
    FATE_DB_FAILS,
    FATE_DB_NEVER,
    FATE_N
};

struct thing {
    bool exists;
    ms_t made_at_ms;
    ms_t gone_at_ms;    /* > 0: being deleted, gone then */
    ms_t refused_at_ms; /* when its removal was last refused */
    unsigned made_n;
    unsigned removed_n;
    unsigned version; /* grows with each change: a late patch of an older one is refused */
    bool is_halted;   /* what it runs was told to end */
    char name[KUBE_NAME_SIZE];
};

/* What READY tells: a pod that the Service finds, and ways to it. */
enum { SIM_FACT_DATABASE, SIM_FACT_POD, SIM_FACT_ENDPOINT, SIM_FACT_APP, SIM_FACT_TTY, SIM_FACTS_N };

struct place {
    char project_id[ID_SIZE];
    enum fate fate;
    bool was_bad; /* once its fate was another than good */
    bool was_vandalized;
    bool was_remade_unheard; /* its workload, by a call that nobody waited for any more */
    unsigned lost_attempt;   /* whose database was deleted from outside; 0: none */
    ms_t fate_at_ms;
    ms_t ready_since_ms; /* by the tick; 0: it is not */
    ms_t ready_last_ms;
    ms_t fact_last_ms[SIM_FACTS_N]; /* when each part of that was last so */
    unsigned worse_n;               /* how often something that was there went, or began to */
    struct thing things[OBJECT_N];
    struct sandbox_kinds kinds; /* of the workload that was made last */
    bool is_claim_kept;         /* nobody deletes it with its StatefulSet */
    char restart_time[15];
    ms_t pod_at_ms;       /* when the present pod was made; 0: none */
    ms_t env_seen_at_ms;  /* when its kubelet found the Secret */
    ms_t kubelet_next_ms; /* its back-off after CreateContainerConfigError */
    ms_t pod_gone_at_ms;  /* > 0: the workload is halted, the pod goes then */
    ms_t db_running_at_ms;
    ms_t db_stopped_at_ms; /* while halted */
    ms_t schedule_ms, pull_ms, start_ms, ready_ms, endpoint_ms;
};

struct call {
    struct op op;
    LIST_ENTRY(call) link;
    struct sim_cluster *cluster;
    struct view *view; /* of the process that asked */
    struct place *place;
    enum { CALL_APPLY, CALL_REMOVE, CALL_HALT, CALL_RESUME, CALL_CREDENTIALS, CALL_NUDGE, CALL_TIDY } verb;
    enum cluster_object object;
    struct sandbox_kinds kinds;
    char name[KUBE_NAME_SIZE];
    char restart_time[15];
    struct loop_timer send; /* while it waits for its turn */
    ms_t timeout_ms;        /* from the sending */
    struct sandbox sb;
    bool is_waiting;
    struct loop_timer land;
    struct loop_timer answer;
    struct err err;
    unsigned version; /* of the object as it was read; 0: it was not there */
    bool has_landed;
    bool is_refused; /* never lands */
    bool is_cancelled;
    bool is_answered;
    op_done *done;
    cluster_on_credentials *on_credentials;
    void *arg;
};

/* How often it had got worse, as far as a process knew: by its watches for certain, with an answer perhaps. */
struct knowledge {
    ms_t at_ms;
    unsigned surely_n;
    unsigned perhaps_n;
};

enum { SIM_KNOWN_N = 64, SIM_LOOKS_N = 512 };

/* What a process sees of one place. */
struct sight {
    ms_t looked_ms;
    ms_t looks_ms[SIM_LOOKS_N]; /* the last so many, round and round */
    unsigned looks_n;
    unsigned surely_n;
    unsigned perhaps_n;
    struct knowledge known[SIM_KNOWN_N]; /* each time it looked and knew something else */
    unsigned known_n;
};

/* What one process sees. */
struct view {
    struct sim_cluster *cluster;
    struct port_cluster port;
    struct observed caches[SIM_PROJECTS_N];
    bool known[SIM_PROJECTS_N][OBJECT_N];        /* unwatched kinds: what the process remembers */
    char restart_times[SIM_PROJECTS_N][15];      /* of the pods that it sees */
    unsigned known_of[SIM_PROJECTS_N][OBJECT_N]; /* the workload that owned it then, by its number */
    unsigned workloads[SIM_PROJECTS_N];          /* those that it sees */
    struct sight sights[SIM_PROJECTS_N];
    ms_t blind_last_ms; /* when it last saw nothing of what happened */
    struct loop_timer sync;
    bool is_synced;
    bool is_down;
    ms_t blind_until_ms; /* its watches bring nothing, and it does not know */
    cluster_may_send *may_send;
    void *may_send_arg;
    cluster_on_change *on_change;
    void *on_change_arg;
};

struct sim_cluster {
    struct sim *sim;
    struct view views[SIM_NODES_N];
    LIST_HEAD(, call) calls;
    struct place places[SIM_PROJECTS_N];
    size_t places_n;
    bool are_policies_watched; /* not with a Role of before */
    enum sim_hold hold;
    enum cluster_object held_object;
    ms_t hold_until_ms;
    struct loop_timer tick;
    unsigned calls_n;
};

/* sim_cluster.c */
ms_t sim_now(const struct sim_cluster *c);
bool sim_is_owned_by_workload(const struct place *p, enum cluster_object object);
struct place *sim_place_of(struct sim_cluster *c, const struct sandbox *sb);
enum presence sim_presence_of(const struct thing *t);
/* sim_drift.c: somebody deletes something of a sandbox that runs. */
void sim_vandalize(struct sim_cluster *c);

void sim_show(struct sim_cluster *c, struct place *p, struct observed *seen);

/* sim_sight.c */
void sim_note_ready(const struct sim_cluster *c, struct place *p, const struct observed *truth);
/* The watches brought everything; an answer told of something; the process makes use of what it sees. */
void sim_sight_look(struct view *v, size_t place);
void sim_sight_answer(struct view *v, size_t place);
void sim_sight_use(struct view *v, size_t place);

void sim_apply_thing(struct sim_cluster *c, const struct call *call);
void sim_run_thing(struct sim_cluster *c, struct place *p, enum cluster_object object, bool is_running);
void sim_remove_thing(struct sim_cluster *c, struct place *p, enum cluster_object object);

/* sim_calls.c */
void sim_calls_fill(struct view *v);
void sim_calls_free(struct sim_cluster *c);
