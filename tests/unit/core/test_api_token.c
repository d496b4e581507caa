// SPDX-License-Identifier: MIT
/* The form of API tokens and the ladder of their scopes. */
#include "core/api_token.h"

#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "core/base/codec.h"

static void each_token_is_formed_and_like_no_other(void **state)
{
    (void)state;
    char a[API_TOKEN_SIZE];
    char b[API_TOKEN_SIZE];
    api_token_new(a);
    api_token_new(b);
    assert_int_equal(strlen(a), API_TOKEN_N);
    assert_true(str_starts(str_from(a), STR("fsa_")));
    assert_true(api_token_is_formed(str_from(a)));
    assert_string_not_equal(a, b);
}

static void any_changed_character_is_noticed(void **state)
{
    (void)state;
    char token[API_TOKEN_SIZE];
    api_token_new(token);
    for (size_t i = 0; i < API_TOKEN_N; i++) {
        char was = token[i];
        token[i] = was == '0' ? '1' : '0';
        assert_false(api_token_is_formed(str_from(token)));
        token[i] = was;
    }
    assert_false(api_token_is_formed(STR("")));
    assert_false(api_token_is_formed(STR_NONE));
    assert_false(api_token_is_formed(str_slice(str_from(token), 0, API_TOKEN_N - 1)));
}

static void a_scope_holds_those_before_it(void **state)
{
    (void)state;
    for (size_t has = 0; has < TOKEN_SCOPE_N; has++) {
        for (size_t needs = 0; needs < TOKEN_SCOPE_N; needs++)
            assert_int_equal(token_scope_allows(1U << has, (enum token_scope)needs), has >= needs);
    }
    assert_false(token_scope_allows(0, TOKEN_SCOPE_READ));
    assert_true(token_scope_allows(1U << TOKEN_SCOPE_READ | 1U << TOKEN_SCOPE_ADMIN, TOKEN_SCOPE_WRITE));
}

static void scopes_are_known_by_their_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOKEN_SCOPE_N; i++) {
        enum token_scope scope = TOKEN_SCOPE_N;
        assert_true(token_scope_parse(str_from(token_scope_id((enum token_scope)i)), &scope));
        assert_int_equal(scope, i);
    }
    enum token_scope scope;
    assert_false(token_scope_parse(STR("Read"), &scope));
    assert_false(token_scope_parse(STR(""), &scope));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_token_is_formed_and_like_no_other),
        cmocka_unit_test(any_changed_character_is_noticed),
        cmocka_unit_test(a_scope_holds_those_before_it),
        cmocka_unit_test(scopes_are_known_by_their_names),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
