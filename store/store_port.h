// SPDX-License-Identifier: MIT
/* The store: opens PostgreSQL and Redis and assembles the port of core/port_store.h. */
#pragma once

#include "core/base/codec.h"
#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/io/loop.h"
#include "core/port_store.h"

struct store;

/* Zero means the default in brackets. */
struct store_config {
    const struct secret *database_url;   /* what libpq reads, or the original's DATABASE_URL; borrowed */
    const struct secret *redis_url;      /* NULL or SECRET_NONE: no Redis; borrowed during store_open */
    const char *replica_id;              /* 1 to 64 bytes, unique among living processes, new at each start */
    const char *replica_address;         /* where other replicas may reach this one; NULL: nowhere */
    const struct codec_keyring *keyring; /* borrowed until store_close */
    unsigned pool_n;                     /* PostgreSQL connections for statements [8]; one more listens */
    unsigned queue_max;                  /* statements that may wait for a connection [1,024] */
    ms_t connect_timeout_ms;             /* [5,000] */
    ms_t silence_timeout_ms;             /* a connection that owes an answer this long is made anew [15,000] */
    ms_t statement_timeout_ms;           /* the server gives a statement up after this [10,000] */
    ms_t down_grace_ms;                  /* how long statements wait for PostgreSQL to come back [2,000] */
};

/* Begins to connect; PostgreSQL may be away and its tables old: calls then end with NOT_READY, health tells.
 * Migrations are store/migrate.h's, run before. NULL with INVALID when a URL or the replica id cannot be used. */
MUST_CHECK struct store *store_open(struct loop *loop, const struct store_config *config, struct err *reterr);
/* Closes everything; calls under way are dropped without their callbacks and must not be cancelled afterwards.
 * NULL is fine. */
void store_close(struct store *s);
/* Borrowed until store_close. */
const struct port_store *store_port(const struct store *s);
