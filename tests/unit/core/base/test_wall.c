// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include <time.h>

#include "core/base/wall.h"

struct pair {
    const char *text;
    int64_t ms;
};

static void known_moments_format(void **state)
{
    (void)state;
    const struct pair rows[] = {
        {"1970-01-01T00:00:00.000Z", 0                       },
        {"1970-01-01T00:00:00.001Z", 1                       },
        {"1969-12-31T23:59:59.999Z", -1                      },
        {"2000-02-29T12:00:00.000Z", INT64_C(951825600000)   },
        {"2025-10-11T10:00:00.123Z", INT64_C(1760176800123)  },
        {"2100-03-01T00:00:00.000Z", INT64_C(4107542400000)  },
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"0000-01-01T00:00:00.000Z", -INT64_C(62167219200000)},
        {"9999-12-31T23:59:59.999Z", INT64_MAX               },
        {"0000-01-01T00:00:00.000Z", INT64_MIN               },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[WALL_TEXT_SIZE];
        wall_format(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void the_calendar_agrees_with_libc(void **state)
{
    (void)state;
    for (int64_t day = -1000000 / 10; day < 2000000 / 10; day += 13) {
        time_t seconds = (time_t)(day * 86400 + (day & 0xFFFF));
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char want[32];
        char got[WALL_TEXT_SIZE];
        assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0);
        wall_format((int64_t)seconds * 1000, got);
        if (tm.tm_year + 1900 >= 1000)
            assert_string_equal(got, want);
        int64_t back = 0;
        assert_true(wall_parse(str_from(got), &back));
        assert_int_equal(back, (int64_t)seconds * 1000);
    }
}

static void the_compact_form_is_fourteen_digits(void **state)
{
    (void)state;
    char text[15];
    wall_format_compact(INT64_C(1760176805999), text);
    assert_string_equal(text, "20251011100005");
}

static void rfc_3339_parses(void **state)
{
    (void)state;
    const struct pair rows[] = {
        {"1970-01-01T00:00:00Z",           0                     },
        {"1970-01-01t00:00:00z",           0                     },
        {"2025-10-11T10:00:00Z",           INT64_C(1760176800000)},
        {"2025-10-11T10:00:00.1Z",         INT64_C(1760176800100)},
        {"2025-10-11T10:00:00.123456789Z", INT64_C(1760176800123)},
        {"2025-10-11T10:00:00.999999Z",    INT64_C(1760176800999)},
        {"2025-10-11T12:00:00+02:00",      INT64_C(1760176800000)},
        {"2025-10-11T04:30:00-05:30",      INT64_C(1760176800000)},
        {"2025-10-11T10:00:00+00:00",      INT64_C(1760176800000)},
        {"2024-02-29T00:00:00Z",           INT64_C(1709164800000)},
        {"2016-12-31T23:59:60Z",           INT64_C(1483228800000)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        assert_true(wall_parse(str_from(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    const char *rows[] = {
        "",
        "2025-10-11",
        "2025-10-11T10:00:00",
        "2025-10-11 10:00:00Z",
        "2025-10-11T10:00Z",
        "2025-10-11T10:00:00.Z",
        "2025-10-11T10:00:00,5Z",
        "2025-10-11T10:00:00ZZ",
        "2025-10-11T10:00:00+0200",
        "2025-10-11T10:00:00+24:00",
        "2025-10-11T10:00:00+02:60",
        "2025-10-11T10:00:00 Z",
        "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2025-04-31T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T00:60:00Z",
        "2025-01-01T00:00:61Z",
        "2025-01-01T00:00:60Z",
        "+025-01-01T00:00:00Z",
        "25-01-01T00:00:00Z",
        "2025-1-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 7;
        assert_false(wall_parse(str_from(rows[i]), &ms));
        assert_int_equal(ms, 7);
    }
    int64_t ms = 7;
    assert_false(wall_parse(STR_NONE, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_format),
        cmocka_unit_test(the_calendar_agrees_with_libc),
        cmocka_unit_test(the_compact_form_is_fourteen_digits),
        cmocka_unit_test(rfc_3339_parses),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
