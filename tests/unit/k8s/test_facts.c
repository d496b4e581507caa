// SPDX-License-Identifier: MIT
/* What is read from objects as a real cluster sent them. */
#include "captures.h"

#include "core/base/codec.h"
#include "k8s/facts.h"
#include "k8s/kubeblocks.h"
#include "sample.h"

static const struct {
    const char *capture;
    const char *waiting;
    const char *last;
    const char *message; /* begins with */
    int exit_code, restarts;
    bool is_scheduled, is_unschedulable, is_pulled, is_running, is_ready;
} pods[] = {
    {"111-pods-imagepullbackoff",           "ImagePullBackOff",           NULL,        "Back-off pulling image",            0,   0, true,  false, false, false,
     false                                                                                                                                                           },
    {"112-pods-crashloopbackoff",           "CrashLoopBackOff",           "Error",     "back-off 10s",                      1,   1, true,  false, true,  false, false},
    {"113-pods-notready",                   NULL,                         NULL,        "containers with unready status",    0,   0, true,  false, true,  true,  false},
    {"114-pods-oomkilled",                  "CrashLoopBackOff",           "OOMKilled", "back-off 10s",                      137, 1, true,  false, true,  false, false},
    {"115-pods-createcontainerconfigerror", "CreateContainerConfigError", NULL,        "secret \"missing\" not found",      0,   0,
     true,                                                                                                                                 false, true,  false, false},
    {"116-pods-invalidimagename",           "InvalidImageName",           NULL,        "Failed to apply default image tag", 0,   0, true,  false,
     false,                                                                                                                                              false, false},
    {"117-pods-neverstarts",                "ContainerCreating",          NULL,        "containers with unready status",    0,   0, true,  false, false,
     false,                                                                                                                                                     false},
    {"118-pods-unschedulable",              NULL,                         NULL,        "0/1 nodes are available",           0,   0, false, true,  false, false, false},
    {"034-list-pods-by-label",              NULL,                         NULL,        NULL,                                0,   0, true,  false, true,  true,  true },
};

static bool same(const char *got, const char *want)
{
    return got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;
}

static void test_pods_tell_why_they_do_not_run(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof pods / sizeof *pods; i++) {
        const struct json_value *list = capture_answer(a, pods[i].capture);
        struct facts f = {0};

        facts_read(KIND_POD, json_first(json_find(list, "items")), &f);
        print_message("%s\n", pods[i].capture);
        assert_true(same(f.pod.waiting_reason, pods[i].waiting));
        assert_true(same(f.pod.last_reason, pods[i].last));
        assert_true(pods[i].message == NULL ? f.pod.message == NULL
                                            : str_starts(str_from(f.pod.message), str_from(pods[i].message)));
        assert_int_equal(f.pod.exit_code, pods[i].exit_code);
        assert_int_equal(f.pod.restarts, pods[i].restarts);
        assert_int_equal(f.pod.is_scheduled, pods[i].is_scheduled);
        assert_int_equal(f.pod.is_unschedulable, pods[i].is_unschedulable);
        assert_int_equal(f.pod.is_pulled, pods[i].is_pulled);
        assert_int_equal(f.pod.is_running, pods[i].is_running);
        assert_int_equal(f.pod.is_ready, pods[i].is_ready);
        assert_false(f.pod.is_failed);
        facts_fini(KIND_POD, &f);
    }
    arena_free(a);
}

static void test_an_evicted_pod_is_failed_and_says_why(void **state)
{
    struct arena *a = arena_new();
    struct facts f = {0};
    struct str text = STR("{\"metadata\":{\"name\":\"p\",\"creationTimestamp\":\"2026-11-23T10:10:13Z\"},"
                          "\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\",\"message\":\"low on memory\"}}");

    (void)state;
    facts_read(KIND_POD, json_parse(a, text, &JSON_LIMITS_KUBE, NULL), &f);
    assert_true(f.pod.is_failed);
    assert_string_equal(f.pod.last_reason, "Evicted");
    assert_string_equal(f.pod.message, "low on memory");
    facts_fini(KIND_POD, &f);
    arena_free(a);
}

static void test_deployments_tell_failure_and_generation(void **state)
{
    struct arena *a = arena_new();
    struct facts f = {0};

    (void)state;
    facts_read(KIND_DEPLOYMENT, capture_answer(a, "032-get-deployment-available"), &f);
    assert_true(f.workload.is_available && !f.workload.is_replica_failure && !f.workload.is_progress_over);
    assert_int_equal(f.workload.available, 1);
    assert_null(f.workload.message);
    facts_fini(KIND_DEPLOYMENT, &f);
    facts_read(KIND_DEPLOYMENT, capture_answer(a, "072-patch-merge-200"), &f);
    assert_true(f.workload.generation > f.workload.observed_generation);
    assert_int_equal(f.workload.wanted, 0);
    facts_fini(KIND_DEPLOYMENT, &f);
    facts_read(KIND_DEPLOYMENT, capture_answer(a, "122-pods-quota-deployment-status"), &f);
    assert_true(f.workload.is_replica_failure && !f.workload.is_available);
    assert_true(str_find_str(str_from(f.workload.message), STR("exceeded quota")) < strlen(f.workload.message));
    facts_fini(KIND_DEPLOYMENT, &f);
    facts_read(KIND_DEPLOYMENT, capture_answer(a, "123-deployment-progressdeadline"), &f);
    assert_true(f.workload.is_progress_over);
    facts_fini(KIND_DEPLOYMENT, &f);
    facts_read(KIND_DEPLOYMENT, capture_answer(a, "023-create-deployment-201"), &f);
    assert_int_equal(f.workload.generation, 1);
    assert_int_equal(f.workload.observed_generation, 0);
    facts_fini(KIND_DEPLOYMENT, &f);
    arena_free(a);
}

static void test_clusters_tell_their_phase(void **state)
{
    struct arena *a = arena_new();
    struct str refused =
        STR("{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"message\":\"no\"},"
            "{\"type\":\"ProvisioningStarted\",\"status\":\"False\",\"reason\":\"PreCheckFailed\","
            "\"message\":\"clusterdefinition not found\"}]}}");
    struct facts f = {0};

    (void)state;
    facts_read(KIND_CLUSTER, capture_answer(a, "015-create-cluster-201"), &f);
    assert_int_equal(f.database.phase, DB_PHASE_NONE);
    facts_read(KIND_CLUSTER, capture_answer(a, "018-get-cluster-running"), &f);
    assert_int_equal(f.database.phase, DB_PHASE_RUNNING);
    assert_false(f.database.is_refused);
    facts_fini(KIND_CLUSTER, &f);
    facts_read(KIND_CLUSTER, capture_answer(a, "kb10-06-v1-running"), &f);
    assert_int_equal(f.database.phase, DB_PHASE_RUNNING);
    facts_fini(KIND_CLUSTER, &f);
    facts_read(KIND_CLUSTER, json_parse(a, refused, &JSON_LIMITS_KUBE, NULL), &f);
    assert_true(f.database.is_refused);
    assert_string_equal(f.database.message, "clusterdefinition not found");
    facts_fini(KIND_CLUSTER, &f);
    arena_free(a);
}

static void test_endpoints_count_addresses_and_ready_ones(void **state)
{
    struct arena *a = arena_new();
    struct facts f = {0};
    struct str text = STR("{\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":false}},"
                          "{\"addresses\":[\"10.0.0.2\",\"10.0.0.3\"],\"conditions\":{}},{\"addresses\":[]}]}");

    (void)state;
    facts_read(KIND_ENDPOINT_SLICE, json_parse(a, text, &JSON_LIMITS_KUBE, NULL), &f);
    assert_int_equal(f.endpoints.addresses_n, 3);
    assert_int_equal(f.endpoints.ready_n, 2);
    arena_free(a);
}

static void test_credentials_of_a_real_secret_have_no_database(void **state)
{
    struct arena *a = arena_new();
    struct sandbox sb = sample_sandbox();
    struct db_credentials c;
    struct err err = {0};
    const struct kubeblocks_dialect *v1 =
        kubeblocks_choose(json_parse(a, STR("{\"versions\":[{\"version\":\"v1\"}]}"), &JSON_LIMITS_KUBE, NULL));
    char name[KUBEBLOCKS_SECRET_SIZE];

    (void)state;
    assert_true(
        kubeblocks_credentials(kubeblocks_v1alpha1(), &sb, capture_answer(a, "019-get-conn-credential"), &c, &err));
    assert_string_equal(c.host, "myshop-agentruntime-dbdbdb-postgresql");
    assert_int_equal(c.port, 5432);
    assert_string_equal(c.user, "postgres");
    assert_string_equal(c.database, "postgres");
    assert_true(str_eq(secret_reveal(&c.password), STR("eeykw4dd")));
    db_credentials_fini(&c);
    assert_true(kubeblocks_credentials(v1, &sb, capture_answer(a, "kb10-07-v1-account-secret"), &c, &err));
    assert_string_equal(c.host, "myshop-agentruntime-dbdbdb-postgresql-postgresql.ns-ajno7yq7.svc");
    assert_true(str_eq(secret_reveal(&c.password), STR("cTrDz86a6P")));
    db_credentials_fini(&c);
    kubeblocks_secret_name(v1, &sb, name);
    assert_string_equal(name, "myshop-agentruntime-dbdbdb-postgresql-account-postgres");
    assert_false(kubeblocks_credentials(
        kubeblocks_v1alpha1(), &sb, json_parse(a, STR("{\"data\":{\"username\":\"cA==\"}}"), &JSON_LIMITS_KUBE, NULL),
        &c, &err));
    assert_int_equal(err.kind, ERR_NOT_READY);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pods_tell_why_they_do_not_run),
        cmocka_unit_test(test_an_evicted_pod_is_failed_and_says_why),
        cmocka_unit_test(test_deployments_tell_failure_and_generation),
        cmocka_unit_test(test_clusters_tell_their_phase),
        cmocka_unit_test(test_endpoints_count_addresses_and_ready_ones),
        cmocka_unit_test(test_credentials_of_a_real_secret_have_no_database),
    };

    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
