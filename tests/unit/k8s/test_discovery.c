// SPDX-License-Identifier: MIT
/* When it is asked which KubeBlocks there is, and what is believed; on a simulated clock, against a server of rows.
 * This file stands for k8s/client.c: discovery needs its loop and its calls only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "k8s/discovery.h"

enum { ANSWER_MS = 10, MINUTE_MS = 60000 };

/* What the server serves: its answer to a GET of the group, and whether a list in the newest version is answered. */
struct kube {
    struct loop *loop;
    const char *versions; /* JSON list of the group's; NULL: 404 */
    enum err_kind error;  /* ERR_NONE: an answer */
    enum err_kind list_error;
    int asked_n, listed_n;
    ms_t last_ms;
    int changes_n;
    struct discovery *discovery;
};

struct call {
    struct op op;
    struct kube *k;
    struct loop_timer timer;
    kube_on_answer *on_answer;
    void *arg;
    bool is_list;
};

static void call_end(struct call *c)
{
    loop_timer_clear(&c->timer);
    loop_defer_free(c->k->loop, c, free);
}

static void call_cancel(struct op *op)
{
    call_end((struct call *)op);
}

static void on_due(void *arg)
{
    struct call *c = arg;
    enum err_kind kind = c->is_list ? c->k->list_error : c->k->error;
    struct arena *a = arena_new();
    const struct json_value *group = NULL;
    struct err err = {0};
    if (kind == ERR_NONE && !c->is_list && c->k->versions == NULL)
        kind = ERR_MISSING;
    if (kind != ERR_NONE)
        err_set(&err, kind, __func__, "refused");
    else
        group = json_parse(a, str_from(arena_printf(a, "{\"versions\":[%s]}", c->is_list ? "" : c->k->versions)),
                           &JSON_LIMITS_KUBE, NULL);
    call_end(c);
    c->on_answer(c->arg, group, kind != ERR_NONE ? &err : NULL);
    arena_free(a);
}

struct loop *kube_loop(const struct kube *k)
{
    return k->loop;
}

struct op *kube_call(struct kube *k, const struct kube_request *req)
{
    struct call *c = xcalloc(1, sizeof *c);
    c->op.cancel = call_cancel;
    c->k = k;
    c->on_answer = req->on_answer;
    c->arg = req->arg;
    c->is_list = strcmp(req->path, KUBEBLOCKS_GROUP_PATH) != 0;
    if (c->is_list)
        assert_string_equal(req->path, "/apis/apps.kubeblocks.io/v1/namespaces/ns/clusters?limit=1");
    k->asked_n += !c->is_list;
    k->listed_n += c->is_list;
    k->last_ms = loop_now_ms(k->loop);
    loop_timer_init(&c->timer, k->loop, on_due, c);
    loop_timer_set(&c->timer, ANSWER_MS);
    return &c->op;
}

#define ALPHA "{\"version\":\"v1alpha1\"}"
#define BOTH  "{\"version\":\"v1\"}," ALPHA

static void on_change(void *arg)
{
    struct kube *k = arg;
    k->changes_n++;
}

static void on_stop(void *arg)
{
    struct kube *k = arg;
    loop_stop(k->loop);
}

static void pass(struct kube *k, ms_t time_ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, k->loop, on_stop, k);
    loop_timer_set(&timer, time_ms);
    loop_run(k->loop);
    loop_timer_clear(&timer);
}

static const char *version(const struct kube *k)
{
    const struct kubeblocks_dialect *d = discovery_dialect(k->discovery);
    return d != NULL ? d->version : "none";
}

static void begin(struct kube *k, const char *versions)
{
    *k = (struct kube){.loop = loop_new_simulated(0), .versions = versions};
    k->discovery = discovery_new(k, "ns", on_change, k);
    discovery_ask(k->discovery);
    assert_int_equal(k->changes_n, 0);
    pass(k, MINUTE_MS / 2);
    k->asked_n = 0;
}

static void end(struct kube *k)
{
    discovery_free(k->discovery);
    loop_free(k->loop);
}

static void test_what_is_served_is_known_and_not_polled(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, ALPHA);
    assert_string_equal(version(&k), "v1alpha1");
    assert_int_equal(k.changes_n, 1);
    pass(&k, 100 * MINUTE_MS);
    assert_int_equal(k.asked_n, 0);
    end(&k);
}

static void test_an_upgrade_is_seen_though_the_list_of_versions_lags(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, ALPHA);
    discovery_ask(k.discovery);
    pass(&k, 100);
    assert_string_equal(version(&k), "v1alpha1");
    k.versions = BOTH;
    pass(&k, MINUTE_MS);
    assert_string_equal(version(&k), "v1");
    assert_int_equal(k.changes_n, 2);
    assert_int_equal(k.asked_n, 2);
    end(&k);
}

static void test_a_removal_is_believed_when_it_was_seen_twice(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, BOTH);
    k.versions = NULL;
    discovery_ask(k.discovery);
    pass(&k, 100);
    assert_string_equal(version(&k), "v1");
    assert_int_equal(k.changes_n, 1);
    k.versions = BOTH; /* the server just began */
    pass(&k, MINUTE_MS);
    assert_string_equal(version(&k), "v1");
    assert_int_equal(k.changes_n, 1);
    k.versions = NULL;
    discovery_ask(k.discovery);
    pass(&k, MINUTE_MS / 2);
    assert_string_equal(version(&k), "none");
    assert_int_equal(k.changes_n, 2);
    end(&k);
}

static void test_where_there_is_none_it_is_asked_for_once_a_minute(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, NULL);
    assert_string_equal(version(&k), "none");
    assert_int_equal(k.changes_n, 1);
    pass(&k, 10 * MINUTE_MS);
    assert_in_range(k.asked_n, 9, 11);
    assert_int_equal(k.changes_n, 1);
    k.versions = BOTH;
    pass(&k, MINUTE_MS + 100);
    assert_string_equal(version(&k), "v1");
    assert_int_equal(k.changes_n, 2);
    k.asked_n = 0;
    pass(&k, 10 * MINUTE_MS);
    assert_int_equal(k.asked_n, 0);
    end(&k);
}

static void test_a_server_that_fails_changes_nothing_and_is_asked_again(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, ALPHA);
    k.error = ERR_TIMEOUT;
    discovery_ask(k.discovery);
    pass(&k, 10 * MINUTE_MS);
    assert_string_equal(version(&k), "v1alpha1");
    assert_in_range(k.asked_n, 10, 60); /* every half minute in the end */
    k.error = ERR_NONE;
    k.versions = BOTH;
    pass(&k, MINUTE_MS);
    assert_string_equal(version(&k), "v1");
    end(&k);
}

static void test_where_discovery_is_forbidden_a_list_tells(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, ALPHA);
    k.error = ERR_DENIED;
    k.list_error = ERR_MISSING;
    discovery_ask(k.discovery);
    pass(&k, MINUTE_MS);
    assert_string_equal(version(&k), "v1alpha1");
    k.list_error = ERR_NONE;
    discovery_ask(k.discovery);
    pass(&k, MINUTE_MS);
    assert_string_equal(version(&k), "v1");
    assert_int_equal(k.listed_n, 4);
    k.list_error = ERR_DENIED;
    discovery_ask(k.discovery);
    pass(&k, MINUTE_MS);
    assert_string_equal(version(&k), "v1");
    end(&k);
}

static void test_it_may_be_ended_at_any_moment(void **state)
{
    struct kube k;
    (void)state;
    begin(&k, ALPHA);
    discovery_ask(k.discovery);
    end(&k);
    begin(&k, NULL);
    discovery_ask(k.discovery);
    pass(&k, 100);
    end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_served_is_known_and_not_polled),
        cmocka_unit_test(test_an_upgrade_is_seen_though_the_list_of_versions_lags),
        cmocka_unit_test(test_a_removal_is_believed_when_it_was_seen_twice),
        cmocka_unit_test(test_where_there_is_none_it_is_asked_for_once_a_minute),
        cmocka_unit_test(test_a_server_that_fails_changes_nothing_and_is_asked_again),
        cmocka_unit_test(test_where_discovery_is_forbidden_a_list_tells),
        cmocka_unit_test(test_it_may_be_ended_at_any_moment),
    };
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
