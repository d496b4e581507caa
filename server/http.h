// SPDX-License-Identifier: MIT
/* One HTTP request and its answer, as seen by handlers. The exchange belongs to its connection: it lives from the
 * request's head until the answer is complete or the client is gone. Nothing here blocks; nothing calls back before it
 * returns. Rules and ceilings of the wire stand in http_reader.h and http_conn.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/loop.h"

struct http_exchange;
struct http_stream;
struct json_writer;

/* Known methods; anything else is answered 501 by the connection. */
#define HTTP_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)
enum http_method {
#define X(name) HTTP_##name,
    HTTP_METHODS(X)
#undef X
        HTTP_METHOD_N
};
const char *http_method_name(enum http_method method);

/* ---- the request; all texts are valid as long as the exchange ---- */

enum http_method http_method(const struct http_exchange *x);
struct str http_target(const struct http_exchange *x); /* as it came, without the query */
struct str http_path(const struct http_exchange *x);   /* percent-decoded; no NUL, no "//", no dot segments (refused) */
struct str http_query(const struct http_exchange *x);  /* as it came, without '?'; absent if there was none */
/* The first parameter of that name, decoded; false if there is none. "a" and "a=" give an empty value. */
bool http_query_find(const struct http_exchange *x, const char *name, struct str *ret);
/* One that is true or false; false if there is none. Anything else is INVALID and names the parameter. */
MUST_CHECK bool http_query_flag(const struct http_exchange *x, const char *name, bool *ret, struct err *reterr);
/* The field's value without blanks around; STR_NONE if absent. Repeated fields are joined by ", " as RFC 9110 5.2 says.
 */
struct str http_header(const struct http_exchange *x, const char *name);
/* The value of the first cookie of that name that has the form of codec_random_token; absent if there is none. */
struct str http_token_cookie(const struct http_exchange *x, const char *cookie_name);
struct str http_body(const struct http_exchange *x);
/* Does Content-Type say application/json, or application/x-www-form-urlencoded? Parameters do not count. */
bool http_is_json(const struct http_exchange *x);
bool http_is_form(const struct http_exchange *x);
/* A part of the path matched by "{name}" in the route's pattern. */
struct str http_param(const struct http_exchange *x, const char *name);
/* The client's address as text (X-Forwarded-For only from trusted peers). */
struct str http_peer(const struct http_exchange *x);
/* Did the client come by TLS (to us or to a trusted proxy)? */
bool http_is_secure(const struct http_exchange *x);
/* X-Request-Id of the client if well-formed ([A-Za-z0-9._-]{1,64}), else one of our own. NUL-terminated. */
const char *http_request_id(const struct http_exchange *x);
struct arena *http_arena(struct http_exchange *x);

/* What the gate found out, kept with the exchange for the handler; the pointer is the service's own. */
void http_set_context(struct http_exchange *x, void *context);
void *http_context(const struct http_exchange *x);

/* ---- asynchronous work on behalf of the request ---- */

/* on_gone runs once if the client leaves before the answer: cancel what waits for it. The exchange is invalid
 * afterwards. Cleared by any answer. One at a time; NULL clears. */
void http_on_gone(struct http_exchange *x, void (*on_gone)(void *arg), void *arg);

/* on_end runs once when the exchange is over, whichever way, before its arena goes; status 0: there was no answer. */
void http_on_end(struct http_exchange *x, void (*on_end)(void *arg, int status), void *arg);

/* ---- the answer: exactly one of http_answer*, http_stream_start ---- */

/* Adds a header field to the coming answer; name and value are copied. Content-Length, Transfer-Encoding, Connection
 * and Date are the connection's own. A value with CR, LF or NUL is a bug and is left out. */
void http_add_header(struct http_exchange *x, const char *name, struct str value);
/* Content type NULL: none. The body is copied; for HEAD only its length is told. */
void http_answer(struct http_exchange *x, int status, const char *content_type, struct str body);
/* As http_answer with bytes that outlive the process's connections (static files): not copied. */
void http_answer_static(struct http_exchange *x, int status, const char *content_type, struct str body);
/* application/json. A 200 to a GET carries an ETag of its bytes, and is a 304 without them to who has them already. */
void http_answer_document(struct http_exchange *x, int status, struct str json);
/* The same; takes the writer and frees it. A writer that cannot finish is answered 500 and logged. */
void http_answer_json(struct http_exchange *x, int status, struct json_writer *w);
/* Ends the connection without an answer; on_gone does not run. For fault injection. */
void http_abort(struct http_exchange *x);
/* The one error body (server/problem.c): RFC 9457 members and the seed's error, details, projectId, timestamp. */
void http_answer_err(struct http_exchange *x, const struct err *err);

/* ---- an answer that is seen before it goes out ---- */

struct http_held {
    int status;
    struct str content_type; /* absent: none */
    struct str fields;       /* header fields added for it, "Name: value\r\n" each */
    struct str body;
    bool is_private; /* no copy of it may be kept */
};
/* on_answer gets the next whole answer instead of the client: it stays with the exchange until http_release. on_gone
 * runs once, instead of that or after it, when the client leaves or the answer's time is over; the exchange is invalid
 * afterwards for who holds it. A stream counts as gone. */
void http_hold(struct http_exchange *x, void (*on_answer)(void *arg, const struct http_held *answer),
               void (*on_gone)(void *arg), void *arg);
/* Sends what is held; what was added by http_add_header since goes with it. */
void http_release(struct http_exchange *x);
/* No copy of the coming answer may be kept anywhere: it holds what is shown once. */
void http_keep_no_copy(struct http_exchange *x);

/* ---- an answer without end (server-sent events, watches) ---- */

/* Sends the head with Transfer-Encoding: chunked (to an HTTP/1.0 client: until close) and gives the exchange up. */
MUST_CHECK struct http_stream *http_stream_start(struct http_exchange *x, int status, const char *content_type);
/* Queues one piece. False: the stream was cut (the client is too slow or gone) and on_close will run; do not use it
 * more. */
bool http_stream_send(struct http_stream *s, struct str bytes);
/* The last piece; the stream is the connection's again and on_close does not run. */
void http_stream_end(struct http_stream *s);
/* Ends the connection in the middle, without the last piece; on_close does not run. For fault injection. */
void http_stream_cut(struct http_stream *s);
/* on_close runs once, when the client left, was too slow, or the server drains past its deadline. */
void http_stream_on_close(struct http_stream *s, void (*on_close)(void *arg), void *arg);

/* ---- the service behind a listener ---- */

struct http_service {
    /* The head is complete. Answer at once (401, 413, 415, …; before any 100 Continue), or call http_accept_body, now
     * or later. Never both. */
    void (*on_head)(void *arg, struct http_exchange *x);
    /* The body is complete (at once when there is none). Answer, now or later. */
    void (*on_request)(void *arg, struct http_exchange *x);
    void *arg;
};
/* ceiling_bytes: a longer body is answered 413. on_request follows, never before this returns. */
void http_accept_body(struct http_exchange *x, size_t ceiling_bytes);
