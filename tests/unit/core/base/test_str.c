// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/str.h"

static void from_text_keeps_absence(void **state)
{
    (void)state;
    assert_true(str_is_none(str_from(NULL)));
    assert_false(str_is_none(str_from("")));
    assert_int_equal(str_from("").n, 0);
    assert_int_equal(str_from("abc").n, 3);
    assert_int_equal(STR("a\0b").n, 3);
}

static void equality_compares_bytes_and_length(void **state)
{
    (void)state;
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq(STR_NONE, STR_NONE));
    assert_false(str_eq(STR_NONE, STR("a")));
    assert_true(str_eq_text(STR("abc"), "abc"));
    assert_false(str_eq_text(STR("abc\0"), "abc"));
    assert_false(str_eq_text(STR("abc"), NULL));
}

static void nocase_folds_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("\xC4"), STR("\xE4")));
    assert_false(str_eq_nocase(STR("ab"), STR("abc")));
    assert_true(str_eq_nocase(STR_NONE, STR("")));
}

static void prefix_and_suffix(void **state)
{
    (void)state;
    assert_true(str_starts(STR("/api/x"), STR("/api/")));
    assert_true(str_starts(STR("a"), STR("")));
    assert_true(str_starts(STR_NONE, STR("")));
    assert_false(str_starts(STR("/ap"), STR("/api")));
    assert_false(str_starts(STR_NONE, STR("a")));
    assert_true(str_ends(STR("x.json"), STR(".json")));
    assert_true(str_ends(STR(".json"), STR(".json")));
    assert_false(str_ends(STR("json"), STR(".json")));
    assert_true(str_ends(STR_NONE, STR_NONE));
}

static void find_gives_the_length_when_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a,b,c"), ',', 0), 1);
    assert_int_equal(str_find(STR("a,b,c"), ',', 2), 3);
    assert_int_equal(str_find(STR("a,b,c"), ',', 4), 5);
    assert_int_equal(str_find(STR("a,b,c"), ',', 99), 5);
    assert_int_equal(str_find(STR_NONE, ',', 0), 0);
    assert_int_equal(str_find_str(STR("one two two"), STR("two")), 4);
    assert_int_equal(str_find_str(STR("one"), STR("two")), 3);
    assert_int_equal(str_find_str(STR("tw"), STR("two")), 2);
    assert_int_equal(str_find_str(STR("abc"), STR("")), 0);
    assert_int_equal(str_find_str(STR_NONE, STR("a")), 0);
}

static void slices_are_cut_to_the_length(void **state)
{
    (void)state;
    assert_str(str_slice(STR("abcdef"), 1, 3), "bc");
    assert_str(str_slice(STR("abcdef"), 4, 99), "ef");
    assert_str(str_slice(STR("abcdef"), 99, 100), "");
    assert_str(str_slice(STR("abcdef"), 5, 2), "");
    assert_str(str_slice(STR("abc"), SIZE_MAX, SIZE_MAX), "");
    assert_true(str_is_none(str_slice(STR_NONE, 0, 4)));
}

static void trim_takes_blanks_at_both_ends(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t\r\n a b \n")), "a b");
    assert_str(str_trim(STR(" \t ")), "");
    assert_str(str_trim(STR("\v")), "\v");
    assert_true(str_is_none(str_trim(STR_NONE)));
}

static void next_gives_empty_parts_and_ends(void **state)
{
    (void)state;
    struct str rest = STR("a,,b");
    struct str part;
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "");
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "b");
    assert_false(str_next(&rest, ',', &part));
    rest = STR("");
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "");
    assert_false(str_next(&rest, ',', &part));
    rest = STR("a,");
    assert_true(str_next(&rest, ',', &part));
    assert_true(str_next(&rest, ',', &part));
    assert_str(part, "");
    assert_false(str_next(&rest, ',', &part));
    rest = STR_NONE;
    assert_false(str_next(&rest, ',', &part));
}

static void a_list_has_its_entries_without_the_blanks_around_and_no_empty_one(void **state)
{
    (void)state;
    assert_true(str_list_has(STR("a"), STR("a")));
    assert_true(str_list_has(STR("a, bc ,d"), STR("bc")));
    assert_true(str_list_has(STR("a, bc ,d"), STR("d")));
    assert_false(str_list_has(STR("a, bc ,d"), STR("b")));
    assert_false(str_list_has(STR("a, bc ,d"), STR("a, bc")));
    assert_false(str_list_has(STR("a, bc ,d"), STR("A")));
    assert_false(str_list_has(STR("a,, ,b"), STR("")));
    assert_false(str_list_has(STR(""), STR("")));
    assert_false(str_list_has(STR("a"), STR_NONE));
    assert_false(str_list_has(STR_NONE, STR("a")));
}

static void a_media_type_counts_without_parameters_and_case(void **state)
{
    (void)state;
    assert_true(str_is_media_type(STR("application/json"), STR("application/json")));
    assert_true(str_is_media_type(STR(" Application/JSON ; charset=utf-8;x=y"), STR("application/json")));
    assert_false(str_is_media_type(STR("application/json5"), STR("application/json")));
    assert_false(str_is_media_type(STR("text/plain; application/json"), STR("application/json")));
    assert_false(str_is_media_type(STR(""), STR("application/json")));
    assert_false(str_is_media_type(STR_NONE, STR("application/json")));
}

static void u64_takes_digits_only_and_never_overflows(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(str_parse_u64(STR("0"), 10, &n));
    assert_int_equal(n, 0);
    assert_true(str_parse_u64(STR("007"), 10, &n));
    assert_int_equal(n, 7);
    assert_true(str_parse_u64(STR("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    n = 42;
    const struct str bad[] = {STR(""),    STR_NONE,
                              STR("+1"),  STR("-1"),
                              STR(" 1"),  STR("1 "),
                              STR("1a"),  STR("0x1"),
                              STR("11"),  STR("18446744073709551616"),
                              STR("1\0"), STR("99999999999999999999999")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(str_parse_u64(bad[i], i == 8 ? 10 : UINT64_MAX, &n));
    assert_int_equal(n, 42);
}

static void utf8_is_that_of_rfc_3629(void **state)
{
    (void)state;
    const struct str good[] = {STR(""),
                               STR_NONE,
                               STR("ascii\0too"),
                               STR("\xC2\x80"),
                               STR("\xDF\xBF"),
                               STR("\xE0\xA0\x80"),
                               STR("\xED\x9F\xBF"),
                               STR("\xEE\x80\x80"),
                               STR("\xEF\xBF\xBF"),
                               STR("\xF0\x90\x80\x80"),
                               STR("\xF4\x8F\xBF\xBF")};
    const struct str bad[] = {
        STR("\x80"), /* a continuation alone */
        STR("\xBF"),
        STR("\xC0\x80"), /* overlong NUL */
        STR("\xC1\xBF"),
        STR("\xC2"), /* cut */
        STR("\xC2\x41"),
        STR("\xC2\xC0"),
        STR("\xE0\x9F\xBF"), /* overlong */
        STR("\xE1\x80"),
        STR("\xE1\x80\x41"),
        STR("\xED\xA0\x80"), /* surrogates */
        STR("\xED\xBF\xBF"),
        STR("\xF0\x8F\xBF\xBF"), /* overlong */
        STR("\xF4\x90\x80\x80"), /* over U+10FFFF */
        STR("\xF5\x80\x80\x80"),
        STR("\xF0\x90\x80"),
        STR("\xFE"),
        STR("\xFF"),
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(str_is_utf8(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(str_is_utf8(bad[i]));
    assert_int_equal(str_utf8_prefix(STR("a\xC3\xA4\xFFz")), 3);
}

static void copy_is_terminated_or_empty(void **state)
{
    (void)state;
    char out[4] = "xxx";
    assert_true(str_copy(STR("abc"), out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_false(str_copy(STR("abcd"), out, sizeof(out)));
    assert_string_equal(out, "");
    assert_true(str_copy(STR_NONE, out, sizeof(out)));
    assert_string_equal(out, "");
    memcpy(out, "xxx", 4);
    assert_false(str_copy(STR("a\0b"), out, sizeof(out)));
    assert_string_equal(out, "");
    out[0] = 'x';
    assert_false(str_copy(STR(""), out, 0));
    assert_int_equal(out[0], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_text_keeps_absence),
        cmocka_unit_test(equality_compares_bytes_and_length),
        cmocka_unit_test(nocase_folds_ascii_letters_only),
        cmocka_unit_test(prefix_and_suffix),
        cmocka_unit_test(find_gives_the_length_when_there_is_none),
        cmocka_unit_test(slices_are_cut_to_the_length),
        cmocka_unit_test(trim_takes_blanks_at_both_ends),
        cmocka_unit_test(next_gives_empty_parts_and_ends),
        cmocka_unit_test(a_list_has_its_entries_without_the_blanks_around_and_no_empty_one),
        cmocka_unit_test(a_media_type_counts_without_parameters_and_case),
        cmocka_unit_test(u64_takes_digits_only_and_never_overflows),
        cmocka_unit_test(utf8_is_that_of_rfc_3629),
        cmocka_unit_test(copy_is_terminated_or_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
