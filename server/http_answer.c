// SPDX-License-Identifier: MIT
/* Heads and bodies of answers. The fields every answer carries (the browser's security, caching, the request's id)
 * stand in one table here, so that parser errors have them as well; a handler that sets one of them replaces it. */
#include <string.h>

#include "core/base/json_write.h"
#include "core/base/log.h"
#include "server/http_bytes.h"
#include "server/http_conn.h"
#include "server/http_etag.h"

/* Source: OWASP ASVS 5.0 chapter 3.4; the policy suits a page that brings its own scripts, styles and pictures. */
static const struct default_field {
    const char *name;
    const char *value;
    bool is_for_tls; /* means something by TLS alone */
} default_fields[] = {
    {"Cache-Control",              "no-store",                            false},
    {"X-Content-Type-Options",     "nosniff",                             false},
    {"Referrer-Policy",            "no-referrer",                         false},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src "
     "'self'; "
     "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",       false},
    {"Cross-Origin-Opener-Policy", "same-origin",                         false},
    {"Strict-Transport-Security",  "max-age=31536000; includeSubDomains", true },
};

enum { DEFAULT_FIELDS_N = sizeof default_fields / sizeof *default_fields };

/* RFC 9110 section 15 and the codes of RFC 6585 in use here. */
static const struct reason {
    int status;
    const char *text;
} reasons[] = {
    {200, "OK"                             },
    {201, "Created"                        },
    {202, "Accepted"                       },
    {204, "No Content"                     },
    {206, "Partial Content"                },
    {301, "Moved Permanently"              },
    {302, "Found"                          },
    {303, "See Other"                      },
    {304, "Not Modified"                   },
    {307, "Temporary Redirect"             },
    {308, "Permanent Redirect"             },
    {400, "Bad Request"                    },
    {401, "Unauthorized"                   },
    {403, "Forbidden"                      },
    {404, "Not Found"                      },
    {405, "Method Not Allowed"             },
    {406, "Not Acceptable"                 },
    {408, "Request Timeout"                },
    {409, "Conflict"                       },
    {410, "Gone"                           },
    {411, "Length Required"                },
    {412, "Precondition Failed"            },
    {413, "Content Too Large"              },
    {414, "URI Too Long"                   },
    {415, "Unsupported Media Type"         },
    {417, "Expectation Failed"             },
    {422, "Unprocessable Content"          },
    {426, "Upgrade Required"               },
    {428, "Precondition Required"          },
    {429, "Too Many Requests"              },
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"          },
    {500, "Internal Server Error"          },
    {501, "Not Implemented"                },
    {502, "Bad Gateway"                    },
    {503, "Service Unavailable"            },
    {504, "Gateway Timeout"                },
    {505, "HTTP Version Not Supported"     },
};

const char *http_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Unknown";
}

static bool is_field_value(struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (!http_byte_is(value.p[i], HTTP_BYTE_VALUE))
            return false;
    }
    return true;
}

static void add_field(struct buf *out, const char *name, struct str value)
{
    buf_add_text(out, name);
    buf_add(out, ": ", 2);
    buf_add_str(out, value);
    buf_add(out, "\r\n", 2);
}

void http_add_header(struct http_exchange *x, const char *name, struct str value)
{
    if (!is_field_value(value)) {
        LOG(ERROR, "http header left out: bad value", KV("name", name), KV("request", x->request_id));
        return;
    }
    for (unsigned i = 0; i < DEFAULT_FIELDS_N; i++) {
        if (str_eq_nocase(str_from(name), str_from(default_fields[i].name)))
            x->overridden |= 1U << i;
    }
    add_field(&x->fields, name, value);
}

/* The body that is still to come, as far as it is here already, is passed over; a body that is not is the reason to
 * close the connection: its bytes must never be read as a request. */
static bool body_is_behind(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    if (x->progress == PROGRESS_HEAD)
        return false;
    if (x->progress == PROGRESS_COMPLETE)
        return true;
    if (x->progress == PROGRESS_ASKED)
        http_reader_begin_body(&x->reader, &x->head);
    enum http_read verdict = HTTP_READ_PIECE;
    while (verdict == HTTP_READ_PIECE) {
        struct str piece;
        size_t used = 0;
        verdict = http_reader_body(&x->reader, buf_str(&c->in), &used, &piece);
        buf_drop(&c->in, used);
    }
    if (verdict == HTTP_READ_END)
        x->progress = PROGRESS_COMPLETE;
    return verdict == HTTP_READ_END;
}

static bool decide_to_go_on(struct http_exchange *x, enum http_length kind)
{
    const struct http_conn *c = x->conn;
    bool is_wished = x->head.minor == 1 ? x->head.wish != HTTP_WISH_CLOSE : x->head.wish == HTTP_WISH_KEEP_ALIVE;
    bool is_behind = body_is_behind(x);
    return is_behind && is_wished && !x->must_close && !c->shared->is_draining && kind != LENGTH_UNTIL_CLOSE;
}

static void add_default_fields(struct http_exchange *x, struct buf *out)
{
    bool is_secure = http_is_secure(x);
    for (unsigned i = 0; i < DEFAULT_FIELDS_N; i++) {
        const struct default_field *field = &default_fields[i];
        if ((x->overridden & 1U << i) == 0 && (is_secure || !field->is_for_tls))
            add_field(out, field->name, str_from(field->value));
    }
    add_field(out, "X-Request-Id", str_from(x->request_id));
}

bool answer_begin(struct http_exchange *x, int status, const char *content_type, enum http_length kind, size_t length)
{
    struct http_conn *c = x->conn;
    struct http_shared *s = c->shared;
    struct buf *out = &c->out;
    bool goes_on = decide_to_go_on(x, kind);
    out->ceiling_bytes = HTTP_ANSWER_CEILING_BYTES;
    buf_addf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    add_field(out, "Date", str_from(http_shared_date(s)));
    if (s->server_name != NULL)
        add_field(out, "Server", str_from(s->server_name));
    if (!s->is_bare)
        add_default_fields(x, out);
    if (content_type != NULL)
        add_field(out, "Content-Type", str_from(content_type));
    buf_add_str(out, buf_str(&x->fields));
    if (kind == LENGTH_KNOWN)
        buf_addf(out, "Content-Length: %zu\r\n", length);
    if (kind == LENGTH_CHUNKED)
        add_field(out, "Transfer-Encoding", STR("chunked"));
    if (!goes_on)
        add_field(out, "Connection", STR("close"));
    else if (x->head.minor == 0)
        add_field(out, "Connection", STR("keep-alive"));
    buf_add(out, "\r\n", 2);
    x->must_close = !goes_on;
    x->status = status;
    x->on_gone = NULL;
    if (x->fields.is_over)
        LOG(ERROR, "http answer: too many header bytes", KV("request", x->request_id));
    return goes_on;
}

/* False: there is an answer already, which is a bug of the caller. */
static bool may_answer(const struct http_exchange *x)
{
    if (x->answered == ANSWER_NONE && !x->hold.is_full)
        return true;
    LOG(ERROR, "http request answered twice", KV("request", x->request_id), KV("status", x->status));
    return false;
}

/* Writes the head. True: the body follows. */
static bool begin_whole(struct http_exchange *x, int status, const char *content_type, size_t body_n)
{
    bool has_body = status >= 200 && status != 204 && status != 304;
    answer_begin(x, status, content_type, has_body ? LENGTH_KNOWN : LENGTH_NONE, body_n);
    x->answered = ANSWER_WHOLE;
    conn_wake(x->conn);
    return has_body && x->head.method != HTTP_HEAD;
}

/* True: somebody wants to see it first. */
static bool hold_back(struct http_exchange *x, int status, const char *content_type, struct str body)
{
    struct hold *h = &x->hold;
    void (*on_answer)(void *arg, const struct http_held *answer) = h->on_answer;
    if (on_answer == NULL)
        return false;
    h->on_answer = NULL;
    h->is_full = true;
    h->answer =
        (struct http_held){status, arena_dup_str(x->arena, str_from(content_type)),
                           arena_dup_str(x->arena, buf_str(&x->fields)), arena_dup_str(x->arena, body), x->is_private};
    x->on_gone = NULL;
    on_answer(h->arg, &h->answer);
    return true;
}

static void send_whole(struct http_exchange *x, int status, const char *content_type, struct str body)
{
    if (begin_whole(x, status, content_type, body.n))
        buf_add_str(&x->conn->out, body);
}

void http_release(struct http_exchange *x)
{
    struct http_held a = x->hold.answer;
    x->hold = (struct hold){0};
    send_whole(x, a.status, str_is_none(a.content_type) ? NULL : a.content_type.p, a.body);
}

void http_answer(struct http_exchange *x, int status, const char *content_type, struct str body)
{
    if (may_answer(x) && !hold_back(x, status, content_type, body))
        send_whole(x, status, content_type, body);
}

void http_answer_static(struct http_exchange *x, int status, const char *content_type, struct str body)
{
    if (may_answer(x) && !hold_back(x, status, content_type, body) && begin_whole(x, status, content_type, body.n))
        x->conn->tail = body;
}

void http_answer_document(struct http_exchange *x, int status, struct str json)
{
    char etag[HTTP_ETAG_SIZE];
    bool is_read = status == 200 && (x->head.method == HTTP_GET || x->head.method == HTTP_HEAD);
    if (is_read) {
        http_etag(json, etag);
        http_add_header(x, "ETag", str_from(etag));
    }
    if (is_read && http_etag_is_known(x, etag))
        http_answer(x, 304, NULL, STR(""));
    else
        http_answer(x, status, "application/json", json);
}

void http_answer_json(struct http_exchange *x, int status, struct json_writer *w)
{
    struct err err;
    struct str json;
    if (jw_finish(w, &json, &err))
        http_answer_document(x, status, json);
    else
        http_answer_err(x, &err);
    jw_free(w);
}
