// SPDX-License-Identifier: MIT
/* yajl's SAX parser behind events of our own, with every text checked, and json_parse on top of it. Streams are in
 * json_stream.c, the tree in json_build.c. */
#include "core/base/json_read.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "core/base/json_private.h"
#include "core/base/xmem.h"

enum { MIB = 1024 * 1024 };

const struct json_limits JSON_LIMITS_BODY = {.max_bytes = MIB, .max_depth = 64, .max_nodes = 20000};
const struct json_limits JSON_LIMITS_KUBE = {
    .max_bytes = 16 * MIB, .max_depth = 64, .max_nodes = 1000000, .skip_key = "managedFields"};

struct json_sax {
    yajl_handle yajl;
    enum json_values values;
    json_on_event *on_event;
    void *arg;
    struct json_scan scan;
    struct str chunk;  /* being parsed */
    uint64_t chunk_at; /* bytes before it */
    uint64_t last_at;  /* the end of the last event's token */
    uint64_t line;     /* complete lines before the chunk */
    uint64_t line_at;  /* bytes before the line that the chunk continues */
    struct err fault;  /* what stopped the parser from inside a callback */
};

/* ---- position ---- */

static uint64_t position(const struct json_sax *sax)
{
    return sax->chunk_at + yajl_get_bytes_consumed(sax->yajl);
}

/* Counts the lines of the chunk up to `at`, its index. */
static void count_lines(struct json_sax *sax, size_t at)
{
    struct str part = str_slice(sax->chunk, 0, at);
    for (size_t i = str_find(part, '\n', 0); i < part.n; i = str_find(part, '\n', i + 1)) {
        sax->line++;
        sax->line_at = sax->chunk_at + i + 1;
    }
}

static bool place_error(const struct json_sax *sax, size_t at, struct err *err)
{
    struct json_sax here = *sax;
    struct err old = *err;
    count_lines(&here, at);
    uint64_t column = sax->chunk_at + at - here.line_at;
    return err_set_field(err, old.kind, old.origin, old.field, "%s at line %llu, column %llu", old.msg,
                         (unsigned long long)here.line + 1, (unsigned long long)(column > 0 ? column : 1));
}

bool json_sax_place(const struct json_sax *sax, struct err *err)
{
    return place_error(sax, yajl_get_bytes_consumed(sax->yajl), err);
}

uint64_t json_sax_pending_bytes(const struct json_sax *sax)
{
    uint64_t from = sax->last_at > sax->scan.blank_at ? sax->last_at : sax->scan.blank_at;
    return sax->chunk_at > from ? sax->chunk_at - from : 0;
}

/* ---- yajl's callbacks ---- */

static int emit(struct json_sax *sax, const struct json_event *ev)
{
    sax->last_at = position(sax);
    return sax->on_event(sax->arg, ev, sax->last_at, &sax->fault);
}

static int on_null(void *arg)
{
    return emit(arg, &(struct json_event){.event = JSON_EV_VALUE, .type = JSON_NULL});
}

static int on_boolean(void *arg, int value)
{
    return emit(arg, &(struct json_event){.event = JSON_EV_VALUE, .type = JSON_BOOL, .boolean = value != 0});
}

static int on_number(void *arg, const char *p, size_t n)
{
    return emit(arg, &(struct json_event){
                         .event = JSON_EV_VALUE, .type = JSON_NUMBER, .text = {p, n}
    });
}

/* yajl's own check of UTF-8 lets overlong forms and surrogates pass. */
static int emit_text(struct json_sax *sax, enum json_event_type event, const unsigned char *p, size_t n)
{
    struct json_event ev = {
        .event = event, .type = JSON_STR, .text = {n > 0 ? (const char *)p : "", n}
    };
    if (!str_is_utf8(ev.text)) {
        err_set(&sax->fault, ERR_INVALID, "json_read", "a text is not UTF-8");
        return json_sax_place(sax, &sax->fault);
    }
    return emit(sax, &ev);
}

static int on_string(void *arg, const unsigned char *p, size_t n)
{
    return emit_text(arg, JSON_EV_VALUE, p, n);
}

static int on_key(void *arg, const unsigned char *p, size_t n)
{
    return emit_text(arg, JSON_EV_KEY, p, n);
}

static int on_start_map(void *arg)
{
    return emit(arg, &(struct json_event){.event = JSON_EV_OPEN, .type = JSON_OBJECT});
}

static int on_end_map(void *arg)
{
    return emit(arg, &(struct json_event){.event = JSON_EV_CLOSE, .type = JSON_OBJECT});
}

static int on_start_array(void *arg)
{
    return emit(arg, &(struct json_event){.event = JSON_EV_OPEN, .type = JSON_ARRAY});
}

static int on_end_array(void *arg)
{
    return emit(arg, &(struct json_event){.event = JSON_EV_CLOSE, .type = JSON_ARRAY});
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

/* ---- the reader ---- */

struct json_sax *json_sax_new(enum json_values values, json_on_event *on_event, void *arg)
{
    struct json_sax *sax = xcalloc(1, sizeof(*sax));
    sax->values = values;
    sax->on_event = on_event;
    sax->arg = arg;
    sax->yajl = yajl_alloc(&callbacks, NULL, sax);
    if (sax->yajl == NULL)
        abort(); /* only out of memory */
    yajl_config(sax->yajl, yajl_allow_multiple_values, values == JSON_MANY_VALUES ? 1 : 0);
    return sax;
}

void json_sax_free(struct json_sax *sax)
{
    if (sax == NULL)
        return;
    yajl_free(sax->yajl);
    free(sax);
}

/* yajl's short texts are constants ("parse error: ..."); its long ones would echo the input. */
static bool syntax_error(struct json_sax *sax, struct err *reterr)
{
    unsigned char *text = yajl_get_error(sax->yajl, 0, NULL, 0);
    struct str line = str_trim(str_from((const char *)text));
    struct err made;
    err_set(&made, ERR_INVALID, "json_read", "not JSON: %.*s", STR_ARG(line));
    yajl_free_error(sax->yajl, text);
    json_sax_place(sax, &made);
    err_copy(reterr, &made);
    return false;
}

static bool answer(struct json_sax *sax, yajl_status status, struct err *reterr)
{
    if (status == yajl_status_ok)
        return true;
    if (status == yajl_status_error)
        return syntax_error(sax, reterr);
    err_copy(reterr, &sax->fault);
    return false;
}

bool json_sax_feed(struct json_sax *sax, struct str bytes, struct err *reterr)
{
    size_t good = bytes.n;
    sax->chunk = bytes;
    const char *fault = json_scan_bytes(&sax->scan, bytes, &good);
    /* What stands before the fault comes first: its items, or an earlier error. */
    if (good > 0 && !answer(sax, yajl_parse(sax->yajl, (const unsigned char *)bytes.p, good), reterr))
        return false;
    if (fault != NULL) {
        struct err made;
        err_set(&made, ERR_INVALID, "json_read", "not JSON: %s", fault);
        place_error(sax, good + 1, &made);
        err_copy(reterr, &made);
        return false;
    }
    count_lines(sax, bytes.n);
    sax->chunk_at += bytes.n;
    sax->chunk = STR_NONE;
    return true;
}

bool json_sax_finish(struct json_sax *sax, struct err *reterr)
{
    if (sax->values == JSON_MANY_VALUES && !sax->scan.has_text)
        return true;
    return answer(sax, yajl_complete_parse(sax->yajl), reterr);
}

/* ---- one value ---- */

struct parse {
    struct json_sax *sax;
    struct json_build build;
};

static bool on_parse_event(void *arg, const struct json_event *ev, uint64_t at, struct err *reterr)
{
    struct parse *p = arg;
    (void)at;
    return json_build_event(&p->build, ev, reterr) || json_sax_place(p->sax, reterr);
}

const struct json_value *json_parse(struct arena *a, struct str bytes, const struct json_limits *limits,
                                    struct err *reterr)
{
    if (bytes.n > limits->max_bytes) {
        err_set(reterr, ERR_TOO_LARGE, __func__, "JSON is larger than %zu bytes", limits->max_bytes);
        return NULL;
    }
    struct parse p = {0};
    struct err err = {0};
    json_build_init(&p.build, a, limits);
    p.sax = json_sax_new(JSON_ONE_VALUE, on_parse_event, &p);
    bool is_ok = json_sax_feed(p.sax, bytes, &err) && json_sax_finish(p.sax, &err);
    if (!is_ok && err.field[0] == '\0')
        json_build_pointer(&p.build, err.field, sizeof(err.field));
    json_sax_free(p.sax);
    json_build_fini(&p.build);
    if (is_ok)
        return p.build.root;
    err_copy(reterr, &err);
    return NULL;
}
