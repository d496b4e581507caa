// SPDX-License-Identifier: MIT
/* Reading query results: rows by number, columns by number or name, values as the program's own types. All results are
 * in text format. A result is borrowed: it and every struct str from it are valid during the callback only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

/* The very tag libpq gives PGresult, so that no wrapper is needed and no header shows libpq-fe.h. */
struct pg_result;

size_t pg_row_count(const struct pg_result *r);
/* The number of the column, or -1. Reading column -1 gives what an SQL NULL gives. */
int pg_row_column(const struct pg_result *r, const char *name);

bool pg_row_is_null(const struct pg_result *r, size_t row, int column);
/* The text; STR_NONE for NULL. */
struct str pg_row_str(const struct pg_result *r, size_t row, int column);
/* int2, int4, int8; `otherwise` for NULL or for what is no integer. */
int64_t pg_row_int(const struct pg_result *r, size_t row, int column, int64_t otherwise);
/* boolean; NULL is false. */
bool pg_row_bool(const struct pg_result *r, size_t row, int column);
/* A timestamptz selected as fs_ms(column): milliseconds since 1970; -1 for NULL. */
int64_t pg_row_time_ms(const struct pg_result *r, size_t row, int column);
/* bytea, decoded into the arena; an absent str for NULL. Fails with BUG when the column is no bytea in hex format. */
MUST_CHECK bool pg_row_bytea(const struct pg_result *r, size_t row, int column, struct arena *a, struct str *ret,
                             struct err *reterr);
/* Copies the text into a terminated array; a NULL gives an empty text. Fails with BUG when it does not fit. */
MUST_CHECK bool pg_row_copy(const struct pg_result *r, size_t row, int column, char *ret, size_t size,
                            struct err *reterr);
