// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/io/backoff.h"

static void the_delay_doubles_up_to_its_cap(void **state)
{
    (void)state;
    const ms_t whole[] = {100, 200, 400, 800, 1000, 1000, 1000};
    for (uint32_t chance = 0; chance < 2000; chance += 37) {
        struct backoff b = {.first_ms = 100, .cap_ms = 1000};
        for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
            ms_t delay_ms = backoff_next(&b, chance);
            assert_in_range(delay_ms, whole[i] / 2, whole[i]);
        }
        assert_int_equal(b.tries, 7);
    }
}

static void both_ends_of_the_range_are_reached(void **state)
{
    (void)state;
    struct backoff b = {.first_ms = 100, .cap_ms = 1000};
    assert_int_equal(backoff_next(&b, 0), 50);
    backoff_reset(&b);
    assert_int_equal(backoff_next(&b, 50), 100);
    backoff_reset(&b);
    assert_int_equal(backoff_next(&b, 51), 50);
    backoff_reset(&b);
    assert_in_range(backoff_next(&b, UINT32_MAX), 50, 100);
    assert_int_equal(b.tries, 1);
}

static void any_number_of_tries_stays_at_the_cap(void **state)
{
    (void)state;
    struct backoff b = {.first_ms = 1, .cap_ms = INT64_MAX / 4, .tries = 4000000000};
    assert_true(backoff_next(&b, 1) >= INT64_MAX / 8);
    b.tries = UINT32_MAX;
    assert_true(backoff_next(&b, 1) >= INT64_MAX / 8);
    assert_int_equal(b.tries, UINT32_MAX);
    b = (struct backoff){.first_ms = 5000, .cap_ms = 1000};
    assert_in_range(backoff_next(&b, 7), 500, 1000);
}

static void nothing_stays_nothing(void **state)
{
    (void)state;
    struct backoff b = {.first_ms = 0, .cap_ms = 1000};
    for (int i = 0; i < 3; i++)
        assert_int_equal(backoff_next(&b, 12345), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_doubles_up_to_its_cap),
        cmocka_unit_test(both_ends_of_the_range_are_reached),
        cmocka_unit_test(any_number_of_tries_stays_at_the_cap),
        cmocka_unit_test(nothing_stays_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
