// SPDX-License-Identifier: MIT
/* Private to pg_*.c: a conninfo taken apart once, so that its host names can be looked up by us (libpq would block) and
 * each connect gets them as addresses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/secret.h"

enum { PG_DSN_HOSTS_MAX = 8, PG_DSN_KEYS_MAX = 64, PG_DSN_ADDRESS_SIZE = 64 };

struct pg_dsn;

MUST_CHECK struct pg_dsn *pg_dsn_new(const struct secret *conninfo, const char *application_name, struct err *reterr);
void pg_dsn_free(struct pg_dsn *dsn); /* zeroes the password; NULL is fine */

/* The next host name at or after *index which must be looked up before connecting, and its index; NULL: none is left.
 */
const char *pg_dsn_host_to_look_up(const struct pg_dsn *dsn, size_t *index);
/* Says where that host is; address: numeric. */
void pg_dsn_set_address(struct pg_dsn *dsn, size_t index, const char *address);

/* What PQconnectStartParams takes; ended by NULL, borrowed until the next call. */
struct pg_dsn_arrays {
    const char *keywords[PG_DSN_KEYS_MAX + 1];
    const char *values[PG_DSN_KEYS_MAX + 1];
};
void pg_dsn_fill(struct pg_dsn *dsn, const char *server_options, struct pg_dsn_arrays *ret);
