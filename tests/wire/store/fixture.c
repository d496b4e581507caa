// SPDX-License-Identifier: MIT
/* The wire tests' common ground. */
#include "tests/wire/store/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/log.h"
#include "store/migrate.h"

static const char *need_env(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run me by tests/harness/with_services.py\n", name);
        exit(2);
    }
    return value;
}

struct waiter {
    struct loop *loop;
    struct loop_timer timer;
    ms_t until_ms;
    const bool *flag;
    bool (*is_true)(void *arg);
    void *arg;
    bool is_late;
};

static void on_look(void *arg)
{
    struct waiter *w = arg;
    bool is_over = w->flag != NULL ? *w->flag : w->is_true(w->arg);
    w->is_late = !is_over && loop_now_ms(w->loop) >= w->until_ms;
    if (is_over || w->is_late)
        loop_stop(w->loop);
    else
        loop_timer_set(&w->timer, 2);
}

static bool wait_here(struct fixture *f, struct waiter *w, ms_t ms)
{
    w->loop = f->loop;
    w->until_ms = loop_now_ms(f->loop) + ms;
    loop_timer_init(&w->timer, f->loop, on_look, w);
    loop_timer_set(&w->timer, 0);
    loop_run(f->loop);
    loop_timer_clear(&w->timer);
    return !w->is_late;
}

void run_until(struct fixture *f, const bool *flag)
{
    struct waiter w = {.flag = flag};
    assert_true(wait_here(f, &w, FIXTURE_MS));
}

void run_until_true(struct fixture *f, bool (*is_true)(void *arg), void *arg)
{
    struct waiter w = {.is_true = is_true, .arg = arg};
    assert_true(wait_here(f, &w, FIXTURE_MS));
}

void run_for(struct fixture *f, ms_t ms)
{
    static const bool never = false;
    struct waiter w = {.flag = &never};
    (void)wait_here(f, &w, ms);
}

void on_answer(void *arg, const struct err *err)
{
    struct answer *a = arg;
    assert_false(a->is_done);
    a->is_done = true;
    err_copy(&a->err, err);
}

void expect_ok(struct fixture *f, struct answer *a)
{
    run_until(f, &a->is_done);
    if (a->err.kind != ERR_NONE)
        fail_msg("%s: %s", err_slug(a->err.kind), a->err.msg);
}

/* ---- SQL on the side ---- */

struct cell {
    bool is_done;
    struct err err;
    char text[4096];
};

static void on_cell(void *arg, const struct pg_result *result, const struct err *err)
{
    struct cell *c = arg;
    c->is_done = true;
    err_copy(&c->err, err);
    struct str value = pg_row_count(result) > 0 ? pg_row_str(result, 0, 0) : STR_NONE;
    if (!str_copy(value, c->text, sizeof(c->text)))
        c->text[0] = '\0';
}

const char *sql_value(struct fixture *f, const char *text)
{
    static struct cell c;
    c = (struct cell){0};
    pg_conn_query_once(f->admin, text, NULL, FIXTURE_MS, on_cell, &c);
    run_until(f, &c.is_done);
    if (c.err.kind != ERR_NONE)
        fail_msg("%s: %s (%s)", text, c.err.msg, err_slug(c.err.kind));
    return c.text;
}

void sql(struct fixture *f, const char *text)
{
    (void)sql_value(f, text);
}

static void run_script(struct fixture *f, struct pg_connection *c, const char *text)
{
    struct cell cell = {0};
    pg_conn_script(c, text, FIXTURE_MS, on_cell, &cell);
    run_until(f, &cell.is_done);
    assert_int_equal(cell.err.kind, ERR_NONE);
}

static struct pg_connection *connect_to(struct fixture *f, const struct secret *conninfo);

struct pg_connection *hold(struct fixture *f, const char *text)
{
    struct pg_connection *c = connect_to(f, &f->conninfo);
    struct arena *a = arena_new();
    run_script(f, c, arena_printf(a, "BEGIN; %s", text));
    arena_free(a);
    return c;
}

void hold_end(struct fixture *f, struct pg_connection *holder)
{
    run_script(f, holder, "COMMIT");
    pg_conn_free(holder);
}

void run_until_waiting(struct fixture *f, int sessions_n)
{
    uint64_t n = 0;
    while (n < (uint64_t)sessions_n) {
        run_for(f, 2);
        assert_true(str_parse_u64(str_from(sql_value(f, "SELECT count(*) FROM pg_stat_activity WHERE "
                                                        "wait_event_type = 'Lock' AND datname = current_database()")),
                                  1000, &n));
    }
}

/* Runs `$NAME ARGUMENT`; its output goes to `out`, if not negative. */
static void run_control(const char *name, const char *argument, int out)
{
    const char *path = need_env(name);
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        if (out >= 0)
            dup2(out, STDOUT_FILENO);
        execl(path, path, argument, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

void control(const char *name, const char *argument)
{
    run_control(name, argument, -1);
}

int control_pid(const char *name)
{
    int ends[2];
    char line[32];
    uint64_t pid = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    run_control(name, "pid", ends[1]);
    ssize_t n = read(ends[0], line, sizeof(line));
    assert_true(n > 0);
    assert_true(str_parse_u64(str_trim((struct str){line, (size_t)n}), INT32_MAX, &pid));
    close(ends[0]);
    close(ends[1]);
    return (int)pid;
}

/* ---- databases and stores ---- */

static struct secret conninfo_of(const char *database)
{
    struct arena *a = arena_new();
    /* The last of equal keywords wins. */
    struct secret text = secret_new(str_from(arena_printf(a, "%s dbname=%s", need_env("FS_PG_CONNINFO"), database)));
    arena_free(a);
    return text;
}

static struct pg_connection *connect_to(struct fixture *f, const struct secret *conninfo)
{
    const struct pg_conn_config config = {.conninfo = conninfo, .application_name = "test"};
    struct err err = {0};
    struct pg_connection *c = pg_conn_new(f->loop, &config, &err);
    assert_non_null(c);
    return c;
}

void fixture_init(struct fixture *f, const char *database)
{
    struct err err = {0};
    *f = (struct fixture){0};
    signal(SIGPIPE, SIG_IGN);
    log_init(STDERR_FILENO, LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    assert_true(codec_init(&err));
    f->loop = loop_new(&err);
    assert_non_null(f->loop);
    f->ring = fixture_keyring("k1", 1);
    struct secret postgres = conninfo_of("postgres");
    f->admin = connect_to(f, &postgres);
    struct arena *a = arena_new();
    sql(f, arena_printf(a, "DROP DATABASE IF EXISTS %s WITH (FORCE)", database));
    sql(f, arena_printf(a, "CREATE DATABASE %s", database));
    arena_free(a);
    pg_conn_free(f->admin);
    secret_fini(&postgres);
    f->conninfo = conninfo_of(database);
    f->admin = connect_to(f, &f->conninfo);
}

void fixture_fini(struct fixture *f)
{
    store_close(f->store);
    pg_conn_free(f->admin);
    run_for(f, 1);
    codec_keyring_free(f->ring);
    secret_fini(&f->conninfo);
    loop_free(f->loop);
    *f = (struct fixture){0};
}

static void on_migrated(void *arg, unsigned applied_n, const struct err *err)
{
    (void)applied_n;
    on_answer(arg, err);
}

const char *fixture_redis_url(void)
{
    static char url[256];
    struct arena *a = arena_new();
    assert_true(str_copy(str_from(arena_printf(a, "unix://%s", need_env("FS_REDIS_SOCKET"))), url, sizeof(url)));
    arena_free(a);
    return url;
}

int fixture_redis_subscribers(const char *channel)
{
    redisContext *c = redisConnectUnix(need_env("FS_REDIS_SOCKET"));
    assert_non_null(c);
    assert_int_equal(c->err, 0);
    redisReply *reply = redisCommand(c, "PUBSUB NUMSUB %s", channel);
    assert_non_null(reply);
    assert_int_equal(reply->elements, 2);
    int n = (int)reply->element[1]->integer;
    freeReplyObject(reply);
    redisFree(c);
    return n;
}

struct codec_keyring *fixture_keyring(const char *id, char fill)
{
    char key[CODEC_KEY_BYTES];
    memset(key, fill, sizeof(key));
    struct buf b;
    buf_init(&b, 256);
    buf_addf(&b, "%s:", id);
    codec_base64(&b, (struct str){key, sizeof(key)});
    struct secret spec = secret_new(buf_str(&b));
    struct err err = {0};
    struct codec_keyring *ring = codec_keyring_new(&spec, &err);
    assert_non_null(ring);
    secret_fini(&spec);
    buf_fini(&b);
    return ring;
}

struct store *fixture_another_store(struct fixture *f, const char *replica_id, const char *redis_url)
{
    struct err err = {0};
    struct secret redis = redis_url != NULL ? secret_new(str_from(redis_url)) : SECRET_NONE;
    const struct store_config config = {
        .database_url = &f->conninfo,
        .redis_url = &redis,
        .replica_id = replica_id,
        .keyring = f->ring,
        .connect_timeout_ms = 1000,
        .silence_timeout_ms = 1000,
        .down_grace_ms = 500,
    };
    struct store *s = store_open(f->loop, &config, &err);
    if (s == NULL)
        fail_msg("%s", err.msg);
    secret_fini(&redis);
    return s;
}

struct awaited {
    const struct port_store *port;
    bool want_redis;
};

static bool is_ready(void *arg)
{
    const struct awaited *w = arg;
    struct store_health health;
    w->port->health(w->port->self, &health);
    return health.is_postgres_up && health.is_schema_current && (!w->want_redis || health.is_redis_up);
}

void fixture_open_store(struct fixture *f, const char *redis_url)
{
    struct answer migrated = {0};
    migrate_start(f->loop, &f->conninfo, MIGRATE_APPLY, FIXTURE_MS, on_migrated, &migrated);
    expect_ok(f, &migrated);
    f->store = fixture_another_store(f, "r1", redis_url);
    f->port = store_port(f->store);
    struct awaited w = {f->port, redis_url != NULL};
    run_until_true(f, is_ready, &w);
}
