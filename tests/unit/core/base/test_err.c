// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/err.h"
#include "core/base/str.h"

static void err_set_fills_every_field_and_returns_false(void **state)
{
    (void)state;
    struct err e;
    memset(&e, 0xAA, sizeof(e));
    assert_false(err_set(&e, ERR_LIMIT, "origin", "%d of %s", 3, "five"));
    assert_int_equal(e.kind, ERR_LIMIT);
    assert_string_equal(e.msg, "3 of five");
    assert_string_equal(e.origin, "origin");
    assert_string_equal(e.field, "");
    assert_string_equal(e.reason, "");
    assert_int_equal(e.code, 0);
    assert_int_equal(e.retry_after_s, 0);
}

static void err_set_accepts_no_place_for_the_error(void **state)
{
    (void)state;
    assert_false(err_set(NULL, ERR_BUG, "origin", "x"));
    assert_false(err_set_field(NULL, ERR_BUG, "origin", "/a", "x"));
    assert_false(err_wrap(NULL, "doing"));
    err_copy(NULL, NULL);
}

static void err_set_field_names_the_field(void **state)
{
    (void)state;
    struct err e;
    assert_false(err_set_field(&e, ERR_INVALID, "origin", "/name", "must be %s", "short"));
    assert_string_equal(e.field, "/name");
    assert_string_equal(e.msg, "must be short");
}

static void a_message_may_be_made_from_the_error_it_replaces(void **state)
{
    (void)state;
    struct err e;
    err_set_field(&e, ERR_INVALID, "first", "/field", "inner");
    err_set_field(&e, ERR_UPSTREAM, e.origin, e.field, "outer (%s)", e.msg);
    assert_string_equal(e.msg, "outer (inner)");
    assert_string_equal(e.field, "/field");
    assert_string_equal(e.origin, "first");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    /* Every offset of a four-byte character against the end of the array. */
    for (size_t shift = 0; shift < 5; shift++) {
        char text[sizeof(((struct err *)0)->msg) + 16];
        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        memcpy(text + sizeof(((struct err *)0)->msg) - 5 + shift, "\xF0\x9F\x98\x80", 4);
        struct err e;
        err_set(&e, ERR_BUG, "origin", "%s", text);
        assert_true(str_is_utf8(str_from(e.msg)));
        assert_true(strlen(e.msg) >= sizeof(e.msg) - 5);
        assert_memory_equal(e.msg, text, strlen(e.msg));
    }
}

static void a_long_field_is_cut_between_characters(void **state)
{
    (void)state;
    char field[256];
    for (size_t i = 0; i + 1 < sizeof(field); i += 2)
        memcpy(field + i, "\xC3\xA4", 2);
    field[254] = '\0';
    struct err e;
    err_set_field(&e, ERR_INVALID, "origin", field, "x");
    assert_true(str_is_utf8(str_from(e.field)));
    assert_int_equal(strlen(e.field), sizeof(e.field) - 2);
}

static void err_wrap_says_what_was_being_done_and_keeps_the_rest(void **state)
{
    (void)state;
    struct err e;
    err_set_field(&e, ERR_CONFLICT, "origin", "/a", "exists");
    e.code = 409;
    assert_false(err_wrap(&e, "creating service"));
    assert_false(err_wrap(&e, "starting sandbox"));
    assert_string_equal(e.msg, "starting sandbox: creating service: exists");
    assert_int_equal(e.kind, ERR_CONFLICT);
    assert_int_equal(e.code, 409);
    assert_string_equal(e.field, "/a");
    char full[sizeof(e.msg)];
    memset(full, 'x', sizeof(full) - 1);
    full[sizeof(full) - 1] = '\0';
    err_set(&e, ERR_BUG, "origin", "%s", full);
    err_wrap(&e, "doing");
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    assert_memory_equal(e.msg, "doing: xxx", 10);
}

static void err_copy_copies_or_clears(void **state)
{
    (void)state;
    struct err a;
    struct err b;
    err_set(&a, ERR_GONE, "origin", "left");
    memset(&b, 0xAA, sizeof(b));
    err_copy(&b, &a);
    assert_memory_equal(&a, &b, sizeof(a));
    err_copy(&b, &b);
    assert_int_equal(b.kind, ERR_GONE);
    err_copy(&b, NULL);
    assert_int_equal(b.kind, ERR_NONE);
    assert_string_equal(b.msg, "");
}

static void every_kind_has_its_row(void **state)
{
    (void)state;
#define X(name, slug, http, retry)                                                                                     \
    assert_string_equal(err_slug(ERR_##name), slug);                                                                   \
    assert_int_equal(err_http_status(ERR_##name), http);                                                               \
    assert_int_equal(err_retryable(ERR_##name), retry);
    ERR_KINDS(X)
#undef X
    assert_string_equal(err_slug(ERR_NONE), "none");
    assert_int_equal(err_http_status(ERR_NONE), 200);
    assert_false(err_retryable(ERR_NONE));
    assert_string_equal(err_slug((enum err_kind)99), "bug");
    assert_string_equal(err_slug((enum err_kind) - 1), "bug");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_set_fills_every_field_and_returns_false),
        cmocka_unit_test(err_set_accepts_no_place_for_the_error),
        cmocka_unit_test(err_set_field_names_the_field),
        cmocka_unit_test(a_message_may_be_made_from_the_error_it_replaces),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(a_long_field_is_cut_between_characters),
        cmocka_unit_test(err_wrap_says_what_was_being_done_and_keeps_the_rest),
        cmocka_unit_test(err_copy_copies_or_clears),
        cmocka_unit_test(every_kind_has_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
