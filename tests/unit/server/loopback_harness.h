// SPDX-License-Identifier: MIT
/* A service behind a loopback connection on a simulated loop: what tests of the HTTP layer share. */
#pragma once

#include "core/base/codec.h"
#include "core/io/loop.h"
#include "server/http.h"
#include "server/http_loopback.h"
#include "unit/cmocka_all.h"

/* 2025-10-11T10:00:00.000Z, a Saturday. */
#define HARNESS_WALL_MS 1760176800000

struct harness {
    struct loop *loop;
    struct http_loopback *lb;
    struct http_exchange *held; /* a request nobody answered yet */
    struct http_stream *stream; /* the last one started */
    unsigned heads_n;
    unsigned requests_n;
    unsigned gone_n;
    unsigned closed_n;
    void (*on_head)(struct harness *h, struct http_exchange *x);
    void (*on_request)(struct harness *h, struct http_exchange *x);
};

static inline void harness_on_head(void *arg, struct http_exchange *x)
{
    struct harness *h = arg;
    h->heads_n++;
    h->on_head(h, x);
}

static inline void harness_on_request(void *arg, struct http_exchange *x)
{
    struct harness *h = arg;
    h->requests_n++;
    h->on_request(h, x);
}

static inline void harness_accept(struct harness *h, struct http_exchange *x)
{
    (void)h;
    http_accept_body(x, 1024 * 1024);
}

static inline void harness_on_gone(void *arg)
{
    struct harness *h = arg;
    h->gone_n++;
    h->held = NULL;
}

static inline void harness_on_close(void *arg)
{
    struct harness *h = arg;
    h->closed_n++;
    h->stream = NULL;
}

static inline void harness_hold(struct harness *h, struct http_exchange *x)
{
    h->held = x;
    http_on_gone(x, harness_on_gone, h);
}

static inline void harness_on_fence(void *arg)
{
    *(bool *)arg = true;
}

/* Lets that much time pass. */
static inline void harness_advance(struct harness *h, ms_t length_ms)
{
    struct loop_timer fence;
    bool is_over = false;
    loop_timer_init(&fence, h->loop, harness_on_fence, &is_over);
    loop_timer_set(&fence, length_ms);
    while (!is_over)
        loop_turn(h->loop);
}

/* The client sends, and everything that can be done at once is done. */
static inline void harness_send(struct harness *h, struct str bytes)
{
    http_loopback_send(h->lb, bytes);
    harness_advance(h, 1);
}

static inline struct harness *harness_new(const struct listener_config *config)
{
    struct harness *h = calloc(1, sizeof *h);
    struct http_service service = {harness_on_head, harness_on_request, h};
    struct err err;
    assert_true(codec_init(&err));
    h->loop = loop_new_simulated(HARNESS_WALL_MS);
    h->lb = http_loopback_new(h->loop, config, &service);
    h->on_head = harness_accept;
    assert_non_null(h->lb);
    return h;
}

static inline void harness_free(struct harness *h)
{
    http_loopback_free(h->lb);
    loop_free(h->loop);
    free(h);
}

static inline bool harness_has(const struct harness *h, const char *text)
{
    struct str out = http_loopback_output(h->lb);
    return str_find_str(out, str_from(text)) < out.n;
}

/* How often `text` was answered. */
static inline unsigned harness_count(const struct harness *h, const char *text)
{
    struct str rest = http_loopback_output(h->lb);
    unsigned n = 0;
    for (size_t at = str_find_str(rest, str_from(text)); at < rest.n; at = str_find_str(rest, str_from(text))) {
        n++;
        rest = str_slice(rest, at + 1, rest.n);
    }
    return n;
}
