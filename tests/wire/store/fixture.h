// SPDX-License-Identifier: MIT
/* What every wire test of the store needs: the services' addresses, a loop that runs until something has happened,
 * plain SQL on the side, and a store on a migrated database. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/codec.h"
#include "core/base/secret.h"
#include "core/io/loop.h"
#include "core/port_store.h"
#include "store/pg_conn.h"
#include "store/store_port.h"

enum { FIXTURE_MS = 20000 }; /* longer than anything here takes; passing it fails the test */

struct fixture {
    struct loop *loop;
    struct secret conninfo; /* of the database in use */
    struct pg_connection *admin;
    struct codec_keyring *ring;
    struct store *store;           /* of replica "r1" */
    const struct port_store *port; /* its port */
};

/* A database of its own, empty; no store yet. Ends the program when the services are not there. */
void fixture_init(struct fixture *f, const char *database);
void fixture_fini(struct fixture *f);
/* Runs the migrations and opens the store of replica "r1", with Redis if `redis_url` is not NULL. */
void fixture_open_store(struct fixture *f, const char *redis_url);
/* One more store on the same database. */
struct store *fixture_another_store(struct fixture *f, const char *replica_id, const char *redis_url);
/* "unix://…" of the Redis of this run. */
const char *fixture_redis_url(void);
/* Connections that are subscribed to the channel right now, as Redis itself says. */
int fixture_redis_subscribers(const char *channel);
struct codec_keyring *fixture_keyring(const char *id, char fill);

/* Runs the loop until *flag; fails the test after FIXTURE_MS. */
void run_until(struct fixture *f, const bool *flag);
/* Runs the loop until is_true(arg), asked every few milliseconds. */
void run_until_true(struct fixture *f, bool (*is_true)(void *arg), void *arg);
/* Runs the loop for this long: only to show that something does not happen. */
void run_for(struct fixture *f, ms_t ms);

/* Runs one statement on the side; fails the test when it fails. */
void sql(struct fixture *f, const char *text);
/* Its first value, or "" for NULL or no row; valid until the next call. */
const char *sql_value(struct fixture *f, const char *text);
/* Runs `text` in a transaction that stays open, with its locks, on a connection of its own, until hold_end. */
struct pg_connection *hold(struct fixture *f, const char *text);
void hold_end(struct fixture *f, struct pg_connection *holder);
/* Runs the loop until this many sessions wait for a lock. */
void run_until_waiting(struct fixture *f, int sessions_n);
/* `$NAME ARGUMENT` of the harness, waiting for it; NAME: FS_PG_CTL or FS_REDIS_CTL. */
void control(const char *name, const char *argument);
int control_pid(const char *name);

/* A plain answer, for op_done. */
struct answer {
    bool is_done;
    struct err err;
};
void on_answer(void *arg, const struct err *err);
/* Runs until the answer came; asserts that it is no error. */
void expect_ok(struct fixture *f, struct answer *a);
