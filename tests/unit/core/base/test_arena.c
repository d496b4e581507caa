// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/arena.h"
#include "core/base/secret.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t n = 0; n < 3000; n += 7) {
        unsigned char *p = arena_alloc(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xEE, n);
        arena_dup(a, STR("odd"));
    }
    arena_free(a);
}

static void memory_is_zeroed_again_after_reset(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    memset(arena_alloc(a, 500), 0xEE, 500);
    arena_reset(a);
    unsigned char *p = arena_alloc(a, 500);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(p[i], 0);
    arena_free(a);
}

static void blocks_do_not_overlap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    enum { N = 400 };
    unsigned char *p[N];
    for (size_t i = 0; i < N; i++) {
        p[i] = arena_alloc(a, i + 1);
        memset(p[i], (int)(i % 251), i + 1);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j <= i; j++)
            assert_int_equal(p[i][j], i % 251);
    }
    arena_free(a);
}

static void one_piece_may_be_larger_than_any_block(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *big = arena_alloc(a, 1000000);
    big[999999] = 'x';
    char *small = arena_dup(a, STR("small"));
    assert_string_equal(small, "small");
    assert_int_equal(big[999999], 'x');
    assert_true(arena_used_bytes(a) >= 1000006);
    arena_reset(a);
    assert_int_equal(arena_used_bytes(a), 0);
    arena_free(a);
}

/* Every distance from the end of the first block, where padding decides whether a piece still fits. */
static void a_piece_never_crosses_the_end_of_a_block(void **state)
{
    (void)state;
    static const char filling[1100];
    for (size_t n = 0; n < 32 * sizeof(filling); n++) {
        struct arena *a = arena_new();
        arena_dup(a, (struct str){filling, n / 32});
        memset(arena_alloc(a, 1 + n % 32), 0xEE, 1 + n % 32);
        arena_free(a);
    }
}

static void copies_are_terminated(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_string_equal(arena_dup(a, STR("abc")), "abc");
    assert_string_equal(arena_dup(a, STR_NONE), "");
    struct str s = arena_dup_str(a, STR("a\0b"));
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b\0", 4);
    assert_true(str_is_none(arena_dup_str(a, STR_NONE)));
    assert_non_null(arena_dup_str(a, STR("")).p);
    arena_free(a);
}

static void printf_takes_any_length(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_string_equal(arena_printf(a, "%s-%d", "x", 5), "x-5");
    assert_string_equal(arena_printf(a, "%s", ""), "");
    assert_int_equal(strlen(arena_printf(a, "%0255d", 1)), 255);
    assert_int_equal(strlen(arena_printf(a, "%0256d", 1)), 256);
    assert_int_equal(strlen(arena_printf(a, "%05000d", 1)), 5000);
    arena_free(a);
}

static void free_accepts_null(void **state)
{
    (void)state;
    arena_free(NULL);
}

static void a_secret_owns_its_bytes_until_fini(void **state)
{
    (void)state;
    char source[] = "hunter2";
    struct secret s = secret_new(str_from(source));
    memset(source, 'x', sizeof(source) - 1);
    assert_false(secret_is_none(&s));
    assert_str(secret_reveal(&s), "hunter2");
    assert_string_equal(secret_reveal(&s).p, "hunter2");
    struct secret copy = secret_dup(&s);
    secret_fini(&s);
    assert_true(secret_is_none(&s));
    assert_true(str_is_none(secret_reveal(&s)));
    assert_str(secret_reveal(&copy), "hunter2");
    secret_fini(&copy);
    secret_fini(&copy);
    secret_fini(NULL);
}

static void an_absent_secret_differs_from_an_empty_one(void **state)
{
    (void)state;
    struct secret none = secret_new(STR_NONE);
    struct secret empty = secret_new(STR(""));
    assert_true(secret_is_none(&none));
    assert_true(secret_is_none(NULL));
    assert_false(secret_is_none(&empty));
    assert_str(secret_reveal(&empty), "");
    assert_true(str_is_none(secret_reveal(NULL)));
    struct secret copy = secret_dup(&none);
    assert_true(secret_is_none(&copy));
    secret_fini(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(memory_is_zeroed_again_after_reset),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(one_piece_may_be_larger_than_any_block),
        cmocka_unit_test(a_piece_never_crosses_the_end_of_a_block),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(printf_takes_any_length),
        cmocka_unit_test(free_accepts_null),
        cmocka_unit_test(a_secret_owns_its_bytes_until_fini),
        cmocka_unit_test(an_absent_secret_differs_from_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
