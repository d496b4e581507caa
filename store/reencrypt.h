// SPDX-License-Identifier: MIT
/* Seals everything that is sealed with an older key of the ring anew with its first one, beside running servers: a row
 * that changes meanwhile is left as it is, for whoever changed it has sealed it. */
#pragma once

#include "store/store_port.h"

/* One table's boxes. */
struct reencrypt_told {
    const char *table;
    const char *column;
    unsigned sealed_n;
    unsigned unread_n; /* cannot be opened by any key of the ring; they stay as they are */
};

/* table: each time one is done. end: once, err NULL when all were looked at. The contract of op.h holds; query_ms: for
 * each query, the whole has no deadline. */
typedef void reencrypt_on_table(void *arg, const struct reencrypt_told *told);
struct op *reencrypt_start(struct store *s, ms_t query_ms, reencrypt_on_table *on_table, op_done *on_end, void *arg);
