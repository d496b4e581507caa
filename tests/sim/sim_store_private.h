// SPDX-License-Identifier: MIT
/* The simulated store's own state, shared by sim_store.c (calls) and sim_rows.c (what they do to the rows). */
#pragma once

#include <string.h>
#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/fit.h"
#include "core/base/xmem.h"
#include "tests/sim/sim.h"

enum { STEPS_SIZE = 4097, REPLICAS_N = 256 };

struct row {
    bool exists;
    bool has_sandbox;
    bool has_database;
    struct sandbox sb;
    char steps[STEPS_SIZE];
    bool has_credentials;
    struct db_credentials credentials;
    struct sim_told told; /* of its stages */
    int lease_owner;
    unsigned drift_n;
    ms_t drift_at_ms; /* by the store's clock; 0: never */
};

/* The store as one process has it. */
struct node {
    struct sim_store *store;
    struct port_store port;
    int replica;
    ms_t known_until_ms; /* the end of its lease as it was told last */
    bool is_down;
    ms_t looked_ms;     /* when it last asked whose turn it is */
    ms_t well_since_ms; /* nothing keeps it from looking at the queue; 0: something does */
    store_on_foreign_event *on_event;
    void *on_event_arg;
    store_on_flows_freed *on_freed;
    void *on_freed_arg;
};

struct sim_store {
    struct sim *sim;
    struct node nodes[SIM_NODES_N];
    LIST_HEAD(, call) calls;
    struct row rows[SIM_PROJECTS_N];
    size_t rows_n;
    struct journal_event journal[SIM_JOURNAL_N];
    ms_t written_ms[SIM_JOURNAL_N];
    size_t journal_n;
    ms_t clock_ahead_ms; /* of the processes' */
    int replicas_n;
    ms_t alive_until_ms[REPLICAS_N];
    unsigned slots_n;   /* creations at the same time; 0: no limit */
    ms_t idle_since_ms; /* on the true clock: a slot is free and somebody waits since then; 0: it is not so */
};

enum verb { WATCHED, NOTE, RENEW, RELEASE, CLAIM, LOAD, SAVE, ENV, LOGIN, REQUEST, JOURNAL, WORD, ADMIT, USUAL };

struct call {
    struct op op;
    LIST_ENTRY(call) link;
    struct sim_store *store;
    struct node *node;
    enum verb verb;
    int replica;
    struct loop_timer commit;
    struct loop_timer answer;
    struct err err;
    bool is_refused;
    bool has_committed;
    bool is_answered;
    struct arena *arena;
    /* what it asks */
    char project_id[ID_SIZE];
    ms_t lease_ms;
    ms_t begun_ms;       /* by the store's clock: when its statement began */
    ms_t known_until_ms; /* the lease's end as its replica was told last, by the store's clock */
    ms_t until_ms;
    bool was_held;
    bool is_slow;  /* on its way to the store, not within it */
    bool is_freed; /* it gave something back: the others are told */
    bool is_recount;
    char led[SIM_PROJECTS_N][ID_SIZE];
    size_t led_n;
    struct flow_save save;
    struct sandbox save_sb;
    struct db_credentials save_credentials;
    enum desired desired;
    unsigned states;
    bool is_again;
    struct sandbox names;
    int64_t now_ms;
    struct journal_query query;
    struct drift_note note;
    char message[MESSAGE_SIZE];
    bool is_of_all;
    /* what it got */
    enum request_result result;
    struct flow_row flows[SIM_PROJECTS_N];
    size_t flows_n;
    struct sandbox watched[SIM_PROJECTS_N];
    size_t watched_n;
    enum drift_result drift_result;
    ms_t wait_ms;
    struct journal_event *events;
    size_t events_n;
    uint64_t last_seq;
    struct sandbox sb;
    struct journal_event word; /* to the other processes */
    unsigned waiting_n;
    union {
        op_done *done;
        store_on_renewed *renewed;
        store_on_flows *flows;
        store_on_watched *watched;
        store_on_drift *drift;
        store_on_saved *saved;
        store_on_env *env;
        store_on_request *request;
        store_on_journal *journal;
        store_on_queue *queue;
        store_on_usual *usual;
    } on;
    void *arg;
};

/* sim_rows.c */
struct journal_event *sim_store_append(struct call *call, const struct journal_event *e);
void sim_store_give(struct call *call, struct row *row);
ms_t sim_store_now(const struct sim_store *st);
struct row *sim_store_row_of(struct sim_store *st, const char *project_id);
void sim_store_commit(struct call *call);

/* sim_queue.c */
bool sim_queue_waits(const struct row *row);
/* Must a creation of this row wait? */
bool sim_queue_is_needed(const struct sim_store *st, const struct row *row);
void sim_queue_put(struct call *call, struct row *row);
/* Ends a creation that never began; false: it has to be undone. */
bool sim_queue_leave(struct call *call, struct row *row);
void sim_queue_admit(struct call *call);
/* After each commit: no more are under way than may be. */
void sim_queue_check(struct sim_store *st);
