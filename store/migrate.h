// SPDX-License-Identifier: MIT
/* Brings the database's tables to what this program was built with: store/migrations/NNNN_name.sql, compiled in, each
 * in a transaction of its own, forward only, under an advisory lock so that replicas that start together wait for each
 * other. Refuses a database that is newer than the program or whose applied files differ from the compiled ones. */
#pragma once

#include <stddef.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/io/loop.h"
#include "core/io/op.h"

struct migration {
    int version; /* 1, 2, … without gaps */
    const char *name;
    const char *checksum; /* SHA-256 of the file, hex */
    const char *script;   /* the file, and the INSERT that records it */
};
extern const struct migration MIGRATIONS[];
extern const size_t MIGRATIONS_N;

enum migrate_mode {
    MIGRATE_APPLY,
    MIGRATE_CHECK, /* changes nothing; fails with NOT_READY, reason "SchemaOlder", when something is to be applied */
};

/* applied_n: how many were applied by this call. err: CONFLICT with reason "SchemaNewer" or "ChecksumDiffers";
 * NOT_READY, TIMEOUT; DENIED when the role may not create tables; BUG when a script fails. */
typedef void migrate_on_done(void *arg, unsigned applied_n, const struct err *err);

/* conninfo: borrowed during the call; the connection is the migration's own. timeout_ms: for all of it, connecting and
 * waiting for the lock included. Obeys core/io/op.h. Cancelling closes the connection, which rolls back what is open.
 */
struct op *migrate_start(struct loop *loop, const struct secret *conninfo, enum migrate_mode mode, ms_t timeout_ms,
                         migrate_on_done *done, void *arg);
