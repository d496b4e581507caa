// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include <math.h>

#include "core/base/json_write.h"

static int start(void **state)
{
    *state = jw_new(10000);
    return 0;
}

static int stop(void **state)
{
    jw_free(*state);
    return 0;
}

#define assert_json(w, want)                                                                                           \
    do {                                                                                                               \
        struct str private_json;                                                                                       \
        struct err private_err;                                                                                        \
        if (!jw_finish((w), &private_json, &private_err))                                                              \
            fail_msg("%s", private_err.msg);                                                                           \
        assert_string_equal(private_json.p, (want));                                                                   \
        assert_int_equal(private_json.n, strlen(want));                                                                \
    } while (0)

#define assert_refused(w, want_kind)                                                                                   \
    do {                                                                                                               \
        struct str private_json = STR("untouched");                                                                    \
        struct err private_err;                                                                                        \
        assert_false(jw_finish((w), &private_json, &private_err));                                                     \
        assert_int_equal(private_err.kind, (want_kind));                                                               \
        assert_str(private_json, "untouched");                                                                         \
    } while (0)

static void every_type_is_written(void **state)
{
    struct json_writer *w = *state;
    jw_object(w);
    jw_kv_text(w, "text", "a");
    jw_kv_text(w, "no_text", NULL);
    jw_kv_str(w, "str", STR("b"));
    jw_kv_str(w, "no_str", STR_NONE);
    jw_kv_str(w, "empty", STR(""));
    jw_kv_int(w, "int", INT64_MIN);
    jw_kv_bool(w, "yes", true);
    jw_kv_bool(w, "no", false);
    jw_kv_time(w, "time", INT64_C(1760176800123));
    jw_kv_time(w, "never", -1);
    jw_key_str(w, STR("null"));
    jw_null(w);
    jw_key(w, "list");
    jw_array(w);
    jw_int(w, 1);
    jw_array(w);
    jw_array_end(w);
    jw_object(w);
    jw_object_end(w);
    jw_raw(w, STR("{\"raw\":[1]}"));
    jw_array_end(w);
    jw_object_end(w);
    assert_json(w, "{\"text\":\"a\",\"no_text\":null,\"str\":\"b\",\"no_str\":null,\"empty\":\"\","
                   "\"int\":-9223372036854775808,\"yes\":true,\"no\":false,"
                   "\"time\":\"2025-10-11T10:00:00.123Z\",\"never\":null,\"null\":null,"
                   "\"list\":[1,[],{},{\"raw\":[1]}]}");
}

static void a_scalar_is_a_document(void **state)
{
    struct json_writer *w = *state;
    jw_int(w, -7);
    assert_json(w, "-7");
    assert_json(w, "-7");
    jw_reset(w);
    jw_text(w, "x");
    assert_json(w, "\"x\"");
}

static void texts_are_escaped(void **state)
{
    struct json_writer *w = *state;
    jw_str(w, STR("\"\\/\b\f\n\r\t\x01\x1F\x7F\0z \xC3\xA4\xF0\x9F\x98\x80"));
    assert_json(w, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\x7F\\u0000z \xC3\xA4\xF0\x9F\x98\x80\"");
}

static void doubles_are_short_and_read_back_the_same(void **state)
{
    struct json_writer *w = *state;
    const double rows[] = {0,         0.1, 1.0 / 3,  1e21, 1e-7, 123456789012345680.0, 5e-324, 1.7976931348623157e308,
                           -2.5e-300, 100, 0.1 + 0.2};
    const char *want[] = {"0",
                          "0.1",
                          NULL,
                          "1e+21",
                          "1e-07",
                          "1.2345678901234568e+17",
                          NULL,
                          NULL,
                          "-2.5e-300",
                          "100",
                          "0.30000000000000004"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str json;
        jw_reset(w);
        jw_double(w, rows[i]);
        assert_true(jw_finish(w, &json, NULL));
        assert_true(strtod(json.p, NULL) == rows[i]);
        if (want[i] != NULL)
            assert_string_equal(json.p, want[i]);
    }
}

static void a_number_that_is_not_finite_is_refused(void **state)
{
    struct json_writer *w = *state;
    const double rows[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        jw_reset(w);
        jw_double(w, rows[i]);
        assert_refused(w, ERR_BUG);
    }
}

static void bad_utf8_is_refused_in_values_and_keys(void **state)
{
    struct json_writer *w = *state;
    jw_str(w, STR("\xC0\x80")); /* overlong: yajl's own check lets it pass */
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_str(w, STR("\xED\xA0\x80")); /* a surrogate: likewise */
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_object(w);
    jw_kv_int(w, "\xFF", 1);
    jw_object_end(w);
    assert_refused(w, ERR_BUG);
}

static void an_error_stays_whatever_follows(void **state)
{
    struct json_writer *w = *state;
    jw_array(w);
    jw_double(w, NAN);
    jw_int(w, 1);
    jw_array_end(w);
    assert_refused(w, ERR_BUG);
    jw_int(w, 1);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_int(w, 1);
    assert_json(w, "1");
}

static void wrong_nesting_is_refused(void **state)
{
    struct json_writer *w = *state;
    assert_refused(w, ERR_BUG); /* nothing written */
    jw_reset(w);
    jw_object(w);
    assert_refused(w, ERR_BUG); /* not closed */
    jw_reset(w);
    jw_object(w);
    jw_array_end(w);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_array(w);
    jw_object_end(w);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_array_end(w);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_object(w);
    jw_key(w, "a");
    jw_object_end(w); /* a key without value */
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_object(w);
    jw_int(w, 1); /* a value without key */
    jw_object_end(w);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_object(w);
    jw_key(w, "a");
    jw_key(w, "b");
    jw_object_end(w);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_array(w);
    jw_key(w, "a");
    jw_array_end(w);
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_key(w, "a");
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_int(w, 1);
    jw_int(w, 2); /* two documents */
    assert_refused(w, ERR_BUG);
    jw_reset(w);
    jw_raw(w, STR(""));
    assert_refused(w, ERR_BUG);
}

static void depth_has_a_ceiling(void **state)
{
    struct json_writer *w = *state;
    for (int i = 0; i < 64; i++)
        jw_array(w);
    for (int i = 0; i < 64; i++)
        jw_array_end(w);
    struct str json;
    assert_true(jw_finish(w, &json, NULL));
    assert_int_equal(json.n, 128);
    jw_reset(w);
    for (int i = 0; i < 1000; i++)
        jw_array(w);
    for (int i = 0; i < 1000; i++)
        jw_array_end(w);
    assert_refused(w, ERR_BUG);
}

static void output_over_the_ceiling_is_too_large(void **state)
{
    (void)state;
    struct json_writer *w = jw_new(5);
    jw_text(w, "abc");
    assert_json(w, "\"abc\"");
    jw_reset(w);
    jw_text(w, "abcd");
    assert_refused(w, ERR_TOO_LARGE);
    jw_reset(w);
    jw_text(w, "abc");
    assert_json(w, "\"abc\"");
    jw_free(w);
    jw_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_is_written, start, stop),
        cmocka_unit_test_setup_teardown(a_scalar_is_a_document, start, stop),
        cmocka_unit_test_setup_teardown(texts_are_escaped, start, stop),
        cmocka_unit_test_setup_teardown(doubles_are_short_and_read_back_the_same, start, stop),
        cmocka_unit_test_setup_teardown(a_number_that_is_not_finite_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(bad_utf8_is_refused_in_values_and_keys, start, stop),
        cmocka_unit_test_setup_teardown(an_error_stays_whatever_follows, start, stop),
        cmocka_unit_test_setup_teardown(wrong_nesting_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(depth_has_a_ceiling, start, stop),
        cmocka_unit_test(output_over_the_ceiling_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
