// SPDX-License-Identifier: MIT
/* Where a browser may be sent: the wire test tries more of what may not. */
#include "handlers/return_path.h"

#include "tests/unit/cmocka_all.h"

#define PUBLIC "https://studio.example.org"

static void a_path_of_this_server_is_kept_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *path;
    } cases[] = {
        {"/",                           "/"                          },
        {"/projects/a-1?x=//y&z=%2F#b", "/projects/a-1?x=//y&z=%2F#b"},
        {PUBLIC "/projects",            "/projects"                  },
        {PUBLIC,                        "/"                          },
        {"/apiary",                     "/apiary"                    },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str path;
        struct err err = {0};
        assert_true(return_path_check(PUBLIC, str_from(cases[i].given), &path, &err));
        assert_true(str_eq_text(path, cases[i].path));
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "a",
        "//a",
        "/\\a",
        "\\a",
        "https://a",
        PUBLIC "//a",
        "/%2fa",
        "/a/..",
        PUBLIC "@a",
        PUBLIC ".a/",
        "/api/projects",
        "/api",
        "/a\x01",
        "/\xc3\xa9",
        "/%5ca",
        "http://studio.example.org/",
        "/api?x",
        "/a/%2E%2E/b",
        "/ a",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str path;
        struct err err = {0};
        if (return_path_check(PUBLIC, str_from(cases[i]), &path, &err))
            fail_msg("'%s' is taken", cases[i]);
        assert_int_equal(err.kind, ERR_INVALID);
    }
    struct str path;
    struct err err = {0};
    assert_false(return_path_check("", STR("https://a"), &path, &err)); /* no public URL is known */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_of_this_server_is_kept_as_it_is),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
