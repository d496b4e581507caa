// SPDX-License-Identifier: MIT
/* Private to pg_*.c: the inside of a connection, and what the pool needs of it. pg_conn.c owns its life (look up,
 * connect, lose, connect again), pg_pipeline.c what goes over it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "core/io/backoff.h"
#include "core/io/loop.h"
#include "core/io/op.h"
#include "store/pg_conn.h"
#include "store/pg_dsn.h"
#include "store/pg_item.h"

enum { PG_STATEMENTS_MAX = 256, PG_WAITING_MAX = 1024 };

enum pg_state {
    PG_LOST,       /* waits for the next try, or for ever after a single try */
    PG_LOOKING_UP, /* a host name */
    PG_CONNECTING, /* PQconnectPoll */
    PG_UP,
    PG_CLOSED, /* pg_conn_free was called */
};

/* A prepared statement of this session, found by the address of its text. */
struct pg_statement {
    const char *sql;
    bool is_prepared;
};

struct pg_connection {
    struct loop *loop;
    struct pg_dsn *dsn;
    enum pg_state state;
    bool is_closed; /* state is PG_CLOSED; by address for pg_item_list_fail */
    bool is_single_try;
    bool is_in_script;
    bool wants_remake; /* a cached plan is stale: made anew when its last answer is in */
    PGconn *pq;
    struct loop_fd *fd;
    struct loop_timer timer;   /* LOST: next try; LOOKING_UP, CONNECTING: deadline of the try; UP: a send failed */
    struct loop_timer silence; /* armed while answers are owed */
    ms_t heard_ms;             /* when a byte last came, or the first unanswered statement went */
    struct op *look_up;
    size_t host_index;
    struct backoff backoff;
    char *listen_sql; /* NULL: none */
    char server_options[64];
    ms_t connect_timeout_ms;
    ms_t silence_timeout_ms;
    pg_on_state *on_state;
    pg_on_notify *on_notify;
    void *arg;
    void (*on_room)(void *arg); /* the pool's: answers came, more can be sent */
    void *room_arg;
    struct err last_err; /* why it is down */
    int server_version;
    struct pg_item_list waiting;
    struct pg_item_list in_flight;
    struct pg_item_list refused; /* fail at the next turn */
    struct pg_statement statements[PG_STATEMENTS_MAX];
    int n_statements;
};

/* -- pg_conn.c -- */

/* Closes the session, fails what is in flight with NOT_READY and plans the next try. */
void pg_conn_lost(struct pg_connection *c, const struct err *err);

/* -- pg_pipeline.c -- */

/* The connection just came up: pipeline mode on, nothing prepared; false: it broke, reterr says why. */
MUST_CHECK bool pg_pipeline_begin(struct pg_connection *c, struct err *reterr);
/* The descriptor's events while UP. */
void pg_pipeline_on_ready(struct pg_connection *c, int events);
/* Sends one statement now; only while UP and not in a script. When it cannot be sent the connection is lost at the next
 * turn. */
void pg_pipeline_send(struct pg_connection *c, struct pg_item *it);
/* Sends from the connection's own queue as far as scripts allow. */
void pg_pipeline_pump(struct pg_connection *c);
/* libpq says that the session is broken: pg_conn_lost with its words. */
void pg_pipeline_break(struct pg_connection *c);
/* Checks that the server still speaks. */
void pg_pipeline_on_silence(void *arg);
