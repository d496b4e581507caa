// SPDX-License-Identifier: MIT
/* Which texts are names of repositories: they become parts of GitHub's paths. */
#include "core/github_repos.h"

#include "tests/unit/cmocka_all.h"

static const char longest[] = "a23456789012345678901234567890123456789/"
                              "x234567890123456789012345678901234567890123456789"
                              "x234567890123456789012345678901234567890123456789xx";

static void names_of_github_are_taken(void **state)
{
    (void)state;
    static const char *const names[] = {"ada/engine", "Ada-L/.github", "ada_corp/a.b-c_d", "0/0", "ada/git",
                                        "a-/x",       longest};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_true(github_repos_check_name(str_from(names[i]), false, NULL));
    assert_true(sizeof(longest) <= GITHUB_REPO_SIZE);
    assert_true(github_repos_check_name(STR("engine"), true, NULL));
}

static void nothing_else_is(void **state)
{
    (void)state;
    const struct str names[] = {
        STR("engine"),   STR("ada/"),      STR("/engine"),      STR("ada/.."),  STR("ada/."),   STR("../ada"),
        STR("a/b/c"),    STR("ada/e.git"), STR("-a/x"),         STR("ada/a b"), STR("ada/a?b"), STR("ada/a%2fb"),
        STR("ada/a\0b"), STR("ada/a\n"),   STR("ada/\xc3\xa4"), STR("ada//x"),  STR("a.b/x"),   STR("ada#/x"),
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct err err = {0};
        assert_false(github_repos_check_name(names[i], false, &err));
        assert_string_equal(err.field, "/repoName");
        assert_string_equal(err.msg, "Invalid repository format. Use: username/repository");
    }
    char too_long[sizeof(longest) + 1] = "x";
    for (size_t i = 0; i < sizeof(longest); i++)
        too_long[i + 1] = longest[i];
    assert_false(github_repos_check_name(str_from(too_long), false, NULL));
}

static void one_that_is_missing_is_told_apart(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(github_repos_check_name(STR_NONE, true, &err));
    assert_string_equal(err.msg, "Repository name is required");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_github_are_taken),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(one_that_is_missing_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
