// SPDX-License-Identifier: MIT
/* An HTTP/1.1 server for tests, on the loop under test and on a free port of 127.0.0.1: it hands each complete request
 * to the test, which answers with raw bytes, in pieces, late, or not at all. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "core/io/loop.h"
#include "unit/cmocka_all.h"

struct canned_server;

struct canned_conn {
    struct canned_server *server;
    int fd;
    struct loop_fd *watch;
    struct buf in;
    int requests_n;
    LIST_ENTRY(canned_conn) link;
};

/* head: request line and fields, as sent; body: as long as Content-Length says. */
typedef void canned_on_request(void *arg, struct canned_conn *conn, struct str head, struct str body);

struct canned_server {
    struct loop *loop;
    int fd;
    struct loop_fd *watch;
    char url[64];
    int conns_n; /* ever accepted */
    canned_on_request *on_request;
    void *arg;
    LIST_HEAD(, canned_conn) conns;
};

static inline void canned_close(struct canned_conn *conn)
{
    LIST_REMOVE(conn, link);
    loop_fd_free(conn->watch);
    close(conn->fd);
    buf_fini(&conn->in);
    loop_defer_free(conn->server->loop, conn, free);
}

static inline void canned_send(struct canned_conn *conn, struct str bytes)
{
    size_t sent = 0;
    while (sent < bytes.n) {
        ssize_t n = send(conn->fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            continue; /* the reader is this very thread: answers must fit into the socket's buffer */
        if (n < 0)
            return;
        sent += (size_t)n;
    }
}

static inline void canned_answer(struct canned_conn *conn, int status, struct str body)
{
    struct buf out;
    buf_init(&out, 1 << 24);
    buf_addf(&out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status, body.n);
    buf_add_str(&out, body);
    canned_send(conn, buf_str(&out));
    buf_fini(&out);
}

/* A head that announces chunks, then one chunk per call, then the last one. */
static inline void canned_stream(struct canned_conn *conn)
{
    canned_send(conn, STR("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

static inline void canned_chunk(struct canned_conn *conn, struct str bytes)
{
    struct buf out;
    buf_init(&out, 1 << 24);
    buf_addf(&out, "%zx\r\n", bytes.n);
    buf_add_str(&out, bytes);
    buf_add_text(&out, "\r\n");
    canned_send(conn, buf_str(&out));
    buf_fini(&out);
}

static inline size_t canned_body_length(struct str head)
{
    struct str key = STR("Content-Length: ");
    size_t at = str_find_str(head, key);
    uint64_t n = 0;
    if (at < head.n) {
        struct str rest = str_slice(head, at + key.n, head.n);
        if (!str_parse_u64(str_slice(rest, 0, str_find(rest, '\r', 0)), 1 << 24, &n))
            n = 0;
    }
    return (size_t)n;
}

static inline void canned_on_conn(void *arg, int events)
{
    struct canned_conn *conn = arg;
    char chunk[16384];
    ssize_t n = recv(conn->fd, chunk, sizeof chunk, MSG_DONTWAIT);
    (void)events;
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            canned_close(conn);
        return;
    }
    buf_add(&conn->in, chunk, (size_t)n);
    struct str in = buf_str(&conn->in);
    size_t end = str_find_str(in, STR("\r\n\r\n"));
    if (end == in.n)
        return;
    struct str head = str_slice(in, 0, end + 2);
    size_t body_n = canned_body_length(head);
    if (in.n < end + 4 + body_n)
        return;
    struct buf request = conn->in; /* the test may close the connection */
    buf_init(&conn->in, 1 << 24);
    conn->requests_n++;
    conn->server->on_request(conn->server->arg, conn, head, str_slice(in, end + 4, end + 4 + body_n));
    buf_fini(&request);
}

static inline void canned_on_accept(void *arg, int events)
{
    struct canned_server *s = arg;
    struct canned_conn *conn = xcalloc(1, sizeof *conn);
    (void)events;
    conn->server = s;
    conn->fd = accept(s->fd, NULL, NULL);
    assert_true(conn->fd >= 0);
    s->conns_n++;
    buf_init(&conn->in, 1 << 24);
    conn->watch = loop_fd_new(s->loop, conn->fd, canned_on_conn, conn);
    loop_fd_want(conn->watch, LOOP_READ);
    LIST_INSERT_HEAD(&s->conns, conn, link);
}

static inline void canned_init(struct canned_server *s, struct loop *loop, canned_on_request *on_request, void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct buf url;
    *s = (struct canned_server){.loop = loop, .on_request = on_request, .arg = arg};
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &size), 0);
    buf_init(&url, sizeof s->url);
    buf_addf(&url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_true(str_copy(buf_str(&url), s->url, sizeof s->url));
    buf_fini(&url);
    s->watch = loop_fd_new(loop, s->fd, canned_on_accept, s);
    loop_fd_want(s->watch, LOOP_READ);
}

static inline void canned_fini(struct canned_server *s)
{
    while (!LIST_EMPTY(&s->conns))
        canned_close(LIST_FIRST(&s->conns));
    loop_fd_free(s->watch);
    close(s->fd);
}
