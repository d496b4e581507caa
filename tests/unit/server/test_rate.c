// SPDX-License-Identifier: MIT
/* The promises of server/rate.h on a simulated clock. */
#include "server/rate.h"

#include "tests/unit/cmocka_all.h"

#include "core/base/codec.h"

static void nothing(void *arg)
{
    (void)arg;
}

/* Moves the simulated clock. */
static void pass(struct loop *loop, ms_t ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, nothing, NULL);
    loop_timer_set(&timer, ms);
    while (loop_timer_is_set(&timer))
        loop_turn(loop);
}

static unsigned take_all(struct rate *r, struct str who, unsigned per_window)
{
    struct rate_verdict v;
    unsigned n = 0;
    for (rate_take(r, 1, who, per_window, &v); v.is_allowed; rate_take(r, 1, who, per_window, &v))
        n++;
    return n;
}

static void a_bucket_gives_its_allowance_then_refills_evenly(void **state)
{
    (void)state;
    struct loop *loop = loop_new_simulated(0);
    struct rate *r = rate_new(loop);
    struct rate_verdict v;
    assert_int_equal(take_all(r, STR("a"), 60), 60);
    rate_take(r, 1, STR("a"), 60, &v);
    assert_false(v.is_allowed);
    assert_int_equal(v.wait_s, 1);
    assert_int_equal(v.left, 0);
    assert_int_equal(v.reset_s, 60);
    pass(loop, 3000);
    assert_int_equal(take_all(r, STR("a"), 60), 3);
    pass(loop, 10 * 60000);
    assert_int_equal(take_all(r, STR("a"), 60), 60);
    rate_free(r);
    loop_free(loop);
}

static void callers_and_classes_do_not_share(void **state)
{
    (void)state;
    struct loop *loop = loop_new_simulated(0);
    struct rate *r = rate_new(loop);
    struct rate_verdict v;
    take_all(r, STR("a"), 5);
    rate_take(r, 1, STR("b"), 5, &v);
    assert_true(v.is_allowed);
    assert_int_equal(v.left, 4);
    rate_take(r, 2, STR("a"), 5, &v);
    assert_true(v.is_allowed);
    rate_free(r);
    loop_free(loop);
}

static void looking_takes_nothing(void **state)
{
    (void)state;
    struct loop *loop = loop_new_simulated(0);
    struct rate *r = rate_new(loop);
    struct rate_verdict v;
    for (int i = 0; i < 10; i++)
        rate_look(r, 1, STR("a"), 2, &v);
    assert_true(v.is_allowed);
    assert_int_equal(take_all(r, STR("a"), 2), 2);
    rate_look(r, 1, STR("a"), 2, &v);
    assert_false(v.is_allowed);
    assert_int_equal(v.wait_s, 30);
    rate_free(r);
    loop_free(loop);
}

static void a_flood_of_callers_needs_no_memory_and_frees_nobody_who_is_over(void **state)
{
    (void)state;
    struct loop *loop = loop_new_simulated(0);
    struct rate *r = rate_new(loop);
    struct rate_verdict v;
    char name[17];
    take_all(r, STR("busy"), 100);
    for (unsigned i = 0; i < 4 * RATE_CALLERS_MAX; i++) {
        codec_random_text(name, 16, "0123456789abcdef");
        rate_take(r, 1, str_from(name), 100, &v);
        assert_true(v.is_allowed);
    }
    rate_take(r, 1, STR("busy"), 100, &v);
    assert_false(v.is_allowed);
    rate_free(r);
    loop_free(loop);
}

static void an_ipv6_household_is_one_caller(void **state)
{
    (void)state;
    char text[RATE_ADDRESS_SIZE];
    rate_address(STR("192.0.2.7"), text);
    assert_string_equal(text, "192.0.2.7");
    rate_address(STR("2001:db8:1:2:3:4:5:6"), text);
    assert_string_equal(text, "2001:db8:1:2::");
    rate_address(STR("::ffff:192.0.2.7"), text);
    assert_string_equal(text, "::ffff:192.0.2.7");
    rate_address(STR("unix"), text);
    assert_string_equal(text, "unix");
    rate_address(STR("0123456789012345678901234567890123456789012345678"), text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_allowance_then_refills_evenly),
        cmocka_unit_test(callers_and_classes_do_not_share),
        cmocka_unit_test(looking_takes_nothing),
        cmocka_unit_test(a_flood_of_callers_needs_no_memory_and_frees_nobody_who_is_over),
        cmocka_unit_test(an_ipv6_household_is_one_caller),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
