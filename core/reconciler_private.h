// SPDX-License-Identifier: MIT
/* The reconciler's own state, shared by reconciler.c and reconciler_drift.c. Nobody else includes it. */
#pragma once

#include <sys/queue.h>

#include "core/base/codec.h"
#include "core/drift.h"
#include "core/flow.h"
#include "core/io/backoff.h"
#include "core/queue.h"
#include "core/reconciler.h"

#define HASH_FUNCTION(key, n, hash) ((hash) = (unsigned)codec_hash((key), (n)))
#include <uthash.h>

struct led {
    char project_id[ID_SIZE];
    struct reconciler *owner;
    struct flow *flow; /* NULL while its row is being read */
    struct op *load;
    struct loop_timer load_timer; /* tries a failed read again */
    struct backoff load_backoff;
    bool must_load;    /* asked for again while a read was under way */
    bool is_overtaken; /* the flow before this one may have left calls under way */
    /* The flow before this one may have left a write under way: the row is taken up from a claim sent since, which
     * makes that write come too late, and in no other way. */
    bool is_left;
    ms_t left_ms;
    bool is_queued;
    TAILQ_ENTRY(led) link;
    UT_hash_handle hh;
};

struct reconciler {
    struct reconciler_config config;
    struct flow_ports ports;
    struct flow_counters counters;
    struct drift_watch *drift;
    struct queue *queue;
    struct led *leds;
    TAILQ_HEAD(, led) runnable;
    struct loop_task run;
    struct loop_timer renew_timer;
    struct loop_timer claim_timer;
    struct loop_timer lapse_timer; /* the end of the lease */
    struct op *renew;
    bool is_renewal_failing; /* and was logged */
    struct op *claim;
    ms_t claim_sent_ms;
    ms_t ended_ms;   /* when a flow last ended here */
    bool must_claim; /* something was given back while a claim was under way */
    ms_t recount_until_ms;
    ms_t renew_sent_ms;
    ms_t lease_until_ms; /* monotonic; counted from when the renewal was sent */
    bool is_draining;
    void (*on_drained)(void *arg);
    void *drained_arg;
};

/* For a while claims ask for what this replica holds and does not lead: an answer that would have told was lost. */
void reconciler_recount(void *arg);

/* reconciler_drift.c */
struct drift_watch *reconciler_watch_drift(struct reconciler *r);
