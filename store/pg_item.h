// SPDX-License-Identifier: MIT
/* Private to pg_*.c: one statement on its way, from the caller to a wait queue to a connection, with its deadline. Used
 * by the connection and by the pool, so that a statement moves between them without being copied. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/io/loop.h"
#include "core/io/op.h"
#include "store/pg_conn.h"

struct pg_params {
    struct arena *arena;
    size_t bytes;
    int n;
    enum err_kind refusal; /* ERR_NONE: fit to be sent */
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX];
};

enum pg_item_kind { PG_ITEM_PREPARED, PG_ITEM_ONCE, PG_ITEM_SCRIPT };

/* Statements in order, waiting or in flight. */
struct pg_item_list {
    TAILQ_HEAD(, pg_item) head;
    unsigned n;
    const struct err *down_err; /* why nothing can be sent; NULL: it can */
};

struct pg_item {
    struct op op;
    TAILQ_ENTRY(pg_item) link;
    struct pg_item_list *list; /* where it is; NULL: nowhere */
    struct loop *loop;
    struct loop_timer timer; /* its deadline; or, when it is refused, the next turn */
    enum pg_item_kind kind;
    const char *sql;
    char *sql_copy; /* NULL when sql is static text */
    struct pg_params *params;
    ms_t queued_ms;
    bool is_sent;
    bool wants_prepare; /* the answer to its Parse message has not come yet */
    int statement;      /* index of the prepared statement, -1: none */
    const char *refusal;
    enum err_kind refusal_kind;
    struct pg_result *result; /* the answer so far */
    pg_on_result *done;       /* NULL: given up, the answer is dropped */
    void *arg;
};

void pg_item_list_init(struct pg_item_list *list);
/* Never NULL. params is taken. */
struct pg_item *pg_item_new(struct loop *loop, enum pg_item_kind kind, const char *sql, struct pg_params *params);
/* Who is told and by when. Parameters that cannot be sent make it refused: pg_item_refuse it with NULL then. */
void pg_item_promise(struct pg_item *it, ms_t timeout_ms, pg_on_result *done, void *arg);
bool pg_item_is_refused(const struct pg_item *it);
/* Fails it at the next turn, until when it rests in `list`; text: static, NULL: it is refused already. */
void pg_item_refuse(struct pg_item_list *list, struct pg_item *it, enum err_kind kind, const char *text);

void pg_item_append(struct pg_item_list *list, struct pg_item *it);
struct pg_item *pg_item_first(const struct pg_item_list *list);

/* Takes it out of its list, tells the caller (unless given up) and frees it. Exactly one of result and err is NULL. */
void pg_item_end(struct pg_item *it, const struct pg_result *result, const struct err *err);
/* Ends every item that the list holds now with err; stops early when *is_stopped becomes true in a callback. */
void pg_item_list_fail(struct pg_item_list *list, const struct err *err, const bool *is_stopped);
void pg_item_list_drop(struct pg_item_list *list);
