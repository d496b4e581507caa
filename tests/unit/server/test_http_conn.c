// SPDX-License-Identifier: MIT
/* A connection's promises: order, keep-alive, bodies, deadlines, leaving clients. */
#include "unit/server/loopback_harness.h"

#include "core/base/buf.h"
#include "core/base/json_write.h"

static void echo(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_answer(x, 200, "text/plain", http_body(x));
}

static struct harness *new_echo(void)
{
    struct harness *h = harness_new(NULL);
    h->on_request = echo;
    return h;
}

static void one_request_gets_one_answer_and_the_connection_stays(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
    assert_true(str_starts(http_loopback_output(h->lb), STR("HTTP/1.1 200 OK\r\n")));
    assert_true(str_ends(http_loopback_output(h->lb), STR("Content-Length: 5\r\n\r\nhello")));
    assert_true(http_loopback_is_open(h->lb));
    assert_int_equal(h->heads_n, 1);
    assert_int_equal(h->requests_n, 1);
    harness_free(h);
}

static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    struct str all =
        STR("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n");
    for (size_t i = 0; i < all.n; i++)
        harness_send(h, str_slice(all, i, i + 1));
    assert_true(str_ends(http_loopback_output(h->lb), STR("Content-Length: 5\r\n\r\nabcde")));
    harness_free(h);
}

/* More than the connection reads at once, and more requests than it serves in one turn. */
static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct harness *h = new_echo();
    struct buf all;
    struct buf expected;
    buf_init(&all, 1024 * 1024);
    buf_init(&expected, 16);
    for (int i = 0; i < N; i++)
        buf_addf(&all, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n#%04d", i);
    harness_send(h, buf_str(&all));
    buf_fini(&all);
    assert_int_equal(harness_count(h, "HTTP/1.1 200 OK"), N);
    struct str rest = http_loopback_output(h->lb);
    for (int i = 0; i < N; i++) {
        buf_clear(&expected);
        buf_addf(&expected, "\r\n\r\n#%04d", i);
        size_t at = str_find_str(rest, buf_str(&expected));
        assert_true(at < rest.n);
        rest = str_slice(rest, at + expected.n, rest.n);
    }
    buf_fini(&expected);
    harness_free(h);
}

static void hold(struct harness *h, struct http_exchange *x)
{
    harness_hold(h, x);
}

static void a_pipelined_request_waits_for_the_answer_before(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = hold;
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(h->requests_n, 1);
    assert_str(http_path(h->held), "/1");
    http_answer(h->held, 204, NULL, STR(""));
    harness_advance(h, 1);
    assert_int_equal(h->requests_n, 2);
    assert_str(http_path(h->held), "/2");
    assert_int_equal(h->gone_n, 0);
    harness_free(h);
    /* the second one was waiting when the listener went */
}

static void a_waiting_request_learns_that_its_client_left(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = hold;
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_loopback_leave(h->lb);
    assert_int_equal(h->gone_n, 1);
    harness_advance(h, 1);
    assert_int_equal(h->gone_n, 1);
    harness_free(h);
}

static void an_answered_request_is_never_gone(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = hold;
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_answer(h->held, 200, NULL, STR("x"));
    http_loopback_leave(h->lb);
    assert_int_equal(h->gone_n, 0);
    harness_free(h);
}

static void nobody_answering_ends_in_503_and_gone(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = hold;
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    harness_advance(h, LISTENER_DEFAULTS.handler_ms - 10);
    assert_int_equal(h->gone_n, 0);
    harness_advance(h, 20);
    assert_int_equal(h->gone_n, 1);
    assert_true(harness_has(h, "HTTP/1.1 503 Service Unavailable"));
    assert_true(harness_has(h, "Connection: close"));
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_parser_error_is_a_problem_with_all_headers_and_the_end(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /SMUGGLED HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(harness_count(h, "HTTP/1.1 "), 1);
    assert_true(harness_has(h, "HTTP/1.1 400 Bad Request"));
    assert_true(harness_has(h, "Content-Type: application/problem+json"));
    assert_true(harness_has(h, "X-Content-Type-Options: nosniff"));
    assert_true(harness_has(h, "Content-Security-Policy: default-src 'none'"));
    assert_true(harness_has(h, "Cache-Control: no-store"));
    assert_true(harness_has(h, "X-Request-Id: "));
    assert_true(harness_has(h, "Connection: close"));
    assert_true(harness_has(h, "\"type\":\"/problems/bad_request\""));
    assert_int_equal(h->heads_n, 0);
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_bare_listener_sends_no_browser_headers(void **state)
{
    (void)state;
    struct listener_config config = {.is_bare = true, .limits = LISTENER_DEFAULTS, .server_name = "kube"};
    struct harness *h = harness_new(&config);
    h->on_request = echo;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "Server: kube\r\n"));
    assert_true(harness_has(h, "Date: Sat, 11 Oct 2025 10:00:00 GMT\r\n"));
    assert_false(harness_has(h, "X-"));
    assert_false(harness_has(h, "Cache-Control"));
    assert_false(harness_has(h, "Security"));
    harness_free(h);
}

static void own_fields(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_add_header(x, "cache-control", STR("private"));
    http_add_header(x, "X-Bad", STR("a\r\nInjected: b"));
    http_answer(x, 200, NULL, STR(""));
}

static void a_handlers_field_replaces_the_default_and_cannot_split_the_answer(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = own_fields;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "cache-control: private\r\n"));
    assert_false(harness_has(h, "no-store"));
    assert_false(harness_has(h, "Injected"));
    assert_false(harness_has(h, "Strict-Transport-Security"));
    harness_free(h);
}

static void a_secure_request_by_a_trusted_proxy_gets_hsts(void **state)
{
    (void)state;
    struct listener_config config = {.trusted_proxies = "local", .limits = LISTENER_DEFAULTS};
    struct harness *h = harness_new(&config);
    h->on_request = echo;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n"));
    assert_true(harness_has(h, "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"));
    harness_free(h);
}

static void tell_peer(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_answer(x, 200, NULL, http_peer(x));
}

static void forwarded_addresses_count_only_from_trusted_proxies(void **state)
{
    (void)state;
    struct listener_config config = {.trusted_proxies = "local, 10.0.0.0/8", .limits = LISTENER_DEFAULTS};
    struct harness *trusting = harness_new(&config);
    struct harness *other = harness_new(NULL);
    struct str request = STR("GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n"
                             "X-Forwarded-For: 10.1.2.3\r\n\r\n");
    trusting->on_request = tell_peer;
    other->on_request = tell_peer;
    harness_send(trusting, request);
    harness_send(other, request);
    assert_true(str_ends(http_loopback_output(trusting->lb), STR("\r\n\r\n192.0.2.7")));
    assert_true(str_ends(http_loopback_output(other->lb), STR("\r\n\r\nlocal")));
    harness_free(trusting);
    harness_free(other);
}

static void head_is_answered_without_body(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(
        h, STR("HEAD /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /y HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "Content-Length: 5\r\n"));
    assert_false(harness_has(h, "hello"));
    assert_int_equal(h->requests_n, 2);
    harness_free(h);
}

static void deny(struct harness *h, struct http_exchange *x)
{
    struct err err;
    (void)h;
    err_set(&err, ERR_UNAUTHENTICATED, "test", "Unauthorized");
    http_answer_err(x, &err);
}

static void a_refused_head_never_gets_100_continue(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    h->on_head = deny;
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    assert_false(harness_has(h, "100 Continue"));
    assert_true(harness_has(h, "HTTP/1.1 401 Unauthorized"));
    assert_true(harness_has(h, "\"error\":\"Unauthorized\""));
    assert_true(harness_has(h, "Connection: close")); /* the five bytes may still come */
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_refused_request_whose_body_is_here_keeps_the_connection(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    h->on_head = deny;
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
    assert_true(harness_has(h, "HTTP/1.1 401 Unauthorized"));
    assert_false(harness_has(h, "Connection: close"));
    assert_true(http_loopback_is_open(h->lb));
    h->on_head = harness_accept;
    harness_send(h, STR("GET /y HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(h->requests_n, 1);
    harness_free(h);
}

static void the_client_is_told_to_continue_once_the_head_is_accepted(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    h->on_head = hold;
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    assert_int_equal(http_loopback_output(h->lb).n, 0);
    http_accept_body(h->held, 5);
    harness_advance(h, 1);
    assert_str(http_loopback_output(h->lb), "HTTP/1.1 100 Continue\r\n\r\n");
    harness_send(h, STR("hello"));
    assert_true(str_ends(http_loopback_output(h->lb), STR("hello")));
    assert_int_equal(harness_count(h, "HTTP/1.1 "), 2);
    harness_free(h);
}

static void a_client_that_sent_its_body_is_not_told_to_continue(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"));
    assert_int_equal(harness_count(h, "HTTP/1.1 "), 1);
    assert_true(str_ends(http_loopback_output(h->lb), STR("hello")));
    harness_free(h);
}

static void accept_ten(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_accept_body(x, 10);
}

static void a_body_over_its_ceiling_is_413(void **state)
{
    (void)state;
    const char *const requests[] = {
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n12345",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct harness *h = new_echo();
        h->on_head = accept_ten;
        harness_send(h, str_from(requests[i]));
        assert_true(str_starts(http_loopback_output(h->lb), STR("HTTP/1.1 413 Content Too Large\r\n")));
        assert_false(http_loopback_is_open(h->lb));
        assert_int_equal(h->requests_n, 0);
        harness_free(h);
    }
}

static void a_refusal_of_the_body_lets_go_of_who_accepted_the_head(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    h->on_head = hold;
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    http_accept_body(h->held, 10);
    harness_send(h, STR("zz\r\n"));
    assert_int_equal(h->gone_n, 1);
    assert_true(harness_has(h, "HTTP/1.1 400 Bad Request"));
    harness_free(h);
}

static void an_idle_connection_ends_silently(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_loopback_clear(h->lb);
    harness_advance(h, LISTENER_DEFAULTS.idle_ms - 10);
    assert_true(http_loopback_is_open(h->lb));
    harness_advance(h, 20);
    assert_false(http_loopback_is_open(h->lb));
    assert_int_equal(http_loopback_output(h->lb).n, 0);
    harness_free(h);
}

static void a_head_byte_by_byte_does_not_move_its_deadline(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    struct str head = STR("GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxx HTTP/1.1\r\n");
    for (size_t i = 0; i < 12 && (i == 0 || http_loopback_is_open(h->lb)); i++) {
        harness_send(h, str_slice(head, i, i + 1));
        harness_advance(h, 999);
    }
    assert_true(harness_has(h, "HTTP/1.1 408 Request Timeout"));
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_second_head_has_its_own_deadline(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    harness_advance(h, 40 * 1000);
    harness_send(h, STR("GET /2 HTTP/1.1\r\n"));
    harness_advance(h, LISTENER_DEFAULTS.head_ms - 10);
    assert_true(http_loopback_is_open(h->lb));
    harness_advance(h, 20);
    assert_true(harness_has(h, "HTTP/1.1 408 Request Timeout"));
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void a_body_below_the_minimum_rate_is_408(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
    for (int second = 0; second < 40 && http_loopback_is_open(h->lb); second++) {
        harness_send(h, STR("x"));
        harness_advance(h, 999);
        assert_true(second >= 28 || http_loopback_is_open(h->lb));
    }
    assert_true(harness_has(h, "HTTP/1.1 408 Request Timeout"));
    assert_int_equal(h->requests_n, 0);
    harness_free(h);
}

static void a_slow_but_steady_body_is_taken(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    char piece[5000];
    memset(piece, 'x', sizeof piece);
    harness_send(h, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 250000\r\n\r\n"));
    for (int second = 0; second < 50; second++) {
        harness_send(h, (struct str){piece, sizeof piece});
        harness_advance(h, 999);
    }
    assert_int_equal(h->requests_n, 1);
    assert_true(harness_has(h, "Content-Length: 250000\r\n"));
    harness_free(h);
}

static void http_1_0_closes_unless_asked_to_stay(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h, STR("GET /x HTTP/1.0\r\n\r\n"));
    assert_true(harness_has(h, "Connection: close\r\n"));
    assert_false(http_loopback_is_open(h->lb));
    http_loopback_clear(h->lb);
    harness_send(h, STR("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    assert_true(harness_has(h, "Connection: keep-alive\r\n"));
    assert_true(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void nothing_runs_after_connection_close(void **state)
{
    (void)state;
    struct harness *h = new_echo();
    harness_send(h,
                 STR("GET /x HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(h->requests_n, 1);
    assert_false(http_loopback_is_open(h->lb));
    harness_free(h);
}

static void paths_that_could_be_read_in_two_ways_are_400(void **state)
{
    (void)state;
    const char *const paths[] = {"/a/../b", "/%2e%2e/b", "/a//b", "/a%2fb",  "/a%5cb",
                                 "/%00",    "/%zz",      "/%e9",  "/x?a=%4", "/x?a=%00"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct harness *h = new_echo();
        struct buf text;
        buf_init(&text, 1024);
        buf_addf(&text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        harness_send(h, buf_str(&text));
        assert_true(harness_has(h, "HTTP/1.1 400 Bad Request"));
        assert_int_equal(h->heads_n, 0);
        buf_fini(&text);
        harness_free(h);
    }
}

static void answer_twice(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_answer(x, 200, NULL, STR("one"));
    http_answer(x, 200, NULL, STR("two"));
}

static void a_second_answer_is_left_out(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = answer_twice;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(harness_count(h, "HTTP/1.1 200"), 1);
    assert_false(harness_has(h, "two"));
    harness_free(h);
}

static void answer_bad_json(struct harness *h, struct http_exchange *x)
{
    (void)h;
    struct json_writer *w = jw_new(1000);
    jw_object(w);
    http_answer_json(x, 200, w);
}

static void unfinished_json_is_500_and_says_nothing(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = answer_bad_json;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(harness_has(h, "HTTP/1.1 500 Internal Server Error"));
    assert_true(harness_has(h, "\"error\":\"Internal server error\""));
    harness_free(h);
}

static void answer_file(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_answer_static(x, 200, "text/plain", STR("from memory"));
}

static void static_bytes_follow_the_head(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = answer_file;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(harness_count(h, "\r\n\r\nfrom memory"), 2);
    harness_free(h);
}

static void tell_request_id(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_answer(x, 200, NULL, str_from(http_request_id(x)));
}

static void only_a_well_formed_request_id_is_taken_over(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    h->on_request = tell_request_id;
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: Ab.c_9-z\r\n\r\n"));
    assert_true(harness_has(h, "X-Request-Id: Ab.c_9-z\r\n"));
    assert_true(str_ends(http_loopback_output(h->lb), STR("\r\n\r\nAb.c_9-z")));
    http_loopback_clear(h->lb);
    harness_send(h, STR("GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: <script>\r\n\r\n"));
    assert_false(harness_has(h, "<script>"));
    harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_gets_one_answer_and_the_connection_stays),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_pipelined_request_waits_for_the_answer_before),
        cmocka_unit_test(a_waiting_request_learns_that_its_client_left),
        cmocka_unit_test(an_answered_request_is_never_gone),
        cmocka_unit_test(nobody_answering_ends_in_503_and_gone),
        cmocka_unit_test(a_parser_error_is_a_problem_with_all_headers_and_the_end),
        cmocka_unit_test(a_bare_listener_sends_no_browser_headers),
        cmocka_unit_test(a_handlers_field_replaces_the_default_and_cannot_split_the_answer),
        cmocka_unit_test(a_secure_request_by_a_trusted_proxy_gets_hsts),
        cmocka_unit_test(forwarded_addresses_count_only_from_trusted_proxies),
        cmocka_unit_test(head_is_answered_without_body),
        cmocka_unit_test(a_refused_head_never_gets_100_continue),
        cmocka_unit_test(a_refused_request_whose_body_is_here_keeps_the_connection),
        cmocka_unit_test(the_client_is_told_to_continue_once_the_head_is_accepted),
        cmocka_unit_test(a_client_that_sent_its_body_is_not_told_to_continue),
        cmocka_unit_test(a_second_head_has_its_own_deadline),
        cmocka_unit_test(a_body_over_its_ceiling_is_413),
        cmocka_unit_test(a_refusal_of_the_body_lets_go_of_who_accepted_the_head),
        cmocka_unit_test(an_idle_connection_ends_silently),
        cmocka_unit_test(a_head_byte_by_byte_does_not_move_its_deadline),
        cmocka_unit_test(a_body_below_the_minimum_rate_is_408),
        cmocka_unit_test(a_slow_but_steady_body_is_taken),
        cmocka_unit_test(http_1_0_closes_unless_asked_to_stay),
        cmocka_unit_test(nothing_runs_after_connection_close),
        cmocka_unit_test(paths_that_could_be_read_in_two_ways_are_400),
        cmocka_unit_test(a_second_answer_is_left_out),
        cmocka_unit_test(unfinished_json_is_500_and_says_nothing),
        cmocka_unit_test(static_bytes_follow_the_head),
        cmocka_unit_test(only_a_well_formed_request_id_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
