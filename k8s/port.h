// SPDX-License-Identifier: MIT
/* The cluster port on a real Kubernetes API: watches, calls and manifests put together. */
#pragma once

#include "core/io/fetch.h"
#include "core/port_cluster.h"
#include "core/port_survey.h"
#include "k8s/client.h"
#include "k8s/kubeconfig.h"
#include "k8s/profile.h"

struct k8s_port;

struct k8s_port_options {
    struct loop *loop;
    struct fetch *fetch;
    struct kubeconfig *config;         /* taken over, also on failure */
    const struct k8s_profile *profile; /* borrowed, as are its texts */
    const char *namespace_name;        /* that is watched; copied */
    const char *cluster;               /* its name, for log lines; borrowed */
    ms_t settle_ms;                    /* a 403 says nothing before the API has answered for so long */
};

MUST_CHECK struct k8s_port *k8s_port_new(const struct k8s_port_options *options, struct err *reterr);
/* Begins to look at the cluster. Nothing is sent before. */
void k8s_port_start(struct k8s_port *p);
/* Ends watches and discovery. The port's own operations must be done or cancelled. NULL is fine. */
void k8s_port_free(struct k8s_port *p);

const struct port_cluster *k8s_port_cluster(const struct k8s_port *p);
/* The sweep's; needs no k8s_port_start. */
const struct port_survey *k8s_port_survey(const struct k8s_port *p);

struct k8s_port_stats {
    uint64_t lists_n, streams_n, events_n, failures_n; /* of all watches */
    unsigned calls_n, calls_waiting_n;                 /* with the API; waiting for their turn */
    bool is_reachable;
    bool is_away;                   /* did not answer; before the first call has ended it is neither */
    bool is_synced;                 /* every cache has had its first list */
    const char *kubeblocks_version; /* "" if there is none or it is not known */
};
void k8s_port_stats(const struct k8s_port *p, struct k8s_port_stats *ret);
