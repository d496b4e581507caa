// SPDX-License-Identifier: MIT
/* The head of a request: a state per kind of place, entered byte by byte, so that a cut between any two bytes changes
 * nothing. Bodies are http_body.c's. */
#include "server/http_reader.h"

#include <string.h>

#include "server/http_bytes.h"

enum reader_state {
    READ_START, /* one empty line before the request line is passed over (RFC 9112 2.2) */
    READ_START_LF,
    READ_FIRST, /* the first byte of the request line */
    READ_METHOD,
    READ_TARGET,
    READ_VERSION,
    READ_LINE_LF,
    READ_FIELD, /* the first byte of a field line, or the end */
    READ_NAME,
    READ_BLANK, /* between the colon and the value */
    READ_VALUE,
    READ_VALUE_LF,
    READ_END_LF,
    READ_DONE,
    READ_REFUSED,
};

static const char *const method_names[HTTP_METHOD_N] = {
#define X(name) #name,
    HTTP_METHODS(X)
#undef X
};

const char *http_method_name(enum http_method method)
{
    return method < HTTP_METHOD_N ? method_names[method] : "?";
}

struct str http_span_str(struct http_span span, struct str text)
{
    return str_slice(text, span.at, (size_t)span.at + span.n);
}

void http_reader_init(struct http_reader *r, const struct http_reader_limits *limits)
{
    memset(r, 0, sizeof *r);
    r->limits = *limits;
    if (r->limits.fields_n > HTTP_FIELDS_MAX)
        r->limits.fields_n = HTTP_FIELDS_MAX;
    r->state = READ_START;
}

size_t http_reader_used(const struct http_reader *r)
{
    return r->at;
}

int http_reader_status(const struct http_reader *r)
{
    return r->status;
}

const char *http_reader_why(const struct http_reader *r)
{
    return r->why != NULL ? r->why : "";
}

enum http_read http_reader_refuse(struct http_reader *r, int status, const char *why)
{
    r->status = status;
    r->why = why;
    r->state = READ_REFUSED;
    return HTTP_READ_REFUSED;
}

static bool refuse(struct http_reader *r, int status, const char *why)
{
    (void)http_reader_refuse(r, status, why);
    return false;
}

static struct http_span span_to(const struct http_reader *r, size_t end)
{
    return (struct http_span){(uint32_t)r->mark, (uint32_t)(end - r->mark)};
}

static bool on_method_end(struct http_reader *r, struct http_head *head, struct str word)
{
    for (unsigned i = 0; i < HTTP_METHOD_N; i++) {
        if (str_eq_text(word, method_names[i])) {
            head->method = (enum http_method)i;
            r->state = READ_TARGET;
            r->mark = r->at + 1;
            return true;
        }
    }
    return refuse(r, 501, "The method is not known.");
}

static bool on_method_byte(struct http_reader *r, struct http_head *head, struct str in)
{
    char c = in.p[r->at];
    if (c == ' ' && r->at > r->mark)
        return on_method_end(r, head, str_slice(in, r->mark, r->at));
    if (!http_byte_is(c, HTTP_BYTE_TOKEN))
        return refuse(r, 400, "The request line is malformed.");
    if (r->at - r->mark >= HTTP_METHOD_MAX)
        return refuse(r, 501, "The method is not known.");
    return true;
}

static bool on_target_end(struct http_reader *r, struct http_head *head)
{
    if (r->at == r->mark)
        return refuse(r, 400, "The request target is missing.");
    if (head->query.at != 0)
        head->query.n = (uint32_t)(r->at - head->query.at);
    else
        head->target = span_to(r, r->at);
    r->mark = r->at + 1;
    r->state = READ_VERSION;
    return true;
}

static bool on_target_byte(struct http_reader *r, struct http_head *head, struct str in)
{
    char c = in.p[r->at];
    size_t n = r->at - r->mark;
    if (c == ' ')
        return on_target_end(r, head);
    if (!http_byte_is(c, HTTP_BYTE_TARGET))
        return refuse(r, 400, "The request target holds a byte that is not allowed.");
    if (n >= r->limits.target_bytes)
        return refuse(r, 414, "The request target is too long.");
    if (n == 0 && c != '/' && !(c == '*' && head->method == HTTP_OPTIONS))
        return refuse(r, 400, "The request target must begin with a slash.");
    if (n == 1 && in.p[r->mark] == '*')
        return refuse(r, 400, "The request target is malformed.");
    if (c == '?' && head->query.at == 0) {
        head->target = span_to(r, r->at);
        head->query.at = (uint32_t)r->at + 1;
    }
    return true;
}

static bool on_version_byte(struct http_reader *r, struct http_head *head, char c)
{
    static const char pattern[] = "HTTP/d.d\r";
    size_t n = r->at - r->mark;
    bool is_digit = c >= '0' && c <= '9';
    if (pattern[n] == 'd' ? !is_digit : c != pattern[n])
        return refuse(r, 400, "The protocol version is malformed.");
    if (n == 5)
        head->minor = c == '1' ? 0 : 10; /* 10: some other major version */
    if (n == 7)
        head->minor += (unsigned)(c - '0');
    if (c != '\r')
        return true;
    if (head->minor > 1)
        return refuse(r, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    r->state = READ_LINE_LF;
    return true;
}

static bool on_length(struct http_reader *r, struct http_head *head, struct str value)
{
    if (head->framing == HTTP_BODY_CHUNKED)
        return refuse(r, 400, "Content-Length and Transfer-Encoding together are not allowed.");
    if (head->framing == HTTP_BODY_LENGTH)
        return refuse(r, 400, "Content-Length may stand only once.");
    if (value.n > HTTP_LENGTH_DIGITS_MAX || !str_parse_u64(value, INT64_MAX, &head->length))
        return refuse(r, 400, "Content-Length must be a decimal number of at most 18 digits.");
    head->framing = HTTP_BODY_LENGTH;
    return true;
}

static bool on_coding(struct http_reader *r, struct http_head *head, struct str value)
{
    if (head->framing != HTTP_BODY_NONE)
        return refuse(r, 400, "Transfer-Encoding may stand only once, and not with Content-Length.");
    if (head->minor == 0)
        return refuse(r, 400, "Transfer-Encoding is not part of HTTP/1.0.");
    if (!str_eq_nocase(value, STR("chunked")))
        return refuse(r, 501, "The only transfer coding known here is chunked.");
    head->framing = HTTP_BODY_CHUNKED;
    return true;
}

static bool on_host(struct http_reader *r, struct http_head *head, struct str in, struct http_span span)
{
    struct str value = http_span_str(span, in);
    if (head->host.at != 0)
        return refuse(r, 400, "Host may stand only once.");
    if (value.n == 0)
        return refuse(r, 400, "Host must not be empty.");
    for (size_t i = 0; i < value.n; i++) {
        if (!http_byte_is(value.p[i], HTTP_BYTE_HOST))
            return refuse(r, 400, "Host holds a byte that is not allowed.");
    }
    head->host = span;
    return true;
}

static bool on_connection(struct http_head *head, struct str value)
{
    struct str rest = value;
    struct str part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_eq_nocase(part, STR("close")))
            head->wish = HTTP_WISH_CLOSE;
        else if (str_eq_nocase(part, STR("keep-alive")) && head->wish == HTTP_WISH_NONE)
            head->wish = HTTP_WISH_KEEP_ALIVE;
    }
    return true;
}

static bool on_expect(struct http_reader *r, struct http_head *head, struct str value)
{
    if (!str_eq_nocase(value, STR("100-continue")))
        return refuse(r, 417, "The only expectation known here is 100-continue.");
    head->expects_continue = head->minor == 1; /* RFC 9110 10.1.1: ignored from an HTTP/1.0 client */
    return true;
}

/* The fields that decide where the request ends or whom it is for; all others are the handlers' business. */
static bool on_field(struct http_reader *r, struct http_head *head, struct str in)
{
    const struct http_field *field = &head->fields[head->fields_n++];
    struct str name = http_span_str(field->name, in);
    struct str value = http_span_str(field->value, in);
    if (str_eq_nocase(name, STR("Host")))
        return on_host(r, head, in, field->value);
    if (str_eq_nocase(name, STR("Content-Length")))
        return on_length(r, head, value);
    if (str_eq_nocase(name, STR("Transfer-Encoding")))
        return on_coding(r, head, value);
    if (str_eq_nocase(name, STR("Connection")))
        return on_connection(head, value);
    if (str_eq_nocase(name, STR("Expect")))
        return on_expect(r, head, value);
    return true;
}

static bool on_field_first(struct http_reader *r, const struct http_head *head, char c)
{
    if (c == '\r') {
        r->state = READ_END_LF;
        return true;
    }
    if (c == ' ' || c == '\t')
        return refuse(r, 400, "Folded field lines are not allowed.");
    if (!http_byte_is(c, HTTP_BYTE_TOKEN))
        return refuse(r, 400, "A field name holds a byte that is not allowed.");
    if (head->fields_n >= r->limits.fields_n)
        return refuse(r, 431, "There are too many header fields.");
    r->mark = r->at;
    r->state = READ_NAME;
    return true;
}

static bool on_name_byte(struct http_reader *r, struct http_head *head, char c)
{
    if (http_byte_is(c, HTTP_BYTE_TOKEN))
        return true;
    if (c != ':')
        return refuse(r, 400, "A field name holds a byte that is not allowed.");
    head->fields[head->fields_n].name = span_to(r, r->at);
    r->state = READ_BLANK;
    return true;
}

static bool on_value_byte(struct http_reader *r, struct http_head *head, char c)
{
    bool is_blank = c == ' ' || c == '\t';
    if (r->state == READ_BLANK) {
        if (is_blank)
            return true;
        r->mark = r->at;
        r->end = r->at;
        r->state = READ_VALUE;
    }
    if (c == '\r') {
        head->fields[head->fields_n].value = span_to(r, r->end);
        r->state = READ_VALUE_LF;
        return true;
    }
    if (!http_byte_is(c, HTTP_BYTE_VALUE))
        return refuse(r, 400, "A field value holds a byte that is not allowed.");
    if (!is_blank)
        r->end = r->at + 1;
    return true;
}

static bool on_end(struct http_reader *r, const struct http_head *head)
{
    if (head->minor == 1 && head->host.at == 0)
        return refuse(r, 400, "Host is missing.");
    r->state = READ_DONE;
    return false;
}

static bool on_line_feed(struct http_reader *r, struct http_head *head, struct str in)
{
    if (in.p[r->at] != '\n')
        return refuse(r, 400, "A line must end with CR LF.");
    enum reader_state state = (enum reader_state)r->state;
    if (state == READ_END_LF)
        return on_end(r, head);
    r->state = state == READ_START_LF ? READ_FIRST : READ_FIELD;
    r->mark = r->at + 1;
    return state != READ_VALUE_LF || on_field(r, head, in);
}

/* One byte at r->at. False: there is a verdict. */
static bool on_byte(struct http_reader *r, struct http_head *head, struct str in)
{
    char c = in.p[r->at];
    switch ((enum reader_state)r->state) {
    case READ_START:
        r->state = c == '\r' ? READ_START_LF : READ_METHOD;
        return c == '\r' || on_method_byte(r, head, in);
    case READ_FIRST:
        r->state = READ_METHOD;
        return on_method_byte(r, head, in);
    case READ_METHOD:
        return on_method_byte(r, head, in);
    case READ_TARGET:
        return on_target_byte(r, head, in);
    case READ_VERSION:
        return on_version_byte(r, head, c);
    case READ_FIELD:
        return on_field_first(r, head, c);
    case READ_NAME:
        return on_name_byte(r, head, c);
    case READ_BLANK:
    case READ_VALUE:
        return on_value_byte(r, head, c);
    case READ_START_LF:
    case READ_LINE_LF:
    case READ_VALUE_LF:
    case READ_END_LF:
        return on_line_feed(r, head, in);
    case READ_DONE:
    case READ_REFUSED:
        break;
    }
    return false;
}

enum http_read http_reader_head(struct http_reader *r, struct http_head *head, struct str bytes)
{
    if (r->at == 0 && r->state == READ_START)
        memset(head, 0, sizeof *head);
    size_t end = bytes.n < r->limits.head_bytes ? bytes.n : r->limits.head_bytes;
    while (r->at < end && on_byte(r, head, bytes))
        r->at++;
    if (r->state == READ_REFUSED)
        return HTTP_READ_REFUSED;
    if (r->state == READ_DONE) {
        r->at++; /* the last LF is part of the head */
        return HTTP_READ_HEAD;
    }
    if (r->at < r->limits.head_bytes)
        return HTTP_READ_MORE;
    return http_reader_refuse(r, 431, "The request's head is too long.");
}
