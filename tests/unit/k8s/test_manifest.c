// SPDX-License-Identifier: MIT
/* Manifests: every object in every dialect and profile is what its golden file says. */
#include "captures.h"

#include "core/base/codec.h"
#include "core/base/json_read.h"
#include "k8s/kubeblocks.h"
#include "k8s/manifest.h"
#include "k8s/objects.h"
#include "k8s/rights.h"
#include "sample.h"

static const char ENV[] = "{\"DATABASE_URL\":\"postgresql://postgres:p%40ss@db:5432/postgres?schema=public\","
                          "\"NODE_ENV\":\"development\",\"TTYD_PORT\":\"7681\"}";
static const char OWNER[] = "6a4fca86-c70b-4897-893d-9fd294f7bb28";

static const struct sandbox_kinds USUAL = {WORKLOAD_DEPLOYMENT, ROUTE_INGRESS};
static const struct sandbox_kinds OTHER = {WORKLOAD_STATEFULSET, ROUTE_HTTPROUTE};

static void check(const char *file, enum cluster_object object, const struct manifest *m)
{
    struct json_writer *w = jw_new(1 << 20);
    struct err err = {0};
    struct str json;
    char path[512];

    manifest_write(w, object, m);
    if (!jw_finish(w, &json, &err))
        fail_msg("%s: %s", file, err.msg);
    assert_true(snprintf(path, sizeof path, "%s/tests/golden/manifest/%s.json", FS_SOURCE_DIR, file) > 0);
    golden_check(path, json);
    jw_free(w);
}

static struct manifest sample(const struct sandbox *sb, const struct k8s_profile *profile)
{
    return (struct manifest){.sb = sb, .profile = profile, .env = STR_NONE, .owner_uid = OWNER};
}

static void test_every_object_is_as_recorded(void **state)
{
    static const char *const files[OBJECT_N] = {
        [OBJECT_SERVICE_ACCOUNT] = "service_account",
        [OBJECT_ROLE] = "role",
        [OBJECT_ROLE_BINDING] = "role_binding",
        [OBJECT_DATABASE] = "database_v1alpha1",
        [OBJECT_WORKLOAD] = "deployment",
        [OBJECT_ENV_SECRET] = "env_secret",
        [OBJECT_SERVICE] = "service",
        [OBJECT_INGRESS_APP] = "ingress_app_seed",
        [OBJECT_INGRESS_TTY] = "ingress_tty_seed",
        [OBJECT_NETWORK_POLICY] = "network_policy",
    };
    struct sandbox sb = sample_sandbox();
    struct manifest m = sample(&sb, &K8S_PROFILE_DEFAULT);

    (void)state;
    for (size_t i = 0; i < OBJECT_N; i++) {
        if (object_row((enum cluster_object)i, &sb.kinds)->write == NULL)
            continue; /* the StatefulSet makes it */
        m.dialect = i == OBJECT_DATABASE ? kubeblocks_v1alpha1() : NULL;
        m.env = i == OBJECT_ENV_SECRET ? str_from(ENV) : STR_NONE;
        check(files[i], (enum cluster_object)i, &m);
    }
}

static void test_profiles_change_ingress_and_role(void **state)
{
    static const char *const names[] = {"nginx", "traefik", "plain"};
    struct sandbox sb = sample_sandbox();
    struct k8s_profile profile = K8S_PROFILE_DEFAULT;
    struct manifest m = sample(&sb, &profile);
    char file[64];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        profile.ingress = ingress_profile_find(str_from(names[i]));
        assert_non_null(profile.ingress);
        assert_true(snprintf(file, sizeof file, "ingress_tty_%s", names[i]) > 0);
        check(file, OBJECT_INGRESS_TTY, &m);
    }
    assert_null(ingress_profile_find(STR("haproxy")));
    profile.tls_secret = NULL;
    profile.ingress_class = "internal";
    check("ingress_app_plain_no_tls", OBJECT_INGRESS_APP, &m);
    profile.is_role_full = true;
    check("role_full", OBJECT_ROLE, &m);
}

static void test_a_stateful_sandbox_has_a_volume(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct k8s_profile profile = K8S_PROFILE_DEFAULT;
    struct manifest m = sample(&sb, &profile);
    char name[OBJECT_NAME_SIZE];

    (void)state;
    sb.kinds.workload = WORKLOAD_STATEFULSET;
    profile.volume_class = "fast";
    check("statefulset", OBJECT_WORKLOAD, &m);
    m.resource_version = "4711"; /* what may not change is left out */
    check("statefulset_patch", OBJECT_WORKLOAD, &m);
    m.resource_version = NULL;
    object_name(OBJECT_CLAIM, &sb, name);
    assert_string_equal(name, "vn-homevn-fulling-myshop-agentruntime-qwerty-0");
    sb.kinds.workload = WORKLOAD_DEPLOYMENT;
    object_name(OBJECT_CLAIM, &sb, name);
    assert_string_equal(name, "");
}

static void test_a_restricted_pod_is_never_root(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct k8s_profile profile = K8S_PROFILE_DEFAULT;
    struct manifest m = sample(&sb, &profile);

    (void)state;
    profile.is_restricted = true;
    profile.run_as_user = 1001;
    check("deployment_restricted", OBJECT_WORKLOAD, &m);
    sb.kinds.workload = WORKLOAD_STATEFULSET;
    check("statefulset_restricted", OBJECT_WORKLOAD, &m);
}

static void test_a_gateway_gets_httproutes(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct k8s_profile profile = K8S_PROFILE_DEFAULT;
    struct manifest m = sample(&sb, &profile);

    (void)state;
    profile.ingress = ingress_profile_find(STR("gateway"));
    sb.kinds = k8s_profile_kinds(&profile);
    assert_int_equal(sb.kinds.route, ROUTE_HTTPROUTE);
    check("route_app", OBJECT_INGRESS_APP, &m);
    check("service_of_route", OBJECT_SERVICE, &m);
    check("network_policy_of_route", OBJECT_NETWORK_POLICY, &m);
    profile.gateway_namespace = "gateways";
    profile.gateway_section = "https";
    profile.gateway_timeout = NULL;
    check("route_tty_elsewhere", OBJECT_INGRESS_TTY, &m);
}

/* Two tables say how kinds are called, for people and for the API. */
static void test_kinds_are_called_the_same_everywhere(void **state)
{
    struct sandbox sb = sample_sandbox();

    (void)state;
    for (size_t i = 0; i < OBJECT_N * 2; i++) {
        enum cluster_object object = (enum cluster_object)(i / 2);
        sb.kinds = i % 2 ? OTHER : USUAL;
        assert_string_equal(sandbox_object_kind(&sb, object), kube_kind_row(object_row(object, &sb.kinds)->kind)->kind);
    }
}

static void test_a_group_with_v1_gets_the_v1_dialect(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct manifest m = sample(&sb, &K8S_PROFILE_DEFAULT);
    struct arena *a = arena_new();
    struct str text = STR("{\"versions\":[{\"version\":\"v1alpha1\"},{\"version\":\"v1\"}]}");
    const struct json_value *group = json_parse(a, text, &JSON_LIMITS_KUBE, NULL);

    (void)state;
    assert_ptr_equal(kubeblocks_choose(group), kubeblocks_newest());
    assert_ptr_equal(kubeblocks_choose(capture_answer(a, "kb09-02-group")), kubeblocks_v1alpha1());
    m.dialect = kubeblocks_choose(capture_answer(a, "kb10-11-group"));
    assert_non_null(m.dialect);
    assert_string_equal(m.dialect->version, "v1");
    check("database_v1", OBJECT_DATABASE, &m);
    text = STR("{\"versions\":[{\"version\":\"v1alpha1\"}]}");
    assert_ptr_equal(kubeblocks_choose(json_parse(a, text, &JSON_LIMITS_KUBE, NULL)), kubeblocks_v1alpha1());
    text = STR("{\"versions\":[{\"version\":\"v2\"}]}");
    assert_null(kubeblocks_choose(json_parse(a, text, &JSON_LIMITS_KUBE, NULL)));
    arena_free(a);
}

static void check_run(const char *file, enum cluster_object object, const struct manifest_run *m)
{
    struct json_writer *w = jw_new(1 << 20);
    struct str json;
    char path[512];
    manifest_write_run(w, object, m);
    assert_true(jw_finish(w, &json, NULL));
    assert_true(snprintf(path, sizeof path, "%s/tests/golden/manifest/%s.json", FS_SOURCE_DIR, file) > 0);
    golden_check(path, json);
    jw_free(w);
}

static const struct json_value *parse_text(struct arena *a, const char *text)
{
    const struct json_value *v = json_parse(a, str_from(text), &JSON_LIMITS_KUBE, NULL);
    assert_non_null(v);
    return v;
}

/* Each patch is read back as the next one sees it: what ran before runs again, other fields stay as they were. */
static void test_stopping_keeps_what_starting_needs(void **state)
{
    struct arena *a = arena_new();
    struct manifest_run m = {.dialect = kubeblocks_v1alpha1(), .resource_version = "7", .asked_ms = 1700000000123};
    (void)state;
    check_run("run_workload_halt", OBJECT_WORKLOAD, &m);
    m.seen = parse_text(a, "{\"metadata\":{\"annotations\":{}},\"spec\":{\"componentSpecs\":[{\"name\":\"postgresql\","
                           "\"replicas\":2,\"monitor\":true},{\"name\":\"pooler\"}]}}");
    assert_false(kubeblocks_is_halted(m.seen));
    check_run("run_database_halt_v1alpha1", OBJECT_DATABASE, &m);
    m.seen =
        parse_text(a, "{\"metadata\":{\"annotations\":{\"kubeblocks.io/snapshot-for-start\":\"{\\\"postgresql\\\":2,"
                      "\\\"pooler\\\":1}\"}},\"spec\":{\"componentSpecs\":[{\"name\":\"postgresql\",\"replicas\":0,"
                      "\"monitor\":true},{\"name\":\"pooler\",\"replicas\":0}]}}");
    assert_true(kubeblocks_is_halted(m.seen));
    check_run("run_database_halt_again_v1alpha1", OBJECT_DATABASE, &m);
    m.is_running = true;
    check_run("run_database_resume_v1alpha1", OBJECT_DATABASE, &m);
    m.dialect = kubeblocks_newest();
    m.seen = parse_text(a, "{\"spec\":{\"componentSpecs\":[{\"name\":\"postgresql\",\"replicas\":2,\"stop\":true}]}}");
    assert_true(kubeblocks_is_halted(m.seen));
    check_run("run_database_resume_v1", OBJECT_DATABASE, &m);
    m.is_running = false;
    check_run("run_database_halt_v1", OBJECT_DATABASE, &m);
    arena_free(a);
}

static void test_a_patch_names_the_version_and_replaces_all_variables(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct manifest m = sample(&sb, &K8S_PROFILE_DEFAULT);

    (void)state;
    m.resource_version = "4711";
    m.env = STR("{\"A\":\"1\"}");
    check("env_secret_patch", OBJECT_ENV_SECRET, &m);
}

static void test_an_image_by_digest_is_not_pulled_each_time(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct manifest m = sample(&sb, &K8S_PROFILE_DEFAULT);
    struct json_writer *w = jw_new(1 << 20);
    struct str json;

    (void)state;
    assert_true(str_copy(STR("runtime@sha256:0123"), sb.image, sizeof sb.image));
    manifest_write(w, OBJECT_WORKLOAD, &m);
    assert_true(jw_finish(w, &json, NULL));
    assert_true(str_find_str(json, STR("\"imagePullPolicy\":\"IfNotPresent\"")) < json.n);
    jw_free(w);
}

static void test_a_retry_has_a_secret_of_its_own(void **state)
{
    struct sandbox sb = sample_sandbox();
    char name[OBJECT_NAME_SIZE];
    (void)state;
    object_name(OBJECT_ENV_SECRET, &sb, name);
    assert_string_equal(name, "myshop-agentruntime-qwerty-env");
    sb.attempt = 12;
    object_name(OBJECT_ENV_SECRET, &sb, name);
    assert_string_equal(name, "myshop-agentruntime-qwerty-env-12");
}

static void test_names_and_paths_follow_from_the_tables(void **state)
{
    struct sandbox sb = sample_sandbox();
    struct buf path;
    char name[OBJECT_NAME_SIZE];

    (void)state;
    buf_init(&path, 512);
    object_name(OBJECT_INGRESS_TTY, &sb, name);
    kube_path_add(&path, KIND_INGRESS, NULL, sb.namespace_name, name);
    assert_string_equal(
        buf_text(&path),
        "/apis/networking.k8s.io/v1/namespaces/ns-ajno7yq7/ingresses/myshop-agentruntime-qwerty-ttyd-ingress");
    buf_clear(&path);
    kube_path_add(&path, KIND_CLUSTER, "v1", "n", "a/b");
    assert_string_equal(buf_text(&path), "/apis/apps.kubeblocks.io/v1/namespaces/n/clusters/a%2Fb");
    buf_clear(&path);
    kube_path_add(&path, KIND_SECRET, NULL, "n", NULL);
    assert_string_equal(buf_text(&path), "/api/v1/namespaces/n/secrets");
    buf_fini(&path);
    memset(sb.name, 'a', sizeof sb.name - 1);
    object_name(OBJECT_INGRESS_TTY, &sb, name);
    assert_int_equal(strlen(name), 63 + 13);
}

static void test_nothing_is_asked_for_that_is_not_used(void **state)
{
    struct json_writer *w = jw_new(1 << 20);
    struct str json;

    (void)state;
    rights_write_json(w, "ns-ajno7yq7", &OTHER);
    assert_true(jw_finish(w, &json, NULL));
    golden_check(FS_SOURCE_DIR "/tests/golden/manifest/server_role_statefulset_gateway.json", json);
    assert_int_equal(str_find_str(json, STR("\"deployments\"")), json.n);
    assert_int_equal(str_find_str(json, STR("\"ingresses\"")), json.n);
    jw_free(w);
}

static void test_the_servers_role_is_as_recorded(void **state)
{
    struct json_writer *w = jw_new(1 << 20);
    struct str json;

    (void)state;
    rights_write_json(w, "ns-ajno7yq7", &USUAL);
    assert_true(jw_finish(w, &json, NULL));
    golden_check(FS_SOURCE_DIR "/tests/golden/manifest/server_role.json", json);
    jw_free(w);
}

static void test_the_shipped_role_is_the_tables(void **state)
{
    struct buf got, file;

    (void)state;
    buf_init(&got, GOLDEN_CEILING_BYTES);
    buf_init(&file, GOLDEN_CEILING_BYTES);
    rights_write_yaml(&got, NULL, &USUAL);
    if (!str_eq(buf_str(&got), golden_read(FS_SOURCE_DIR "/docker/role.yaml", &file)))
        fail_msg("docker/role.yaml is stale: fullstackd role > docker/role.yaml");
    buf_fini(&got);
    buf_fini(&file);
}

/* The two forms hold the same: each rule's texts stand in the YAML in the JSON's order. */
static void test_the_yaml_says_what_the_json_says(void **state)
{
    static const char *const keys[] = {"apiGroups", "resources", "verbs"};
    struct arena *a = arena_new();
    struct json_writer *w = jw_new(1 << 20);
    struct str json;
    struct buf yaml, want;

    (void)state;
    rights_write_json(w, "ns-1", &USUAL);
    assert_true(jw_finish(w, &json, NULL));
    const struct json_value *list = json_parse(a, json, &JSON_LIMITS_KUBE, NULL);
    const struct json_value *role = json_next(json_first(json_find(list, "items")));
    buf_init(&yaml, GOLDEN_CEILING_BYTES);
    buf_init(&want, GOLDEN_CEILING_BYTES);
    rights_write_yaml(&yaml, "ns-1", &USUAL);
    struct str rest = buf_str(&yaml);
    size_t n = 0;
    for (const struct json_value *rule = json_first(json_find(role, "rules")); rule != NULL; rule = json_next(rule)) {
        for (size_t k = 0; k < 3; k++) {
            buf_clear(&want);
            buf_addf(&want, "%s: [", keys[k]);
            for (const struct json_value *v = json_first(json_find(rule, keys[k])); v != NULL; v = json_next(v))
                buf_addf(&want, k == 0 ? "\"%.*s\"%s" : "%.*s%s", STR_ARG(json_str(v)), json_next(v) ? ", " : "");
            buf_add_text(&want, "]\n");
            size_t at = str_find_str(rest, buf_str(&want));
            assert_true(at < rest.n);
            rest = str_slice(rest, at + want.n, rest.n);
        }
        n++;
    }
    size_t needed = 0;
    for (size_t i = 0; i < RIGHTS_N; i++)
        needed += right_is_needed(&RIGHTS[i], &USUAL);
    assert_int_equal(n, needed);
    buf_fini(&yaml);
    buf_fini(&want);
    jw_free(w);
    arena_free(a);
}

static void test_what_is_spared_is_asked_for_and_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < RIGHTS_N; i++) {
        assert_int_equal(RIGHTS[i].spared & ~RIGHTS[i].verbs, 0);
        assert_int_equal(RIGHTS[i].spared != 0, RIGHTS[i].without != NULL);
    }
}

static unsigned verb_bit(const char *verb)
{
    for (size_t v = 0; v < RIGHT_VERB_N; v++) {
        if (strcmp(right_verb_text((enum right_verb)v), verb) == 0)
            return 1u << v;
    }
    return 0;
}

static bool is_held(const char *group, const char *resource, const char *verb)
{
    for (size_t i = 0; i < RIGHTS_N; i++) {
        if (strcmp(RIGHTS[i].group, group) == 0 && strcmp(RIGHTS[i].resource, resource) == 0)
            return (RIGHTS[i].verbs & verb_bit(verb)) != 0;
    }
    return false;
}

static void check_held(const struct manifest_rule *rule, const char *resource)
{
    for (size_t v = 0; rule->verbs[v] != NULL; v++) {
        if (!is_held(rule->group, resource, rule->verbs[v]))
            fail_msg("%s %s is granted and not held", rule->verbs[v], resource);
    }
}

static void test_what_the_database_is_granted_is_held_by_the_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < DATABASE_RULE_N; i++) {
        const struct manifest_rule *rule = &MANIFEST_DATABASE_RULES[i];

        for (size_t r = 0; rule->resources[r] != NULL; r++)
            check_held(rule, rule->resources[r]);
    }
}

static void test_secrets_are_never_listed_and_roles_never_watched(void **state)
{
    (void)state;
    assert_false(is_held("", "secrets", "list") || is_held("", "secrets", "watch"));
    assert_false(is_held("rbac.authorization.k8s.io", "roles", "watch"));
    for (size_t i = KIND_WATCHED_N; i < KIND_N; i++)
        assert_null(kube_kind_row((enum kube_kind)i)->selector);
    for (size_t i = 0; i < KIND_WATCHED_N; i++)
        assert_true(
            is_held(kube_kind_row((enum kube_kind)i)->group, kube_kind_row((enum kube_kind)i)->plural, "watch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_object_is_as_recorded),
        cmocka_unit_test(test_profiles_change_ingress_and_role),
        cmocka_unit_test(test_a_stateful_sandbox_has_a_volume),
        cmocka_unit_test(test_a_restricted_pod_is_never_root),
        cmocka_unit_test(test_a_gateway_gets_httproutes),
        cmocka_unit_test(test_kinds_are_called_the_same_everywhere),
        cmocka_unit_test(test_nothing_is_asked_for_that_is_not_used),
        cmocka_unit_test(test_a_group_with_v1_gets_the_v1_dialect),
        cmocka_unit_test(test_stopping_keeps_what_starting_needs),
        cmocka_unit_test(test_a_patch_names_the_version_and_replaces_all_variables),
        cmocka_unit_test(test_an_image_by_digest_is_not_pulled_each_time),
        cmocka_unit_test(test_names_and_paths_follow_from_the_tables),
        cmocka_unit_test(test_a_retry_has_a_secret_of_its_own),
        cmocka_unit_test(test_the_servers_role_is_as_recorded),
        cmocka_unit_test(test_the_shipped_role_is_the_tables),
        cmocka_unit_test(test_the_yaml_says_what_the_json_says),
        cmocka_unit_test(test_what_is_spared_is_asked_for_and_explained),
        cmocka_unit_test(test_what_the_database_is_granted_is_held_by_the_server),
        cmocka_unit_test(test_secrets_are_never_listed_and_roles_never_watched),
    };

    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
