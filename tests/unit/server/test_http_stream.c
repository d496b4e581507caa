// SPDX-License-Identifier: MIT
/* Answers without end, and how connections of every kind end when the server drains. */
#include "unit/server/loopback_harness.h"

#include "core/base/buf.h"
#include "server/http_conn.h"

static void echo(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_answer(x, 200, "text/plain", http_body(x));
}

static void hold(struct harness *h, struct http_exchange *x)
{
    harness_hold(h, x);
}

static void start_stream(struct harness *h, struct http_exchange *x)
{
    h->stream = http_stream_start(x, 200, "text/plain");
    http_stream_on_close(h->stream, harness_on_close, h);
}

static struct harness *new_stream(struct str request)
{
    struct harness *h = harness_new(NULL);
    h->on_request = start_stream;
    harness_send(h, request);
    return h;
}

static void a_stream_is_chunked_and_the_connection_goes_on_after_it(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("GET /s HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "Transfer-Encoding: chunked\r\n"));
    http_loopback_clear(h->lb);
    assert_true(http_stream_send(h->stream, STR("hello world, hello")));
    harness_advance(h, 1);
    assert_str(http_loopback_output(h->lb), "12\r\nhello world, hello\r\n");
    http_stream_end(h->stream);
    harness_advance(h, 1);
    assert_true(str_ends(http_loopback_output(h->lb), STR("0\r\n\r\n")));
    assert_int_equal(h->closed_n, 0);
    h->on_request = echo;
    http_loopback_clear(h->lb);
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "HTTP/1.1 200 OK"));
    harness_free(h);
}

static void an_http_1_0_stream_ends_with_the_connection(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("GET /s HTTP/1.0\r\n\r\n"));
    assert_false(harness_has(h, "chunked"));
    http_loopback_clear(h->lb);
    assert_true(http_stream_send(h->stream, STR("plain")));
    http_stream_end(h->stream);
    harness_advance(h, 1);
    assert_str(http_loopback_output(h->lb), "plain");
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_stream_learns_that_its_client_left(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("GET /s HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_loopback_leave(h->lb);
    assert_int_equal(h->closed_n, 1);
    harness_free(h);
}

static void a_stream_with_too_much_unsent_is_cut_but_not_inside_send(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("GET /s HTTP/1.1\r\nHost: a\r\n\r\n"));
    static char piece[100 * 1024];
    assert_true(http_stream_send(h->stream, (struct str){piece, sizeof piece}));
    assert_true(http_stream_send(h->stream, (struct str){piece, sizeof piece}));
    assert_false(http_stream_send(h->stream, (struct str){piece, sizeof piece}));
    assert_int_equal(h->closed_n, 0);
    assert_false(http_stream_send(h->stream, STR("x")));
    harness_advance(h, 1);
    assert_int_equal(h->closed_n, 1);
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void what_a_client_sends_into_a_stream_is_dropped_up_to_a_limit(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("GET /s HTTP/1.1\r\nHost: a\r\n\r\n"));
    static char noise[60 * 1024];
    harness_send(h, (struct str){noise, sizeof noise});
    assert_int_equal(h->closed_n, 0);
    harness_send(h, (struct str){noise, sizeof noise});
    assert_int_equal(h->closed_n, 1);
    harness_free(h);
}

static void head_of_a_stream_is_a_head_and_no_more(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(h->closed_n, 1);
    assert_true(str_ends(http_loopback_output(h->lb), STR("\r\n\r\n")));
    assert_true(http_loopback_is_open(h->lb));
    harness_free(h);
}

/* ---- drain ---- */

static void a_drain_closes_idle_connections_and_finishes_waiting_requests(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = hold;
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_loopback_drain(h->lb);
    harness_advance(h, 1);
    assert_true(http_loopback_is_open(h->lb));
    http_answer(h->held, 200, NULL, STR("late"));
    harness_advance(h, 1);
    assert_true(harness_has(h, "Connection: close"));
    assert_true(str_ends(http_loopback_output(h->lb), STR("late")));
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);

    h = harness_new(NULL);
    h->on_request = echo;
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_loopback_drain(h->lb);
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_drain_answers_who_has_just_come(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = echo;
    http_loopback_send(h->lb, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")); /* not read yet */
    http_loopback_drain(h->lb);
    harness_advance(h, 1);
    assert_true(harness_has(h, "Connection: close"));
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);

    h = harness_new(NULL);
    h->on_request = echo;
    harness_send(h, STR(""));
    http_loopback_drain(h->lb);
    assert_true(http_loopback_is_open(h->lb));
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "Connection: close"));
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);

    h = harness_new(NULL);
    harness_send(h, STR(""));
    http_loopback_drain(h->lb);
    harness_advance(h, HTTP_DRAIN_MS - 1);
    assert_true(http_loopback_is_open(h->lb));
    harness_advance(h, 2);
    assert_false(http_loopback_is_open(h->lb)); /* who says nothing is not waited for */
    harness_free(h);
}

static void a_drain_ends_streams_properly(void **state)
{
    (void)state;
    struct harness *h = new_stream(STR("GET /s HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_loopback_drain(h->lb);
    harness_advance(h, 1);
    assert_true(str_ends(http_loopback_output(h->lb), STR("0\r\n\r\n")));
    assert_int_equal(h->closed_n, 1);
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

/* ---- readers that do not read ---- */

/* A connection whose peer takes SINK_BYTES and then nothing until told. */
enum { SINK_BYTES = 4096 };

struct slow_reader {
    struct harness *h;
    struct http_shared *shared;
    struct buf in;
    struct buf out;
};

static void set_up_slow_reader(struct slow_reader *r, void (*on_request)(struct harness *h, struct http_exchange *x))
{
    const struct listener_config config = {.limits = LISTENER_DEFAULTS};
    const struct peer_address here = {.is_local = true};
    struct err err;
    r->h = harness_new(NULL);
    r->h->on_request = on_request;
    struct http_service service = {harness_on_head, harness_on_request, r->h};
    r->shared = http_shared_new(r->h->loop, &config, &service, &err);
    buf_init(&r->in, 1024);
    buf_init(&r->out, SINK_BYTES);
    buf_add_text(&r->in, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    harness_advance(r->h, 1000); /* a moment 0 would be none */
    conn_wake(conn_new(r->shared, (struct transport){.fd = -1, .source = &r->in, .sink = &r->out}, &here));
    harness_advance(r->h, 1);
}

static void tear_down_slow_reader(struct slow_reader *r)
{
    http_shared_free(r->shared);
    buf_fini(&r->in);
    buf_fini(&r->out);
    harness_free(r->h);
}

/* The peer reads all that it was sent. */
static void take_all(struct slow_reader *r)
{
    buf_clear(&r->out);
    if (!TAILQ_EMPTY(&r->shared->all))
        conn_wake(TAILQ_FIRST(&r->shared->all));
    harness_advance(r->h, 1);
}

static void send_piece(struct harness *h, size_t n)
{
    static char piece[200 * 1024];
    assert_true(http_stream_send(h->stream, (struct str){piece, n}));
    harness_advance(h, 1);
}

static void a_stream_with_64_kb_unsent_for_30_s_is_cut(void **state)
{
    (void)state;
    struct slow_reader r;
    set_up_slow_reader(&r, start_stream);
    send_piece(r.h, 100 * 1024);
    for (int second = 0; second < 28; second++) {
        take_all(&r); /* it moves, but it does not catch up */
        harness_advance(r.h, 999);
        if (second % 2 == 0)
            send_piece(r.h, 2 * SINK_BYTES);
        assert_int_equal(r.h->closed_n, 0);
    }
    take_all(&r);
    harness_advance(r.h, 4000);
    assert_int_equal(r.h->closed_n, 1);
    assert_int_equal(r.shared->streams_cut_n, 1);
    tear_down_slow_reader(&r);
}

static void a_stream_that_catches_up_in_time_is_not_cut(void **state)
{
    (void)state;
    struct slow_reader r;
    set_up_slow_reader(&r, start_stream);
    send_piece(r.h, 100 * 1024);
    harness_advance(r.h, 20 * 1000);
    while (conn_unsent_bytes(TAILQ_FIRST(&r.shared->all)) > 0)
        take_all(&r);
    harness_advance(r.h, 60 * 1000);
    assert_int_equal(r.h->closed_n, 0);
    tear_down_slow_reader(&r);
}

static void answer_much(struct harness *h, struct http_exchange *x)
{
    static char bytes[20 * SINK_BYTES];
    (void)h;
    http_answer(x, 200, NULL, (struct str){bytes, sizeof bytes});
}

static void a_peer_that_takes_nothing_for_30_s_is_given_up(void **state)
{
    (void)state;
    struct slow_reader r;
    set_up_slow_reader(&r, answer_much);
    harness_advance(r.h, LISTENER_DEFAULTS.write_ms - 10);
    assert_int_equal(r.shared->conns_n, 1);
    take_all(&r); /* some progress: the time begins again */
    harness_advance(r.h, LISTENER_DEFAULTS.write_ms - 10);
    assert_int_equal(r.shared->conns_n, 1);
    harness_advance(r.h, 20);
    assert_int_equal(r.shared->conns_n, 0);
    tear_down_slow_reader(&r);
}

static void a_peer_that_reads_slowly_gets_it_all(void **state)
{
    (void)state;
    struct slow_reader r;
    size_t taken = 0;
    set_up_slow_reader(&r, answer_much);
    while (conn_unsent_bytes(TAILQ_FIRST(&r.shared->all)) > 0) {
        taken += r.out.n;
        take_all(&r);
        harness_advance(r.h, 5000);
    }
    taken += r.out.n;
    assert_true(taken > 20 * SINK_BYTES && taken < 21 * SINK_BYTES);
    tear_down_slow_reader(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_with_64_kb_unsent_for_30_s_is_cut),
        cmocka_unit_test(a_stream_that_catches_up_in_time_is_not_cut),
        cmocka_unit_test(a_peer_that_takes_nothing_for_30_s_is_given_up),
        cmocka_unit_test(a_peer_that_reads_slowly_gets_it_all),
        cmocka_unit_test(a_stream_is_chunked_and_the_connection_goes_on_after_it),
        cmocka_unit_test(an_http_1_0_stream_ends_with_the_connection),
        cmocka_unit_test(a_stream_learns_that_its_client_left),
        cmocka_unit_test(a_stream_with_too_much_unsent_is_cut_but_not_inside_send),
        cmocka_unit_test(what_a_client_sends_into_a_stream_is_dropped_up_to_a_limit),
        cmocka_unit_test(head_of_a_stream_is_a_head_and_no_more),
        cmocka_unit_test(a_drain_closes_idle_connections_and_finishes_waiting_requests),
        cmocka_unit_test(a_drain_answers_who_has_just_come),
        cmocka_unit_test(a_drain_ends_streams_properly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
