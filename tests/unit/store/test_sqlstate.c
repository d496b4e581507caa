// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/sqlstate.h"

struct expected {
    const char *sqlstate;
    enum err_kind kind;
    const char *reason;
};

static void each_class_means_what_a_caller_can_do(void **state)
{
    (void)state;
    static const struct expected rows[] = {
        {"FS001", ERR_CONFLICT,  "Fenced"           },
        {"FS002", ERR_CONFLICT,  "BeingTerminated"  },
        {"FS005", ERR_INVALID,   "VariablesRefused" },
        {"FS012", ERR_LIMIT,     "QueueFull"        },
        {"FS013", ERR_CONFLICT,  "TooManyProjects"  },
        {"FS014", ERR_CONFLICT,  "TooManySandboxes" },
        {"FS015", ERR_CONFLICT,  "BeingStopped"     },
        {"FS032", ERR_MISSING,   "FS032"            },
        {"FS033", ERR_CONFLICT,  "LastAdministrator"},
        {"08006", ERR_NOT_READY, "08006"            },
        {"22P02", ERR_INVALID,   "22P02"            },
        {"23505", ERR_CONFLICT,  "23505"            },
        {"23503", ERR_CONFLICT,  "23503"            },
        {"23502", ERR_INVALID,   "23502"            },
        {"25006", ERR_NOT_READY, "25006"            },
        {"25P02", ERR_BUG,       "25P02"            },
        {"28P01", ERR_DENIED,    "28P01"            },
        {"3D000", ERR_MISSING,   "3D000"            },
        {"40P01", ERR_CONFLICT,  "40P01"            },
        {"42501", ERR_DENIED,    "42501"            },
        {"42P04", ERR_CONFLICT,  "42P04"            },
        {"42710", ERR_CONFLICT,  "42710"            },
        {"42601", ERR_BUG,       "42601"            },
        {"53300", ERR_NOT_READY, "53300"            },
        {"53100", ERR_NOT_READY, "53100"            },
        {"54000", ERR_TOO_LARGE, "54000"            },
        {"55P03", ERR_CONFLICT,  "55P03"            },
        {"55006", ERR_CONFLICT,  "55006"            },
        {"57014", ERR_TIMEOUT,   "57014"            },
        {"57P01", ERR_NOT_READY, "57P01"            },
        {"58030", ERR_UPSTREAM,  "58030"            },
        {"XX000", ERR_BUG,       "XX000"            },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {0};
        assert_false(sqlstate_err(&err, "test", rows[i].sqlstate, "words"));
        assert_int_equal(err.kind, rows[i].kind);
        assert_string_equal(err.reason, rows[i].reason);
        assert_string_equal(err.msg, "words");
    }
}

static void numbers_are_read_from_our_own_errors_only(void **state)
{
    (void)state;
    static const char *const unread[] = {NULL, "", "20", "20 ", " 20", "20 x", "20 21 22", "-1 2"};
    struct err err = {0};
    sqlstate_numbers(&err, "FS014", "20 21");
    assert_int_equal(err.limit, 20);
    assert_int_equal(err.current, 21);
    for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
        err = (struct err){0};
        sqlstate_numbers(&err, "FS014", unread[i]);
        assert_int_equal(err.limit, 0);
    }
    sqlstate_numbers(&err, "23505", "20 21");
    sqlstate_numbers(&err, NULL, "20 21");
    assert_int_equal(err.limit, 0);
}

static void the_code_is_base_36_and_lines_become_one(void **state)
{
    (void)state;
    struct err err = {0};
    sqlstate_err(&err, "test", "23505", "first\nsecond\n\n");
    assert_int_equal(err.code, (((2 * 36 + 3) * 36 + 5) * 36 + 0) * 36 + 5);
    assert_string_equal(err.msg, "first second");
    sqlstate_err(&err, "test", NULL, NULL);
    assert_int_equal(err.kind, ERR_NOT_READY);
    assert_string_equal(err.reason, "ConnectionLost");
    assert_int_equal(err.code, 0);
    assert_true(err.retry_after_s > 0);
    assert_false(sqlstate_err(NULL, "test", "23505", "nobody listens"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_means_what_a_caller_can_do),
        cmocka_unit_test(numbers_are_read_from_our_own_errors_only),
        cmocka_unit_test(the_code_is_base_36_and_lines_become_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
