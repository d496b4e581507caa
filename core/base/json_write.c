// SPDX-License-Identifier: MIT
/* The JSON generator: yajl_gen for the text, and around it the checks yajl does not make. yajl_gen 2.1 lets a map be
 * closed as an array and after a key without value, checks UTF-8 only roughly, writes bad text for doubles, and hands
 * out its buffer after a refused value; so the nesting, the bytes and the first failure are kept here. */
#include "core/base/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "core/base/buf.h"
#include "core/base/wall.h"
#include "core/base/xmem.h"

enum { MAX_DEPTH = 100 }; /* under yajl_gen's 127; json_read allows 64 */

/* What may be written next. */
enum place { PLACE_ROOT, PLACE_ELEMENT, PLACE_KEY, PLACE_MEMBER, PLACE_END };

struct json_writer {
    yajl_gen gen;
    struct buf out;
    const char *fault; /* the first thing refused; NULL: none */
    enum place places[MAX_DEPTH + 1];
    size_t depth;
};

static void on_print(void *arg, const char *text, size_t n)
{
    struct json_writer *w = arg;
    buf_add(&w->out, text, n);
}

static void start_gen(struct json_writer *w)
{
    w->gen = yajl_gen_alloc(NULL);
    if (w->gen == NULL)
        abort(); /* only out of memory */
    yajl_gen_config(w->gen, yajl_gen_print_callback, on_print, w);
    yajl_gen_config(w->gen, yajl_gen_validate_utf8, 1);
    w->fault = NULL;
    w->depth = 0;
    w->places[0] = PLACE_ROOT;
}

struct json_writer *jw_new(size_t ceiling_bytes)
{
    struct json_writer *w = xcalloc(1, sizeof(*w));
    buf_init(&w->out, ceiling_bytes);
    start_gen(w);
    return w;
}

void jw_free(struct json_writer *w)
{
    if (w == NULL)
        return;
    yajl_gen_free(w->gen);
    buf_fini(&w->out);
    free(w);
}

void jw_reset(struct json_writer *w)
{
    yajl_gen_free(w->gen);
    buf_clear(&w->out);
    start_gen(w);
}

static void refuse(struct json_writer *w, const char *fault)
{
    if (w->fault == NULL)
        w->fault = fault;
}

static void check(struct json_writer *w, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        refuse(w, "the generator refused a value");
}

/* True when a value may be written here; moves the place on. */
static bool begin_value(struct json_writer *w)
{
    enum place *place = &w->places[w->depth];
    if (*place == PLACE_KEY)
        refuse(w, "a value stands where a key must");
    else if (*place == PLACE_END)
        refuse(w, "a second value at the top");
    if (w->fault != NULL)
        return false;
    if (*place == PLACE_MEMBER)
        *place = PLACE_KEY;
    else if (*place == PLACE_ROOT)
        *place = PLACE_END;
    return true;
}

static bool push(struct json_writer *w, enum place inside)
{
    if (!begin_value(w))
        return false;
    if (w->depth == MAX_DEPTH) {
        refuse(w, "nested too deeply");
        return false;
    }
    w->places[++w->depth] = inside;
    return true;
}

static bool pop(struct json_writer *w, enum place inside)
{
    if (w->depth == 0 || w->places[w->depth] != inside)
        refuse(w, "an object or array is closed where none can be");
    if (w->fault != NULL)
        return false;
    w->depth--;
    return true;
}

void jw_object(struct json_writer *w)
{
    if (push(w, PLACE_KEY))
        check(w, yajl_gen_map_open(w->gen));
}

void jw_object_end(struct json_writer *w)
{
    if (pop(w, PLACE_KEY))
        check(w, yajl_gen_map_close(w->gen));
}

void jw_array(struct json_writer *w)
{
    if (push(w, PLACE_ELEMENT))
        check(w, yajl_gen_array_open(w->gen));
}

void jw_array_end(struct json_writer *w)
{
    if (pop(w, PLACE_ELEMENT))
        check(w, yajl_gen_array_close(w->gen));
}

static void write_text(struct json_writer *w, struct str text)
{
    if (!str_is_utf8(text)) {
        refuse(w, "a text is not UTF-8");
        return;
    }
    check(w, yajl_gen_string(w->gen, (const unsigned char *)(text.n > 0 ? text.p : ""), text.n));
}

void jw_key_str(struct json_writer *w, struct str key)
{
    if (w->places[w->depth] != PLACE_KEY)
        refuse(w, "a key stands where a value must");
    if (w->fault != NULL)
        return;
    w->places[w->depth] = PLACE_MEMBER;
    write_text(w, key);
}

void jw_key(struct json_writer *w, const char *key)
{
    jw_key_str(w, str_from(key));
}

void jw_str(struct json_writer *w, struct str value)
{
    if (value.p == NULL)
        jw_null(w);
    else if (begin_value(w))
        write_text(w, value);
}

void jw_text(struct json_writer *w, const char *value)
{
    jw_str(w, str_from(value));
}

void jw_int(struct json_writer *w, int64_t value)
{
    if (begin_value(w))
        check(w, yajl_gen_integer(w->gen, value));
}

void jw_double(struct json_writer *w, double value)
{
    if (!isfinite(value))
        refuse(w, "a number is not finite");
    if (!begin_value(w))
        return;
    char text[32];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) { /* 17 always read back the same (IEEE 754 double) */
        n = snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    check(w, yajl_gen_number(w->gen, text, (size_t)n));
}

void jw_bool(struct json_writer *w, bool value)
{
    if (begin_value(w))
        check(w, yajl_gen_bool(w->gen, value));
}

void jw_null(struct json_writer *w)
{
    if (begin_value(w))
        check(w, yajl_gen_null(w->gen));
}

/* yajl_gen_number writes its bytes as they are. */
void jw_raw(struct json_writer *w, struct str json)
{
    if (json.n == 0)
        refuse(w, "a raw value is empty");
    if (begin_value(w))
        check(w, yajl_gen_number(w->gen, json.p, json.n));
}

static void jw_time(struct json_writer *w, int64_t wall_ms)
{
    char text[WALL_TEXT_SIZE];
    if (wall_ms < 0) {
        jw_null(w);
        return;
    }
    wall_format(wall_ms, text);
    jw_text(w, text);
}

void jw_kv_str(struct json_writer *w, const char *key, struct str value)
{
    jw_key(w, key);
    jw_str(w, value);
}

void jw_kv_text(struct json_writer *w, const char *key, const char *value)
{
    jw_key(w, key);
    jw_text(w, value);
}

void jw_kv_int(struct json_writer *w, const char *key, int64_t value)
{
    jw_key(w, key);
    jw_int(w, value);
}

void jw_kv_bool(struct json_writer *w, const char *key, bool value)
{
    jw_key(w, key);
    jw_bool(w, value);
}

void jw_kv_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
    jw_key(w, key);
    jw_time(w, wall_ms);
}

bool jw_finish(struct json_writer *w, struct str *ret_json, struct err *reterr)
{
    if (w->depth != 0 || w->places[0] != PLACE_END)
        refuse(w, "the document is not complete");
    if (w->fault != NULL)
        return err_set(reterr, ERR_BUG, __func__, "JSON could not be written: %s", w->fault);
    if (w->out.is_over)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "JSON is larger than %zu bytes", w->out.ceiling_bytes);
    const char *text = buf_text(&w->out);
    *ret_json = (struct str){text, w->out.n};
    return true;
}
