// SPDX-License-Identifier: MIT
/* What owners ask for: every transition of fs_sandbox_request, by the row as it is. */
#include "tests/wire/store/world.h"

#include <string.h>

#include "core/base/arena.h"

static int setup(void **state)
{
    return world_setup(state, "request");
}

static void expect_status_event(const struct asked *a, enum sandbox_status status, uint64_t seq)
{
    assert_int_equal(a->err.kind, ERR_NONE);
    assert_int_equal(a->result, REQUEST_STARTED);
    assert_int_equal(a->n_events, 1);
    assert_int_equal(a->events[0].kind, JOURNAL_STATUS);
    assert_int_equal(a->events[0].status, status);
    assert_int_equal(a->events[0].seq, seq);
    assert_int_equal(a->events[0].attempt, a->sb.attempt);
    assert_int_equal(a->events[0].at_ms, 1760176800123);
    assert_int_equal(a->events[0].duration_ms, -1);
    assert_string_equal(a->events[0].owner_id, a->sb.owner_id);
    assert_string_equal(a->events[0].project_id, a->sb.project_id);
}

static void expect_quiet(const struct asked *a, enum request_result result)
{
    assert_int_equal(a->err.kind, ERR_NONE);
    assert_int_equal(a->result, result);
    assert_int_equal(a->n_events, 0);
}

static struct asked ask(struct fixture *f, const struct owned *o, enum desired desired, const char *name)
{
    return world_request(f, f->port, o, desired, name);
}

/* A running sandbox; returns its row as the flow left it. */
static struct sandbox make_running(struct fixture *f, const struct owned *o, const char *name)
{
    struct asked a = ask(f, o, DESIRED_RUNNING, name);
    assert_int_equal(a.result, REQUEST_STARTED);
    struct asked settled = world_settle(f, f->port, &a.sb, SANDBOX_RUNNING, OUTCOME_READY);
    assert_int_equal(settled.err.kind, ERR_NONE);
    return a.sb;
}

static void a_first_creation_stores_the_drawn_names_and_starts(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "first");
    struct asked a = ask(f, &o, DESIRED_RUNNING, "first");
    const struct sandbox *names = world_names("first");
    expect_status_event(&a, SANDBOX_CREATING, 1);
    assert_string_equal(a.events[0].message, "creation requested");
    assert_int_equal(a.sb.status, SANDBOX_CREATING);
    assert_int_equal(a.sb.desired, DESIRED_RUNNING);
    assert_int_equal(a.sb.attempt, 1);
    assert_int_equal(a.sb.fence, 1);
    assert_int_equal(a.sb.attempt_started_ms, 1760176800123);
    assert_false(a.sb.is_settled);
    assert_true(codec_is_uuid(str_from(a.sb.id)));
    assert_string_equal(a.sb.project_name, "Project first");
    assert_string_equal(a.sb.name, names->name);
    assert_string_equal(a.sb.database_name, names->database_name);
    assert_string_equal(a.sb.namespace_name, names->namespace_name);
    assert_string_equal(a.sb.slug, names->slug);
    assert_string_equal(a.sb.app_host, names->app_host);
    assert_string_equal(a.sb.tty_host, names->tty_host);
    assert_string_equal(a.sb.app_label, names->app_label);
    assert_string_equal(a.sb.tty_label, names->tty_label);
    assert_memory_equal(a.sb.port_names, names->port_names, sizeof(names->port_names));
    assert_string_equal(a.sb.image, names->image);
    assert_string_equal(a.sb.restart_time, names->restart_time);
    assert_string_equal(sql_value(f, "SELECT lease_owner FROM sandboxes WHERE project_id = 'p-first'"), "r1");
    struct asked again = ask(f, &o, DESIRED_RUNNING, "other");
    expect_quiet(&again, REQUEST_IN_PROGRESS);
    assert_string_equal(again.sb.name, a.sb.name);
    assert_int_equal(again.sb.attempt, 1);
}

static void somebody_elses_project_is_missing(void **state)
{
    struct fixture *f = *state;
    struct owned mine = world_project(f, "mine");
    struct owned other = world_project(f, "other");
    memcpy(other.project_id, mine.project_id, sizeof(other.project_id));
    assert_int_equal(ask(f, &other, DESIRED_RUNNING, "x").err.kind, ERR_MISSING);
    assert_int_equal(ask(f, &other, DESIRED_DELETED, NULL).err.kind, ERR_MISSING);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM projects WHERE id = 'p-mine'"), "1");
}

static void a_running_one_is_already_there(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "running");
    struct sandbox sb = make_running(f, &o, "running");
    struct asked a = ask(f, &o, DESIRED_RUNNING, "again");
    expect_quiet(&a, REQUEST_ALREADY);
    assert_int_equal(a.sb.status, SANDBOX_RUNNING);
    assert_true(a.sb.is_settled);
    assert_int_equal(a.sb.saves, sb.saves);
}

static void a_retry_keeps_every_name_and_counts_the_attempt(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "retry");
    struct asked first = ask(f, &o, DESIRED_RUNNING, "retry");
    world_settle(f, f->port, &first.sb, SANDBOX_ERROR, OUTCOME_FAILED);
    assert_string_equal(sql_value(f, "SELECT code FROM sandboxes WHERE project_id = 'p-retry'"), "IMAGE_PULL");
    struct asked a = ask(f, &o, DESIRED_RUNNING, "retry2");
    expect_status_event(&a, SANDBOX_CREATING, 3);
    assert_int_equal(a.sb.attempt, 2);
    assert_int_equal(a.sb.fence, first.sb.fence + 1);
    assert_string_equal(a.sb.name, first.sb.name);
    assert_string_equal(a.sb.app_host, first.sb.app_host);
    assert_string_equal(a.sb.database_name, first.sb.database_name);
    assert_string_equal(a.sb.id, first.sb.id);
    assert_string_equal(a.sb.image, "image/retry2:1");
    assert_int_equal(a.sb.code, REASON_NONE);
    assert_false(a.sb.is_settled);
}

static void cancelling_a_creation_turns_the_same_attempt(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "cancel");
    struct asked first = ask(f, &o, DESIRED_RUNNING, "cancel");
    struct asked a = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_status_event(&a, SANDBOX_TERMINATING, 2);
    assert_int_equal(a.sb.attempt, 1);
    assert_int_equal(a.sb.desired, DESIRED_TERMINATED);
    assert_int_equal(a.sb.fence, first.sb.fence + 1);
    struct asked twice = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_quiet(&twice, REQUEST_IN_PROGRESS);
    struct asked run = ask(f, &o, DESIRED_RUNNING, "x");
    assert_int_equal(run.err.kind, ERR_CONFLICT);
    assert_string_equal(run.err.reason, "BeingTerminated");
    /* The write that was under way with the creation in mind is refused. */
    struct asked stale = world_save(f, f->port, &first.sb, 1);
    assert_int_equal(stale.err.kind, ERR_CONFLICT);
    assert_string_equal(stale.err.reason, "Fenced");
}

static void a_new_sandbox_after_termination_has_new_names_and_the_old_database(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "again");
    make_running(f, &o, "again");
    struct asked end = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_status_event(&end, SANDBOX_TERMINATING, 3);
    assert_int_equal(end.sb.attempt, 1);
    world_settle(f, f->port, &end.sb, SANDBOX_TERMINATED, OUTCOME_TERMINATED);
    struct asked already = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_quiet(&already, REQUEST_ALREADY);
    struct asked a = ask(f, &o, DESIRED_RUNNING, "again2");
    expect_status_event(&a, SANDBOX_CREATING, 5);
    assert_int_equal(a.sb.attempt, 2);
    assert_string_equal(a.sb.name, "again2-agentruntime-aaaaaa");
    assert_string_equal(a.sb.app_host, "app-again2.example.test");
    assert_string_equal(a.sb.database_name, "again-agentruntime-dddddd");
    assert_string_not_equal(a.sb.id, end.sb.id);
    assert_true(a.sb.fence > end.sb.fence);
}

static void nothing_can_be_terminated_where_nothing_was_made(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "nothing");
    struct asked a = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_quiet(&a, REQUEST_NOTHING);
    assert_string_equal(a.sb.id, "");
    assert_string_equal(a.sb.project_id, o.project_id);
    assert_string_equal(a.sb.owner_id, o.owner_id);
}

static void a_project_without_a_sandbox_is_deleted_at_once(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "empty");
    struct asked a = ask(f, &o, DESIRED_DELETED, NULL);
    assert_int_equal(a.result, REQUEST_STARTED);
    assert_int_equal(a.n_events, 1);
    assert_int_equal(a.events[0].kind, JOURNAL_DONE);
    assert_int_equal(a.events[0].outcome, OUTCOME_DELETED);
    assert_int_equal(a.events[0].seq, 1);
    assert_string_equal(a.sb.project_id, o.project_id);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM projects WHERE id = 'p-empty'"), "0");
    assert_string_equal(sql_value(f, "SELECT count(*) FROM journal WHERE project_id = 'p-empty'"), "1");
    assert_int_equal(ask(f, &o, DESIRED_DELETED, NULL).err.kind, ERR_MISSING);
}

static void a_project_being_deleted_refuses_everything_else(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "deleted");
    make_running(f, &o, "deleted");
    struct asked a = ask(f, &o, DESIRED_DELETED, NULL);
    expect_status_event(&a, SANDBOX_TERMINATING, 3);
    assert_string_equal(a.events[0].message, "deletion requested");
    struct asked other = ask(f, &o, DESIRED_RUNNING, "x");
    expect_quiet(&other, REQUEST_REFUSED);
    other = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_quiet(&other, REQUEST_REFUSED);
    other = ask(f, &o, DESIRED_DETACHED, NULL);
    expect_quiet(&other, REQUEST_REFUSED);
    other = ask(f, &o, DESIRED_DELETED, NULL);
    expect_quiet(&other, REQUEST_IN_PROGRESS);
    struct asked gone = world_settle(f, f->port, &a.sb, SANDBOX_TERMINATED, OUTCOME_DELETED);
    assert_int_equal(gone.err.kind, ERR_NONE);
    assert_int_equal(gone.events[0].seq, 4);
    assert_string_equal(
        sql_value(f,
                  "SELECT (SELECT count(*) FROM projects WHERE id = 'p-deleted') || ' ' || (SELECT count(*) FROM "
                  "sandboxes WHERE project_id = 'p-deleted') || ' ' || (SELECT count(*) FROM databases WHERE "
                  "project_id = 'p-deleted') || ' ' || (SELECT count(*) FROM journal WHERE project_id = 'p-deleted')"),
        "0 0 0 4");
}

static void a_terminated_project_can_still_be_deleted_or_detached(void **state)
{
    struct fixture *f = *state;
    static const enum desired aims[] = {DESIRED_DELETED, DESIRED_DETACHED};
    static const char *const names[] = {"term-del", "term-det"};
    for (size_t i = 0; i < 2; i++) {
        struct owned o = world_project(f, names[i]);
        make_running(f, &o, names[i]);
        struct asked end = ask(f, &o, DESIRED_TERMINATED, NULL);
        world_settle(f, f->port, &end.sb, SANDBOX_TERMINATED, OUTCOME_TERMINATED);
        struct asked a = ask(f, &o, aims[i], NULL);
        expect_status_event(&a, SANDBOX_TERMINATING, 5);
        assert_int_equal(a.sb.desired, aims[i]);
        assert_false(a.sb.is_settled);
    }
}

static void a_termination_under_way_becomes_a_deletion(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "upgrade");
    make_running(f, &o, "upgrade");
    struct asked end = ask(f, &o, DESIRED_TERMINATED, NULL);
    struct asked a = ask(f, &o, DESIRED_DELETED, NULL);
    expect_status_event(&a, SANDBOX_TERMINATING, 4);
    assert_int_equal(a.sb.desired, DESIRED_DELETED);
    assert_int_equal(world_settle(f, f->port, &end.sb, SANDBOX_TERMINATED, OUTCOME_TERMINATED).err.kind, ERR_CONFLICT);
}

static void a_flow_of_a_living_replica_stays_with_it(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "holder");
    struct store *other = fixture_another_store(f, "r2", NULL);
    const struct port_store *port = store_port(other);
    world_renew(f, port, FIXTURE_MS);
    struct asked first = ask(f, &o, DESIRED_RUNNING, "holder"); /* led by r1 */
    struct asked a = world_request(f, port, &o, DESIRED_TERMINATED, NULL);
    expect_status_event(&a, SANDBOX_TERMINATING, 2);
    assert_string_equal(sql_value(f, "SELECT lease_owner FROM sandboxes WHERE project_id = 'p-holder'"), "r1");
    assert_int_equal(world_load(f, port, o.project_id).n, 0);
    struct flows mine = world_load(f, f->port, o.project_id);
    assert_int_equal(mine.n, 1);
    assert_int_equal(mine.sb[0].desired, DESIRED_TERMINATED);
    assert_int_equal(mine.sb[0].attempt, first.sb.attempt);
    assert_int_equal(world_save(f, f->port, &mine.sb[0], 1).err.kind, ERR_NONE);
    store_close(other);
}

static void a_flow_of_a_dead_replica_goes_to_the_one_that_was_asked(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "heir");
    struct store *other = fixture_another_store(f, "r3", NULL);
    const struct port_store *port = store_port(other);
    struct asked first = world_request(f, port, &o, DESIRED_RUNNING, "heir"); /* r3 never said that it lives */
    struct asked a = ask(f, &o, DESIRED_TERMINATED, NULL);
    expect_status_event(&a, SANDBOX_TERMINATING, 2);
    assert_string_equal(sql_value(f, "SELECT lease_owner FROM sandboxes WHERE project_id = 'p-heir'"), "r1");
    assert_int_equal(world_save(f, port, &first.sb, 1).err.kind, ERR_CONFLICT);
    store_close(other);
}

static void two_requests_at_once_start_one_flow(void **state)
{
    struct fixture *f = *state;
    struct owned o = world_project(f, "race");
    struct asked a[6];
    /* The weakest lock that keeps the project's row from being changed: all six have to be under way before one ends.
     */
    struct pg_connection *holder = hold(f, "SELECT FROM projects WHERE id = 'p-race' FOR NO KEY UPDATE");
    for (int i = 0; i < 6; i++)
        world_request_start(f->port, &o, DESIRED_RUNNING, "race", NULL, &a[i]);
    run_until_waiting(f, 6);
    hold_end(f, holder);
    int started_n = 0;
    for (int i = 0; i < 6; i++) {
        run_until(f, &a[i].is_done);
        assert_int_equal(a[i].err.kind, ERR_NONE);
        started_n += a[i].result == REQUEST_STARTED ? 1 : 0;
    }
    assert_int_equal(started_n, 1);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM journal WHERE project_id = 'p-race'"), "1");
}

static struct owned project_in(struct fixture *f, const char *name, const char *cluster)
{
    struct arena *a = arena_new();
    struct owned o = world_project(f, name);
    sql(f, arena_printf(a, "UPDATE projects SET cluster = '%s' WHERE id = '%s'", cluster, o.project_id));
    arena_free(a);
    return o;
}

static struct asked ask_within(struct fixture *f, const struct owned *o, const char *name, unsigned sandboxes_max,
                               unsigned creations_max)
{
    struct asked a;
    const struct request_limits limits = {.cluster_sandboxes_max = sandboxes_max,
                                          .cluster_creations_max = creations_max};
    world_request_within(f->port, o, name, &limits, &a);
    run_until(f, &a.is_done);
    return a;
}

static void a_full_cluster_refuses_another_sandbox_and_only_there(void **state)
{
    struct fixture *f = *state;
    struct owned first = project_in(f, "full-1", "full");
    struct owned second = project_in(f, "full-2", "full");
    struct owned elsewhere = project_in(f, "full-3", "roomy");
    struct asked a = ask_within(f, &first, "full-1", 1, 0);
    assert_int_equal(a.result, REQUEST_STARTED);
    assert_string_equal(a.sb.cluster, "full");
    assert_int_equal(world_settle(f, f->port, &a.sb, SANDBOX_RUNNING, OUTCOME_READY).err.kind, ERR_NONE);
    struct asked refused = ask_within(f, &second, "full-2", 1, 0);
    assert_int_equal(refused.err.kind, ERR_CONFLICT);
    assert_string_equal(refused.err.reason, "ClusterFull");
    assert_non_null(strstr(refused.err.msg, "cluster full has 1 sandboxes"));
    assert_non_null(strstr(refused.err.msg, "kube.sandboxes"));
    assert_string_equal(sql_value(f, "SELECT count(*) FROM sandboxes WHERE project_id = 'p-full-2'"), "0");
    assert_int_equal(ask_within(f, &elsewhere, "full-3", 1, 0).result, REQUEST_STARTED);
    /* Who is in already is not counted against itself: asking again and retrying go on. */
    assert_int_equal(ask_within(f, &first, "full-1", 1, 1).result, REQUEST_ALREADY);
    struct asked ended = ask(f, &first, DESIRED_TERMINATED, NULL);
    assert_int_equal(world_settle(f, f->port, &ended.sb, SANDBOX_TERMINATED, OUTCOME_TERMINATED).err.kind, ERR_NONE);
    assert_int_equal(ask_within(f, &second, "full-2", 1, 0).result, REQUEST_STARTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_creation_stores_the_drawn_names_and_starts),
        cmocka_unit_test(somebody_elses_project_is_missing),
        cmocka_unit_test(a_running_one_is_already_there),
        cmocka_unit_test(a_retry_keeps_every_name_and_counts_the_attempt),
        cmocka_unit_test(cancelling_a_creation_turns_the_same_attempt),
        cmocka_unit_test(a_new_sandbox_after_termination_has_new_names_and_the_old_database),
        cmocka_unit_test(nothing_can_be_terminated_where_nothing_was_made),
        cmocka_unit_test(a_project_without_a_sandbox_is_deleted_at_once),
        cmocka_unit_test(a_project_being_deleted_refuses_everything_else),
        cmocka_unit_test(a_terminated_project_can_still_be_deleted_or_detached),
        cmocka_unit_test(a_termination_under_way_becomes_a_deletion),
        cmocka_unit_test(a_flow_of_a_living_replica_stays_with_it),
        cmocka_unit_test(a_flow_of_a_dead_replica_goes_to_the_one_that_was_asked),
        cmocka_unit_test(two_requests_at_once_start_one_flow),
        cmocka_unit_test(a_full_cluster_refuses_another_sandbox_and_only_there),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
