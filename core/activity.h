// SPDX-License-Identifier: MIT
/* Who uses which project, heard of with every request and written at most once per project and interval, in batches:
 * the first use after a quiet time within a second, what follows at the interval's end. */
#pragma once

#include "core/port_store.h"

struct activity;

enum {
    ACTIVITY_MAX_N = 16384,          /* remembered at a time; what comes beyond is not noted */
    ACTIVITY_LOOK_TIMEOUT_MS = 10000 /* longest time it takes to see whether there is a limit */
};

/* store: its activity_write is used. */
MUST_CHECK struct activity *activity_new(struct loop *loop, const struct port_store *store, ms_t interval_ms);
/* What was not written is forgotten. NULL is fine. */
void activity_free(struct activity *a);
/* The user uses the project, if it is his: the store knows. Ids that are none are passed over. */
void activity_note(struct activity *a, const char *user_id, struct str project_id);
/* While nothing has a limit nothing is written: what was noted is kept until a limit set before it would have been
 * seen. On at first. */
void activity_enable(struct activity *a, bool is_on);
