// SPDX-License-Identifier: MIT
/* Plain sockets and memory; TLS is passed on to tls.c. */
#include "server/transport.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "server/tls.h"

static enum transport_result result_of_errno(enum transport_result again)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return again;
    return TRANSPORT_BROKEN;
}

static enum transport_result recv_memory(struct buf *source, void *p, size_t n, size_t *ret_n)
{
    *ret_n = n < source->n ? n : source->n;
    if (*ret_n == 0)
        return TRANSPORT_WANT_READ;
    memcpy(p, source->p, *ret_n);
    buf_drop(source, *ret_n);
    return TRANSPORT_OK;
}

/* A full sink is a reader that takes nothing. */
static enum transport_result send_memory(struct buf *sink, const void *p, size_t n, size_t *ret_n)
{
    size_t room = sink->ceiling_bytes - sink->n;
    *ret_n = n < room ? n : room;
    buf_add(sink, p, *ret_n);
    return *ret_n > 0 ? TRANSPORT_OK : TRANSPORT_WANT_WRITE;
}

enum transport_result transport_recv(struct transport *t, void *p, size_t n, size_t *ret_n)
{
    *ret_n = 0;
    if (t->fd < 0)
        return recv_memory(t->source, p, n, ret_n);
    if (t->tls != NULL)
        return tls_recv(t->tls, p, n, ret_n);
    ssize_t got = recv(t->fd, p, n, 0);
    if (got < 0)
        return result_of_errno(TRANSPORT_WANT_READ);
    *ret_n = (size_t)got;
    return got == 0 ? TRANSPORT_END : TRANSPORT_OK;
}

enum transport_result transport_send(struct transport *t, const void *p, size_t n, bool is_more, size_t *ret_n)
{
    *ret_n = 0;
    if (t->fd < 0)
        return send_memory(t->sink, p, n, ret_n);
    if (t->tls != NULL)
        return tls_send(t->tls, p, n, ret_n);
    ssize_t sent = send(t->fd, p, n, MSG_NOSIGNAL | (is_more ? MSG_MORE : 0));
    if (sent < 0)
        return result_of_errno(TRANSPORT_WANT_WRITE);
    *ret_n = (size_t)sent;
    return TRANSPORT_OK;
}

void transport_finish(struct transport *t)
{
    if (t->fd < 0)
        return;
    if (t->tls != NULL)
        tls_finish(t->tls);
    (void)shutdown(t->fd, SHUT_WR); /* fails when the peer is gone already, which is as good */
}

void transport_close(struct transport *t)
{
    tls_free(t->tls);
    t->tls = NULL;
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
}
