// SPDX-License-Identifier: MIT
/* The pool against a PostgreSQL that dies, restarts and falls silent. */
#include "tests/wire/store/fixture.h"

#include <signal.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "store/pg_pool.h"

enum { MANY = 600 };

struct reply {
    bool is_done;
    enum err_kind kind;
    int64_t number;
    unsigned retry_after_s;
};

static void on_reply(void *arg, const struct pg_result *result, const struct err *err)
{
    struct reply *r = arg;
    assert_false(r->is_done);
    r->is_done = true;
    r->kind = err != NULL ? err->kind : ERR_NONE;
    r->retry_after_s = err != NULL ? err->retry_after_s : 0;
    r->number = pg_row_int(result, 0, 0, -1);
}

static int setup(void **state)
{
    static struct fixture f;
    fixture_init(&f, "pg_pool");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static bool is_all_up(void *arg)
{
    struct pg_pool_stats stats;
    pg_pool_stats(arg, &stats);
    return stats.up_n == stats.connections_n;
}

static bool is_all_down(void *arg)
{
    struct pg_pool_stats stats;
    pg_pool_stats(arg, &stats);
    return stats.up_n == 0;
}

static struct pg_pool *open_pool(struct fixture *f, struct pg_pool_config config)
{
    struct err err = {0};
    config.conninfo = &f->conninfo;
    config.application_name = "pool";
    struct pg_pool *p = pg_pool_new(f->loop, &config, &err);
    assert_non_null(p);
    run_until_true(f, is_all_up, p);
    return p;
}

static struct op *ask(struct pg_pool *p, int64_t number, ms_t timeout_ms, struct reply *r)
{
    struct pg_params *params = pg_params_new();
    pg_add_int(params, number);
    return pg_pool_query(p, "SELECT $1::bigint", params, timeout_ms, on_reply, r);
}

static void everything_asked_is_answered_with_its_own_answer(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 3, .depth_n = 4});
    struct reply *r = arena_alloc(a, MANY * sizeof(*r));
    for (int i = 0; i < MANY; i++)
        ask(p, i, FIXTURE_MS, &r[i]);
    struct pg_pool_stats stats;
    pg_pool_stats(p, &stats);
    assert_int_equal(stats.in_flight_n, 12);
    assert_int_equal(stats.queue_n, MANY - 12);
    assert_true(stats.server_version >= 150000);
    for (int i = 0; i < MANY; i++) {
        run_until(f, &r[i].is_done);
        assert_int_equal(r[i].kind, ERR_NONE);
        assert_int_equal(r[i].number, i);
    }
    pg_pool_free(p);
    arena_free(a);
}

static void the_queue_is_bounded_and_its_deadline_counts(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 1, .depth_n = 1, .queue_max = 2});
    struct reply busy = {0};
    struct reply waiting[2] = {0};
    struct reply over = {0};
    pg_pool_query(p, "SELECT pg_sleep(0.4)", NULL, FIXTURE_MS, on_reply, &busy);
    ask(p, 1, 100, &waiting[0]);
    ask(p, 2, FIXTURE_MS, &waiting[1]);
    ask(p, 3, FIXTURE_MS, &over);
    assert_false(over.is_done);
    run_until(f, &over.is_done);
    assert_int_equal(over.kind, ERR_NOT_READY);
    assert_true(over.retry_after_s > 0);
    run_until(f, &waiting[0].is_done);
    assert_int_equal(waiting[0].kind, ERR_TIMEOUT);
    assert_false(busy.is_done);
    run_until(f, &waiting[1].is_done);
    assert_int_equal(waiting[1].number, 2);
    pg_pool_free(p);
}

static void a_slow_statement_holds_only_its_own_connection(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 2, .depth_n = 8});
    struct reply slow = {0};
    struct reply quick[4] = {0};
    pg_pool_query(p, "SELECT pg_sleep(1)", NULL, FIXTURE_MS, on_reply, &slow);
    for (int i = 0; i < 4; i++) {
        ask(p, i, FIXTURE_MS, &quick[i]);
        run_until(f, &quick[i].is_done);
    }
    assert_false(slow.is_done);
    pg_pool_free(p);
}

static void one_killed_backend_costs_only_what_was_with_it(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 2, .depth_n = 8});
    struct reply pid = {0};
    struct reply victim = {0};
    struct reply after[20] = {0};
    pg_pool_query(p, "SELECT pg_backend_pid()", NULL, FIXTURE_MS, on_reply, &pid);
    run_until(f, &pid.is_done);
    /* The same connection again: it is the first of the idle ones. */
    pg_pool_query(p, "SELECT pg_sleep(30)", NULL, FIXTURE_MS, on_reply, &victim);
    run_for(f, 20);
    assert_int_equal(kill((pid_t)pid.number, SIGTERM), 0);
    run_until(f, &victim.is_done);
    assert_int_equal(victim.kind, ERR_NOT_READY);
    for (int i = 0; i < 20; i++)
        ask(p, i, FIXTURE_MS, &after[i]);
    for (int i = 0; i < 20; i++) {
        run_until(f, &after[i].is_done);
        assert_int_equal(after[i].number, i);
    }
    run_until_true(f, is_all_up, p);
    pg_pool_free(p);
}

static void a_backend_killed_hard_brings_all_down_and_up_again(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 3});
    struct reply pid = {0};
    pg_pool_query(p, "SELECT pg_backend_pid()", NULL, FIXTURE_MS, on_reply, &pid);
    run_until(f, &pid.is_done);
    assert_int_equal(kill((pid_t)pid.number, SIGKILL), 0); /* PostgreSQL restarts itself after such a crash */
    run_until_true(f, is_all_down, p);
    run_until_true(f, is_all_up, p);
    struct reply after = {0};
    ask(p, 5, FIXTURE_MS, &after);
    run_until(f, &after.is_done);
    assert_int_equal(after.number, 5);
    pg_pool_free(p);
}

static void while_the_server_is_away_statements_fail_soon_and_heal_after(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 2, .down_grace_ms = 300});
    struct reply in_flight = {0};
    pg_pool_query(p, "SELECT pg_sleep(30)", NULL, FIXTURE_MS, on_reply, &in_flight);
    run_for(f, 20);
    control("FS_PG_CTL", "stop");
    struct reply waited = {0};
    run_until_true(f, is_all_down, p);
    ask(p, 1, FIXTURE_MS, &waited);
    run_until(f, &waited.is_done);
    assert_int_equal(in_flight.kind, ERR_NOT_READY);
    assert_int_equal(waited.kind, ERR_NOT_READY);
    assert_true(waited.retry_after_s > 0);
    struct reply at_once = {0};
    ask(p, 2, FIXTURE_MS, &at_once);
    assert_false(at_once.is_done);
    run_until(f, &at_once.is_done);
    assert_int_equal(at_once.kind, ERR_NOT_READY);
    control("FS_PG_CTL", "start");
    run_until_true(f, is_all_up, p);
    struct reply after = {0};
    ask(p, 3, FIXTURE_MS, &after);
    run_until(f, &after.is_done);
    assert_int_equal(after.number, 3);
    pg_pool_free(p);
}

static void signal_all(struct fixture *f, int signo, const int64_t *pids, size_t n)
{
    (void)f;
    for (size_t i = 0; i < n; i++)
        (void)kill((pid_t)pids[i], signo);
}

static void a_stopped_server_costs_deadlines_not_hangs(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(
        f, (struct pg_pool_config){
               .connections_n = 2, .connect_timeout_ms = 200, .silence_timeout_ms = 300, .down_grace_ms = 200});
    /* Two sleeping statements side by side tell both backends. */
    struct reply pid[2] = {0};
    for (int i = 0; i < 2; i++)
        pg_pool_query(p, "SELECT pg_backend_pid() FROM pg_sleep(0.1)", NULL, FIXTURE_MS, on_reply, &pid[i]);
    run_until(f, &pid[0].is_done);
    run_until(f, &pid[1].is_done);
    assert_int_not_equal(pid[0].number, pid[1].number);
    const int64_t all[] = {control_pid("FS_PG_CTL"), pid[0].number, pid[1].number};
    signal_all(f, SIGSTOP, all, 3);
    struct reply stuck = {0};
    ask(p, 1, 100, &stuck);
    run_until(f, &stuck.is_done);
    assert_int_equal(stuck.kind, ERR_TIMEOUT);
    struct reply more[4] = {0};
    for (int i = 0; i < 4; i++)
        ask(p, i, FIXTURE_MS, &more[i]);
    for (int i = 0; i < 4; i++) {
        run_until(f, &more[i].is_done);
        assert_int_equal(more[i].kind, ERR_NOT_READY);
    }
    signal_all(f, SIGCONT, all, 3);
    run_until_true(f, is_all_up, p);
    struct reply after = {0};
    ask(p, 9, FIXTURE_MS, &after);
    run_until(f, &after.is_done);
    assert_int_equal(after.number, 9);
    pg_pool_free(p);
}

static void freeing_it_drops_everything_silently(void **state)
{
    struct fixture *f = *state;
    struct pg_pool *p = open_pool(f, (struct pg_pool_config){.connections_n = 1, .depth_n = 1});
    struct reply r[3] = {0};
    for (int i = 0; i < 3; i++)
        ask(p, i, FIXTURE_MS, &r[i]);
    pg_pool_free(p);
    run_for(f, 50);
    for (int i = 0; i < 3; i++)
        assert_false(r[i].is_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_asked_is_answered_with_its_own_answer),
        cmocka_unit_test(the_queue_is_bounded_and_its_deadline_counts),
        cmocka_unit_test(a_slow_statement_holds_only_its_own_connection),
        cmocka_unit_test(one_killed_backend_costs_only_what_was_with_it),
        cmocka_unit_test(a_backend_killed_hard_brings_all_down_and_up_again),
        cmocka_unit_test(while_the_server_is_away_statements_fail_soon_and_heal_after),
        cmocka_unit_test(a_stopped_server_costs_deadlines_not_hangs),
        cmocka_unit_test(freeing_it_drops_everything_silently),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
