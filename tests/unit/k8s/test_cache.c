// SPDX-License-Identifier: MIT
/* The cache: versions, lists, owners, foreign objects, the pod that counts, Events, and who is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/codec.h"
#include "k8s/cache.h"
#include "sample.h"

struct bench {
    struct loop *loop;
    struct cache *cache;
    struct arena *arena;
    struct sandbox sb;
    struct observed seen;
    int changes_n;
    int all_n;
};

static void on_change(void *arg, struct str project_id)
{
    struct bench *b = arg;

    if (str_is_none(project_id))
        b->all_n++;
    else
        b->changes_n++;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    b->loop = loop_new_simulated(0);
    b->cache = cache_new(b->loop);
    b->arena = arena_new();
    b->sb = sample_sandbox();
    cache_subscribe(b->cache, on_change, b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    cache_free(b->cache);
    arena_free(b->arena);
    loop_free(b->loop);
    free(b);
    return 0;
}

/* The uid of the object of that name: as long as real ones at most. */
static const char *uid_of(struct bench *b, const char *name)
{
    size_t n = strlen(name);

    return arena_printf(b->arena, "uid-%s", n > 30 ? name + n - 30 : name);
}

/* more: members of the object after its metadata, such as ",\"status\":{}"; meta: members of the metadata. */
static const struct json_value *object(struct bench *b, const char *name, int version, const char *meta,
                                       const char *more)
{
    const char *text = arena_printf(
        b->arena,
        "{\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\",\"resourceVersion\":\"%d\",\"labels\":{\"%s\":\"%s\"}%s}%s}",
        name, uid_of(b, name), version, LABEL_PROJECT_ID, b->sb.project_id, meta, more);
    const struct json_value *v = json_parse(b->arena, str_from(text), &JSON_LIMITS_KUBE, NULL);

    assert_non_null(v);
    return v;
}

static void look(struct bench *b)
{
    while (loop_turn(b->loop))
        ;
    cache_observe(b->cache, &b->sb, &b->seen);
}

static enum presence deployment_seen(struct bench *b)
{
    look(b);
    return b->seen.objects[OBJECT_WORKLOAD];
}

static void sync_all(struct bench *b)
{
    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        cache_list_begin(b->cache, (enum kube_kind)i);
        cache_list_end(b->cache, (enum kube_kind)i, 1);
    }
}

static void test_absence_means_something_only_after_the_first_list(void **state)
{
    struct bench *b = *state;

    assert_int_equal(deployment_seen(b), PRESENCE_UNKNOWN);
    assert_false(b->seen.is_synced);
    sync_all(b);
    assert_int_equal(deployment_seen(b), PRESENCE_ABSENT);
    assert_true(b->seen.is_synced);
    assert_true(b->all_n > 0);
}

static void test_older_versions_change_nothing(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 9, "", ",\"spec\":{\"replicas\":2}"));
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 8, "", ",\"spec\":{\"replicas\":1}"));
    look(b);
    assert_int_equal(b->seen.workload.replicas_wanted, 2);
    cache_drop(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 8, "", ""));
    assert_int_equal(deployment_seen(b), PRESENCE_PRESENT);
    cache_drop(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 10, "", ""));
    assert_int_equal(deployment_seen(b), PRESENCE_ABSENT);
}

static void test_versions_compare_as_numbers(void **state)
{
    struct bench *b = *state;

    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 999, "", ",\"spec\":{\"replicas\":1}"));
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 1000, "", ",\"spec\":{\"replicas\":2}"));
    look(b);
    assert_int_equal(b->seen.workload.replicas_wanted, 2);
}

static void test_a_list_sweeps_what_it_does_not_hold(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    cache_list_begin(b->cache, KIND_DEPLOYMENT);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    cache_list_end(b->cache, KIND_DEPLOYMENT, 20);
    assert_int_equal(deployment_seen(b), PRESENCE_PRESENT);
    cache_list_begin(b->cache, KIND_DEPLOYMENT);
    cache_list_end(b->cache, KIND_DEPLOYMENT, 30);
    assert_int_equal(deployment_seen(b), PRESENCE_ABSENT);
}

static void test_a_list_does_not_sweep_what_was_made_after_it(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    cache_list_begin(b->cache, KIND_DEPLOYMENT);
    cache_merge(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 40, "", ""));
    cache_list_end(b->cache, KIND_DEPLOYMENT, 30);
    assert_int_equal(deployment_seen(b), PRESENCE_PRESENT);
    cache_list_begin(b->cache, KIND_DEPLOYMENT); /* an old list, from a lagging server */
    cache_list_end(b->cache, KIND_DEPLOYMENT, 35);
    assert_int_equal(deployment_seen(b), PRESENCE_PRESENT);
}

static void test_an_answer_the_watch_has_overtaken_does_not_resurrect(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 50, "", ""));
    cache_drop(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 52, "", ""));
    cache_merge(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 50, "", ""));
    assert_int_equal(deployment_seen(b), PRESENCE_ABSENT);
    cache_merge(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 60, "", ""));
    assert_int_equal(deployment_seen(b), PRESENCE_PRESENT);
}

static void test_an_object_of_another_project_is_foreign(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    assert_true(str_copy(STR("other"), b->sb.project_id, sizeof b->sb.project_id));
    assert_int_equal(deployment_seen(b), PRESENCE_FOREIGN);
    assert_null(cache_workload_uid(b->cache, &b->sb));
    assert_int_equal(b->seen.workload.replicas_wanted, 0);
}

static void test_a_deletion_timestamp_means_deleting(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    cache_put(b->cache, KIND_DEPLOYMENT,
              object(b, b->sb.name, 5, ",\"deletionTimestamp\":\"2026-11-23T10:10:13Z\"", ""));
    assert_int_equal(deployment_seen(b), PRESENCE_DELETING);
}

static void test_an_object_owned_by_a_former_deployment_has_to_be_applied_again(void **state)
{
    struct bench *b = *state;
    const char *old = ",\"ownerReferences\":[{\"uid\":\"uid-of-before\"}]";
    const char *now = arena_printf(b->arena, ",\"ownerReferences\":[{\"uid\":\"uid-%s\"}]", b->sb.name);
    char service[OBJECT_NAME_SIZE];

    sync_all(b);
    object_name(OBJECT_SERVICE, &b->sb, service);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    cache_put(b->cache, KIND_SERVICE, object(b, service, 6, old, ""));
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_SERVICE], PRESENCE_ABSENT);
    cache_put(b->cache, KIND_SERVICE, object(b, service, 7, now, ""));
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_SERVICE], PRESENCE_PRESENT);
}

static void test_unwatched_objects_are_known_by_what_we_did(void **state)
{
    struct bench *b = *state;

    sync_all(b);
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_ENV_SECRET], PRESENCE_UNKNOWN);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    cache_note(b->cache, OBJECT_ENV_SECRET, &b->sb, PRESENCE_PRESENT, cache_workload_uid(b->cache, &b->sb));
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_ENV_SECRET], PRESENCE_PRESENT);
    cache_drop(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 6, "", ""));
    look(b); /* the collector takes it along */
    assert_int_equal(b->seen.objects[OBJECT_ENV_SECRET], PRESENCE_UNKNOWN);
    cache_note(b->cache, OBJECT_ROLE, &b->sb, PRESENCE_ABSENT, NULL);
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_ROLE], PRESENCE_ABSENT);
    cache_forget(b->cache, str_from(b->sb.project_id));
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_ROLE], PRESENCE_UNKNOWN);
}

static const char *pod_meta(struct bench *b, int second, const char *more)
{
    return arena_printf(b->arena, ",\"creationTimestamp\":\"2026-11-23T10:00:%02dZ\"%s", second, more);
}

static void test_the_newest_living_pod_counts(void **state)
{
    struct bench *b = *state;
    const char *old = arena_printf(b->arena, "%s-a-1", b->sb.name);
    const char *evicted = arena_printf(b->arena, "%s-a-2", b->sb.name);
    const char *fresh = arena_printf(b->arena, "%s-b-3", b->sb.name);

    cache_put(b->cache, KIND_POD, object(b, evicted, 3, pod_meta(b, 9, ""), ",\"status\":{\"phase\":\"Failed\"}"));
    assert_string_equal(cache_pod_name(b->cache, &b->sb), evicted);
    cache_put(b->cache, KIND_POD, object(b, old, 4, pod_meta(b, 1, ""), ",\"spec\":{\"nodeName\":\"n1\"}"));
    assert_string_equal(cache_pod_name(b->cache, &b->sb), old);
    cache_put(b->cache, KIND_POD, object(b, fresh, 5, pod_meta(b, 5, ""), ",\"spec\":{\"nodeName\":\"n2\"}"));
    look(b);
    assert_string_equal(b->seen.pod.node, "n2");
    assert_false(b->seen.pod.is_failed);
    cache_put(b->cache, KIND_POD,
              object(b, fresh, 6, pod_meta(b, 5, ",\"deletionTimestamp\":\"2026-11-23T10:10:13Z\""), ""));
    assert_string_equal(cache_pod_name(b->cache, &b->sb), old);
    cache_drop(b->cache, KIND_POD, object(b, evicted, 7, "", ""));
    cache_drop(b->cache, KIND_POD, object(b, old, 8, "", ""));
    cache_drop(b->cache, KIND_POD, object(b, fresh, 9, "", ""));
    look(b);
    assert_false(b->seen.pod.exists);
}

static const struct json_value *slice(struct bench *b, const char *name, const char *service)
{
    const char *text =
        arena_printf(b->arena,
                     "{\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"5\",\"labels\":{\"%s\":\"%s\","
                     "\"kubernetes.io/service-name\":\"%s\"}},\"endpoints\":[{\"addresses\":[\"10.0.0.1\"]}]}",
                     name, LABEL_PROJECT_ID, b->sb.project_id, service);

    return json_parse(b->arena, str_from(text), &JSON_LIMITS_KUBE, NULL);
}

static void test_endpoints_are_those_of_the_service(void **state)
{
    struct bench *b = *state;
    char service[OBJECT_NAME_SIZE];

    object_name(OBJECT_SERVICE, &b->sb, service);
    cache_put(b->cache, KIND_ENDPOINT_SLICE, slice(b, "s1", service));
    cache_put(b->cache, KIND_ENDPOINT_SLICE, slice(b, "s2", "another-service"));
    look(b);
    assert_int_equal(b->seen.endpoints_n, 1);
    assert_int_equal(b->seen.endpoints_ready_n, 1);
}

static const struct json_value *pod_made_for(struct bench *b, const char *name, const char *restart_time)
{
    const char *text =
        arena_printf(b->arena,
                     "{\"metadata\":{\"name\":\"%s\",\"uid\":\"uid-%s\",\"resourceVersion\":\"4\","
                     "\"labels\":{\"%s\":\"%s\",\"restartTime\":\"%s\"}},\"spec\":{\"nodeName\":\"of-%s\"}}",
                     name, name, LABEL_PROJECT_ID, b->sb.project_id, restart_time, restart_time);

    return json_parse(b->arena, str_from(text), &JSON_LIMITS_KUBE, NULL);
}

static void test_a_pod_of_a_former_attempt_says_nothing(void **state)
{
    struct bench *b = *state;
    const char *old = arena_printf(b->arena, "%s-5b6ddd7b49-aaaaa", b->sb.name);
    const char *fresh = arena_printf(b->arena, "%s-5b6ddd7b49-bbbbb", b->sb.name);

    cache_put(b->cache, KIND_POD, pod_made_for(b, old, "20251011095959"));
    look(b);
    assert_false(b->seen.pod.exists);
    assert_true(b->seen.has_left_over_pod); /* but that something runs */
    assert_null(cache_pod_name(b->cache, &b->sb));
    cache_put(b->cache, KIND_POD, pod_made_for(b, fresh, b->sb.restart_time));
    cache_drop(b->cache, KIND_POD, pod_made_for(b, old, "20251011095959"));
    look(b);
    assert_false(b->seen.has_left_over_pod);
    assert_string_equal(b->seen.pod.node, "of-20251011100000");
}

static void test_a_pod_that_somebody_restarted_later_counts(void **state)
{
    struct bench *b = *state;
    const char *later = arena_printf(b->arena, "%s-5b6ddd7b49-ccccc", b->sb.name);

    cache_put(b->cache, KIND_POD, pod_made_for(b, later, "20261011100000"));
    look(b);
    assert_string_equal(b->seen.pod.node, "of-20261011100000");
}

static void event(struct bench *b, const char *pod, const char *type, const char *reason, int second)
{
    const char *text = arena_printf(b->arena,
                                    "{\"type\":\"%s\",\"reason\":\"%s\",\"message\":\"about %s\",\"lastTimestamp\":"
                                    "\"2026-11-23T10:00:%02dZ\",\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"%s\","
                                    "\"uid\":\"%s\"}}",
                                    type, reason, reason, second, pod, uid_of(b, pod));

    cache_event(b->cache, KIND_EVENT, json_parse(b->arena, str_from(text), &JSON_LIMITS_KUBE, NULL));
}

static void test_events_tell_pulling_and_the_newest_warning(void **state)
{
    struct bench *b = *state;
    const char *pod = arena_printf(b->arena, "%s-5b6ddd7b49-wqvsj", b->sb.name);

    event(b, "nobody-5b6ddd7b49-wqvsj", "Warning", "Failed", 1);
    event(b, "", "Warning", "Failed", 1);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    event(b, pod, "Warning", "FailedScheduling", 2); /* before the pod itself is known */
    cache_put(b->cache, KIND_POD, object(b, pod, 6, pod_meta(b, 1, ""), ""));
    look(b);
    assert_string_equal(b->seen.event_reason, "FailedScheduling");
    event(b, pod, "Normal", "Scheduled", 3);
    event(b, pod, "Normal", "Pulling", 4);
    look(b);
    assert_string_equal(b->seen.event_reason, "");
    assert_true(b->seen.pod.is_pulling);
    event(b, pod, "Warning", "Failed", 5);
    event(b, pod, "Warning", "Older", 4);
    look(b);
    assert_string_equal(b->seen.event_reason, "Failed");
    assert_string_equal(b->seen.event_message, "about Failed");
    assert_false(b->seen.pod.is_pulling);
    event(b, pod, "Normal", "Pulled", 7);
    look(b);
    assert_true(b->seen.pod.is_pulled);
}

static void test_events_of_an_old_pod_do_not_hide_the_new_ones(void **state)
{
    struct bench *b = *state;
    const char *old = arena_printf(b->arena, "%s-a-1", b->sb.name);
    const char *fresh = arena_printf(b->arena, "%s-b-2", b->sb.name);

    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    cache_put(b->cache, KIND_POD,
              object(b, old, 6, pod_meta(b, 1, ",\"deletionTimestamp\":\"2026-11-23T10:10:13Z\""), ""));
    cache_put(b->cache, KIND_POD, object(b, fresh, 7, pod_meta(b, 2, ""), ""));
    event(b, fresh, "Warning", "BackOff", 2);
    event(b, old, "Warning", "Unhealthy", 3);
    look(b);
    assert_string_equal(b->seen.event_reason, "BackOff");
}

static void test_warnings_of_the_database_pod_explain_the_database(void **state)
{
    struct bench *b = *state;
    const char *pod = arena_printf(b->arena, "%s-postgresql-0", b->sb.database_name);

    cache_put(b->cache, KIND_CLUSTER, object(b, b->sb.database_name, 5, "", ",\"status\":{\"phase\":\"Creating\"}"));
    event(b, pod, "Warning", "FailedScheduling", 2);
    look(b);
    assert_int_equal(b->seen.database.phase, DB_PHASE_CREATING);
    assert_string_equal(b->seen.database.message, "about FailedScheduling");
    assert_string_equal(b->seen.event_reason, "");
}

#define QUOTA_WORDS "create Pod x-0 in StatefulSet x failed error: pods 'x-0' is forbidden: exceeded quota: q"

static void said(struct bench *b, enum kube_kind kind, const char *name, const char *uid, const char *reason,
                 const char *words)
{
    const char *text = arena_printf(b->arena,
                                    "{\"type\":\"Warning\",\"reason\":\"%s\",\"message\":\"%s\",\"lastTimestamp\":"
                                    "\"2026-11-23T10:00:01Z\",\"involvedObject\":{\"name\":\"%s\",\"uid\":\"%s\"}}",
                                    reason, words, name, uid);

    cache_event(b->cache, kind, json_parse(b->arena, str_from(text), &JSON_LIMITS_KUBE, NULL));
}

static void about(struct bench *b, enum kube_kind kind, const char *name, const char *uid, const char *reason)
{
    said(b, kind, name, uid, reason, arena_printf(b->arena, "about %s", reason));
}

static void test_only_what_a_sandbox_is_made_of_has_to_be_synced(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        bool is_other = i == KIND_STATEFULSET || i == KIND_CLAIM || i == KIND_HTTPROUTE;
        cache_list_begin(b->cache, (enum kube_kind)i);
        if (!is_other)
            cache_list_end(b->cache, (enum kube_kind)i, 1);
    }
    look(b);
    assert_true(b->seen.is_synced);
    b->sb.kinds.route = ROUTE_HTTPROUTE;
    look(b);
    assert_false(b->seen.is_synced);
    cache_list_end(b->cache, KIND_HTTPROUTE, 1);
    look(b);
    assert_true(b->seen.is_synced);
    b->sb.kinds.workload = WORKLOAD_STATEFULSET;
    cache_list_end(b->cache, KIND_STATEFULSET, 1);
    look(b);
    assert_false(b->seen.is_synced); /* its claims are not */
}

static void test_a_stateful_sandbox_is_its_set_and_its_claim(void **state)
{
    struct bench *b = *state;
    char claim[OBJECT_NAME_SIZE];

    sync_all(b);
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    b->sb.kinds.workload = WORKLOAD_STATEFULSET;
    assert_int_equal(deployment_seen(b), PRESENCE_ABSENT); /* one of the other kind is none of its own */
    cache_put(b->cache, KIND_STATEFULSET, object(b, b->sb.name, 6, "", ",\"spec\":{\"replicas\":1}"));
    assert_int_equal(deployment_seen(b), PRESENCE_PRESENT);
    assert_non_null(cache_workload_uid(b->cache, &b->sb));
    assert_int_equal(b->seen.objects[OBJECT_CLAIM], PRESENCE_ABSENT);
    object_name(OBJECT_CLAIM, &b->sb, claim);
    cache_put(b->cache, KIND_CLAIM, object(b, claim, 7, "", ",\"status\":{\"phase\":\"Pending\"}"));
    about(b, KIND_CLAIM_EVENT, claim, uid_of(b, claim), "ProvisioningFailed");
    look(b);
    assert_int_equal(b->seen.objects[OBJECT_CLAIM], PRESENCE_PRESENT);
    assert_true(b->seen.claim.exists && !b->seen.claim.is_bound);
    assert_string_equal(b->seen.claim.message, "about ProvisioningFailed");
    cache_put(b->cache, KIND_CLAIM, object(b, claim, 8, "", ",\"status\":{\"phase\":\"Bound\"}"));
    look(b);
    assert_true(b->seen.claim.is_bound);
    assert_string_equal(b->seen.claim.message, "");
}

static void test_events_of_a_set_tell_why_it_has_no_pod(void **state)
{
    struct bench *b = *state;
    const char *uid = uid_of(b, b->sb.name);
    const char *pod = arena_printf(b->arena, "%s-0", b->sb.name);

    sync_all(b);
    b->sb.kinds.workload = WORKLOAD_STATEFULSET;
    cache_put(b->cache, KIND_STATEFULSET, object(b, b->sb.name, 5, "", ",\"spec\":{\"replicas\":1}"));
    about(b, KIND_STATEFULSET_EVENT, b->sb.name, "uid-of-before", "FailedCreate");
    look(b);
    assert_false(b->seen.workload.is_replica_failure);
    about(b, KIND_STATEFULSET_EVENT, b->sb.name, uid, "FailedCreate");
    look(b);
    assert_true(b->seen.workload.is_replica_failure);
    assert_false(b->seen.workload.is_quota);
    assert_string_equal(b->seen.workload.message, "about FailedCreate");
    said(b, KIND_STATEFULSET_EVENT, b->sb.name, uid, "FailedCreate", QUOTA_WORDS);
    look(b);
    assert_true(b->seen.workload.is_quota);
    assert_string_equal(b->seen.workload.message, "exceeded quota: q");
    cache_put(b->cache, KIND_POD, object(b, pod, 6, pod_meta(b, 1, ""), ""));
    look(b);
    assert_false(b->seen.workload.is_replica_failure);
}

static void test_a_pod_of_the_same_name_has_words_of_its_own(void **state)
{
    struct bench *b = *state;
    const char *pod = arena_printf(b->arena, "%s-0", b->sb.name);
    const char *uid = uid_of(b, pod);

    b->sb.kinds.workload = WORKLOAD_STATEFULSET;
    cache_put(b->cache, KIND_STATEFULSET, object(b, b->sb.name, 5, "", ""));
    about(b, KIND_EVENT, pod, "uid-of-before", "BackOff");
    cache_put(b->cache, KIND_POD, object(b, pod, 6, pod_meta(b, 1, ""), ""));
    look(b);
    assert_string_equal(b->seen.event_reason, "");
    about(b, KIND_EVENT, pod, uid, "FailedScheduling");
    about(b, KIND_EVENT, pod, "uid-of-before", "BackOff"); /* late words of the former one */
    look(b);
    assert_string_equal(b->seen.event_reason, "FailedScheduling");
}

static void test_a_route_s_acceptance_is_observed(void **state)
{
    struct bench *b = *state;
    char route[OBJECT_NAME_SIZE];

    sync_all(b);
    b->sb.kinds.route = ROUTE_HTTPROUTE;
    object_name(OBJECT_INGRESS_TTY, &b->sb, route);
    cache_put(b->cache, KIND_HTTPROUTE,
              object(b, route, 5, "",
                     ",\"status\":{\"parents\":[{\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\"}]}]}"));
    look(b);
    assert_true(b->seen.route_tty.is_accepted);
    assert_false(b->seen.route_app.is_accepted);
    assert_int_equal(b->seen.objects[OBJECT_INGRESS_TTY], PRESENCE_PRESENT);
}

static void test_a_project_is_told_once_per_turn(void **state)
{
    struct bench *b = *state;

    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 5, "", ""));
    cache_put(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 6, "", ""));
    assert_int_equal(b->changes_n, 0);
    look(b);
    assert_int_equal(b->changes_n, 1);
    cache_drop(b->cache, KIND_DEPLOYMENT, object(b, b->sb.name, 7, "", ""));
    look(b);
    assert_int_equal(b->changes_n, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_absence_means_something_only_after_the_first_list),
        TEST(test_older_versions_change_nothing),
        TEST(test_versions_compare_as_numbers),
        TEST(test_a_list_sweeps_what_it_does_not_hold),
        TEST(test_a_list_does_not_sweep_what_was_made_after_it),
        TEST(test_an_answer_the_watch_has_overtaken_does_not_resurrect),
        TEST(test_an_object_of_another_project_is_foreign),
        TEST(test_a_deletion_timestamp_means_deleting),
        TEST(test_an_object_owned_by_a_former_deployment_has_to_be_applied_again),
        TEST(test_unwatched_objects_are_known_by_what_we_did),
        TEST(test_the_newest_living_pod_counts),
        TEST(test_a_pod_of_a_former_attempt_says_nothing),
        TEST(test_a_pod_that_somebody_restarted_later_counts),
        TEST(test_endpoints_are_those_of_the_service),
        TEST(test_events_tell_pulling_and_the_newest_warning),
        TEST(test_events_of_an_old_pod_do_not_hide_the_new_ones),
        TEST(test_warnings_of_the_database_pod_explain_the_database),
        TEST(test_only_what_a_sandbox_is_made_of_has_to_be_synced),
        TEST(test_a_stateful_sandbox_is_its_set_and_its_claim),
        TEST(test_events_of_a_set_tell_why_it_has_no_pod),
        TEST(test_a_pod_of_the_same_name_has_words_of_its_own),
        TEST(test_a_route_s_acceptance_is_observed),
        TEST(test_a_project_is_told_once_per_turn),
    };

    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
