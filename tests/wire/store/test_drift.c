// SPDX-License-Identifier: MIT
/* What replicas saw of sandboxes that run: of all of them one is heard, it is paced, and it leads to a flow or to an
 * end. */
#include <string.h>

#include "core/base/fit.h"
#include "tests/wire/store/world.h"

enum { PACE_MS = 3600 * 1000 };

static int setup(void **state)
{
    return world_setup(state, "drift");
}

struct noted {
    bool is_done;
    enum drift_result result;
    ms_t wait_ms;
    bool has_row;
    struct sandbox sb;
    bool has_event;
    struct journal_event event;
};

static void on_noted(void *arg, enum drift_result result, ms_t wait_ms, const struct sandbox *sb,
                     const struct journal_event *event, const struct err *err)
{
    struct noted *n = arg;
    assert_null(err);
    *n = (struct noted){.is_done = true, .result = result, .wait_ms = wait_ms};
    n->has_row = sb != NULL;
    n->has_event = event != NULL;
    if (sb != NULL)
        n->sb = *sb;
    if (event != NULL)
        n->event = *event;
}

static void note_start(const struct port_store *port, const struct sandbox *sb, enum drift_wish wish, struct noted *ret)
{
    const struct drift_note note = {.project_id = sb->project_id,
                                    .attempt = sb->attempt,
                                    .fence = sb->fence,
                                    .wish = wish,
                                    .code = wish == DRIFT_HEALED ? REASON_NONE : REASON_DRIFT,
                                    .message = "the Service of the sandbox is gone from the cluster",
                                    .now_ms = 1760176800123,
                                    .pace_ms = PACE_MS,
                                    .pace_cap_ms = PACE_MS,
                                    .calm_ms = 2 * PACE_MS};
    *ret = (struct noted){0};
    port->drift_note(port->self, &note, FIXTURE_MS, on_noted, ret);
    assert_false(ret->is_done);
}

static struct noted note(struct fixture *f, const struct port_store *port, const struct sandbox *sb,
                         enum drift_wish wish)
{
    struct noted n;
    note_start(port, sb, wish, &n);
    run_until(f, &n.is_done);
    return n;
}

/* A running sandbox; the row as the flow left it. */
static struct sandbox make_running(struct fixture *f, const char *name)
{
    struct owned o = world_project(f, name);
    struct asked a = world_request(f, f->port, &o, DESIRED_RUNNING, name);
    assert_int_equal(world_settle(f, f->port, &a.sb, SANDBOX_RUNNING, OUTCOME_READY).err.kind, ERR_NONE);
    return a.sb;
}

static void a_report_is_a_row_and_an_event(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "report");
    struct noted n = note(f, f->port, &sb, DRIFT_REPORT);
    assert_int_equal(n.result, DRIFT_TOLD);
    assert_int_equal(n.sb.status, SANDBOX_ERROR);
    assert_int_equal(n.sb.code, REASON_DRIFT);
    assert_true(n.sb.is_settled);
    assert_true(n.sb.drift_ms > 0);
    assert_int_equal(n.sb.fence, sb.fence + 1);
    assert_int_equal(n.sb.attempt, sb.attempt);
    assert_int_equal(n.event.kind, JOURNAL_STATUS);
    assert_int_equal(n.event.status, SANDBOX_ERROR);
    assert_int_equal(n.event.at_ms, 1760176800123);
    assert_string_equal(n.event.message, n.sb.message);
    assert_int_equal(world_claim(f, f->port, 10).n, 0);
}

static void of_two_that_know_the_same_row_one_is_heard(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "two");
    struct noted n[2];
    note_start(f->port, &sb, DRIFT_REPAIR, &n[0]);
    note_start(f->port, &sb, DRIFT_REPAIR, &n[1]);
    run_until(f, &n[0].is_done);
    run_until(f, &n[1].is_done);
    assert_int_not_equal(n[0].result, n[1].result);
    const struct noted *winner = n[0].result == DRIFT_TOLD ? &n[0] : &n[1];
    const struct noted *other = winner == &n[0] ? &n[1] : &n[0];
    assert_int_equal(winner->result, DRIFT_TOLD);
    assert_int_equal(other->result, DRIFT_OTHER);
    assert_false(other->has_row);
    assert_false(other->has_event);
    assert_false(winner->sb.is_settled);
    struct flows led = world_load(f, f->port, sb.project_id);
    assert_int_equal(led.n, 1);
    assert_int_equal(led.sb[0].fence, sb.fence + 1);
    assert_true(sandbox_is_repair(&led.sb[0]));
    assert_int_equal(world_settle(f, f->port, &led.sb[0], SANDBOX_RUNNING, OUTCOME_READY).err.kind, ERR_NONE);
}

static void the_next_one_waits_and_what_heals_does_not(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "pace");
    struct noted n = note(f, f->port, &sb, DRIFT_REPORT);
    assert_int_equal(n.result, DRIFT_TOLD);
    n = note(f, f->port, &n.sb, DRIFT_HEALED);
    assert_int_equal(n.result, DRIFT_TOLD);
    assert_int_equal(n.sb.status, SANDBOX_RUNNING);
    assert_int_equal(n.sb.code, REASON_NONE);
    assert_int_equal(n.event.kind, JOURNAL_DONE);
    assert_int_equal(n.event.outcome, OUTCOME_READY);
    assert_true(n.event.duration_ms >= 0);
    struct noted again = note(f, f->port, &n.sb, DRIFT_REPAIR);
    assert_int_equal(again.result, DRIFT_LATER);
    assert_true(again.wait_ms > 0 && again.wait_ms <= PACE_MS);
    assert_int_equal(again.sb.fence, n.sb.fence);
    sql(f, "UPDATE sandboxes SET drift_at = drift_at - interval '3 hours' WHERE project_id = 'p-pace'");
    assert_int_equal(note(f, f->port, &n.sb, DRIFT_REPORT).result, DRIFT_TOLD);
    assert_string_equal(sql_value(f, "SELECT drift_n FROM sandboxes WHERE project_id = 'p-pace'"), "1");
}

static void what_a_repair_failed_on_is_led_to_its_end_when_it_heals(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "fails");
    assert_int_equal(note(f, f->port, &sb, DRIFT_REPAIR).result, DRIFT_TOLD);
    struct flows led = world_load(f, f->port, sb.project_id);
    assert_int_equal(world_settle(f, f->port, &led.sb[0], SANDBOX_ERROR, OUTCOME_FAILED).err.kind, ERR_NONE);
    struct flows w = world_watched(f, f->port, &(struct watched_query){.after = "p-fail", .max = 1});
    assert_string_equal(w.sb[0].project_id, "p-fails");
    assert_int_equal(note(f, f->port, &w.sb[0], DRIFT_HEALED).result, DRIFT_LATER);
    sql(f, "UPDATE sandboxes SET drift_n = 0 WHERE project_id = 'p-fails'");
    struct noted n = note(f, f->port, &w.sb[0], DRIFT_HEALED);
    assert_int_equal(n.result, DRIFT_TOLD);
    assert_int_equal(n.event.kind, JOURNAL_STATUS);
    assert_false(n.sb.is_settled);
    assert_int_equal(world_load(f, f->port, sb.project_id).n, 1);
}

static void a_report_after_a_failed_repair_does_not_hide_what_failed(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "hidden");
    assert_int_equal(note(f, f->port, &sb, DRIFT_REPAIR).result, DRIFT_TOLD);
    struct flows led = world_load(f, f->port, sb.project_id);
    assert_int_equal(world_settle(f, f->port, &led.sb[0], SANDBOX_ERROR, OUTCOME_FAILED).err.kind, ERR_NONE);
    struct flows w = world_watched(f, f->port, &(struct watched_query){.after = "p-hidde", .max = 1});
    sql(f, "UPDATE sandboxes SET drift_n = 0 WHERE project_id = 'p-hidden'");
    struct noted n = note(f, f->port, &w.sb[0], DRIFT_REPORT);
    assert_int_equal(n.result, DRIFT_TOLD);
    sql(f, "UPDATE sandboxes SET drift_n = 0 WHERE project_id = 'p-hidden'");
    n = note(f, f->port, &n.sb, DRIFT_HEALED);
    assert_int_equal(n.result, DRIFT_TOLD);
    assert_int_equal(n.event.kind, JOURNAL_STATUS);
    assert_false(n.sb.is_settled);
}

static void another_row_than_was_known_is_not_touched(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "other");
    struct sandbox old = sb;
    old.fence--;
    struct noted n = note(f, f->port, &old, DRIFT_REPORT);
    assert_int_equal(n.result, DRIFT_OTHER);
    assert_int_equal(n.sb.fence, sb.fence);
    assert_int_equal(note(f, f->port, &sb, DRIFT_HEALED).result, DRIFT_OTHER);
    struct owned o;
    text_fit(o.owner_id, sizeof(o.owner_id), str_from(sb.owner_id));
    text_fit(o.project_id, sizeof(o.project_id), str_from(sb.project_id));
    assert_int_equal(world_request(f, f->port, &o, DESIRED_STOPPED, "other").result, REQUEST_STARTED);
    n = note(f, f->port, &sb, DRIFT_REPAIR);
    assert_int_equal(n.result, DRIFT_OTHER);
    assert_false(n.has_row);
    text_fit(old.project_id, sizeof(old.project_id), STR("nobody's"));
    assert_int_equal(note(f, f->port, &old, DRIFT_REPORT).result, DRIFT_OTHER);
}

static void a_start_after_a_report_is_another_attempt_and_no_repair(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "start");
    assert_int_equal(note(f, f->port, &sb, DRIFT_REPORT).result, DRIFT_TOLD);
    struct owned o;
    text_fit(o.owner_id, sizeof(o.owner_id), str_from(sb.owner_id));
    text_fit(o.project_id, sizeof(o.project_id), str_from(sb.project_id));
    struct asked a = world_request(f, f->port, &o, DESIRED_RUNNING, "start");
    assert_int_equal(a.result, REQUEST_STARTED);
    assert_int_equal(a.sb.attempt, 2);
    assert_false(sandbox_is_repair(&a.sb));
    assert_int_equal(world_settle(f, f->port, &a.sb, SANDBOX_ERROR, OUTCOME_FAILED).err.kind, ERR_NONE);
    /* A creation that failed is nobody's to watch. */
    const struct str id = str_from(sb.project_id);
    const struct watched_query query = {.after = "", .max = 1, .ids = &id, .ids_n = 1};
    assert_int_equal(world_watched(f, f->port, &query).n, 0);
}

static void a_replica_without_its_lease_is_not_heard(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = make_running(f, "lease");
    sql(f, "UPDATE replicas SET lease_until = now() - interval '1 second'");
    struct noted n = note(f, f->port, &sb, DRIFT_REPAIR);
    assert_int_equal(n.result, DRIFT_OTHER);
    assert_int_equal(n.sb.fence, sb.fence);
    world_renew(f, f->port, FIXTURE_MS);
    assert_int_equal(note(f, f->port, &sb, DRIFT_REPORT).result, DRIFT_TOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_a_row_and_an_event),
        cmocka_unit_test(of_two_that_know_the_same_row_one_is_heard),
        cmocka_unit_test(the_next_one_waits_and_what_heals_does_not),
        cmocka_unit_test(what_a_repair_failed_on_is_led_to_its_end_when_it_heals),
        cmocka_unit_test(a_report_after_a_failed_repair_does_not_hide_what_failed),
        cmocka_unit_test(another_row_than_was_known_is_not_touched),
        cmocka_unit_test(a_start_after_a_report_is_another_attempt_and_no_repair),
        cmocka_unit_test(a_replica_without_its_lease_is_not_heard),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
