// SPDX-License-Identifier: MIT
/* Paths and queries: what is decoded, and what is refused because it could be read in two ways. */
#include "unit/cmocka_all.h"

#include "server/http_path.h"

static const struct path_row {
    const char *target;
    const char *path; /* NULL: refused */
} path_rows[] = {
    {"/",                  "/"             },
    {"/a/b",               "/a/b"          },
    {"/a/",                "/a/"           },
    {"/a%20b",             "/a b"          },
    {"/%41%7e",            "/A~"           },
    {"/caf%C3%A9",         "/caf\xc3\xa9"  },
    {"/a+b",               "/a+b"          },
    {"/.well-known/x",     "/.well-known/x"},
    {"/a..b/...",          "/a..b/..."     },
    {"*",                  "*"             },
    {"//",                 NULL            },
    {"/a//b",              NULL            },
    {"//evil.example",     NULL            },
    {"/a/./b",             NULL            },
    {"/a/..",              NULL            },
    {"/%2e%2E/etc/passwd", NULL            },
    {"/.%2e/x",            NULL            },
    {"/a%2Fb",             NULL            },
    {"/a%2fb",             NULL            },
    {"/a%5cb",             NULL            },
    {"/a%",                NULL            },
    {"/a%2",               NULL            },
    {"/a%g1",              NULL            },
    {"/a%1g",              NULL            },
    {"/a%00b",             NULL            },
    {"/a%0ab",             NULL            },
    {"/a%7f",              NULL            },
    {"/%ff",               NULL            },
    {"/%c0%ae",            NULL            },
    {"/%ed%a0%80",         NULL            },
};

static void paths_are_decoded_or_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof path_rows / sizeof *path_rows; i++) {
        struct str path;
        const char *why = NULL;
        bool is_fine = http_path_decode(a, str_from(path_rows[i].target), &path, &why);
        if (is_fine != (path_rows[i].path != NULL))
            print_message("path %s\n", path_rows[i].target);
        assert_int_equal(is_fine, path_rows[i].path != NULL);
        assert_int_equal(is_fine, why == NULL);
        if (is_fine)
            assert_str(path, path_rows[i].path);
    }
    arena_free(a);
}

static const struct query_row {
    const char *query;
    const char *name;
    const char *value; /* NULL: there is none */
} query_rows[] = {
    {"a=1&b",     "a",   "1"       },
    {"a=1&b",     "b",   ""        },
    {"a=1&b=",    "b",   ""        },
    {"a=1&b",     "c",   NULL      },
    {"a=1&a=2",   "a",   "1"       },
    {"a=b=c",     "a",   "b=c"     },
    {"a=x+y%2Bz", "a",   "x y+z"   },
    {"%61=1",     "a",   "1"       },
    {"a+b=1",     "a b", "1"       },
    {"&&a=1&",    "a",   "1"       },
    {"=1",        "a",   NULL      },
    {"A=1",       "a",   NULL      },
    {"a=%26%3d",  "a",   "&="      },
    {"",          "a",   NULL      },
    {"a=%C3%A9",  "a",   "\xc3\xa9"},
    {"a=%0A",     "a",   "\n"      },
};

static void queries_give_the_first_parameter_of_a_name(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof query_rows / sizeof *query_rows; i++) {
        struct str query = str_from(query_rows[i].query);
        const char *why = NULL;
        struct str value = STR_NONE;
        assert_true(http_query_check(a, query, &why));
        bool is_there = http_query_get(a, query, query_rows[i].name, &value);
        if (is_there != (query_rows[i].value != NULL))
            print_message("query %s\n", query_rows[i].query);
        assert_int_equal(is_there, query_rows[i].value != NULL);
        if (is_there)
            assert_str(value, query_rows[i].value);
    }
    assert_false(http_query_get(a, STR_NONE, "a", &(struct str){NULL, 0}));
    arena_free(a);
}

static void malformed_queries_are_refused(void **state)
{
    (void)state;
    const char *const queries[] = {"a=%", "a=%4", "%zz=1", "a=1&b=%g0", "a=%00", "a=%1b", "a=%ff"};
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        const char *why = NULL;
        assert_false(http_query_check(a, str_from(queries[i]), &why));
        assert_non_null(why);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_decoded_or_refused),
        cmocka_unit_test(queries_give_the_first_parameter_of_a_name),
        cmocka_unit_test(malformed_queries_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
