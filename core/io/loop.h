// SPDX-License-Identifier: MIT
/* The event loop, its clock, its timers and its deferred tasks. This header is also the clock port: the same timers and
 * tasks run on libevent (loop_new) or on a simulated clock (loop_new_simulated), so that the engine's tests are
 * deterministic. No other header of the project shows libevent. Single-threaded: every call comes from the loop's
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

typedef int64_t ms_t; /* milliseconds: a duration, or a moment of the monotonic clock */

struct loop;

MUST_CHECK struct loop *loop_new(struct err *reterr);
/* start_wall_ms: what loop_wall_ms() says at the beginning. */
struct loop *loop_new_simulated(int64_t start_wall_ms);
void loop_free(struct loop *loop);

/* Runs until loop_stop. A simulated loop runs until nothing is left or loop_stop, jumping from timer to timer. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One turn: everything that is due, without waiting (real) or the next moment (simulated). False: nothing was left to
 * do. */
bool loop_turn(struct loop *loop); /* counted as left: tasks, timers, descriptors that are waited for */

/* ---- simulated loops side by side: whoever runs them sets their clocks ---- */

/* When there is something to do: now while tasks wait, INT64_MAX if nothing ever. */
ms_t loop_next_ms(const struct loop *loop);
/* Sets the clocks of a simulated loop forward to that moment and runs nothing; earlier moments change nothing. */
void loop_clock_to(struct loop *loop, ms_t at_ms);
/* Somebody sets the wall clock of a simulated loop. */
void loop_wall_step(struct loop *loop, int64_t by_ms);

ms_t loop_now_ms(const struct loop *loop);     /* monotonic, cached once per turn */
int64_t loop_wall_ms(const struct loop *loop); /* wall clock, milliseconds since 1970, cached once per turn */

/* ---- timers: embedded in their owner, no allocation ---- */

typedef void loop_on_timer(void *arg);
struct loop_timer {
    struct loop *loop;
    loop_on_timer *on_fire;
    void *arg;
    ms_t at_ms;     /* private */
    uint64_t order; /* private: equal times fire in the order they were set */
    size_t place;   /* private: index in the heap + 1; 0: not set */
};
void loop_timer_init(struct loop_timer *t, struct loop *loop, loop_on_timer *on_fire, void *arg);
/* Fires once, delay_ms (>= 0) from now, never before this returns; setting it again moves it. */
void loop_timer_set(struct loop_timer *t, ms_t delay_ms);
void loop_timer_clear(struct loop_timer *t); /* not set is fine; must be called before the memory goes */
bool loop_timer_is_set(const struct loop_timer *t);

/* ---- deferred tasks: run once, later in this turn or in the next, never before loop_defer returns ---- */

typedef void loop_on_task(void *arg);
struct loop_task {
    struct loop *loop;
    loop_on_task *on_run;
    void *arg;
    struct loop_task *next; /* private */
    struct loop_task *prev; /* private */
    bool is_queued;         /* private */
};
void loop_task_init(struct loop_task *t, struct loop *loop, loop_on_task *on_run, void *arg);
void loop_defer(struct loop_task *t);      /* queued already: nothing; so wakes coalesce */
void loop_task_clear(struct loop_task *t); /* takes it out of the queue; must be called before the memory goes */
/* Calls free_fn(p) after the current callbacks have returned; for objects that end inside their own callback. */
void loop_defer_free(struct loop *loop, void *p, void (*free_fn)(void *p));

/* ---- descriptors and signals (not on a simulated loop) ---- */

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_CLOSED = 4 };
struct loop_fd;
typedef void loop_on_fd(void *arg, int events);
/* Level-triggered. Wants nothing at first. The descriptor stays the caller's. */
struct loop_fd *loop_fd_new(struct loop *loop, int fd, loop_on_fd *on_ready, void *arg);
void loop_fd_want(struct loop_fd *f, int events); /* LOOP_* or'ed; 0: nothing. Cheap when nothing changes */
void loop_fd_free(
    struct loop_fd *f); /* before the descriptor is closed; fine from within its own callback; NULL is fine */

struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_on_task *on_signal, void *arg);
void loop_signal_free(struct loop_signal *s);

/* ---- how the loop does ---- */

/* How late a 100 ms heartbeat came, in ms: over the last ten seconds at most, and how many callbacks held the loop over
 * 50 ms. A debug build logs each such callback by the address of its function. */
struct loop_stats {
    ms_t lag_last_ms;
    ms_t lag_max_ms;
    uint64_t held_n;
    uint64_t turns_n;
};
void loop_stats(const struct loop *loop, struct loop_stats *ret);
