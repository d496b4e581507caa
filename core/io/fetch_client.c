// SPDX-License-Identifier: MIT
/* The peer of requests: its address, trust and identity, and the curl options that follow from them. Transfers and
 * their callbacks are fetch.c's. */
#include "core/io/fetch_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"

enum { TOKEN_CEILING_BYTES = 1 << 14, URL_CEILING_BYTES = 1 << 14 };

static void add_header(struct curl_slist **headers, const char *name, struct str value)
{
    struct buf line;
    buf_init(&line, TOKEN_CEILING_BYTES + 64);
    buf_addf(&line, "%s: ", name);
    buf_add_str(&line, value);
    *headers = curl_slist_append(*headers, buf_text(&line));
    explicit_bzero(line.p, line.n);
    buf_fini(&line);
}

static void set_headers(CURL *easy, const struct fetch_client *c, const struct fetch_request *req,
                        struct curl_slist **headers)
{
    struct buf bearer;
    add_header(headers, "Accept", str_from(req->accept != NULL ? req->accept : "application/json"));
    *headers = curl_slist_append(*headers, "Expect:"); /* no 100-continue round trip */
    if (!str_is_none(req->body))
        add_header(headers, "Content-Type",
                   str_from(req->content_type != NULL ? req->content_type : "application/json"));
    if (!secret_is_none(&c->token)) {
        buf_init(&bearer, TOKEN_CEILING_BYTES + 8);
        buf_add_text(&bearer, "Bearer ");
        buf_add_str(&bearer, secret_reveal(&c->token));
        add_header(headers, "Authorization", buf_str(&bearer));
        explicit_bzero(bearer.p, bearer.n);
        buf_fini(&bearer);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
}

static void set_blob(CURL *easy, CURLoption option, const struct secret *bytes)
{
    struct str s = secret_reveal(bytes);
    struct curl_blob blob = {(void *)(uintptr_t)s.p, s.n, CURL_BLOB_NOCOPY}; /* the client outlives its calls */

    if (s.n > 0)
        (void)curl_easy_setopt(easy, option, &blob);
}

static void set_tls(CURL *easy, const struct fetch_client *c)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, c->is_unverified ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, c->is_unverified ? 0L : 2L);
    if (!secret_is_none(&c->ca)) {
        curl_easy_setopt(easy, CURLOPT_CAINFO,
                         NULL); /* this CA and no other: the defaults would be trusted beside it */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        set_blob(easy, CURLOPT_CAINFO_BLOB, &c->ca);
    }
    set_blob(easy, CURLOPT_SSLCERT_BLOB, &c->cert);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, &c->key);
}

static void set_method(CURL *easy, const char *method, struct str body)
{
    if (body.n > 0 || strcmp(method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.n > 0 ? body.p : "");
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* A peer that vanished without a word (a node lost, a firewall's table flushed) would hold every stream of its HTTP/2
 * connection until their deadlines, and the next ones too: the kernel gives the connection up long before. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    static const unsigned unacknowledged_ms = 20000;
    (void)arg;
    (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
    return CURL_SOCKOPT_OK;
}

CURLcode fetch_client_prepare(const struct fetch_client *c, const struct fetch_request *req, struct str body,
                              CURL *easy, struct curl_slist **ret_headers)
{
    struct buf url;
    CURLcode code;
    buf_init(&url, URL_CEILING_BYTES);
    buf_addf(&url, "%s%s", c->base_url, req->path);
    code = url.is_over ? CURLE_URL_MALFORMAT : curl_easy_setopt(easy, CURLOPT_URL, buf_text(&url));
    buf_fini(&url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel must not wait for the resolver's thread */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* wait for a connection to multiplex on, do not open one per call */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "fullstackd/" FULLSTACKD_VERSION);
    set_tls(easy, c);
    set_method(easy, req->method, body);
    set_headers(easy, c, req, ret_headers);
    return code;
}

static bool is_good_base(const char *url, struct err *reterr)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *query = NULL;
    char *user = NULL;
    bool is_good = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0) &&
                   curl_url_get(u, CURLUPART_QUERY, &query, 0) != CURLUE_OK &&
                   curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_OK;

    curl_free(scheme);
    curl_free(host);
    curl_free(query);
    curl_free(user);
    curl_url_cleanup(u);
    return is_good || err_set(reterr, ERR_INVALID, __func__, "not an http or https URL: %s", url);
}

struct fetch_client *fetch_client_new(struct fetch *f, const struct fetch_peer *peer, struct err *reterr)
{
    struct fetch_client *c;
    size_t n;
    if (!is_good_base(peer->base_url, reterr))
        return NULL;
    c = xcalloc(1, sizeof *c);
    c->f = f;
    c->base_url = xstrdup(peer->base_url);
    for (n = strlen(c->base_url); n > 0 && c->base_url[n - 1] == '/'; n--)
        c->base_url[n - 1] = '\0'; /* paths bring their own slash */
    c->ca = secret_new(peer->ca_pem);
    c->cert = secret_new(peer->cert_pem);
    c->key = peer->key_pem != NULL ? secret_dup(peer->key_pem) : SECRET_NONE;
    c->is_unverified = peer->is_unverified;
    return c;
}

void fetch_client_fini(struct fetch_client *c)
{
    secret_fini(&c->ca);
    secret_fini(&c->cert);
    secret_fini(&c->key);
    secret_fini(&c->token);
    free(c->base_url);
}

void fetch_client_set_token(struct fetch_client *c, const struct secret *token)
{
    struct secret copy = token != NULL ? secret_dup(token) : SECRET_NONE;
    secret_fini(&c->token);
    c->token = copy;
}
