// SPDX-License-Identifier: MIT
/* What counts as drift of a sandbox that ran: which facts, in which words, and what of it can be made again. */
#include <string.h>

#include "core/base/fit.h"
#include "core/checks.h"
#include "core/drift_check.h"
#include "core/plan.h"
#include "tests/unit/cmocka_all.h"

struct scene {
    struct sandbox sb;
    struct observed seen;
};

/* All is well. */
static void begin(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    text_fit(s->sb.database_name, sizeof(s->sb.database_name), STR("shop-agentruntime-abcdef"));
    text_fit(s->sb.project_id, sizeof(s->sb.project_id), STR("p"));
    s->sb.attempt = 1;
    s->sb.status = SANDBOX_RUNNING;
    s->seen.is_synced = true;
    s->seen.is_reachable = true;
    for (size_t i = 0; i < OBJECT_N; i++)
        s->seen.objects[i] = PRESENCE_PRESENT;
    s->seen.objects[OBJECT_CLAIM] = PRESENCE_ABSENT;
    s->seen.objects[OBJECT_ENV_SECRET] = PRESENCE_UNKNOWN; /* not watched */
    s->seen.database.phase = DB_PHASE_RUNNING;
    s->seen.workload = (struct observed_workload){
        .replicas_wanted = 1, .replicas_updated = 1, .replicas_available = 1, .is_available = true};
    s->seen.pod = (struct observed_pod){.exists = true, .is_scheduled = true, .is_running = true, .is_ready = true};
    s->seen.endpoints_n = 1;
    s->seen.endpoints_ready_n = 1;
}

static struct drift_verdict look(const struct scene *s)
{
    struct drift_verdict v;
    assert_true(drift_can_check(&s->seen));
    drift_check(&s->sb, &s->seen, &v);
    return v;
}

static void what_runs_has_not_drifted(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    assert_int_equal(look(&s).drift, DRIFT_NONE);
    s.sb.attempt = 7; /* of a later attempt neither */
    assert_int_equal(look(&s).drift, DRIFT_NONE);
}

static void what_is_not_seen_says_nothing(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.is_synced = false;
    assert_false(drift_can_check(&s.seen));
    begin(&s);
    s.seen.is_reachable = false;
    assert_false(drift_can_check(&s.seen));
    begin(&s);
    s.seen.is_blind = true;
    assert_false(drift_can_check(&s.seen));
    begin(&s);
    s.seen.is_cluster_unknown = true;
    assert_false(drift_can_check(&s.seen));
    begin(&s);
    text_fit(s.seen.refused, sizeof(s.seen.refused), STR("may not list pods"));
    assert_false(drift_can_check(&s.seen));
}

static void each_object_that_is_gone_can_be_made_again_but_the_database(void **state)
{
    (void)state;
    for (enum cluster_object i = OBJECT_WORKLOAD; i < OBJECT_CLAIM; i++) {
        struct scene s;
        begin(&s);
        s.seen.objects[i] = PRESENCE_ABSENT;
        struct drift_verdict v = look(&s);
        assert_int_equal(v.drift, DRIFT_MISSING);
        assert_int_equal(v.code, REASON_DRIFT);
        assert_int_equal(v.grace_ms, 0);
        assert_non_null(strstr(v.message, sandbox_object_kind(&s.sb, i)));
    }
}

static void a_lost_database_goes_before_everything_and_is_not_made_again(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.objects[OBJECT_DATABASE] = PRESENCE_ABSENT;
    s.seen.objects[OBJECT_WORKLOAD] = PRESENCE_ABSENT;
    struct drift_verdict v = look(&s);
    assert_int_equal(v.drift, DRIFT_BROKEN);
    assert_int_equal(v.code, REASON_DRIFT);
    assert_non_null(strstr(v.message, "shop-agentruntime-abcdef was deleted"));
    assert_non_null(strstr(v.message, "data is lost"));
    s.seen.objects[OBJECT_DATABASE] = PRESENCE_DELETING;
    assert_non_null(strstr(look(&s).message, "is being deleted"));
    s.seen.objects[OBJECT_DATABASE] = PRESENCE_FOREIGN;
    assert_int_equal(look(&s).code, REASON_CONFLICT);
}

static void what_is_missing_goes_before_what_is_leaving(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.objects[OBJECT_WORKLOAD] = PRESENCE_DELETING;
    assert_int_equal(look(&s).drift, DRIFT_BROKEN);
    assert_true(look(&s).grace_ms > 0);
    s.seen.objects[OBJECT_SERVICE] = PRESENCE_ABSENT;
    assert_int_equal(look(&s).drift, DRIFT_MISSING);
    s.seen.objects[OBJECT_SERVICE] = PRESENCE_FOREIGN;
    s.seen.objects[OBJECT_WORKLOAD] = PRESENCE_PRESENT;
    assert_int_equal(look(&s).code, REASON_CONFLICT);
}

static void what_was_stopped_from_outside_is_told_at_once_and_left(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.workload.replicas_wanted = 0;
    struct drift_verdict v = look(&s);
    assert_int_equal(v.drift, DRIFT_BROKEN);
    assert_int_equal(v.grace_ms, 0);
    assert_non_null(strstr(v.message, "scaled to 0"));
    begin(&s);
    s.seen.database.is_halted = true;
    assert_int_equal(look(&s).drift, DRIFT_BROKEN);
    assert_non_null(strstr(look(&s).message, "stopped"));
}

static void a_database_that_kubeblocks_changes_has_not_drifted_and_a_failed_one_has(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.database.phase = DB_PHASE_UPDATING;
    assert_int_equal(look(&s).drift, DRIFT_NONE);
    s.seen.database.phase = DB_PHASE_FAILED;
    assert_int_equal(look(&s).code, REASON_DB_CLUSTER_FAILED);
    assert_true(look(&s).grace_ms > 0);
}

static void while_an_address_is_ready_pods_may_come_and_go(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.pod.is_ready = false;
    s.seen.pod.is_running = false;
    assert_int_equal(look(&s).drift, DRIFT_NONE);
    s.seen.endpoints_ready_n = 0;
    struct drift_verdict v = look(&s);
    assert_int_equal(v.drift, DRIFT_BROKEN);
    assert_true(v.grace_ms > 0);
    s.seen.pod.restarts = 5;
    text_fit(s.seen.pod.waiting_reason, sizeof(s.seen.pod.waiting_reason), STR("CrashLoopBackOff"));
    assert_int_equal(look(&s).code, REASON_CRASH_LOOP);
    text_fit(s.seen.pod.waiting_reason, sizeof(s.seen.pod.waiting_reason), STR("ImagePullBackOff"));
    assert_int_equal(look(&s).code, REASON_IMAGE_PULL);
}

static void a_service_without_a_pod_is_told(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.endpoints_n = 0;
    s.seen.endpoints_ready_n = 0;
    assert_string_equal(look(&s).message, "the Service sends requests to no pod");
}

static void a_container_without_its_environment_gets_it_again(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.endpoints_ready_n = 0;
    s.seen.pod.is_running = false;
    text_fit(s.seen.pod.waiting_reason, sizeof(s.seen.pod.waiting_reason), STR("CreateContainerConfigError"));
    assert_int_equal(look(&s).drift, DRIFT_MISSING);
}

static void with_a_stateful_set_its_volume_goes_and_that_is_told(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.sb.kinds.workload = WORKLOAD_STATEFULSET;
    s.seen.objects[OBJECT_CLAIM] = PRESENCE_PRESENT;
    assert_int_equal(look(&s).drift, DRIFT_NONE);
    s.seen.objects[OBJECT_WORKLOAD] = PRESENCE_ABSENT;
    assert_int_equal(look(&s).drift, DRIFT_MISSING);
    assert_non_null(strstr(look(&s).message, "StatefulSet of the sandbox is gone"));
    assert_non_null(strstr(look(&s).message, "volume"));
}

static void a_volume_that_is_being_deleted_is_told_and_keeps_no_repair_waiting(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.sb.kinds.workload = WORKLOAD_STATEFULSET;
    s.seen.objects[OBJECT_CLAIM] = PRESENCE_DELETING;
    assert_int_equal(look(&s).drift, DRIFT_BROKEN);
    assert_non_null(strstr(look(&s).message, "volume is being deleted from outside"));
    s.seen.objects[OBJECT_SERVICE] = PRESENCE_ABSENT;
    assert_int_equal(look(&s).drift, DRIFT_MISSING);

    const struct world w = {.sb = &s.sb, .seen = &s.seen};
    struct verdict v;
    s.sb.desired = DESIRED_RUNNING;
    volume_free(&PLAN[STEP_APP_VOLUME], &w, &v);
    assert_int_equal(v.check, CHECK_WAITING); /* a start would begin a pod without it */
    s.sb.drift_ms = 1;
    assert_true(sandbox_is_repair(&s.sb));
    volume_free(&PLAN[STEP_APP_VOLUME], &w, &v);
    assert_int_equal(v.check, CHECK_DONE);
    sandbox_available(&PLAN[STEP_ALL_READY], &w, &v);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_int_equal(v.code, REASON_DRIFT);
    s.seen.objects[OBJECT_WORKLOAD] = PRESENCE_ABSENT;
    volume_free(&PLAN[STEP_APP_VOLUME], &w, &v);
    assert_int_equal(v.check, CHECK_WAITING);
}

static void ready_is_not_told_of_what_was_seen_before_the_api_went_away(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    const struct world w = {.sb = &s.sb, .seen = &s.seen};
    struct verdict v;
    s.sb.desired = DESIRED_RUNNING;
    sandbox_available(&PLAN[STEP_ALL_READY], &w, &v);
    assert_int_equal(v.check, CHECK_DONE);
    s.seen.is_reachable = false;
    sandbox_available(&PLAN[STEP_ALL_READY], &w, &v);
    assert_int_equal(v.check, CHECK_WAITING); /* and so its deadline ends it */
}

static void a_refused_route_is_told_after_a_while(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.sb.kinds.route = ROUTE_HTTPROUTE;
    s.seen.route_app.is_accepted = true;
    s.seen.route_tty.is_refused = true;
    struct drift_verdict v = look(&s);
    assert_int_equal(v.drift, DRIFT_BROKEN);
    assert_true(v.grace_ms >= 10000);
}

static void a_route_that_leads_from_elsewhere_is_told_at_once(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.seen.route_app.is_elsewhere = true;
    struct drift_verdict v = look(&s);
    assert_int_equal(v.drift, DRIFT_BROKEN);
    assert_int_equal(v.grace_ms, 0);
    assert_non_null(strstr(v.message, "the Ingress of the sandbox"));
    begin(&s);
    s.seen.route_tty.is_elsewhere = true;
    assert_non_null(strstr(look(&s).message, "the Ingress of the terminal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_has_not_drifted),
        cmocka_unit_test(what_is_not_seen_says_nothing),
        cmocka_unit_test(each_object_that_is_gone_can_be_made_again_but_the_database),
        cmocka_unit_test(a_lost_database_goes_before_everything_and_is_not_made_again),
        cmocka_unit_test(what_is_missing_goes_before_what_is_leaving),
        cmocka_unit_test(what_was_stopped_from_outside_is_told_at_once_and_left),
        cmocka_unit_test(a_database_that_kubeblocks_changes_has_not_drifted_and_a_failed_one_has),
        cmocka_unit_test(while_an_address_is_ready_pods_may_come_and_go),
        cmocka_unit_test(a_service_without_a_pod_is_told),
        cmocka_unit_test(a_container_without_its_environment_gets_it_again),
        cmocka_unit_test(with_a_stateful_set_its_volume_goes_and_that_is_told),
        cmocka_unit_test(a_volume_that_is_being_deleted_is_told_and_keeps_no_repair_waiting),
        cmocka_unit_test(ready_is_not_told_of_what_was_seen_before_the_api_went_away),
        cmocka_unit_test(a_refused_route_is_told_after_a_while),
        cmocka_unit_test(a_route_that_leads_from_elsewhere_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
