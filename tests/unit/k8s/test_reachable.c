// SPDX-License-Identifier: MIT
/* When the API counts as away: when nothing comes of it, not when one of the things that it answers for does not work.
 */
#include "unit/k8s/canned_api.h"

#include "core/base/codec.h"
#include "k8s/client.h"

enum { PATIENT_MS = 30000, HASTY_MS = 50 };

#define STATUS "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"no\",\"code\":500}"

struct bench {
    struct canned_api api;
    struct op *op; /* the last one, which ends by itself */
    int changes_n;
    int open_n; /* calls that have not ended */
    bool is_other_sent;
    struct err last;
};

static void call(struct bench *b, const char *path, ms_t timeout_ms);

static void on_request(void *arg, struct canned_conn *conn, struct str head, struct str body)
{
    struct bench *b = arg;
    (void)body;
    if (str_starts(head, STR("GET /good"))) {
        canned_answer(conn, 200, STR("{}"));
    } else if (str_starts(head, STR("GET /webhook-down"))) {
        canned_answer(conn, 500, STR(STATUS));
    } else if (str_starts(head, STR("GET /aggregated-down"))) {
        canned_answer(conn, 503, STR(STATUS));
    } else if (str_starts(head, STR("GET /too-slow"))) { /* as a handler of the API server's answers that gives up */
        canned_answer(conn, 504, STR("{\"metadata\":{},\"status\":\"Failure\",\"reason\":\"Timeout\",\"code\":504}"));
    } else if (str_starts(head, STR("GET /proxy"))) {
        canned_answer(conn, 503, STR("<html>no backend</html>"));
    } else if (str_starts(head, STR("GET /silent-beside-good")) && !b->is_other_sent) {
        b->is_other_sent = true;
        call(b, "/good", PATIENT_MS);
    }
}

static void on_answer(void *arg, const struct json_value *object, const struct err *err)
{
    struct bench *b = arg;
    (void)object;
    if (err != NULL)
        err_copy(&b->last, err);
    if (--b->open_n == 0)
        loop_stop(b->api.loop);
}

static void call(struct bench *b, const char *path, ms_t timeout_ms)
{
    b->open_n++;
    b->op = kube_call(b->api.kube, &(struct kube_request){"GET", path, NULL, STR_NONE, timeout_ms, on_answer, b});
}

static void ask(struct bench *b, const char *path, ms_t timeout_ms)
{
    call(b, path, timeout_ms);
    loop_run(b->api.loop);
}

static void on_change(void *arg)
{
    ((struct bench *)arg)->changes_n++;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    canned_api_init(&b->api, on_request, b);
    kube_on_reachable(b->api.kube, on_change, b);
    ask(b, "/good", PATIENT_MS);
    assert_true(kube_is_reachable(b->api.kube));
    assert_int_equal(b->changes_n, 1);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    canned_api_fini(&b->api);
    free(b);
    return 0;
}

static void test_an_error_of_kubernetes_own_is_an_answer(void **state)
{
    static const char *const paths[] = {"/webhook-down", "/aggregated-down", "/too-slow"};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        b->last = (struct err){0};
        ask(b, paths[i], PATIENT_MS);
        assert_true(b->last.code >= 500); /* the caller is told */
        assert_true(kube_is_reachable(b->api.kube));
    }
    assert_int_equal(b->changes_n, 1); /* nobody was woken for it */
}

static void test_an_error_of_a_proxy_s_is_none(void **state)
{
    struct bench *b = *state;
    ask(b, "/proxy", PATIENT_MS);
    assert_true(kube_is_away(b->api.kube));
    ask(b, "/webhook-down", PATIENT_MS);
    assert_true(kube_is_reachable(b->api.kube));
    assert_int_equal(b->changes_n, 3);
}

static void test_silence_is_none(void **state)
{
    struct bench *b = *state;
    ask(b, "/silent", HASTY_MS);
    assert_true(kube_is_away(b->api.kube));
    ask(b, "/good", PATIENT_MS);
    assert_true(kube_is_reachable(b->api.kube));
}

static void test_one_slow_call_among_others_that_are_answered_says_nothing_of_the_api(void **state)
{
    struct bench *b = *state;
    ask(b, "/silent-beside-good", HASTY_MS);
    assert_true(b->is_other_sent);
    assert_int_equal(b->last.kind, ERR_TIMEOUT);
    assert_true(kube_is_reachable(b->api.kube));
    assert_int_equal(b->changes_n, 1);
    ask(b, "/silent-beside-good", HASTY_MS); /* alone */
    assert_true(kube_is_away(b->api.kube));
}

static void test_a_connection_that_breaks_unsettles(void **state)
{
    struct bench *b = *state;
    kube_set_settle(b->api.kube, 0);
    assert_true(kube_is_settled(b->api.kube));
    canned_fini(&b->api.server);
    ask(b, "/good", PATIENT_MS);
    assert_int_equal(b->last.kind, ERR_UPSTREAM);
    assert_true(kube_is_away(b->api.kube));
    assert_false(kube_is_settled(b->api.kube));
    canned_init(&b->api.server, b->api.loop, on_request, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_error_of_kubernetes_own_is_an_answer),
        TEST(test_an_error_of_a_proxy_s_is_none),
        TEST(test_silence_is_none),
        TEST(test_one_slow_call_among_others_that_are_answered_says_nothing_of_the_api),
        TEST(test_a_connection_that_breaks_unsettles),
    };
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
