// SPDX-License-Identifier: MIT
/* One configuration value: from text to a typed member, and back to text. Knows the units; knows no key and no source.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/io/loop.h"
#include "server/config_row.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: a number is shown in the largest unit that divides it. */
static const struct unit duration_units[] = {
    {"d",  86400000},
    {"h",  3600000 },
    {"m",  60000   },
    {"s",  1000    },
    {"ms", 1       },
};
static const struct unit size_units[] = {
    {"GiB", 1024 * 1024 * 1024},
    {"MiB", 1024 * 1024       },
    {"KiB", 1024              },
    {"B",   1                 },
};
enum { UNITS_MAX = 5 };

struct unit_list {
    const struct unit *units;
    size_t n;
    const char *names;
};

static struct unit_list units_of(enum config_type type)
{
    if (type == CONFIG_DURATION)
        return (struct unit_list){duration_units, 5, "ms, s, m, h, d"};
    if (type == CONFIG_SIZE)
        return (struct unit_list){size_units, 4, "B, KiB, MiB, GiB"};
    return (struct unit_list){NULL, 0, NULL};
}

static bool find_factor(enum config_type type, struct str unit, int64_t *ret_factor)
{
    struct unit_list list = units_of(type);
    for (size_t i = 0; i < list.n; i++) {
        if (str_eq_text(unit, list.units[i].name)) {
            *ret_factor = list.units[i].factor;
            return true;
        }
    }
    return false;
}

static size_t digits_at_front(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

void config_number_format(enum config_type type, int64_t number, struct buf *out)
{
    struct unit_list list = units_of(type);
    for (size_t i = 0; number != 0 && i < list.n; i++) {
        if (number % list.units[i].factor == 0) {
            buf_addf(out, "%lld%s", (long long)(number / list.units[i].factor), list.units[i].name);
            return;
        }
    }
    buf_addf(out, "%lld", (long long)number);
}

static bool out_of_range(const struct config_row *row, struct str value, struct err *reterr)
{
    struct buf low;
    struct buf high;
    buf_init(&low, 64);
    buf_init(&high, 64);
    config_number_format(row->type, row->min, &low);
    config_number_format(row->type, row->max, &high);
    err_set(reterr, ERR_INVALID, __func__, "%.*s is out of range: %s to %s", STR_ARG(value), buf_text(&low),
            buf_text(&high));
    buf_fini(&low);
    buf_fini(&high);
    return false;
}

static bool parse_number(const struct config_row *row, struct str value, int64_t *ret, struct err *reterr)
{
    uint64_t number;
    int64_t factor = 1;
    size_t n = digits_at_front(value);
    struct str unit = str_slice(value, n, value.n);
    struct unit_list list = units_of(row->type);
    bool is_zero = str_eq_text(value, "0");
    if (n == 0 || (list.n == 0 && unit.n > 0))
        return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not a whole number", STR_ARG(value));
    if (list.n > 0 && !is_zero && !find_factor(row->type, unit, &factor))
        return err_set(reterr, ERR_INVALID, __func__, "'%.*s' needs a unit: one of %s", STR_ARG(value), list.names);
    if (!str_parse_u64(str_slice(value, 0, n), (uint64_t)(INT64_MAX / factor), &number))
        return out_of_range(row, value, reterr);
    *ret = (int64_t)number * factor;
    if (*ret < row->min || *ret > row->max)
        return out_of_range(row, value, reterr);
    return true;
}

/* The place of `value` in "a|b|c", or -1. */
static int find_choice(const char *choices, struct str value)
{
    struct str rest = str_from(choices);
    struct str choice;
    for (int i = 0; str_next(&rest, '|', &choice); i++) {
        if (str_eq(choice, value))
            return i;
    }
    return -1;
}

static bool check_text(const struct config_row *row, struct str value, struct err *reterr)
{
    if (value.n > CONFIG_MAX_VALUE_BYTES)
        return err_set(reterr, ERR_INVALID, __func__, "longer than %d bytes", CONFIG_MAX_VALUE_BYTES);
    if (str_find(value, '\0', 0) < value.n || !str_is_utf8(value))
        return err_set(reterr, ERR_INVALID, __func__, "not UTF-8 text");
    if (row->choices != NULL && find_choice(row->choices, value) < 0)
        return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is none of %s", STR_ARG(value), row->choices);
    if (value.n == 0 || row->check == NULL)
        return true;
    return row->check(value, reterr);
}

static bool parse_bool(struct str value, bool *ret, struct err *reterr)
{
    if (!str_eq_text(value, "true") && !str_eq_text(value, "false"))
        return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is neither true nor false", STR_ARG(value));
    *ret = str_eq_text(value, "true");
    return true;
}

static bool parse_choice(const struct config_row *row, struct str value, int *ret, struct err *reterr)
{
    int place = find_choice(row->choices, value);
    if (place < 0)
        return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is none of %s", STR_ARG(value), row->choices);
    *ret = place;
    return true;
}

bool config_value_parse(const struct config_row *row, struct str value, struct arena *arena, void *config,
                        struct err *reterr)
{
    void *member = (char *)config + row->offset;
    int64_t number = 0;
    switch (row->type) {
    case CONFIG_BOOL:
        return parse_bool(value, member, reterr);
    case CONFIG_CHOICE:
        return parse_choice(row, value, member, reterr);
    case CONFIG_INT:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        if (!parse_number(row, value, &number, reterr))
            return false;
        if (row->type == CONFIG_SIZE)
            *(size_t *)member = (size_t)number;
        else
            *(int64_t *)member = number;
        return true;
    case CONFIG_TEXT:
        if (!check_text(row, value, reterr))
            return false;
        *(const char **)member = arena_dup(arena, value.p != NULL ? value : STR(""));
        return true;
    case CONFIG_SECRET:
        if (!check_text(row, value, reterr))
            return false;
        secret_fini(member);
        *(struct secret *)member = value.n > 0 ? secret_new(value) : SECRET_NONE;
        return true;
    }
    return err_set(reterr, ERR_BUG, __func__, "a row without a type");
}

static void format_choice(const struct config_row *row, int place, struct buf *out)
{
    struct str rest = str_from(row->choices);
    struct str choice;
    for (int i = 0; str_next(&rest, '|', &choice); i++) {
        if (i == place)
            buf_add_str(out, choice);
    }
}

void config_value_format(const struct config_row *row, const void *config, struct buf *out)
{
    const void *member = (const char *)config + row->offset;
    switch (row->type) {
    case CONFIG_BOOL:
        buf_add_text(out, *(const bool *)member ? "true" : "false");
        break;
    case CONFIG_CHOICE:
        format_choice(row, *(const int *)member, out);
        break;
    case CONFIG_INT:
    case CONFIG_DURATION:
        config_number_format(row->type, *(const int64_t *)member, out);
        break;
    case CONFIG_SIZE:
        config_number_format(row->type, (int64_t) * (const size_t *)member, out);
        break;
    case CONFIG_TEXT:
        buf_add_text(out, *(const char *const *)member);
        break;
    case CONFIG_SECRET:
        buf_add_text(out, secret_is_none(member) ? "" : "set");
        break;
    }
}
