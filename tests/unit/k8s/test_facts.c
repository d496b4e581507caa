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
    arena_free(a);
}

static void test_a_secret_that_is_not_whole_says_what_is_wrong(void **state)
{
    static const struct {
        const char *secret;
        enum err_kind kind;
        const char *words;
    } rows[] = {
        {"{}",                                                                         ERR_MISSING, "username"  },
        {"{\"data\":{}}",                                                              ERR_MISSING, "username"  },
        {"{\"data\":{\"username\":\"cA==\"}}",                                         ERR_MISSING, "password"  },
        {"{\"data\":{\"username\":\"cA==\",\"password\":\"\"}}",                       ERR_MISSING, "password"  },
        {"{\"data\":{\"username\":\"cA==\",\"password\":\"//4=\"}}",                   ERR_INVALID, "not a text"},
        {"{\"data\":{\"username\":\"cA==\",\"password\":\"YQBi\"}}",                   ERR_INVALID, "not a text"},
        {"{\"data\":{\"username\":\"cA==\",\"password\":\"%%\"}}",                     ERR_INVALID, "not a text"},
        {"{\"data\":{\"username\":\"cA==\",\"password\":\"cA==\",\"port\":\"eA==\"}}", ERR_INVALID, "port"      },
    };
    struct sandbox sb = sample_sandbox();
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct json_value *secret = json_parse(a, str_from(rows[i].secret), &JSON_LIMITS_KUBE, NULL);
        struct db_credentials c;
        struct err err = {0};
        assert_false(kubeblocks_credentials(kubeblocks_v1alpha1(), &sb, secret, &c, &err));
        assert_int_equal(err.kind, rows[i].kind);
        assert_non_null(strstr(err.msg, rows[i].words));
    }
    arena_free(a);
}

static void test_the_secret_of_an_older_database_is_looked_for_after_the_newer_name(void **state)
{
    (void)state;
    assert_ptr_equal(kubeblocks_likely(kubeblocks_newest(), 0), kubeblocks_newest());
    assert_ptr_equal(kubeblocks_likely(kubeblocks_newest(), 1), kubeblocks_v1alpha1());
    assert_null(kubeblocks_likely(kubeblocks_newest(), 2));
    assert_ptr_equal(kubeblocks_likely(kubeblocks_v1alpha1(), 0), kubeblocks_v1alpha1());
    assert_ptr_equal(kubeblocks_likely(kubeblocks_v1alpha1(), 1), kubeblocks_newest());
    assert_null(kubeblocks_likely(kubeblocks_v1alpha1(), 2));
}

static void test_phases_of_both_operators_are_known(void **state)
{
    static const struct {
        const char *text;
        enum db_phase phase;
    } rows[] = {
        {"",         DB_PHASE_NONE    },
        {"Creating", DB_PHASE_CREATING},
        {"Updating", DB_PHASE_UPDATING},
        {"Running",  DB_PHASE_RUNNING },
        {"Stopping", DB_PHASE_STOPPING},
        {"Stopped",  DB_PHASE_STOPPED },
        {"Deleting", DB_PHASE_DELETING},
        {"Failed",   DB_PHASE_FAILED  },
        {"Abnormal", DB_PHASE_FAILED  },
        {"Dreaming", DB_PHASE_OTHER   },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str text = str_from(arena_printf(a, "{\"status\":{\"phase\":\"%s\"}}", rows[i].text));
        assert_int_equal(kubeblocks_phase(json_parse(a, text, &JSON_LIMITS_KUBE, NULL)), rows[i].phase);
    }
    arena_free(a);
}

/* The manifests against what real servers answered to them. With None for a conversion the 1.0 server takes what is
 * written in v1alpha1 without a warning, strict or not, and drops what v1 does not know. */
static void test_what_a_server_did_not_keep_is_found(void **state)
{
    static const struct {
        const char *manifest, *answer, *lost;
    } rows[] = {
        {"database_v1alpha1", "kb09-01-own-v1alpha1-strict", NULL             },
        {"database_v1",       "kb10-09-own-v1-strict",       NULL             },
        {"database_v1alpha1", "kb10-10-own-v1alpha1-strict", "spec.affinity"  },
        {"database_v1",       "kb10-10-own-v1alpha1-strict", "spec.clusterDef"},
        {"database_v1alpha1", "018-get-cluster-running",     NULL             },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text;
        char path[512];
        char lost[96] = "";
        buf_init(&text, GOLDEN_CEILING_BYTES);
        (void)snprintf(path, sizeof path, "%s/tests/golden/manifest/%s.json", FS_SOURCE_DIR, rows[i].manifest);
        const struct json_value *sent = json_parse(a, golden_read(path, &text), &JSON_LIMITS_KUBE, NULL);
        assert_non_null(sent);
        bool is_lost = kubeblocks_lost_field(sent, capture_answer(a, rows[i].answer), lost, sizeof lost);
        if (rows[i].lost == NULL)
            assert_string_equal(lost, "");
        else
            assert_string_equal(lost, rows[i].lost);
        assert_int_equal(is_lost, rows[i].lost != NULL);
        buf_fini(&text);
    }
    arena_free(a);
}

static void test_a_field_within_a_list_is_missed_too(void **state)
{
    struct arena *a = arena_new();
    struct str sent = STR("{\"spec\":{\"x\":{},\"l\":[{\"n\":1},{\"n\":1,\"m\":{\"k\":false}}]}}");
    struct str kept = STR("{\"spec\":{\"l\":[{\"n\":2},{\"n\":1,\"m\":{}}],\"d\":1}}");
    char lost[96] = "";

    (void)state;
    assert_true(kubeblocks_lost_field(json_parse(a, sent, &JSON_LIMITS_KUBE, NULL),
                                      json_parse(a, kept, &JSON_LIMITS_KUBE, NULL), lost, sizeof lost));
    assert_string_equal(lost, "spec.l[1].m.k");
    assert_true(kubeblocks_lost_field(json_parse(a, sent, &JSON_LIMITS_KUBE, NULL), NULL, lost, sizeof lost));
    arena_free(a);
}

static const struct json_value *parsed(struct arena *a, const char *text)
{
    const struct json_value *v = json_parse(a, str_from(text), &JSON_LIMITS_KUBE, NULL);

    assert_non_null(v);
    return v;
}

static void test_a_stateful_set_is_rolled_out_when_its_revisions_agree(void **state)
{
    struct arena *a = arena_new();
    struct facts f = {0};

    (void)state;
    facts_read(KIND_STATEFULSET,
               parsed(a,
                      "{\"metadata\":{\"generation\":2},\"spec\":{\"replicas\":1},\"status\":{\"observedGeneration\":2,"
                      "\"replicas\":1,\"readyReplicas\":1,\"updatedReplicas\":1,\"currentRevision\":\"a\","
                      "\"updateRevision\":\"b\",\"availableReplicas\":0}}"),
               &f);
    assert_true(f.workload.is_rolling && f.workload.is_available);
    assert_int_equal(f.workload.generation, 2);
    assert_int_equal(f.workload.observed_generation, 2);
    assert_int_equal(f.workload.updated, 1);
    assert_int_equal(f.workload.available, 0);
    facts_fini(KIND_STATEFULSET, &f);
    facts_read(KIND_STATEFULSET,
               parsed(a, "{\"spec\":{\"replicas\":1},\"status\":{\"currentRevision\":\"b\",\"updateRevision\":\"b\"}}"),
               &f);
    assert_false(f.workload.is_rolling || f.workload.is_available);
    facts_fini(KIND_STATEFULSET, &f);
    arena_free(a);
}

static void test_an_init_container_speaks_until_it_has_ended_well(void **state)
{
    static const char waits[] = "\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"PodInitializing\"}}}]";
    struct arena *a = arena_new();
    struct facts f = {0};

    (void)state;
    facts_read(KIND_POD,
               parsed(a, arena_printf(a,
                                      "{\"status\":{%s,\"initContainerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
                                      "\"ImagePullBackOff\",\"message\":\"no such image\"}}}]}}",
                                      waits)),
               &f);
    assert_string_equal(f.pod.waiting_reason, "ImagePullBackOff");
    assert_string_equal(f.pod.message, "no such image");
    facts_fini(KIND_POD, &f);
    facts_read(
        KIND_POD,
        parsed(a, arena_printf(a, "{\"status\":{%s,\"initContainerStatuses\":[{\"state\":{\"running\":{}}}]}}", waits)),
        &f);
    assert_false(f.pod.is_running);
    assert_true(f.pod.is_pulled);
    facts_fini(KIND_POD, &f);
    facts_read(KIND_POD,
               parsed(a,
                      "{\"status\":{\"containerStatuses\":[{\"state\":{\"running\":{}}}],\"initContainerStatuses\":[{"
                      "\"state\":{\"terminated\":{\"exitCode\":0}}}]}}"),
               &f);
    assert_true(f.pod.is_running);
    facts_fini(KIND_POD, &f);
    arena_free(a);
}

#define PARENT(conditions) "{\"controllerName\":\"x\",\"conditions\":[" conditions "]}"
#define SAYS(type, status, reason, generation)                                                                         \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"" reason                                            \
    "\",\"message\":\"words\",\"observedGeneration\":" generation "}"

static void test_a_route_is_what_its_gateways_say_of_its_present_generation(void **state)
{
    /* clang-format off */
    static const struct {
        const char *parents;
        bool is_accepted, is_refused, is_conflict;
        const char *message;
    } cases[] = {
        {"", false, false, false, NULL},
        {PARENT(SAYS("Accepted", "True", "Accepted", "2")), true, false, false, NULL},
        {PARENT(SAYS("Accepted", "True", "Accepted", "1")), false, false, false, NULL},
        {PARENT(SAYS("Accepted", "False", "Pending", "2")), false, false, false, NULL},
        {PARENT(SAYS("Accepted", "False", "NotAllowedByListeners", "2")), false, true, false,
         "NotAllowedByListeners: words"},
        {PARENT(SAYS("Accepted", "False", "HostnameConflict", "2")), false, true, true, "HostnameConflict: words"},
        {PARENT(SAYS("Accepted", "True", "Accepted", "2") "," SAYS("ResolvedRefs", "False", "BackendNotFound", "2")),
         false, true, false, "BackendNotFound: words"},
        {PARENT(SAYS("Accepted", "True", "Accepted", "2") "," SAYS("ResolvedRefs", "True", "ResolvedRefs", "2")), true,
         false, false, NULL},
        {PARENT(SAYS("Accepted", "False", "NoMatchingParent", "2")) "," PARENT(SAYS("Accepted", "True", "Accepted", "2")),
         true, false, false, "NoMatchingParent: words"},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new();
        struct facts f = {0};

        facts_read(KIND_HTTPROUTE,
                   parsed(a, arena_printf(a, "{\"metadata\":{\"generation\":2},\"status\":{\"parents\":[%s]}}",
                                          cases[i].parents)),
                   &f);
        assert_int_equal(f.route.is_accepted, cases[i].is_accepted);
        assert_int_equal(f.route.is_refused, cases[i].is_refused);
        assert_int_equal(f.route.is_conflict, cases[i].is_conflict);
        if (cases[i].message == NULL)
            assert_null(f.route.message);
        else
            assert_string_equal(f.route.message, cases[i].message);
        facts_fini(KIND_HTTPROUTE, &f);
        arena_free(a);
    }
}

static void test_hosts_of_routes_are_kept(void **state)
{
    static const struct {
        enum kube_kind kind;
        const char *json;
    } cases[] = {
        {KIND_INGRESS,   "{\"spec\":{\"rules\":[{\"host\":\"a.example\"},{},{\"host\":\"b.example\"}]}}"},
        {KIND_HTTPROUTE, "{\"spec\":{\"hostnames\":[\"a.example\",\"b.example\"]}}"                     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new();
        struct facts f = {0};

        facts_read(cases[i].kind, parsed(a, cases[i].json), &f);
        assert_true(f.route.hosts[0] == codec_hash("a.example", 9));
        assert_true(f.route.hosts[1] == codec_hash("b.example", 9));
        assert_int_equal(f.route.hosts[2], 0);
        facts_fini(cases[i].kind, &f);
        arena_free(a);
    }
}

static void test_a_claim_is_bound_or_not(void **state)
{
    struct arena *a = arena_new();
    struct facts f = {0};

    (void)state;
    facts_read(KIND_CLAIM, parsed(a, "{\"status\":{\"phase\":\"Pending\"}}"), &f);
    assert_false(f.claim.is_bound);
    facts_fini(KIND_CLAIM, &f);
    facts_read(KIND_CLAIM, parsed(a, "{\"status\":{\"phase\":\"Bound\"}}"), &f);
    assert_true(f.claim.is_bound);
    facts_fini(KIND_CLAIM, &f);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stateful_set_is_rolled_out_when_its_revisions_agree),
        cmocka_unit_test(test_an_init_container_speaks_until_it_has_ended_well),
        cmocka_unit_test(test_a_route_is_what_its_gateways_say_of_its_present_generation),
        cmocka_unit_test(test_hosts_of_routes_are_kept),
        cmocka_unit_test(test_a_claim_is_bound_or_not),
        cmocka_unit_test(test_pods_tell_why_they_do_not_run),
        cmocka_unit_test(test_an_evicted_pod_is_failed_and_says_why),
        cmocka_unit_test(test_deployments_tell_failure_and_generation),
        cmocka_unit_test(test_clusters_tell_their_phase),
        cmocka_unit_test(test_endpoints_count_addresses_and_ready_ones),
        cmocka_unit_test(test_credentials_of_a_real_secret_have_no_database),
        cmocka_unit_test(test_a_secret_that_is_not_whole_says_what_is_wrong),
        cmocka_unit_test(test_the_secret_of_an_older_database_is_looked_for_after_the_newer_name),
        cmocka_unit_test(test_phases_of_both_operators_are_known),
        cmocka_unit_test(test_what_a_server_did_not_keep_is_found),
        cmocka_unit_test(test_a_field_within_a_list_is_missed_too),
    };

    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
