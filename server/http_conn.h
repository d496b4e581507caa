// SPDX-License-Identifier: MIT
/* The inside of a connection, shared by the files that make it up and by nobody else:
 *   http_conn.c     states, reading, writing, deadlines, the end
 *   http_exchange.c requests: storage, accessors
 *   http_answer.c   heads and bodies of answers
 *   http_stream.c   answers without end
 *   http_shared.c   what the connections of one listener have in common
 * An idle connection holds one struct http_conn and no buffers; everything else exists while a request does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/io/loop.h"
#include "server/http.h"
#include "server/http_reader.h"
#include "server/listener.h"
#include "server/peers.h"
#include "server/transport.h"

enum {
    HTTP_READ_BYTES = 16 * 1024,  /* taken from a socket per wake-up; a whole TLS record, so none stays behind */
    HTTP_PIPELINE_MAX = 16,       /* requests of one connection per turn of the loop */
    HTTP_DRAIN_BYTES = 64 * 1024, /* read and dropped after the last answer, or sent into a stream, before the cut */
    HTTP_DRAIN_MS = 1000,
    HTTP_BODY_BYTES_PER_S = 4096,  /* a body slower than this after body_ms is given up */
    HTTP_FLUSHES_PER_TURN = 256,   /* streams written to per turn of the loop */
    HTTP_SNDBUF_BYTES = 32 * 1024, /* of a stream's socket; the kernel doubles it */
    HTTP_SPARES_MAX = 64,          /* exchanges kept for the next request */
    HTTP_PARAMS_MAX = 8,           /* "{name}" in one pattern */
    HTTP_REQUEST_ID_MAX = 64,
    HTTP_ANSWER_CEILING_BYTES = 64 * 1024 * 1024, /* of one answer: lists of a large cluster, never input */
    HTTP_FIELDS_CEILING_BYTES = 16 * 1024,        /* of the header fields a handler adds */
};

/* HEAD: between requests or reading a head. BODY: reading a body. WAIT: the service thinks; nothing is read.
 * STREAM: an answer without end. CLOSING: the last answer goes out, the peer's bytes are dropped. */
#define CONN_STATES(X) X(HEAD) X(BODY) X(WAIT) X(STREAM) X(CLOSING)
enum conn_state {
#define X(name) CONN_##name,
    CONN_STATES(X)
#undef X
};

struct http_conn;
struct http_shared;
struct sse_hub;

/* How far the request was read. */
enum http_progress { PROGRESS_HEAD, PROGRESS_ASKED, PROGRESS_ACCEPTED, PROGRESS_COMPLETE };
enum http_answered { ANSWER_NONE, ANSWER_WHOLE, ANSWER_STREAM };

struct http_param {
    const char *name; /* borrowed from the route table, not terminated */
    size_t name_n;
    struct str value;
};

/* Who sees the answer before it goes out, and the answer, which lives in the exchange's arena. */
struct hold {
    void (*on_answer)(void *arg, const struct http_held *answer); /* NULL: nobody, or it was seen */
    void (*on_gone)(void *arg);
    void *arg;
    bool is_full;
    struct http_held answer;
};

struct http_exchange {
    struct http_conn *conn;
    struct arena *arena;
    struct http_reader reader;
    struct http_head head;
    struct str text; /* the head's bytes; spans of `head` point into it */
    struct str path;
    struct str query;
    struct http_param params[HTTP_PARAMS_MAX];
    size_t params_n;
    char request_id[HTTP_REQUEST_ID_MAX + 1];
    enum http_progress progress;
    enum http_answered answered;
    bool must_close; /* whatever the client wishes */
    int status;      /* of the answer */
    size_t body_ceiling_bytes;
    struct buf body;
    struct buf fields;   /* header fields of the answer, as they go out */
    unsigned overridden; /* bits of the default fields (http_answer.c) the handler set itself */
    void *context;
    void (*on_gone)(void *arg);
    void *on_gone_arg;
    void (*on_end)(void *arg, int status);
    void *on_end_arg;
    struct hold hold;
    bool is_private; /* no copy of the answer may be kept */
    ms_t began_ms;
    struct http_exchange *next_spare;
};

struct http_stream {
    struct http_conn *conn;
    void (*on_close)(void *arg);
    void *on_close_arg;
    void (*on_drain)(void *arg); /* sse.c: the server leaves, say so and end */
    void *on_drain_arg;
    ms_t slow_since_ms; /* 0: not slow */
    bool is_chunked;
    bool is_head_only; /* the answer to HEAD: pieces are dropped */
    bool keeps_alive;  /* the connection goes on after the end */
};

struct http_conn {
    struct http_shared *shared;
    enum conn_state state; /* written by conn_set_state alone */
    struct transport transport;
    struct loop_fd *fd; /* NULL: memory */
    struct http_exchange *exchange;
    struct buf in;  /* received, not used */
    struct buf out; /* to be sent, from out_at */
    size_t out_at;
    struct str tail; /* static bytes to be sent after `out` */
    struct peer_address address;
    struct http_stream stream;
    struct loop_timer timer;
    struct loop_task task;
    ms_t timer_at_ms;     /* 0: not set */
    ms_t state_at_ms;     /* when this state's time is over; 0: never */
    ms_t write_at_ms;     /* when writing must have moved; 0: nothing waits */
    ms_t since_ms;        /* this state began */
    size_t dropped_bytes; /* received and thrown away in this state */
    unsigned recv_wants;  /* LOOP_READ, or LOOP_WRITE in the middle of a TLS handshake */
    unsigned send_wants;
    bool is_running;  /* conn_advance is on the stack */
    bool is_doomed;   /* ends at the next advance */
    bool is_finished; /* half-closed */
    bool has_eof;     /* the peer sends no more */
    bool is_idle;     /* in shared->idle */
    bool is_used;     /* had a request */
    bool is_queued;   /* in shared->flushes */
    TAILQ_ENTRY(http_conn) all_link;
    TAILQ_ENTRY(http_conn) idle_link;
    TAILQ_ENTRY(http_conn) flush_link;
};

TAILQ_HEAD(http_conn_list, http_conn);

struct http_shared {
    struct loop *loop;
    struct http_service service;
    struct listener_limits limits;
    struct peer_networks *trusted;
    char *server_name; /* NULL: none */
    bool is_bare;
    bool is_draining;
    struct http_conn_list all;
    struct http_conn_list idle;    /* no byte of a request is there; the longest idle first */
    struct http_conn_list flushes; /* streams with something to send */
    struct loop_timer flush_timer;
    struct http_exchange *spares;
    unsigned spares_n;
    unsigned conns_n;
    unsigned streams_n;
    uint64_t requests_n;
    uint64_t refused_n;
    uint64_t streams_cut_n;
    uint64_t id_prefix;
    uint64_t ids_n;
    int64_t date_s;      /* what `date` says */
    char date[30];       /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    struct sse_hub *sse; /* made by the first stream of events */
    void (*sse_free)(struct sse_hub *hub);
    /* A connection is gone: counts and drains are the listener's. */
    void (*on_conn_end)(void *arg, const struct http_conn *conn);
    void *on_conn_end_arg;
    char scratch[HTTP_READ_BYTES];
};

/* ---- http_shared.c ---- */

/* config: only service-wide parts are used (limits, trusted_proxies, server_name, is_bare); copied. NULL with INVALID.
 */
MUST_CHECK struct http_shared *http_shared_new(struct loop *loop, const struct listener_config *config,
                                               const struct http_service *service, struct err *reterr);
/* Ends all connections (their on_gone and on_close run) and frees. */
void http_shared_free(struct http_shared *s);
/* Idle connections end, answers carry Connection: close, streams end one after the other within spread_ms. */
void http_shared_drain(struct http_shared *s, ms_t spread_ms);
/* Ends the longest idle connection; false: there is none. */
bool http_shared_evict_idle(struct http_shared *s);
/* The Date field's value of this second. */
const char *http_shared_date(struct http_shared *s);
/* Queues the connection for the sliced writing of streams. */
void http_shared_queue_flush(struct http_shared *s, struct http_conn *c);

/* ---- http_conn.c ---- */

/* Takes the transport over. The first read is tried when the loop says so. */
struct http_conn *conn_new(struct http_shared *s, struct transport transport, const struct peer_address *address);
/* Runs on_gone and on_close and ends at once; the memory goes after the current callbacks. */
void conn_end(struct http_conn *c);
/* Ends at the next advance, which is never before this returns. */
void conn_doom(struct http_conn *c);
/* The one place that writes `state`; sets its deadline. */
void conn_set_state(struct http_conn *c, enum conn_state state);
/* Looks again what there is to do; never before this returns unless the connection is running anyway. */
void conn_wake(struct http_conn *c);
/* Sends what can be sent; true when nothing is left. A broken transport dooms the connection. */
bool conn_flush(struct http_conn *c);
size_t conn_unsent_bytes(const struct http_conn *c);
/* Puts wants and timer right. */
void conn_rearm(struct http_conn *c);
/* The server drains, and the connection is idle: what has come by now is answered; without that it ends, or, if it had
 * no request yet, has HTTP_DRAIN_MS to send one. */
void conn_leave(struct http_conn *c);
/* The stream ends by itself at this time (a drain). */
void conn_end_stream_at(struct http_conn *c, ms_t at_ms);

/* ---- http_exchange.c ---- */

struct http_exchange *exchange_new(struct http_conn *c);
void exchange_release(struct http_exchange *x); /* NULL is fine */
/* After HTTP_READ_HEAD: keeps the head's bytes and decodes the path. False: *ret_why says why it is refused (400). */
MUST_CHECK bool exchange_begin(struct http_exchange *x, struct str head_bytes, const char **ret_why);
/* Runs on_gone, once. */
void exchange_gone(struct http_exchange *x);
/* router.c; name: borrowed. More than HTTP_PARAMS_MAX are a bug of the table. */
void exchange_add_param(struct http_exchange *x, struct str name, struct str value);

/* ---- http_answer.c ---- */

/* "Not Found" */
const char *http_reason(int status);

enum http_length { LENGTH_NONE, LENGTH_KNOWN, LENGTH_CHUNKED, LENGTH_UNTIL_CLOSE };
/* Writes the head of the answer to conn->out and decides whether the connection goes on (then true). */
bool answer_begin(struct http_exchange *x, int status, const char *content_type, enum http_length kind, size_t length);

/* ---- problem.c ---- */

/* An answer that has no struct err: parser errors and deadlines of the wire. The connection closes after it. */
void problem_refuse(struct http_exchange *x, int status, const char *why);
/* As problem_refuse, but the connection goes on if it can. */
void problem_answer(struct http_exchange *x, int status, const char *why);
