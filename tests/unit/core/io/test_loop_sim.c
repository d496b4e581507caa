// SPDX-License-Identifier: MIT
/* Timers, tasks and frees on the simulated loop; they are the same code on the real one. */
#include "unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/io/loop.h"

enum { N_TIMERS = 16 };
#define START_WALL_MS (INT64_C(1700000000) * 1000)

struct fixture;
struct named {
    struct fixture *f;
    char name;
    ms_t again_ms;               /* >= 0: set again so much later, once */
    struct loop_timer *to_clear; /* cleared when this one fires */
    struct loop_task *to_defer;
};

struct fixture {
    struct loop *loop;
    ms_t start_ms;
    struct loop_timer timers[N_TIMERS];
    struct loop_task tasks[N_TIMERS];
    struct named named[N_TIMERS];
    struct buf log; /* the names of what ran, in order */
};

static void on_timer(void *arg)
{
    struct named *n = arg;
    buf_add_byte(&n->f->log, n->name);
    if (n->to_clear != NULL)
        loop_timer_clear(n->to_clear);
    if (n->to_defer != NULL)
        loop_defer(n->to_defer);
    if (n->again_ms >= 0) {
        loop_timer_set(&n->f->timers[n->name - 'a'], n->again_ms);
        n->again_ms = -1;
    }
}

static void on_task(void *arg)
{
    struct named *n = arg;
    buf_add_byte(&n->f->log, (char)(n->name - 'a' + 'A'));
    if (n->to_defer != NULL)
        loop_defer(n->to_defer);
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    f->loop = loop_new_simulated(START_WALL_MS);
    f->start_ms = loop_now_ms(f->loop);
    buf_init(&f->log, 10000);
    for (int i = 0; i < N_TIMERS; i++) {
        f->named[i] = (struct named){.f = f, .name = (char)('a' + i), .again_ms = -1};
        loop_timer_init(&f->timers[i], f->loop, on_timer, &f->named[i]);
        loop_task_init(&f->tasks[i], f->loop, on_task, &f->named[i]);
    }
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    loop_free(f->loop);
    buf_fini(&f->log);
    free(f);
    return 0;
}

/* ---- timers ---- */

static void timers_fire_in_time_order_and_the_clock_jumps(void **state)
{
    struct fixture *f = *state;
    loop_timer_set(&f->timers[0], 3000);
    loop_timer_set(&f->timers[1], 1000);
    loop_timer_set(&f->timers[2], 2000);
    assert_true(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "b");
    assert_int_equal(loop_now_ms(f->loop) - f->start_ms, 1000);
    assert_int_equal(loop_wall_ms(f->loop), START_WALL_MS + 1000);
    assert_true(loop_turn(f->loop));
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "bca");
    assert_int_equal(loop_now_ms(f->loop) - f->start_ms, 3000);
}

static void equal_times_fire_in_the_order_they_were_set(void **state)
{
    struct fixture *f = *state;
    const char *order = "hcafbdge";
    for (size_t i = 0; i < 8; i++)
        loop_timer_set(&f->timers[order[i] - 'a'], 5);
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), order);
}

static void nothing_fires_before_set_returns(void **state)
{
    struct fixture *f = *state;
    loop_timer_set(&f->timers[0], 0);
    loop_timer_set(&f->timers[1], -5);
    assert_string_equal(buf_text(&f->log), "");
    assert_true(loop_timer_is_set(&f->timers[0]));
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "ab");
    assert_int_equal(loop_now_ms(f->loop), f->start_ms);
    assert_false(loop_timer_is_set(&f->timers[0]));
}

static void setting_a_timer_again_moves_it(void **state)
{
    struct fixture *f = *state;
    loop_timer_set(&f->timers[0], 10);
    loop_timer_set(&f->timers[1], 20);
    loop_timer_set(&f->timers[0], 30);
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "ba");
    loop_timer_set(&f->timers[0], 30);
    loop_timer_set(&f->timers[1], 20);
    loop_timer_set(&f->timers[0], 10);
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "baab");
}

static void a_cleared_timer_never_fires(void **state)
{
    struct fixture *f = *state;
    loop_timer_clear(&f->timers[0]);
    loop_timer_set(&f->timers[0], 10);
    loop_timer_set(&f->timers[1], 20);
    loop_timer_clear(&f->timers[0]);
    loop_timer_clear(&f->timers[0]);
    assert_false(loop_timer_is_set(&f->timers[0]));
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "b");
}

static void a_timer_can_clear_one_that_is_due_with_it(void **state)
{
    struct fixture *f = *state;
    f->named[0].to_clear = &f->timers[1];
    for (int i = 0; i < 3; i++)
        loop_timer_set(&f->timers[i], 10);
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "ac");
}

static void a_timer_of_nothing_set_while_firing_waits_a_turn(void **state)
{
    struct fixture *f = *state;
    f->named[0].again_ms = 0;
    loop_timer_set(&f->timers[0], 1);
    loop_timer_set(&f->timers[1], 1);
    assert_true(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "ab");
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "aba");
    assert_int_equal(loop_now_ms(f->loop) - f->start_ms, 1);
}

static void for_ever_does_not_overflow(void **state)
{
    struct fixture *f = *state;
    loop_timer_set(&f->timers[0], INT64_MAX);
    loop_timer_set(&f->timers[1], 5);
    assert_true(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "b");
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "ba");
    assert_true(loop_now_ms(f->loop) > f->start_ms);
    assert_true(loop_wall_ms(f->loop) > START_WALL_MS);
}

struct many {
    struct loop_timer timer;
    struct loop *loop;
    ms_t at_ms;
    ms_t *last_ms;
    size_t *fired;
};

static void on_many(void *arg)
{
    struct many *m = arg;
    assert_int_equal(loop_now_ms(m->loop), m->at_ms);
    assert_true(m->at_ms >= *m->last_ms);
    *m->last_ms = m->at_ms;
    ++*m->fired;
}

/* A small linear congruential generator: the same sequence in every run. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void thousands_of_timers_set_moved_and_cleared_fire_exactly_when_due(void **state)
{
    struct fixture *f = *state;
    enum { N = 3000 };
    struct many *many = calloc(N, sizeof(*many));
    assert_non_null(many);
    uint32_t seed = 42;
    ms_t last_ms = 0;
    size_t fired = 0;
    size_t set = 0;
    for (size_t i = 0; i < N; i++) {
        many[i] = (struct many){.loop = f->loop, .last_ms = &last_ms, .fired = &fired};
        loop_timer_init(&many[i].timer, f->loop, on_many, &many[i]);
    }
    for (size_t i = 0; i < 5 * (size_t)N; i++) {
        struct many *m = &many[next_random(&seed) % N];
        ms_t delay_ms = next_random(&seed) % 1000;
        if (next_random(&seed) % 3 == 0) {
            loop_timer_clear(&m->timer);
        } else {
            loop_timer_set(&m->timer, delay_ms);
            m->at_ms = loop_now_ms(f->loop) + delay_ms;
        }
    }
    for (size_t i = 0; i < N; i++)
        set += loop_timer_is_set(&many[i].timer) ? 1 : 0;
    assert_in_range(set, 1, N - 1);
    loop_run(f->loop);
    assert_int_equal(fired, set);
    free(many);
}

/* ---- tasks ---- */

static void tasks_run_in_order_and_coalesce(void **state)
{
    struct fixture *f = *state;
    loop_defer(&f->tasks[1]);
    loop_defer(&f->tasks[0]);
    loop_defer(&f->tasks[1]);
    assert_string_equal(buf_text(&f->log), "");
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "BA");
    loop_defer(&f->tasks[1]);
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "BAB");
}

static void a_task_deferred_by_a_timer_runs_in_the_same_turn(void **state)
{
    struct fixture *f = *state;
    f->named[0].to_defer = &f->tasks[1];
    loop_timer_set(&f->timers[0], 10);
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "aB");
}

static void a_task_deferred_by_a_task_waits_for_the_next_turn(void **state)
{
    struct fixture *f = *state;
    f->named[0].to_defer = &f->tasks[0]; /* for ever */
    f->named[1].to_defer = &f->tasks[2];
    loop_defer(&f->tasks[0]);
    loop_defer(&f->tasks[1]);
    loop_timer_set(&f->timers[5], 0);
    assert_true(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "fAB");
    assert_true(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "fABAC");
    loop_task_clear(&f->tasks[0]);
    assert_false(loop_turn(f->loop));
}

static void time_stands_still_while_tasks_are_queued(void **state)
{
    struct fixture *f = *state;
    loop_timer_set(&f->timers[0], 1000);
    loop_defer(&f->tasks[1]);
    assert_true(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "B");
    assert_int_equal(loop_now_ms(f->loop), f->start_ms);
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "Ba");
}

static void a_cleared_task_never_runs_wherever_it_stands(void **state)
{
    struct fixture *f = *state;
    for (int cleared = 0; cleared < 3; cleared++) {
        buf_clear(&f->log);
        for (int i = 0; i < 3; i++)
            loop_defer(&f->tasks[i]);
        loop_task_clear(&f->tasks[cleared]);
        loop_task_clear(&f->tasks[cleared]);
        loop_run(f->loop);
        assert_string_equal(buf_text(&f->log), cleared == 0 ? "BC" : cleared == 1 ? "AC" : "AB");
    }
}

struct killer {
    struct loop_task task;
    struct loop_task *victim;
};

static void on_kill(void *arg)
{
    struct killer *k = arg;
    loop_task_clear(k->victim);
}

static void a_task_can_clear_the_one_after_it(void **state)
{
    struct fixture *f = *state;
    struct killer k = {.victim = &f->tasks[1]};
    loop_task_init(&k.task, f->loop, on_kill, &k);
    loop_defer(&k.task);
    loop_defer(&f->tasks[1]);
    loop_defer(&f->tasks[2]);
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "C");
}

/* ---- ends ---- */

static void on_suicide(void *arg)
{
    free(arg); /* the timer or task is inside: the loop must not touch it again */
}

static void timers_and_tasks_may_end_inside_their_own_callback(void **state)
{
    struct fixture *f = *state;
    struct loop_timer *t = malloc(sizeof(*t));
    struct loop_task *k = malloc(sizeof(*k));
    assert_true(t != NULL && k != NULL);
    loop_timer_init(t, f->loop, on_suicide, t);
    loop_task_init(k, f->loop, on_suicide, k);
    loop_timer_set(t, 1);
    loop_run(f->loop);
    loop_defer(k);
    loop_run(f->loop);
}

static void log_free(void *p)
{
    struct named *n = p;
    buf_add_byte(&n->f->log, '-');
    buf_add_byte(&n->f->log, n->name);
    if (n->name == 'a')
        loop_defer_free(n->f->loop, &n->f->named[1], log_free);
}

static void on_end(void *arg)
{
    struct named *n = arg;
    loop_defer_free(n->f->loop, n, log_free);
    buf_add_byte(&n->f->log, '+');
}

static void frees_happen_after_all_callbacks_of_the_turn(void **state)
{
    struct fixture *f = *state;
    struct loop_task k;
    loop_task_init(&k, f->loop, on_end, &f->named[0]);
    loop_defer(&k);
    loop_defer(&f->tasks[2]);
    assert_false(loop_turn(f->loop));
    assert_string_equal(buf_text(&f->log), "+C-a-b");
}

static void what_waits_to_be_freed_is_freed_with_the_loop(void **state)
{
    (void)state;
    struct fixture f = {.loop = loop_new_simulated(0)};
    buf_init(&f.log, 100);
    for (int i = 0; i < 3; i++)
        f.named[i] = (struct named){.f = &f, .name = (char)('a' + i)};
    for (int i = 0; i < 100; i++)
        loop_defer_free(f.loop, &f.named[2], log_free);
    struct loop_timer t;
    struct loop_task k;
    loop_timer_init(&t, f.loop, on_timer, &f.named[0]);
    loop_task_init(&k, f.loop, on_task, &f.named[0]);
    loop_timer_set(&t, 10);
    loop_defer(&k);
    loop_free(f.loop);
    f.loop = NULL;
    assert_int_equal(f.log.n, 100);
    assert_false(loop_timer_is_set(&t));
    assert_false(k.is_queued);
    loop_timer_clear(&t);
    loop_task_clear(&k);
    buf_fini(&f.log);
    loop_free(NULL);
}

static void on_stop(void *arg)
{
    loop_stop(arg);
}

static void stop_ends_run_after_the_turn(void **state)
{
    struct fixture *f = *state;
    struct loop_timer t;
    loop_timer_init(&t, f->loop, on_stop, f->loop);
    loop_timer_set(&t, 10);
    loop_timer_set(&f->timers[0], 10);
    loop_timer_set(&f->timers[1], 11);
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "a");
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "ab");
    loop_timer_set(&f->timers[0], 1);
    loop_stop(f->loop);
    loop_run(f->loop); /* stopped before it began */
    assert_string_equal(buf_text(&f->log), "ab");
    loop_run(f->loop);
    assert_string_equal(buf_text(&f->log), "aba");
}

static void an_empty_loop_has_nothing_to_do(void **state)
{
    struct fixture *f = *state;
    assert_false(loop_turn(f->loop));
    loop_run(f->loop);
    assert_int_equal(loop_now_ms(f->loop), f->start_ms);
    struct loop_stats stats;
    loop_stats(f->loop, &stats);
    assert_int_equal(stats.turns_n, 2);
    assert_int_equal(stats.held_n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_time_order_and_the_clock_jumps),
        TEST(equal_times_fire_in_the_order_they_were_set),
        TEST(nothing_fires_before_set_returns),
        TEST(setting_a_timer_again_moves_it),
        TEST(a_cleared_timer_never_fires),
        TEST(a_timer_can_clear_one_that_is_due_with_it),
        TEST(a_timer_of_nothing_set_while_firing_waits_a_turn),
        TEST(for_ever_does_not_overflow),
        TEST(thousands_of_timers_set_moved_and_cleared_fire_exactly_when_due),
        TEST(tasks_run_in_order_and_coalesce),
        TEST(a_task_deferred_by_a_timer_runs_in_the_same_turn),
        TEST(a_task_deferred_by_a_task_waits_for_the_next_turn),
        TEST(time_stands_still_while_tasks_are_queued),
        TEST(a_cleared_task_never_runs_wherever_it_stands),
        TEST(a_task_can_clear_the_one_after_it),
        TEST(timers_and_tasks_may_end_inside_their_own_callback),
        TEST(frees_happen_after_all_callbacks_of_the_turn),
        cmocka_unit_test(what_waits_to_be_freed_is_freed_with_the_loop),
        TEST(stop_ends_run_after_the_turn),
        TEST(an_empty_loop_has_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
