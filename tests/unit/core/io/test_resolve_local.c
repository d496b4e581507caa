// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/io/resolve_local.h"

static void host_names_are_told_from_other_texts(void **state)
{
    (void)state;
    const char *good[] = {"a",   "db.example.org", "db.example.org.", "my-db_1", "127.0.0.1",
                          "::1", "fe80::1%eth0",   "xn--4ca.a",       "1.2",     "::ffff:1.2.3.4"};
    const char *bad[] = {"",          ".",   "..",   "a..b", ".a",    "a b",   "a/b", "a:1",      "[::1]",
                         "a\xC3\xA4", "a\n", "::1%", "::g",  "1:2:3", "%eth0", "a%b", "user@host"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(resolve_is_host(str_from(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(resolve_is_host(str_from(bad[i])));
    assert_false(resolve_is_host(STR_NONE));
    assert_false(resolve_is_host(STR("a\0b")));
}

static void names_and_labels_have_the_lengths_of_dns(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_addf(&b, "%063d", 1);
    assert_true(resolve_is_host(buf_str(&b)));
    buf_add_byte(&b, '1');
    assert_false(resolve_is_host(buf_str(&b)));
    buf_clear(&b);
    for (int i = 0; i < 126; i++)
        buf_add_text(&b, "a.");
    buf_add_text(&b, "a");
    assert_int_equal(b.n, 253);
    assert_true(resolve_is_host(buf_str(&b)));
    buf_add_text(&b, ".");
    assert_true(resolve_is_host(buf_str(&b)));
    buf_add_text(&b, "a");
    assert_false(resolve_is_host(buf_str(&b)));
    buf_fini(&b);
}

static void addresses_are_strict(void **state)
{
    (void)state;
    assert_true(resolve_is_address(STR("10.0.0.1")));
    assert_true(resolve_is_address(STR("2001:db8::1")));
    assert_true(resolve_is_address(STR("fe80::1%2")));
    const struct str bad[] = {STR("10.1"),       STR("010.0.0.1x"), STR("0x7f000001"),
                              STR("10.0.0.256"), STR("10.0.0.1 "),  STR("10.0.0.1%eth0"),
                              STR("%"),          STR(""),           STR_NONE};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(resolve_is_address(bad[i]));
}

static void ipv4_goes_before_ipv6_and_there_is_a_ceiling(void **state)
{
    (void)state;
    struct resolved found = {0};
    const char *in[] = {"::1", "10.0.0.1", "::2", "10.0.0.2"};
    const char *want[] = {"10.0.0.1", "10.0.0.2", "::1", "::2"};
    for (size_t i = 0; i < 4; i++)
        resolve_add(&found, str_from(in[i]));
    assert_int_equal(found.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(found.addresses[i], want[i]);
    for (size_t i = 0; i < 100; i++)
        resolve_add(&found, STR("::3"));
    assert_int_equal(found.n, RESOLVE_MAX_ADDRESSES);
    assert_string_equal(found.addresses[3], "::2");
}

static void the_hosts_file_is_read_as_hosts_5_says(void **state)
{
    (void)state;
    const struct str text = STR("# 1.1.1.1 db\n"
                                "10.0.0.1\tdb.example.org  DB # 9.9.9.9 other\r\n"
                                "\n"
                                "   ::5   other db\n"
                                "10.0.0.2 db db\n"
                                "not-an-address db\n"
                                "10.0.0.9 database\n"
                                "10.0.0.3 last db");
    struct resolved found = {0};
    resolve_from_hosts(text, STR("Db"), &found);
    assert_int_equal(found.n, 4);
    assert_string_equal(found.addresses[0], "10.0.0.1");
    assert_string_equal(found.addresses[1], "10.0.0.2");
    assert_string_equal(found.addresses[2], "10.0.0.3");
    assert_string_equal(found.addresses[3], "::5");
    found = (struct resolved){0};
    resolve_from_hosts(text, STR("db.example.org."), &found);
    assert_int_equal(found.n, 1);
    found = (struct resolved){0};
    resolve_from_hosts(text, STR("9.9.9.9"), &found);
    resolve_from_hosts(text, STR("10.0.0.1"), &found);
    resolve_from_hosts(text, STR("d"), &found);
    resolve_from_hosts(STR_NONE, STR("db"), &found);
    assert_int_equal(found.n, 0);
}

static void localhost_is_this_machine(void **state)
{
    (void)state;
    const char *good[] = {"localhost", "LOCALHOST.", "a.b.localhost"};
    for (size_t i = 0; i < 3; i++) {
        struct resolved found = {0};
        resolve_localhost(str_from(good[i]), &found);
        assert_int_equal(found.n, 2);
        assert_string_equal(found.addresses[0], "127.0.0.1");
        assert_string_equal(found.addresses[1], "::1");
    }
    const char *bad[] = {"localhosts", "notlocalhost", "localhost.example.org", ""};
    for (size_t i = 0; i < 4; i++) {
        struct resolved found = {0};
        resolve_localhost(str_from(bad[i]), &found);
        assert_int_equal(found.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_names_are_told_from_other_texts),
        cmocka_unit_test(names_and_labels_have_the_lengths_of_dns),
        cmocka_unit_test(addresses_are_strict),
        cmocka_unit_test(ipv4_goes_before_ipv6_and_there_is_a_ceiling),
        cmocka_unit_test(the_hosts_file_is_read_as_hosts_5_says),
        cmocka_unit_test(localhost_is_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
