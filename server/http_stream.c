// SPDX-License-Identifier: MIT
/* Answers without end. A piece is framed and queued; the writing itself happens in slices for all streams of a listener
 * (http_shared.c), so that one event for 10,000 readers does not hold the loop. A reader too slow is cut. */
#include <string.h>
#include <sys/socket.h>

#include "core/base/log.h"
#include "server/http_conn.h"

struct http_stream *http_stream_start(struct http_exchange *x, int status, const char *content_type)
{
    struct http_conn *c = x->conn;
    struct http_stream *s = &c->stream;
    struct hold hold = x->hold;
    x->hold = (struct hold){0};
    if (hold.on_gone != NULL)
        hold.on_gone(hold.arg); /* an answer without end is none that could be seen */
    memset(s, 0, sizeof *s);
    s->conn = c;
    s->is_head_only = x->head.method == HTTP_HEAD;
    s->is_chunked = x->head.minor == 1;
    s->keeps_alive = answer_begin(x, status, content_type, s->is_chunked ? LENGTH_CHUNKED : LENGTH_UNTIL_CLOSE, 0);
    x->answered = ANSWER_STREAM;
    c->out.ceiling_bytes = HTTP_ANSWER_CEILING_BYTES;
    if (c->transport.fd >= 0) {
        /* The kernel's buffer is memory per reader as well, and hides a slow one. Failing is harmless. */
        int bytes = HTTP_SNDBUF_BYTES;
        (void)setsockopt(c->transport.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    conn_set_state(c, CONN_STREAM);
    conn_wake(c);
    return s;
}

static bool cut(struct http_conn *c)
{
    c->shared->streams_cut_n++;
    conn_doom(c);
    return false;
}

bool http_stream_send(struct http_stream *s, struct str bytes)
{
    struct http_conn *c = s->conn;
    const struct listener_limits *limits = &c->shared->limits;
    if (c->is_doomed)
        return false;
    if (bytes.n == 0 || s->is_head_only)
        return true;
    if (conn_unsent_bytes(c) + bytes.n > limits->stream_unsent_bytes)
        return cut(c);
    if (s->is_chunked)
        buf_addf(&c->out, "%zx\r\n", bytes.n);
    buf_add_str(&c->out, bytes);
    if (s->is_chunked)
        buf_add(&c->out, "\r\n", 2);
    http_shared_queue_flush(c->shared, c);
    return true;
}

void http_stream_end(struct http_stream *s)
{
    struct http_conn *c = s->conn;
    s->on_close = NULL;
    s->on_drain = NULL;
    if (s->is_chunked && !s->is_head_only)
        buf_add_text(&c->out, "0\r\n\r\n");
    conn_set_state(c, s->keeps_alive && !c->shared->is_draining ? CONN_HEAD : CONN_CLOSING);
    conn_wake(c);
}

void http_stream_cut(struct http_stream *s)
{
    s->on_close = NULL;
    s->on_drain = NULL;
    (void)cut(s->conn);
}

void http_stream_on_close(struct http_stream *s, void (*on_close)(void *arg), void *arg)
{
    s->on_close = on_close;
    s->on_close_arg = arg;
}
