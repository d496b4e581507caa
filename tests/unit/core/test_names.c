// SPDX-License-Identifier: MIT
/* Names: what people may write, what the cluster gets. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "core/base/codec.h"
#include "core/names.h"

static void slug_is(const char *name, const char *expected)
{
    char slug[SLUG_SIZE];
    names_slug(str_from(name), slug);
    assert_string_equal(slug, expected);
}

static void slug_is_a_dns_label_that_begins_with_a_letter(void **state)
{
    (void)state;
    slug_is("My Shop", "myshop");
    slug_is("my-shop", "my-shop");
    slug_is("-x-", "x");
    slug_is("9lives", "p9lives");
    slug_is("App!", "app");
    slug_is("日本語", "project");
    slug_is("", "project");
    slug_is("---", "project");
}

static void slug_is_cut_at_twenty_and_never_ends_in_a_hyphen(void **state)
{
    (void)state;
    slug_is("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst");
    slug_is("abcdefghijklmnopqrs-tuvw", "abcdefghijklmnopqrs");
    slug_is("12345678901234567890", "p1234567890123456789");
}

static bool name_is_ok(const char *name)
{
    struct err err = {0};
    bool is_ok = names_check_project(str_from(name), &err);
    if (!is_ok) {
        assert_int_equal(err.kind, ERR_INVALID);
        assert_string_equal(err.field, "/name");
    }
    return is_ok;
}

static void project_names_have_one_to_forty_characters(void **state)
{
    (void)state;
    assert_true(name_is_ok("a"));
    assert_true(name_is_ok("1234567890123456789012345678901234567890"));
    assert_false(name_is_ok("12345678901234567890123456789012345678901"));
    assert_false(name_is_ok(""));
    assert_false(name_is_ok(" \t "));
    /* forty characters of three bytes each */
    char wide[40 * 3 + 1] = "";
    for (size_t i = 0; i < 40; i++)
        memcpy(wide + i * 3, "語", 3);
    wide[120] = '\0';
    assert_true(name_is_ok(wide));
}

static void project_names_hold_no_control_characters_and_no_broken_utf8(void **state)
{
    (void)state;
    assert_false(name_is_ok("a\nb"));
    assert_false(name_is_ok("a\x7f"));
    assert_false(name_is_ok("a\xc2\x85"));
    assert_false(name_is_ok("a\xff"));
    assert_true(name_is_ok("caf\xc3\xa9"));
}

static void env_keys_are_identifiers(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(names_check_env_key(STR("_A9"), "/k", &err));
    static const char *const bad[] = {"", "9A", "A-B", "A B", "A=B", "Ä"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(names_check_env_key(str_from(bad[i]), "/envVars/x", &err));
        assert_string_equal(err.field, "/envVars/x");
    }
}

static void env_values_have_a_ceiling_and_no_nul(void **state)
{
    (void)state;
    static char large[ENV_VALUE_MAX_BYTES + 1];
    memset(large, 'a', sizeof(large));
    struct err err = {0};
    assert_true(names_check_env_value((struct str){large, ENV_VALUE_MAX_BYTES}, "/v", &err));
    assert_false(names_check_env_value((struct str){large, ENV_VALUE_MAX_BYTES + 1}, "/v", &err));
    assert_false(names_check_env_value(STR("a\0b"), "/v", &err));
    assert_true(names_check_env_value(STR(""), "/v", &err));
}

static void drawn_names_differ_and_fit(void **state)
{
    (void)state;
    const struct names_settings settings = {
        "ns", "usw.sealos.io", "image:1", {WORKLOAD_STATEFULSET, ROUTE_HTTPROUTE}
    };
    struct sandbox a = {0};
    struct sandbox b = {0};
    names_draw(&a, STR("A very long name of a project"), &settings, 0);
    names_draw(&b, STR("A very long name of a project"), &settings, 0);
    assert_string_equal(a.slug, "averylongnameofaproj");
    assert_int_equal(strlen(a.name), strlen("averylongnameofaproj-agentruntime-xxxxxx"));
    assert_memory_equal(a.name, "averylongnameofaproj-agentruntime-", 34);
    assert_string_not_equal(a.name, b.name);
    assert_string_not_equal(a.name, a.database_name);
    assert_string_not_equal(a.app_host, a.tty_host);
    assert_string_equal(a.app_host + 12, ".usw.sealos.io");
    assert_int_equal(strlen(a.port_names[0]), 12);
    assert_string_equal(a.restart_time, "19700101000000");
    assert_int_equal(a.kinds.workload, WORKLOAD_STATEFULSET);
    assert_int_equal(a.kinds.route, ROUTE_HTTPROUTE);
}

static void ids_are_letters_digits_and_hyphens(void **state)
{
    static const char longest[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0";
    (void)state;
    assert_true(names_is_id(STR("01a223c4-4693-759f-9598-f15c7f40aaed")));
    assert_true(names_is_id(STR("cmgyd8q4p0001Zo")));
    assert_true(names_is_id(str_from(longest)));
    assert_false(names_is_id((struct str){longest, sizeof longest})); /* one more, a NUL */
    assert_false(names_is_id(STR("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-00")));
    assert_false(names_is_id(STR("")));
    assert_false(names_is_id(STR_NONE));
    assert_false(names_is_id(STR("a'b")));
    assert_false(names_is_id(STR("a_b")));
    assert_false(names_is_id(STR("\xc3\xa4")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slug_is_a_dns_label_that_begins_with_a_letter),
        cmocka_unit_test(slug_is_cut_at_twenty_and_never_ends_in_a_hyphen),
        cmocka_unit_test(project_names_have_one_to_forty_characters),
        cmocka_unit_test(project_names_hold_no_control_characters_and_no_broken_utf8),
        cmocka_unit_test(env_keys_are_identifiers),
        cmocka_unit_test(env_values_have_a_ceiling_and_no_nul),
        cmocka_unit_test(ids_are_letters_digits_and_hyphens),
        cmocka_unit_test(drawn_names_differ_and_fit),
    };
    struct err err = {0};
    if (!codec_init(&err))
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
