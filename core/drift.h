// SPDX-License-Identifier: MIT
/* Watches the sandboxes that nobody leads because they run: a replica keeps all of them, looks when the cluster
 * changes, and writes what it sees, so that of several replicas one is heard. Repairs nothing itself: it takes the row
 * up and has it led. docs/adr/0015. */
#pragma once

#include "core/port_cluster.h"
#include "core/port_store.h"

struct drift_watch;

/* What it tells its owner, on the loop, never from within the functions below. */
struct drift_listener {
    void (*on_event)(void *arg, const struct journal_event *event); /* is written: tell who listens */
    void (*on_repair)(void *arg, const char *project_id);           /* the row is this replica's: lead it */
    void (*on_doubt)(void *arg); /* a row may name this replica without being led: an answer was lost */
    bool (*may_act)(void *arg);  /* false while the lease is in doubt */
    bool (*has_room)(void *arg); /* for one more repair */
    void *arg;
};

struct drift_config {
    struct loop *loop;
    const struct port_cluster *cluster;
    const struct port_store *store;
    bool is_repairing; /* false: what is missing is told and left */
    struct drift_listener listener;
};

struct drift_stats {
    unsigned watched_n; /* sandboxes that should run and that nobody leads */
    unsigned drifted_n; /* of them told not to run as they should */
    /* what this replica wrote */
    uint64_t told_n;
    uint64_t repairs_n;
    uint64_t healed_n;
};

/* Begins to read what is to be watched at the next turn of the loop. config: copied; what it points to is borrowed. */
struct drift_watch *drift_new(const struct drift_config *config);
void drift_free(struct drift_watch *d); /* NULL is fine */
/* Writes nothing more. */
void drift_stop(struct drift_watch *d);

/* A flow that was led here has ended; its row is as sb says, and so did the cluster look to it. */
void drift_know(struct drift_watch *d, const struct sandbox *sb);
/* Somebody leads it, or it is gone. */
void drift_forget(struct drift_watch *d, struct str project_id);
/* Its row may have changed: it is read soon. */
void drift_ask(struct drift_watch *d, struct str project_id);
/* Another replica wrote this. */
void drift_hear(struct drift_watch *d, const struct journal_event *event);
/* The cluster changed; absent: anything may have. */
void drift_look(struct drift_watch *d, struct str project_id);

/* Is it seen not to run as it should, though its row does not say so yet? Fills code and words. */
bool drift_shown(const struct drift_watch *d, const struct sandbox *sb, enum reason *ret_code,
                 char ret_message[MESSAGE_SIZE]);
void drift_stats(const struct drift_watch *d, struct drift_stats *ret);
