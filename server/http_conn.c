// SPDX-License-Identifier: MIT
/* One connection: its states, reading, deadlines and its end. What a request means is the service's business; how the
 * bytes are read is http_reader.c's, how they are written http_write.c's.
 *
 *   HEAD --head--> WAIT --accepted--> BODY --complete--> WAIT --answered--> HEAD or CLOSING
 *                                                        WAIT --stream----> STREAM --> HEAD or CLOSING */
#include "server/http_conn.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"

static ms_t now_of(const struct http_conn *c)
{
    return loop_now_ms(c->shared->loop);
}

/* How long a state may last; 0: as long as it likes. Not counted from each byte. */
static ms_t state_ms(const struct http_conn *c, enum conn_state state)
{
    const struct listener_limits *limits = &c->shared->limits;
    switch (state) {
    case CONN_HEAD:
        return 0; /* the answer before may still be going out; see go_idle and step_head */
    case CONN_BODY:
        return limits->body_ms;
    case CONN_WAIT:
        return limits->handler_ms;
    case CONN_STREAM:
        return 0;
    case CONN_CLOSING:
        return 0; /* writing has its own deadline, the drain begins when it is done */
    }
    return 0;
}

void conn_set_state(struct http_conn *c, enum conn_state state)
{
    ms_t length = state_ms(c, state);
    if (c->state == CONN_STREAM && state != CONN_STREAM)
        c->shared->streams_n--;
    if (c->state != CONN_STREAM && state == CONN_STREAM)
        c->shared->streams_n++;
    c->state = state;
    c->since_ms = now_of(c);
    c->state_at_ms = length > 0 ? c->since_ms + length : 0;
    c->dropped_bytes = 0;
}

void conn_doom(struct http_conn *c)
{
    c->is_doomed = true;
    conn_wake(c);
}

void conn_wake(struct http_conn *c)
{
    if (!c->is_running)
        loop_defer(&c->task);
}

/* ---- the end ---- */

static void leave_idle(struct http_conn *c)
{
    if (c->is_idle)
        TAILQ_REMOVE(&c->shared->idle, c, idle_link);
    c->is_idle = false;
}

/* Reached when the client left, a deadline passed, a stream was cut, the last answer went out, an idle connection had
 * to make room, or the listener goes. */
void conn_end(struct http_conn *c)
{
    struct http_shared *s = c->shared;
    struct http_exchange *x = c->exchange;
    void (*on_close)(void *arg) = c->stream.on_close;
    leave_idle(c);
    if (c->is_queued)
        TAILQ_REMOVE(&s->flushes, c, flush_link);
    TAILQ_REMOVE(&s->all, c, all_link);
    loop_fd_free(c->fd);
    loop_timer_clear(&c->timer);
    loop_task_clear(&c->task);
    conn_set_state(c, CONN_CLOSING);
    c->exchange = NULL;
    c->stream.on_close = NULL;
    c->is_doomed = true;
    if (x != NULL && x->answered == ANSWER_NONE)
        exchange_gone(x);
    exchange_release(x);
    if (on_close != NULL)
        on_close(c->stream.on_close_arg);
    transport_close(&c->transport);
    buf_fini(&c->in);
    buf_fini(&c->out);
    s->conns_n--;
    if (s->on_conn_end != NULL)
        s->on_conn_end(s->on_conn_end_arg, c);
    loop_defer_free(s->loop, c, free);
}

/* ---- steps: each returns true when there may be more to do ---- */

static bool refuse(struct http_conn *c, int status, const char *why)
{
    c->shared->refused_n++;
    exchange_gone(c->exchange); /* who accepted the head and waits for the body */
    problem_refuse(c->exchange, status, why);
    return true;
}

static bool go_idle(struct http_conn *c)
{
    buf_fini(&c->in);
    buf_fini(&c->out);
    /* Whoever has just come is about to say why; whoever was answered before knows how to come again. */
    if (c->has_eof || (c->shared->is_draining && c->is_used)) {
        conn_doom(c);
        return false;
    }
    if (!c->is_idle) {
        TAILQ_INSERT_TAIL(&c->shared->idle, c, idle_link);
        c->state_at_ms = now_of(c) + c->shared->limits.idle_ms;
    }
    if (c->shared->is_draining)
        c->state_at_ms = now_of(c) + HTTP_DRAIN_MS;
    c->is_idle = true;
    return false;
}

static bool ask_service(struct http_conn *c)
{
    struct http_exchange *x = c->exchange;
    size_t used = http_reader_used(&x->reader);
    const char *why = NULL;
    bool is_fine = exchange_begin(x, str_slice(buf_str(&c->in), 0, used), &why);
    buf_drop(&c->in, used);
    c->shared->requests_n++;
    c->is_used = true;
    if (!is_fine)
        return refuse(c, 400, why);
    x->progress = PROGRESS_ASKED;
    conn_set_state(c, CONN_WAIT);
    log_scope_set(x->request_id);
    c->shared->service.on_head(c->shared->service.arg, x);
    log_scope_set(NULL);
    return true;
}

static bool step_head(struct http_conn *c)
{
    if (!conn_flush(c))
        return false; /* the answer before goes out first */
    if (c->exchange == NULL) {
        if (c->in.n == 0)
            return go_idle(c);
        leave_idle(c);
        c->exchange = exchange_new(c);
        c->state_at_ms = now_of(c) + c->shared->limits.head_ms;
    }
    struct http_reader *reader = &c->exchange->reader;
    enum http_read verdict = http_reader_head(reader, &c->exchange->head, buf_str(&c->in));
    if (verdict == HTTP_READ_HEAD)
        return ask_service(c);
    if (verdict == HTTP_READ_REFUSED)
        return refuse(c, http_reader_status(reader), http_reader_why(reader));
    if (c->has_eof)
        conn_doom(c);
    return false;
}

static bool finish_body(struct http_conn *c)
{
    struct http_exchange *x = c->exchange;
    x->progress = PROGRESS_COMPLETE;
    conn_set_state(c, CONN_WAIT);
    log_scope_set(x->request_id);
    c->shared->service.on_request(c->shared->service.arg, x);
    log_scope_set(NULL);
    return true;
}

static bool refuse_long_body(struct http_exchange *x)
{
    struct err err;
    exchange_gone(x);
    err_set(&err, ERR_TOO_LARGE, __func__, "The body is longer than %zu bytes.", x->body_ceiling_bytes);
    http_answer_err(x, &err);
    return true;
}

static bool step_body(struct http_conn *c)
{
    struct http_exchange *x = c->exchange;
    assert(x != NULL); /* in BODY there is one */
    struct str rest = buf_str(&c->in);
    size_t all = 0;
    enum http_read verdict;
    if (x->head.framing == HTTP_BODY_LENGTH && x->head.length > x->body_ceiling_bytes)
        return refuse_long_body(x);
    (void)conn_flush(c); /* a 100 Continue */
    do {
        struct str piece;
        size_t used = 0;
        verdict = http_reader_body(&x->reader, rest, &used, &piece);
        buf_add_str(&x->body, piece);
        rest = str_slice(rest, used, rest.n);
        all += used;
    } while (verdict == HTTP_READ_PIECE && !x->body.is_over);
    buf_drop(&c->in, all);
    if (x->body.is_over)
        return refuse_long_body(x);
    if (verdict == HTTP_READ_END)
        return finish_body(c);
    if (verdict == HTTP_READ_REFUSED)
        return refuse(c, http_reader_status(&x->reader), http_reader_why(&x->reader));
    if (c->has_eof)
        conn_doom(c);
    return false;
}

static bool step_stream(struct http_conn *c)
{
    bool is_over = c->has_eof || c->stream.is_head_only;
    void (*on_close)(void *arg) = c->stream.on_close;
    if (!is_over) {
        (void)conn_flush(c);
        return false;
    }
    if (c->has_eof) {
        conn_doom(c);
        return false;
    }
    c->stream.on_close = NULL;
    http_stream_end(&c->stream);
    if (on_close != NULL)
        on_close(c->stream.on_close_arg);
    return true;
}

static bool step_closing(struct http_conn *c)
{
    if (!conn_flush(c))
        return false;
    if (c->has_eof || c->transport.fd < 0) {
        conn_doom(c);
    } else if (!c->is_finished) {
        c->is_finished = true;
        transport_finish(&c->transport);
        c->state_at_ms = now_of(c) + HTTP_DRAIN_MS;
    }
    buf_fini(&c->in);
    return false;
}

static bool finish_answer(struct http_conn *c)
{
    struct http_exchange *x = c->exchange;
    bool is_whole = x->answered == ANSWER_WHOLE;
    bool goes_on = !x->must_close;
    LOG(DEBUG, "http answer", KV("request", x->request_id), KV("method", http_method_name(x->head.method)),
        KV("target", http_target(x)), KV("status", x->status), KV("ms", now_of(c) - x->began_ms));
    exchange_release(x);
    c->exchange = NULL;
    if (is_whole)
        conn_set_state(c, goes_on ? CONN_HEAD : CONN_CLOSING);
    return true;
}

static bool step(struct http_conn *c)
{
    if (c->exchange != NULL && c->exchange->answered != ANSWER_NONE)
        return finish_answer(c);
    switch (c->state) {
    case CONN_HEAD:
        return step_head(c);
    case CONN_BODY:
        return step_body(c);
    case CONN_WAIT:
        (void)conn_flush(c);
        return false;
    case CONN_STREAM:
        return step_stream(c);
    case CONN_CLOSING:
        return step_closing(c);
    }
    return false;
}

static bool has_memory(const struct http_conn *c);

static void advance(struct http_conn *c)
{
    uint64_t last = c->shared->requests_n + HTTP_PIPELINE_MAX;
    c->is_running = true;
    while (!c->is_doomed && c->shared->requests_n < last && step(c))
        ;
    c->is_running = false;
    if (c->is_doomed) {
        conn_end(c);
        return;
    }
    if (c->shared->requests_n >= last || has_memory(c))
        conn_wake(c); /* others first */
    conn_rearm(c);
}

/* ---- what the loop tells ---- */

static void take_bytes(struct http_conn *c, struct str bytes)
{
    if (c->state == CONN_HEAD || c->state == CONN_BODY) {
        buf_add_str(&c->in, bytes);
        assert(!c->in.is_over); /* see wants_bytes */
        return;
    }
    c->dropped_bytes += bytes.n;
    if (c->dropped_bytes > HTTP_DRAIN_BYTES)
        conn_doom(c);
}

static void read_once(struct http_conn *c)
{
    size_t n = 0;
    enum transport_result result = transport_recv(&c->transport, c->shared->scratch, sizeof c->shared->scratch, &n);
    c->recv_wants = result == TRANSPORT_WANT_WRITE ? LOOP_WRITE : LOOP_READ;
    if (result == TRANSPORT_OK)
        take_bytes(c, (struct str){c->shared->scratch, n});
    else if (result == TRANSPORT_END)
        c->has_eof = true;
    else if (result == TRANSPORT_BROKEN)
        conn_doom(c);
}

/* Bytes are taken only when all that came before was looked at, so `in` stays below a head and one read. */
static bool wants_bytes(const struct http_conn *c)
{
    const struct http_exchange *x = c->exchange;
    if (c->has_eof)
        return false;
    switch (c->state) {
    case CONN_HEAD:
        return conn_unsent_bytes(c) == 0 && (c->in.n == 0 || (x != NULL && http_reader_used(&x->reader) == c->in.n));
    case CONN_BODY:
        return c->in.n == 0;
    case CONN_WAIT:
        return false;
    case CONN_STREAM:
        return true;
    case CONN_CLOSING:
        return c->is_finished;
    }
    return false;
}

static void on_ready(void *arg, int events)
{
    struct http_conn *c = arg;
    if (c->state == CONN_WAIT && (events & LOOP_CLOSED) != 0)
        c->is_doomed = true; /* the client left: nobody reads the answer */
    else if (((unsigned)events & c->recv_wants) != 0 && wants_bytes(c))
        read_once(c);
    advance(c);
}

/* Memory has no event: what is there is read when the connection is woken. */
static bool has_memory(const struct http_conn *c)
{
    return c->transport.fd < 0 && c->transport.source->n > 0 && wants_bytes(c);
}

static void on_task(void *arg)
{
    struct http_conn *c = arg;
    if (has_memory(c))
        read_once(c);
    advance(c);
}

/* ---- deadlines ---- */

static void on_handler_late(struct http_conn *c)
{
    struct err err;
    LOG(WARN, "http request was not answered in time", KV("request", c->exchange->request_id),
        KV("target", http_target(c->exchange)));
    exchange_gone(c->exchange);
    err_set(&err, ERR_NOT_READY, __func__, "The request took too long.");
    c->exchange->must_close = true;
    http_answer_err(c->exchange, &err);
}

static void on_body_late(struct http_conn *c)
{
    struct http_exchange *x = c->exchange;
    ms_t extra = (ms_t)(x->body.n * 1000 / HTTP_BODY_BYTES_PER_S);
    c->state_at_ms = c->since_ms + c->shared->limits.body_ms + extra;
    if (now_of(c) < c->state_at_ms)
        return; /* slow, but not below the minimum rate */
    refuse(c, 408, "The body did not come in time.");
}

static void on_drain(struct http_conn *c)
{
    struct http_stream *s = &c->stream;
    void (*on_close)(void *arg) = s->on_close;
    if (s->on_drain != NULL) {
        s->on_drain(s->on_drain_arg);
        return;
    }
    http_stream_end(s);
    if (on_close != NULL)
        on_close(s->on_close_arg);
}

static void on_state_late(struct http_conn *c)
{
    c->state_at_ms = 0;
    switch (c->state) {
    case CONN_HEAD:
        if (c->exchange != NULL)
            refuse(c, 408, "The request's head did not come in time.");
        else
            c->is_doomed = true;
        break;
    case CONN_BODY:
        on_body_late(c);
        break;
    case CONN_WAIT:
        on_handler_late(c);
        break;
    case CONN_STREAM:
        on_drain(c);
        break;
    case CONN_CLOSING:
        c->is_doomed = true;
        break;
    }
}

static ms_t slow_at(const struct http_conn *c)
{
    return c->stream.slow_since_ms != 0 ? c->stream.slow_since_ms + c->shared->limits.stream_slow_ms : 0;
}

static bool is_over(ms_t at_ms, ms_t now)
{
    return at_ms != 0 && now >= at_ms;
}

static void on_timer(void *arg)
{
    struct http_conn *c = arg;
    ms_t now = now_of(c);
    c->timer_at_ms = 0;
    if (is_over(c->write_at_ms, now) || is_over(slow_at(c), now)) {
        c->shared->streams_cut_n += c->state == CONN_STREAM;
        c->is_doomed = true;
    } else if (is_over(c->state_at_ms, now)) {
        on_state_late(c);
    }
    advance(c);
}

void conn_end_stream_at(struct http_conn *c, ms_t at_ms)
{
    c->state_at_ms = at_ms;
    conn_rearm(c);
}

void conn_leave(struct http_conn *c)
{
    if (wants_bytes(c) && (c->transport.fd >= 0 || has_memory(c)))
        read_once(c);
    advance(c);
}

static ms_t earlier(ms_t a, ms_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static void watch_slowness(struct http_conn *c)
{
    bool is_slow = c->state == CONN_STREAM && conn_unsent_bytes(c) > c->shared->limits.stream_slow_bytes;
    if (!is_slow)
        c->stream.slow_since_ms = 0;
    else if (c->stream.slow_since_ms == 0)
        c->stream.slow_since_ms = now_of(c);
}

void conn_rearm(struct http_conn *c)
{
    int want = c->state == CONN_WAIT ? LOOP_CLOSED : 0;
    if (wants_bytes(c))
        want |= (int)c->recv_wants;
    if (conn_unsent_bytes(c) > 0)
        want |= (int)c->send_wants;
    if (c->fd != NULL)
        loop_fd_want(c->fd, want);
    watch_slowness(c);
    ms_t at = earlier(earlier(c->state_at_ms, c->write_at_ms), slow_at(c));
    if (at == 0 || (c->timer_at_ms != 0 && c->timer_at_ms <= at))
        return; /* an early timer looks again: cheaper than moving it with every request */
    ms_t now = now_of(c);
    loop_timer_set(&c->timer, at > now ? at - now : 0);
    c->timer_at_ms = at;
}

struct http_conn *conn_new(struct http_shared *s, struct transport transport, const struct peer_address *address)
{
    struct http_conn *c = xcalloc(1, sizeof *c);
    c->shared = s;
    c->transport = transport;
    c->address = *address;
    c->recv_wants = LOOP_READ;
    c->send_wants = LOOP_WRITE;
    buf_init(&c->in, s->limits.head_bytes + HTTP_READ_BYTES);
    buf_init(&c->out, HTTP_ANSWER_CEILING_BYTES);
    loop_timer_init(&c->timer, s->loop, on_timer, c);
    loop_task_init(&c->task, s->loop, on_task, c);
    if (transport.fd >= 0)
        c->fd = loop_fd_new(s->loop, transport.fd, on_ready, c);
    TAILQ_INSERT_TAIL(&s->all, c, all_link);
    s->conns_n++;
    conn_set_state(c, CONN_HEAD);
    (void)go_idle(c);
    if (!s->is_draining)
        c->state_at_ms = c->since_ms + s->limits.head_ms; /* nobody connects to say nothing */
    conn_rearm(c);
    return c;
}

void http_accept_body(struct http_exchange *x, size_t ceiling_bytes)
{
    struct http_conn *c = x->conn;
    if (x->progress != PROGRESS_ASKED || x->answered != ANSWER_NONE) {
        LOG(ERROR, "http body accepted out of turn", KV("request", x->request_id));
        return;
    }
    bool is_long = x->head.framing == HTTP_BODY_LENGTH && x->head.length > ceiling_bytes;
    x->body_ceiling_bytes = ceiling_bytes;
    buf_init(&x->body, ceiling_bytes);
    http_reader_begin_body(&x->reader, &x->head);
    x->progress = PROGRESS_ACCEPTED;
    if (x->head.expects_continue && x->head.framing != HTTP_BODY_NONE && c->in.n == 0 && !is_long)
        buf_add_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    conn_set_state(c, CONN_BODY);
    conn_wake(c);
}
