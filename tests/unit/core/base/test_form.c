// SPDX-License-Identifier: MIT
#include "core/base/form.h"

#include "tests/unit/cmocka_all.h"

struct pair {
    struct str name;
    struct str word;
};

static const struct form_field fields[] = {
    {"name", offsetof(struct pair, name), 8},
    {"a/b",  offsetof(struct pair, word), 4},
};

static bool bind(struct arena *a, struct str body, struct pair *ret, struct err *ret_err)
{
    *ret = (struct pair){STR_NONE, STR_NONE};
    *ret_err = (struct err){0};
    return form_bind(a, body, fields, sizeof(fields) / sizeof(*fields), ret, ret_err);
}

static void pairs_are_read_as_browsers_write_them(void **state)
{
    static const struct {
        const char *body;
        const char *name; /* NULL: did not come */
        const char *word;
    } cases[] = {
        {"",                      NULL,                NULL},
        {"&&",                    NULL,                NULL},
        {"name=ada",              "ada",               NULL},
        {"name=ada&a%2Fb=x",      "ada",               "x" },
        {"a/b=x&&name=ada&",      "ada",               "x" },
        {"name",                  "",                  NULL},
        {"name=",                 "",                  NULL},
        {"name=a+b%20c%2B",       "a b c+",            NULL},
        {"name=a=b&a%2fb=%26%3d", "a=b",               "&="},
        {"%6eame=%C3%bc",         "\xc3\xbc",          NULL},
        {"name=%F0%9F%98%80;",    "\xf0\x9f\x98\x80;", NULL},
        {"name=12345678",         "12345678",          NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *a = arena_new();
        struct pair got;
        struct err err;
        if (!bind(a, str_from(cases[i].body), &got, &err))
            fail_msg("%s: %s", cases[i].body, err.msg);
        assert_int_equal(str_is_none(got.name), cases[i].name == NULL);
        assert_int_equal(str_is_none(got.word), cases[i].word == NULL);
        assert_true(str_eq(got.name, str_from(cases[i].name)));
        assert_true(str_eq(got.word, str_from(cases[i].word)));
        arena_free(a);
    }
}

/* A constant, and with a NUL inside. */
#define T(text)                                                                                                        \
    {                                                                                                                  \
        (text), sizeof(text) - 1                                                                                       \
    }

static void what_two_readers_could_take_in_two_ways_is_refused_by_name(void **state)
{
    static const struct {
        struct str body;
        const char *field;
    } cases[] = {
        {T("name=a&name=b"),       "/name" },
        {T("name=a&n%61me=a"),     "/name" },
        {T("name=a&other=b"),      "/other"},
        {T("Name=a"),              "/Name" },
        {T("=a"),                  "/"     },
        {T("x/y=a"),               "/x~1y" },
        {T("name=123456789"),      "/name" },
        {T("a/b=%41%41%41%41%41"), "/a~1b" },
        {T("name=%"),              "/name" },
        {T("name=%4"),             "/name" },
        {T("name=%zz"),            "/name" },
        {T("name=%00"),            "/name" },
        {T("name=\0"),             "/name" },
        {T("name=%ff"),            "/name" },
        {T("name=%ed%a0%80"),      "/name" }, /* half of a surrogate pair */
        {T("name=\xff"),           "/name" },
        {T("na%00me=a"),           ""      },
        {T("%=a"),                 ""      },
        {T("\xc3=a"),              ""      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *a = arena_new();
        struct pair got;
        struct err err;
        if (bind(a, cases[i].body, &got, &err))
            fail_msg("case %zu was taken", i);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_string_equal(err.field, cases[i].field);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_as_browsers_write_them),
        cmocka_unit_test(what_two_readers_could_take_in_two_ways_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
