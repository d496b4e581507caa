// SPDX-License-Identifier: MIT
/* A fixed number of PostgreSQL connections, each with several statements in flight, and one bounded queue before them.
 * A statement goes to the connection that owes the fewest answers. */
#pragma once

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/io/loop.h"
#include "core/io/op.h"
#include "store/pg_conn.h"

enum { PG_POOL_CONNECTIONS_MAX = 64 };

struct pg_pool;

/* Zero means the default in brackets. */
struct pg_pool_config {
    const struct secret *conninfo; /* borrowed during pg_pool_new */
    const char *application_name;
    unsigned connections_n;    /* [8], at most PG_POOL_CONNECTIONS_MAX */
    unsigned depth_n;          /* statements in flight per connection [8] */
    unsigned queue_max;        /* statements waiting; one more is refused with NOT_READY [1,024] */
    ms_t down_grace_ms;        /* with no connection up, statements wait this long before NOT_READY [2,000] */
    ms_t connect_timeout_ms;   /* as in pg_conn_config */
    ms_t silence_timeout_ms;   /* as in pg_conn_config */
    ms_t statement_timeout_ms; /* as in pg_conn_config */
};

struct pg_pool_stats {
    unsigned connections_n;
    unsigned up_n;
    unsigned in_flight_n; /* given-up statements included, until their answers come */
    unsigned queue_n;
    int server_version; /* 150020 for 15.20; 0 before the first connect */
};

/* Begins to connect. NULL with INVALID when the conninfo cannot be read. */
MUST_CHECK struct pg_pool *pg_pool_new(struct loop *loop, const struct pg_pool_config *config, struct err *reterr);
/* Closes; statements under way are dropped without their callbacks. NULL is fine. */
void pg_pool_free(struct pg_pool *p);

/* As pg_conn_query; the deadline covers the time in the queue. While no connection is up it ends with NOT_READY after
 * at most down_grace_ms. */
struct op *pg_pool_query(struct pg_pool *p, const char *sql, struct pg_params *params, ms_t timeout_ms,
                         pg_on_result *done, void *arg);

void pg_pool_stats(const struct pg_pool *p, struct pg_pool_stats *ret);
