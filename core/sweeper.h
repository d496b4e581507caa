// SPDX-License-Identifier: MIT
/* What is done in time and without anybody's asking: the periodic sweep, and the end of failed creations that nobody
 * tried again. Every replica has one; PostgreSQL sees to it that only one acts at a time. */
#pragma once

#include "core/bus.h"
#include "core/sweep_pass.h"

struct sweeper;

struct sweeper_config {
    struct sweep_options sweep; /* age_ms is not read */
    struct bus *bus;
    ms_t interval_ms;     /* between sweeps; 0: none */
    ms_t failed_grace_ms; /* 0: failed creations stay */
};

struct sweeper_stats {
    /* The last comparison of each cluster, whoever did it; borrowed until the next turn. */
    const struct sweep_summary *clusters;
    size_t clusters_n;
    uint64_t sweeps_n;  /* clusters that this process compared */
    uint64_t removed_n; /* objects that it deleted */
    uint64_t expired_n; /* failed creations that it turned to their end */
};

/* Starts soon. config: copied; what it points to is borrowed. */
struct sweeper *sweeper_new(const struct sweeper_config *config);
/* Ends what is under way where it is. NULL is fine. */
void sweeper_free(struct sweeper *s);
void sweeper_stats(const struct sweeper *s, struct sweeper_stats *ret);
