// SPDX-License-Identifier: MIT
/* /metrics: one table from plain counters to Prometheus' text format 0.0.4. Collects nothing: the program fills a
 * sample (server/main_serve.c). No label names a user, project or sandbox: series must stay few. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/io/loop.h"
#include "core/limits.h"
#include "core/port_store.h"
#include "core/reconciler.h"
#include "core/sweeper.h"
#include "server/gate.h"
#include "server/listener.h"

/* Of one cluster. */
struct metrics_kube {
    const char *cluster;
    uint64_t lists_n, streams_n, events_n, failures_n;
    bool is_reachable;
    unsigned calls_n, calls_waiting_n;
};

struct metrics_sample {
    struct loop_stats loop;
    struct listener_stats listener;
    struct gate_stats gate;
    const struct route *routes; /* what gate.requests_n counts */
    size_t routes_n;
    struct store_health store;
    struct reconciler_stats reconciler;
    struct limits_stats limits;
    struct sweeper_stats sweeper;
    const struct metrics_kube *kube;
    size_t kube_n;
    unsigned event_readers_n;
    bool is_draining;
    uint64_t log_dropped_n;
    uint64_t resident_bytes;
    int64_t started_ms; /* wall clock */
};

void metrics_text(const struct metrics_sample *sample, struct buf *out);
