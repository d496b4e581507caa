// SPDX-License-Identifier: MIT
/* The merge order of the container's environment. */
#include "tests/unit/cmocka_all.h"

#include "core/environment.h"

static struct str value_of(struct env_list list, const char *key)
{
    struct str found = STR_NONE;
    for (size_t i = 0; i < list.n; i++) {
        if (!str_eq_text(list.vars[i].key, key))
            continue;
        assert_true(str_is_none(found)); /* no key twice */
        found = list.vars[i].value;
    }
    return found;
}

static void later_sources_win_and_the_server_has_the_last_word(void **state)
{
    (void)state;
    const struct env_var base_vars[] = {
        {STR("ANTHROPIC_MODEL"), STR("base")},
        {STR("A"),               STR("base")},
        {STR("B"),               STR("base")}
    };
    const struct env_var own_vars[] = {
        {STR("B"),            STR("own")       },
        {STR("NODE_ENV"),     STR("production")},
        {STR("DATABASE_URL"), STR("elsewhere") },
        {STR("B"),            STR("own again") }
    };
    const struct env_list base = {base_vars, 3};
    const struct env_list own = {own_vars, 4};
    struct db_credentials credentials = {.host = "db", .port = 5432, .user = "u@x", .database = "postgres"};
    credentials.password = secret_new(STR("p/w d"));
    struct arena *a = arena_new();

    struct env_list merged = environment_merge(a, &base, &own, &credentials);

    assert_true(str_eq_text(value_of(merged, "ANTHROPIC_MODEL"), "base"));
    assert_true(str_eq_text(value_of(merged, "A"), "base"));
    assert_true(str_eq_text(value_of(merged, "B"), "own again"));
    assert_true(str_eq_text(value_of(merged, "NODE_ENV"), "development"));
    assert_true(str_eq_text(value_of(merged, "TTYD_PORT"), "7681"));
    assert_true(
        str_eq_text(value_of(merged, "DATABASE_URL"), "postgresql://u%40x:p%2Fw%20d@db:5432/postgres?schema=public"));
    arena_free(a);
    db_credentials_fini(&credentials);
}

static void without_credentials_the_project_s_database_url_stays(void **state)
{
    (void)state;
    const struct env_var own_vars[] = {
        {STR("DATABASE_URL"), STR("elsewhere")}
    };
    const struct env_list own = {own_vars, 1};
    struct arena *a = arena_new();
    struct env_list merged = environment_merge(a, NULL, &own, NULL);
    assert_true(str_eq_text(value_of(merged, "DATABASE_URL"), "elsewhere"));
    arena_free(a);
}

static void the_result_is_sorted_so_that_a_manifest_repeats(void **state)
{
    (void)state;
    const struct env_var own_vars[] = {
        {STR("Z"),  STR("1")},
        {STR("AA"), STR("2")},
        {STR("A"),  STR("3")}
    };
    const struct env_list own = {own_vars, 3};
    struct arena *a = arena_new();
    struct env_list merged = environment_merge(a, NULL, &own, NULL);
    assert_true(str_eq_text(merged.vars[0].key, "A"));
    assert_true(str_eq_text(merged.vars[1].key, "AA"));
    assert_true(str_eq_text(merged.vars[merged.n - 1].key, "Z"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win_and_the_server_has_the_last_word),
        cmocka_unit_test(without_credentials_the_project_s_database_url_stays),
        cmocka_unit_test(the_result_is_sorted_so_that_a_manifest_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
