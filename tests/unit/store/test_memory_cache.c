// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/codec.h"
#include "store/memory_cache.h"

struct clocked {
    struct loop *loop;
    struct memory_cache *cache;
};

static int setup(void **state)
{
    static struct clocked c;
    c.loop = loop_new_simulated(1000);
    c.cache = memory_cache_new(c.loop, 3, 10);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    struct clocked *c = *state;
    memory_cache_free(c->cache);
    loop_free(c->loop);
    return 0;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void pass(struct clocked *c, ms_t ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, c->loop, nothing, NULL);
    loop_timer_set(&timer, ms);
    loop_run(c->loop);
    loop_timer_clear(&timer);
}

static void a_value_lives_as_long_as_said(void **state)
{
    struct clocked *c = *state;
    memory_cache_put(c->cache, STR("k"), STR("v1"), 100);
    memory_cache_put(c->cache, STR("k"), STR("v2"), 50);
    assert_true(str_eq(memory_cache_find(c->cache, STR("k")), STR("v2")));
    pass(c, 49);
    assert_true(str_eq(memory_cache_find(c->cache, STR("k")), STR("v2")));
    pass(c, 1);
    assert_true(str_is_none(memory_cache_find(c->cache, STR("k"))));
    memory_cache_put(c->cache, STR("k"), STR("v"), 0);
    assert_true(str_is_none(memory_cache_find(c->cache, STR("k"))));
}

static void the_least_recently_used_goes_first(void **state)
{
    struct clocked *c = *state;
    memory_cache_put(c->cache, STR("a"), STR("1"), 100);
    memory_cache_put(c->cache, STR("b"), STR("2"), 100);
    memory_cache_put(c->cache, STR("c"), STR("3"), 100);
    assert_false(str_is_none(memory_cache_find(c->cache, STR("a"))));
    memory_cache_put(c->cache, STR("d"), STR("4"), 100);
    assert_true(str_is_none(memory_cache_find(c->cache, STR("b"))));
    assert_true(str_eq(memory_cache_find(c->cache, STR("a")), STR("1")));
    assert_true(str_eq(memory_cache_find(c->cache, STR("c")), STR("3")));
    assert_true(str_eq(memory_cache_find(c->cache, STR("d")), STR("4")));
}

static void a_value_over_the_ceiling_takes_the_old_one_away(void **state)
{
    struct clocked *c = *state;
    memory_cache_put(c->cache, STR("k"), STR("0123456789"), 100);
    assert_int_equal(memory_cache_find(c->cache, STR("k")).n, 10);
    memory_cache_put(c->cache, STR("k"), STR("0123456789x"), 100);
    assert_true(str_is_none(memory_cache_find(c->cache, STR("k"))));
    memory_cache_drop(c->cache, STR("k"));
    memory_cache_put(c->cache, STR("e"), STR(""), 100);
    assert_false(str_is_none(memory_cache_find(c->cache, STR("e"))));
    memory_cache_drop(c->cache, STR("e"));
    assert_true(str_is_none(memory_cache_find(c->cache, STR("e"))));
}

int main(void)
{
    struct err err = {0};
    if (!codec_init(&err))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_value_lives_as_long_as_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_recently_used_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_over_the_ceiling_takes_the_old_one_away, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
