// SPDX-License-Identifier: MIT
/* A cache kept by a watch, over everything that ends a watch: what it shows is right afterwards, and it lists anew only
 * when it must. Deployments, which the control plane of the lab does not keep in its own cache, expire at a word;
 * Ingresses get bookmarks. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

static const char *named(struct lab *lab, const char *name)
{
    return lab_text(lab, "%s-%s", name, lab->run);
}

static struct lab *lab_of(void **state)
{
    return *state;
}

/* ---- what comes ---- */

static void test_the_first_list_and_then_every_change(void **state)
{
    struct lab *lab = lab_of(state);
    const char *before = named(lab, "before");
    const char *after = named(lab, "after");
    struct sight s;
    lab_make(lab, before);
    sight_open(&s, lab, "relayed", KIND_DEPLOYMENT);
    assert_int_equal(sight_generation(&s, before), 1);
    lab_make(lab, after);
    sight_until(&s, after, 1);
    lab_change(lab, before);
    sight_until(&s, before, 2);
    lab_delete(lab, after);
    sight_until(&s, after, SIGHT_GONE);
    lab_delete(lab, before);
    sight_until(&s, before, SIGHT_GONE);
    assert_int_equal(sight_stats(&s).lists_n, 1);
    assert_int_equal(sight_stats(&s).streams_n, 1);
    assert_int_equal(sight_stats(&s).failures_n, 0);
    sight_close(&s);
}

static void test_what_leaves_the_selector_is_gone(void **state)
{
    struct lab *lab = lab_of(state);
    const char *name = named(lab, "leaving");
    struct sight s;
    sight_open(&s, lab, "relayed", KIND_DEPLOYMENT);
    lab_make(lab, name);
    sight_until(&s, name, 1);
    lab_must(lab, lab->admin,
             (struct lab_call){.method = "PATCH",
                               .path = lab_apps(lab, lab_text(lab, "deployments/%s", name)),
                               .content_type = MERGE_PATCH,
                               .body = "{\"metadata\":{\"labels\":{\"" LABEL_PROJECT_ID "\":null}}}"});
    sight_until(&s, name, SIGHT_GONE);
    lab_delete(lab, name);
    sight_close(&s);
}

/* ---- bookmarks ---- */

static const char *ingresses(struct lab *lab, const char *rest)
{
    return lab_text(lab, "/apis/networking.k8s.io/v1/namespaces/%s/ingresses%s", lab->ns, rest);
}

/* An Ingress of this run's project, or with another label key of nobody; its version. */
static uint64_t make_ingress(struct lab *lab, const char *name, const char *label)
{
    uint64_t version = 0;
    const char *body = lab_text(lab,
                                "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"%s\":\"lab-%s\"}},\"spec\":"
                                "{\"defaultBackend\":{\"service\":{\"name\":\"x\",\"port\":{\"number\":80}}}}}",
                                name, label, lab->run);
    const struct json_value *made =
        lab_must(lab, lab->admin, (struct lab_call){.method = "POST", .path = ingresses(lab, ""), .body = body});
    assert_true(str_parse_u64(str_from(lab_meta(lab, made, "resourceVersion")), UINT64_MAX, &version));
    return version;
}

static void delete_ingress(struct lab *lab, const char *name)
{
    lab_must(lab, lab->admin,
             (struct lab_call){.method = "DELETE", .path = ingresses(lab, lab_text(lab, "/%s", name))});
}

struct goal {
    const struct sight *sight;
    uint64_t version;
    uint64_t streams_n;
};

static bool has_come_to(void *arg)
{
    const struct goal *g = arg;
    struct watch_stats stats = sight_stats(g->sight);
    return stats.version >= g->version && stats.streams_n >= g->streams_n;
}

static void test_a_bookmark_moves_the_version_that_a_resume_begins_at(void **state)
{
    struct lab *lab = lab_of(state);
    const char *first = named(lab, "first");
    const char *noise = named(lab, "noise");
    const char *ours = named(lab, "ours");
    struct sight s;
    struct goal goal = {.sight = &s};
    struct watch_stats before;
    /* kube-apiserver sends one every minute, and one two seconds before a stream's time is over. */
    sight_open_for(&s, lab, "relayed", KIND_INGRESS, 6);
    /* What is there before the stream begins is no news to it, and no bookmark follows: so it has begun. */
    make_ingress(lab, first, LABEL_PROJECT_ID);
    sight_until(&s, first, SIGHT_THERE);
    goal.version = make_ingress(lab, noise, "nobodys");
    lab_until(lab, has_come_to, &goal, "a bookmark beyond what the selector hides");
    before = sight_stats(&s);
    lab_do(lab, "cut");
    make_ingress(lab, ours, LABEL_PROJECT_ID);
    sight_until(&s, ours, SIGHT_THERE);
    assert_int_equal(sight_stats(&s).lists_n, before.lists_n);
    assert_true(sight_stats(&s).streams_n > before.streams_n);
    delete_ingress(lab, first);
    delete_ingress(lab, noise);
    delete_ingress(lab, ours);
    sight_close(&s);
}

/* ---- a watch that ends ---- */

static void test_a_watch_that_has_nothing_to_say_is_no_failure(void **state)
{
    struct lab *lab = lab_of(state);
    struct sight s;
    sight_open_for(&s, lab, "sealos-user", KIND_SERVICE, 6);
    lab_until(lab, has_come_to, &(struct goal){.sight = &s, .streams_n = 2}, "a second stream");
    assert_int_equal(sight_stats(&s).failures_n, 0);
    assert_int_equal(sight_stats(&s).lists_n, 1);
    assert_true(kube_is_reachable(s.kube));
    sight_close(&s);
}

static void test_a_cut_connection_is_resumed_without_a_list(void **state)
{
    struct lab *lab = lab_of(state);
    const char *kept = named(lab, "kept");
    const char *missed = named(lab, "missed");
    struct sight s;
    lab_make(lab, kept);
    sight_open(&s, lab, "relayed", KIND_DEPLOYMENT);
    for (int64_t generation = 2; generation <= 4; generation += 2) {
        lab_do(lab, "refuse");
        lab_change(lab, kept); /* while nobody looks */
        lab_make(lab, missed);
        lab_do(lab, "accept");
        sight_until(&s, kept, generation);
        sight_until(&s, missed, 1);
        lab_do(lab, "cut");
        lab_change(lab, kept);
        lab_delete(lab, missed);
        sight_until(&s, kept, generation + 1);
        sight_until(&s, missed, SIGHT_GONE);
    }
    assert_int_equal(sight_stats(&s).lists_n, 1);
    lab_delete(lab, kept);
    sight_until(&s, kept, SIGHT_GONE);
    sight_close(&s);
}

static void test_an_expired_version_is_listed_anew_and_no_failure(void **state)
{
    struct lab *lab = lab_of(state);
    const char *changed = named(lab, "changed");
    const char *gone = named(lab, "gone");
    const char *born = named(lab, "born");
    struct watch_stats before;
    struct watch_stats after;
    struct sight s;
    lab_make(lab, changed);
    lab_make(lab, gone);
    sight_open(&s, lab, "relayed", KIND_DEPLOYMENT);
    sight_until(&s, gone, 1);
    before = sight_stats(&s);
    lab_do(lab, "refuse");
    lab_delete(lab, gone);
    lab_change(lab, changed);
    lab_make(lab, born);
    lab_do(lab, "expire");
    lab_do(lab, "accept");
    sight_until(&s, gone, SIGHT_GONE);
    sight_until(&s, changed, 2);
    sight_until(&s, born, 1);
    after = sight_stats(&s);
    assert_int_equal(after.lists_n, before.lists_n + 1);
    lab_change(lab, born); /* and the watch goes on */
    sight_until(&s, born, 2);
    assert_int_equal(sight_stats(&s).lists_n, after.lists_n);
    lab_delete(lab, born);
    lab_delete(lab, changed);
    sight_close(&s);
}

static void test_a_server_that_was_killed_while_it_was_watched(void **state)
{
    struct lab *lab = lab_of(state);
    const char *changed = named(lab, "outlived");
    const char *gone = named(lab, "fallen");
    const char *born = named(lab, "reborn");
    struct sight s;
    lab_make(lab, changed);
    lab_make(lab, gone);
    sight_open(&s, lab, "relayed", KIND_DEPLOYMENT);
    lab_do(lab, "restart"); /* the watch sees all of it: the cut, the refusals, the server that just began */
    lab_change(lab, changed);
    sight_until(&s, changed, 2);
    lab_do(lab, "refuse");
    lab_do(lab, "restart");
    lab_delete(lab, gone); /* before the watch is back */
    lab_change(lab, changed);
    lab_make(lab, born);
    lab_do(lab, "accept");
    sight_until(&s, gone, SIGHT_GONE);
    sight_until(&s, changed, 3);
    sight_until(&s, born, 1);
    lab_delete(lab, born);
    lab_delete(lab, changed);
    sight_until(&s, changed, SIGHT_GONE);
    sight_close(&s);
}

/* The same with a kind that the server keeps in its own cache, which begins anew with it. */
static void test_the_servers_own_cache_begins_anew(void **state)
{
    struct lab *lab = lab_of(state);
    const char *gone = named(lab, "forgotten");
    const char *born = named(lab, "cached");
    struct sight s;
    make_ingress(lab, gone, LABEL_PROJECT_ID);
    sight_open(&s, lab, "relayed", KIND_INGRESS);
    lab_do(lab, "refuse");
    delete_ingress(lab, gone);
    lab_do(lab, "restart");
    make_ingress(lab, born, LABEL_PROJECT_ID);
    lab_do(lab, "accept");
    sight_until(&s, gone, SIGHT_GONE);
    sight_until(&s, born, SIGHT_THERE);
    assert_int_equal(sight_stats(&s).lists_n, 2);
    delete_ingress(lab, born);
    sight_until(&s, born, SIGHT_GONE);
    sight_close(&s);
}

/* ---- a server that says what it should not ---- */

static void test_garbage_is_a_failure_and_the_watch_goes_on(void **state)
{
    static const char *const words[] = {
        "event not JSON",
        "event {\"hello\":1}",
        "event {\"type\":\"ADDED\",\"object\":7}",
        "event {\"type\":\"SURPRISE\",\"object\":{}}",
        "event {\"type\":\"ADDED\",\"object\":{\"metadata\":{}}} }",
        "half {\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"half",
        "half {\"type\":",
    };
    struct lab *lab = lab_of(state);
    const char *name = named(lab, "garbled");
    struct sight s;
    lab_make(lab, name);
    sight_open(&s, lab, "plain", KIND_DEPLOYMENT);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct watch_stats before = sight_stats(&s);
        lab_do(lab, "%s", words[i]);
        lab_until(lab, has_come_to, &(struct goal){.sight = &s, .streams_n = before.streams_n + 1}, "another stream");
        assert_int_equal(sight_stats(&s).failures_n, before.failures_n + 1);
        lab_change(lab, name);
        sight_until(&s, name, (int64_t)i + 2);
    }
    assert_false(cache_has(s.cache, KIND_DEPLOYMENT, "half"));
    lab_delete(lab, name);
    sight_until(&s, name, SIGHT_GONE);
    sight_close(&s);
}

static void test_an_error_event_says_what_to_do(void **state)
{
    struct lab *lab = lab_of(state);
    struct watch_stats before;
    struct sight s;
    sight_open(&s, lab, "plain", KIND_DEPLOYMENT);
    before = sight_stats(&s);
    lab_do(lab, "event {\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}");
    lab_until(lab, has_come_to, &(struct goal){.sight = &s, .streams_n = before.streams_n + 1}, "another stream");
    assert_int_equal(sight_stats(&s).lists_n, before.lists_n + 1);
    assert_int_equal(sight_stats(&s).failures_n, before.failures_n);
    before = sight_stats(&s);
    lab_do(lab,
           "event {\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,\"reason\":\"InternalError\"}}");
    lab_until(lab, has_come_to, &(struct goal){.sight = &s, .streams_n = before.streams_n + 1}, "another stream");
    assert_int_equal(sight_stats(&s).lists_n, before.lists_n);
    assert_int_equal(sight_stats(&s).failures_n, before.failures_n + 1);
    sight_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_list_and_then_every_change),
        cmocka_unit_test(test_what_leaves_the_selector_is_gone),
        cmocka_unit_test(test_a_bookmark_moves_the_version_that_a_resume_begins_at),
        cmocka_unit_test(test_a_watch_that_has_nothing_to_say_is_no_failure),
        cmocka_unit_test(test_a_cut_connection_is_resumed_without_a_list),
        cmocka_unit_test(test_an_expired_version_is_listed_anew_and_no_failure),
        cmocka_unit_test(test_a_server_that_was_killed_while_it_was_watched),
        cmocka_unit_test(test_the_servers_own_cache_begins_anew),
        cmocka_unit_test(test_garbage_is_a_failure_and_the_watch_goes_on),
        cmocka_unit_test(test_an_error_event_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
