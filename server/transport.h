// SPDX-License-Identifier: MIT
/* How a connection's bytes travel: a plain socket, TLS on a socket, or memory (tests, loopback requests). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls;
struct buf;

struct transport {
    int fd;             /* -1: memory */
    struct tls *tls;    /* NULL: plain */
    struct buf *source; /* memory: where received bytes come from; borrowed */
    struct buf *sink;   /* memory: where sent bytes go, up to its ceiling; borrowed */
};

enum transport_result {
    TRANSPORT_OK,
    TRANSPORT_WANT_READ,  /* again when the descriptor is readable */
    TRANSPORT_WANT_WRITE, /* again when the descriptor is writable */
    TRANSPORT_END,        /* the peer sends no more */
    TRANSPORT_BROKEN,
};

/* At most n bytes; *ret_n > 0 at OK. */
enum transport_result transport_recv(struct transport *t, void *p, size_t n, size_t *ret_n);
/* Some of n bytes; *ret_n > 0 at OK. is_more: others follow at once, so a packet need not go out yet. */
enum transport_result transport_send(struct transport *t, const void *p, size_t n, bool is_more, size_t *ret_n);
/* Half-close: the peer learns that nothing more comes. */
void transport_finish(struct transport *t);
void transport_close(struct transport *t);
