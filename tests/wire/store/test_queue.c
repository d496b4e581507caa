// SPDX-License-Identifier: MIT
/* Creations that wait for their turn, and what a user may have: counted in the transaction that would begin one more.
 */
#include "tests/wire/store/world.h"

#include <string.h>

#include "core/base/arena.h"

enum { LEASE_MS = 60000, AT_ONCE = 20 };

static const struct request_limits ONE = {.creations_max = 1, .waiting_max = 100, .usual_ms = 20000};

static int setup(void **state)
{
    static struct fixture f;
    fixture_init(&f, "queue");
    fixture_open_store(&f, NULL);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

/* Each case begins with nothing. */
static int clear(void **state)
{
    struct fixture *f = *state;
    sql(f, "TRUNCATE users, journal, journal_counters, replicas CASCADE");
    world_renew(f, f->port, LEASE_MS);
    return 0;
}

static struct asked ask_within(struct fixture *f, const struct owned *o, const char *name,
                               const struct request_limits *limits)
{
    struct asked a;
    world_request_within(f->port, o, name, limits, &a);
    run_until(f, &a.is_done);
    return a;
}

/* One more creation of the owner; its project is called `name`. */
static struct asked another(struct fixture *f, struct owned *o, const char *name, const struct request_limits *limits)
{
    world_another_project(f, o, name);
    return ask_within(f, o, name, limits);
}

static bool waits(struct asked a)
{
    assert_int_equal(a.err.kind, ERR_NONE);
    return sandbox_waits(&a.sb);
}

struct looked {
    bool is_done;
    struct err err;
    size_t n;
    struct sandbox sb[WORLD_FLOWS_MAX];
    size_t n_events;
    struct journal_event events[WORLD_FLOWS_MAX];
    unsigned waiting_n;
};

static void on_look(void *arg, const struct queue_answer *answer, const struct err *err)
{
    struct looked *l = arg;
    assert_true(answer->n <= WORLD_FLOWS_MAX && answer->n_events <= WORLD_FLOWS_MAX);
    l->is_done = true;
    err_copy(&l->err, err);
    l->n = answer->n;
    l->n_events = answer->n_events;
    l->waiting_n = answer->waiting_n;
    for (size_t i = 0; i < answer->n; i++)
        l->sb[i] = answer->rows[i].sandbox;
    for (size_t i = 0; i < answer->n_events; i++)
        l->events[i] = answer->events[i];
}

static struct looked look(struct fixture *f, const struct port_store *port, const struct queue_look *what)
{
    struct looked l = {0};
    struct queue_look all = *what;
    all.max = all.max > 0 ? all.max : 10;
    all.now_ms = 1760176800456;
    port->queue_admit(port->self, &all, FIXTURE_MS, on_look, &l);
    run_until(f, &l.is_done);
    assert_int_equal(l.err.kind, ERR_NONE);
    return l;
}

static struct looked look_for(struct fixture *f, unsigned creations_max)
{
    return look(f, f->port, &(struct queue_look){.creations_max = creations_max});
}

static void end(struct fixture *f, struct sandbox *sb)
{
    assert_int_equal(world_settle(f, f->port, sb, SANDBOX_RUNNING, OUTCOME_READY).err.kind, ERR_NONE);
}

/* Whose turn comes when the one that is being created ends: a name, valid until the next call. */
static const char *next(struct fixture *f, struct sandbox *current)
{
    end(f, current);
    struct looked l = look_for(f, 1);
    assert_int_equal(l.n, 1);
    *current = l.sb[0];
    static char name[ID_SIZE];
    assert_true(str_copy(str_slice(str_from(current->project_id), strlen("p-"), ID_SIZE), name, sizeof(name)));
    return name;
}

static void who_finds_a_free_slot_begins_at_once_and_the_next_waits(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "first");
    struct asked a = ask_within(f, &o, "first", &ONE);
    assert_int_equal(a.result, REQUEST_STARTED);
    assert_int_equal(a.n_events, 1);
    assert_false(sandbox_waits(&a.sb));
    sql(f, "UPDATE sandboxes SET attempt_started_at = now()");
    struct asked b = another(f, &o, "second", &ONE);
    assert_int_equal(b.result, REQUEST_STARTED);
    assert_int_equal(b.sb.status, SANDBOX_CREATING);
    assert_true(sandbox_waits(&b.sb));
    assert_int_equal(b.sb.queue_position, 1);
    assert_string_equal(b.sb.message, "waiting for its turn: position 1, about 20 s");
    assert_int_equal(b.n_events, 2);
    assert_int_equal(b.events[0].kind, JOURNAL_STATUS);
    assert_string_equal(b.events[0].message, "creation requested");
    assert_int_equal(b.events[1].kind, JOURNAL_QUEUED);
    assert_int_equal(b.events[1].position, 1);
    assert_in_range(b.events[1].duration_ms, 2000, 20000);
    assert_int_equal(b.events[1].seq, b.events[0].seq + 1);
    assert_int_equal(ask_within(f, &o, "second", &ONE).result, REQUEST_IN_PROGRESS);
    /* Nobody leads it. */
    assert_int_equal(world_load(f, f->port, o.project_id).n, 0);
    assert_int_equal(world_claim(f, f->port, 10).n, 0);
    struct looked early = look_for(f, 1);
    assert_int_equal(early.n, 0);
    assert_int_equal(early.waiting_n, 1);
    end(f, &a.sb);
    struct looked l = look_for(f, 1);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.waiting_n, 0);
    assert_string_equal(l.sb[0].project_id, o.project_id);
    assert_false(sandbox_waits(&l.sb[0]));
    assert_string_equal(l.sb[0].message, "");
    assert_int_equal(l.n_events, 1);
    assert_int_equal(l.events[0].kind, JOURNAL_STATUS);
    assert_string_equal(l.events[0].message, "its turn has come");
    assert_int_equal(world_load(f, f->port, o.project_id).n, 1);
    end(f, &l.sb[0]);
}

static void users_take_turns_whoever_asked_for_how_many(void **state)
{
    struct fixture *f = *state;
    struct owned a = world_project(f, "a1");
    struct asked first = ask_within(f, &a, "a1", &ONE);
    static const char *const names[] = {"a2", "a3", "a4", "a5"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(another(f, &a, names[i], &ONE).sb.queue_position, i + 1);
    struct owned b = world_project(f, "b1");
    assert_int_equal(ask_within(f, &b, "b1", &ONE).sb.queue_position, 2); /* as old a first one, but later */
    assert_int_equal(another(f, &b, "b2", &ONE).sb.queue_position, 4);
    struct owned c = world_project(f, "c1");
    assert_int_equal(ask_within(f, &c, "c1", &ONE).sb.queue_position, 3);
    static const char *const order[] = {"a2", "b1", "c1", "a3", "b2", "a4", "a5"};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        assert_string_equal(next(f, &first.sb), order[i]);
    end(f, &first.sb);
}

static void who_comes_new_waits_for_one_of_each_and_who_had_a_turn_for_the_others(void **state)
{
    struct fixture *f = *state;
    struct owned a = world_project(f, "d1");
    struct asked first = ask_within(f, &a, "d1", &ONE);
    (void)another(f, &a, "d2", &ONE);
    (void)another(f, &a, "d3", &ONE);
    assert_string_equal(next(f, &first.sb), "d2");
    struct owned b = world_project(f, "e1");
    (void)ask_within(f, &b, "e1", &ONE);
    assert_string_equal(next(f, &first.sb), "e1"); /* d3 is older, but its user was served */
    (void)another(f, &b, "e2", &ONE);
    assert_string_equal(next(f, &first.sb), "d3");
    assert_string_equal(next(f, &first.sb), "e2");
    end(f, &first.sb);
}

static const char *const AT_ONCE_NAMES[AT_ONCE] = {"n0",  "n1",  "n2",  "n3",  "n4",  "n5",  "n6",
                                                   "n7",  "n8",  "n9",  "n10", "n11", "n12", "n13",
                                                   "n14", "n15", "n16", "n17", "n18", "n19"};

static void no_more_begin_than_may_however_many_ask_at_once(void **state)
{
    struct fixture *f = *state;
    const struct request_limits three = {.creations_max = 3, .waiting_max = 4};
    struct owned o[8];
    struct asked a[8];
    for (size_t i = 0; i < 8; i++)
        o[i] = world_project(f, AT_ONCE_NAMES[i]);
    struct pg_connection *holder = hold(f, "SELECT pg_advisory_xact_lock(hashtext('fs_queue'), 0)");
    for (size_t i = 0; i < 8; i++)
        world_request_within(f->port, &o[i], AT_ONCE_NAMES[i], &three, &a[i]);
    run_until_waiting(f, 8);
    hold_end(f, holder);
    unsigned begun_n = 0;
    unsigned waiting_n = 0;
    unsigned refused_n = 0;
    for (size_t i = 0; i < 8; i++) {
        run_until(f, &a[i].is_done);
        begun_n += a[i].err.kind == ERR_NONE && !sandbox_waits(&a[i].sb);
        waiting_n += a[i].err.kind == ERR_NONE && sandbox_waits(&a[i].sb);
        refused_n += a[i].err.kind == ERR_LIMIT;
        if (a[i].err.kind == ERR_NONE)
            continue;
        assert_string_equal(a[i].err.reason, "QueueFull");
        assert_int_equal(a[i].err.limit, 4);
        assert_int_equal(a[i].err.current, 4);
        assert_true(a[i].err.retry_after_s > 0);
    }
    assert_int_equal(begun_n, 3);
    assert_int_equal(waiting_n, 4);
    assert_int_equal(refused_n, 1);
}

static void each_replica_and_each_cluster_has_its_own_measure(void **state)
{
    struct fixture *f = *state;
    struct store *second = fixture_another_store(f, "r2", NULL);
    const struct port_store *r2 = store_port(second);
    world_renew(f, r2, LEASE_MS);
    const struct request_limits limits = {.replica_creations_max = 1, .cluster_creations_max = 2, .waiting_max = 100};
    const struct str cluster = STR("default");
    const int64_t cluster_max = 2;
    const struct queue_look what = {
        .replica_creations_max = 1, .clusters = &cluster, .cluster_creations_max = &cluster_max, .clusters_n = 1};
    struct owned o = world_project(f, "k1");
    struct asked a = ask_within(f, &o, "k1", &limits);
    assert_false(sandbox_waits(&a.sb));
    assert_true(waits(another(f, &o, "k2", &limits)));
    assert_true(waits(another(f, &o, "k3", &limits)));
    assert_int_equal(look(f, f->port, &what).n, 0); /* this one has its own */
    assert_int_equal(look(f, r2, &what).n, 1);
    struct queue_look roomy = what;
    roomy.replica_creations_max = 10;
    assert_int_equal(look(f, r2, &roomy).n, 0); /* the cluster has two */
    end(f, &a.sb);
    assert_int_equal(look(f, f->port, &what).n, 1);
    /* A dead replica's creation keeps its slot with whoever takes it over. */
    sql(f, "UPDATE replicas SET lease_until = now() - interval '1 second' WHERE id = 'r2'");
    assert_true(waits(another(f, &o, "k4", &limits)));
    assert_int_equal(look(f, f->port, &roomy).n, 0);
    assert_int_equal(world_claim(f, f->port, 10).n, 1);
    assert_int_equal(look(f, f->port, &roomy).n, 0);
    store_close(second);
}

static void a_creation_that_never_began_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "c0");
    struct asked begun = ask_within(f, &o, "c0", &ONE);
    assert_true(waits(another(f, &o, "c2", &ONE)));
    struct asked gone = world_request(f, f->port, &o, DESIRED_TERMINATED, NULL);
    assert_int_equal(gone.result, REQUEST_STARTED);
    assert_int_equal(gone.sb.status, SANDBOX_TERMINATED);
    assert_true(gone.sb.is_settled);
    assert_int_equal(gone.n_events, 1);
    assert_int_equal(gone.events[0].kind, JOURNAL_DONE);
    assert_int_equal(gone.events[0].outcome, OUTCOME_CANCELLED);
    assert_int_equal(gone.events[0].code, REASON_CANCELLED);
    assert_string_equal(sql_value(f, "SELECT steps::json->>'ended' || (steps::json->>'attempt') FROM sandboxes WHERE "
                                     "project_id = 'p-c2'"),
                        "true1");
    assert_true(waits(another(f, &o, "c3", &ONE)));
    struct asked deleted = world_request(f, f->port, &o, DESIRED_DELETED, NULL);
    assert_int_equal(deleted.events[0].outcome, OUTCOME_DELETED);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM projects WHERE id = 'p-c3'"), "0");
    end(f, &begun.sb);
    assert_int_equal(look_for(f, 1).n, 0);
}

static void a_retry_that_waits_and_is_given_up_is_undone_without_doubt(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "t1");
    struct asked a = ask_within(f, &o, "t1", &ONE);
    assert_int_equal(world_settle(f, f->port, &a.sb, SANDBOX_ERROR, OUTCOME_FAILED).err.kind, ERR_NONE);
    struct owned other = world_project(f, "t2");
    (void)ask_within(f, &other, "t2", &ONE);
    assert_true(waits(ask_within(f, &o, "t1", &ONE)));
    struct asked turned = world_request(f, f->port, &o, DESIRED_TERMINATED, NULL);
    assert_int_equal(turned.sb.status, SANDBOX_TERMINATING);
    assert_false(sandbox_waits(&turned.sb));
    assert_true(turned.sb.queued_ms > 0); /* nobody has anything under way for it */
    assert_int_equal(world_load(f, f->port, o.project_id).n, 1);
    /* Whoever turns it once more cannot know that any more. */
    struct asked again = world_request(f, f->port, &o, DESIRED_DELETED, NULL);
    assert_int_equal(again.sb.queued_ms, 0);
}

static void a_start_does_not_wait_behind_its_own_stop(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "s1");
    struct asked a = ask_within(f, &o, "s1", &ONE);
    end(f, &a.sb);
    assert_int_equal(world_request(f, f->port, &o, DESIRED_STOPPED, NULL).result, REQUEST_STARTED);
    struct owned other = world_project(f, "s2");
    (void)ask_within(f, &other, "s2", &ONE);
    struct asked refused = ask_within(f, &o, "s1", &ONE);
    assert_int_equal(refused.err.kind, ERR_CONFLICT);
    assert_string_equal(refused.err.reason, "BeingStopped");
    assert_true(refused.err.retry_after_s > 0);
}

static void places_that_moved_are_told_and_not_too_often(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "m1");
    struct asked a = ask_within(f, &o, "m1", &ONE);
    static const char *const names[] = {"m2", "m3", "m4"};
    for (size_t i = 0; i < 3; i++)
        (void)another(f, &o, names[i], &ONE);
    const struct queue_look what = {.creations_max = 1, .is_telling = true, .usual_ms = 20000};
    assert_int_equal(look(f, f->port, &what).n_events, 0);
    end(f, &a.sb);
    struct looked l = look(f, f->port, &what);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.n_events, 1); /* its turn; the others were told a moment ago */
    sql(f, "UPDATE sandboxes SET queue_told_at = queue_told_at - interval '3 s' WHERE queue_position > 0");
    l = look(f, f->port, &what);
    assert_int_equal(l.n, 0);
    assert_int_equal(l.n_events, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(l.events[i].kind, JOURNAL_QUEUED);
        assert_int_equal(l.events[i].position, i + 1);
        assert_in_range(l.events[i].duration_ms, i * 20000 + 2000, (i + 1) * 20000);
    }
    assert_int_equal(look(f, f->port, &what).n_events, 0);
    assert_string_equal(sql_value(f, "SELECT queue_position FROM sandboxes WHERE project_id = 'p-m4'"), "2");
}

static void assert_news(struct fixture *f, int told_ago_s, int told, int place, const char *wanted)
{
    struct arena *a = arena_new();
    const char *text =
        arena_printf(a,
                     "SELECT fs_queue_is_news(s, %d, 20000, 2000, 30000) FROM (SELECT (jsonb_populate_record("
                     "NULL::sandboxes, jsonb_build_object('queue_position', %d, 'queue_wait_ms', 20000, "
                     "'queue_told_at', now() - interval '%d s'))).*) s",
                     place, told, told_ago_s);
    if (strcmp(sql_value(f, text), wanted) != 0)
        fail_msg("told %d, is %d after %d s: not %s", told, place, told_ago_s, wanted);
    arena_free(a);
}

static void a_long_queue_is_told_in_few_words(void **state)
{
    struct fixture *f = *state;
    assert_news(f, 1, 5, 4, "f");
    assert_news(f, 3, 5, 4, "t");
    assert_news(f, 3, 5, 5, "f");
    assert_news(f, 3, 4, 5, "t");
    assert_news(f, 3, 400, 301, "f");
    assert_news(f, 3, 400, 300, "t");
    assert_news(f, 3, 400, 600, "f");
    assert_news(f, 3, 400, 601, "t");
    assert_news(f, 49, 400, 400, "f");
    assert_news(f, 51, 400, 400, "t"); /* 20 s were told, and 30 more are over */
    /* From 500 to 1 by ones, at any pace. */
    const char *n = sql_value(f, "WITH RECURSIVE w (place, told, n) AS (SELECT 500, 500, 0 UNION ALL SELECT place - 1, "
                                 "CASE WHEN is_news THEN place - 1 ELSE told END, n + is_news::integer FROM w, LATERAL "
                                 "(SELECT fs_queue_is_news(s, place - 1, 1000000, 2000, 30000) AS is_news FROM (SELECT "
                                 "(jsonb_populate_record(NULL::sandboxes, jsonb_build_object('queue_position', told, "
                                 "'queue_wait_ms', 1000000, 'queue_told_at', now() - interval '1 hour' + interval "
                                 "'59 min'))).*) s) x WHERE place > 1) SELECT max(n) FROM w");
    assert_string_equal(n, "20");
}

static void a_user_has_no_more_sandboxes_than_may_however_many_are_asked_for_at_once(void **state)
{
    struct fixture *f = *state;
    const struct request_limits three = {.user_sandboxes_max = 3};
    struct owned o = world_project(f, AT_ONCE_NAMES[0]);
    struct owned all[AT_ONCE];
    struct asked a[AT_ONCE];
    all[0] = o;
    for (size_t i = 1; i < AT_ONCE; i++) {
        world_another_project(f, &o, AT_ONCE_NAMES[i]);
        all[i] = o;
    }
    for (size_t i = 0; i < AT_ONCE; i++)
        world_request_within(f->port, &all[i], AT_ONCE_NAMES[i], &three, &a[i]);
    size_t one = AT_ONCE;
    unsigned begun_n = 0;
    for (size_t i = 0; i < AT_ONCE; i++) {
        run_until(f, &a[i].is_done);
        begun_n += a[i].err.kind == ERR_NONE;
        if (a[i].err.kind == ERR_NONE) {
            one = i;
            continue;
        }
        assert_int_equal(a[i].err.kind, ERR_CONFLICT);
        assert_string_equal(a[i].err.reason, "TooManySandboxes");
        assert_int_equal(a[i].err.limit, 3);
        assert_int_equal(a[i].err.current, 3);
    }
    assert_int_equal(begun_n, 3);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM sandboxes"), "3");
    /* His own are not counted against themselves, another's not at all; and what is stopped makes room. */
    struct owned other = world_project(f, "other");
    assert_int_equal(ask_within(f, &other, "other", &three).err.kind, ERR_NONE);
    assert_int_equal(ask_within(f, &all[one], AT_ONCE_NAMES[one], &three).result, REQUEST_IN_PROGRESS);
    end(f, &a[one].sb);
    (void)world_request(f, f->port, &all[one], DESIRED_STOPPED, NULL);
    assert_int_equal(another(f, &o, "n20", &three).err.kind, ERR_NONE);
}

struct made {
    bool is_done;
    struct err err;
};

static void on_made(void *arg, const struct project *project, const struct err *err)
{
    struct made *m = arg;
    (void)project;
    m->is_done = true;
    err_copy(&m->err, err);
}

static void a_user_has_no_more_projects_than_may_however_many_are_asked_for_at_once(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "only");
    struct made m[AT_ONCE] = {0};
    const struct project_wish wish = {
        .owner_id = o.owner_id, .name = STR("more"), .cluster = "default", .projects_max = 5};
    unsigned made_n = 0;
    for (size_t i = 0; i < AT_ONCE; i++)
        f->port->project_create(f->port->self, &wish, FIXTURE_MS, on_made, &m[i]);
    for (size_t i = 0; i < AT_ONCE; i++) {
        run_until(f, &m[i].is_done);
        made_n += m[i].err.kind == ERR_NONE;
        if (m[i].err.kind == ERR_NONE)
            continue;
        assert_int_equal(m[i].err.kind, ERR_CONFLICT);
        assert_string_equal(m[i].err.reason, "TooManyProjects");
        assert_int_equal(m[i].err.limit, 5);
        assert_int_equal(m[i].err.current, 5);
    }
    assert_int_equal(made_n, 4);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM projects"), "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_finds_a_free_slot_begins_at_once_and_the_next_waits, clear),
        cmocka_unit_test_setup(users_take_turns_whoever_asked_for_how_many, clear),
        cmocka_unit_test_setup(who_comes_new_waits_for_one_of_each_and_who_had_a_turn_for_the_others, clear),
        cmocka_unit_test_setup(no_more_begin_than_may_however_many_ask_at_once, clear),
        cmocka_unit_test_setup(each_replica_and_each_cluster_has_its_own_measure, clear),
        cmocka_unit_test_setup(a_creation_that_never_began_ends_at_once, clear),
        cmocka_unit_test_setup(a_retry_that_waits_and_is_given_up_is_undone_without_doubt, clear),
        cmocka_unit_test_setup(a_start_does_not_wait_behind_its_own_stop, clear),
        cmocka_unit_test_setup(places_that_moved_are_told_and_not_too_often, clear),
        cmocka_unit_test_setup(a_long_queue_is_told_in_few_words, clear),
        cmocka_unit_test_setup(a_user_has_no_more_sandboxes_than_may_however_many_are_asked_for_at_once, clear),
        cmocka_unit_test_setup(a_user_has_no_more_projects_than_may_however_many_are_asked_for_at_once, clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
