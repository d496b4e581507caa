// SPDX-License-Identifier: MIT
/* Descriptors, signals and clocks on the real loop. */
#include "unit/cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/io/loop.h"

struct fixture {
    struct loop *loop;
    int pair[2];
    struct loop_timer deadline; /* a test that hangs fails instead */
    struct loop_fd *fd;
    struct loop_fd *other;
    int events;
    size_t calls;
    size_t other_calls;
};

static void on_deadline(void *arg)
{
    (void)arg;
    fail_msg("nothing happened in ten seconds");
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->pair) != 0)
        return -1;
    f->loop = loop_new(NULL);
    if (f->loop == NULL)
        return -1;
    loop_timer_init(&f->deadline, f->loop, on_deadline, f);
    loop_timer_set(&f->deadline, 10000);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    loop_timer_clear(&f->deadline);
    loop_fd_free(f->fd);
    loop_fd_free(f->other);
    loop_free(f->loop);
    close(f->pair[0]);
    close(f->pair[1]);
    free(f);
    return 0;
}

static void on_ready(void *arg, int events)
{
    struct fixture *f = arg;
    f->events = events;
    f->calls++;
    loop_stop(f->loop);
}

static void on_other(void *arg, int events)
{
    struct fixture *f = arg;
    (void)events;
    f->other_calls++;
    loop_stop(f->loop);
}

static void put(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

/* ---- descriptors ---- */

static void a_new_descriptor_wants_nothing(void **state)
{
    struct fixture *f = *state;
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready, f);
    put(f->pair[1]);
    loop_turn(f->loop);
    loop_turn(f->loop);
    assert_int_equal(f->calls, 0);
}

static void readiness_is_level_triggered(void **state)
{
    struct fixture *f = *state;
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready, f);
    loop_fd_want(f->fd, LOOP_READ);
    loop_turn(f->loop);
    assert_int_equal(f->calls, 0);
    put(f->pair[1]);
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_READ);
    loop_run(f->loop);
    assert_int_equal(f->calls, 2);
    char c;
    assert_int_equal(read(f->pair[0], &c, 1), 1);
    loop_turn(f->loop);
    assert_int_equal(f->calls, 2);
}

static void only_what_is_wanted_is_told(void **state)
{
    struct fixture *f = *state;
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready, f);
    put(f->pair[1]);
    loop_fd_want(f->fd, LOOP_WRITE);
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_WRITE);
    loop_fd_want(f->fd, LOOP_READ | LOOP_WRITE);
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_READ | LOOP_WRITE);
    loop_fd_want(f->fd, LOOP_READ);
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_READ);
    loop_fd_want(f->fd, 0);
    loop_turn(f->loop);
    assert_int_equal(f->calls, 3);
    loop_fd_want(f->fd, LOOP_READ);
    loop_run(f->loop);
    assert_int_equal(f->calls, 4);
}

static void the_peers_end_is_told_as_closed(void **state)
{
    struct fixture *f = *state;
    const int wants[] = {LOOP_CLOSED, LOOP_READ | LOOP_CLOSED};
    for (size_t i = 0; i < 2; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        f->fd = loop_fd_new(f->loop, pair[0], on_ready, f);
        loop_fd_want(f->fd, wants[i]);
        loop_turn(f->loop);
        assert_int_equal(f->calls, i);
        shutdown(pair[1], SHUT_WR);
        loop_run(f->loop);
        assert_int_equal(f->events, wants[i]);
        loop_fd_free(f->fd);
        f->fd = NULL;
        close(pair[0]);
        close(pair[1]);
    }
}

static void data_is_not_an_end(void **state)
{
    struct fixture *f = *state;
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready, f);
    loop_fd_want(f->fd, LOOP_CLOSED);
    put(f->pair[1]);
    for (int i = 0; i < 5; i++)
        loop_turn(f->loop);
    assert_int_equal(f->calls, 0);
    loop_fd_want(f->fd, LOOP_READ | LOOP_CLOSED);
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_READ);
    loop_fd_want(f->fd, LOOP_CLOSED);
    close(f->pair[1]);
    f->pair[1] = -1;
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_CLOSED);
}

/* A TCP connection over loopback, both ends. */
static void connect_pair(int ret[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &n), 0);
    ret[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ret[0], (struct sockaddr *)&address, n), 0);
    ret[1] = accept(listener, NULL, NULL);
    assert_true(ret[1] >= 0);
    close(listener);
}

/* libevent reports a reset as readable and writable only: whoever waits for the end alone must hear of it, once. */
static void a_reset_is_an_end_and_does_not_spin(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    connect_pair(pair);
    f->fd = loop_fd_new(f->loop, pair[0], on_ready, f);
    loop_fd_want(f->fd, LOOP_CLOSED);
    loop_turn(f->loop);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(pair[1]);
    loop_run(f->loop);
    assert_int_equal(f->events, LOOP_CLOSED);
    for (int i = 0; i < 5; i++)
        loop_turn(f->loop);
    assert_int_equal(f->calls, 1);
    loop_fd_free(f->fd);
    f->fd = NULL;
    close(pair[0]);
}

static void on_ready_free(void *arg, int events)
{
    struct fixture *f = arg;
    f->events = events;
    f->calls++;
    loop_fd_free(f->fd);
    loop_fd_free(f->other);
    f->fd = NULL;
    f->other = NULL;
}

static void a_descriptor_may_be_freed_by_its_own_callback_with_a_ready_one(void **state)
{
    struct fixture *f = *state;
    put(f->pair[0]);
    put(f->pair[1]);
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready_free, f);
    f->other = loop_fd_new(f->loop, f->pair[1], on_ready_free, f);
    loop_fd_want(f->fd, LOOP_READ);
    loop_fd_want(f->other, LOOP_READ);
    loop_turn(f->loop);
    loop_turn(f->loop);
    assert_int_equal(f->calls, 1); /* whichever came first freed both */
    loop_fd_free(NULL);
}

static void a_number_that_is_used_again_is_another_descriptor(void **state)
{
    struct fixture *f = *state;
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready, f);
    loop_fd_want(f->fd, LOOP_READ);
    put(f->pair[1]);
    loop_fd_free(f->fd);
    close(f->pair[0]);
    close(f->pair[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->pair), 0);
    f->fd = loop_fd_new(f->loop, f->pair[0], on_other, f);
    loop_fd_want(f->fd, LOOP_READ);
    loop_turn(f->loop);
    assert_int_equal(f->other_calls, 0);
    put(f->pair[1]);
    loop_run(f->loop);
    assert_int_equal(f->other_calls, 1);
    assert_int_equal(f->calls, 0);
}

/* ---- clocks, timers, tasks ---- */

struct seen {
    struct loop *loop;
    struct loop_timer timer;
    struct loop_task task;
    size_t timers;
    size_t tasks;
    ms_t at_ms;
};

static void on_seen_timer(void *arg)
{
    struct seen *s = arg;
    s->timers++;
    s->at_ms = loop_now_ms(s->loop);
    loop_stop(s->loop);
}

static void on_seen_task(void *arg)
{
    struct seen *s = arg;
    s->tasks++;
    if (s->tasks < 1000)
        loop_defer(&s->task);
    else
        loop_stop(s->loop);
}

static void a_timer_never_fires_early(void **state)
{
    struct fixture *f = *state;
    for (ms_t delay_ms = 0; delay_ms < 8; delay_ms++) {
        struct seen s = {.loop = f->loop};
        loop_timer_init(&s.timer, f->loop, on_seen_timer, &s);
        ms_t set_ms = loop_now_ms(f->loop);
        loop_timer_set(&s.timer, delay_ms);
        loop_run(f->loop);
        assert_int_equal(s.timers, 1);
        assert_true(s.at_ms >= set_ms + delay_ms);
    }
}

static void a_later_timer_does_not_hide_an_earlier_one(void **state)
{
    struct fixture *f = *state;
    struct seen late = {.loop = f->loop};
    struct seen early = {.loop = f->loop};
    loop_timer_init(&late.timer, f->loop, on_seen_timer, &late);
    loop_timer_init(&early.timer, f->loop, on_seen_timer, &early);
    loop_timer_set(&early.timer, 1);
    loop_run(f->loop); /* libevent's timer was set for the heartbeat and the first one */
    loop_timer_set(&late.timer, 60000);
    loop_timer_set(&early.timer, 1);
    loop_run(f->loop);
    assert_int_equal(early.timers, 2);
    assert_int_equal(late.timers, 0);
    loop_timer_clear(&late.timer);
}

static void on_ready_read(void *arg, int events)
{
    struct fixture *f = arg;
    char c;
    (void)events;
    assert_int_equal(read(f->pair[0], &c, 1), 1);
    f->calls++;
}

static void tasks_that_defer_themselves_let_descriptors_through(void **state)
{
    struct fixture *f = *state;
    struct seen s = {.loop = f->loop};
    loop_task_init(&s.task, f->loop, on_seen_task, &s);
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready_read, f);
    loop_fd_want(f->fd, LOOP_READ);
    loop_defer(&s.task);
    put(f->pair[1]);
    loop_turn(f->loop);
    loop_turn(f->loop);
    assert_int_equal(f->calls, 1);
    assert_in_range(s.tasks, 1, 2);
    loop_run(f->loop);
    assert_int_equal(s.tasks, 1000);
}

static void the_clock_stands_within_a_turn_and_runs_outside(void **state)
{
    struct fixture *f = *state;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    assert_in_range(loop_wall_ms(f->loop), ((int64_t)now.tv_sec - 1) * 1000, ((int64_t)now.tv_sec + 100) * 1000);
    ms_t before_ms = loop_now_ms(f->loop);
    while (loop_now_ms(f->loop) < before_ms + 2)
        ;
    loop_turn(f->loop);
    assert_true(loop_now_ms(f->loop) >= before_ms + 2);
}

static void what_is_left_is_told(void **state)
{
    struct fixture *f = *state;
    struct seen s = {.loop = f->loop};
    loop_timer_clear(&f->deadline);
    loop_task_init(&s.task, f->loop, on_seen_task, &s);
    loop_timer_init(&s.timer, f->loop, on_seen_timer, &s);
    assert_false(loop_turn(f->loop)); /* the heartbeat does not count */
    loop_timer_set(&s.timer, 60000);
    assert_true(loop_turn(f->loop));
    loop_timer_clear(&s.timer);
    f->fd = loop_fd_new(f->loop, f->pair[0], on_ready, f);
    assert_false(loop_turn(f->loop));
    loop_fd_want(f->fd, LOOP_READ);
    assert_true(loop_turn(f->loop));
    loop_fd_want(f->fd, 0);
    loop_defer(&s.task);
    assert_true(loop_turn(f->loop)); /* it deferred itself again */
    loop_task_clear(&s.task);
    assert_false(loop_turn(f->loop));
}

/* ---- signals ---- */

static void on_usr1(void *arg)
{
    struct fixture *f = arg;
    f->calls++;
    loop_stop(f->loop);
}

static void a_signal_becomes_a_callback(void **state)
{
    struct fixture *f = *state;
    struct loop_signal *s = loop_signal_new(f->loop, SIGUSR1, on_usr1, f);
    raise(SIGUSR1);
    loop_run(f->loop);
    assert_int_equal(f->calls, 1);
    raise(SIGUSR1);
    loop_run(f->loop);
    assert_int_equal(f->calls, 2);
    loop_signal_free(s);
    loop_signal_free(NULL);
}

struct one_shot {
    struct fixture *f;
    struct loop_signal *s;
};

static void on_usr1_free(void *arg)
{
    struct one_shot *o = arg;
    o->f->calls++;
    loop_signal_free(o->s);
    loop_stop(o->f->loop);
}

static void a_signal_may_be_freed_by_its_own_callback(void **state)
{
    struct fixture *f = *state;
    struct one_shot o = {.f = f};
    o.s = loop_signal_new(f->loop, SIGUSR1, on_usr1_free, &o);
    raise(SIGUSR1);
    loop_run(f->loop);
    assert_int_equal(f->calls, 1);
}

/* ---- health ---- */

static void on_hold(void *arg)
{
    struct timespec a;
    struct timespec b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    do {
        clock_gettime(CLOCK_MONOTONIC, &b);
    } while ((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 160);
    loop_stop(arg);
}

static void on_hold_fd(void *arg, int events)
{
    struct fixture *f = arg;
    (void)events;
    loop_fd_want(f->fd, 0);
    on_hold(f->loop);
}

/* 160 ms are over the 50 ms of a held loop and let the 100 ms heartbeat come at least 50 ms late, on any machine. */
static void callbacks_that_hold_the_loop_are_counted_and_its_lag_is_told(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_init(ends[1], LOG_FORMAT_JSON, LOG_LEVEL_WARN);
    struct loop_stats stats;
    struct loop_task task;
    struct loop_timer timer;
    loop_stats(f->loop, &stats);
    assert_int_equal(stats.held_n, 0);
    assert_int_equal(stats.lag_max_ms, 0);
    loop_turn(f->loop);
    loop_task_init(&task, f->loop, on_hold, f->loop);
    loop_defer(&task);
    loop_run(f->loop);
    loop_turn(f->loop); /* the heartbeat */
    loop_stats(f->loop, &stats);
    assert_true(stats.held_n >= 1);
    assert_true(stats.lag_last_ms >= 50);
    assert_true(stats.lag_max_ms >= stats.lag_last_ms);
    loop_timer_init(&timer, f->loop, on_hold, f->loop);
    loop_timer_set(&timer, 0);
    loop_run(f->loop);
    f->fd = loop_fd_new(f->loop, f->pair[0], on_hold_fd, f);
    loop_fd_want(f->fd, LOOP_WRITE);
    loop_run(f->loop);
    loop_stats(f->loop, &stats);
    assert_true(stats.held_n >= 3);
    assert_true(stats.turns_n >= 4);
    log_init(STDERR_FILENO, LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
#ifndef NDEBUG /* a release build only counts */
    char text[4096] = "";
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "callback held the loop"));
    assert_non_null(strstr(text, "test_loop_real+0x"));
#endif
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_new_descriptor_wants_nothing),
        TEST(readiness_is_level_triggered),
        TEST(only_what_is_wanted_is_told),
        TEST(the_peers_end_is_told_as_closed),
        TEST(data_is_not_an_end),
        TEST(a_reset_is_an_end_and_does_not_spin),
        TEST(a_descriptor_may_be_freed_by_its_own_callback_with_a_ready_one),
        TEST(a_number_that_is_used_again_is_another_descriptor),
        TEST(a_timer_never_fires_early),
        TEST(a_later_timer_does_not_hide_an_earlier_one),
        TEST(tasks_that_defer_themselves_let_descriptors_through),
        TEST(the_clock_stands_within_a_turn_and_runs_outside),
        TEST(what_is_left_is_told),
        TEST(a_signal_becomes_a_callback),
        TEST(a_signal_may_be_freed_by_its_own_callback),
        TEST(callbacks_that_hold_the_loop_are_counted_and_its_lag_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
