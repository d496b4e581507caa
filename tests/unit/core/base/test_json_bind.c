// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include <stdio.h>

#include "core/base/json_read.h"

struct body {
    struct str name;
    bool want_database;
    int64_t replicas;
    const struct json_value *env;
    const struct json_value *tags;
    struct str free_text;
};

static const struct json_field fields[] = {
    {"name",     JSON_STR,    offsetof(struct body, name),          JSON_REQUIRED, 1,  5},
    {"database", JSON_BOOL,   offsetof(struct body, want_database), JSON_OPTIONAL, 0,  0},
    {"replicas", JSON_NUMBER, offsetof(struct body, replicas),      JSON_OPTIONAL, -1, 3},
    {"env",      JSON_OBJECT, offsetof(struct body, env),           JSON_OPTIONAL, 0,  2},
    {"tags",     JSON_ARRAY,  offsetof(struct body, tags),          JSON_OPTIONAL, 1,  2},
    {"text",     JSON_STR,    offsetof(struct body, free_text),     JSON_OPTIONAL, 0,  0},
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

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

static bool bind(struct arena *a, const char *text, struct body *ret, struct err *reterr)
{
    const struct json_value *v = json_parse(a, str_from(text), &JSON_LIMITS_BODY, NULL);
    assert_non_null(v);
    return json_bind(v, fields, N_FIELDS, ret, reterr);
}

static void every_field_lands_in_its_member(void **state)
{
    struct body body = {0};
    assert_true(bind(*state,
                     "{\"tags\":[1],\"env\":{\"A\":\"b\"},\"replicas\":3,\"database\":true,\"name\":\"abc\","
                     "\"text\":\"long enough to pass any limit\"}",
                     &body, NULL));
    assert_str(body.name, "abc");
    assert_true(body.want_database);
    assert_int_equal(body.replicas, 3);
    assert_str(json_str(json_find(body.env, "A")), "b");
    assert_int_equal(json_count(body.tags), 1);
    assert_str(body.free_text, "long enough to pass any limit");
}

static void an_absent_optional_field_leaves_its_member_alone(void **state)
{
    struct body body = {.replicas = 2, .want_database = true};
    assert_true(bind(*state, "{\"name\":\"abc\"}", &body, NULL));
    assert_int_equal(body.replicas, 2);
    assert_true(body.want_database);
    assert_null(body.env);
    assert_true(str_is_none(body.free_text));
}

static void bounds_are_inclusive(void **state)
{
    struct body body = {0};
    assert_true(bind(*state, "{\"name\":\"a\",\"replicas\":-1,\"env\":{},\"tags\":[1]}", &body, NULL));
    assert_int_equal(body.replicas, -1);
    assert_true(
        bind(*state, "{\"name\":\"abcde\",\"replicas\":3,\"env\":{\"a\":1,\"b\":2},\"tags\":[1,2]}", &body, NULL));
}

static void what_does_not_fit_is_refused_with_the_fields_name(void **state)
{
    const struct {
        const char *text;
        const char *field;
        const char *msg;
    } rows[] = {
        {"{}",                                                 "/name",     "is missing"                               },
        {"{\"name\":\"a\",\"nmae\":1}",                        "/nmae",     "is not a known field"                     },
        {"{\"name\":\"a\",\"Name\":\"b\"}",                    "/Name",     "is not a known field"                     },
        {"{\"name\":1}",                                       "/name",     "must be a string"                         },
        {"{\"name\":null}",                                    "/name",     "must be a string"                         },
        {"{\"name\":\"\"}",                                    "/name",     "must have a length in bytes from 1 to 5"  },
        {"{\"name\":\"abcdef\"}",                              "/name",     "must have a length in bytes from 1 to 5"  },
        {"{\"name\":\"a\",\"database\":\"yes\"}",              "/database", "must be true or false"                    },
        {"{\"name\":\"a\",\"database\":1}",                    "/database", "must be true or false"                    },
        {"{\"name\":\"a\",\"replicas\":\"1\"}",                "/replicas", "must be a number"                         },
        {"{\"name\":\"a\",\"replicas\":1.0}",                  "/replicas", "must be a whole number"                   },
        {"{\"name\":\"a\",\"replicas\":99999999999999999999}", "/replicas", "must be a whole number"                   },
        {"{\"name\":\"a\",\"replicas\":4}",                    "/replicas", "must have a value from -1 to 3"           },
        {"{\"name\":\"a\",\"replicas\":-2}",                   "/replicas", "must have a value from -1 to 3"           },
        {"{\"name\":\"a\",\"env\":[]}",                        "/env",      "must be an object"                        },
        {"{\"name\":\"a\",\"env\":{\"a\":1,\"b\":2,\"c\":3}}", "/env",      "must have a number of members from 0 to 2"},
        {"{\"name\":\"a\",\"tags\":{}}",                       "/tags",     "must be an array"                         },
        {"{\"name\":\"a\",\"tags\":[]}",                       "/tags",     "must have a number of members from 1 to 2"},
        {"{\"name\":\"a\",\"tags\":[1,2,3]}",                  "/tags",     "must have a number of members from 1 to 2"},
        {"[]",                                                 "",          "must be a JSON object"                    },
        {"null",                                               "",          "must be a JSON object"                    },
        {"\"name\"",                                           "",          "must be a JSON object"                    },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct body body = {0};
        struct err err = {0};
        assert_false(bind(*state, rows[i].text, &body, &err));
        assert_int_equal(err.kind, ERR_INVALID);
        assert_string_equal(err.field, rows[i].field);
        char expected[128];
        snprintf(expected, sizeof(expected), "%s%s%s", &rows[i].field[rows[i].field[0] == '/'],
                 rows[i].field[0] == '/' ? " " : "", rows[i].msg);
        assert_string_equal(err.msg, expected);
        assert_false(bind(*state, rows[i].text, &body, NULL));
    }
}

static void a_long_name_is_told_in_part_and_never_half_a_character(void **state)
{
    struct body body = {0};
    struct err err;
    assert_false(bind(*state,
                      "{\"name\":\"a\",\"0123456789012345678901234567890123456789012345678901234567890123456789\":1}",
                      &body, &err));
    assert_string_equal(err.msg,
                        "0123456789012345678901234567890123456789012345678901234567890123 is not a known field");
    assert_false(bind(*state,
                      "{\"name\":\"a\",\"012345678901234567890123456789012345678901234567890123456789012\u00e4\":1}",
                      &body, &err));
    assert_string_equal(err.msg,
                        "012345678901234567890123456789012345678901234567890123456789012 is not a known field");
}

static void nothing_is_not_an_object(void **state)
{
    (void)state;
    struct body body = {0};
    struct err err;
    assert_false(json_bind(NULL, fields, N_FIELDS, &body, &err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(every_field_lands_in_its_member),
        TEST(an_absent_optional_field_leaves_its_member_alone),
        TEST(bounds_are_inclusive),
        TEST(what_does_not_fit_is_refused_with_the_fields_name),
        TEST(a_long_name_is_told_in_part_and_never_half_a_character),
        TEST(nothing_is_not_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
