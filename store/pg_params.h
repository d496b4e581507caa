// SPDX-License-Identifier: MIT
/* The parameters $1, $2, … of one statement, built in order, and quoting for the few statements that take no parameters
 * (CREATE ROLE, CREATE DATABASE). Types come from the statement: write casts there ($1::text, $2::bytea, $3::text[]).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

enum {
    PG_PARAMS_MAX = 40,
    PG_PARAMS_BYTES_MAX = 4 << 20, /* of all values of one statement; more is TOO_LARGE when it is run */
};

struct pg_params;

/* Empty. Handed to a query function, it belongs to that function from then on. */
struct pg_params *pg_params_new(void);
void pg_params_free(struct pg_params *p); /* only if no query took it; NULL is fine */

/* Each copies its value. A text with a NUL inside, or one parameter too many, is remembered: the query then fails with
 * INVALID or BUG. */
void pg_add_null(struct pg_params *p);
/* The query will fail with `kind` (INVALID, TOO_LARGE or BUG). */
void pg_params_refuse(struct pg_params *p, enum err_kind kind);
void pg_add_str(struct pg_params *p, struct str text);   /* an absent str is NULL */
void pg_add_text(struct pg_params *p, const char *text); /* NULL is NULL */
void pg_add_int(struct pg_params *p, int64_t value);
void pg_add_int_or_null(struct pg_params *p, int64_t value); /* 0 is NULL */
void pg_add_bool(struct pg_params *p, bool value);
void pg_add_bytea(struct pg_params *p, struct str bytes); /* sent in binary; an absent str is NULL */
/* Arrays of text, bigint and bytea. An absent element is NULL. */
void pg_add_texts(struct pg_params *p, const struct str *texts, size_t n);
void pg_add_ints(struct pg_params *p, const int64_t *values, size_t n);
void pg_add_byteas(struct pg_params *p, const struct str *values, size_t n);

/* "Quoted identifier" and 'quoted literal' for SQL text that cannot carry parameters. Only for a connection made by
 * pg_conn.h, whose encoding is UTF-8. Fails with INVALID for bad UTF-8, a NUL, an empty identifier or one over 63 bytes
 * (PostgreSQL would cut it). The result is NUL-terminated in the arena. */
MUST_CHECK bool pg_quote_identifier(struct arena *a, struct str name, struct str *ret, struct err *reterr);
MUST_CHECK bool pg_quote_literal(struct arena *a, struct str text, struct str *ret, struct err *reterr);
