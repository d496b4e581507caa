// SPDX-License-Identifier: MIT
/* Statements and answers over an open connection. Each statement is followed by its own Sync, so each is a transaction
 * of its own and an error in one does not touch its neighbours. Answers come in the order of sending; the front of
 * `in_flight` is always the one being answered. */
#include <string.h>

#include "store/pg_private.h"
#include "store/sqlstate.h"

static bool pq_err(struct pg_connection *c, const char *origin, struct err *reterr)
{
    return sqlstate_err(reterr, origin, NULL, PQerrorMessage(c->pq));
}

void pg_pipeline_break(struct pg_connection *c)
{
    struct err err = {0};
    pq_err(c, __func__, &err);
    pg_conn_lost(c, &err);
}

bool pg_pipeline_begin(struct pg_connection *c, struct err *reterr)
{
    c->n_statements = 0;
    c->is_in_script = false;
    c->wants_remake = false;
    if (PQsetnonblocking(c->pq, 1) != 0 || PQenterPipelineMode(c->pq) == 0)
        return pq_err(c, __func__, reterr);
    return true;
}

/* ---- sending ---- */

/* The statement's number in this session; -1 when the table is full (it is then sent unprepared). */
static int find_statement(struct pg_connection *c, const char *sql)
{
    for (int i = 0; i < c->n_statements; i++) {
        if (c->statements[i].sql == sql)
            return i;
    }
    if (c->n_statements == PG_STATEMENTS_MAX)
        return -1;
    c->statements[c->n_statements] = (struct pg_statement){sql, false};
    return c->n_statements++;
}

static const char *statement_name(int index, char ret[8])
{
    ret[0] = 's';
    ret[1] = (char)('0' + index / 100);
    ret[2] = (char)('0' + index / 10 % 10);
    ret[3] = (char)('0' + index % 10);
    ret[4] = '\0';
    return ret;
}

static bool send_prepared(struct pg_connection *c, struct pg_item *it, const struct pg_params *p)
{
    char name[8];
    statement_name(it->statement, name);
    if (!c->statements[it->statement].is_prepared) {
        /* Believed at once, so that the next one in the pipeline does not prepare it again; a refusal takes it back. */
        if (PQsendPrepare(c->pq, name, it->sql, 0, NULL) == 0)
            return false;
        c->statements[it->statement].is_prepared = true;
        it->wants_prepare = true;
    }
    return PQsendQueryPrepared(c->pq, name, p->n, p->values, p->lengths, p->formats, 0) != 0;
}

static bool send_parts(struct pg_connection *c, struct pg_item *it)
{
    static const struct pg_params none;
    const struct pg_params *p = it->params != NULL ? it->params : &none;
    if (it->kind == PG_ITEM_SCRIPT) {
        c->is_in_script = true;
        return PQexitPipelineMode(c->pq) != 0 && PQsendQuery(c->pq, it->sql) != 0;
    }
    it->statement = it->kind == PG_ITEM_PREPARED ? find_statement(c, it->sql) : -1;
    bool is_sent = it->statement >= 0
                       ? send_prepared(c, it, p)
                       : PQsendQueryParams(c->pq, it->sql, p->n, NULL, p->values, p->lengths, p->formats, 0) != 0;
    return is_sent && PQpipelineSync(c->pq) != 0;
}

static bool flush(struct pg_connection *c)
{
    int rest = PQflush(c->pq);
    if (rest < 0)
        return false;
    loop_fd_want(c->fd, rest > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    return true;
}

void pg_pipeline_send(struct pg_connection *c, struct pg_item *it)
{
    if (c->in_flight.n == 0) {
        c->heard_ms = loop_now_ms(c->loop);
        if (!loop_timer_is_set(&c->silence))
            loop_timer_set(&c->silence, c->silence_timeout_ms);
    }
    pg_item_append(&c->in_flight, it);
    it->is_sent = true;
    /* Losing it here would call back before the caller's start function has returned. */
    if (!send_parts(c, it) || !flush(c))
        loop_timer_set(&c->timer, 0);
}

void pg_pipeline_pump(struct pg_connection *c)
{
    while (c->state == PG_UP && c->waiting.n > 0 && !c->is_in_script) {
        struct pg_item *it = pg_item_first(&c->waiting);
        if (it->kind == PG_ITEM_SCRIPT && c->in_flight.n > 0)
            return;
        pg_pipeline_send(c, it);
    }
}

/* ---- answers ---- */

static bool is_error(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_PIPELINE_ABORTED;
}

/* A plan prepared before a migration changed its table (0A000), or a name the server does not know (26000). */
static bool is_stale(const char *sqlstate)
{
    return sqlstate != NULL && (strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0);
}

static void end_item(struct pg_connection *c, struct pg_item *it)
{
    PGresult *r = it->result;
    it->result = NULL;
    if (r != NULL && is_error(r)) {
        struct err err = {0};
        const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        sqlstate_err(&err, "pg_conn", sqlstate, message != NULL ? message : PQresultErrorMessage(r));
        sqlstate_numbers(&err, sqlstate, PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL));
        c->wants_remake = c->wants_remake || (it->statement >= 0 && is_stale(sqlstate));
        pg_item_end(it, NULL, &err);
    } else {
        pg_item_end(it, r, NULL);
    }
    PQclear(r);
}

/* One part of the front item's answer. The first error stays, otherwise the last result; an item nobody waits for keeps
 * only whether it was refused. */
static void keep(struct pg_connection *c, struct pg_item *it, PGresult *r)
{
    if (it->wants_prepare) {
        it->wants_prepare = false;
        if (is_error(r) && it->statement < c->n_statements)
            c->statements[it->statement].is_prepared = false;
        if (!is_error(r)) {
            PQclear(r);
            return;
        }
    }
    if (it->result != NULL && is_error(it->result)) {
        PQclear(r);
        return;
    }
    PQclear(it->result);
    it->result = r;
}

/* False: the connection is of no use any more. */
static bool on_result(struct pg_connection *c, PGresult *r)
{
    struct pg_item *it = pg_item_first(&c->in_flight);
    ExecStatusType status = PQresultStatus(r);
    if (r == NULL && !c->is_in_script)
        return true; /* between two parts of one answer */
    if (r == NULL) {
        c->is_in_script = false;
        bool is_back = PQstatus(c->pq) == CONNECTION_OK && PQenterPipelineMode(c->pq) != 0;
        end_item(c, it);
        return is_back;
    }
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(r);
        end_item(c, it);
        return true;
    }
    keep(c, it, r);
    return status != PGRES_COPY_IN && status != PGRES_COPY_OUT && status != PGRES_COPY_BOTH;
}

static bool read_answers(struct pg_connection *c)
{
    int nothing_n = 0; /* libpq says NULL once between two answers; more often only when it has nothing more to say */
    while (c->state == PG_UP && c->in_flight.n > 0 && nothing_n < 3 && PQisBusy(c->pq) == 0) {
        PGresult *r = PQgetResult(c->pq);
        nothing_n = r == NULL ? nothing_n + 1 : 0;
        if (!on_result(c, r))
            return false;
    }
    return nothing_n < 3;
}

static void read_notifications(struct pg_connection *c)
{
    PGnotify *n = NULL;
    while (c->state == PG_UP && (n = PQnotifies(c->pq)) != NULL) {
        if (c->on_notify != NULL)
            c->on_notify(c->arg, str_from(n->relname), str_from(n->extra));
        PQfreemem(n);
    }
}

void pg_pipeline_on_ready(struct pg_connection *c, int events)
{
    bool is_alive = true;
    if (events & (LOOP_READ | LOOP_CLOSED)) {
        c->heard_ms = loop_now_ms(c->loop);
        is_alive = PQconsumeInput(c->pq) != 0;
        /* What was received before the end is still delivered. */
        is_alive = read_answers(c) && is_alive;
        read_notifications(c);
    }
    if (c->state != PG_UP)
        return;
    if (!is_alive || !flush(c)) {
        pg_pipeline_break(c);
        return;
    }
    if (c->wants_remake && c->in_flight.n == 0) {
        struct err err = {0};
        err_set(&err, ERR_NOT_READY, __func__, "the tables have changed: the connection is made anew");
        pg_conn_lost(c, &err);
        return;
    }
    pg_pipeline_pump(c);
    if (c->state == PG_UP && c->on_room != NULL)
        c->on_room(c->room_arg);
}

void pg_pipeline_on_silence(void *arg)
{
    struct pg_connection *c = arg;
    if (c->state != PG_UP || c->in_flight.n == 0)
        return;
    ms_t quiet_ms = loop_now_ms(c->loop) - c->heard_ms;
    if (quiet_ms < c->silence_timeout_ms) {
        loop_timer_set(&c->silence, c->silence_timeout_ms - quiet_ms);
        return;
    }
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "PostgreSQL has not said a word for %lld ms", (long long)quiet_ms);
    pg_conn_lost(c, &err);
}
