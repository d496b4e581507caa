// SPDX-License-Identifier: MIT
/* Stops sandboxes that nobody uses, or that have run for as long as they may, with a warning before. What is due is
 * found and done in the store, one project at a time, by whichever replica looks first; here it is asked for, told and
 * carried on. */
#pragma once

#include "core/activity.h"
#include "core/bus.h"
#include "core/port_store.h"
#include "core/reconciler.h"

struct limits;

struct limits_config {
    struct loop *loop;
    const struct port_store *store;
    struct bus *bus;
    struct reconciler *reconciler;
    struct activity *activity;
    struct limits_settings settings;
    ms_t interval_ms; /* how often to look */
};

/* Starts one interval from now. config: copied; what it points to is borrowed. */
MUST_CHECK struct limits *limits_new(const struct limits_config *config);
/* NULL is fine. */
void limits_free(struct limits *l);

struct limits_stats {
    uint64_t warned_n;
    uint64_t kept_n; /* warnings that were taken back */
    uint64_t stopped_n;
};
void limits_stats(const struct limits *l, struct limits_stats *ret);
