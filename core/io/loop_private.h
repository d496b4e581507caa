// SPDX-License-Identifier: MIT
/* What the files of core/io share about the loop; for them only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/io/loop.h"

struct event_base;

/* The libevent base under a real loop; NULL under a simulated one. Callbacks put there by others should be short, are
 * not measured, and must not free the loop. */
struct event_base *loop_event_base(const struct loop *loop);

/* ---- the heap of timers (loop_timer.c) ---- */

struct loop_heap {
    struct loop_timer **timers; /* timers[0] is the earliest */
    size_t n;
    size_t cap;
    uint64_t next_order;
};

void loop_heap_fini(struct loop_heap *h);                      /* leaves every timer cleared */
struct loop_timer *loop_heap_first(const struct loop_heap *h); /* NULL: empty */
void loop_heap_remove(struct loop_heap *h, struct loop_timer *t);

/* ---- how the loop does (loop_health.c) ---- */

enum { LOOP_HELD_MS = 50, LOOP_HEARTBEAT_MS = 100, LOOP_LAG_SLOTS = 10 };

/* The worst lag of each of the last ten seconds. */
struct loop_health {
    struct loop_stats stats;
    ms_t slot_max_ms[LOOP_LAG_SLOTS];
    ms_t slot_second[LOOP_LAG_SLOTS];
    struct loop_timer heartbeat;
    ms_t due_ms;
};

void loop_health_start(struct loop_health *h, struct loop *loop);
/* The nanoseconds of the monotonic clock, for loop_held. */
int64_t loop_now_ns(void);
/* A callback ran from start_ns until now; what: its function, as bytes of a function pointer. */
typedef void loop_function(void);
void loop_ran(struct loop *loop, int64_t start_ns, loop_function *what);

/* ---- names (resolve.c) ---- */

struct resolver;
void resolver_free(struct resolver *r); /* with the loop, whose queries end without their callbacks; NULL is fine */

struct loop_garbage {
    void *p;
    void (*free_fn)(void *p);
};

struct loop {
    struct event_base *base; /* NULL: simulated */
    struct event *alarm;     /* libevent's one timer, set for the earliest of ours */
    ms_t alarm_at_ms;        /* NO_ALARM: not set */
    ms_t now_ms;
    int64_t wall_ms;
    bool is_stale; /* now_ms and wall_ms are not of this turn: a real loop looks at the clocks when asked */
    bool is_in_turn;
    bool is_stopped;
    size_t n_wanted_fds;
    struct loop_heap heap;
    struct loop_task *first_task;
    struct loop_task *last_task;
    struct loop_garbage *garbage;
    size_t garbage_n;
    size_t garbage_cap;
    struct loop_health health;
    struct resolver *resolver; /* NULL: no name was looked up */
};

/* Every callback that libevent makes begins here: the first of a turn sets the turn's time. */
void loop_wake(struct loop *loop);
