// SPDX-License-Identifier: MIT
/* The engine: leads one project from what is to what its owner desires, by the table of steps (core/plan_create.c),
 * forwards to build and backwards to undo. It looks at the world before each act and again after each wake: an
 * operation's end, a change in the cluster, a timer, a request, a restart. What it observes is a journal row before
 * anybody is told. */
#pragma once

#include "core/plan.h"
#include "core/port_cluster.h"
#include "core/port_store.h"

struct flow_settings {
    ms_t deadlines_ms[DEADLINE_N];
    ms_t call_timeout_ms;     /* of one call to the cluster or the store */
    ms_t late_ms;             /* how long after its time-out a call may still take effect */
    bool has_overlap;         /* false: a stage begins when the one before it is complete */
    bool must_prove_login;    /* SELECT 1 before the database counts as there */
    struct env_list base_env; /* of .secret/.env; lives as long as the settings */
};

/* What a flow reports to its owner (the reconciler). Called on the loop, never from within flow_* functions below. */
struct flow_listener {
    /* Journal rows are written: tell who listens. */
    void (*on_events)(void *arg, const struct journal_event *events, size_t n);
    /* A write had no answer and took effect: its rows are in the journal. */
    void (*on_hint)(void *arg, const char *owner_id);
    /* It is over (settled, gone, or another replica's): free it with flow_free. */
    void (*on_end)(void *arg, struct flow *f);
    /* May it act now? False while the lease is in doubt. */
    bool (*may_act)(void *arg);
    /* Wants flow_advance soon. */
    void (*on_wake)(void *arg, struct flow *f);
    void *arg;
};

/* How flows ended and how long stages took; one per process, for /metrics. */
struct flow_counters {
    uint64_t outcomes_n[OUTCOME_N];
    uint64_t failures_n[REASON_N];
    uint64_t stages_n[STAGE_N];
    int64_t stages_sum_ms[STAGE_N];
};

struct flow_ports {
    struct loop *loop;
    const struct port_cluster *cluster;
    const struct port_store *store;
    const struct flow_settings *settings;
    struct flow_counters *counters;
    struct flow_listener listener;
};

/* That a sandbox is ready is written within so long of having been seen, or looked at again: a store that was away must
 * not be told of a world that is over. */
enum { FLOW_READY_FRESH_MS = 5000 };

/* Takes a claimed row up. is_resumed: a former process may have left calls under way. ports: borrowed for its life. */
MUST_CHECK struct flow *flow_new(const struct flow_ports *ports, const struct flow_row *row, bool is_resumed);
/* Cancels what it waits for. NULL is fine. */
void flow_free(struct flow *f);
/* Looks at the world and acts. Called by the owner after on_wake, some time in the same or the next turn. */
void flow_advance(struct flow *f);
/* The owner's request changed the row (cancel, delete, retry): read it again. */
void flow_reload(struct flow *f);
/* The lease is over: drops every call under way, also those that wait for their turn. What was sent may take effect. */
void flow_hold(struct flow *f);
/* Of a flow that ended: the row is this replica's still, to be taken up anew. */
bool flow_is_overtaken(const struct flow *f);
/* It was left for a claim to take up, which makes a write of its own that may still land come too late. */
bool flow_is_left(const struct flow *f);
/* Of a flow that ended: its last write is in the row, which is settled. */
bool flow_has_settled(const struct flow *f);
const struct sandbox *flow_sandbox(const struct flow *f);
