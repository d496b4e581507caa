// SPDX-License-Identifier: MIT
/* libcurl's multi interface on the loop. curl's own callbacks only store bytes and descriptors: user callbacks run from
 * deliver(), when no curl function is on the stack, so anything may be started or cancelled from within them.
 * There are two multi handles ("lanes"): streams have connections apart from those of the calls. */
#include "core/io/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/base/buf.h"
#include "core/base/fit.h"
#include "core/base/xmem.h"
#include "core/io/fetch_client.h"

enum lane_id { LANE_CALLS, LANE_STREAMS, LANE_N };

enum {
    CALL_CONNECTIONS_N = 4,    /* per host; an HTTP/2 peer needs one, an HTTP/1.1 peer (devcluster) has this many */
    STREAM_CONNECTIONS_N = 32, /* per host; more than a client's watches, which an HTTP/1.1 peer needs one each for */
    STREAMS_PER_CONNECTION_N = 250,       /* what Go's HTTP/2 server allows */
    STREAM_CHUNK_CEILING_BYTES = 1 << 26, /* of bytes that come in one turn of the loop */
    STREAM_KEEP_BYTES = 1 << 16,          /* a stream's buffer that grew over this is given back */
    ERROR_BODY_CEILING_BYTES = 1 << 18,   /* of an answer to a stream that is not 2xx */
};

struct lane {
    struct fetch *f;
    CURLM *multi;
    struct loop_timer timer;
};

struct sock {
    struct lane *lane;
    curl_socket_t fd;
    struct loop_fd *watch;
    LIST_ENTRY(sock) link;
};

enum call_at { CALL_RUNNING, CALL_ENDED, CALL_SPENT };

struct call {
    struct op op;
    enum call_at at;
    struct fetch_client *client;
    struct lane *lane;
    CURL *easy;
    struct curl_slist *headers;
    struct secret body;
    struct buf in;
    size_t ceiling_bytes;
    struct loop_timer deadline;
    struct loop_timer idle;
    ms_t idle_ms;
    fetch_on_bytes *on_bytes;
    fetch_on_done *on_done;
    void *arg;
    bool is_queued; /* stands in fetch.ready */
    struct err failure;
    TAILQ_ENTRY(call) link;
    TAILQ_ENTRY(call) ready_link;
};
TAILQ_HEAD(calls, call);

struct fetch {
    struct loop *loop;
    struct lane lanes[LANE_N];
    LIST_HEAD(, sock) socks;
    struct calls calls;
    struct calls ready; /* calls with bytes or an end to deliver */
    struct loop_task deliver_task;
};

/* ---- errors ---- */

static const struct {
    CURLcode code;
    enum err_kind kind;
    const char *reason;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST,     ERR_UPSTREAM, "resolve"},
    {CURLE_COULDNT_CONNECT,          ERR_UPSTREAM, "connect"},
    {CURLE_OPERATION_TIMEDOUT,       ERR_TIMEOUT,  "timeout"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_UPSTREAM, "tls"    },
    {CURLE_SSL_CONNECT_ERROR,        ERR_UPSTREAM, "tls"    },
    {CURLE_SSL_CERTPROBLEM,          ERR_UPSTREAM, "tls"    },
    {CURLE_SSL_CACERT_BADFILE,       ERR_UPSTREAM, "tls"    },
    {CURLE_SSL_CIPHER,               ERR_UPSTREAM, "tls"    },
    {CURLE_URL_MALFORMAT,            ERR_INVALID,  "url"    },
    {CURLE_UNSUPPORTED_PROTOCOL,     ERR_INVALID,  "url"    },
    {CURLE_OUT_OF_MEMORY,            ERR_BUG,      "memory" },
};

static void failure_from_curl(struct call *call, CURLcode code)
{
    enum err_kind kind = ERR_UPSTREAM;
    const char *reason = "broken";
    for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
        if (failures[i].code == code) {
            kind = failures[i].kind;
            reason = failures[i].reason;
        }
    }
    if (call->in.is_over) {
        kind = ERR_TOO_LARGE;
        reason = "ceiling";
    }
    err_set(&call->failure, kind, __func__, "%s: %s", call->client->base_url,
            call->in.is_over ? "the answer is larger than allowed" : curl_easy_strerror(code));
    call->failure.code = (int)code;
    text_fit(call->failure.reason, sizeof call->failure.reason, str_from(reason));
}

/* ---- the end of a call ---- */

static void call_free(void *arg)
{
    struct call *call = arg;
    if (call->easy != NULL)
        curl_easy_cleanup(call->easy);
    for (struct curl_slist *h = call->headers; h != NULL; h = h->next)
        explicit_bzero(h->data, strlen(h->data)); /* one of them is the token */
    curl_slist_free_all(call->headers);
    if (call->in.p != NULL)
        explicit_bzero(call->in.p, call->in.cap); /* it may have been a Secret */
    buf_fini(&call->in);
    secret_fini(&call->body);
    free(call);
}

static void call_leave_curl(struct call *call)
{
    loop_timer_clear(&call->deadline);
    loop_timer_clear(&call->idle);
    if (call->easy != NULL)
        (void)curl_multi_remove_handle(call->lane->multi, call->easy);
}

static void call_queue(struct call *call)
{
    if (call->is_queued)
        return;
    call->is_queued = true;
    TAILQ_INSERT_TAIL(&call->client->f->ready, call, ready_link);
}

/* Reached by: curl's end of transfer, the deadline, the idle timer, a failed start. The callback comes from deliver().
 */
static void call_end(struct call *call)
{
    if (call->at != CALL_RUNNING)
        return;
    call->at = CALL_ENDED;
    call_leave_curl(call);
    call_queue(call);
}

/* Reached by: op_cancel, deliver() after the callback, the end of the client or of everything. */
static void call_spend(struct call *call)
{
    struct fetch *f = call->client->f;
    call_leave_curl(call);
    call->at = CALL_SPENT;
    if (call->is_queued)
        TAILQ_REMOVE(&f->ready, call, ready_link);
    call->is_queued = false;
    TAILQ_REMOVE(&f->calls, call, link);
    loop_defer_free(f->loop, call, call_free);
}

static void call_cancel(struct op *op)
{
    struct call *call = (struct call *)op;
    if (call->at != CALL_SPENT)
        call_spend(call);
}

static long call_status(const struct call *call)
{
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool call_is_streaming(const struct call *call)
{
    long status = call_status(call);
    return call->on_bytes != NULL && status >= 200 && status < 300;
}

/* ---- delivery: the only place from which user callbacks run ---- */

static void deliver_bytes(struct call *call)
{
    if (call->in.n == 0 || call->easy == NULL || !call_is_streaming(call))
        return;
    call->on_bytes(call->arg, buf_str(&call->in));
    if (call->in.cap > STREAM_KEEP_BYTES)
        buf_fini(&call->in);
    if (call->in.cap == 0)
        buf_init(&call->in, STREAM_CHUNK_CEILING_BYTES);
    else
        buf_clear(&call->in);
}

const char *fetch_answer_header(const struct fetch_answer *answer, const char *name)
{
    struct curl_header *field = NULL;
    if (answer->easy == NULL || curl_easy_header(answer->easy, name, 0, CURLH_HEADER, -1, &field) != CURLHE_OK)
        return "";
    return field->value;
}

static int64_t answer_date_ms(const struct fetch_answer *answer)
{
    time_t seconds = curl_getdate(fetch_answer_header(answer, "Date"), NULL);
    return seconds >= 0 ? (int64_t)seconds * 1000 : -1;
}

static void deliver_end(struct call *call)
{
    struct fetch_answer answer = {0};
    curl_off_t retry_after_s = 0;
    char *content_type = NULL;
    if (call->failure.kind == ERR_NONE) {
        (void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
        (void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &content_type);
        answer.status = (int)call_status(call);
        answer.retry_after_s = retry_after_s < 3600 ? (unsigned)retry_after_s : 3600;
        answer.content_type = content_type != NULL ? content_type : "";
        answer.easy = call->easy;
        answer.date_ms = answer_date_ms(&answer);
        answer.body = buf_str(&call->in);
        call->on_done(call->arg, &answer, NULL);
    } else {
        call->on_done(call->arg, NULL, &call->failure);
    }
}

static void deliver(void *arg)
{
    struct fetch *f = arg;
    struct call *call;
    while ((call = TAILQ_FIRST(&f->ready)) != NULL) {
        TAILQ_REMOVE(&f->ready, call, ready_link);
        call->is_queued = false;
        if (call->failure.kind == ERR_NONE)
            deliver_bytes(call);
        if (call->at != CALL_ENDED)
            continue;
        call_spend(call); /* first: the callback may not cancel what is spent */
        deliver_end(call);
    }
}

/* ---- curl's side ---- */

static void lane_drive(struct lane *lane, curl_socket_t fd, int events)
{
    struct fetch *f = lane->f;
    CURLMsg *msg;
    int running_n = 0;
    int left_n = 0;
    (void)curl_multi_socket_action(lane->multi, fd, events, &running_n);
    while ((msg = curl_multi_info_read(lane->multi, &left_n)) != NULL) {
        struct call *call = NULL;
        CURLcode code = msg->data.result; /* msg dies with the handle's removal */

        if (msg->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        if (code != CURLE_OK)
            failure_from_curl(call, code);
        call_end(call);
    }
    deliver(f);
}

static void on_lane_timer(void *arg)
{
    lane_drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_sock_ready(void *arg, int events)
{
    struct sock *sock = arg;
    int mask = 0;
    if (events & (LOOP_READ | LOOP_CLOSED))
        mask |= CURL_CSELECT_IN;
    if (events & LOOP_WRITE)
        mask |= CURL_CSELECT_OUT;
    lane_drive(sock->lane, sock->fd, mask);
}

static void sock_free(void *arg)
{
    free(arg);
}

static void sock_drop(struct sock *sock)
{
    loop_fd_free(sock->watch);
    LIST_REMOVE(sock, link);
    loop_defer_free(sock->lane->f->loop, sock, sock_free);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *lane_arg, void *sock_arg)
{
    struct lane *lane = lane_arg;
    struct sock *sock = sock_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (sock != NULL)
            sock_drop(sock);
        return 0;
    }
    if (sock == NULL) {
        sock = xcalloc(1, sizeof *sock);
        sock->lane = lane;
        sock->fd = fd;
        sock->watch = loop_fd_new(lane->f->loop, fd, on_sock_ready, sock);
        LIST_INSERT_HEAD(&lane->f->socks, sock, link);
        (void)curl_multi_assign(lane->multi, fd, sock);
    }
    loop_fd_want(sock->watch, ((what & CURL_POLL_IN) ? LOOP_READ : 0) | ((what & CURL_POLL_OUT) ? LOOP_WRITE : 0));
    return 0;
}

static int on_curl_timer(CURLM *multi, long delay_ms, void *arg)
{
    struct lane *lane = arg;
    (void)multi;
    if (delay_ms < 0)
        loop_timer_clear(&lane->timer);
    else
        loop_timer_set(&lane->timer, delay_ms);
    return 0;
}

static size_t on_curl_bytes(char *p, size_t size, size_t n, void *arg)
{
    struct call *call = arg;
    if (call->idle_ms > 0)
        loop_timer_set(&call->idle, call->idle_ms);
    if (call->in.n == 0 && call->on_bytes != NULL)
        call->in.ceiling_bytes = call_is_streaming(call) ? STREAM_CHUNK_CEILING_BYTES : ERROR_BODY_CEILING_BYTES;
    buf_add(&call->in, p, size * n);
    if (call->in.is_over)
        return 0;
    if (call->on_bytes != NULL)
        call_queue(call);
    return size * n;
}

/* ---- starting ---- */

static void on_deadline(void *arg)
{
    struct call *call = arg;
    struct fetch *f = call->client->f;
    err_set(&call->failure, ERR_TIMEOUT, __func__, "%s: no complete answer before the deadline",
            call->client->base_url);
    call_end(call);
    deliver(f);
}

static void on_idle(void *arg)
{
    struct call *call = arg;
    struct fetch *f = call->client->f;
    err_set(&call->failure, ERR_TIMEOUT, __func__, "%s: silent for %lld ms", call->client->base_url,
            (long long)call->idle_ms);
    call_end(call);
    deliver(f);
}

struct op *fetch_start(struct fetch_client *c, const struct fetch_request *req)
{
    struct fetch *f = c->f;
    struct call *call = xcalloc(1, sizeof *call);
    CURLcode code;
    call->op.cancel = call_cancel;
    call->client = c;
    call->lane = &f->lanes[req->on_bytes != NULL ? LANE_STREAMS : LANE_CALLS];
    call->on_bytes = req->on_bytes;
    call->on_done = req->on_done;
    call->arg = req->arg;
    call->idle_ms = req->idle_ms;
    call->body = secret_new(req->body);
    buf_init(&call->in, req->on_bytes != NULL ? STREAM_CHUNK_CEILING_BYTES : req->ceiling_bytes);
    loop_timer_init(&call->deadline, f->loop, on_deadline, call);
    loop_timer_init(&call->idle, f->loop, on_idle, call);
    loop_timer_set(&call->deadline, req->deadline_ms);
    if (call->idle_ms > 0)
        loop_timer_set(&call->idle, call->idle_ms);
    TAILQ_INSERT_TAIL(&f->calls, call, link);

    call->easy = curl_easy_init();
    code = call->easy != NULL ? fetch_client_prepare(c, req, secret_reveal(&call->body), call->easy, &call->headers)
                              : CURLE_OUT_OF_MEMORY;
    if (call->easy != NULL) {
        curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
        curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_curl_bytes);
        curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    }
    if (code == CURLE_OK && curl_multi_add_handle(call->lane->multi, call->easy) != CURLM_OK)
        code = CURLE_FAILED_INIT;
    if (code != CURLE_OK) {
        failure_from_curl(call, code);
        call_end(call);
        loop_defer(&f->deliver_task);
    }
    return &call->op;
}

/* ---- everything ---- */

void fetch_client_free(struct fetch_client *c)
{
    struct call *call;
    struct call *next;
    if (c == NULL)
        return;
    for (call = TAILQ_FIRST(&c->f->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->client == c)
            call_spend(call);
    }
    fetch_client_fini(c);
    free(c);
}

static bool lane_init(struct lane *lane, struct fetch *f, long connections_n)
{
    lane->f = f;
    loop_timer_init(&lane->timer, f->loop, on_lane_timer, lane);
    lane->multi = curl_multi_init();
    return lane->multi != NULL && curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) == CURLM_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane) == CURLM_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) == CURLM_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane) == CURLM_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_PER_CONNECTION_N) ==
               CURLM_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections_n) == CURLM_OK;
}

struct fetch *fetch_new(struct loop *loop, struct err *reterr)
{
    struct fetch *f = xcalloc(1, sizeof *f);
    f->loop = loop;
    TAILQ_INIT(&f->calls);
    TAILQ_INIT(&f->ready);
    loop_task_init(&f->deliver_task, loop, deliver, f);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !lane_init(&f->lanes[LANE_CALLS], f, CALL_CONNECTIONS_N) ||
        !lane_init(&f->lanes[LANE_STREAMS], f, STREAM_CONNECTIONS_N)) {
        fetch_free(f);
        err_set(reterr, ERR_BUG, __func__, "libcurl does not start");
        return NULL;
    }
    return f;
}

void fetch_free(struct fetch *f)
{
    if (f == NULL)
        return;
    while (!TAILQ_EMPTY(&f->calls))
        call_spend(TAILQ_FIRST(&f->calls));
    for (size_t i = 0; i < LANE_N; i++) {
        struct lane *lane = &f->lanes[i];
        if (lane->multi != NULL)
            (void)curl_multi_cleanup(lane->multi);
        if (lane->timer.loop != NULL)
            loop_timer_clear(&lane->timer);
    }
    while (!LIST_EMPTY(&f->socks))
        sock_drop(LIST_FIRST(&f->socks));
    loop_task_clear(&f->deliver_task);
    free(f);
}

void fetch_features(struct fetch_features *ret)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    ret->version = info->version;
    ret->has_http2 = (info->features & CURL_VERSION_HTTP2) != 0;
    ret->has_async_dns = (info->features & CURL_VERSION_ASYNCHDNS) != 0;
    ret->has_tls = (info->features & CURL_VERSION_SSL) != 0;
}
