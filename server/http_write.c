// SPDX-License-Identifier: MIT
/* Sending what a connection has queued: its own bytes, then static ones. Progress is watched, not speed: a peer that
 * takes nothing for write_ms is given up. */
#include "server/http_conn.h"

enum { COMPACT_BYTES = 64 * 1024 }; /* sent bytes kept in front at most, unless they are the smaller half */

size_t conn_unsent_bytes(const struct http_conn *c)
{
    return c->out.n - c->out_at + c->tail.n;
}

static void take_off(struct http_conn *c, size_t sent)
{
    if (c->out_at == c->out.n) {
        c->tail = str_slice(c->tail, sent, c->tail.n);
        return;
    }
    c->out_at += sent;
    if (c->out_at > COMPACT_BYTES && c->out_at > c->out.n / 2) {
        buf_drop(&c->out, c->out_at);
        c->out_at = 0;
    }
}

/* False: nothing more can be sent for the time being. */
static bool send_once(struct http_conn *c, bool *is_moving)
{
    bool is_own = c->out_at < c->out.n;
    struct str next = is_own ? str_slice(buf_str(&c->out), c->out_at, c->out.n) : c->tail;
    size_t sent = 0;
    enum transport_result result = transport_send(&c->transport, next.p, next.n, is_own && c->tail.n > 0, &sent);
    c->send_wants = result == TRANSPORT_WANT_READ ? LOOP_READ : LOOP_WRITE;
    if (result == TRANSPORT_END || result == TRANSPORT_BROKEN)
        conn_doom(c);
    if (result != TRANSPORT_OK)
        return false;
    take_off(c, sent);
    *is_moving = true;
    return true;
}

bool conn_flush(struct http_conn *c)
{
    bool is_moving = false;
    while (conn_unsent_bytes(c) > 0 && send_once(c, &is_moving))
        ;
    if (c->is_doomed)
        return false;
    if (conn_unsent_bytes(c) > 0) {
        if (is_moving || c->write_at_ms == 0)
            c->write_at_ms = loop_now_ms(c->shared->loop) + c->shared->limits.write_ms;
        return false;
    }
    c->write_at_ms = 0;
    c->out_at = 0;
    if (c->state == CONN_STREAM)
        buf_fini(&c->out); /* an idle stream holds no buffer */
    else
        buf_clear(&c->out);
    return true;
}
