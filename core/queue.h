// SPDX-License-Identifier: MIT
/* The queue of creations as this replica sees it: it looks when a slot may be free or somebody began to wait, and from
 * time to time. Who waits, in which order and for what are rows (store/migrations/0012_queue.sql); nothing of it is
 * remembered here but how many there were. */
#pragma once

#include "core/clusters.h"
#include "core/port_store.h"

struct queue;

struct queue_limits {
    unsigned replica_creations_max; /* 0: no limit */
    unsigned creations_max;         /* over all replicas; 0: no limit */
    unsigned waiting_max;           /* 0: none may wait */
};

struct queue_config {
    struct loop *loop;
    const struct port_store *store;
    const struct clusters *clusters;
    struct queue_limits limits;
    bool has_overlap; /* stages run at the same time */
    ms_t idle_ms;     /* how often it looks while nobody is known to wait */
    unsigned max;     /* how many it takes at once */
    /* Called on the loop, never from within the functions below. answer: as the store gives it; err: some may have been
     * given to this replica. */
    void (*on_look)(void *arg, const struct queue_answer *answer, const struct err *err);
    /* May it look? False while the lease is in doubt. */
    bool (*may_look)(void *arg);
    void *arg;
};

/* Looks for the first time at a later turn. config: copied; what it points to is borrowed. */
struct queue *queue_new(const struct queue_config *config);
/* NULL is fine. */
void queue_free(struct queue *q);
/* A creation began to wait, or a slot may be free: looks soon. */
void queue_poke(struct queue *q);
/* A flow ended here: looks soon if somebody is known to wait. */
void queue_slot_freed(struct queue *q);
/* Drops a look under way, whose answer is not to be trusted; true if there was one. The next begins soon. */
bool queue_restart(struct queue *q);

/* When it looked last; monotonic. */
ms_t queue_looked_ms(const struct queue *q);
/* How many waited when it looked last. */
unsigned queue_waiting_n(const struct queue *q);
/* How long a creation takes, by the stages that were completed lately; 0: not known. */
ms_t queue_usual_ms(const struct queue *q);
const struct queue_limits *queue_get_limits(const struct queue *q);

/* How long a creation takes whose stages take so long: what runs at the same time counts once. 0: a stage's is not
 * known. */
ms_t queue_creation_ms(const struct stage_usual usual[STAGE_N], bool has_overlap);
