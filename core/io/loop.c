// SPDX-License-Identifier: MIT
/* The turn: wait for libevent (or jump the simulated clock), run what is due, run the tasks that were queued when it
 * began, free what ended. Timers live in loop_timer.c, descriptors in loop_fd.c. */
#include "core/io/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/loop_private.h"

enum { NS_PER_MS = 1000000, MS_PER_S = 1000, US_PER_MS = 1000 };

#define NO_ALARM           (-1)

/* A simulated clock does not begin at 0, so that a 0 which means "not yet" is not mistaken for a moment. */
#define SIMULATED_START_MS 1000000

/* ---- clocks ---- */

static ms_t monotonic_ms(void)
{
    return loop_now_ns() / NS_PER_MS;
}

static int64_t real_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

ms_t loop_now_ms(const struct loop *loop)
{
    return loop->is_stale ? monotonic_ms() : loop->now_ms;
}

int64_t loop_wall_ms(const struct loop *loop)
{
    return loop->is_stale ? real_wall_ms() : loop->wall_ms;
}

void loop_wake(struct loop *loop)
{
    if (!loop->is_stale)
        return;
    loop->now_ms = monotonic_ms();
    loop->wall_ms = real_wall_ms();
    loop->is_stale = false;
}

/* ---- new and free ---- */

static void on_libevent_log(int severity, const char *message)
{
    if (severity >= EVENT_LOG_WARN)
        LOG(WARN, "libevent complains", KV("message", message));
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    (void)fd;
    (void)what;
    loop->alarm_at_ms = NO_ALARM; /* the timers run after libevent's turn */
    loop_wake(loop);
}

/* The environment is ignored because EVENT_EPOLL_USE_CHANGELIST breaks descriptors that are closed and opened again
 * within a turn, which libpq and curl do. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    int failed = event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    failed |= event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    failed |= event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
    struct event_base *base = failed ? NULL : event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct loop *loop_new(struct err *reterr)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    event_set_log_callback(on_libevent_log);
    loop->base = new_base();
    loop->alarm = loop->base != NULL ? evtimer_new(loop->base, on_alarm, loop) : NULL;
    if (loop->alarm == NULL) {
        if (loop->base != NULL)
            event_base_free(loop->base);
        free(loop);
        err_set(reterr, ERR_BUG, __func__, "libevent offers no epoll here");
        return NULL;
    }
    loop->alarm_at_ms = NO_ALARM;
    loop->is_stale = true;
    return loop;
}

struct loop *loop_new_simulated(int64_t start_wall_ms)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    loop->now_ms = SIMULATED_START_MS;
    loop->wall_ms = start_wall_ms;
    return loop;
}

struct event_base *loop_event_base(const struct loop *loop)
{
    return loop->base;
}

static void drain_garbage(struct loop *loop)
{
    for (size_t i = 0; i < loop->garbage_n; i++) { /* freeing may add more */
        struct loop_garbage g = loop->garbage[i];
        g.free_fn(g.p);
    }
    loop->garbage_n = 0;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    assert(!loop->is_in_turn);
    loop_heap_fini(&loop->heap);
    while (loop->first_task != NULL)
        loop_task_clear(loop->first_task);
    resolver_free(loop->resolver);
    drain_garbage(loop);
    if (loop->base != NULL) {
        if (loop->n_wanted_fds == 0) /* evdns gives its requests back in libevent's next turn */
            event_base_loop(loop->base, EVLOOP_NONBLOCK);
        drain_garbage(loop);
        event_free(loop->alarm);
        event_base_free(loop->base);
    }
    free(loop->garbage);
    free(loop);
}

void loop_defer_free(struct loop *loop, void *p, void (*free_fn)(void *p))
{
    if (loop->garbage_n == loop->garbage_cap) {
        loop->garbage_cap = loop->garbage_cap > 0 ? loop->garbage_cap * 2 : 16;
        loop->garbage = xrealloc(loop->garbage, loop->garbage_cap * sizeof(*loop->garbage));
    }
    loop->garbage[loop->garbage_n++] = (struct loop_garbage){p, free_fn};
}

/* ---- tasks ---- */

void loop_task_init(struct loop_task *t, struct loop *loop, loop_on_task *on_run, void *arg)
{
    *t = (struct loop_task){.loop = loop, .on_run = on_run, .arg = arg};
}

void loop_defer(struct loop_task *t)
{
    struct loop *loop = t->loop;
    if (t->is_queued)
        return;
    t->is_queued = true;
    t->next = NULL;
    t->prev = loop->last_task;
    if (loop->last_task != NULL)
        loop->last_task->next = t;
    else
        loop->first_task = t;
    loop->last_task = t;
}

void loop_task_clear(struct loop_task *t)
{
    struct loop *loop = t->loop;
    if (!t->is_queued)
        return;
    t->is_queued = false;
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        loop->first_task = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    else
        loop->last_task = t->prev;
}

/* Only those queued before: a task that defers itself must not keep the descriptors waiting. */
static void run_tasks(struct loop *loop)
{
    struct loop_task end;
    loop_task_init(&end, loop, NULL, NULL);
    loop_defer(&end);
    while (loop->first_task != &end) {
        struct loop_task *t = loop->first_task;
        loop_on_task *on_run = t->on_run;
        loop_task_clear(t);
        int64_t start_ns = loop_now_ns();
        on_run(t->arg); /* t may be gone after this */
        if (loop->base != NULL)
            loop_ran(loop, start_ns, (loop_function *)on_run);
    }
    loop_task_clear(&end);
}

/* ---- timers ---- */

/* Only those set before: a timer of 0 ms set by one that fires waits for the next turn. */
static void run_timers(struct loop *loop)
{
    uint64_t end = loop->heap.next_order;
    struct loop_timer *t;
    while ((t = loop_heap_first(&loop->heap)) != NULL && t->at_ms <= loop->now_ms && t->order < end) {
        loop_on_timer *on_fire = t->on_fire;
        loop_heap_remove(&loop->heap, t);
        int64_t start_ns = loop_now_ns();
        on_fire(t->arg); /* t may be gone after this */
        if (loop->base != NULL)
            loop_ran(loop, start_ns, (loop_function *)on_fire);
    }
}

/* ---- the turn ---- */

static void set_alarm(struct loop *loop, ms_t at_ms)
{
    if (loop->alarm_at_ms == at_ms)
        return;
    ms_t delay_ms = at_ms - monotonic_ms();
    if (delay_ms < 1)
        delay_ms = 1;
    struct timeval tv = {.tv_sec = delay_ms / MS_PER_S, .tv_usec = delay_ms % MS_PER_S * US_PER_MS};
    if (evtimer_add(loop->alarm, &tv) != 0)
        abort(); /* only out of memory */
    loop->alarm_at_ms = at_ms;
}

enum wait { WAIT_NOT, WAIT_FOR_SOMETHING };

static void wait_for_libevent(struct loop *loop, enum wait wait)
{
    const struct loop_timer *first = loop_heap_first(&loop->heap);
    assert(first != NULL); /* the heartbeat at least */
    bool is_due = first->at_ms <= monotonic_ms();
    int flags = EVLOOP_ONCE;
    if (wait == WAIT_NOT || is_due || loop->first_task != NULL)
        flags |= EVLOOP_NONBLOCK;
    else
        set_alarm(loop, first->at_ms);
    loop->is_stale = true;
    if (event_base_loop(loop->base, flags) < 0)
        abort(); /* epoll itself failed: nothing can be done without it */
    loop_wake(loop);
}

ms_t loop_next_ms(const struct loop *loop)
{
    const struct loop_timer *first = loop_heap_first(&loop->heap);
    if (loop->first_task != NULL)
        return loop->now_ms;
    return first != NULL ? first->at_ms : INT64_MAX;
}

void loop_clock_to(struct loop *loop, ms_t at_ms)
{
    assert(loop->base == NULL);
    if (at_ms <= loop->now_ms)
        return;
    loop->wall_ms += at_ms - loop->now_ms;
    loop->now_ms = at_ms;
}

void loop_wall_step(struct loop *loop, int64_t by_ms)
{
    assert(loop->base == NULL);
    loop->wall_ms += by_ms;
}

static void jump_to_next_timer(struct loop *loop)
{
    ms_t next_ms = loop_next_ms(loop);
    if (next_ms != INT64_MAX)
        loop_clock_to(loop, next_ms);
}

static bool is_anything_left(const struct loop *loop)
{
    size_t own_timers = loop_timer_is_set(&loop->health.heartbeat) ? 1 : 0;
    return loop->first_task != NULL || loop->heap.n > own_timers || loop->n_wanted_fds > 0;
}

static void turn(struct loop *loop, enum wait wait)
{
    assert(!loop->is_in_turn);
    loop->is_in_turn = true;
    loop->health.stats.turns_n++;
    if (loop->base == NULL) {
        jump_to_next_timer(loop);
    } else {
        if (!loop_timer_is_set(&loop->health.heartbeat))
            loop_health_start(&loop->health, loop);
        wait_for_libevent(loop, wait);
    }
    run_timers(loop);
    run_tasks(loop);
    drain_garbage(loop);
    loop->is_stale = loop->base != NULL;
    loop->is_in_turn = false;
}

void loop_run(struct loop *loop)
{
    while (!loop->is_stopped) {
        turn(loop, WAIT_FOR_SOMETHING);
        if (loop->base == NULL && !is_anything_left(loop))
            break;
    }
    loop->is_stopped = false;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopped = true;
}

bool loop_turn(struct loop *loop)
{
    turn(loop, WAIT_NOT);
    return is_anything_left(loop);
}
