// SPDX-License-Identifier: MIT
/* The part of the store port about creations that wait for their turn: what limits them, and what a look at the queue
 * brings. */
#pragma once

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/sandbox.h"

struct flow_row;

/* How much may be asked for. 0: no limit. */
struct request_limits {
    unsigned user_sandboxes_max;    /* CONFLICT with reason "TooManySandboxes" */
    unsigned cluster_sandboxes_max; /* CONFLICT with reason "ClusterFull" */
    /* Creations under way: one more waits. */
    unsigned cluster_creations_max;
    unsigned replica_creations_max;
    unsigned creations_max; /* over all replicas */
    unsigned waiting_max;   /* LIMIT with reason "QueueFull"; 0: none may wait */
    ms_t usual_ms;          /* what a creation takes, to say how long one waits; 0: not known */
};

/* A look at the queue. */
struct queue_look {
    unsigned max;                   /* how many at once */
    unsigned replica_creations_max; /* 0: no limit, here and below */
    unsigned creations_max;
    /* Of clusters that have a limit: their names, and how many creations each may have. */
    const struct str *clusters;
    const int64_t *cluster_creations_max;
    size_t clusters_n;
    bool is_telling; /* places that have moved are told */
    ms_t usual_ms;   /* what a creation takes; 0: not known */
    int64_t now_ms;  /* wall clock, for the journal rows */
};
struct queue_answer {
    const struct flow_row *rows; /* whose turn it is: this replica leads them from now on */
    size_t n;
    const struct journal_event *events; /* written */
    size_t n_events;
    unsigned waiting_n; /* still */
};
/* answer: empty when err is not NULL. */
typedef void store_on_queue(void *arg, const struct queue_answer *answer, const struct err *err);

/* How long a stage of creations takes. */
struct stage_usual {
    int64_t p50_ms; /* -1: not known yet */
};
typedef void store_on_usual(void *arg, const struct stage_usual usual[STAGE_N], const struct err *err);
