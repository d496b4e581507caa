// SPDX-License-Identifier: MIT
/* The body of a request: a length, or chunks with extensions and trailers, which are checked and dropped. The framing
 * of a body never depends on the method: a HEAD or GET with a body has one here, or its bytes would be read as a
 * request. */
#include <string.h>

#include "server/http_bytes.h"
#include "server/http_reader.h"

enum body_state {
    BODY_LENGTH = 100, /* apart from the head's states: both live in one member */
    BODY_SIZE,
    BODY_EXTENSION,
    BODY_SIZE_LF,
    BODY_DATA,
    BODY_DATA_CR,
    BODY_DATA_LF,
    BODY_TRAILER, /* the first byte of a trailer line, or the end */
    BODY_TRAILER_NAME,
    BODY_TRAILER_VALUE,
    BODY_TRAILER_LF,
    BODY_LAST_LF,
    BODY_DONE,
};

/* Fields that would frame or route the request had they stood in the head (RFC 9110 6.5.1). */
static const char *const forbidden_trailers[] = {
    "transfer-encoding", "content-length", "host",          "connection", "te",           "trailer",
    "upgrade",           "expect",         "authorization", "cookie",     "content-type", "content-encoding"};

static bool refuse(struct http_reader *r, int status, const char *why)
{
    (void)http_reader_refuse(r, status, why);
    return false;
}

static void begin_line(struct http_reader *r, enum body_state state)
{
    r->state = (int)state;
    r->line_n = 0;
    r->digits_n = 0;
    r->name_n = 0;
}

void http_reader_begin_body(struct http_reader *r, const struct http_head *head)
{
    r->extra_n = 0;
    r->trailers_n = 0;
    r->left = 0;
    begin_line(r, BODY_DONE);
    if (head->framing == HTTP_BODY_LENGTH && head->length > 0) {
        r->left = head->length;
        r->state = BODY_LENGTH;
    }
    if (head->framing == HTTP_BODY_CHUNKED)
        r->state = BODY_SIZE;
}

static bool on_size_byte(struct http_reader *r, char c)
{
    int digit = http_hex_value(c);
    if (digit >= 0) {
        if (++r->digits_n > HTTP_CHUNK_DIGITS_MAX)
            return refuse(r, 400, "A chunk size is too long.");
        r->left = r->left * 16 + (unsigned)digit;
        return true;
    }
    if (r->digits_n == 0 || (c != ';' && c != '\r'))
        return refuse(r, 400, "A chunk size is malformed.");
    r->state = c == ';' ? BODY_EXTENSION : BODY_SIZE_LF;
    return true;
}

static bool on_extension_byte(struct http_reader *r, char c)
{
    if (c == '\r') {
        r->state = BODY_SIZE_LF;
        return true;
    }
    if (!http_byte_is(c, HTTP_BYTE_VALUE))
        return refuse(r, 400, "A chunk extension holds a byte that is not allowed.");
    if (r->line_n > HTTP_CHUNK_LINE_MAX || ++r->extra_n > HTTP_CHUNK_EXTRA_MAX)
        return refuse(r, 400, "Chunk extensions are too long.");
    return true;
}

static bool on_size_end(struct http_reader *r)
{
    bool is_last = r->left == 0;
    begin_line(r, is_last ? BODY_TRAILER : BODY_DATA);
    return true;
}

static bool on_trailer_name_end(struct http_reader *r)
{
    struct str name = {r->name, r->name_n};
    for (size_t i = 0; i < sizeof forbidden_trailers / sizeof *forbidden_trailers; i++) {
        if (str_eq_nocase(name, str_from(forbidden_trailers[i])))
            return refuse(r, 400, "A trailer field must not say how the request is framed.");
    }
    r->state = BODY_TRAILER_VALUE;
    return true;
}

static bool on_trailer_name_byte(struct http_reader *r, char c)
{
    if (c == ':' && r->name_n > 0)
        return on_trailer_name_end(r);
    if (!http_byte_is(c, HTTP_BYTE_TOKEN))
        return refuse(r, 400, "A trailer's name holds a byte that is not allowed.");
    if (r->name_n < sizeof r->name)
        r->name[r->name_n++] = c;
    return true;
}

static bool on_trailer_byte(struct http_reader *r, char c)
{
    if (r->state == BODY_TRAILER) {
        if (c == '\r') {
            r->state = BODY_LAST_LF;
            return true;
        }
        if (++r->trailers_n > r->limits.fields_n)
            return refuse(r, 431, "There are too many trailer fields.");
        r->state = BODY_TRAILER_NAME;
    }
    if (++r->extra_n > HTTP_CHUNK_EXTRA_MAX)
        return refuse(r, 431, "The trailers are too long.");
    if (r->state == BODY_TRAILER_NAME)
        return on_trailer_name_byte(r, c);
    if (c == '\r') {
        r->state = BODY_TRAILER_LF;
        return true;
    }
    return http_byte_is(c, HTTP_BYTE_VALUE) || refuse(r, 400, "A trailer holds a byte that is not allowed.");
}

static bool on_line_feed(struct http_reader *r, char c)
{
    if (c != '\n')
        return refuse(r, 400, "A line must end with CR LF.");
    switch ((enum body_state)r->state) {
    case BODY_SIZE_LF:
        return on_size_end(r);
    case BODY_DATA_LF:
        begin_line(r, BODY_SIZE);
        return true;
    case BODY_TRAILER_LF:
        begin_line(r, BODY_TRAILER);
        return true;
    case BODY_LENGTH:
    case BODY_SIZE:
    case BODY_EXTENSION:
    case BODY_DATA:
    case BODY_DATA_CR:
    case BODY_TRAILER:
    case BODY_TRAILER_NAME:
    case BODY_TRAILER_VALUE:
    case BODY_LAST_LF:
    case BODY_DONE:
        break;
    }
    r->state = BODY_DONE;
    return true;
}

/* One byte of the framing. False: refused. */
static bool on_byte(struct http_reader *r, char c)
{
    r->line_n++;
    switch ((enum body_state)r->state) {
    case BODY_SIZE:
        return on_size_byte(r, c);
    case BODY_EXTENSION:
        return on_extension_byte(r, c);
    case BODY_DATA_CR:
        r->state = BODY_DATA_LF;
        return c == '\r' || refuse(r, 400, "A chunk must end with CR LF.");
    case BODY_TRAILER:
    case BODY_TRAILER_NAME:
    case BODY_TRAILER_VALUE:
        return on_trailer_byte(r, c);
    case BODY_SIZE_LF:
    case BODY_DATA_LF:
    case BODY_TRAILER_LF:
    case BODY_LAST_LF:
        return on_line_feed(r, c);
    case BODY_LENGTH:
    case BODY_DATA:
    case BODY_DONE:
        break;
    }
    return refuse(r, 400, "The body is malformed.");
}

/* As much of the data as is there. */
static enum http_read take_piece(struct http_reader *r, struct str rest, size_t *used, struct str *ret_piece)
{
    size_t n = rest.n < r->left ? rest.n : (size_t)r->left;
    *ret_piece = str_slice(rest, 0, n);
    *used += n;
    r->left -= n;
    if (r->left == 0)
        r->state = r->state == BODY_LENGTH ? BODY_DONE : BODY_DATA_CR;
    return HTTP_READ_PIECE;
}

enum http_read http_reader_body(struct http_reader *r, struct str bytes, size_t *ret_used, struct str *ret_piece)
{
    size_t used = 0;
    enum http_read verdict = HTTP_READ_MORE;
    *ret_piece = STR_NONE;
    if (r->status != 0)
        verdict = HTTP_READ_REFUSED;
    while (verdict == HTTP_READ_MORE && r->state != BODY_DONE && used < bytes.n) {
        if (r->state == BODY_LENGTH || r->state == BODY_DATA)
            verdict = take_piece(r, str_slice(bytes, used, bytes.n), &used, ret_piece);
        else if (!on_byte(r, bytes.p[used]))
            verdict = HTTP_READ_REFUSED;
        else
            used++;
    }
    if (verdict == HTTP_READ_MORE && r->state == BODY_DONE)
        verdict = HTTP_READ_END;
    *ret_used = used;
    return verdict;
}
