// SPDX-License-Identifier: MIT
/* TLS on a non-blocking descriptor; tls.c is the only file that includes OpenSSL. Handshakes happen inside the first
 * tls_recv or tls_send. Source: OpenSSL manual, SSL_read_ex(3), SSL_CTX_set_mode(3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "server/transport.h"

struct tls_context; /* certificate and key; shared by its connections */
struct tls;         /* one connection */

/* TLS 1.2 and later, ALPN http/1.1. NULL with NOT_READY when a file cannot be read or key and certificate do not match.
 */
MUST_CHECK struct tls_context *tls_context_new(const char *cert_path, const char *key_path, struct err *reterr);
void tls_context_free(struct tls_context *context); /* NULL is fine; connections keep what they use */

/* The server's side of a connection on fd, which stays the caller's. NULL: out of memory or a broken context. */
MUST_CHECK struct tls *tls_new(const struct tls_context *context, int fd);
void tls_free(struct tls *t); /* NULL is fine */

/* As transport_recv and transport_send. */
enum transport_result tls_recv(struct tls *t, void *p, size_t n, size_t *ret_n);
enum transport_result tls_send(struct tls *t, const void *p, size_t n, size_t *ret_n);
/* Says that nothing more will be sent; best effort. */
void tls_finish(struct tls *t);
