// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/xmem.h"

static void nothing_is_allocated_before_the_first_byte(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_null(b.p);
    buf_add(&b, "", 0);
    buf_add_str(&b, STR_NONE);
    assert_null(b.p);
    assert_string_equal(buf_text(&b), "");
    assert_str(buf_str(&b), "");
    buf_fini(&b);
}

static void everything_added_comes_out_in_order(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    buf_add(&b, "a", 1);
    buf_add_text(&b, "bc");
    buf_add_str(&b, STR("\0d"));
    buf_add_byte(&b, 'e');
    buf_addf(&b, "%d-%s", 42, "x");
    assert_int_equal(b.n, 10);
    assert_memory_equal(b.p, "abc\0de42-x", 10);
    assert_int_equal(buf_text(&b)[10], '\0');
    buf_fini(&b);
}

static void growth_keeps_the_bytes(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 50000; i++)
        buf_add_byte(&b, (char)('a' + i % 26));
    assert_false(b.is_over);
    assert_int_equal(b.n, 50000);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(b.p[i], 'a' + i % 26);
    buf_fini(&b);
}

static void the_ceiling_is_sticky_and_exact(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    buf_add_text(&b, "abc");
    buf_add_text(&b, "de");
    assert_false(b.is_over);
    assert_string_equal(buf_text(&b), "abcde");
    buf_add_byte(&b, 'f');
    assert_true(b.is_over);
    assert_string_equal(buf_text(&b), "abcde");
    assert_true(b.cap <= 6);
    buf_clear(&b);
    assert_false(b.is_over);
    buf_add_text(&b, "abcdef");
    assert_true(b.is_over);
    buf_add_text(&b, "a");
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

static void a_ceiling_of_nothing_takes_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_add(&b, "", 0);
    assert_false(b.is_over);
    buf_add_byte(&b, 'a');
    assert_true(b.is_over);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

static void formatted_text_longer_than_any_guess_fits(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 2000);
    buf_addf(&b, "<%01000d>", 7);
    assert_int_equal(b.n, 1002);
    assert_int_equal(b.p[1000], '7');
    assert_int_equal(b.p[1001], '>');
    buf_addf(&b, "%01000d", 7);
    assert_true(b.is_over);
    assert_int_equal(b.n, 1002);
    buf_fini(&b);
}

static void drop_removes_from_the_front(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_drop(&b, 5);
    buf_add_text(&b, "abcdef");
    buf_drop(&b, 2);
    assert_string_equal(buf_text(&b), "cdef");
    buf_drop(&b, 0);
    assert_string_equal(buf_text(&b), "cdef");
    buf_drop(&b, 99);
    assert_string_equal(buf_text(&b), "");
    buf_fini(&b);
}

static void take_moves_the_bytes_out(void **state)
{
    (void)state;
    struct buf b;
    size_t n = 99;
    buf_init(&b, 100);
    char *p = buf_take(&b, &n);
    assert_string_equal(p, "");
    assert_int_equal(n, 0);
    free(p);
    buf_add_text(&b, "abc");
    p = buf_take(&b, &n);
    assert_string_equal(p, "abc");
    assert_int_equal(n, 3);
    assert_int_equal(b.n, 0);
    buf_add_text(&b, "d");
    assert_string_equal(buf_text(&b), "d");
    free(p);
    p = buf_take(&b, NULL);
    assert_string_equal(p, "d");
    free(p);
    buf_fini(&b);
}

static void fini_accepts_a_zeroed_struct_and_twice(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_fini(&b);
    buf_init(&b, 10);
    buf_add_text(&b, "a");
    buf_fini(&b);
    buf_fini(&b);
    assert_null(b.p);
}

static void xmem_gives_memory_for_zero_bytes_too(void **state)
{
    (void)state;
    void *p = xmalloc(0);
    assert_non_null(p);
    p = xrealloc(p, 0);
    assert_non_null(p);
    free(p);
    unsigned char *z = xcalloc(0, 8);
    assert_int_equal(z[0], 0);
    free(z);
    char *copy = xmemdup("a\0b", 3);
    assert_memory_equal(copy, "a\0b\0", 4);
    free(copy);
    copy = xmemdup(NULL, 0);
    assert_string_equal(copy, "");
    free(copy);
    copy = xstrdup("text");
    assert_string_equal(copy, "text");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_before_the_first_byte),
        cmocka_unit_test(everything_added_comes_out_in_order),
        cmocka_unit_test(growth_keeps_the_bytes),
        cmocka_unit_test(the_ceiling_is_sticky_and_exact),
        cmocka_unit_test(a_ceiling_of_nothing_takes_nothing),
        cmocka_unit_test(formatted_text_longer_than_any_guess_fits),
        cmocka_unit_test(drop_removes_from_the_front),
        cmocka_unit_test(take_moves_the_bytes_out),
        cmocka_unit_test(fini_accepts_a_zeroed_struct_and_twice),
        cmocka_unit_test(xmem_gives_memory_for_zero_bytes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
