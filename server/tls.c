// SPDX-License-Identifier: MIT
/* The owner of OpenSSL. Two modes matter: partial writes with a moving buffer, because unsent bytes live in a growing
 * buf, and released buffers, because most connections are idle (34 KB each otherwise). */
#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "core/base/xmem.h"

struct tls_context {
    SSL_CTX *ssl;
};

struct tls {
    SSL *ssl;
};

static struct tls_context *fail(SSL_CTX *ssl, struct err *reterr, const char *what)
{
    char text[160];
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
    ERR_clear_error();
    SSL_CTX_free(ssl);
    err_set(reterr, ERR_NOT_READY, __func__, "TLS: %s: %s", what, text);
    return NULL;
}

/* http/1.1 or no protocol at all: a client that offers only h2 would read our answers as frames. */
static int on_alpn(SSL *ssl, const unsigned char **ret_out, unsigned char *ret_n, const unsigned char *in,
                   unsigned int n, void *arg)
{
    static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char *out = NULL;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&out, ret_n, ours, sizeof ours, in, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_out = out;
    return SSL_TLSEXT_ERR_OK;
}

struct tls_context *tls_context_new(const char *cert_path, const char *key_path, struct err *reterr)
{
    ERR_clear_error();
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    if (ssl == NULL || SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1)
        return fail(ssl, reterr, "cannot be set up");
    SSL_CTX_set_mode(ssl,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets do the same without memory of ours */
    SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_path) != 1)
        return fail(ssl, reterr, "the certificate cannot be used");
    if (SSL_CTX_use_PrivateKey_file(ssl, key_path, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ssl) != 1)
        return fail(ssl, reterr, "the key cannot be used with the certificate");
    struct tls_context *context = xcalloc(1, sizeof *context);
    context->ssl = ssl;
    return context;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl); /* counted: each SSL holds one */
    free(context);
}

struct tls *tls_new(const struct tls_context *context, int fd)
{
    SSL *ssl = SSL_new(context->ssl);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    struct tls *t = xcalloc(1, sizeof *t);
    t->ssl = ssl;
    return t;
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    free(t);
}

/* What a failed call means. OpenSSL keeps errors per thread, so the queue is emptied before and after each call. */
static enum transport_result result_of(struct tls *t, int outcome)
{
    int reason = SSL_get_error(t->ssl, outcome);
    ERR_clear_error();
    if (reason == SSL_ERROR_WANT_READ)
        return TRANSPORT_WANT_READ;
    if (reason == SSL_ERROR_WANT_WRITE)
        return TRANSPORT_WANT_WRITE;
    return reason == SSL_ERROR_ZERO_RETURN ? TRANSPORT_END : TRANSPORT_BROKEN;
}

enum transport_result tls_recv(struct tls *t, void *p, size_t n, size_t *ret_n)
{
    ERR_clear_error();
    int outcome = SSL_read_ex(t->ssl, p, n, ret_n);
    return outcome == 1 ? TRANSPORT_OK : result_of(t, outcome);
}

enum transport_result tls_send(struct tls *t, const void *p, size_t n, size_t *ret_n)
{
    ERR_clear_error();
    int outcome = SSL_write_ex(t->ssl, p, n, ret_n);
    return outcome == 1 ? TRANSPORT_OK : result_of(t, outcome);
}

void tls_finish(struct tls *t)
{
    ERR_clear_error();
    if (SSL_is_init_finished(t->ssl))
        (void)SSL_shutdown(t->ssl); /* the peer's own farewell is not waited for */
    ERR_clear_error();
}
