// SPDX-License-Identifier: MIT
/* The HTTP reader on any bytes: a stream of requests is read the same however it is cut, ceilings hold, and what a head
 * tells lies within it. The first byte chooses the cut. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "server/http_path.h"
#include "server/http_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOTES_CEILING_BYTES = 64 * 1024 * 1024, REQUESTS_MAX = 1000 };

/* Small, so that the fuzzer reaches them. */
static const struct http_reader_limits limits = {.head_bytes = 1024, .fields_n = 16, .target_bytes = 200};

static void check_span(struct http_span span, size_t head_n)
{
    assert(span.at <= head_n && span.n <= head_n - span.at);
}

static void check_path(struct str target)
{
    struct arena *a = arena_new();
    struct str path;
    const char *why = NULL;
    if (http_path_decode(a, target, &path, &why)) {
        assert(path.n <= target.n && str_is_utf8(path));
        assert(str_find(path, '\0', 0) == path.n && str_find(path, '\\', 0) == path.n);
        assert(str_find_str(path, STR("//")) == path.n && str_find_str(path, STR("/../")) == path.n);
        assert(!str_ends(path, STR("/..")) && !str_ends(path, STR("/.")));
    } else {
        assert(why != NULL);
    }
    arena_free(a);
}

static void check_query(struct str query)
{
    struct arena *a = arena_new();
    struct str value;
    const char *why = NULL;
    if (http_query_check(a, query, &why) && http_query_get(a, query, "a", &value))
        assert(str_is_utf8(value) && str_find(value, '\0', 0) == value.n);
    arena_free(a);
}

static void note_head(const struct http_head *head, struct str text, struct buf *notes)
{
    assert(text.n <= limits.head_bytes && head->fields_n <= limits.fields_n);
    assert(head->target.n <= limits.target_bytes && head->target.n > 0);
    check_span(head->target, text.n);
    check_span(head->query, text.n);
    buf_addf(notes, "%d %.*s %d %llu\n", (int)head->method, STR_ARG(http_span_str(head->target, text)),
             (int)head->framing, (unsigned long long)head->length);
    for (unsigned i = 0; i < head->fields_n; i++) {
        check_span(head->fields[i].name, text.n);
        check_span(head->fields[i].value, text.n);
        buf_add_str(notes, http_span_str(head->fields[i].name, text));
        buf_add_byte(notes, ':');
        buf_add_str(notes, http_span_str(head->fields[i].value, text));
        buf_add_byte(notes, '\n');
    }
    check_path(http_span_str(head->target, text));
    if (head->query.at != 0)
        check_query(http_span_str(head->query, text));
}

/* Reads one request; `step` bytes more each time the reader asks for more. False: the stream is over. */
static bool read_one(struct str bytes, size_t step, size_t *at, struct buf *notes)
{
    struct http_reader r;
    struct http_head head;
    size_t have = *at;
    enum http_read verdict = HTTP_READ_MORE;
    http_reader_init(&r, &limits);
    while (verdict == HTTP_READ_MORE && have < bytes.n) {
        have = step < bytes.n - have ? have + step : bytes.n;
        verdict = http_reader_head(&r, &head, str_slice(bytes, *at, have));
    }
    size_t head_n = http_reader_used(&r);
    assert(head_n <= have - *at);
    if (verdict == HTTP_READ_HEAD) {
        note_head(&head, str_slice(bytes, *at, *at + head_n), notes);
        http_reader_begin_body(&r, &head);
        *at += head_n;
        size_t body_n = 0;
        do {
            struct str piece;
            size_t used = 0;
            verdict = http_reader_body(&r, str_slice(bytes, *at, have), &used, &piece);
            assert(used <= have - *at && piece.n <= used);
            buf_add_str(notes, piece);
            body_n += piece.n;
            *at += used;
            if (verdict == HTTP_READ_MORE && have < bytes.n)
                have = step < bytes.n - have ? have + step : bytes.n;
            else if (verdict == HTTP_READ_MORE)
                break;
        } while (verdict == HTTP_READ_MORE || verdict == HTTP_READ_PIECE);
        assert(verdict != HTTP_READ_END || head.framing != HTTP_BODY_LENGTH || body_n == head.length);
    }
    buf_addf(notes, "\n=%d %d\n", (int)verdict, http_reader_status(&r));
    assert((verdict == HTTP_READ_REFUSED) == (http_reader_status(&r) >= 400));
    return verdict == HTTP_READ_END;
}

static void read_all(struct str bytes, size_t step, struct buf *notes)
{
    size_t at = 0;
    for (int i = 0; i < REQUESTS_MAX && at < bytes.n && read_one(bytes, step, &at, notes); i++)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str bytes = {(const char *)data + 1, size - 1};
    struct buf whole;
    struct buf cut;
    buf_init(&whole, NOTES_CEILING_BYTES);
    buf_init(&cut, NOTES_CEILING_BYTES);
    read_all(bytes, SIZE_MAX, &whole);
    read_all(bytes, (size_t)data[0] % 31 + 1, &cut);
    assert(str_eq(buf_str(&whole), buf_str(&cut)));
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
