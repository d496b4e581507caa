// SPDX-License-Identifier: MIT
/* The migration runner: a ladder of statements on one connection. Closing the connection gives the lock back. */
#include "store/migrate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "store/pg_conn.h"

/* The key of the advisory lock: "fstackd" as big-endian bytes. */
#define SQL_LOCK      "SELECT pg_advisory_lock(28837391311792996)"
#define SQL_HAS_TABLE "SELECT to_regclass('schema_migrations') IS NOT NULL"
#define SQL_CREATE                                                                                                     \
    "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, "                  \
    "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
#define SQL_LIST "SELECT version, checksum FROM schema_migrations ORDER BY version"

enum migrate_at { AT_LOCK, AT_LOOK, AT_CREATE, AT_LIST, AT_APPLY };

struct migrate {
    struct op op;
    struct loop *loop;
    struct pg_connection *conn;
    struct loop_timer timer; /* of the whole */
    ms_t until_ms;
    enum migrate_mode mode;
    enum migrate_at at;
    size_t next; /* index of the migration to apply */
    unsigned applied_n;
    migrate_on_done *done;
    void *arg;
};

static void finish(struct migrate *m)
{
    loop_timer_clear(&m->timer);
    pg_conn_free(m->conn);
    m->conn = NULL;
    loop_defer_free(m->loop, m, free);
}

static void on_cancel(struct op *op)
{
    finish((struct migrate *)op);
}

static void tell(struct migrate *m, const struct err *err)
{
    finish(m);
    m->done(m->arg, m->applied_n, err);
}

static void fail(struct migrate *m, const struct err *err)
{
    struct err why = {0};
    err_copy(&why, err);
    err_wrap(&why, "bringing the database's tables up to date");
    tell(m, &why);
}

static void refuse(struct migrate *m, enum err_kind kind, const char *reason, int version, const char *what)
{
    struct err err = {0};
    err_set(&err, kind, __func__, "migration %d %s", version, what);
    if (!str_copy(str_from(reason), err.reason, sizeof(err.reason)))
        err.reason[0] = '\0';
    tell(m, &err);
}

/* Are the rows a beginning of what is compiled in? Sets next; false: refused and told. */
static bool compare(struct migrate *m, const struct pg_result *rows)
{
    size_t n = pg_row_count(rows);
    for (size_t i = 0; i < n; i++) {
        int version = (int)pg_row_int(rows, i, 0, -1);
        if (i >= MIGRATIONS_N) {
            refuse(m, ERR_CONFLICT, "SchemaNewer", version, "is in the database but not in this program: it is older");
            return false;
        }
        if (version != MIGRATIONS[i].version || !str_eq_text(pg_row_str(rows, i, 1), MIGRATIONS[i].checksum)) {
            refuse(m, ERR_CONFLICT, "ChecksumDiffers", version, "was applied from another text than this program's");
            return false;
        }
    }
    m->next = n;
    return true;
}

static void on_result(void *arg, const struct pg_result *result, const struct err *err);

static void run(struct migrate *m, enum migrate_at at, const char *sql)
{
    ms_t left_ms = m->until_ms - loop_now_ms(m->loop);
    m->at = at;
    if (at == AT_APPLY)
        pg_conn_script(m->conn, sql, left_ms, on_result, m);
    else
        pg_conn_query_once(m->conn, sql, NULL, left_ms, on_result, m);
}

static void apply_next(struct migrate *m)
{
    if (m->next == MIGRATIONS_N)
        tell(m, NULL);
    else if (m->mode == MIGRATE_CHECK)
        refuse(m, ERR_NOT_READY, "SchemaOlder", MIGRATIONS[m->next].version, "is not applied; run the migrate command");
    else
        run(m, AT_APPLY, MIGRATIONS[m->next].script);
}

static void on_result(void *arg, const struct pg_result *result, const struct err *err)
{
    struct migrate *m = arg;
    if (err != NULL) {
        fail(m, err);
        return;
    }
    switch (m->at) {
    case AT_LOCK:
        run(m, AT_LOOK, SQL_HAS_TABLE);
        return;
    case AT_LOOK:
        if (pg_row_bool(result, 0, 0))
            run(m, AT_LIST, SQL_LIST);
        else if (m->mode == MIGRATE_CHECK)
            refuse(m, ERR_NOT_READY, "SchemaOlder", 1, "is not applied; run the migrate command");
        else
            run(m, AT_CREATE, SQL_CREATE);
        return;
    case AT_CREATE:
        run(m, AT_LIST, SQL_LIST);
        return;
    case AT_LIST:
        if (compare(m, result))
            apply_next(m);
        return;
    case AT_APPLY:
        LOG(INFO, "migration applied", KV("version", MIGRATIONS[m->next].version),
            KV("name", MIGRATIONS[m->next].name));
        m->next++;
        m->applied_n++;
        apply_next(m);
        return;
    }
}

static void on_timer(void *arg)
{
    struct migrate *m = arg;
    struct err err = {0};
    if (m->conn == NULL)
        err_set(&err, ERR_INVALID, __func__, "the PostgreSQL connection string cannot be read");
    else
        err_set(&err, ERR_TIMEOUT, __func__, "PostgreSQL did not answer in time");
    fail(m, &err);
}

struct op *migrate_start(struct loop *loop, const struct secret *conninfo, enum migrate_mode mode, ms_t timeout_ms,
                         migrate_on_done *done, void *arg)
{
    struct migrate *m = xcalloc(1, sizeof(*m));
    m->op.cancel = on_cancel;
    m->loop = loop;
    m->mode = mode;
    m->done = done;
    m->arg = arg;
    m->until_ms = loop_now_ms(loop) + timeout_ms;
    loop_timer_init(&m->timer, loop, on_timer, m);
    const struct pg_conn_config config = {
        .conninfo = conninfo,
        .application_name = "fullstackd migrate",
        .silence_timeout_ms = timeout_ms, /* a long script and a held lock are silent */
    };
    m->conn = pg_conn_new(loop, &config, NULL);
    if (m->conn == NULL) {
        loop_timer_set(&m->timer, 0);
        return &m->op;
    }
    /* One step later than the statements' own deadlines, whose errors say more. */
    loop_timer_set(&m->timer, timeout_ms + 100);
    run(m, AT_LOCK, SQL_LOCK);
    return &m->op;
}
