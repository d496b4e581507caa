// SPDX-License-Identifier: MIT
/* Flows: leases, fences, the gapless journal, and what is sealed at rest. */
#include "tests/wire/store/world.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/buf.h"

enum { WRITERS = 8, WRITES = 25, LEASE_MS = 10000 };

static int setup(void **state)
{
    return world_setup(state, "flow");
}

static void a_write_brings_row_and_journal_forward_together(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "save");
    struct sandbox sb = world_request(f, f->port, &o, DESIRED_RUNNING, "save").sb;
    sb.code = REASON_IMAGE_PULL;
    assert_true(str_copy(STR("waits for the image"), sb.message, sizeof(sb.message)));
    struct asked a = world_save(f, f->port, &sb, 3);
    assert_int_equal(a.err.kind, ERR_NONE);
    assert_int_equal(a.n_events, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(a.events[i].seq, i + 2);
    struct flows w = world_load(f, f->port, o.project_id);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.steps, "{\"a\":1}");
    assert_string_equal(w.sb[0].message, "waits for the image");
    assert_int_equal(w.sb[0].code, REASON_IMAGE_PULL);
    assert_int_equal(w.sb[0].saves, 1);
    assert_false(w.has_credentials);
    /* An answer that was lost: the same write again is refused, so nothing stands twice in the journal. */
    sb.saves--;
    assert_int_equal(world_save(f, f->port, &sb, 3).err.kind, ERR_CONFLICT);
    assert_string_equal(sql_value(f, "SELECT count(*) || ' ' || max(seq) FROM journal WHERE owner_id = 'u-save'"),
                        "4 4");
}

static void an_old_attempt_or_fence_or_a_settled_row_is_refused(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "fence");
    struct sandbox sb = world_request(f, f->port, &o, DESIRED_RUNNING, "fence").sb;
    sb.fence--;
    assert_string_equal(world_save(f, f->port, &sb, 1).err.reason, "Fenced");
    sb.fence++;
    sb.attempt++;
    assert_string_equal(world_save(f, f->port, &sb, 1).err.reason, "Fenced");
    sb.attempt--;
    struct store *other = fixture_another_store(f, "stranger", NULL);
    assert_string_equal(world_save(f, store_port(other), &sb, 1).err.reason, "Fenced");
    store_close(other);
    assert_int_equal(world_settle(f, f->port, &sb, SANDBOX_RUNNING, OUTCOME_READY).err.kind, ERR_NONE);
    assert_string_equal(world_save(f, f->port, &sb, 1).err.reason, "Fenced");
    assert_string_equal(sql_value(f, "SELECT max(seq) FROM journal WHERE owner_id = 'u-fence'"), "2");
    assert_string_equal(sql_value(f, "SELECT lease_owner IS NULL FROM sandboxes WHERE project_id = 'p-fence'"), "t");
}

static void flows_of_the_dead_are_claimed_once_and_the_dead_are_fenced(void **state)
{
    struct fixture *f = *state;
    struct store *late = fixture_another_store(f, "late", NULL);
    const struct port_store *dead = store_port(late);
    world_renew(f, dead, FIXTURE_MS);
    struct owned o = world_project(f, "claim");
    struct sandbox sb = world_request(f, dead, &o, DESIRED_RUNNING, "claim").sb;
    world_another_project(f, &o, "claim2");
    world_request(f, dead, &o, DESIRED_RUNNING, "claim2");
    assert_int_equal(world_claim(f, f->port, 10).n, 0); /* its replica lives */
    sql(f, "UPDATE replicas SET lease_until = now() - interval '1 second' WHERE id = 'late'");
    assert_int_equal(world_claim(f, f->port, 1).n, 1);
    struct flows rest = world_claim(f, f->port, 10);
    assert_int_equal(rest.n, 1);
    assert_int_equal(world_claim(f, f->port, 10).n, 0);
    assert_string_equal(
        sql_value(f, "SELECT string_agg(fence::text, ' ') FROM sandboxes WHERE project_id LIKE 'p-claim%'"), "2 2");
    world_renew(f, dead, FIXTURE_MS); /* it wakes up and does not know */
    assert_string_equal(world_save(f, dead, &sb, 1).err.reason, "Fenced");
    assert_int_equal(world_load(f, dead, o.project_id).n, 0);
    assert_int_equal(world_load(f, f->port, o.project_id).n, 1);
    store_close(late);
}

static bool is_among(const struct flows *w, const char *project_id)
{
    bool is_there = false;
    for (size_t i = 0; i < w->n; i++)
        is_there = is_there || strcmp(w->sb[i].project_id, project_id) == 0;
    return is_there;
}

static void a_recount_finds_what_is_held_and_not_led(void **state)
{
    struct fixture *f = *state;
    world_renew(f, f->port, FIXTURE_MS);
    struct owned o = world_project(f, "recount");
    world_request(f, f->port, &o, DESIRED_RUNNING, "recount");
    struct flows plain = world_claim(f, f->port, 10);
    assert_false(is_among(&plain, o.project_id));
    struct flows led = world_recount(f, f->port, o.project_id);
    assert_false(is_among(&led, o.project_id));
    struct flows lost = world_recount(f, f->port, "another");
    assert_true(is_among(&lost, o.project_id));
    struct store *stranger = fixture_another_store(f, "recounter", NULL);
    struct flows others = world_recount(f, store_port(stranger), NULL);
    assert_false(is_among(&others, o.project_id));
    store_close(stranger);
}

static void give_back(struct fixture *f, const struct port_store *port)
{
    struct answer a = {0};
    port->replica_release(port->self, FIXTURE_MS, on_answer, &a);
    expect_ok(f, &a);
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static void wait_for_listeners(struct fixture *f, const char *n)
{
    while (strcmp(sql_value(f, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'flow' AND query LIKE 'LISTEN%' "
                               "AND application_name = 'fullstackd listener' AND state = 'idle'"),
                  n) != 0)
        run_for(f, 2);
}

static void what_is_given_back_is_free_at_once(void **state)
{
    struct fixture *f = *state;
    unsigned heard = 0;
    struct store *leaving = fixture_another_store(f, "leaving", NULL);
    const struct port_store *port = store_port(leaving);
    world_renew(f, port, FIXTURE_MS);
    f->port->flows_subscribe(f->port->self, count, &heard);
    wait_for_listeners(f, "2");
    struct owned o = world_project(f, "release");
    struct sandbox sb = world_request(f, port, &o, DESIRED_RUNNING, "release").sb;
    give_back(f, port);
    assert_string_equal(world_save(f, port, &sb, 1).err.reason, "Fenced");
    struct flows w = world_claim(f, f->port, 10);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.sb[0].project_id, o.project_id);
    while (heard == 0) /* it would be counted by whoever listens next */
        run_for(f, 2);
    f->port->flows_subscribe(f->port->self, NULL, NULL);
    store_close(leaving);
}

/* Whoever stops is heard by the others with its commit, not by itself, and only if there is something to take. */
static void the_others_are_told_of_what_is_given_back(void **state)
{
    struct fixture *f = *state;
    unsigned here = 0;
    unsigned there = 0;
    struct store *leaving = fixture_another_store(f, "teller", NULL);
    const struct port_store *port = store_port(leaving);
    port->flows_subscribe(port->self, count, &there);
    f->port->flows_subscribe(f->port->self, count, &here);
    wait_for_listeners(f, "2");
    world_renew(f, port, FIXTURE_MS);
    give_back(f, port); /* nothing */
    world_renew(f, port, FIXTURE_MS);
    struct owned o = world_project(f, "told");
    world_request(f, port, &o, DESIRED_RUNNING, "told");
    assert_int_equal(here, 0);
    give_back(f, port);
    while (here == 0)
        run_for(f, 2);
    assert_int_equal(world_claim(f, f->port, 10).n, 1);
    assert_int_equal(here, 1);
    assert_int_equal(there, 0);
    f->port->flows_subscribe(f->port->self, NULL, NULL);
    store_close(leaving);
}

static void on_renewed(void *arg, bool was_held, const struct err *err)
{
    (void)was_held;
    on_answer(arg, err);
}

static void on_updated(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    assert_null(err);
    *(bool *)arg = true;
}

/* The answer of a renewal may be lost and its statement be done after the next one's. */
static void a_renewal_that_comes_late_shortens_no_lease(void **state)
{
    struct fixture *f = *state;
    struct store *slow = fixture_another_store(f, "slow", NULL);
    const struct port_store *port = store_port(slow);
    struct answer late = {0};
    bool is_renewed = false;
    world_renew(f, port, LEASE_MS);
    struct pg_connection *newer = hold(f, "SELECT FROM replicas WHERE id = 'slow' FOR UPDATE");
    port->replica_renew(port->self, LEASE_MS, FIXTURE_MS, on_renewed, &late);
    run_until_waiting(f, 1);
    sql(f, "CREATE TEMP TABLE between_them AS SELECT clock_timestamp() AS at");
    assert_non_null(pg_conn_query(newer,
                                  "UPDATE replicas SET lease_until = clock_timestamp() + interval '10 s' "
                                  "WHERE id = 'slow'",
                                  NULL, FIXTURE_MS, on_updated, &is_renewed));
    run_until(f, &is_renewed);
    hold_end(f, newer);
    expect_ok(f, &late);
    assert_string_equal(sql_value(f, "SELECT lease_until > at + interval '10 s' FROM replicas, between_them "
                                     "WHERE id = 'slow'"),
                        "t");
    store_close(slow);
}

/* PostgreSQL's clock went back: the lease ends as was asked for, or a dead replica would live for as long as the step.
 */
static void no_lease_is_longer_than_was_asked_for(void **state)
{
    struct fixture *f = *state;
    struct store *stepped = fixture_another_store(f, "stepped", NULL);
    world_renew(f, store_port(stepped), LEASE_MS);
    sql(f, "UPDATE replicas SET lease_until = now() + interval '1 hour' WHERE id = 'stepped'");
    world_renew(f, store_port(stepped), LEASE_MS);
    assert_string_equal(
        sql_value(f, "SELECT lease_until <= now() + interval '10 s' FROM replicas WHERE id = 'stepped'"), "t");
    store_close(stepped);
}

static void a_renewal_tells_whether_the_lease_was_held(void **state)
{
    struct fixture *f = *state;
    struct store *replica = fixture_another_store(f, "held", NULL);
    const struct port_store *port = store_port(replica);
    assert_false(world_renew(f, port, LEASE_MS)); /* it has never had one */
    assert_true(world_renew(f, port, LEASE_MS));
    sql(f, "UPDATE replicas SET lease_until = now() WHERE id = 'held'");
    assert_true(world_renew(f, port, LEASE_MS)); /* the end that was told is still to come */
    assert_true(world_renew(f, port, 1));
    run_for(f, 5);
    assert_false(world_renew(f, port, LEASE_MS));
    assert_true(world_renew(f, port, LEASE_MS));
    store_close(replica);
}

/* ---- many writers ---- */

struct writer {
    const struct port_store *port;
    struct sandbox sb;
    struct journal_event events[2];
    int left_n;
    int *alive_n;
    uint64_t last_seq;
};

static void write_next(struct writer *w);

static void on_written(void *arg, const struct journal_event *events, size_t n, const struct err *err)
{
    struct writer *w = arg;
    assert_null(err);
    assert_int_equal(n, 2);
    assert_true(events[0].seq > w->last_seq);
    assert_int_equal(events[1].seq, events[0].seq + 1);
    w->last_seq = events[1].seq;
    w->sb.saves++;
    write_next(w);
}

static void write_next(struct writer *w)
{
    if (w->left_n-- == 0) {
        --*w->alive_n;
        return;
    }
    const struct flow_save save = {.sb = &w->sb, .steps_json = STR("{}"), .events = w->events, .n_events = 2};
    w->port->flow_save(w->port->self, &save, FIXTURE_MS, on_written, w);
}

static void on_watched(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq,
                       const struct err *err);

/* Reads the journal again and again behind the writers: what a reader sees never has a hole. */
struct reader {
    const struct port_store *port;
    const char *owner_id;
    uint64_t seen;
    uint64_t until;
    bool is_done;
};

static void read_on(struct reader *r)
{
    const struct journal_query query = {.owner_id = r->owner_id, .after = r->seen, .limit = 500};
    r->port->journal_read(r->port->self, &query, FIXTURE_MS, on_watched, r);
}

static void on_watched(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq,
                       const struct err *err)
{
    struct reader *r = arg;
    assert_null(err);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(events[i].seq, ++r->seen);
    assert_true(n == 500 || last_seq == r->seen);
    r->is_done = r->seen >= r->until;
    if (!r->is_done)
        read_on(r);
}

static void numbers_are_gapless_and_visible_in_order_with_many_writers(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "w");
    struct writer writers[WRITERS] = {0};
    int alive_n = WRITERS;
    for (int i = 0; i < WRITERS; i++) {
        char name[] = {'w', (char)('0' + i), '\0'};
        world_another_project(f, &o, name);
        writers[i] = (struct writer){.port = f->port, .left_n = WRITES, .alive_n = &alive_n};
        writers[i].sb = world_request(f, f->port, &o, DESIRED_RUNNING, name).sb;
        for (int k = 0; k < 2; k++)
            writers[i].events[k] = (struct journal_event){.kind = JOURNAL_STAGE, .duration_ms = -1};
    }
    struct reader reader = {.port = f->port, .owner_id = o.owner_id, .until = WRITERS + WRITERS * WRITES * 2};
    read_on(&reader);
    for (int i = 0; i < WRITERS; i++)
        write_next(&writers[i]);
    run_until(f, &reader.is_done);
    while (alive_n > 0) /* a reader may see a write before its writer hears of it */
        run_for(f, 2);
    assert_string_equal(sql_value(f, "SELECT count(*) || ' ' || max(seq) || ' ' || (SELECT seq FROM journal_counters "
                                     "WHERE owner_id = 'u-w') FROM journal WHERE owner_id = 'u-w'"),
                        "408 408 408");
}

/* ---- at rest ---- */

static struct db_credentials credentials_of(const char *password)
{
    struct db_credentials c = {.host = "db.ns.svc", .port = 5433, .user = "us\"er", .database = "data{base}"};
    c.password = secret_new(str_from(password));
    return c;
}

struct got_credentials {
    bool is_done;
    struct err err;
    int port;
    char all[256];
};

static void on_credentials(void *arg, const struct db_credentials *c, const struct err *err)
{
    struct got_credentials *g = arg;
    g->is_done = true;
    err_copy(&g->err, err);
    if (c == NULL)
        return;
    struct arena *a = arena_new();
    assert_true(str_copy(
        str_from(arena_printf(a, "%s %s %s %.*s", c->host, c->user, c->database, STR_ARG(secret_reveal(&c->password)))),
        g->all, sizeof(g->all)));
    g->port = c->port;
    arena_free(a);
}

static struct got_credentials get_credentials(struct fixture *f, const struct port_store *port, const struct owned *o)
{
    struct got_credentials g = {0};
    port->credentials_get(port->self, o->owner_id, o->project_id, FIXTURE_MS, on_credentials, &g);
    run_until(f, &g.is_done);
    return g;
}

static void credentials_are_sealed_and_open_only_in_their_place(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "cred");
    struct sandbox sb = world_request(f, f->port, &o, DESIRED_RUNNING, "cred").sb;
    assert_int_equal(get_credentials(f, f->port, &o).err.kind, ERR_MISSING);
    struct db_credentials c = credentials_of("pass-word-in-plain");
    const struct flow_save save = {.sb = &sb, .steps_json = STR("{}"), .credentials = &c};
    assert_int_equal(world_save_it(f, f->port, &save).err.kind, ERR_NONE);
    db_credentials_fini(&c);
    struct got_credentials got = get_credentials(f, f->port, &o);
    assert_int_equal(got.err.kind, ERR_NONE);
    assert_string_equal(got.all, "db.ns.svc us\"er data{base} pass-word-in-plain");
    assert_int_equal(got.port, 5433);
    struct flows w = world_load(f, f->port, o.project_id);
    assert_true(w.has_credentials);
    assert_string_equal(w.password, "pass-word-in-plain");
    assert_string_equal(sql_value(f, "SELECT count(*) FROM databases WHERE password_box IS NOT NULL AND "
                                     "position('pass-word-in-plain'::bytea in password_box) > 0"),
                        "0");
    struct owned stranger = world_project(f, "stranger");
    memcpy(stranger.project_id, o.project_id, sizeof(stranger.project_id));
    assert_int_equal(get_credentials(f, f->port, &stranger).err.kind, ERR_MISSING);
    /* The box of one project under another's id does not open. */
    struct owned thief = world_project(f, "thief");
    world_request(f, f->port, &thief, DESIRED_RUNNING, "thief");
    sql(f, "UPDATE databases SET host = 'h', port = 1, username = 'u', dbname = 'd', password_box = "
           "(SELECT password_box FROM databases WHERE project_id = 'p-cred') WHERE project_id = 'p-thief'");
    assert_int_equal(get_credentials(f, f->port, &thief).err.kind, ERR_BUG);
    /* The flow itself goes on without: the engine reads them from the cluster again. */
    struct flows led = world_load(f, f->port, thief.project_id);
    assert_int_equal(led.n, 1);
    assert_false(led.has_credentials);
    /* Nor does it with another key of the same name. */
    struct codec_keyring *right = f->ring;
    f->ring = fixture_keyring("k1", 2);
    struct store *wrong = fixture_another_store(f, "wrong-key", NULL);
    assert_int_equal(get_credentials(f, store_port(wrong), &o).err.kind, ERR_BUG);
    store_close(wrong);
    run_for(f, 1);
    codec_keyring_free(f->ring);
    f->ring = right;
}

struct got_env {
    bool is_done;
    struct err err;
    char all[512];
};

static void on_env(void *arg, const struct env_list *env, const struct err *err)
{
    struct got_env *g = arg;
    struct arena *a = arena_new();
    const char *all = "";
    g->is_done = true;
    err_copy(&g->err, err);
    for (size_t i = 0; err == NULL && i < env->n; i++)
        all = arena_printf(a, "%s%.*s=%.*s;", all, STR_ARG(env->vars[i].key), STR_ARG(env->vars[i].value));
    assert_true(str_copy(str_from(all), g->all, sizeof(g->all)));
    arena_free(a);
}

static struct got_env get_env(struct fixture *f, const struct owned *o)
{
    struct got_env g = {0};
    f->port->env_of(f->port->self, o->project_id, FIXTURE_MS, on_env, &g);
    run_until(f, &g.is_done);
    return g;
}

static void put_variable(struct fixture *f, const struct owned *o, const char *id, const char *key, const char *value)
{
    struct arena *a = arena_new();
    struct buf box;
    struct buf hex;
    buf_init(&box, 4096);
    buf_init(&hex, 8192);
    codec_seal(f->ring, str_from(arena_printf(a, "environment|value_box|%s/%s", o->project_id, key)), str_from(value),
               &box);
    codec_hex(&hex, box.p, box.n);
    sql(f,
        arena_printf(a, "INSERT INTO environment (id, project_id, key, value_box) VALUES ('%s', '%s', '%s', '\\x%s')",
                     id, o->project_id, key, buf_text(&hex)));
    buf_fini(&box);
    buf_fini(&hex);
    arena_free(a);
}

static void the_requests_variables_win_and_none_is_readable_at_rest(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "env");
    put_variable(f, &o, "e1", "A", "project-a");
    put_variable(f, &o, "e2", "B", "project-b");
    const struct env_var vars[] = {
        {STR("B"), STR("request-b")                },
        {STR("C"), STR("line\n\"quoted\" \xc3\xa4")}
    };
    const struct env_list env = {vars, 2};
    struct asked a;
    world_request_start(f->port, &o, DESIRED_RUNNING, "env", &env, &a);
    run_until(f, &a.is_done);
    assert_int_equal(a.err.kind, ERR_NONE);
    assert_string_equal(get_env(f, &o).all, "A=project-a;B=request-b;C=line\n\"quoted\" \xc3\xa4;");
    assert_string_equal(
        sql_value(f, "SELECT position('request-b'::bytea in env_box) FROM sandboxes WHERE project_id = 'p-env'"), "0");
    /* A retry without variables keeps them; one with an empty list drops them. */
    world_settle(f, f->port, &a.sb, SANDBOX_ERROR, OUTCOME_FAILED);
    struct asked retry = world_request(f, f->port, &o, DESIRED_RUNNING, "env");
    assert_string_equal(get_env(f, &o).all, "A=project-a;B=request-b;C=line\n\"quoted\" \xc3\xa4;");
    world_settle(f, f->port, &retry.sb, SANDBOX_ERROR, OUTCOME_FAILED);
    const struct env_list none = {NULL, 0};
    world_request_start(f->port, &o, DESIRED_RUNNING, "env", &none, &a);
    run_until(f, &a.is_done);
    assert_string_equal(get_env(f, &o).all, "A=project-a;B=project-b;");
    sql(f, "UPDATE environment SET value_box = set_byte(value_box, length(value_box) - 1, "
           "get_byte(value_box, length(value_box) - 1) # 1) WHERE id = 'e1'");
    assert_int_equal(get_env(f, &o).err.kind, ERR_BUG);
}

static void running_sandboxes_are_listed_in_pages(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"run-a", "run-b", "run-c"};
    for (size_t i = 0; i < 3; i++) {
        struct owned o = world_project(f, names[i]);
        struct sandbox sb = world_request(f, f->port, &o, DESIRED_RUNNING, names[i]).sb;
        if (i != 1)
            world_settle(f, f->port, &sb, SANDBOX_RUNNING, OUTCOME_READY);
    }
    struct flows w = world_watched(f, f->port, &(struct watched_query){.after = "p-run-", .max = 1});
    assert_int_equal(w.n, 1);
    assert_string_equal(w.sb[0].project_id, "p-run-a");
    w = world_watched(f, f->port, &(struct watched_query){.after = "p-run-a", .max = 1});
    assert_string_equal(w.sb[0].project_id, "p-run-c");
    const struct str ids[] = {STR("p-run-b"), STR("p-run-c"), STR("nobody")};
    w = world_watched(f, f->port, &(struct watched_query){.after = "", .max = 10, .ids = ids, .ids_n = 3});
    assert_int_equal(w.n, 1);
    assert_string_equal(w.sb[0].project_id, "p-run-c");
}

struct usual {
    bool is_done;
    int64_t p50_ms[STAGE_N];
};

static void on_usual(void *arg, const struct stage_usual usual[STAGE_N], const struct err *err)
{
    struct usual *u = arg;
    assert_null(err);
    u->is_done = true;
    for (size_t i = 0; i < STAGE_N; i++)
        u->p50_ms[i] = usual[i].p50_ms;
}

static void the_usual_duration_is_the_median_of_the_last_fifty(void **state)
{
    struct fixture *f = *state;
    sql(f, "INSERT INTO journal (owner_id, seq, project_id, attempt, kind, stage, stage_status, at, duration_ms) "
           "SELECT 'usual', n, 'p', 1, 'stage', 'networking', CASE WHEN n % 2 = 0 THEN 'completed' ELSE 'failed' END, "
           "now() + n * interval '1 second', CASE WHEN n <= 20 THEN 1000000 WHEN n % 2 = 0 THEN n ELSE 7777777 END "
           "FROM generate_series(1, 120) n");
    struct usual u = {0};
    f->port->stage_usual(f->port->self, FIXTURE_MS, on_usual, &u);
    run_until(f, &u.is_done);
    assert_int_equal(u.p50_ms[STAGE_NETWORKING], 70); /* of 22, 24, …, 120 */
    assert_int_equal(u.p50_ms[STAGE_READY], -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_brings_row_and_journal_forward_together),
        cmocka_unit_test(an_old_attempt_or_fence_or_a_settled_row_is_refused),
        cmocka_unit_test(flows_of_the_dead_are_claimed_once_and_the_dead_are_fenced),
        cmocka_unit_test(a_recount_finds_what_is_held_and_not_led),
        cmocka_unit_test(what_is_given_back_is_free_at_once),
        cmocka_unit_test(the_others_are_told_of_what_is_given_back),
        cmocka_unit_test(a_renewal_that_comes_late_shortens_no_lease),
        cmocka_unit_test(no_lease_is_longer_than_was_asked_for),
        cmocka_unit_test(a_renewal_tells_whether_the_lease_was_held),
        cmocka_unit_test(numbers_are_gapless_and_visible_in_order_with_many_writers),
        cmocka_unit_test(credentials_are_sealed_and_open_only_in_their_place),
        cmocka_unit_test(the_requests_variables_win_and_none_is_readable_at_rest),
        cmocka_unit_test(running_sandboxes_are_listed_in_pages),
        cmocka_unit_test(the_usual_duration_is_the_median_of_the_last_fifty),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
