// SPDX-License-Identifier: MIT
/* One PostgreSQL connection on the loop: connects by itself, again with back-off when it is lost, runs statements in
 * pipeline mode (several in flight, each a transaction of its own), delivers notifications. Nothing here blocks: host
 * names go through core/io/resolve.h. store/pg_pool.h is many of these; this one is for single uses (LISTEN,
 * migrations, the embedded cluster). Files pg_*.c are the only ones that include libpq. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/io/op.h"
#include "store/pg_params.h"
#include "store/pg_row.h"

/* "pg_conn" is libpq's own tag for PGconn, hence the longer one. */
struct pg_connection;

/* is_up: statements can be run. err: why it is down, NULL when up. Called on the loop, never from pg_conn_new/free. */
typedef void pg_on_state(void *arg, bool is_up, const struct err *err);
/* A notification (LISTEN); both texts are valid during the call only. */
typedef void pg_on_notify(void *arg, struct str channel, struct str payload);
/* result: NULL when err is not; rows and texts are valid during the call only. */
typedef void pg_on_result(void *arg, const struct pg_result *result, const struct err *err);

/* Zero means the default in brackets. */
struct pg_conn_config {
    const struct secret *conninfo; /* URI or "key=value …" as libpq reads them; borrowed during pg_conn_new */
    const char *application_name;  /* shown by pg_stat_activity ["fullstackd"]; borrowed during pg_conn_new */
    const char *listen_channel;    /* LISTEN to it after each connect; NULL: none; borrowed during pg_conn_new */
    ms_t connect_timeout_ms;       /* of one try, name look-up included [5,000] */
    ms_t silence_timeout_ms;       /* owing an answer this long with no byte received, it is made anew [15,000] */
    ms_t statement_timeout_ms;     /* the server gives up a statement after this [0: as the server is set] */
    bool is_single_try;            /* do not connect again after the first failure or loss */
    pg_on_state *on_state;         /* NULL: not told */
    pg_on_notify *on_notify;       /* NULL: dropped */
    void *arg;                     /* of on_state and on_notify */
};

/* Begins to connect. NULL with INVALID when the conninfo cannot be read. */
MUST_CHECK struct pg_connection *pg_conn_new(struct loop *loop, const struct pg_conn_config *config,
                                             struct err *reterr);
/* Closes; statements under way are dropped without their callbacks. Also from within a callback of this connection;
 * NULL is fine. */
void pg_conn_free(struct pg_connection *c);

bool pg_conn_is_up(const struct pg_connection *c);
/* 150020 for 15.20; 0 before the first connect. */
int pg_conn_server_version(const struct pg_connection *c);
/* Statements sent and not answered (given-up ones included). */
unsigned pg_conn_in_flight_n(const struct pg_connection *c);

/* Runs one statement; before the connection is up it waits (at most 1,024 wait; over it NOT_READY).
 * sql:        static text: prepared once per connection and remembered by its ADDRESS.
 * params:     taken; NULL: none.
 * timeout_ms: from now, waiting included. When it passes `done` gets TIMEOUT at once and the answer is dropped later;
 * the statement may still take effect. done:       NOT_READY when the connection is lost (what was sent may have taken
 * effect); otherwise what store/sqlstate.h makes of the SQLSTATE: err.code is it as 5 base-36 digits, err.reason its
 * text. */
struct op *pg_conn_query(struct pg_connection *c, const char *sql, struct pg_params *params, ms_t timeout_ms,
                         pg_on_result *done, void *arg);
/* As pg_conn_query for text built at run time: copied, not prepared, one statement. */
struct op *pg_conn_query_once(struct pg_connection *c, const char *sql, struct pg_params *params, ms_t timeout_ms,
                              pg_on_result *done, void *arg);
/* Several statements as one transaction by the simple protocol, for migrations: all or nothing, unless the text itself
 * says BEGIN or COMMIT. Waits until everything before it is answered. sql: copied. done gets the last statement's
 * result. */
struct op *pg_conn_script(struct pg_connection *c, const char *sql, ms_t timeout_ms, pg_on_result *done, void *arg);
