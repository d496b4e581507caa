// SPDX-License-Identifier: MIT
/* Typed reading of libpq results in text format. */
#include "store/pg_row.h"

#include <limits.h>
#include <string.h>

#include <libpq-fe.h>

static bool has_value(const PGresult *r, size_t row, int column)
{
    return r != NULL && column >= 0 && column < PQnfields(r) && row < (size_t)PQntuples(r) &&
           PQgetisnull(r, (int)row, column) == 0;
}

size_t pg_row_count(const struct pg_result *r)
{
    return r == NULL ? 0 : (size_t)PQntuples(r);
}

int pg_row_column(const struct pg_result *r, const char *name)
{
    int n = r == NULL ? 0 : PQnfields(r);
    for (int i = 0; i < n; i++) {
        if (strcmp(PQfname(r, i), name) == 0)
            return i;
    }
    return -1;
}

bool pg_row_is_null(const struct pg_result *r, size_t row, int column)
{
    return !has_value(r, row, column);
}

struct str pg_row_str(const struct pg_result *r, size_t row, int column)
{
    if (!has_value(r, row, column))
        return STR_NONE;
    return (struct str){PQgetvalue(r, (int)row, column), (size_t)PQgetlength(r, (int)row, column)};
}

int64_t pg_row_int(const struct pg_result *r, size_t row, int column, int64_t otherwise)
{
    struct str text = pg_row_str(r, row, column);
    bool is_negative = str_starts(text, STR("-"));
    uint64_t magnitude = 0;
    uint64_t max = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (!str_parse_u64(str_slice(text, is_negative ? 1 : 0, text.n), max, &magnitude))
        return otherwise;
    if (!is_negative)
        return (int64_t)magnitude;
    return magnitude == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)magnitude;
}

bool pg_row_bool(const struct pg_result *r, size_t row, int column)
{
    return str_eq(pg_row_str(r, row, column), STR("t"));
}

int64_t pg_row_time_ms(const struct pg_result *r, size_t row, int column)
{
    return pg_row_int(r, row, column, -1);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool pg_row_bytea(const struct pg_result *r, size_t row, int column, struct arena *a, struct str *ret,
                  struct err *reterr)
{
    struct str text = pg_row_str(r, row, column);
    if (text.p == NULL) {
        *ret = STR_NONE;
        return true;
    }
    if (!str_starts(text, STR("\\x")) || text.n % 2 != 0)
        return err_set(reterr, ERR_BUG, __func__, "a column is not bytea in hex format");
    size_t n = (text.n - 2) / 2;
    char *bytes = arena_alloc(a, n + 1);
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text.p[2 + 2 * i]);
        int low = hex_digit(text.p[3 + 2 * i]);
        if (high < 0 || low < 0)
            return err_set(reterr, ERR_BUG, __func__, "a column is not bytea in hex format");
        bytes[i] = (char)(high * 16 + low);
    }
    *ret = (struct str){bytes, n};
    return true;
}

bool pg_row_copy(const struct pg_result *r, size_t row, int column, char *ret, size_t size, struct err *reterr)
{
    struct str text = pg_row_str(r, row, column);
    if (str_copy(str_is_none(text) ? STR("") : text, ret, size))
        return true;
    return err_set(reterr, ERR_BUG, __func__, "column %d of a row is longer than the %zu bytes meant for it", column,
                   size);
}
