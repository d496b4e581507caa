// SPDX-License-Identifier: MIT
/* fetch: answers, streams, deadlines, ceilings, and that anything may be cancelled or started from a callback. */
#include "unit/canned_http.h"

#include "core/io/fetch.h"

enum { DEADLINE_MS = 5000, CALLS_MAX = 64 };

struct bench {
    struct loop *loop;
    struct fetch *fetch;
    struct fetch_client *client;
    struct canned_server server;
    struct canned_conn *held; /* the last connection whose request was not answered */
    int requests_n;
    int ends_n, wanted_n; /* the loop stops when so many ended */
    int bytes_calls_n;
    struct buf got;
    struct buf last_request;
    int status;
    unsigned retry_after_s;
    struct err err;
    struct op *ops[CALLS_MAX];
    bool is_in_start;
};

static void on_request(void *arg, struct canned_conn *conn, struct str head, struct str body)
{
    struct bench *b = arg;
    b->requests_n++;
    buf_clear(&b->last_request);
    buf_add_str(&b->last_request, head);
    buf_add_str(&b->last_request, body);
    if (str_starts(head, STR("GET /hold"))) {
        b->held = conn;
        return;
    }
    if (str_starts(head, STR("GET /stream"))) {
        b->held = conn;
        canned_stream(conn);
        canned_chunk(conn, STR("one"));
        return;
    }
    if (str_starts(head, STR("GET /busy"))) {
        canned_send(conn, STR("HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy"));
        return;
    }
    if (str_starts(head, STR("GET /moved"))) {
        canned_send(conn, STR("HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));
        return;
    }
    if (str_starts(head, STR("GET /cut"))) {
        canned_send(conn, STR("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nhalf"));
        canned_close(conn);
        return;
    }
    canned_answer(conn, 200, STR("{\"hello\":\"world\"}"));
}

static void on_done(void *arg, const struct fetch_answer *answer, const struct err *err)
{
    struct bench *b = arg;
    assert_false(b->is_in_start);
    assert_true((answer == NULL) == (err != NULL));
    b->ends_n++;
    if (answer != NULL) {
        b->status = answer->status;
        b->retry_after_s = answer->retry_after_s;
        buf_add_str(&b->got, answer->body);
    } else {
        err_copy(&b->err, err);
    }
    if (b->ends_n >= b->wanted_n)
        loop_stop(b->loop);
}

static struct fetch_request request(struct bench *b, const char *path)
{
    return (struct fetch_request){
        .method = "GET", .path = path, .deadline_ms = DEADLINE_MS, .ceiling_bytes = 1024, .on_done = on_done, .arg = b};
}

static struct op *start(struct bench *b, const struct fetch_request *req)
{
    b->is_in_start = true;
    struct op *op = fetch_start(b->client, req);
    b->is_in_start = false;
    return op;
}

static void run(struct bench *b, int wanted_n)
{
    b->wanted_n = wanted_n;
    if (b->ends_n < wanted_n)
        loop_run(b->loop);
    assert_int_equal(b->ends_n, wanted_n);
}

static void get(struct bench *b, const char *path)
{
    struct fetch_request req = request(b, path);
    (void)!start(b, &req);
    run(b, b->ends_n + 1);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err err = {0};
    b->loop = loop_new(&err);
    b->fetch = fetch_new(b->loop, &err);
    canned_init(&b->server, b->loop, on_request, b);
    b->client = fetch_client_new(b->fetch, &(struct fetch_peer){.base_url = b->server.url}, &err);
    assert_non_null(b->client);
    buf_init(&b->got, 1 << 20);
    buf_init(&b->last_request, 1 << 20);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    fetch_client_free(b->client);
    fetch_free(b->fetch);
    canned_fini(&b->server);
    loop_free(b->loop);
    buf_fini(&b->got);
    buf_fini(&b->last_request);
    free(b);
    return 0;
}

static void test_an_answer_comes_with_its_body(void **state)
{
    struct bench *b = *state;
    get(b, "/hello?x=1");
    assert_int_equal(b->status, 200);
    assert_string_equal(buf_text(&b->got), "{\"hello\":\"world\"}");
    assert_true(str_starts(buf_str(&b->last_request), STR("GET /hello?x=1 HTTP/1.1\r\n")));
    get(b, "/hello");
    assert_int_equal(b->server.conns_n, 1); /* kept alive */
}

static void test_bodies_and_tokens_are_sent(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/things");
    struct secret token = secret_new(STR("t0ken"));
    req.method = "PATCH";
    req.content_type = "application/merge-patch+json";
    req.body = STR("{\"a\":1}");
    fetch_client_set_token(b->client, &token);
    secret_fini(&token);
    (void)!start(b, &req);
    run(b, 1);
    struct str sent = buf_str(&b->last_request);
    assert_true(str_starts(sent, STR("PATCH /things HTTP/1.1\r\n")));
    assert_true(str_find_str(sent, STR("Authorization: Bearer t0ken\r\n")) < sent.n);
    assert_true(str_find_str(sent, STR("Content-Type: application/merge-patch+json\r\n")) < sent.n);
    assert_true(str_find_str(sent, STR("Expect")) == sent.n);
    assert_true(str_ends(sent, STR("{\"a\":1}")));
    fetch_client_set_token(b->client, NULL);
    get(b, "/things");
    sent = buf_str(&b->last_request);
    assert_true(str_find_str(sent, STR("Authorization")) == sent.n);
}

static void test_other_statuses_are_answers(void **state)
{
    struct bench *b = *state;
    get(b, "/busy");
    assert_int_equal(b->status, 429);
    assert_int_equal(b->retry_after_s, 7);
    assert_string_equal(buf_text(&b->got), "busy");
}

static void test_redirects_are_not_followed(void **state)
{
    struct bench *b = *state;
    get(b, "/moved");
    assert_int_equal(b->status, 302);
    assert_int_equal(b->requests_n, 1);
}

static void test_a_deadline_ends_a_call(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/hold");
    req.deadline_ms = 30;
    (void)!start(b, &req);
    run(b, 1);
    assert_int_equal(b->err.kind, ERR_TIMEOUT);
}

static void test_a_body_over_the_ceiling_is_too_large(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/hello");
    req.ceiling_bytes = 4;
    (void)!start(b, &req);
    run(b, 1);
    assert_int_equal(b->err.kind, ERR_TOO_LARGE);
}

static void test_a_cut_answer_is_an_error(void **state)
{
    struct bench *b = *state;
    get(b, "/cut");
    assert_int_equal(b->err.kind, ERR_UPSTREAM);
    assert_string_equal(b->err.reason, "broken");
}

static void test_nobody_there_is_a_connect_error(void **state)
{
    struct bench *b = *state;
    canned_fini(&b->server);
    get(b, "/hello");
    assert_int_equal(b->err.kind, ERR_UPSTREAM);
    assert_string_equal(b->err.reason, "connect");
    canned_init(&b->server, b->loop, on_request, b);
}

static void test_urls_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"",         "ftp://host",       "file:///etc/passwd",
                                      "https://", "http://host/?q=1", "http://user@host"};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        assert_null(fetch_client_new(b->fetch, &(struct fetch_peer){.base_url = bad[i]}, &err));
        assert_int_equal(err.kind, ERR_INVALID);
    }
}

/* ---- streams ---- */

static void on_stream_bytes(void *arg, struct str bytes)
{
    struct bench *b = arg;
    b->bytes_calls_n++;
    buf_add_str(&b->got, bytes);
    if (b->bytes_calls_n == 1) {
        canned_chunk(b->held, STR("two"));
        canned_chunk(b->held, STR_NONE); /* the last chunk */
    }
}

static void test_a_stream_brings_its_bytes_and_then_its_end(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/stream");
    req.on_bytes = on_stream_bytes;
    (void)!start(b, &req);
    run(b, 1);
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_int_equal(b->status, 200);
    assert_string_equal(buf_text(&b->got), "onetwo");
}

static void test_a_refused_stream_has_a_body_like_a_call(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/busy");
    req.on_bytes = on_stream_bytes;
    (void)!start(b, &req);
    run(b, 1);
    assert_int_equal(b->bytes_calls_n, 0);
    assert_int_equal(b->status, 429);
    assert_string_equal(buf_text(&b->got), "busy");
}

static void on_quiet_bytes(void *arg, struct str bytes)
{
    struct bench *b = arg;
    (void)bytes;
    b->bytes_calls_n++;
}

static void test_a_silent_stream_ends_by_its_idle_time(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/stream");
    req.on_bytes = on_quiet_bytes;
    req.idle_ms = 30;
    (void)!start(b, &req);
    run(b, 1);
    assert_int_equal(b->err.kind, ERR_TIMEOUT);
    assert_int_equal(b->bytes_calls_n, 1);
}

static void test_streams_do_not_keep_calls_waiting(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/hold");
    req.on_bytes = on_quiet_bytes;
    for (int i = 0; i < 10; i++)
        b->ops[i] = start(b, &req);
    get(b, "/hello");
    assert_int_equal(b->status, 200);
    for (int i = 0; i < 10; i++)
        op_cancel(b->ops[i]);
}

/* ---- cancelling ---- */

static void on_must_not_run(void *arg, const struct fetch_answer *answer, const struct err *err)
{
    (void)arg;
    (void)answer;
    (void)err;
    fail_msg("a cancelled call came back");
}

static void test_a_cancelled_call_never_comes_back(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/hello");
    req.on_done = on_must_not_run;
    op_cancel(start(b, &req)); /* before anything was sent */
    get(b, "/hello");
    assert_int_equal(b->status, 200);
}

static void on_bytes_cancel_self(void *arg, struct str bytes)
{
    struct bench *b = arg;
    (void)bytes;
    op_cancel(b->ops[0]);
    struct fetch_request req = request(b, "/hello"); /* and begin another one */
    b->ops[0] = start(b, &req);
}

static void test_a_stream_may_be_cancelled_from_its_own_bytes(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/stream");
    req.on_done = on_must_not_run;
    req.on_bytes = on_bytes_cancel_self;
    b->ops[0] = start(b, &req);
    run(b, 1);
    assert_int_equal(b->status, 200);
}

static void on_done_cancel_others(void *arg, const struct fetch_answer *answer, const struct err *err)
{
    struct bench *b = arg;
    for (int i = 1; i < 8; i++)
        op_cancel(b->ops[i]);
    on_done(b, answer, err);
}

static void test_other_calls_may_be_cancelled_from_a_callback(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/hello");
    req.on_done = on_done_cancel_others;
    b->ops[0] = start(b, &req);
    req.on_done = on_must_not_run;
    req.path = "/hold";
    for (int i = 1; i < 8; i++)
        b->ops[i] = start(b, &req);
    run(b, 1);
}

static void test_many_calls_share_few_connections(void **state)
{
    struct bench *b = *state;
    struct fetch_request req = request(b, "/hello");
    for (int i = 0; i < CALLS_MAX; i++)
        (void)!start(b, &req);
    run(b, CALLS_MAX);
    assert_int_equal(b->requests_n, CALLS_MAX);
    assert_in_range(b->server.conns_n, 1, 4);
}

static void test_the_end_of_a_client_ends_its_calls_in_silence(void **state)
{
    struct bench *b = *state;
    struct err err = {0};
    struct fetch_client *other = fetch_client_new(b->fetch, &(struct fetch_peer){.base_url = b->server.url}, &err);
    struct fetch_request req = request(b, "/hold");
    req.on_done = on_must_not_run;
    (void)!fetch_start(other, &req);
    fetch_client_free(other);
    get(b, "/hello");
    assert_int_equal(b->status, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_comes_with_its_body),
        TEST(test_bodies_and_tokens_are_sent),
        TEST(test_other_statuses_are_answers),
        TEST(test_redirects_are_not_followed),
        TEST(test_a_deadline_ends_a_call),
        TEST(test_a_body_over_the_ceiling_is_too_large),
        TEST(test_a_cut_answer_is_an_error),
        TEST(test_nobody_there_is_a_connect_error),
        TEST(test_urls_that_are_none_are_refused),
        TEST(test_a_stream_brings_its_bytes_and_then_its_end),
        TEST(test_a_refused_stream_has_a_body_like_a_call),
        TEST(test_a_silent_stream_ends_by_its_idle_time),
        TEST(test_streams_do_not_keep_calls_waiting),
        TEST(test_a_cancelled_call_never_comes_back),
        TEST(test_a_stream_may_be_cancelled_from_its_own_bytes),
        TEST(test_other_calls_may_be_cancelled_from_a_callback),
        TEST(test_many_calls_share_few_connections),
        TEST(test_the_end_of_a_client_ends_its_calls_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
