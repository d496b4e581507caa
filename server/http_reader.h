// SPDX-License-Identifier: MIT
/* Reads HTTP/1.1 requests out of bytes somebody else owns: no allocation, each byte looked at once, one verdict. How
 * the bytes are cut never changes the verdict. Policy that is not the wire's (which methods a path has, how long a body
 * may be) is not here. Source: RFC 9110, RFC 9112; stricter wherever they leave a choice, because two readers of one
 * stream that choose differently are a way to smuggle requests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"
#include "server/http.h"

enum {
    HTTP_FIELDS_MAX = 64,             /* room in struct http_head; limits may ask for less */
    HTTP_METHOD_MAX = 16,             /* bytes; a longer word is no method anybody knows */
    HTTP_CHUNK_LINE_MAX = 150,        /* bytes of a chunk-size line with its extensions */
    HTTP_CHUNK_DIGITS_MAX = 8,        /* hexadecimal digits of a chunk size */
    HTTP_CHUNK_EXTRA_MAX = 16 * 1024, /* bytes of all chunk extensions of one body, and of its trailers */
    HTTP_LENGTH_DIGITS_MAX = 18,      /* digits of a Content-Length: any such number fits int64_t */
    HTTP_TRAILER_NAME_MAX = 32,       /* bytes kept of a trailer's name, to know it by */
};

struct http_reader_limits {
    size_t head_bytes;   /* request line, fields and the empty line: else 431 */
    unsigned fields_n;   /* at most HTTP_FIELDS_MAX: else 431 */
    size_t target_bytes; /* else 414 */
};

/* Bytes of the head as offsets from its first byte, so that the buffer may move. */
struct http_span {
    uint32_t at;
    uint32_t n;
};

struct http_field {
    struct http_span name;
    struct http_span value; /* without blanks around */
};

enum http_framing { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };
enum http_wish { HTTP_WISH_NONE, HTTP_WISH_CLOSE, HTTP_WISH_KEEP_ALIVE }; /* what the Connection field asks for */

struct http_head {
    enum http_method method;
    unsigned minor;          /* of HTTP/1.x: 0 or 1 */
    struct http_span target; /* as it came, without the query */
    struct http_span query;  /* without '?'; at 0: there was none */
    struct http_span host;
    struct http_field fields[HTTP_FIELDS_MAX];
    unsigned fields_n;
    enum http_framing framing;
    uint64_t length; /* HTTP_BODY_LENGTH */
    enum http_wish wish;
    bool expects_continue;
};

enum http_read {
    HTTP_READ_MORE,    /* every byte was looked at; give more */
    HTTP_READ_HEAD,    /* the head is complete: http_reader_used() bytes */
    HTTP_READ_PIECE,   /* a piece of the body */
    HTTP_READ_END,     /* the body is complete */
    HTTP_READ_REFUSED, /* see http_reader_status; the reader stays in this state */
};

struct http_reader {
    struct http_reader_limits limits;
    int state;         /* enum reader_state of http_reader.c or enum body_state of http_body.c */
    size_t at;         /* head: how far it was looked at */
    size_t mark;       /* head: where the part being read begins */
    size_t end;        /* head: after the last byte of the value that is not a blank */
    uint64_t left;     /* body: bytes to come of the body or of the chunk */
    unsigned line_n;   /* body: bytes of this line */
    unsigned digits_n; /* body: digits of this chunk size */
    unsigned extra_n;  /* body: bytes of extensions and trailers so far */
    unsigned trailers_n;
    unsigned name_n; /* body: bytes of this trailer's name */
    char name[HTTP_TRAILER_NAME_MAX];
    int status;      /* refused: the answer's status */
    const char *why; /* refused: one static sentence for a person */
};

/* Ready for a new request. */
void http_reader_init(struct http_reader *r, const struct http_reader_limits *limits);

/* bytes: all that is there, beginning with the first byte of the request; call again with the same bytes and more.
 * Returns MORE, HEAD or REFUSED. *head is filled step by step and whole only at HEAD. */
enum http_read http_reader_head(struct http_reader *r, struct http_head *head, struct str bytes);
/* Bytes of the complete head. */
size_t http_reader_used(const struct http_reader *r);

/* After HEAD: makes the reader ready for the body that head announces. */
void http_reader_begin_body(struct http_reader *r, const struct http_head *head);
/* bytes: what follows the bytes used so far. *ret_used of them were used (all of them at MORE); at PIECE *ret_piece
 * lies within them. Returns MORE, PIECE, END or REFUSED; END at once when there is no body. */
enum http_read http_reader_body(struct http_reader *r, struct str bytes, size_t *ret_used, struct str *ret_piece);

int http_reader_status(const struct http_reader *r);
const char *http_reader_why(const struct http_reader *r);

/* For http_body.c: ends the reading with a verdict. */
enum http_read http_reader_refuse(struct http_reader *r, int status, const char *why);

/* The span as text. text: the head's bytes. */
struct str http_span_str(struct http_span span, struct str text);
