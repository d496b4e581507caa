// SPDX-License-Identifier: MIT
/* The order of calls that wait for their turn: by rank, then as they came. A binary heap, so that a thousand creations
 * at once cost no more per call than one. Owns no call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member of whatever waits. */
struct call_place {
    int64_t rank;
    uint64_t order; /* private */
    size_t at;      /* private: index in the heap + 1; 0: does not wait */
};

struct call_queue {
    struct call_place **places;
    size_t n, cap;
    uint64_t next_order;
    uint64_t compares_n; /* ever: what a test of the cost counts */
};

void call_queue_fini(struct call_queue *q);
/* rank: the lowest is the first. */
void call_queue_add(struct call_queue *q, struct call_place *p, int64_t rank);
/* Does not wait is fine. */
void call_queue_remove(struct call_queue *q, struct call_place *p);
/* The next one; NULL: nothing waits. It stays in. */
struct call_place *call_queue_first(const struct call_queue *q);
