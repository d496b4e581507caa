// SPDX-License-Identifier: MIT
/* One sweep: every cluster, one after the other, is compared with the rows in both directions; what is due is deleted;
 * what was found is stored and told. A cluster that another replica is comparing, or that was compared lately, is left
 * out. An operation as core/io/op.h says; its deadline is of each cluster. */
#pragma once

#include "core/clusters.h"
#include "core/port_store.h"
#include "core/sweep_report.h"

struct sweep_options {
    struct loop *loop;
    const struct clusters *clusters;
    const struct port_store *store;
    ms_t grace_ms;
    ms_t age_ms;        /* a comparison younger than that is enough; 0: none is */
    ms_t call_ms;       /* of one call to the store, or one deletion */
    unsigned at_most_n; /* more that are due in a cluster mean that something is wrong: then nothing is deleted there */
    bool is_deleting;
    bool is_dry; /* nothing at all is changed, in the cluster or in the tables */
};

/* report: of the clusters that were compared; valid during the call. left_out_n: of those that were not. */
typedef void sweep_on_done(void *arg, const struct sweep_report *report, size_t left_out_n);

/* options: copied, what it points to is borrowed. */
MUST_CHECK struct op *sweep_start(const struct sweep_options *options, sweep_on_done *done, void *arg);
