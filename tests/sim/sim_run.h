// SPDX-License-Identifier: MIT
/* One run of the simulation: its processes, what befalls them, and when. Shared by sim_engine.c (a seed from beginning
 * to end), sim_fate.c (what happens) and sim_check.c (what was promised). */
#pragma once

#include "core/sandboxes.h"
#include "tests/sim/sim.h"

enum {
    TROUBLE_MS = 120 * 1000, /* how long things go wrong */
    CALM_MS = 2400 * 1000,   /* how long the engine has to end everything after it: above the sum of the deadlines */
    HOLD_MS = 150 * 1000,    /* how long after the trouble something may still not be removed */
    WALL_STEP_MS = 2 * 3600 * 1000, /* how far somebody sets a wall clock */
};

struct run;

/* One replica: its process comes and goes. */
struct node {
    struct run *run;
    size_t i;
    struct clusters *clusters;
    struct bus *bus;
    struct reconciler *reconciler;
    struct sandboxes *sandboxes;
    struct bus_reader *reader;
    uint64_t seen_seq; /* of the reader, over restarts of the process */
    bool is_process_up;
    bool is_misled; /* its configuration does not know the cluster of the projects */
    bool is_out;
    bool is_asked_to_stop; /* soon */
    bool is_stopping;      /* it gives its flows back */
    struct loop_timer crash;
    struct loop_timer outage;
    struct loop_timer trick; /* the next of the rarer troubles */
};

struct run {
    struct sim sim;
    struct sim_cluster *cluster;
    struct sim_store *store;
    struct flow_settings settings;
    bool is_repairing;
    struct node nodes[SIM_NODES_N];
    size_t nodes_n; /* that run in this seed */
    unsigned actions_n;
    size_t asked; /* the project of the last request: whoever changes his mind does so about the same one */
    struct project projects[SIM_PROJECTS_N];
    struct loop_timer act;
    enum sim_hold hold;
    enum cluster_object held_object;
    ms_t hold_until_ms;
    struct loop_timer calm;
    struct loop_timer tell;
    struct loop_timer stop;
    bool has_clocks_set; /* in this run */
    bool has_wish;       /* once all is calm */
    bool is_over;
};

/* sim_fate.c */
void sim_fate_begin(struct run *r);
void sim_fate_end(struct run *r);
/* All being well, everything that is there is asked to run. */
void sim_fate_wish(struct run *r);

/* sim_check.c */
bool sim_check_readers(const struct run *r);
/* That what cannot go on says so; by now the row must say it. */
void sim_check_told(struct run *r);
/* How often the above found something that could not go on: a simulation without any proves nothing. */
unsigned sim_check_told_n(void);
void sim_check(struct run *r);
