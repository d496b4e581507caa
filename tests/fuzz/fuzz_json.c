// SPDX-License-Identifier: MIT
/* json_parse and json_stream on any bytes. What json_parse accepts is written and read again without change; a stream
 * gives the same however its bytes are cut, and for one value the same as json_parse. The first byte chooses the cut.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CEILING_BYTES = 4 * 1024 * 1024 };

static const struct json_limits limits = {.max_bytes = CEILING_BYTES, .max_depth = 64, .max_nodes = 5000};
static const struct json_limits skipping = {
    .max_bytes = CEILING_BYTES, .max_depth = 64, .max_nodes = 5000, .skip_key = "managedFields"};

/* Escapes make a text at most six times as long. */
static void write_value(const struct json_value *v, struct buf *out)
{
    struct json_writer *w = jw_new(6 * (size_t)CEILING_BYTES);
    struct str json;
    struct err err;
    json_copy_to(v, w);
    bool is_written = jw_finish(w, &json, &err);
    assert(is_written);
    buf_add_str(out, json);
    buf_add_byte(out, '\n');
    jw_free(w);
}

/* True when accepted; *ret_text is what json_copy_to makes of it. */
static bool parse(struct str bytes, struct buf *ret_text)
{
    struct arena *a = arena_new();
    struct err err = {0};
    const struct json_value *v = json_parse(a, bytes, &limits, &err);
    if (v != NULL)
        write_value(v, ret_text);
    else
        assert((err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE) && str_is_utf8(str_from(err.msg)));
    arena_free(a);
    return v != NULL;
}

struct items {
    struct buf text;
    size_t n;
    bool is_ok;
};

static bool on_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct items *items = arg;
    (void)reterr;
    write_value(item, &items->text);
    items->n++;
    return true;
}

static struct items stream(struct str bytes, const char *key, const struct json_limits *of_item, size_t step)
{
    struct items items = {0};
    struct err err = {0};
    const struct json_value *rest = NULL;
    buf_init(&items.text, SIZE_MAX / 2);
    struct json_stream *s = json_stream_new(key, of_item, on_item, &items);
    items.is_ok = true;
    for (size_t at = 0; items.is_ok && at < bytes.n; at += step)
        items.is_ok = json_stream_feed(s, str_slice(bytes, at, at + step), &err);
    items.is_ok = items.is_ok && json_stream_finish(s, &rest, &err);
    assert(items.is_ok || err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE);
    if (items.is_ok)
        write_value(rest, &items.text);
    json_stream_free(s);
    return items;
}

/* Whatever the cut, the same items come before the same end. */
static void check_cuts(struct str bytes, const char *key, const struct json_limits *of_item, size_t step)
{
    struct items whole = stream(bytes, key, of_item, bytes.n + 1);
    struct items cut = stream(bytes, key, of_item, step);
    assert(whole.is_ok == cut.is_ok && whole.n == cut.n);
    assert(str_eq(buf_str(&whole.text), buf_str(&cut.text)));
    buf_fini(&whole.text);
    buf_fini(&cut.text);
}

static void check_parse(struct str bytes, size_t step)
{
    struct buf first;
    struct buf second;
    buf_init(&first, SIZE_MAX / 2);
    buf_init(&second, SIZE_MAX / 2);
    bool is_accepted = parse(bytes, &first);
    struct items items = stream(bytes, NULL, &limits, step);
    assert(is_accepted == (items.is_ok && items.n == 1));
    if (is_accepted) {
        bool is_accepted_again = parse(buf_str(&first), &second);
        assert(is_accepted_again && str_eq(buf_str(&first), buf_str(&second)));
        buf_add_text(&second, "null\n"); /* a stream of values has no rest */
        assert(str_eq(buf_str(&items.text), buf_str(&second)));
    }
    buf_fini(&items.text);
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > CEILING_BYTES)
        return 0;
    size_t step = (size_t)data[0] % 16 + 1;
    struct str bytes = {(const char *)data + 1, size - 1};
    check_parse(bytes, step);
    check_cuts(bytes, NULL, &skipping, step);
    check_cuts(bytes, "items", &skipping, step);
    return 0;
}
