// SPDX-License-Identifier: MIT
/* A Cluster's role and database in a real PostgreSQL. One statement after the other, none in a transaction (CREATE
 * DATABASE allows none); names and passwords are quoted by pg_params.h. */
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/base/xmem.h"
#include "devcluster/control/control_private.h"
#include "store/pg_conn.h"
#include "store/pg_params.h"

enum {
    STATEMENT_MS = 60000,
    NAME_MAX_N = 40,
    UID_N = 8,
    PASSWORD_N = 24,
    STATEMENTS_MAX = 5,
    STATEMENT_CEILING_BYTES = 1024
};

struct database {
    struct work *work;
    struct arena *arena; /* name and statements */
    const char *name;    /* of role and database */
    struct secret password;
    const char *statements[STATEMENTS_MAX]; /* NULL-terminated plan of what is under way */
    size_t at;
    bool is_making;
    bool is_done;
    bool is_failed;
    struct op *op; /* NULL: nothing in flight */
};

static struct database *need(struct work *w)
{
    if (w->database != NULL)
        return w->database;
    const struct object *o = w->entry->now;
    struct database *d = xcalloc(1, sizeof(*d));
    char password[PASSWORD_N + 1];
    d->work = w;
    d->arena = arena_new();
    d->name = arena_printf(d->arena, "%.*s_%.*s", STR_ARG(str_slice(o->name, 0, NAME_MAX_N)),
                           STR_ARG(str_slice(o->uid, o->uid.n - UID_N, o->uid.n)));
    codec_random_text(password, PASSWORD_N, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    d->password = secret_new(str_from(password));
    w->database = d;
    return d;
}

const char *database_name(const struct work *w)
{
    return need((struct work *)w)->name;
}

const char *database_password(const struct work *w)
{
    return secret_reveal(&need((struct work *)w)->password).p;
}

void database_free(struct work *w)
{
    struct database *d = w->database;
    if (d == NULL)
        return;
    op_cancel(d->op);
    secret_fini(&d->password);
    arena_free(d->arena);
    free(d);
    w->database = NULL;
}

static void run_next(struct control *control, struct database *d);

static void on_result(void *arg, const struct pg_result *result, const struct err *err)
{
    struct database *d = arg;
    struct control *control = d->work->control;
    (void)result;
    d->op = NULL;
    if (err != NULL) {
        LOG(WARN, "database statement failed", KV("database", d->name), KV("err", err));
        d->is_failed = true;
    } else {
        d->at++;
        if (d->statements[d->at] != NULL) {
            run_next(control, d);
            return;
        }
        d->is_done = true;
    }
    work_enqueue(d->work->entry);
}

static void run_next(struct control *control, struct database *d)
{
    d->op = pg_conn_query_once(control->pg, d->statements[d->at], NULL, STATEMENT_MS, on_result, d);
}

/* Starts a plan, or tells how the running one does. */
static enum database_state advance(struct database *d, bool is_making)
{
    if (d->op != NULL && d->is_making == is_making)
        return DATABASE_BUSY;
    if (d->op == NULL && d->is_making == is_making && d->is_done)
        return DATABASE_DONE;
    if (d->op == NULL && d->is_making == is_making && d->is_failed) {
        d->is_failed = false;
        d->at = 0;
        d->statements[0] = NULL;
        return DATABASE_FAILED;
    }
    op_cancel(d->op);
    d->op = NULL;
    d->is_making = is_making;
    d->is_done = d->is_failed = false;
    d->at = 0;
    return DATABASE_BUSY;
}

static bool quote(struct database *d, struct str *ret_name, struct str *ret_password)
{
    return pg_quote_identifier(d->arena, str_from(d->name), ret_name, NULL) &&
           pg_quote_literal(d->arena, secret_reveal(&d->password), ret_password, NULL);
}

/* The four parts in a row; names and literals among them are quoted already. */
static const char *join(struct arena *a, const char *first, struct str second, const char *third, struct str fourth)
{
    struct buf text;
    buf_init(&text, STATEMENT_CEILING_BYTES);
    buf_add_text(&text, first);
    buf_add_str(&text, second);
    buf_add_text(&text, third);
    buf_add_str(&text, fourth);
    const char *copy = arena_dup(a, buf_str(&text));
    buf_fini(&text);
    return copy;
}

enum database_state database_make(struct control *control, struct work *w)
{
    struct database *d = need(w);
    struct str name;
    struct str password;
    enum database_state state = advance(d, true);
    if (state != DATABASE_BUSY || d->op != NULL)
        return state;
    if (!quote(d, &name, &password))
        return DATABASE_FAILED;
    d->statements[0] = join(d->arena, "DROP DATABASE IF EXISTS ", name, " WITH (FORCE)", STR(""));
    d->statements[1] = join(d->arena, "DROP ROLE IF EXISTS ", name, "", STR(""));
    d->statements[2] = join(d->arena, "CREATE ROLE ", name, " LOGIN PASSWORD ", password);
    d->statements[3] = join(d->arena, "CREATE DATABASE ", name, " OWNER ", name);
    d->statements[4] = NULL;
    run_next(control, d);
    return DATABASE_BUSY;
}

enum database_state database_drop(struct control *control, struct work *w)
{
    struct database *d = need(w);
    struct str name;
    struct str password;
    enum database_state state = advance(d, false);
    if (state != DATABASE_BUSY || d->op != NULL)
        return state;
    if (!quote(d, &name, &password))
        return DATABASE_FAILED;
    d->statements[0] = join(d->arena, "DROP DATABASE IF EXISTS ", name, " WITH (FORCE)", STR(""));
    d->statements[1] = join(d->arena, "DROP ROLE IF EXISTS ", name, "", STR(""));
    d->statements[2] = NULL;
    run_next(control, d);
    return DATABASE_BUSY;
}
