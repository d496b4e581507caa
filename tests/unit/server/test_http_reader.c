// SPDX-License-Identifier: MIT
/* The reader against tables of requests: what is taken, what is refused and with which status, and that no cut between
 * two bytes changes a verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "server/http_bytes.h"
#include "server/http_reader.h"

static const struct http_reader_limits limits = {.head_bytes = 16 * 1024, .fields_n = 64, .target_bytes = 8000};

struct outcome {
    enum http_read verdict;
    int status;
    size_t used;
    struct http_head head;
    struct buf body;
};

/* Reads a whole request, given in pieces of `step` bytes (0: at once). */
static struct outcome read_request(struct str bytes, size_t step, const struct http_reader_limits *l)
{
    struct outcome o = {.verdict = HTTP_READ_MORE};
    struct http_reader r;
    size_t have = 0;
    buf_init(&o.body, 1024 * 1024);
    http_reader_init(&r, l);
    while (o.verdict == HTTP_READ_MORE && have < bytes.n) {
        have = step == 0 || have + step > bytes.n ? bytes.n : have + step;
        o.verdict = http_reader_head(&r, &o.head, str_slice(bytes, 0, have));
    }
    o.used = http_reader_used(&r);
    if (o.verdict == HTTP_READ_HEAD)
        http_reader_begin_body(&r, &o.head);
    while (o.verdict == HTTP_READ_HEAD || o.verdict == HTTP_READ_PIECE ||
           (o.verdict == HTTP_READ_MORE && o.used > 0 && have < bytes.n)) {
        if (o.verdict == HTTP_READ_MORE || have <= o.used)
            have = step == 0 || have + step > bytes.n ? bytes.n : have + step;
        struct str piece;
        size_t used = 0;
        o.verdict = http_reader_body(&r, str_slice(bytes, o.used, have), &used, &piece);
        buf_add_str(&o.body, piece);
        o.used += used;
    }
    o.status = http_reader_status(&r);
    return o;
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->used, b->used);
    assert_true(str_eq(buf_str(&a->body), buf_str(&b->body)));
    if (a->verdict == HTTP_READ_END)
        assert_memory_equal(&a->head, &b->head, sizeof a->head);
}

/* The outcome of the request at once, after making sure that every step size gives the same. */
static struct outcome read_every_way(struct str bytes)
{
    struct outcome whole = read_request(bytes, 0, &limits);
    for (size_t step = 1; step <= 7; step++) {
        struct outcome cut = read_request(bytes, step, &limits);
        assert_same(&whole, &cut);
        buf_fini(&cut.body);
    }
    return whole;
}

#define H "GET /x HTTP/1.1\r\nHost: a\r\n"
#define P "POST /x HTTP/1.1\r\nHost: a\r\n"
#define C P "Transfer-Encoding: chunked\r\n\r\n"

struct row {
    struct str request;
    int status; /* 0: taken whole */
};

#define T(literal)                                                                                                     \
    {                                                                                                                  \
        "" literal, sizeof(literal) - 1                                                                                \
    } /* STR is no constant expression */

static const struct row rows[] = {
    {T(H "\r\n"),                                                             0  },
    {T("\r\n" H "\r\n"),                                                      0  },
    {T("\r\n\r\n" H "\r\n"),                                                  400},
    {T("\n" H "\r\n"),                                                        400},
    {T(" " H "\r\n"),                                                         400},
    {T("GET /x HTTP/1.0\r\n\r\n"),                                            0  },
    {T("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),                              0  },
    {T("OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n"),                             400},
    {T("GET * HTTP/1.1\r\nHost: a\r\n\r\n"),                                  400},
    {T("GET /a|b?q={x}^` HTTP/1.1\r\nHost: a\r\n\r\n"),                       0  },
    {T("GET /a\"b HTTP/1.1\r\nHost: a\r\n\r\n"),                              400},
    {T("GET /a<b HTTP/1.1\r\nHost: a\r\n\r\n"),                               400},
    {T("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"),                              400},
    {T("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),                               400},
    {T("GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),                             400},
    {T("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"),                          400},
    {T("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n"),                         400},
    {T("GET a HTTP/1.1\r\nHost: a\r\n\r\n"),                                  400},
    {T("GET  /x HTTP/1.1\r\nHost: a\r\n\r\n"),                                400},
    {T("GET /x  HTTP/1.1\r\nHost: a\r\n\r\n"),                                400},
    {T("GET /x HTTP/1.1 \r\nHost: a\r\n\r\n"),                                400},
    {T("GET /x\r\n"),                                                         400},
    {T("GET /x http/1.1\r\nHost: a\r\n\r\n"),                                 400},
    {T("GET /x HTTP/1.2\r\nHost: a\r\n\r\n"),                                 505},
    {T("GET /x HTTP/0.9\r\nHost: a\r\n\r\n"),                                 505},
    {T("GET /x HTTP/2.0\r\nHost: a\r\n\r\n"),                                 505},
    {T("GET /x HTTP/11.1\r\nHost: a\r\n\r\n"),                                400},
    {T("GET /x HTTP/1.1\nHost: a\r\n\r\n"),                                   400},
    {T("BREW /x HTTP/1.1\r\nHost: a\r\n\r\n"),                                501},
    {T("get /x HTTP/1.1\r\nHost: a\r\n\r\n"),                                 501},
    {T("TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n"),                               501},
    {T("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),                           501},
    {T("PRI * HTTP/2.0\r\n\r\n"),                                             501},
    {T("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),                                         501},
    {T("GE(T /x HTTP/1.1\r\nHost: a\r\n\r\n"),                                400},
    {T("GET /x HTTP/1.1\r\n\r\n"),                                            400},
    {T(H "Host: a\r\n\r\n"),                                                  400},
    {T("GET /x HTTP/1.1\r\nHost:\r\n\r\n"),                                   400},
    {T("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"),                               400},
    {T("GET /x HTTP/1.1\r\nHost: a b\r\n\r\n"),                               400},
    {T("GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),                          0  },
    {T(H "X: \t v \t\r\n\r\n"),                                               0  },
    {T(H "X:\r\n\r\n"),                                                       0  },
    {T(H "X : v\r\n\r\n"),                                                    400},
    {T(H ": v\r\n\r\n"),                                                      400},
    {T(H "X\r\n\r\n"),                                                        400},
    {T(H " folded\r\n\r\n"),                                                  400},
    {T(H "X: v\r\n folded\r\n\r\n"),                                          400},
    {T(H "X: a\rb\r\n\r\n"),                                                  400},
    {T(H "X: a\nY: b\r\n\r\n"),                                               400},
    {T(H "X: a\0b\r\n\r\n"),                                                  400},
    {T(H "X: a\x01\r\n\r\n"),                                                 400},
    {T(H "X: \xc3\xa9\r\n\r\n"),                                              0  },
    {T(H "X\xe9: a\r\n\r\n"),                                                 400},
    {T(H "\n"),                                                               400},
    {T(H "Expect: 100-Continue\r\n\r\n"),                                     0  },
    {T(H "Expect: tea\r\n\r\n"),                                              417},
    {T(P "Content-Length: 5\r\n\r\nhello"),                                   0  },
    {T(P "Content-Length: 0\r\n\r\n"),                                        0  },
    {T(P "Content-Length: 005\r\n\r\nhello"),                                 0  },
    {T(P "Content-Length: 5, 5\r\n\r\nhello"),                                400},
    {T(P "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),              400},
    {T(P "Content-Length: +5\r\n\r\nhello"),                                  400},
    {T(P "Content-Length: 5 \r\n\r\nhello"),                                  0  },
    {T(P "Content-Length: 0x5\r\n\r\nhello"),                                 400},
    {T(P "Content-Length:\r\n\r\n"),                                          400},
    {T(P "Content-Length: 99999999999999999999\r\n\r\n"),                     400},
    {T(P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),          400},
    {T(P "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),          400},
    {T(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {T(P "Transfer-Encoding: gzip, chunked\r\n\r\n"),                         501},
    {T(P "Transfer-Encoding: identity\r\n\r\n"),                              501},
    {T("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),    400},
    {T(C "0\r\n\r\n"),                                                        0  },
    {T(C "5\r\nhello\r\n0\r\n\r\n"),                                          0  },
    {T(C "00000005\r\nhello\r\n0\r\n\r\n"),                                   0  },
    {T(C "000000005\r\nhello\r\n0\r\n\r\n"),                                  400},
    {T(C "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),                  0  },
    {T(C "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n"),                          0  },
    {T(C "5 ;a\r\nhello\r\n0\r\n\r\n"),                                       400},
    {T(C "5;a\nb\r\nhello\r\n0\r\n\r\n"),                                     400},
    {T(C "5\nhello\r\n0\r\n\r\n"),                                            400},
    {T(C "5\r\nhelloXX0\r\n\r\n"),                                            400},
    {T(C "5\r\nhello\r0\r\n\r\n"),                                            400},
    {T(C "5\r\nhello0\r\n\r\n"),                                              400},
    {T(C "\r\n5\r\nhello\r\n0\r\n\r\n"),                                      400},
    {T(C "0x5\r\nhello\r\n0\r\n\r\n"),                                        400},
    {T(C "-1\r\nhello\r\n0\r\n\r\n"),                                         400},
    {T(C "0\r\nX: v\r\nY: w\r\n\r\n"),                                        0  },
    {T(C "0\r\nX v\r\n\r\n"),                                                 400},
    {T(C "0\r\n: v\r\n\r\n"),                                                 400},
    {T(C "0\r\n v\r\n\r\n"),                                                  400},
    {T(C "0\r\nX: a\nb\r\n\r\n"),                                             400},
    {T(C "0\r\nContent-Length: 5\r\n\r\n"),                                   400},
    {T(C "0\r\ntransfer-ENCODING: chunked\r\n\r\n"),                          400},
    {T(C "0\r\nHost: b\r\n\r\n"),                                             400},
    {T(C "0\r\n\n"),                                                          400},
};

static void every_row_has_its_verdict_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o = read_every_way(rows[i].request);
        enum http_read wanted = rows[i].status == 0 ? HTTP_READ_END : HTTP_READ_REFUSED;
        if (o.verdict != wanted || o.status != rows[i].status)
            print_message("row %zu: %.*s\nstatus %d\n", i, STR_ARG(rows[i].request), o.status);
        assert_int_equal(o.verdict, wanted);
        assert_int_equal(o.status, rows[i].status);
        if (wanted == HTTP_READ_END)
            assert_int_equal(o.used, rows[i].request.n);
        buf_fini(&o.body);
    }
}

static void a_request_cut_short_is_never_complete(void **state)
{
    (void)state;
    struct str all = STR(C "5;x=y\r\nhello\r\n0\r\nX: v\r\n\r\n");
    for (size_t n = 0; n < all.n; n++) {
        struct outcome o = read_request(str_slice(all, 0, n), 0, &limits);
        assert_true(o.verdict == HTTP_READ_MORE);
        buf_fini(&o.body);
    }
}

static void the_head_tells_its_parts(void **state)
{
    (void)state;
    struct str text = STR("PATCH /a/b?c=d?e HTTP/1.1\r\nhost: ex.org:8\r\nX-Y:  v w \t\r\nConnection: x, Keep-Alive\r\n"
                          "Content-Length: 12\r\n\r\n");
    struct http_reader r;
    struct http_head head;
    http_reader_init(&r, &limits);
    assert_int_equal(http_reader_head(&r, &head, text), HTTP_READ_HEAD);
    assert_int_equal(http_reader_used(&r), text.n);
    assert_int_equal(head.method, HTTP_PATCH);
    assert_int_equal(head.minor, 1);
    assert_true(str_eq(http_span_str(head.target, text), STR("/a/b")));
    assert_true(str_eq(http_span_str(head.query, text), STR("c=d?e")));
    assert_true(str_eq(http_span_str(head.host, text), STR("ex.org:8")));
    assert_int_equal(head.fields_n, 4);
    assert_true(str_eq(http_span_str(head.fields[1].name, text), STR("X-Y")));
    assert_true(str_eq(http_span_str(head.fields[1].value, text), STR("v w")));
    assert_int_equal(head.wish, HTTP_WISH_KEEP_ALIVE);
    assert_int_equal(head.framing, HTTP_BODY_LENGTH);
    assert_int_equal(head.length, 12);
    assert_false(head.expects_continue);
}

static void an_empty_query_differs_from_none(void **state)
{
    (void)state;
    struct outcome with = read_every_way(STR("GET /x? HTTP/1.0\r\n\r\n"));
    struct outcome without = read_every_way(STR("GET /x HTTP/1.0\r\n\r\n"));
    assert_true(with.head.query.at != 0 && with.head.query.n == 0);
    assert_true(without.head.query.at == 0);
    buf_fini(&with.body);
    buf_fini(&without.body);
}

static void close_wins_over_keep_alive(void **state)
{
    (void)state;
    struct outcome a = read_every_way(STR(H "Connection: close, keep-alive\r\n\r\n"));
    struct outcome b = read_every_way(STR(H "Connection: keep-alive\r\nConnection: CLOSE\r\n\r\n"));
    assert_int_equal(a.head.wish, HTTP_WISH_CLOSE);
    assert_int_equal(b.head.wish, HTTP_WISH_CLOSE);
    buf_fini(&a.body);
    buf_fini(&b.body);
}

static void an_http_1_0_client_expects_nothing(void **state)
{
    (void)state;
    struct outcome o = read_every_way(STR("POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"));
    assert_false(o.head.expects_continue);
    buf_fini(&o.body);
}

static void a_body_is_framed_whatever_the_method(void **state)
{
    (void)state;
    struct outcome head = read_every_way(STR("HEAD /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
    struct outcome get = read_every_way(STR(H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    assert_true(str_eq(buf_str(&head.body), STR("hello")));
    assert_true(str_eq(buf_str(&get.body), STR("hello")));
    buf_fini(&head.body);
    buf_fini(&get.body);
}

static void the_bytes_after_a_request_are_not_its_own(void **state)
{
    (void)state;
    struct outcome a = read_every_way(STR(C "5\r\nhello\r\n0\r\n\r\nGET /second"));
    assert_int_equal(a.verdict, HTTP_READ_END);
    assert_int_equal(a.used, sizeof(C "5\r\nhello\r\n0\r\n\r\n") - 1);
    assert_true(str_eq(buf_str(&a.body), STR("hello")));
    buf_fini(&a.body);
}

/* A request with one part of the given length. */
static struct outcome read_long(const char *before, size_t n, const char *after)
{
    struct buf text;
    buf_init(&text, 1024 * 1024);
    buf_add_text(&text, before);
    for (size_t i = 0; i < n; i++)
        buf_add_byte(&text, 'a');
    buf_add_text(&text, after);
    struct outcome o = read_every_way(buf_str(&text));
    buf_fini(&text);
    buf_fini(&o.body);
    return o;
}

static void ceilings_are_exact(void **state)
{
    (void)state;
    const char *tail = " HTTP/1.0\r\n\r\n";
    assert_int_equal(read_long("GET /", 7999, tail).verdict, HTTP_READ_END);
    assert_int_equal(read_long("GET /", 8000, tail).status, 414);
    assert_int_equal(read_long("GET /", 100000, tail).status, 414);
    const size_t frame = sizeof("GET / HTTP/1.0\r\nX: \r\n\r\n") - 1;
    assert_int_equal(read_long("GET / HTTP/1.0\r\nX: ", 16 * 1024 - frame, "\r\n\r\n").verdict, HTTP_READ_END);
    assert_int_equal(read_long("GET / HTTP/1.0\r\nX: ", 16 * 1024 - frame + 1, "\r\n\r\n").status, 431);
    /* the line "5;<150 - 2 bytes>" has 150 with its size */
    assert_int_equal(read_long(C "5;", 148, "\r\nhello\r\n0\r\n\r\n").verdict, HTTP_READ_END);
    assert_int_equal(read_long(C "5;", 149, "\r\nhello\r\n0\r\n\r\n").status, 400);
}

static struct outcome read_repeated(const char *before, const char *part, size_t n, const char *after)
{
    struct buf text;
    buf_init(&text, 1024 * 1024);
    buf_add_text(&text, before);
    for (size_t i = 0; i < n; i++)
        buf_add_text(&text, part);
    buf_add_text(&text, after);
    struct outcome o = read_every_way(buf_str(&text));
    buf_fini(&text);
    buf_fini(&o.body);
    return o;
}

static void many_fields_and_trailers_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_repeated("GET / HTTP/1.0\r\n", "X:\r\n", 64, "\r\n").verdict, HTTP_READ_END);
    assert_int_equal(read_repeated("GET / HTTP/1.0\r\n", "X:\r\n", 65, "\r\n").status, 431);
    assert_int_equal(read_repeated(C "0\r\n", "X:\r\n", 64, "\r\n").verdict, HTTP_READ_END);
    assert_int_equal(read_repeated(C "0\r\n", "X:\r\n", 65, "\r\n").status, 431);
}

/* Extensions are dropped, so they would let a sender spend our time without any body. */
static void the_sum_of_chunk_extensions_is_limited(void **state)
{
    (void)state;
    assert_int_equal(read_repeated(C, "1;aaaaaaaaa\r\nx\r\n", 1000, "0\r\n\r\n").verdict, HTTP_READ_END);
    assert_int_equal(read_repeated(C, "1;aaaaaaaaa\r\nx\r\n", 2000, "0\r\n\r\n").status, 400);
}

static void a_smaller_limit_of_fields_holds(void **state)
{
    (void)state;
    const struct http_reader_limits small = {.head_bytes = 100, .fields_n = 1, .target_bytes = 10};
    struct outcome two = read_request(STR("GET / HTTP/1.0\r\nA:\r\nB:\r\n\r\n"), 0, &small);
    struct outcome one = read_request(STR("GET / HTTP/1.0\r\nA:\r\n\r\n"), 0, &small);
    assert_int_equal(two.status, 431);
    assert_int_equal(one.verdict, HTTP_READ_END);
    buf_fini(&two.body);
    buf_fini(&one.body);
}

static bool is_one_of(unsigned char c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static void the_byte_table_is_that_of_the_rules(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        unsigned char c = (unsigned char)i;
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_visible = c > 0x20 && c < 0x7f;
        assert_int_equal(http_byte_is((char)c, HTTP_BYTE_TOKEN), is_alnum || is_one_of(c, "!#$%&'*+-.^_`|~"));
        assert_int_equal(http_byte_is((char)c, HTTP_BYTE_TARGET), is_visible && !is_one_of(c, "\"#<>\\"));
        assert_int_equal(http_byte_is((char)c, HTTP_BYTE_VALUE), is_visible || c == ' ' || c == '\t' || c >= 0x80);
        assert_int_equal(http_byte_is((char)c, HTTP_BYTE_HOST), is_alnum || is_one_of(c, "-._~%!$&'()*+,;=:[]"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_verdict_however_it_is_cut),
        cmocka_unit_test(a_request_cut_short_is_never_complete),
        cmocka_unit_test(the_head_tells_its_parts),
        cmocka_unit_test(an_empty_query_differs_from_none),
        cmocka_unit_test(close_wins_over_keep_alive),
        cmocka_unit_test(an_http_1_0_client_expects_nothing),
        cmocka_unit_test(a_body_is_framed_whatever_the_method),
        cmocka_unit_test(the_bytes_after_a_request_are_not_its_own),
        cmocka_unit_test(ceilings_are_exact),
        cmocka_unit_test(many_fields_and_trailers_are_refused),
        cmocka_unit_test(the_sum_of_chunk_extensions_is_limited),
        cmocka_unit_test(a_smaller_limit_of_fields_holds),
        cmocka_unit_test(the_byte_table_is_that_of_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
