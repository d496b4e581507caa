// SPDX-License-Identifier: MIT
/* A whole connection on any bytes, through the loopback: the answers are the same however the bytes are cut, there are
 * never more of them than requests were handed to the service or refused, and nothing follows a refusal. The first byte
 * chooses the cut, the second how the service behaves. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/io/loop.h"
#include "server/http_loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_CEILING_BYTES = 1000, PIECES_MAX = 400 };

struct service {
    struct loop *loop;
    uint8_t manner;
    unsigned heads_n;
    unsigned answers_n;
};

static void on_head(void *arg, struct http_exchange *x)
{
    struct service *s = arg;
    s->heads_n++;
    http_accept_body(x, BODY_CEILING_BYTES);
}

static void on_request(void *arg, struct http_exchange *x)
{
    struct service *s = arg;
    s->answers_n++;
    assert(http_body(x).n <= BODY_CEILING_BYTES);
    if ((s->manner & 1) != 0 && s->answers_n % 3 == 0) {
        struct http_stream *stream = http_stream_start(x, 200, "text/plain");
        (void)http_stream_send(stream, http_path(x));
        http_stream_end(stream);
        return;
    }
    http_answer(x, 200, "text/plain", http_body(x));
}

static void on_fence(void *arg)
{
    *(bool *)arg = true;
}

/* A millisecond passes: all that can be done is done. */
static void settle(struct loop *loop)
{
    struct loop_timer fence;
    bool is_over = false;
    loop_timer_init(&fence, loop, on_fence, &is_over);
    loop_timer_set(&fence, 1);
    while (!is_over)
        loop_turn(loop);
}

static void run(struct str bytes, size_t step, uint8_t manner, struct buf *out)
{
    struct service s = {.manner = manner};
    const struct http_service service = {on_head, on_request, &s};
    /* Bare: request ids and dates would differ from run to run. */
    const struct listener_config config = {.is_bare = true, .limits = LISTENER_DEFAULTS};
    s.loop = loop_new_simulated(0);
    struct http_loopback *lb = http_loopback_new(s.loop, &config, &service);
    for (size_t at = 0; at < bytes.n && (at == 0 || http_loopback_is_open(lb)); at += step) {
        http_loopback_send(lb, str_slice(bytes, at, step < bytes.n - at ? at + step : bytes.n));
        settle(s.loop);
    }
    buf_add_str(out, http_loopback_output(lb));
    buf_addf(out, "\n%u %u %d\n", s.heads_n, s.answers_n, http_loopback_is_open(lb));
    http_loopback_free(lb);
    loop_free(s.loop);
}

/* Problem bodies tell the request's id and the time. */
static void blank_out(struct buf *out, const char *key)
{
    struct str rest = buf_str(out);
    size_t base = 0;
    for (size_t at = str_find_str(rest, str_from(key)); at < rest.n; at = str_find_str(rest, str_from(key))) {
        size_t from = base + at + str_from(key).n;
        for (size_t i = from; i < out->n && out->p[i] != '"'; i++)
            out->p[i] = '.';
        base = from;
        rest = str_slice(buf_str(out), base, out->n);
    }
}

/* Whether a client is told to continue depends on whether its body is there already. */
static void take_out_continues(struct buf *out)
{
    struct str mark = STR("HTTP/1.1 100 Continue\r\n\r\n");
    for (size_t at = str_find_str(buf_str(out), mark); at < out->n; at = str_find_str(buf_str(out), mark)) {
        memmove(out->p + at, out->p + at + mark.n, out->n - at - mark.n);
        out->n -= mark.n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    if (size < 2)
        return 0;
    struct str bytes = {(const char *)data + 2, size - 2};
    size_t step = data[0] % 61 + 1;
    if (bytes.n / step > PIECES_MAX)
        step = bytes.n / PIECES_MAX + 1;
    bool is_ready = codec_init(&err);
    assert(is_ready);
    log_set_level(LOG_LEVEL_ERROR);
    struct buf whole;
    struct buf cut;
    buf_init(&whole, SIZE_MAX / 2);
    buf_init(&cut, SIZE_MAX / 2);
    run(bytes, bytes.n > 0 ? bytes.n : 1, data[1], &whole);
    run(bytes, step, data[1], &cut);
    take_out_continues(&whole);
    take_out_continues(&cut);
    const char *const changing[] = {"\"requestId\":\"", "\"timestamp\":\""};
    for (size_t i = 0; i < sizeof changing / sizeof *changing; i++) {
        blank_out(&whole, changing[i]);
        blank_out(&cut, changing[i]);
    }
    assert(str_eq(buf_str(&whole), buf_str(&cut)));
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
