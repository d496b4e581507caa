// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"

static int start(void **state)
{
    *state = arena_new();
    return 0;
}

static int stop(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct json_value *parse(struct arena *a, struct str text)
{
    struct err err = {0};
    const struct json_value *v = json_parse(a, text, &JSON_LIMITS_BODY, &err);
    if (v == NULL)
        fail_msg("%.*s: %s", STR_ARG(text), err.msg);
    return v;
}

static struct err refused(struct arena *a, struct str text, const struct json_limits *limits)
{
    struct err err = {0};
    if (json_parse(a, text, limits, &err) != NULL)
        fail_msg("accepted: %.*s", STR_ARG(text));
    assert_true(err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE);
    assert_true(err.msg[0] != '\0');
    assert_true(str_is_utf8(str_from(err.msg)));
    return err;
}

/* Writes the value and compares; the text must be written without blanks. */
static void assert_copies_to(const struct json_value *v, const char *want)
{
    struct json_writer *w = jw_new(100000);
    struct str json;
    json_copy_to(v, w);
    assert_true(jw_finish(w, &json, NULL));
    assert_string_equal(json.p, want);
    jw_free(w);
}

static void every_type_is_read(void **state)
{
    const struct json_value *v =
        parse(*state, STR(" {\"s\":\"text\",\"i\":-12,\"d\":1.5e3,\"t\":true,\"f\":false,\"n\":null,"
                          "\"a\":[1,[],{}],\"o\":{\"k\":{\"l\":\"deep\"}},\"\":\"empty key\"} \n"));
    assert_int_equal(json_type(v), JSON_OBJECT);
    assert_int_equal(json_count(v), 9);
    assert_str(json_str(json_find(v, "s")), "text");
    assert_int_equal(json_int(json_find(v, "i"), 0), -12);
    assert_true(json_double(json_find(v, "d"), 0) == 1500.0);
    assert_true(json_bool(json_find(v, "t"), false));
    assert_false(json_bool(json_find(v, "f"), true));
    assert_int_equal(json_type(json_find(v, "n")), JSON_NULL);
    assert_non_null(json_find(v, "n"));
    assert_int_equal(json_count(json_find(v, "a")), 3);
    assert_str(json_str(json_at(v, "o", "k", "l", NULL)), "deep");
    assert_str(json_str(json_find(v, "")), "empty key");
    assert_str(json_key(json_find(v, "")), "");
    const struct json_value *e = json_first(json_find(v, "a"));
    assert_int_equal(json_type(e), JSON_NUMBER);
    assert_true(str_is_none(json_key(e)));
    e = json_next(e);
    assert_int_equal(json_type(e), JSON_ARRAY);
    assert_null(json_first(e));
    e = json_next(e);
    assert_int_equal(json_type(e), JSON_OBJECT);
    assert_null(json_next(e));
}

static void members_walk_in_order_with_their_keys(void **state)
{
    const struct json_value *v = parse(*state, STR("{\"b\":1,\"a\":2,\"c\":3}"));
    const char *keys[] = {"b", "a", "c"};
    size_t i = 0;
    for (const struct json_value *m = json_first(v); m != NULL; m = json_next(m), i++) {
        assert_str(json_key(m), keys[i]);
        assert_int_equal(json_int(m, 0), i + 1);
    }
    assert_int_equal(i, 3);
    assert_true(str_is_none(json_key(v)));
    assert_null(json_next(v));
}

static void absent_values_are_null_all_the_way(void **state)
{
    const struct json_value *v = parse(*state, STR("{\"a\":[1],\"s\":\"x\"}"));
    assert_null(json_at(v, "no", "such", "path", NULL));
    assert_null(json_find(NULL, "a"));
    assert_null(json_find(json_find(v, "a"), "a"));
    assert_null(json_find(json_find(v, "s"), "a"));
    assert_ptr_equal(json_at(v, NULL), v);
    assert_int_equal(json_type(NULL), JSON_NULL);
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_true(str_is_none(json_key(NULL)));
    assert_true(str_is_none(json_str(NULL)));
    assert_int_equal(json_int(NULL, 7), 7);
    assert_true(json_double(NULL, 2.5) == 2.5);
    assert_true(json_bool(NULL, true));
    assert_false(json_is_int(NULL));
}

static void the_wrong_type_gives_the_other_value(void **state)
{
    const struct json_value *v = parse(*state, STR("{\"s\":\"1\",\"i\":1,\"b\":true}"));
    assert_int_equal(json_int(json_find(v, "s"), 7), 7);
    assert_int_equal(json_int(json_find(v, "b"), 7), 7);
    assert_true(str_is_none(json_str(json_find(v, "i"))));
    assert_false(json_bool(json_find(v, "i"), false));
    assert_true(json_double(json_find(v, "s"), 0.5) == 0.5);
}

static void integers_are_exact_and_strict(void **state)
{
    struct arena *a = *state;
    struct row {
        struct str text;
        bool is_int;
        int64_t value;
    } rows[] = {
        {STR("0"),                              true,  0        },
        {STR("-0"),                             true,  0        },
        {STR("9223372036854775807"),            true,  INT64_MAX},
        {STR("-9223372036854775808"),           true,  INT64_MIN},
        {STR("9223372036854775808"),            false, 0        },
        {STR("-9223372036854775809"),           false, 0        },
        {STR("123456789012345678901234567890"), false, 0        },
        {STR("1.0"),                            false, 0        },
        {STR("1e2"),                            false, 0        },
        {STR("1E2"),                            false, 0        },
        {STR("-1.5"),                           false, 0        },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct json_value *v = parse(a, rows[i].text);
        assert_int_equal(json_is_int(v), rows[i].is_int);
        assert_int_equal(json_int(v, -99), rows[i].is_int ? rows[i].value : -99);
    }
}

static void doubles_that_overflow_are_not_taken(void **state)
{
    assert_true(json_double(parse(*state, STR("1e999")), 4) == 4);
    assert_true(json_double(parse(*state, STR("-1e999")), 4) == 4);
    assert_true(json_double(parse(*state, STR("1e-999")), 4) == 0);
    assert_true(json_double(parse(*state, STR("9007199254740993")), 4) == 9007199254740992.0);
}

static void escapes_are_decoded(void **state)
{
    const struct json_value *v =
        parse(*state, STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\\uD83D\\uDE00\\u0001\\uFFFF\""));
    assert_str(json_str(v), "\"\\/\b\f\n\r\tA\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x01\xEF\xBF\xBF");
}

static void all_refused(struct arena *a, const struct str *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = refused(a, rows[i], &JSON_LIMITS_BODY);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_non_null(strstr(err.msg, " at line "));
    }
}

static void a_text_cut_short_is_refused(void **state)
{
    const struct str rows[] = {STR_NONE,    STR(""),        STR(" "),         STR("{"),        STR("["),
                               STR("\""),   STR("{\"a\""),  STR("{\"a\":"),   STR("{\"a\":1"), STR("tru"),
                               STR("nul"),  STR("-"),       STR("1."),        STR("1e"),       STR("1e+"),
                               STR("\"\\"), STR("\"\\u12"), STR("\"\\uD83D"), STR("[1,"),      STR("\xEF\xBB")};
    all_refused(*state, rows, sizeof(rows) / sizeof(rows[0]));
}

static void what_is_not_json_is_refused(void **state)
{
    const struct str rows[] = {
        STR("{\"a\":1,}"),
        STR("[1,]"),
        STR("[,1]"),
        STR("{,}"),
        STR("{a:1}"),
        STR("{'a':1}"),
        STR("{\"a\" 1}"),
        STR("[1 2]"),
        STR("True"),
        STR("NaN"),
        STR("Infinity"),
        STR("+1"),
        STR("01"),
        STR("-01"),
        STR(".5"),
        STR("0x10"),
        STR("]"),
        STR("}"),
        STR("[}"),
        STR("{]"),
        STR("\"a\nb\""),
        STR("\"a\tb\""),
        STR("\"\x01\""),
        STR("\"\\x41\""),
        STR("\"\\u12\""),
        STR("\"\\u12G4\""),
        STR("\"\\'\""),
        STR("// c\n1"),
        STR("/* c */1"),
        STR("1 // c"),
        STR("\0"),
        STR("[1]\0"),
        STR("\xEF\xBB\xBF{}"),
        STR("\xFE\xFF"),
        STR("[1],"),
        STR("{1:2}"),
        STR("{null:2}"),
        STR("{\"a\":1 \"b\":2}"),
        STR("[\"a\":1]"),
    };
    all_refused(*state, rows, sizeof(rows) / sizeof(rows[0]));
}

static void bytes_after_the_value_are_refused(void **state)
{
    const struct str rows[] = {STR("{} {}"), STR("1 2"), STR("{}x"), STR("null,"), STR("[]]"), STR("\"a\"\"b\"")};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(*state, rows[i], &JSON_LIMITS_BODY);
    parse(*state, STR("{}\r\n\t "));
}

static void a_nul_character_is_refused(void **state)
{
    refused(*state, STR("\"\\u0000\""), &JSON_LIMITS_BODY);
    refused(*state, STR("\"a\\u0000b\""), &JSON_LIMITS_BODY);
    refused(*state, STR("{\"a\\u0000\":1}"), &JSON_LIMITS_BODY);
    refused(*state, STR("\"a\0b\""), &JSON_LIMITS_BODY);
    assert_str(json_str(parse(*state, STR("\"\\\\u0000\""))), "\\u0000");
}

static void half_of_a_surrogate_pair_is_refused(void **state)
{
    const struct str rows[] = {
        STR("\"\\uD800\""),          STR("\"\\uDBFF\""),        STR("\"\\uDC00\""),
        STR("\"\\uDFFF\""),          STR("\"\\uD800x\""),       STR("\"\\uD800\\n\""),
        STR("\"\\uD800\\u0041\""),   STR("\"\\uD800\\uD800\""), STR("\"\\uDC00\\uD800\""),
        STR("\"a\\uD83D \\uDE00\""), STR("{\"\\ud800\":1}"),    STR("[\"\\uD83D\",\"\\uDE00\"]"),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(*state, rows[i], &JSON_LIMITS_BODY);
    assert_str(json_str(parse(*state, STR("\"\\\\uD800\""))), "\\uD800");
    assert_str(json_str(parse(*state, STR("\"\\ud83d\\ude00\\uD83D\\uDE00\""))), "\xF0\x9F\x98\x80\xF0\x9F\x98\x80");
}

static void invalid_utf8_is_refused_in_values_and_keys(void **state)
{
    const struct str rows[] = {
        STR("\"\x80\""),     STR("\"\xC0\x80\""),     STR("\"\xED\xA0\x80\""), STR("\"\xF4\x90\x80\x80\""),
        STR("\"\xE2\x82\""), STR("{\"\xC0\xAF\":1}"), STR("{\"a\":\"\xFF\"}"), STR("\"\xF8\x88\x80\x80\x80\""),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(*state, rows[i], &JSON_LIMITS_BODY);
}

static void a_key_that_is_there_twice_is_refused(void **state)
{
    struct err err = refused(*state, STR("{\"a\":1,\"a\":1}"), &JSON_LIMITS_BODY);
    assert_string_equal(err.field, "/a");
    err = refused(*state, STR("{\"x\":[0,{\"b\":1,\"\\u0062\":2}]}"), &JSON_LIMITS_BODY);
    assert_string_equal(err.field, "/x/1/b");
    refused(*state, STR("{\"\":1,\"\":2}"), &JSON_LIMITS_BODY);
    parse(*state, STR("{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}},\"A\":1}"));
}

/* The table of seen keys takes over from the search at nine keys. */
static void keys_of_large_objects_are_compared_too(void **state)
{
    struct arena *a = *state;
    for (size_t n = 2; n <= 300; n += n < 20 ? 1 : 93) {
        for (size_t twin = 0; twin <= n; twin += n < 20 ? 1 : 31) {
            struct buf b;
            buf_init(&b, 100000);
            buf_add_text(&b, "{\"first\":{");
            for (size_t i = 0; i < n; i++)
                buf_addf(&b, "%s\"key%zu\":{}", i > 0 ? "," : "", i);
            if (twin < n)
                buf_addf(&b, ",\"key%zu\":0", twin);
            buf_addf(&b, "},\"second\":{\"key%zu\":1}}", n - 1);
            if (twin < n)
                refused(a, buf_str(&b), &JSON_LIMITS_BODY);
            else
                assert_int_equal(json_count(json_find(parse(a, buf_str(&b)), "first")), n);
            buf_fini(&b);
            arena_reset(a);
        }
    }
}

/* n containers inside each other, with a 1 in the innermost object. */
static void nest(struct buf *b, const char *open, const char *inside, char close, unsigned n)
{
    buf_clear(b);
    for (unsigned i = 0; i < n; i++)
        buf_add_text(b, open);
    buf_add_text(b, n == 0 ? "1" : inside);
    for (unsigned i = 0; i < n; i++)
        buf_add_byte(b, close);
}

static void depth_is_limited_exactly(void **state)
{
    struct arena *a = *state;
    struct json_limits limits = JSON_LIMITS_BODY;
    struct buf b;
    buf_init(&b, 10000);
    for (unsigned max = 0; max <= 70; max += 7) {
        unsigned real = max > 64 ? 64 : max;
        limits.max_depth = max;
        nest(&b, "[", "", ']', real);
        assert_non_null(json_parse(a, buf_str(&b), &limits, NULL));
        nest(&b, "[", "", ']', real + 1);
        refused(a, buf_str(&b), &limits);
        nest(&b, "{\"a\":", "1", '}', real);
        assert_non_null(json_parse(a, buf_str(&b), &limits, NULL));
        nest(&b, "{\"a\":", "1", '}', real + 1);
        refused(a, buf_str(&b), &limits);
    }
    buf_fini(&b);
}

static void a_megabyte_of_brackets_is_refused_early(void **state)
{
    struct buf b;
    buf_init(&b, 2000000);
    for (int i = 0; i < 1000000; i++)
        buf_add_byte(&b, '[');
    struct err err = refused(*state, buf_str(&b), &JSON_LIMITS_BODY);
    assert_non_null(strstr(err.msg, "line 1, column 65"));
    buf_fini(&b);
}

static void bytes_and_values_have_ceilings(void **state)
{
    struct json_limits limits = {.max_bytes = 9, .max_depth = 8, .max_nodes = 4};
    assert_non_null(json_parse(*state, STR("[1,2,345]"), &limits, NULL));
    assert_int_equal(refused(*state, STR("[1,2,3456]"), &limits).kind, ERR_TOO_LARGE);
    assert_int_equal(refused(*state, STR("[1,2,3,4]"), &limits).kind, ERR_TOO_LARGE);
    assert_int_equal(refused(*state, STR("[[],[[]]]"), &(struct json_limits){100, 8, 3, NULL}).kind, ERR_TOO_LARGE);
}

static void a_skipped_key_is_checked_but_not_stored(void **state)
{
    struct arena *a = *state;
    struct json_limits limits = {.max_bytes = 1000, .max_depth = 4, .max_nodes = 4, .skip_key = "skip"};
    const struct json_value *v = json_parse(
        a, STR("{\"a\":1,\"skip\":[1,2,{\"b\":[3]},4,5],\"o\":{\"skip\":1,\"z\":2},\"skip\":null}"), &limits, NULL);
    assert_copies_to(v, "{\"a\":1,\"o\":{\"z\":2}}");
    refused(a, STR("{\"skip\":[1,}"), &limits);
    refused(a, STR("{\"skip\":\"\xC0\x80\"}"), &limits);
    refused(a, STR("{\"skip\":[[[[]]]]}"), &limits);
    refused(a, STR("{\"skip\":{\"a\":{\"b\":{\"c\":{}}}}}"), &limits);
    v = json_parse(a, STR("{\"skip\":{\"skip\":{\"x\":[]}},\"k\":1}"), &limits, NULL);
    assert_copies_to(v, "{\"k\":1}");
    v = json_parse(a, STR("[\"skip\",{\"x\":\"skip\"}]"), &limits, NULL);
    assert_copies_to(v, "[\"skip\",{\"x\":\"skip\"}]");
}

static void errors_tell_line_and_column_but_not_the_bytes(void **state)
{
    struct err err = refused(*state, STR("{\n  \"a\": 1,\n  \"b\": hunter2\n}"), &JSON_LIMITS_BODY);
    assert_non_null(strstr(err.msg, " at line 3, column "));
    assert_null(strstr(err.msg, "hunter2"));
    assert_null(strstr(err.msg, "unter"));
    assert_string_equal(err.field, "/b");
    err = refused(*state, STR("{\"b\":[0,\n \"\\uD800\"]}"), &JSON_LIMITS_BODY);
    assert_non_null(strstr(err.msg, " at line 2, column 9"));
    assert_string_equal(err.field, "/b/1");
    err = refused(*state, STR("[\n\n{\"a\":1,\n\"a\":2}]"), &JSON_LIMITS_BODY);
    assert_non_null(strstr(err.msg, " at line 4, column 3"));
    assert_null(strchr(err.msg, '\n'));
}

static void a_pointer_to_the_fault_is_printable_and_short(void **state)
{
    struct err err = refused(*state, STR("{\"a/b~c\\n\xC3\xA4\":{\"x\":1,\"x\":2}}"), &JSON_LIMITS_BODY);
    assert_string_equal(err.field, "/a~1b~0c?\?\?/x");
    struct buf b;
    buf_init(&b, 10000);
    for (int i = 0; i < 60; i++)
        buf_add_text(&b, "{\"0123456789/\":");
    refused(*state, buf_str(&b), &JSON_LIMITS_BODY);
    buf_fini(&b);
}

static void what_is_copied_is_what_was_read(void **state)
{
    const char *rows[] = {
        "null",
        "true",
        "-0",
        "1.50E+10",
        "123456789012345678901234567890.5",
        "\"\\u0001 \\\" \\\\ \xC3\xA4\"",
        "[]",
        "{}",
        "[[],[[]],{},[{}]]",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":[],\"\":false}",
        "[1,\"2\",[3],{\"4\":4}]",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_copies_to(parse(*state, str_from(rows[i])), rows[i]);
    assert_copies_to(NULL, "null");
}

static void a_part_of_a_tree_is_copied_without_its_key_and_siblings(void **state)
{
    const struct json_value *v = parse(*state, STR("{\"a\":{\"b\":[1,2],\"c\":3},\"d\":4}"));
    assert_copies_to(json_find(v, "a"), "{\"b\":[1,2],\"c\":3}");
    assert_copies_to(json_at(v, "a", "b", NULL), "[1,2]");
    assert_copies_to(json_first(json_at(v, "a", "b", NULL)), "1");
    struct json_writer *w = jw_new(1000);
    struct str json;
    jw_object(w);
    jw_key(w, "x");
    json_copy_to(json_find(v, "a"), w);
    jw_key(w, "y");
    json_copy_to(json_find(v, "d"), w);
    jw_object_end(w);
    assert_true(jw_finish(w, &json, NULL));
    assert_string_equal(json.p, "{\"x\":{\"b\":[1,2],\"c\":3},\"y\":4}");
    jw_free(w);
}

static void type_names_are_those_of_json(void **state)
{
    (void)state;
    assert_string_equal(json_type_name(JSON_NULL), "null");
    assert_string_equal(json_type_name(JSON_BOOL), "boolean");
    assert_string_equal(json_type_name(JSON_NUMBER), "number");
    assert_string_equal(json_type_name(JSON_STR), "string");
    assert_string_equal(json_type_name(JSON_ARRAY), "array");
    assert_string_equal(json_type_name(JSON_OBJECT), "object");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_read),
        TEST(members_walk_in_order_with_their_keys),
        TEST(absent_values_are_null_all_the_way),
        TEST(the_wrong_type_gives_the_other_value),
        TEST(integers_are_exact_and_strict),
        TEST(doubles_that_overflow_are_not_taken),
        TEST(escapes_are_decoded),
        TEST(a_text_cut_short_is_refused),
        TEST(what_is_not_json_is_refused),
        TEST(bytes_after_the_value_are_refused),
        TEST(a_nul_character_is_refused),
        TEST(half_of_a_surrogate_pair_is_refused),
        TEST(invalid_utf8_is_refused_in_values_and_keys),
        TEST(a_key_that_is_there_twice_is_refused),
        TEST(keys_of_large_objects_are_compared_too),
        TEST(depth_is_limited_exactly),
        TEST(a_megabyte_of_brackets_is_refused_early),
        TEST(bytes_and_values_have_ceilings),
        TEST(a_skipped_key_is_checked_but_not_stored),
        TEST(errors_tell_line_and_column_but_not_the_bytes),
        TEST(a_pointer_to_the_fault_is_printable_and_short),
        TEST(what_is_copied_is_what_was_read),
        TEST(a_part_of_a_tree_is_copied_without_its_key_and_siblings),
        TEST(type_names_are_those_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
