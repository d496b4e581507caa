// SPDX-License-Identifier: MIT
/* Addresses, trusted networks, and the counts that caps rest on. */
#include "unit/cmocka_all.h"

#include "core/base/codec.h"
#include "server/peers.h"

static struct peer_address address_of(const char *text)
{
    struct peer_address address;
    assert_true(peer_address_parse(str_from(text), &address));
    return address;
}

static void addresses_are_read_with_and_without_port(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *meaning; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1",         "192.0.2.1"  },
        {" 192.0.2.1:8080 ",  "192.0.2.1"  },
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"[2001:db8::1]",     "2001:db8::1"},
        {"2001:DB8:0:0::1",   "2001:db8::1"},
        {"::ffff:10.0.0.1",   "10.0.0.1"   },
        {"",                  NULL         },
        {"unknown",           NULL         },
        {"192.0.2.256",       NULL         },
        {"192.0.2",           NULL         },
        {"_hidden",           NULL         },
        {"1.2.3.4.5",         NULL         },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer_address address;
        bool is_fine = peer_address_parse(str_from(rows[i].text), &address);
        assert_int_equal(is_fine, rows[i].meaning != NULL);
        if (is_fine)
            assert_str(peer_address_text(&address, a), rows[i].meaning);
    }
    arena_free(a);
}

static bool has(const char *list, const char *address)
{
    struct err err;
    struct peer_networks *networks = peer_networks_new(list, &err);
    struct peer_address a = address_of(address);
    assert_non_null(networks);
    bool is_in = peer_networks_has(networks, &a);
    peer_networks_free(networks);
    return is_in;
}

static void networks_are_exact_to_the_bit(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.0.1"));
    assert_false(has("10.0.0.0/8", "11.0.0.1"));
    assert_true(has("10.0.0.0/9", "10.127.255.255"));
    assert_false(has("10.0.0.0/9", "10.128.0.0"));
    assert_true(has("192.0.2.7", "192.0.2.7"));
    assert_false(has("192.0.2.7", "192.0.2.6"));
    assert_true(has("1.1.1.1 , 2001:db8::/32", "2001:db8:5::1"));
    assert_false(has("2001:db8::/32", "2001:db9::1"));
    assert_true(has("0.0.0.0/0", "8.8.8.8"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_false(has("", "127.0.0.1"));
    assert_false(has(NULL, "127.0.0.1"));
}

static void malformed_networks_are_refused(void **state)
{
    (void)state;
    const char *const lists[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "example.org", "::/129", "1.1.1.1 2.2.2.2"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct err err = {.kind = ERR_NONE};
        assert_null(peer_networks_new(lists[i], &err));
        assert_int_equal(err.kind, ERR_INVALID);
    }
}

static void assert_client(const char *direct, const char *forwarded, const char *expected)
{
    struct err err;
    struct arena *a = arena_new();
    struct peer_networks *networks = peer_networks_new("10.0.0.0/8", &err);
    struct peer_address from = address_of(direct);
    struct peer_address client = peer_client(networks, &from, str_from(forwarded));
    assert_str(peer_address_text(&client, a), expected);
    peer_networks_free(networks);
    arena_free(a);
}

static void the_client_is_the_last_address_nobody_trusts(void **state)
{
    (void)state;
    assert_client("10.0.0.1", "192.0.2.1", "192.0.2.1");
    assert_client("10.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1");
    assert_client("10.0.0.1", "192.0.2.1, 10.0.0.9", "192.0.2.1");
    assert_client("10.0.0.1", "10.0.0.7, 10.0.0.9", "10.0.0.7");
    assert_client("10.0.0.1", "192.0.2.1, junk", "10.0.0.1");
    assert_client("10.0.0.1", NULL, "10.0.0.1");
    assert_client("10.0.0.1", "", "10.0.0.1");
    assert_client("192.0.2.9", "1.2.3.4", "192.0.2.9");
}

static void counts_hold_their_cap_and_forget(void **state)
{
    (void)state;
    struct err err;
    assert_true(codec_init(&err));
    struct peer_counts *counts = peer_counts_new();
    struct peer_address a = address_of("192.0.2.1");
    struct peer_address b = address_of("192.0.2.2");
    assert_true(peer_counts_add(counts, &a, 2));
    assert_true(peer_counts_add(counts, &a, 2));
    assert_false(peer_counts_add(counts, &a, 2));
    assert_true(peer_counts_add(counts, &b, 2));
    peer_counts_drop(counts, &a);
    assert_true(peer_counts_add(counts, &a, 2));
    assert_true(peer_counts_add(counts, &a, 0));
    peer_counts_free(counts);
}

static void an_ipv6_customer_counts_as_one(void **state)
{
    (void)state;
    struct peer_counts *counts = peer_counts_new();
    struct peer_address a = address_of("2001:db8:0:1::1");
    struct peer_address same = address_of("2001:db8:0:1:ffff::2");
    struct peer_address other = address_of("2001:db8:0:2::1");
    assert_true(peer_counts_add(counts, &a, 1));
    assert_false(peer_counts_add(counts, &same, 1));
    assert_true(peer_counts_add(counts, &other, 1));
    peer_counts_free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_with_and_without_port),
        cmocka_unit_test(networks_are_exact_to_the_bit),
        cmocka_unit_test(malformed_networks_are_refused),
        cmocka_unit_test(the_client_is_the_last_address_nobody_trusts),
        cmocka_unit_test(counts_hold_their_cap_and_forget),
        cmocka_unit_test(an_ipv6_customer_counts_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
