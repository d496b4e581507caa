// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/codec.h"

static int start(void **state)
{
    struct err err;
    *state = arena_new();
    return codec_init(&err) ? 0 : -1;
}

static int stop(void **state)
{
    arena_free(*state);
    return 0;
}

/* ---- random ---- */

static void tokens_are_43_url_safe_characters_and_differ(void **state)
{
    (void)state;
    char a[CODEC_TOKEN_SIZE];
    char b[CODEC_TOKEN_SIZE];
    codec_random_token(a);
    codec_random_token(b);
    assert_int_equal(strlen(a), 43);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_string_not_equal(a, b);
}

static void random_text_keeps_to_its_alphabet_and_uses_all_of_it(void **state)
{
    (void)state;
    char text[2001];
    unsigned seen[3] = {0};
    codec_random_text(text, 2000, "xyz");
    assert_int_equal(strlen(text), 2000);
    assert_int_equal(strspn(text, "xyz"), 2000);
    for (size_t i = 0; i < 2000; i++)
        seen[text[i] - 'x']++;
    for (size_t i = 0; i < 3; i++)
        assert_in_range(seen[i], 400, 1000); /* over ten standard deviations around 667 */
    codec_random_text(text, 0, "xyz");
    assert_string_equal(text, "");
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint64_t a[4] = {0};
    uint64_t b[4] = {0};
    codec_random(a, sizeof(a));
    codec_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

/* ---- uuid ---- */

static void uuid7_holds_the_time_version_and_variant(void **state)
{
    (void)state;
    char a[CODEC_UUID_SIZE];
    char b[CODEC_UUID_SIZE];
    codec_uuid7(INT64_C(0x017F22E279B0), a); /* the example of RFC 9562 appendix A.6 */
    codec_uuid7(INT64_C(0x017F22E279B0), b);
    assert_memory_equal(a, "017f22e2-79b0-7", 15);
    assert_non_null(strchr("89ab", a[19]));
    assert_true(codec_is_uuid(str_from(a)));
    assert_string_not_equal(a, b);
    codec_uuid7(INT64_C(0x017F22E279B1), b);
    assert_true(strcmp(a, b) < 0);
}

static void is_uuid_looks_at_form_only(void **state)
{
    (void)state;
    assert_true(codec_is_uuid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")));
    assert_true(codec_is_uuid(STR("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")));
    assert_true(codec_is_uuid(STR("00000000-0000-0000-0000-000000000000")));
    assert_false(codec_is_uuid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398")));
    assert_false(codec_is_uuid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398ff")));
    assert_false(codec_is_uuid(STR("017f22e2079b0-7cc3-98c4-dc0c0c07398f")));
    assert_false(codec_is_uuid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398g")));
    assert_false(codec_is_uuid(STR("017f22e27-9b0-7cc3-98c4-dc0c0c07398f")));
    assert_false(codec_is_uuid(STR_NONE));
}

/* ---- hashes ---- */

static void sha256_is_that_of_fips_180(void **state)
{
    (void)state;
    uint8_t hash[CODEC_SHA256_BYTES];
    struct buf hex;
    buf_init(&hex, 200);
    codec_sha256(STR("abc"), hash);
    codec_hex(&hex, hash, sizeof(hash));
    assert_string_equal(buf_text(&hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    buf_clear(&hex);
    codec_sha256(STR_NONE, hash);
    codec_hex(&hex, hash, sizeof(hash));
    assert_string_equal(buf_text(&hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    buf_fini(&hex);
}

static void secrets_compare_by_content(void **state)
{
    (void)state;
    assert_true(codec_equal_secret(STR("abc"), STR("abc")));
    assert_false(codec_equal_secret(STR("abc"), STR("abd")));
    assert_false(codec_equal_secret(STR("abc"), STR("abcd")));
    assert_false(codec_equal_secret(STR("abc"), STR_NONE));
    assert_true(codec_equal_secret(STR(""), STR_NONE));
}

static void hashes_repeat_within_the_process_and_spread(void **state)
{
    (void)state;
    assert_true(codec_hash("abc", 3) == codec_hash("abc", 3));
    assert_true(codec_hash("abc", 3) != codec_hash("abd", 3));
    assert_true(codec_hash("abc", 3) != codec_hash("abc", 2));
    assert_true(codec_hash("", 0) != codec_hash("\0", 1));
}

/* ---- encodings ---- */

static void base64_is_that_of_rfc_4648(void **state)
{
    struct arena *a = *state;
    const char *rows[][2] = {
        {"",             ""        },
        {"f",            "Zg=="    },
        {"fo",           "Zm8="    },
        {"foo",          "Zm9v"    },
        {"foob",         "Zm9vYg=="},
        {"fooba",        "Zm9vYmE="},
        {"foobar",       "Zm9vYmFy"},
        {"\xFB\xFF\xBF", "+/+/"    }
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b;
        struct str back;
        buf_init(&b, 100);
        codec_base64(&b, str_from(rows[i][0]));
        assert_string_equal(buf_text(&b), rows[i][1]);
        assert_true(codec_base64_decode(a, buf_str(&b), &back, NULL));
        assert_str(back, rows[i][0]);
        buf_fini(&b);
    }
    struct buf b;
    buf_init(&b, 100);
    codec_base64url(&b, STR("\xFB\xFF\xBF\xFF"));
    assert_string_equal(buf_text(&b), "-_-__w");
    buf_fini(&b);
}

static void base64_of_any_length_comes_back(void **state)
{
    struct arena *a = *state;
    char bytes[3000];
    codec_random(bytes, sizeof(bytes));
    for (size_t n = 0; n <= sizeof(bytes); n += n < 20 ? 1 : 383) {
        struct buf b;
        struct str back;
        buf_init(&b, 10000);
        codec_base64(&b, (struct str){bytes, n});
        assert_int_equal(b.n, (n + 2) / 3 * 4);
        assert_true(codec_base64_decode(a, buf_str(&b), &back, NULL));
        assert_int_equal(back.n, n);
        assert_memory_equal(back.p, bytes, n);
        buf_fini(&b);
    }
}

static void base64_that_is_not_strict_is_refused(void **state)
{
    struct arena *a = *state;
    const struct str rows[] = {STR("Zg"),       STR("Zg="),   STR("Zg=== "),   STR("Z"),     STR(" Zg=="),
                               STR("Zm9v\n"),   STR("Zm 9v"), STR("Zh=="),     STR("Zm9="),  STR("-_-_"),
                               STR("Zm9v===="), STR("===="),  STR("Zg==Zg=="), STR("Zm9\0"), STR("Zm9v\xC3\xA4==")};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str out;
        struct err err;
        assert_false(codec_base64_decode(a, rows[i], &out, &err));
        assert_int_equal(err.kind, ERR_INVALID);
    }
}

static void percent_encoding_leaves_only_unreserved(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    codec_percent_encode(&b, STR("aZ09-._~ /?#[]@!$&'()*+,;=%\"\x01\xC3\xA4"));
    assert_string_equal(buf_text(&b), "aZ09-._~%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%22%01%C3%A4");
    buf_fini(&b);
}

static void percent_decoding_is_strict(void **state)
{
    struct arena *a = *state;
    struct str out;
    assert_true(codec_percent_decode(a, STR("a%2fB%2F+%c3%A4%25"), &out, NULL));
    assert_str(out, "a/B/+\xC3\xA4%");
    assert_true(codec_percent_decode(a, STR(""), &out, NULL));
    assert_str(out, "");
    const struct str bad[] = {STR("%"),    STR("a%2"),  STR("%g0"), STR("%0g"), STR("%00"),
                              STR("%%41"), STR("a\0b"), STR("%+1"), STR("%-1"), STR("% 1")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err;
        assert_false(codec_percent_decode(a, bad[i], &out, &err));
        assert_int_equal(err.kind, ERR_INVALID);
    }
}

static void every_byte_but_nul_survives_percent_coding(void **state)
{
    struct arena *a = *state;
    char bytes[255];
    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    struct buf b;
    struct str back;
    buf_init(&b, 1000);
    codec_percent_encode(&b, (struct str){bytes, 255});
    assert_true(codec_percent_decode(a, buf_str(&b), &back, NULL));
    assert_int_equal(back.n, 255);
    assert_memory_equal(back.p, bytes, 255);
    buf_fini(&b);
}

/* ---- encryption ---- */

#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static struct codec_keyring *ring_of(const char *spec, struct err *reterr)
{
    struct secret s = secret_new(str_from(spec));
    struct codec_keyring *ring = codec_keyring_new(&s, reterr);
    secret_fini(&s);
    return ring;
}

static void a_box_opens_at_its_place_only(void **state)
{
    (void)state;
    struct codec_keyring *ring = ring_of("k1:" KEY_A, NULL);
    assert_non_null(ring);
    struct buf box;
    struct secret plain = SECRET_NONE;
    struct err err;
    buf_init(&box, 1000);
    codec_seal(ring, STR("users|token|1"), STR("hunter\0002"), &box);
    assert_true(str_starts(buf_str(&box), STR("k1\0")));
    assert_int_equal(box.n, 3 + 24 + 8 + 16);
    assert_int_equal(str_find_str(buf_str(&box), STR("hunter")), box.n);
    assert_true(codec_open(ring, STR("users|token|1"), buf_str(&box), &plain, &err));
    assert_int_equal(secret_reveal(&plain).n, 8);
    assert_memory_equal(secret_reveal(&plain).p, "hunter\0002", 8);
    secret_fini(&plain);
    assert_false(codec_open(ring, STR("users|token|2"), buf_str(&box), &plain, &err));
    assert_int_equal(err.kind, ERR_BUG);
    assert_true(secret_is_none(&plain));
    buf_fini(&box);
    codec_keyring_free(ring);
}

static void the_same_text_never_gives_the_same_box(void **state)
{
    (void)state;
    struct codec_keyring *ring = ring_of("k1:" KEY_A, NULL);
    struct buf a;
    struct buf b;
    buf_init(&a, 1000);
    buf_init(&b, 1000);
    codec_seal(ring, STR("x"), STR("text"), &a);
    codec_seal(ring, STR("x"), STR("text"), &b);
    assert_int_equal(a.n, b.n);
    assert_memory_not_equal(a.p, b.p, a.n);
    buf_fini(&a);
    buf_fini(&b);
    codec_keyring_free(ring);
}

static void every_changed_or_missing_byte_is_noticed(void **state)
{
    (void)state;
    struct codec_keyring *ring = ring_of("k1:" KEY_A ",k2:" KEY_B, NULL);
    struct buf box;
    struct secret plain = SECRET_NONE;
    buf_init(&box, 1000);
    codec_seal(ring, STR("x"), STR(""), &box);
    for (size_t i = 0; i < box.n; i++) {
        box.p[i] = (char)(box.p[i] ^ 1);
        assert_false(codec_open(ring, STR("x"), buf_str(&box), &plain, NULL));
        box.p[i] = (char)(box.p[i] ^ 1);
        assert_false(codec_open(ring, STR("x"), str_slice(buf_str(&box), 0, i), &plain, NULL));
    }
    assert_true(codec_open(ring, STR("x"), buf_str(&box), &plain, NULL));
    assert_false(secret_is_none(&plain));
    assert_int_equal(secret_reveal(&plain).n, 0);
    secret_fini(&plain);
    assert_false(codec_open(ring, STR("x"), STR_NONE, &plain, NULL));
    buf_fini(&box);
    codec_keyring_free(ring);
}

static void the_first_key_seals_and_all_open(void **state)
{
    (void)state;
    struct codec_keyring *old = ring_of("old:" KEY_A, NULL);
    struct codec_keyring *both = ring_of("new:" KEY_B " , old:" KEY_A, NULL);
    struct codec_keyring *renamed = ring_of("new:" KEY_A, NULL);
    struct buf box;
    struct secret plain = SECRET_NONE;
    struct err err;
    buf_init(&box, 1000);
    codec_seal(old, STR("x"), STR("text"), &box);
    assert_true(codec_open(both, STR("x"), buf_str(&box), &plain, &err));
    secret_fini(&plain);
    assert_false(codec_open(renamed, STR("x"), buf_str(&box), &plain, &err));
    assert_non_null(strstr(err.msg, "\"old\""));
    buf_clear(&box);
    codec_seal(both, STR("x"), STR("text"), &box);
    assert_true(str_starts(buf_str(&box), STR("new\0")));
    assert_false(codec_open(old, STR("x"), buf_str(&box), &plain, &err));
    buf_fini(&box);
    codec_keyring_free(old);
    codec_keyring_free(both);
    codec_keyring_free(renamed);
    codec_keyring_free(NULL);
}

static void the_keys_id_is_part_of_what_is_authenticated(void **state)
{
    (void)state;
    struct codec_keyring *ring = ring_of("one:" KEY_A ",two:" KEY_A, NULL);
    struct buf box;
    struct secret plain = SECRET_NONE;
    buf_init(&box, 1000);
    codec_seal(ring, STR("x"), STR("text"), &box);
    memcpy(box.p, "two", 3);
    assert_false(codec_open(ring, STR("x"), buf_str(&box), &plain, NULL));
    buf_fini(&box);
    codec_keyring_free(ring);
}

static void a_bad_key_ring_is_refused_without_telling_the_key(void **state)
{
    (void)state;
    const char *rows[] = {"",
                          "k1",
                          "k1:",
                          ":" KEY_A,
                          "k 1:" KEY_A,
                          "abcdefghijklmnopq:" KEY_A,
                          "k1:AAAA",
                          "k1:" KEY_A "AAAA",
                          "k1:" KEY_A ",",
                          "k1:" KEY_A ",k1:" KEY_B,
                          "k1:" KEY_A ";k2:" KEY_B,
                          "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err;
        assert_null(ring_of(rows[i], &err));
        assert_int_equal(err.kind, ERR_INVALID);
        assert_null(strstr(err.msg, "AAAA"));
    }
    struct err err;
    struct secret none = SECRET_NONE;
    assert_null(codec_keyring_new(&none, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_43_url_safe_characters_and_differ),
        cmocka_unit_test(random_text_keeps_to_its_alphabet_and_uses_all_of_it),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(uuid7_holds_the_time_version_and_variant),
        cmocka_unit_test(is_uuid_looks_at_form_only),
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(secrets_compare_by_content),
        cmocka_unit_test(hashes_repeat_within_the_process_and_spread),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
        cmocka_unit_test(base64_of_any_length_comes_back),
        cmocka_unit_test(base64_that_is_not_strict_is_refused),
        cmocka_unit_test(percent_encoding_leaves_only_unreserved),
        cmocka_unit_test(percent_decoding_is_strict),
        cmocka_unit_test(every_byte_but_nul_survives_percent_coding),
        cmocka_unit_test(a_box_opens_at_its_place_only),
        cmocka_unit_test(the_same_text_never_gives_the_same_box),
        cmocka_unit_test(every_changed_or_missing_byte_is_noticed),
        cmocka_unit_test(the_first_key_seals_and_all_open),
        cmocka_unit_test(the_keys_id_is_part_of_what_is_authenticated),
        cmocka_unit_test(a_bad_key_ring_is_refused_without_telling_the_key),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
