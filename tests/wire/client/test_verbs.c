// SPDX-License-Identifier: MIT
/* What each verb answers when it is obeyed. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

static const char *maps(struct lab *lab, const char *name)
{
    return lab_core(lab, lab_text(lab, "configmaps/%s-%s", name, lab->run));
}

static const struct json_value *make_map(struct lab *lab, const char *name)
{
    return lab_must(lab, lab->owner,
                    (struct lab_call){.method = "POST",
                                      .path = lab_core(lab, "configmaps"),
                                      .body = lab_text(lab,
                                                       "{\"metadata\":{\"name\":\"%s-%s\",\"labels\":{\"lab\":\"%s\"}},"
                                                       "\"data\":{\"a\":\"1\",\"b\":\"2\"}}",
                                                       name, lab->run, lab->run)});
}

static const struct json_value *get(struct lab *lab, const char *path)
{
    return lab_must(lab, lab->owner, (struct lab_call){.method = "GET", .path = path});
}

static bool data_is(const struct json_value *object, const char *key, const char *value)
{
    struct str text = json_str(json_at(object, "data", key, NULL));
    return value != NULL ? str_eq_text(text, value) : str_is_none(text);
}

static bool is_gone(void *arg);

struct place {
    struct lab *lab;
    const char *path;
};

static bool is_gone(void *arg)
{
    const struct place *p = arg;
    struct lab_answer a = lab_ask(p->lab, p->lab->owner, (struct lab_call){.method = "GET", .path = p->path});
    return a.err.kind == ERR_MISSING;
}

/* lab_until cannot be nested: this asks again and again from the outside. */
static void until_gone(struct lab *lab, const char *path)
{
    struct place p = {lab, path};
    ms_t end_ms = loop_now_ms(lab->loop) + LAB_MS;
    while (!is_gone(&p)) {
        if (loop_now_ms(lab->loop) > end_ms)
            fail_msg("%s never went", path);
    }
}

/* ---- create, get ---- */

static void test_what_is_created_can_be_got(void **state)
{
    struct lab *lab = *state;
    const struct json_value *made = make_map(lab, "made");
    const struct json_value *got = get(lab, maps(lab, "made"));
    assert_string_not_equal(lab_meta(lab, made, "uid"), "");
    assert_string_equal(lab_meta(lab, made, "uid"), lab_meta(lab, got, "uid"));
    assert_string_equal(lab_meta(lab, made, "resourceVersion"), lab_meta(lab, got, "resourceVersion"));
    assert_true(str_eq_text(json_str(json_find(got, "kind")), "ConfigMap"));
    assert_true(data_is(got, "a", "1") && data_is(got, "b", "2"));
}

/* ---- list ---- */

static void test_a_list_comes_in_pages_of_one_version(void **state)
{
    enum { MAPS_N = 5, PAGE_N = 2 };
    struct lab *lab = *state;
    const char *list = lab_core(lab, lab_text(lab, "configmaps?labelSelector=lab%%3D%s&limit=%d", lab->run, PAGE_N));
    const char *next = "";
    const char *version = NULL;
    size_t items_n = 0;
    size_t pages_n = 0;
    for (int i = 1; i < MAPS_N; i++)
        make_map(lab, lab_text(lab, "page%d", i));
    do {
        const struct json_value *page = get(lab, lab_text(lab, "%s&continue=%s", list, next));
        const struct json_value *items = json_find(page, "items");
        if (version != NULL)
            assert_string_equal(version, lab_meta(lab, page, "resourceVersion"));
        version = lab_meta(lab, page, "resourceVersion");
        next = lab_meta(lab, page, "continue");
        assert_true(json_count(items) <= PAGE_N);
        items_n += json_count(items);
        if (pages_n++ == 0) { /* what changes from here on is not of this list */
            lab_must(lab, lab->owner, (struct lab_call){.method = "DELETE", .path = maps(lab, "page4")});
            make_map(lab, "page5");
        }
    } while (next[0] != '\0');
    assert_int_equal(items_n, MAPS_N);
    assert_int_equal(pages_n, (MAPS_N + PAGE_N - 1) / PAGE_N);
}

/* ---- merge patch ---- */

static void test_a_merge_patch_adds_replaces_and_removes(void **state)
{
    struct lab *lab = *state;
    struct lab_call patch = {"PATCH", NULL, MERGE_PATCH, "{\"data\":{\"a\":null,\"b\":\"3\",\"c\":\"4\"}}", 0};
    const struct json_value *made = make_map(lab, "patched");
    const struct json_value *once;
    const struct json_value *twice;
    patch.path = maps(lab, "patched");
    once = lab_must(lab, lab->owner, patch);
    assert_true(data_is(once, "a", NULL) && data_is(once, "b", "3") && data_is(once, "c", "4"));
    assert_string_not_equal(lab_meta(lab, once, "resourceVersion"), lab_meta(lab, made, "resourceVersion"));
    twice = lab_must(lab, lab->owner, patch);
    assert_string_equal(lab_meta(lab, once, "resourceVersion"), lab_meta(lab, twice, "resourceVersion"));
}

static void test_a_merge_patch_of_the_version_it_was_made_for_is_taken(void **state)
{
    struct lab *lab = *state;
    const struct json_value *made = make_map(lab, "versioned");
    lab_must(
        lab, lab->owner,
        (struct lab_call){.method = "PATCH",
                          .path = maps(lab, "versioned"),
                          .content_type = MERGE_PATCH,
                          .body = lab_text(lab, "{\"metadata\":{\"resourceVersion\":\"%s\"},\"data\":{\"a\":\"9\"}}",
                                           lab_meta(lab, made, "resourceVersion"))});
    assert_true(data_is(get(lab, maps(lab, "versioned")), "a", "9"));
}

/* ---- delete ---- */

static const char *deployment_path(struct lab *lab, const char *name)
{
    return lab_apps(lab, lab_text(lab, "deployments/%s", name));
}

static const struct json_value *replicasets(struct lab *lab, const char *name)
{
    const char *list = lab_apps(lab, lab_text(lab, "replicasets?labelSelector=app%%3D%s", name));
    return json_find(get(lab, list), "items");
}

/* A Deployment with its ReplicaSet there; the ReplicaSet's path. */
static const char *make_with_child(struct lab *lab, const char *name)
{
    ms_t end_ms = loop_now_ms(lab->loop) + LAB_MS;
    lab_make(lab, name);
    while (json_count(replicasets(lab, name)) == 0) {
        if (loop_now_ms(lab->loop) > end_ms)
            fail_msg("%s never had a ReplicaSet", name);
    }
    return lab_apps(lab, lab_text(lab, "replicasets/%s", lab_meta(lab, json_first(replicasets(lab, name)), "name")));
}

static const struct json_value *delete_with(struct lab *lab, const char *name, const char *policy)
{
    return lab_must(lab, lab->owner,
                    (struct lab_call){.method = "DELETE",
                                      .path = deployment_path(lab, name),
                                      .body = lab_text(lab, "{\"propagationPolicy\":\"%s\"}", policy)});
}

static void test_deleting_in_the_background_takes_the_children_along(void **state)
{
    struct lab *lab = *state;
    const char *name = lab_text(lab, "back-%s", lab->run);
    const char *child = make_with_child(lab, name);
    const struct json_value *answer = delete_with(lab, name, "Background");
    assert_true(str_eq_text(json_str(json_find(answer, "status")), "Success"));
    assert_false(str_is_none(json_str(json_at(answer, "details", "uid", NULL))));
    until_gone(lab, child);
    until_gone(lab, deployment_path(lab, name));
}

static void test_deleting_in_the_foreground_waits_for_the_children(void **state)
{
    struct lab *lab = *state;
    const char *name = lab_text(lab, "fore-%s", lab->run);
    const char *child = make_with_child(lab, name);
    const struct json_value *answer = delete_with(lab, name, "Foreground");
    assert_string_not_equal(lab_meta(lab, answer, "deletionTimestamp"), "");
    until_gone(lab, deployment_path(lab, name));
    assert_int_equal(lab_ask(lab, lab->owner, (struct lab_call){.method = "GET", .path = child}).err.kind, ERR_MISSING);
}

static void test_orphans_stay(void **state)
{
    struct lab *lab = *state;
    const char *name = lab_text(lab, "orphan-%s", lab->run);
    const char *child = make_with_child(lab, name);
    delete_with(lab, name, "Orphan");
    until_gone(lab, deployment_path(lab, name));
    assert_int_equal(json_count(json_at(get(lab, child), "metadata", "ownerReferences", NULL)), 0);
    lab_must(lab, lab->owner, (struct lab_call){.method = "DELETE", .path = child});
}

static void test_a_delete_of_the_object_it_was_meant_for_is_obeyed(void **state)
{
    struct lab *lab = *state;
    const struct json_value *made = make_map(lab, "meant");
    lab_must(lab, lab->owner,
             (struct lab_call){.method = "DELETE",
                               .path = maps(lab, "meant"),
                               .body = lab_text(lab, "{\"preconditions\":{\"uid\":\"%s\",\"resourceVersion\":\"%s\"}}",
                                                lab_meta(lab, made, "uid"), lab_meta(lab, made, "resourceVersion"))});
    until_gone(lab, maps(lab, "meant"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_created_can_be_got),
        cmocka_unit_test(test_a_list_comes_in_pages_of_one_version),
        cmocka_unit_test(test_a_merge_patch_adds_replaces_and_removes),
        cmocka_unit_test(test_a_merge_patch_of_the_version_it_was_made_for_is_taken),
        cmocka_unit_test(test_deleting_in_the_background_takes_the_children_along),
        cmocka_unit_test(test_deleting_in_the_foreground_waits_for_the_children),
        cmocka_unit_test(test_orphans_stay),
        cmocka_unit_test(test_a_delete_of_the_object_it_was_meant_for_is_obeyed),
    };

    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
