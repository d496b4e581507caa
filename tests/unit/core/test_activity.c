// SPDX-License-Identifier: MIT
/* Use is written soon, once per interval, and never more than is remembered; clock and store are simulated. */
#include "core/activity.h"

#include <stdio.h>

#include "tests/unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/xmem.h"

enum { INTERVAL_MS = 30000 };

struct fixture {
    struct loop *loop;
    struct port_store store;
    struct activity *activity;
    struct loop_task tell;
    op_done *done;
    void *arg;
    unsigned writes_n;
    size_t uses_n;
    struct buf written; /* "project/user age;" each */
    bool is_failing;
    bool is_silent;
    unsigned cancelled_n;
};
static struct fixture *the_fixture;

static void cancel(struct op *op)
{
    (void)op;
    the_fixture->cancelled_n++;
}

static void on_tell(void *arg)
{
    struct fixture *f = arg;
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "away");
    f->done(f->arg, f->is_failing ? &err : NULL);
}

static struct op *activity_write(void *self, const struct activity_use *uses, size_t n, ms_t timeout_ms, op_done *done,
                                 void *arg)
{
    static struct op op = {cancel};
    struct fixture *f = self;
    assert_true(timeout_ms > 0);
    f->writes_n++;
    f->uses_n += n;
    for (size_t i = 0; i < n && n < 10; i++)
        buf_addf(&f->written, "%s/%s %lld;", uses[i].project_id, uses[i].user_id, (long long)uses[i].age_ms);
    f->done = done;
    f->arg = arg;
    if (!f->is_silent)
        loop_defer(&f->tell);
    return &op;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->loop = loop_new_simulated(1700000000000);
    f->store = (struct port_store){.self = f, .activity_write = activity_write};
    f->activity = activity_new(f->loop, &f->store, INTERVAL_MS);
    loop_task_init(&f->tell, f->loop, on_tell, f);
    buf_init(&f->written, 1 << 20);
    the_fixture = f;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    activity_free(f->activity);
    loop_task_clear(&f->tell);
    buf_fini(&f->written);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void on_fence(void *arg)
{
    *(bool *)arg = true;
}

static void advance(struct fixture *f, ms_t ms)
{
    struct loop_timer fence;
    bool is_over = false;
    loop_timer_init(&fence, f->loop, on_fence, &is_over);
    loop_timer_set(&fence, ms);
    while (!is_over)
        loop_turn(f->loop);
}

static void note(struct fixture *f, const char *project)
{
    activity_note(f->activity, "u", str_from(project));
}

static void the_first_use_is_written_within_a_second(void **state)
{
    struct fixture *f = *state;
    note(f, "p");
    assert_int_equal(f->writes_n, 0);
    advance(f, 400);
    note(f, "p");
    advance(f, 700);
    assert_int_equal(f->writes_n, 1);
    assert_string_equal(buf_text(&f->written), "p/u 600;");
}

static void what_follows_waits_for_the_intervals_end_and_keeps_its_time(void **state)
{
    struct fixture *f = *state;
    note(f, "p");
    advance(f, 2000);
    buf_clear(&f->written);
    for (int i = 0; i < 20; i++) {
        note(f, "p");
        advance(f, 1000);
    }
    assert_int_equal(f->writes_n, 1);
    advance(f, 15000);
    assert_int_equal(f->writes_n, 2);
    assert_string_equal(buf_text(&f->written), "p/u 10000;");
}

static void many_projects_are_written_in_one_go_and_forgotten(void **state)
{
    struct fixture *f = *state;
    char id[16];
    for (int i = 0; i < 400; i++) {
        assert_true(snprintf(id, sizeof(id), "p%d", i) > 0);
        note(f, id);
    }
    advance(f, 2000);
    assert_int_equal(f->writes_n, 1);
    assert_int_equal(f->uses_n, 400);
    advance(f, 10 * INTERVAL_MS);
    assert_int_equal(f->writes_n, 1);
    note(f, "p1");
    advance(f, 1500);
    assert_int_equal(f->writes_n, 2);
    assert_int_equal(f->uses_n, 401);
}

static void more_than_a_batch_goes_in_several(void **state)
{
    struct fixture *f = *state;
    char id[16];
    for (int i = 0; i < 1200; i++) {
        assert_true(snprintf(id, sizeof(id), "p%d", i) > 0);
        note(f, id);
    }
    advance(f, 5000);
    assert_int_equal(f->writes_n, 3);
    assert_int_equal(f->uses_n, 1200);
}

static void beyond_the_ceiling_nothing_is_remembered(void **state)
{
    struct fixture *f = *state;
    char id[16];
    f->is_silent = true;
    for (int i = 0; i < ACTIVITY_MAX_N + 100; i++) {
        assert_true(snprintf(id, sizeof(id), "p%d", i) > 0);
        note(f, id);
    }
    f->is_silent = false;
    advance(f, 60000);
    assert_int_equal(f->uses_n, ACTIVITY_MAX_N);
}

static void users_are_told_apart_and_ids_that_are_none_passed_over(void **state)
{
    struct fixture *f = *state;
    char longest[100];
    memset(longest, 'x', sizeof(longest));
    activity_note(f->activity, "u", (struct str){longest, sizeof(longest)});
    activity_note(f->activity, "u", STR(""));
    activity_note(f->activity, "v", STR("p"));
    activity_note(f->activity, "u", STR("p"));
    advance(f, 2000);
    assert_int_equal(f->uses_n, 2);
}

static void nothing_is_written_while_nothing_has_a_limit(void **state)
{
    struct fixture *f = *state;
    activity_enable(f->activity, false);
    note(f, "p");
    advance(f, INTERVAL_MS + 3 * ACTIVITY_LOOK_TIMEOUT_MS);
    activity_enable(f->activity, true);
    advance(f, 5000);
    assert_int_equal(f->writes_n, 0);
    note(f, "p");
    advance(f, 5000);
    assert_int_equal(f->writes_n, 1);
}

static void use_of_a_project_whose_limit_was_not_seen_yet_is_written_when_it_is(void **state)
{
    struct fixture *f = *state;
    activity_enable(f->activity, false);
    note(f, "p");
    advance(f, INTERVAL_MS);
    assert_int_equal(f->writes_n, 0);
    activity_enable(f->activity, true);
    advance(f, 1000);
    assert_int_equal(f->writes_n, 1);
    assert_string_equal(buf_text(&f->written), "p/u 31000;");
}

static void a_write_that_fails_is_made_again(void **state)
{
    struct fixture *f = *state;
    f->is_failing = true;
    note(f, "p");
    advance(f, 2000);
    f->is_failing = false;
    buf_clear(&f->written);
    advance(f, INTERVAL_MS + 1000);
    assert_int_equal(f->writes_n, 2);
    assert_string_equal(buf_text(&f->written), "p/u 31000;");
}

static void the_end_cancels_the_write_under_way(void **state)
{
    struct fixture *f = *state;
    f->is_silent = true;
    note(f, "p");
    advance(f, 2000);
    activity_free(f->activity);
    f->activity = NULL;
    assert_int_equal(f->cancelled_n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_use_is_written_within_a_second),
        TEST(what_follows_waits_for_the_intervals_end_and_keeps_its_time),
        TEST(many_projects_are_written_in_one_go_and_forgotten),
        TEST(more_than_a_batch_goes_in_several),
        TEST(beyond_the_ceiling_nothing_is_remembered),
        TEST(users_are_told_apart_and_ids_that_are_none_passed_over),
        TEST(nothing_is_written_while_nothing_has_a_limit),
        TEST(use_of_a_project_whose_limit_was_not_seen_yet_is_written_when_it_is),
        TEST(a_write_that_fails_is_made_again),
        TEST(the_end_cancels_the_write_under_way),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
