// SPDX-License-Identifier: MIT
/* Loopback requests: an http_conn between two buffers. */
#include "server/http_loopback.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "server/http_conn.h"

enum { CEILING_BYTES = 256 * 1024 * 1024 }; /* of a test's traffic */

struct http_loopback {
    struct http_shared *shared;
    struct buf in;
    struct buf out;
    struct http_conn *conn;
};

static void on_conn_end(void *arg, const struct http_conn *conn)
{
    struct http_loopback *lb = arg;
    if (lb->conn == conn)
        lb->conn = NULL;
}

struct http_loopback *http_loopback_new(struct loop *loop, const struct listener_config *config,
                                        const struct http_service *service)
{
    const struct listener_config defaults = {.limits = LISTENER_DEFAULTS};
    struct err err;
    struct http_shared *shared = http_shared_new(loop, config != NULL ? config : &defaults, service, &err);
    if (shared == NULL)
        return NULL;
    struct http_loopback *lb = xcalloc(1, sizeof *lb);
    lb->shared = shared;
    lb->shared->on_conn_end = on_conn_end;
    lb->shared->on_conn_end_arg = lb;
    buf_init(&lb->in, CEILING_BYTES);
    buf_init(&lb->out, CEILING_BYTES);
    return lb;
}

void http_loopback_free(struct http_loopback *lb)
{
    if (lb == NULL)
        return;
    http_shared_free(lb->shared);
    buf_fini(&lb->in);
    buf_fini(&lb->out);
    free(lb);
}

void http_loopback_send(struct http_loopback *lb, struct str bytes)
{
    static const struct peer_address here = {.is_local = true};
    buf_add_str(&lb->in, bytes);
    if (lb->conn == NULL) {
        struct transport transport = {.fd = -1, .source = &lb->in, .sink = &lb->out};
        lb->conn = conn_new(lb->shared, transport, &here);
    }
    conn_wake(lb->conn);
}

struct str http_loopback_output(const struct http_loopback *lb)
{
    return buf_str(&lb->out);
}

void http_loopback_clear(struct http_loopback *lb)
{
    buf_clear(&lb->out);
}

void http_loopback_leave(struct http_loopback *lb)
{
    if (lb->conn != NULL)
        conn_end(lb->conn);
    buf_clear(&lb->in);
}

bool http_loopback_is_open(const struct http_loopback *lb)
{
    return lb->conn != NULL;
}

void http_loopback_drain(struct http_loopback *lb)
{
    http_shared_drain(lb->shared, 0);
}
