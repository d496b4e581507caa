// SPDX-License-Identifier: MIT
/* Owns the flows of this replica: takes them up (at start, after a request, when their turn comes, from a dead
 * replica), wakes them when the cluster changes, lets a bounded number advance per loop turn, keeps the replica's
 * lease, and has those that run without a flow watched (core/drift.h). Decides nothing about a sandbox. */
#pragma once

#include "core/bus.h"
#include "core/drift.h"
#include "core/flow.h"
#include "core/queue.h"

struct reconciler;

struct reconciler_config {
    struct loop *loop;
    const struct clusters *clusters;
    const struct port_store *store;
    struct bus *bus;
    const struct flow_settings *settings;
    ms_t lease_ms;     /* how long this replica counts as alive after its last word */
    ms_t claim_ms;     /* how often it looks for flows nobody leads */
    unsigned claim_n;  /* how many it takes at once */
    bool is_repairing; /* what is missing of a sandbox that runs is made again; false: it is told */
    struct queue_limits limits;
};

struct reconciler_stats {
    unsigned flows_n;
    unsigned waiting_n; /* creations that waited for their turn when it looked last, of all replicas */
    bool has_lease;
    struct flow_counters flows;
    struct drift_stats drift;
};

/* Starts at the next loop turn. config: copied; what it points to is borrowed. */
struct reconciler *reconciler_new(const struct reconciler_config *config);
/* Drops all flows where they stand; whoever claims them next goes on. */
void reconciler_free(struct reconciler *r);
/* A request of this replica changed the project's row. */
void reconciler_poke(struct reconciler *r, const char *project_id);
/* Lives as long as the reconciler. */
struct queue *reconciler_queue(struct reconciler *r);
/* No new flows, lets go of the lease; `done` runs once it is given back (or the store did not answer in time). */
void reconciler_drain(struct reconciler *r, ms_t timeout_ms, void (*done)(void *arg), void *arg);
/* As drift_shown. */
bool reconciler_shows_drift(const struct reconciler *r, const struct sandbox *sb, enum reason *ret_code,
                            char ret_message[MESSAGE_SIZE]);
void reconciler_stats(const struct reconciler *r, struct reconciler_stats *ret);
