// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/xmem.h"
#include "store/pg_item.h"
#include "store/pg_params.h"

static void expect_text(const struct pg_params *p, int i, const char *text)
{
    assert_true(i < p->n);
    assert_string_equal(p->values[i], text);
    assert_int_equal(p->formats[i], 0);
}

static void array_elements_cannot_break_out(void **state)
{
    (void)state;
    struct pg_params *p = pg_params_new();
    const struct str texts[] = {STR("a\"},{\"b"), STR("\\"), STR("NULL"), STR_NONE, STR(""), STR("a,b {} ")};
    pg_add_texts(p, texts, 6);
    expect_text(p, 0, "{\"a\\\"},{\\\"b\",\"\\\\\",\"NULL\",NULL,\"\",\"a,b {} \"}");
    pg_add_texts(p, NULL, 0);
    expect_text(p, 1, "{}");
    const int64_t ints[] = {-1, INT64_MIN};
    pg_add_ints(p, ints, 2);
    expect_text(p, 2, "{-1,-9223372036854775808}");
    const struct str boxes[] = {STR("\x01\xff"), STR_NONE, STR("")};
    pg_add_byteas(p, boxes, 3);
    expect_text(p, 3, "{\"\\\\x01ff\",NULL,\"\\\\x\"}");
    assert_int_equal(p->refusal, ERR_NONE);
    pg_params_free(p);
}

static void bytes_go_in_binary_and_absent_is_null(void **state)
{
    (void)state;
    struct pg_params *p = pg_params_new();
    pg_add_bytea(p, (struct str){"a\0b", 3});
    assert_int_equal(p->formats[0], 1);
    assert_int_equal(p->lengths[0], 3);
    assert_memory_equal(p->values[0], "a\0b", 3);
    pg_add_bytea(p, STR_NONE);
    pg_add_str(p, STR_NONE);
    pg_add_text(p, NULL);
    for (int i = 1; i < 4; i++)
        assert_null(p->values[i]);
    pg_add_bool(p, false);
    expect_text(p, 4, "f");
    pg_params_free(p);
}

static void the_first_refusal_stays_and_ceilings_hold(void **state)
{
    (void)state;
    struct pg_params *p = pg_params_new();
    char *big = xcalloc(1, PG_PARAMS_BYTES_MAX + 1);
    memset(big, 'x', PG_PARAMS_BYTES_MAX + 1);
    pg_add_str(p, (struct str){big, PG_PARAMS_BYTES_MAX - 10});
    assert_int_equal(p->refusal, ERR_NONE);
    pg_add_str(p, STR("elevenbytes"));
    assert_int_equal(p->refusal, ERR_TOO_LARGE);
    for (int i = 0; i < PG_PARAMS_MAX; i++)
        pg_add_null(p);
    assert_int_equal(p->n, PG_PARAMS_MAX);
    assert_int_equal(p->refusal, ERR_TOO_LARGE);
    pg_params_free(p);
    p = pg_params_new();
    const struct str parts[] = {
        {big, PG_PARAMS_BYTES_MAX},
        {big, 1                  }
    };
    pg_add_texts(p, parts, 2);
    assert_int_equal(p->refusal, ERR_TOO_LARGE);
    pg_params_free(p);
    free(big);
}

static void quoting_doubles_and_refuses(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str out;
    struct err err = {0};
    assert_true(pg_quote_identifier(a, STR("a\"b\\'"), &out, &err));
    assert_string_equal(out.p, "\"a\"\"b\\'\"");
    assert_true(pg_quote_literal(a, STR("it's"), &out, &err));
    assert_string_equal(out.p, "'it''s'");
    assert_true(pg_quote_literal(a, STR("\\'"), &out, &err));
    assert_string_equal(out.p, " E'\\\\'''");
    assert_true(pg_quote_literal(a, STR(""), &out, &err));
    assert_string_equal(out.p, "''");
    char long_name[64];
    memset(long_name, 'n', sizeof(long_name));
    assert_true(pg_quote_identifier(a, (struct str){long_name, 63}, &out, &err));
    assert_false(pg_quote_identifier(a, (struct str){long_name, 64}, &out, &err));
    assert_false(pg_quote_identifier(a, (struct str){"a\0b", 3}, &out, &err));
    assert_false(pg_quote_literal(a, STR("\xc3"), &out, &err));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array_elements_cannot_break_out),
        cmocka_unit_test(bytes_go_in_binary_and_absent_is_null),
        cmocka_unit_test(the_first_refusal_stays_and_ceilings_hold),
        cmocka_unit_test(quoting_doubles_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
