// SPDX-License-Identifier: MIT
/* The promises of core/base/dotenv.h, each against what the original's reader does. */
#include "core/base/dotenv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"

struct line_case {
    const char *text;
    const char *key; /* NULL: the line says nothing */
    const char *value;
};

static void check_line(const struct line_case *c)
{
    struct dotenv d;
    struct err err = {0};
    assert_true(dotenv_parse(str_from(c->text), &d, &err));
    if (c->key == NULL) {
        if (d.n != 0)
            fail_msg("'%s' should say nothing", c->text);
    } else {
        if (d.n != 1 || !str_eq_text(d.vars[0].key, c->key) || !str_eq_text(d.vars[0].value, c->value))
            fail_msg("'%s' should give %s=%s", c->text, c->key, c->value);
    }
    dotenv_fini(&d);
}

static void each_line_is_read_as_the_original_read_it(void **state)
{
    (void)state;
    static const struct line_case cases[] = {
        {"A=b",                    "A",        "b"                },
        {"A=b=c",                  "A",        "b=c"              },
        {"  A  =  b  ",            "A",        "b"                },
        {"A=b\r",                  "A",        "b"                },
        {"export A=b",             "A",        "b"                },
        {"export \t A=b",          "A",        "b"                },
        {"exportA=b",              "exportA",  "b"                },
        {" export A=b",            "export A", "b"                },
        {"A=\"b c\"",              "A",        "b c"              },
        {"A='b'",                  "A",        "b"                },
        {"A=\"b'",                 "A",        "b"                },
        {"A=\"b",                  "A",        "b"                },
        {"A=b\"",                  "A",        "b"                },
        {"A=\"\"b\"\"",            "A",        "\"b\""            },
        {"A=\"",                   "A",        ""                 },
        {"A=\"\"",                 "A",        ""                 },
        {"A= ",                    "A",        ""                 },
        {"A=b\\nc",                "A",        "b\\nc"            },
        {"A=$B",                   "A",        "$B"               },
        {"A=b # not a comment",    "A",        "b # not a comment"},
        {" # A=b",                 "# A",      "b"                },
        {"\xEF\xBB\xBF"
         "A=b",           "A",        "b"                },
        {"A=\xC2\xA0"
         "b\xE3\x80\x80", "A",        "b"                },
        {"#A=b",                   NULL,       NULL               },
        {"A",                      NULL,       NULL               },
        {"",                       NULL,       NULL               },
        {"=b",                     NULL,       NULL               },
        {"A=",                     NULL,       NULL               },
        {"export A=",              NULL,       NULL               },
        {"  =b",                   NULL,       NULL               },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_line(&cases[i]);
}

static void later_mention_wins_and_tells_its_line(void **state)
{
    (void)state;
    struct dotenv d;
    struct err err = {0};
    assert_true(dotenv_parse(STR("A=1\nB=2\r\n\nA=3"), &d, &err));
    assert_int_equal(d.n, 2);
    const struct dotenv_var *a = dotenv_find(&d, "A");
    assert_non_null(a);
    assert_true(str_eq_text(a->value, "3"));
    assert_int_equal(a->line, 4);
    assert_true(str_eq_text(d.vars[1].value, "2"));
    assert_null(dotenv_find(&d, "C"));
    dotenv_fini(&d);
}

static void nul_and_broken_utf8_are_refused_with_their_line(void **state)
{
    (void)state;
    struct dotenv d;
    struct err err = {0};
    assert_false(dotenv_parse(STR("A=1\nB=\0x"), &d, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    assert_non_null(strstr(err.msg, "line 2"));
    assert_false(dotenv_parse(STR("A=1\n\nB=\xC3"), &d, &err));
    assert_non_null(strstr(err.msg, "line 3"));
    assert_null(d.vars);
}

static void ceilings_hold(void **state)
{
    (void)state;
    struct dotenv d;
    struct err err = {0};
    struct buf b;
    buf_init(&b, DOTENV_MAX_BYTES + 1);
    for (unsigned i = 0; i < DOTENV_MAX_VARS; i++)
        buf_addf(&b, "K%u=v\n", i);
    assert_true(dotenv_parse(buf_str(&b), &d, &err));
    assert_int_equal(d.n, DOTENV_MAX_VARS);
    dotenv_fini(&d);
    buf_addf(&b, "ONE_MORE=v\n");
    assert_false(dotenv_parse(buf_str(&b), &d, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_clear(&b);
    while (b.n <= DOTENV_MAX_BYTES)
        buf_add_byte(&b, '#');
    assert_false(dotenv_parse(buf_str(&b), &d, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_fini(&b);
}

static void absent_text_gives_nothing(void **state)
{
    (void)state;
    struct dotenv d;
    struct err err = {0};
    assert_true(dotenv_parse(STR_NONE, &d, &err));
    assert_int_equal(d.n, 0);
    dotenv_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_read_as_the_original_read_it),
        cmocka_unit_test(later_mention_wins_and_tells_its_line),
        cmocka_unit_test(nul_and_broken_utf8_are_refused_with_their_line),
        cmocka_unit_test(ceilings_hold),
        cmocka_unit_test(absent_text_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
