// SPDX-License-Identifier: MIT
/* When the queue of creations is looked at: soon after a word, often while somebody waits, seldom otherwise; and how
 * long a creation is said to take. */
#include "core/queue.h"

#include "tests/unit/cmocka_all.h"

enum { IDLE_MS = 30000, AT_ONCE = 8, ANSWER_MS = 5 };

/* A store that answers each look with what the case put there. */
struct fake {
    struct loop *loop;
    struct port_store store;
    struct clusters *clusters;
    struct queue *queue;
    struct op op;
    struct loop_timer answer_timer;
    struct loop_timer stop_timer;
    store_on_queue *done;
    void *arg;
    unsigned waiting_n; /* of the next answers */
    size_t served_n;
    bool is_failing;
    unsigned looks_n;
    unsigned telling_n;
    struct queue_look last;
    bool is_allowed;
    unsigned heard_n;
};

static void on_answer(void *arg)
{
    struct fake *f = arg;
    static struct flow_row rows[AT_ONCE];
    const struct queue_answer answer = {.rows = rows, .n = f->served_n, .waiting_n = f->waiting_n};
    struct err err = {.kind = ERR_NOT_READY};
    f->done(f->arg, f->is_failing ? &(struct queue_answer){0} : &answer, f->is_failing ? &err : NULL);
}

static void cancel(struct op *op)
{
    struct fake *f = (struct fake *)((char *)op - offsetof(struct fake, op));
    loop_timer_clear(&f->answer_timer);
}

static struct op *queue_admit(void *self, const struct queue_look *look, ms_t timeout_ms, store_on_queue *done,
                              void *arg)
{
    struct fake *f = self;
    (void)timeout_ms;
    f->looks_n++;
    f->telling_n += look->is_telling;
    f->last = *look;
    f->done = done;
    f->arg = arg;
    f->op.cancel = cancel;
    loop_timer_set(&f->answer_timer, ANSWER_MS);
    return &f->op;
}

/* Nothing was completed yet; the answer is never needed. */
static struct op *stage_usual(void *self, ms_t timeout_ms, store_on_usual *done, void *arg)
{
    (void)self;
    (void)timeout_ms;
    (void)done;
    (void)arg;
    return NULL;
}

static void on_look(void *arg, const struct queue_answer *answer, const struct err *err)
{
    struct fake *f = arg;
    (void)answer;
    (void)err;
    f->heard_n++;
}

static bool may_look(void *arg)
{
    const struct fake *f = arg;
    return f->is_allowed;
}

static void on_stop(void *arg)
{
    struct fake *f = arg;
    loop_stop(f->loop);
}

static void pass(struct fake *f, ms_t ms)
{
    loop_timer_set(&f->stop_timer, ms);
    loop_run(f->loop);
}

static int setup(void **state)
{
    static struct fake f;
    f = (struct fake){.loop = loop_new_simulated(1760000000000), .is_allowed = true};
    f.store = (struct port_store){.self = &f, .queue_admit = queue_admit, .stage_usual = stage_usual};
    const struct cluster list[] = {
        {.name = "free",      .former_names = ""},
        { .name = "tight", .former_names = "", .creations_max = 3}
    };
    f.clusters = clusters_new(f.loop, list, 2);
    loop_timer_init(&f.answer_timer, f.loop, on_answer, &f);
    loop_timer_init(&f.stop_timer, f.loop, on_stop, &f);
    f.queue = queue_new(&(struct queue_config){
        .loop = f.loop,
        .store = &f.store,
        .clusters = f.clusters,
        .limits = {2, 5, 9},
        .has_overlap = true,
        .idle_ms = IDLE_MS,
        .max = AT_ONCE,
        .on_look = on_look,
        .may_look = may_look,
        .arg = &f
    });
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fake *f = *state;
    queue_free(f->queue);
    loop_timer_clear(&f->answer_timer);
    clusters_free(f->clusters);
    loop_free(f->loop);
    return 0;
}

static void it_looks_at_start_and_seldom_while_nobody_waits(void **state)
{
    struct fake *f = *state;
    pass(f, 100);
    assert_int_equal(f->looks_n, 1);
    assert_int_equal(f->last.max, AT_ONCE);
    assert_int_equal(f->last.replica_creations_max, 2);
    assert_int_equal(f->last.creations_max, 5);
    assert_int_equal(f->last.clusters_n, 1);
    assert_true(str_eq_text(f->last.clusters[0], "tight"));
    assert_int_equal(f->last.cluster_creations_max[0], 3);
    pass(f, IDLE_MS - 1000);
    assert_int_equal(f->looks_n, 1);
    queue_slot_freed(f->queue); /* nobody is there to take it */
    pass(f, 500);
    assert_int_equal(f->looks_n, 1);
    pass(f, 1000);
    assert_int_equal(f->looks_n, 2);
}

static void a_word_is_followed_at_once_and_many_within_a_moment_are_one(void **state)
{
    struct fake *f = *state;
    pass(f, 1000);
    for (unsigned i = 0; i < 50; i++)
        queue_poke(f->queue);
    pass(f, 1);
    assert_int_equal(f->looks_n, 2);
    /* While it looks: what was asked for then has not been seen. */
    for (unsigned i = 0; i < 50; i++)
        queue_poke(f->queue);
    pass(f, 100);
    assert_int_equal(f->looks_n, 3);
    assert_int_equal(f->heard_n, 3);
}

static void while_somebody_waits_it_looks_every_second_and_for_each_free_slot(void **state)
{
    struct fake *f = *state;
    f->waiting_n = 7;
    pass(f, 100);
    assert_int_equal(queue_waiting_n(f->queue), 7);
    pass(f, 5000);
    assert_in_range(f->looks_n, 5, 6);
    assert_int_equal(f->telling_n, f->looks_n);
    unsigned before_n = f->looks_n;
    pass(f, 600);
    unsigned told_n = f->telling_n;
    queue_slot_freed(f->queue);
    pass(f, 50);
    assert_in_range(f->looks_n, before_n + 1, before_n + 2);
    assert_in_range(f->telling_n, told_n, told_n + 1);
}

static void as_many_as_it_may_take_at_once_are_followed_by_another_look(void **state)
{
    struct fake *f = *state;
    f->served_n = AT_ONCE;
    pass(f, 10);
    f->served_n = 1;
    pass(f, 100);
    assert_int_equal(f->looks_n, 2);
}

static void without_a_lease_it_does_not_look_and_after_a_failure_it_looks_again(void **state)
{
    struct fake *f = *state;
    f->is_allowed = false;
    pass(f, 5000);
    assert_int_equal(f->looks_n, 0);
    f->is_allowed = true;
    f->is_failing = true;
    pass(f, 5000);
    assert_in_range(f->looks_n, 8, 11);
    assert_int_equal(f->heard_n, f->looks_n);
}

static void a_look_that_is_dropped_is_not_heard_and_done_again(void **state)
{
    struct fake *f = *state;
    pass(f, 2);
    assert_true(queue_restart(f->queue));
    pass(f, 100);
    assert_int_equal(f->looks_n, 2);
    assert_int_equal(f->heard_n, 1);
    assert_false(queue_restart(f->queue));
}

static void what_runs_at_the_same_time_counts_once(void **state)
{
    (void)state;
    struct stage_usual usual[STAGE_N] = {[STAGE_DATABASE] = {30000},
                                         [STAGE_CONTAINER] = {33000},
                                         [STAGE_NETWORKING] = {35000},
                                         [STAGE_TERMINAL] = {4000},
                                         [STAGE_READY] = {1000}};
    assert_int_equal(queue_creation_ms(usual, true), 38000);
    assert_int_equal(queue_creation_ms(usual, false), 103000);
    usual[STAGE_NETWORKING].p50_ms = 50000;
    assert_int_equal(queue_creation_ms(usual, true), 51000);
    usual[STAGE_READY].p50_ms = -1;
    assert_int_equal(queue_creation_ms(usual, true), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_looks_at_start_and_seldom_while_nobody_waits),
        CASE(a_word_is_followed_at_once_and_many_within_a_moment_are_one),
        CASE(while_somebody_waits_it_looks_every_second_and_for_each_free_slot),
        CASE(as_many_as_it_may_take_at_once_are_followed_by_another_look),
        CASE(without_a_lease_it_does_not_look_and_after_a_failure_it_looks_again),
        CASE(a_look_that_is_dropped_is_not_heard_and_done_again),
        CASE(what_runs_at_the_same_time_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
