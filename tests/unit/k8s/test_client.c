// SPDX-License-Identifier: MIT
/* How many calls are with the API at a time, and what becomes of the others. */
#include "unit/k8s/canned_api.h"

#include "core/base/codec.h"
#include "k8s/call_queue.h"
#include "k8s/client.h"

enum { CALLS_N = KUBE_CALLS_N + KUBE_CALLS_OF_KIND_N, TIMEOUT_MS = 30000 };

struct bench {
    struct canned_api api;
    struct op *ops[CALLS_N];
    struct slot {
        struct bench *b;
        int i;
    } slots[CALLS_N];
    bool is_seen[CALLS_N]; /* by the server */
    int ends_n;
    int expected_n;
    unsigned flying_max;
};

static void note_flying(struct bench *b)
{
    unsigned flying_n;
    unsigned waiting_n;
    kube_calls(b->api.kube, &flying_n, &waiting_n);
    if (flying_n > b->flying_max)
        b->flying_max = flying_n;
}

static void on_request(void *arg, struct canned_conn *conn, struct str head, struct str body)
{
    struct bench *b = arg;
    struct str start = STR("GET /call/");
    uint64_t i;
    (void)body;
    assert_true(str_starts(head, start));
    struct str rest = str_slice(head, start.n, head.n);
    assert_true(str_parse_u64(str_slice(rest, 0, str_find(rest, ' ', 0)), CALLS_N - 1, &i));
    b->is_seen[i] = true;
    note_flying(b);
    canned_answer(conn, 200, STR("{}"));
}

static void on_answer(void *arg, const struct json_value *object, const struct err *err)
{
    struct slot *slot = arg;
    struct bench *b = slot->b;
    assert_null(err);
    assert_non_null(object);
    b->ops[slot->i] = NULL;
    b->ends_n++;
    note_flying(b);
    if (b->ends_n == b->expected_n)
        loop_stop(b->api.loop);
}

static void start(struct bench *b, int i, enum kube_kind kind, int64_t rank)
{
    struct buf path;
    buf_init(&path, 64);
    buf_addf(&path, "/call/%d", i);
    b->slots[i] = (struct slot){b, i};
    b->ops[i] = kube_call_in_turn(
        b->api.kube,
        &(struct kube_request){"GET", buf_text(&path), NULL, STR_NONE, TIMEOUT_MS, on_answer, &b->slots[i]},
        (struct kube_turn){kind, rank});
    b->expected_n++;
    buf_fini(&path);
}

static void assert_calls(const struct bench *b, unsigned flying_n, unsigned waiting_n)
{
    unsigned flying;
    unsigned waiting;
    kube_calls(b->api.kube, &flying, &waiting);
    assert_int_equal(flying, flying_n);
    assert_int_equal(waiting, waiting_n);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    canned_api_init(&b->api, on_request, b);
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

static void cancel(struct bench *b, int i)
{
    op_cancel(b->ops[i]);
    b->ops[i] = NULL;
    b->expected_n--;
}

static void test_no_more_calls_are_with_the_api_than_it_can_answer_in_time(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < CALLS_N; i++)
        start(b, i, (enum kube_kind)(i % KIND_N), 0);
    assert_calls(b, KUBE_CALLS_N, CALLS_N - KUBE_CALLS_N);
    assert_int_equal(b->ends_n, 0);
    loop_run(b->api.loop);
    assert_int_equal(b->flying_max, KUBE_CALLS_N);
    assert_calls(b, 0, 0);
}

static bool may_send(void *arg)
{
    return *(const bool *)arg;
}

static void test_what_may_not_be_sent_waits_and_is_sent_when_it_may(void **state)
{
    struct bench *b = *state;
    bool is_allowed = false;
    kube_guard(b->api.kube, may_send, &is_allowed);
    start(b, 0, KIND_SERVICE, 0);
    start(b, 1, KIND_DEPLOYMENT, 0);
    assert_calls(b, 0, 2);
    cancel(b, 1); /* never sent */
    assert_calls(b, 0, 1);
    is_allowed = true;
    start(b, 2, KIND_SERVICE, 0);
    assert_calls(b, 2, 0);
    loop_run(b->api.loop);
    assert_false(b->is_seen[1]);
    kube_guard(b->api.kube, NULL, NULL);
}

static void test_a_slow_kind_leaves_room_for_the_others(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < KUBE_CALLS_N; i++)
        start(b, i, KIND_SERVICE, 0);
    assert_calls(b, KUBE_CALLS_OF_KIND_N, KUBE_CALLS_N - KUBE_CALLS_OF_KIND_N);
    start(b, KUBE_CALLS_N, KIND_DEPLOYMENT, 1);
    assert_calls(b, KUBE_CALLS_OF_KIND_N + 1, KUBE_CALLS_N - KUBE_CALLS_OF_KIND_N);
    loop_run(b->api.loop);
    assert_int_equal(b->flying_max, KUBE_CALLS_OF_KIND_N + 1);
}

static void test_a_project_that_was_begun_goes_before_the_next(void **state)
{
    struct bench *b = *state;
    int later = KUBE_CALLS_OF_KIND_N;
    int earlier = KUBE_CALLS_OF_KIND_N + 1;
    for (int i = 0; i < KUBE_CALLS_OF_KIND_N; i++)
        start(b, i, KIND_SERVICE, 5);
    start(b, later, KIND_SERVICE, 9);
    start(b, earlier, KIND_SERVICE, 7);
    cancel(b, 0); /* makes room for one of them */
    cancel(b, later);
    assert_calls(b, KUBE_CALLS_OF_KIND_N, 0);
    loop_run(b->api.loop);
    assert_true(b->is_seen[earlier]);
    assert_false(b->is_seen[later]);
}

static void test_a_call_cancelled_while_it_waits_is_never_sent(void **state)
{
    struct bench *b = *state;
    int gone = KUBE_CALLS_OF_KIND_N + 1;
    for (int i = 0; i < KUBE_CALLS_OF_KIND_N + 3; i++)
        start(b, i, KIND_SERVICE, 0);
    cancel(b, gone);
    assert_calls(b, KUBE_CALLS_OF_KIND_N, 2);
    loop_run(b->api.loop);
    for (int i = 0; i < KUBE_CALLS_OF_KIND_N + 3; i++)
        assert_int_equal(b->is_seen[i], i != gone);
}

static void test_a_call_cancelled_on_its_way_makes_room(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < KUBE_CALLS_OF_KIND_N + 2; i++)
        start(b, i, KIND_SERVICE, 0);
    cancel(b, 3);
    assert_calls(b, KUBE_CALLS_OF_KIND_N, 1);
    loop_run(b->api.loop);
    assert_int_equal(b->flying_max, KUBE_CALLS_OF_KIND_N);
    assert_calls(b, 0, 0);
}

static void test_the_cost_of_waiting_grows_with_the_logarithm(void **state)
{
    enum { PLACES_N = 1 << 14, LEVELS_N = 14 };
    struct call_queue q = {0};
    struct call_place *places = xcalloc(PLACES_N, sizeof *places);
    int64_t last = INT64_MIN;
    (void)state;
    for (size_t i = 0; i < PLACES_N; i++)
        call_queue_add(&q, &places[i], (int64_t)(i * 7919 % PLACES_N));
    for (size_t i = 0; i < PLACES_N; i += 2)
        call_queue_remove(&q, &places[i]);
    assert_int_equal(q.n, PLACES_N / 2);
    for (size_t n = 0; n < PLACES_N / 2; n++) {
        struct call_place *p = call_queue_first(&q);
        assert_true(p->rank > last);
        last = p->rank;
        call_queue_remove(&q, p);
    }
    assert_null(call_queue_first(&q));
    assert_true(q.compares_n < (uint64_t)PLACES_N * 4 * LEVELS_N);
    call_queue_fini(&q);
    free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_no_more_calls_are_with_the_api_than_it_can_answer_in_time),
        TEST(test_what_may_not_be_sent_waits_and_is_sent_when_it_may),
        TEST(test_a_slow_kind_leaves_room_for_the_others),
        TEST(test_a_project_that_was_begun_goes_before_the_next),
        TEST(test_a_call_cancelled_while_it_waits_is_never_sent),
        TEST(test_a_call_cancelled_on_its_way_makes_room),
        cmocka_unit_test(test_the_cost_of_waiting_grows_with_the_logarithm),
    };
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
