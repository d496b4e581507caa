// SPDX-License-Identifier: MIT
/* What an account may do, and a Role that grants no more than that. */
#include "tests/unit/cmocka_all.h"

#include "core/base/fit.h"
#include "core/base/json_write.h"
#include "k8s/held.h"
#include "k8s/manifest.h"

static struct held read_held(const char *json)
{
    struct held held;
    struct arena *a = arena_new();
    struct err err = {0};
    const struct json_value *review = json_parse(a, str_from(json), &JSON_LIMITS_KUBE, &err);
    assert_non_null(review);
    held_read(review, &held);
    arena_free(a);
    return held;
}

static const char LIMITED[] =
    "{\"status\":{\"resourceRules\":["
    "{\"verbs\":[\"get\",\"list\",\"watch\",\"delete\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]},"
    "{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"configmaps\",\"services\"]},"
    "{\"verbs\":[\"patch\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"one\"]},"
    "{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"apps.kubeblocks.io\"],\"resources\":[\"clusters\"]}]}}";

static void verbs_are_held_by_resource_and_group(void **state)
{
    (void)state;
    struct held held = read_held(LIMITED);
    assert_true(held_has(&held, "", "pods", "watch"));
    assert_false(held_has(&held, "", "pods", "patch")); /* only for one pod by name */
    assert_true(held_has(&held, "", "configmaps", "delete"));
    assert_false(held_has(&held, "discovery.k8s.io", "endpointslices", "list"));
    assert_false(held_has(&held, "apps.kubeblocks.io", "clusters", "watch"));
}

static void a_star_holds_everything(void **state)
{
    (void)state;
    struct held held = read_held("{\"status\":{\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],"
                                 "\"resources\":[\"*\"]}]}}");
    for (size_t i = 0; i < RIGHTS_N; i++)
        assert_true(held_has(&held, RIGHTS[i].group, RIGHTS[i].resource, "get"));
}

static void without_an_answer_everything_counts_as_held(void **state)
{
    (void)state;
    struct held unknown = {0};
    assert_true(held_has(&unknown, "", "endpoints", "get"));
    assert_true(held_has(NULL, "", "endpoints", "get"));
}

static void a_list_that_is_not_complete_proves_no_lack(void **state)
{
    (void)state;
    struct held held = read_held("{\"status\":{\"incomplete\":true,\"resourceRules\":[{\"verbs\":[\"get\"],"
                                 "\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]}}");
    assert_true(held_has(&held, "", "pods", "watch"));
    const struct sandbox_kinds kinds = k8s_profile_kinds(&K8S_PROFILE_DEFAULT);
    assert_false(held_lacks(&held, &kinds));
    held = read_held("{\"status\":{\"incomplete\":false,\"resourceRules\":[]}}");
    assert_false(held_has(&held, "", "pods", "watch"));
    assert_true(held_lacks(&held, &kinds));
}

/* What a sandbox is made of is never spared, and of what is watched only what something else can stand for. */
static void only_what_something_else_stands_for_is_spared(void **state)
{
    (void)state;
    assert_true(right_is_spared("discovery.k8s.io", "endpointslices", RIGHT_WATCH));
    assert_true(right_is_spared("", "events", RIGHT_LIST));
    assert_true(right_is_spared("networking.k8s.io", "networkpolicies", RIGHT_WATCH));
    assert_false(right_is_spared("networking.k8s.io", "networkpolicies", RIGHT_CREATE));
    assert_true(right_is_spared("", "pods", RIGHT_PATCH));
    assert_false(right_is_spared("", "pods", RIGHT_WATCH));
    assert_false(right_is_spared("apps", "deployments", RIGHT_CREATE));
    assert_false(right_is_spared("", "deployments", RIGHT_CREATE)); /* another group's */
    assert_false(right_is_spared("", "nosuch", RIGHT_GET));
}

static const struct json_value *role_of(struct arena *a, const struct held *held)
{
    static struct sandbox sb;
    text_fit(sb.database_name, sizeof(sb.database_name), STR("shop-agentruntime-abc123"));
    text_fit(sb.namespace_name, sizeof(sb.namespace_name), STR("ns"));
    text_fit(sb.project_id, sizeof(sb.project_id), STR("p1"));
    const struct manifest m = {.sb = &sb, .profile = &K8S_PROFILE_DEFAULT, .held = held};
    struct json_writer *w = jw_new(65536);
    struct str json;
    struct err err = {0};
    manifest_write(w, OBJECT_ROLE, &m);
    assert_true(jw_finish(w, &json, &err));
    const struct json_value *role = json_parse(a, arena_dup_str(a, json), &JSON_LIMITS_KUBE, &err);
    jw_free(w);
    assert_non_null(role);
    return json_find(role, "rules");
}

/* Every verb that the rules grant on a resource of a group. */
static bool grants(const struct json_value *rules, const char *group, const char *resource, const char *verb)
{
    for (const struct json_value *rule = json_first(rules); rule != NULL; rule = json_next(rule)) {
        bool is_resource = false;
        bool is_verb = false;
        for (const struct json_value *v = json_first(json_find(rule, "resources")); v != NULL; v = json_next(v))
            is_resource = is_resource || str_eq_text(json_str(v), resource);
        for (const struct json_value *v = json_first(json_find(rule, "verbs")); v != NULL; v = json_next(v))
            is_verb = is_verb || str_eq_text(json_str(v), verb);
        if (is_resource && is_verb && str_eq_text(json_str(json_first(json_find(rule, "apiGroups"))), group))
            return true;
    }
    return false;
}

static void the_role_grants_no_more_than_is_held(void **state)
{
    (void)state;
    struct held held = read_held(LIMITED);
    struct arena *a = arena_new();
    const struct json_value *rules = role_of(a, &held);
    assert_true(grants(rules, "", "configmaps", "patch"));
    assert_true(grants(rules, "", "pods", "watch"));
    assert_false(grants(rules, "", "pods", "patch"));
    assert_false(grants(rules, "", "endpoints", "get"));
    assert_false(grants(rules, "", "events", "create"));
    assert_true(grants(rules, "apps.kubeblocks.io", "clusters", "get"));
    assert_false(grants(rules, "apps.kubeblocks.io", "clusters/status", "get"));
    arena_free(a);
}

static void the_whole_role_is_granted_when_all_is_held(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct json_value *rules = role_of(a, NULL);
    assert_int_equal(json_count(rules), DATABASE_RULE_N);
    assert_true(grants(rules, "", "endpoints", "get"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_are_held_by_resource_and_group),
        cmocka_unit_test(a_star_holds_everything),
        cmocka_unit_test(without_an_answer_everything_counts_as_held),
        cmocka_unit_test(a_list_that_is_not_complete_proves_no_lack),
        cmocka_unit_test(only_what_something_else_stands_for_is_spared),
        cmocka_unit_test(the_role_grants_no_more_than_is_held),
        cmocka_unit_test(the_whole_role_is_granted_when_all_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
