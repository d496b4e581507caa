// SPDX-License-Identifier: MIT
/* Limits in PostgreSQL: when a stop is announced, taken back and done, by its clock; rows' times are moved, nobody
 * waits. */
#include "tests/wire/store/world.h"

#include <stdio.h>
#include <string.h>

#include "core/base/arena.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

/* Two hours unused, eight at a time, ten minutes before. */
static const struct limits_settings both = {2 * HOUR_MS, 8 * HOUR_MS, 10 * MINUTE_MS, true};
static const struct limits_settings none = {0, 0, 10 * MINUTE_MS, true};

struct looked {
    bool is_done;
    struct err err;
    enum limits_verdict verdict;
    bool has_event;
    struct journal_event event;
};
struct got {
    bool is_done;
    struct err err;
    struct project_limits limits;
};

static int setup(void **state)
{
    return world_setup(state, "limits");
}

static int clear(void **state)
{
    sql(*state, "DELETE FROM projects");
    return 0;
}

static void on_look(void *arg, enum limits_verdict verdict, const struct journal_event *event, const struct err *err)
{
    struct looked *l = arg;
    l->is_done = true;
    err_copy(&l->err, err);
    l->verdict = verdict;
    l->has_event = event != NULL;
    if (event != NULL)
        l->event = *event;
}

static struct looked look(struct fixture *f, const struct limits_settings *settings)
{
    struct looked l = {0};
    f->port->limits_look(f->port->self, settings, FIXTURE_MS, on_look, &l);
    run_until(f, &l.is_done);
    assert_int_equal(l.err.kind, ERR_NONE);
    assert_int_equal(l.has_event, l.verdict >= LIMITS_WARNED);
    return l;
}

static void on_limits(void *arg, const struct project_limits *limits, const struct err *err)
{
    struct got *g = arg;
    g->is_done = true;
    err_copy(&g->err, err);
    if (limits != NULL)
        g->limits = *limits;
}

static struct got get(struct fixture *f, const struct owned *o, const struct limits_settings *settings)
{
    struct got g = {0};
    f->port->limits_get(f->port->self, o->owner_id, o->project_id, settings, FIXTURE_MS, on_limits, &g);
    run_until(f, &g.is_done);
    return g;
}

static struct got set(struct fixture *f, const struct owned *o, const struct limits_settings *settings, ms_t idle,
                      ms_t age)
{
    struct got g = {0};
    const struct limits_wish wish = {o->owner_id, o->project_id, idle, age, settings};
    f->port->limits_set(f->port->self, &wish, FIXTURE_MS, on_limits, &g);
    run_until(f, &g.is_done);
    return g;
}

static void use(struct fixture *f, const char *user, const char *project, ms_t age)
{
    struct answer a = {0};
    const struct activity_use uses[] = {
        {project,    user, age},
        {"p-nobody", user, 0  }
    };
    f->port->activity_write(f->port->self, uses, 2, FIXTURE_MS, on_answer, &a);
    expect_ok(f, &a);
}

static struct owned running(struct fixture *f, const char *name)
{
    struct owned o = world_project(f, name);
    struct asked a = world_request(f, f->port, &o, DESIRED_RUNNING, name);
    assert_int_equal(a.result, REQUEST_STARTED);
    assert_int_equal(world_settle(f, f->port, &a.sb, SANDBOX_RUNNING, OUTCOME_READY).err.kind, ERR_NONE);
    sql(f, "UPDATE sandboxes SET attempt_started_at = now()");
    return o;
}

/* Everything that is told of a project happened that much earlier. */
static void pass(struct fixture *f, const char *interval)
{
    struct arena *a = arena_new();
    sql(f, arena_printf(a,
                        "UPDATE sandboxes SET updated_at = updated_at - interval '%s', attempt_started_at = "
                        "attempt_started_at - interval '%s'; ",
                        interval, interval));
    sql(f, arena_printf(a,
                        "UPDATE project_limits SET active_at = active_at - interval '%s', stops_at = stops_at - "
                        "interval '%s'",
                        interval, interval));
    arena_free(a);
}

static void nothing_is_due_without_a_limit(void **state)
{
    struct fixture *f = *state;
    running(f, "off");
    pass(f, "100 days");
    assert_int_equal(look(f, &none).verdict, LIMITS_OFF);
}

static void an_idle_one_is_warned_and_then_stopped(void **state)
{
    struct fixture *f = *state;
    struct owned o = running(f, "idle");
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "109 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "2 minutes");
    struct looked warned = look(f, &both);
    assert_int_equal(warned.verdict, LIMITS_WARNED);
    assert_int_equal(warned.event.kind, JOURNAL_STATUS);
    assert_int_equal(warned.event.status, SANDBOX_RUNNING);
    assert_int_equal(warned.event.code, REASON_IDLE_SOON);
    assert_string_equal(warned.event.message, "it stops in 10 min unless it is used: it may be idle for 2 h");
    assert_int_equal(warned.event.duration_ms, 10 * MINUTE_MS);
    assert_string_equal(sql_value(f, "SELECT code FROM sandboxes"), "IDLE_SOON");
    struct got g = get(f, &o, &both);
    assert_true(g.limits.stops_ms > 0);
    assert_false(g.limits.is_stop_for_age);
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "11 minutes");
    struct looked stopped = look(f, &both);
    assert_int_equal(stopped.verdict, LIMITS_STOPPED);
    assert_int_equal(stopped.event.status, SANDBOX_STOPPING);
    assert_int_equal(stopped.event.code, REASON_IDLE_STOP);
    assert_string_equal(stopped.event.message, "stop requested: not used for 2 h");
    assert_string_equal(
        sql_value(f, "SELECT concat_ws(' ', status, desired, is_settled, lease_owner, fence) FROM sandboxes"),
        "STOPPING stopped f r1 2");
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    assert_true(get(f, &o, &both).limits.stops_ms < 0);
    assert_string_equal(sql_value(f, "SELECT max(seq) FROM journal WHERE project_id = 'p-idle'"), "4");
}

static void use_after_the_warning_takes_it_back_and_is_told(void **state)
{
    struct fixture *f = *state;
    struct owned o = running(f, "used");
    pass(f, "111 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_WARNED);
    pass(f, "5 minutes");
    use(f, "u-somebody", o.project_id, 0);
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    use(f, o.owner_id, o.project_id, 1000);
    struct looked kept = look(f, &both);
    assert_int_equal(kept.verdict, LIMITS_KEPT);
    assert_int_equal(kept.event.status, SANDBOX_RUNNING);
    assert_int_equal(kept.event.code, REASON_NONE);
    assert_string_equal(kept.event.message, "it is used and does not stop");
    assert_string_equal(sql_value(f, "SELECT code || message FROM sandboxes"), "");
    pass(f, "30 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "81 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_WARNED);
}

static void an_old_use_heard_late_takes_nothing_back(void **state)
{
    struct fixture *f = *state;
    struct owned o = running(f, "late");
    use(f, o.owner_id, o.project_id, 0);
    use(f, o.owner_id, o.project_id, HOUR_MS);
    struct got g = get(f, &o, &both);
    use(f, o.owner_id, o.project_id, 2 * HOUR_MS);
    assert_int_equal(get(f, &o, &both).limits.active_ms, g.limits.active_ms);
    assert_string_equal(sql_value(f, "SELECT now() - active_at < interval '1 minute' FROM project_limits"), "t");
}

static void whatever_is_used_ends_when_its_time_is_over(void **state)
{
    struct fixture *f = *state;
    struct owned o = running(f, "old");
    pass(f, "471 minutes");
    use(f, o.owner_id, o.project_id, 0);
    struct looked warned = look(f, &both);
    assert_int_equal(warned.event.code, REASON_AGE_SOON);
    assert_string_equal(warned.event.message, "it stops in 10 min: it may run for 8 h at a time");
    assert_true(get(f, &o, &both).limits.is_stop_for_age);
    use(f, o.owner_id, o.project_id, 0);
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "10 minutes");
    struct looked stopped = look(f, &both);
    assert_int_equal(stopped.verdict, LIMITS_STOPPED);
    assert_int_equal(stopped.event.code, REASON_AGE_STOP);
    assert_string_equal(stopped.event.message, "stop requested: it ran for 8 h");
}

static void nobody_is_stopped_unwarned_after_a_long_night(void **state)
{
    struct fixture *f = *state;
    running(f, "night");
    pass(f, "3 days");
    struct looked warned = look(f, &both);
    assert_int_equal(warned.verdict, LIMITS_WARNED);
    assert_int_equal(warned.event.duration_ms, 10 * MINUTE_MS);
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "10 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_STOPPED);
}

static void without_a_warning_it_stops_at_once(void **state)
{
    struct fixture *f = *state;
    const struct limits_settings harsh = {HOUR_MS, 0, 0, true};
    running(f, "harsh");
    pass(f, "59 minutes");
    assert_int_equal(look(f, &harsh).verdict, LIMITS_NONE);
    pass(f, "1 minute");
    assert_int_equal(look(f, &harsh).verdict, LIMITS_STOPPED);
}

static void a_start_begins_anew_and_what_was_announced_before_is_void(void **state)
{
    struct fixture *f = *state;
    struct owned o = running(f, "anew");
    pass(f, "111 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_WARNED);
    sql(f, "UPDATE sandboxes SET attempt = attempt + 1, attempt_started_at = now(), updated_at = now(), code = ''");
    assert_true(get(f, &o, &both).limits.stops_ms < 0);
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    pass(f, "111 minutes");
    assert_int_equal(look(f, &both).verdict, LIMITS_WARNED);
}

static void what_does_not_run_or_is_under_way_is_left_alone(void **state)
{
    struct fixture *f = *state;
    running(f, "busy");
    pass(f, "3 days");
    sql(f, "UPDATE sandboxes SET is_settled = false");
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
    sql(f, "UPDATE sandboxes SET is_settled = true, status = 'ERROR'");
    assert_int_equal(look(f, &both).verdict, LIMITS_NONE);
}

static void an_owner_has_limits_of_his_own(void **state)
{
    struct fixture *f = *state;
    struct owned o = running(f, "own");
    struct got g = get(f, &o, &both);
    assert_int_equal(g.limits.own_idle_stop_ms, -1);
    assert_int_equal(g.limits.idle_stop_ms, 2 * HOUR_MS);
    g = set(f, &o, &none, HOUR_MS, -1);
    assert_int_equal(g.limits.own_idle_stop_ms, HOUR_MS);
    assert_int_equal(g.limits.idle_stop_ms, HOUR_MS);
    assert_int_equal(g.limits.max_age_ms, 0);
    assert_int_equal(look(f, &none).verdict, LIMITS_NONE);
    pass(f, "51 minutes");
    assert_int_equal(look(f, &none).verdict, LIMITS_WARNED);
    assert_int_equal(set(f, &o, &none, 0, 0).limits.idle_stop_ms, 0);
    struct looked kept = look(f, &none);
    assert_int_equal(kept.verdict, LIMITS_KEPT);
    assert_int_equal(look(f, &none).verdict, LIMITS_OFF);
    struct owned other = world_project(f, "other");
    memcpy(other.project_id, o.project_id, sizeof(other.project_id));
    assert_int_equal(get(f, &other, &none).err.kind, ERR_MISSING);
    assert_int_equal(set(f, &other, &none, 1, 1).err.kind, ERR_MISSING);
}

static void an_owners_limit_is_longer_only_where_it_may_be(void **state)
{
    struct fixture *f = *state;
    struct limits_settings strict = both;
    strict.may_extend = false;
    struct owned o = running(f, "strict");
    assert_int_equal(set(f, &o, &both, 0, 9 * HOUR_MS).limits.idle_stop_ms, 0);
    struct got g = get(f, &o, &strict);
    assert_int_equal(g.limits.idle_stop_ms, 2 * HOUR_MS);
    assert_int_equal(g.limits.max_age_ms, 8 * HOUR_MS);
    g = set(f, &o, &strict, HOUR_MS, 7 * HOUR_MS);
    assert_int_equal(g.limits.idle_stop_ms, HOUR_MS);
    assert_int_equal(g.limits.max_age_ms, 7 * HOUR_MS);
}

/* Looks of both replicas at once, until nothing is due. */
static void two_replicas_do_each_thing_once(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_another_store(f, "r2", NULL);
    const struct port_store *ports[] = {f->port, store_port(other)};
    char name[16];
    unsigned verdicts[LIMITS_STOPPED + 1] = {0};
    for (int i = 0; i < 8; i++) {
        assert_true(snprintf(name, sizeof(name), "many%d", i) > 0);
        running(f, name);
    }
    pass(f, "3 days");
    for (int phase = 0; phase < 2; phase++) {
        for (int i = 0; i < 30; i++) {
            struct looked l[4] = {0};
            for (int k = 0; k < 4; k++)
                ports[k % 2]->limits_look(ports[k % 2]->self, &both, FIXTURE_MS, on_look, &l[k]);
            for (int k = 0; k < 4; k++) {
                run_until(f, &l[k].is_done);
                assert_int_equal(l[k].err.kind, ERR_NONE);
                verdicts[l[k].verdict]++;
            }
        }
        pass(f, "11 minutes");
    }
    assert_int_equal(verdicts[LIMITS_WARNED], 8);
    assert_int_equal(verdicts[LIMITS_STOPPED], 8);
    assert_string_equal(
        sql_value(f, "SELECT count(*) FROM journal WHERE project_id LIKE 'p-many%' AND code = 'IDLE_STOP'"), "8");
    store_close(other);
}

#define TEST(name) cmocka_unit_test_teardown(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_due_without_a_limit),
        TEST(an_idle_one_is_warned_and_then_stopped),
        TEST(use_after_the_warning_takes_it_back_and_is_told),
        TEST(an_old_use_heard_late_takes_nothing_back),
        TEST(whatever_is_used_ends_when_its_time_is_over),
        TEST(nobody_is_stopped_unwarned_after_a_long_night),
        TEST(without_a_warning_it_stops_at_once),
        TEST(a_start_begins_anew_and_what_was_announced_before_is_void),
        TEST(what_does_not_run_or_is_under_way_is_left_alone),
        TEST(an_owner_has_limits_of_his_own),
        TEST(an_owners_limit_is_longer_only_where_it_may_be),
        TEST(two_replicas_do_each_thing_once),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
