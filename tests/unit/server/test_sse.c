// SPDX-License-Identifier: MIT
/* Server-sent events: what a frame looks like, overlap of replay and live, heartbeats, farewells, resume points. */
#include "unit/server/loopback_harness.h"

#include "core/base/buf.h"
#include "server/http_conn.h"
#include "server/sse.h"

#define REQUEST   STR("GET /e HTTP/1.1\r\nHost: a\r\n\r\n")
#define HEARTBEAT ": hb\n\n"

static struct sse_stream *sse;

static void on_close(void *arg)
{
    struct harness *h = arg;
    h->closed_n++;
    sse = NULL;
}

static void start(struct harness *h, struct http_exchange *x)
{
    sse = sse_start(x, on_close, h);
}

static struct harness *new_sse(void)
{
    struct harness *h = harness_new(NULL);
    h->on_request = start;
    harness_send(h, REQUEST);
    return h;
}

static bool send_event(uint64_t id, const char *event, const char *data)
{
    struct sse_frame *f = sse_frame_new(id, event, str_from(data));
    bool is_sent = sse_send(sse, f);
    sse_frame_unref(f);
    return is_sent;
}

static void the_head_forbids_buffering_and_caching(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    assert_true(harness_has(h, "Content-Type: text/event-stream\r\n"));
    assert_true(harness_has(h, "X-Accel-Buffering: no\r\n"));
    assert_int_equal(harness_count(h, "Cache-Control: "), 1);
    assert_true(harness_has(h, "Cache-Control: no-store\r\n"));
    assert_true(harness_has(h, "retry: "));
    harness_free(h);
}

static void a_frame_is_id_event_data(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    http_loopback_clear(h->lb);
    assert_true(send_event(12, "stage", "{\"a\":1}"));
    assert_true(send_event(0, NULL, "two\nlines"));
    harness_advance(h, 1);
    assert_str(http_loopback_output(h->lb), "23\r\nid: 12\nevent: stage\ndata: {\"a\":1}\n\n\r\n"
                                            "17\r\ndata: two\ndata: lines\n\n\r\n");
    harness_free(h);
}

static void replay_and_live_may_overlap(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    http_loopback_clear(h->lb);
    assert_int_equal(sse_last_id(sse), 0);
    assert_true(send_event(5, "a", "five"));
    assert_true(send_event(4, "a", "four"));
    assert_true(send_event(5, "a", "five"));
    assert_true(send_event(0, "b", "always"));
    assert_true(send_event(6, "a", "six"));
    harness_advance(h, 1);
    assert_int_equal(sse_last_id(sse), 6);
    assert_int_equal(harness_count(h, "data: five"), 1);
    assert_int_equal(harness_count(h, "data: four"), 0);
    assert_int_equal(harness_count(h, "data: always"), 1);
    assert_int_equal(harness_count(h, "data: six"), 1);
    harness_free(h);
}

static void an_idle_stream_has_a_heartbeat_every_15_s(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    harness_advance(h, 14 * 1000);
    assert_int_equal(harness_count(h, HEARTBEAT), 0);
    harness_advance(h, 32 * 1000);
    assert_int_equal(harness_count(h, HEARTBEAT), 3);
    harness_free(h);
}

/* More streams than one turn of the loop writes to, all behind one listener. */
static void every_stream_of_many_has_its_heartbeat(void **state)
{
    (void)state;
    enum { STREAMS_N = 600 };
    static struct buf in[STREAMS_N];
    static struct buf out[STREAMS_N];
    const struct listener_config config = {.limits = LISTENER_DEFAULTS};
    const struct peer_address here = {.is_local = true};
    struct harness *h = harness_new(NULL);
    struct http_service service = {harness_on_head, harness_on_request, h};
    struct err err;
    struct http_shared *shared = http_shared_new(h->loop, &config, &service, &err);
    h->on_request = start;
    for (int i = 0; i < STREAMS_N; i++) {
        buf_init(&in[i], 1024);
        buf_init(&out[i], 64 * 1024);
        buf_add_str(&in[i], REQUEST);
        conn_wake(conn_new(shared, (struct transport){.fd = -1, .source = &in[i], .sink = &out[i]}, &here));
    }
    harness_advance(h, 1);
    assert_int_equal(shared->streams_n, STREAMS_N);
    harness_advance(h, 16 * 1000);
    for (int i = 0; i < STREAMS_N; i++)
        assert_true(str_ends(buf_str(&out[i]), STR("6\r\n" HEARTBEAT "\r\n")));
    http_shared_free(shared);
    assert_int_equal(h->closed_n, STREAMS_N);
    for (int i = 0; i < STREAMS_N; i++) {
        buf_fini(&in[i]);
        buf_fini(&out[i]);
    }
    harness_free(h);
}

static void a_client_that_leaves_ends_the_stream_once(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    http_loopback_leave(h->lb);
    assert_int_equal(h->closed_n, 1);
    harness_advance(h, 20 * 1000);
    assert_int_equal(h->closed_n, 1);
    harness_free(h);
}

static void an_ended_stream_is_silent(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    sse_end(sse);
    harness_advance(h, 20 * 1000);
    assert_int_equal(h->closed_n, 0);
    assert_int_equal(harness_count(h, HEARTBEAT), 0);
    assert_true(str_ends(http_loopback_output(h->lb), STR("0\r\n\r\n")));
    harness_free(h);
}

static void a_drain_says_when_to_come_back(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    http_loopback_clear(h->lb);
    http_loopback_drain(h->lb);
    harness_advance(h, 1);
    assert_true(harness_has(h, "retry: "));
    assert_true(str_ends(http_loopback_output(h->lb), STR("0\r\n\r\n")));
    assert_int_equal(h->closed_n, 1);
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_reader_far_behind_is_cut(void **state)
{
    (void)state;
    struct harness *h = new_sse();
    char data[10 * 1024];
    memset(data, 'x', sizeof data - 1);
    data[sizeof data - 1] = '\0';
    unsigned sent = 0;
    while (send_event(0, "a", data))
        sent++;
    assert_true(sent >= 24 && sent <= 26); /* 256 KiB */
    assert_int_equal(h->closed_n, 0);
    harness_advance(h, 1);
    assert_int_equal(h->closed_n, 1);
    harness_free(h);
}

static void frames_are_shared(void **state)
{
    (void)state;
    struct sse_frame *f = sse_frame_new(1, "a", STR("x"));
    assert_ptr_equal(sse_frame_ref(f), f);
    sse_frame_unref(f);
    sse_frame_unref(f);
    sse_frame_unref(NULL);
}

static uint64_t after;
static bool is_resumed;

static void resume(struct harness *h, struct http_exchange *x)
{
    struct err err = {.kind = ERR_NONE};
    (void)h;
    is_resumed = sse_resume_point(x, &after, &err);
    assert_int_equal(err.kind, is_resumed ? ERR_NONE : ERR_INVALID);
    http_answer(x, 200, NULL, STR(""));
}

static void the_resume_point_is_the_header_else_the_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *header;
        int64_t after; /* -1: refused */
    } rows[] = {
        {"",         "",                                       0        },
        {"?after=7", "",                                       7        },
        {"?after=7", "Last-Event-ID: 9\r\n",                   9        },
        {"?after=7", "Last-Event-ID:\r\n",                     7        },
        {"?after=",  "",                                       0        },
        {"?after=x", "",                                       -1       },
        {"",         "Last-Event-ID: -1\r\n",                  -1       },
        {"",         "Last-Event-ID: 9223372036854775807\r\n", INT64_MAX},
        {"",         "Last-Event-ID: 9223372036854775808\r\n", -1       },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness *h = harness_new(NULL);
        struct buf text;
        h->on_request = resume;
        buf_init(&text, 1024);
        buf_addf(&text, "GET /e%s HTTP/1.1\r\nHost: a\r\n%s\r\n", rows[i].query, rows[i].header);
        harness_send(h, buf_str(&text));
        assert_int_equal(is_resumed, rows[i].after >= 0);
        if (is_resumed)
            assert_int_equal(after, rows[i].after);
        buf_fini(&text);
        harness_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_forbids_buffering_and_caching),
        cmocka_unit_test(a_frame_is_id_event_data),
        cmocka_unit_test(replay_and_live_may_overlap),
        cmocka_unit_test(an_idle_stream_has_a_heartbeat_every_15_s),
        cmocka_unit_test(every_stream_of_many_has_its_heartbeat),
        cmocka_unit_test(a_client_that_leaves_ends_the_stream_once),
        cmocka_unit_test(an_ended_stream_is_silent),
        cmocka_unit_test(a_drain_says_when_to_come_back),
        cmocka_unit_test(a_reader_far_behind_is_cut),
        cmocka_unit_test(frames_are_shared),
        cmocka_unit_test(the_resume_point_is_the_header_else_the_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
