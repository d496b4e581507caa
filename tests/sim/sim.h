// SPDX-License-Identifier: MIT
/* A deterministic world for the engine: a clock, a cluster and a store driven by one seed. Calls fail, land late, land
 * while their caller dies; watches lag and repeat; the process dies and comes back. Shared by the files of tests/sim.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/port_cluster.h"
#include "core/port_store.h"

/* Nodes are the places where a server process may run. */
enum { SIM_NODES_N = 2, SIM_PROJECTS_N = 3, SIM_JOURNAL_N = 4000, SIM_DECEIVED_MS = 10000 };

/* How long the world lets a process know nothing better. */
enum {
    SIM_LEASE_MS = 9000,
    SIM_BEHIND_MS = 800,              /* watches that work */
    SIM_BLIND_MS = 45000,             /* watches that bring nothing, and nobody knows; longer than a call is given */
    SIM_ASLEEP_MS = 2 * SIM_LEASE_MS, /* SIGSTOP, a stolen CPU */
    SIM_OUTAGE_MS = 20000,            /* the API is away */
    SIM_STORE_OUTAGE_MS = 40000,
    SIM_CALL_MS = 10000,       /* what a call is given */
    SIM_COMMIT_LATE_MS = 3000, /* what the store does after that */
};

struct sim_store;
struct sim_cluster;

enum sim_moment { SIM_STAGE_ENDED, SIM_FLOW_ENDED, SIM_WORKLOAD_REMADE, SIM_MOMENTS_N };

struct sim {
    struct sim_store *store;             /* whom the cluster asks who leads */
    struct sim_cluster *cluster;         /* whom the store asks whether it is true */
    struct loop *loop;                   /* of the world: people, the store, the cluster */
    struct loop *processes[SIM_NODES_N]; /* each has its own: it may sleep while the world goes on */
    ms_t asleep_until_ms[SIM_NODES_N];   /* of the world's clock */
    ms_t calm_at_ms;                     /* when the faults stop, and whoever sleeps wakes */
    ms_t clock_ahead_at_ms;              /* when the store's clock was last set forward; 0: never */
    ms_t wished_at_ms;                   /* when, all being well, everything was asked for once more; 0: never */
    /* Something was written or made of which its process has yet to hear. */
    void (*on_weak_moment)(void *arg, size_t node, enum sim_moment moment);
    void *on_weak_arg;
    bool is_wall_set; /* somebody set a wall clock */
    uint64_t seed;
    uint64_t chance; /* state of the generator */
    bool has_faults; /* false near the end of a run: everything works, so that what is stuck is the engine's fault */
    bool is_failed;
    char why[512];
};

/* From now on libsodium draws from the run's seed too; to be called before it is initialised. */
void sim_owns_randomness(void);
/* The run whose seed counts; NULL: none. */
void sim_begins(struct sim *s);
/* Does the process sleep (SIGSTOP, a stolen CPU)? Then the timer is set anew for when it wakes. */
bool sim_sleeps(struct sim *s, size_t node, struct loop_timer *t);
/* splitmix64 (public domain, Sebastiano Vigna): every draw of a run comes from here. */
uint64_t sim_draw(struct sim *s);
uint64_t sim_below(struct sim *s, uint64_t n);
bool sim_percent(struct sim *s, unsigned percent); /* only while faults are on */
ms_t sim_between(struct sim *s, ms_t low, ms_t high);
/* Records the first violated promise. */
void sim_violated(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- the cluster ---- */

struct sim_cluster *sim_cluster_new(struct sim *s);
void sim_cluster_free(struct sim_cluster *c);
const struct port_cluster *sim_cluster_port(struct sim_cluster *c, size_t node);
/* The server's process died: its caches and memory are gone, what it sent goes on. */
void sim_cluster_forget_all(struct sim_cluster *c, size_t node);
/* Truth, not the cache. */
bool sim_cluster_exists(const struct sim_cluster *c, const char *project_id, enum cluster_object object);
/* Is something running in it, and nothing to end it? The workload or the database. */
bool sim_cluster_runs(const struct sim_cluster *c, const char *project_id, enum cluster_object object);
/* Something of it was deleted from outside while it ran. */
bool sim_cluster_was_vandalized(const struct sim_cluster *c, const char *project_id);
/* It is not watched, and went with a workload that nobody saw go and come: only the next repair makes it again. */
bool sim_cluster_may_lack(const struct sim_cluster *c, const char *project_id, enum cluster_object object);
/* Pod and database always fared well, and nobody touched them: what failed, failed by the engine. */
bool sim_cluster_was_good(const struct sim_cluster *c, const char *project_id);
/* Since when all of it is up and reachable, if it was when the process could see it last before it had to write; 0: it
 * was not. If the process has been blind, each part may have been so at another moment. */
ms_t sim_cluster_ready_since(struct sim_cluster *c, size_t node, const char *project_id);
/* The process tells with an event that a stage is not completed (any more): had anything got worse since it, or another
 * process, told that it was? `told` keeps that from one event to the next; its zeros: nothing was told. */
struct sim_told {
    unsigned attempt;
    bool is_completed[STAGE_N];
    unsigned worse_n[STAGE_N];
    ms_t completed_ms[STAGE_N];
    bool is_blurred[STAGE_N]; /* a process that had been blind since then led it: it may have forgotten what was done */
};
/* The process writes: it leads. */
void sim_cluster_hear_leader(const struct sim_cluster *c, size_t node, struct sim_told *told);
void sim_cluster_hear_stage(struct sim_cluster *c, size_t node, const struct journal_event *e, struct sim_told *told);
/* Since when its database cannot come up any more; 0: it can. */
ms_t sim_cluster_hopeless_since(const struct sim_cluster *c, const char *project_id);
/* The process's watches are silent for a while: what it sees is old, and it does not know. */
void sim_cluster_blind(struct sim_cluster *c, size_t node, ms_t for_ms);
/* Somebody else, or a late call, is still changing it. */
bool sim_cluster_is_quiet(const struct sim_cluster *c);
/* For a while one of the unwatched or watched objects may not be removed, or is held back by a finalizer when it is. */
enum sim_hold { SIM_HOLD_NONE, SIM_HOLD_DENIED, SIM_HOLD_FINALIZER };
void sim_cluster_hold(struct sim_cluster *c, enum sim_hold how, enum cluster_object object, ms_t until_ms);
/* Does that stand in the way of this project's object now? A leader that nobody told of the request has not asked yet:
 * only a removal that was refused lately counts. */
enum { SIM_HEARD_MS = 500, SIM_REFUSED_LATELY_MS = 12000 };
bool sim_cluster_is_held(const struct sim_cluster *c, const char *project_id);
/* Is it watched? */
bool sim_cluster_shows(const struct sim_cluster *c, enum cluster_object object);
void sim_cluster_is_down(struct sim_cluster *c, size_t node, bool is_down);

/* ---- the store ---- */

struct sim_store *sim_store_new(struct sim *s);
void sim_store_free(struct sim_store *st);
const struct port_store *sim_store_port(struct sim_store *st, size_t node);
/* The server's process died and another begins: a new replica, the old one's lease runs out by itself. */
void sim_store_new_replica(struct sim_store *st, size_t node);
void sim_store_add_project(struct sim_store *st, const char *owner_id, const char *project_id);
/* The row, or NULL when the project is gone. */
const struct sandbox *sim_store_row(const struct sim_store *st, const char *project_id);
/* Does the process at this node lead the project, by the row? */
bool sim_store_leads(struct sim_store *st, size_t node, const char *project_id);
/* Somebody sets the store's clock. */
void sim_store_step(struct sim_store *st, ms_t by_ms);
/* True time at which the journal's row of that number was written. */
ms_t sim_store_written_ms(const struct sim_store *st, uint64_t seq);
bool sim_store_has_credentials(struct sim_store *st, const char *project_id);
const struct journal_event *sim_store_journal(const struct sim_store *st, size_t *ret_n);
/* How many creations may be under way; 0: any number. */
void sim_store_set_slots(struct sim_store *st, unsigned slots_n);
/* For how long somebody has waited beside a free slot while a replica could have found out. */
ms_t sim_store_idle_ms(const struct sim_store *st);

/* ---- drift ---- */

/* Has every drift of this project been told, and made good where that is due? */
bool sim_drift_is_over(const struct sim_cluster *c, const struct sandbox *sb, bool is_repairing);
/* What was told of drift is true. */
void sim_drift_check(struct sim *s, const struct sim_cluster *c, const char *project_id, bool is_repairing);

void sim_store_is_down(struct sim_store *st, size_t node, bool is_down);
