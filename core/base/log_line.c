// SPDX-License-Identifier: MIT
/* The two looks of a log line. Must never lose a line because of what a text contains. */
#include "core/base/log_line.h"

#include <string.h>

#include "core/base/json_write.h"
#include "core/base/wall.h"

enum { VALUE_CEILING_BYTES = 2048 };

/* ---- texts made safe ---- */

/* Cuts at the ceiling and replaces what is not UTF-8. room: at least 3 * VALUE_CEILING_BYTES. */
static struct str clean(struct str s, struct buf *room)
{
    bool is_cut = s.n > VALUE_CEILING_BYTES;
    if (is_cut)
        s.n = VALUE_CEILING_BYTES;
    if (!is_cut && str_is_utf8(s))
        return s;
    buf_clear(room);
    while (s.n > 0) {
        size_t good = str_utf8_prefix(s);
        buf_add(room, s.p, good);
        if (good < s.n)
            buf_add_text(room, "\xEF\xBF\xBD");
        s = str_slice(s, good + 1, s.n);
    }
    if (is_cut)
        buf_add_text(room, "...");
    return buf_str(room);
}

/* ---- JSON ---- */

struct json_look {
    struct json_writer *w;
    struct buf room;
};

static void json_text(struct json_look *look, const char *key, struct str value)
{
    jw_key(look->w, key);
    jw_str(look->w, str_is_none(value) ? value : clean(value, &look->room));
}

static void json_err(struct json_look *look, const char *key, const struct err *err)
{
    jw_key(look->w, key);
    if (err == NULL) {
        jw_null(look->w);
        return;
    }
    jw_object(look->w);
    jw_kv_text(look->w, "kind", err_slug(err->kind));
    json_text(look, "msg", str_from(err->msg));
    if (err->reason[0] != '\0')
        json_text(look, "reason", str_from(err->reason));
    if (err->field[0] != '\0')
        json_text(look, "field", str_from(err->field));
    jw_kv_text(look->w, "origin", err->origin);
    jw_kv_int(look->w, "code", err->code);
    jw_object_end(look->w);
}

static void json_kv(struct json_look *look, const struct log_kv *kv)
{
    switch (kv->type) {
    case LOG_KV_TEXT:
        json_text(look, kv->key, str_from(kv->value.text));
        break;
    case LOG_KV_STR:
        json_text(look, kv->key, kv->value.str);
        break;
    case LOG_KV_INT:
        jw_kv_int(look->w, kv->key, kv->value.integer);
        break;
    case LOG_KV_DOUBLE: /* NaN and infinity have no JSON number */
        jw_key(look->w, kv->key);
        if (kv->value.real - kv->value.real == 0)
            jw_double(look->w, kv->value.real);
        else
            jw_null(look->w);
        break;
    case LOG_KV_BOOL:
        jw_kv_bool(look->w, kv->key, kv->value.boolean);
        break;
    case LOG_KV_ERR:
        json_err(look, kv->key, kv->value.err);
        break;
    case LOG_KV_END:
        break;
    }
}

static void json_line(struct json_look *look, const struct log_line *line, bool want_kvs)
{
    jw_reset(look->w);
    jw_object(look->w);
    jw_kv_time(look->w, "time", line->wall_ms);
    jw_kv_text(look->w, "level", line->level);
    json_text(look, "event", str_from(line->event));
    if (line->scope != NULL)
        json_text(look, "id", str_from(line->scope));
    if (!want_kvs)
        jw_kv_bool(look->w, "cut", true);
    for (const struct log_kv *kv = line->kvs; want_kvs && kv->type != LOG_KV_END; kv++)
        json_kv(look, kv);
    jw_object_end(look->w);
}

void log_line_json(const struct log_line *line, struct buf *out)
{
    static struct json_look look; /* one for the process: a line must not cost allocations */
    if (look.w == NULL) {
        look.w = jw_new(out->ceiling_bytes - 1);
        buf_init(&look.room, (size_t)4 * VALUE_CEILING_BYTES);
    }
    struct str text;
    json_line(&look, line, true);
    if (!jw_finish(look.w, &text, NULL)) {
        json_line(&look, line, false);
        if (!jw_finish(look.w, &text, NULL))
            return;
    }
    buf_add_str(out, text);
    buf_add_byte(out, '\n');
}

/* ---- logfmt ---- */

static bool is_bare(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F)
            return false;
    }
    return s.n > 0;
}

/* C1 controls (U+0080..U+009F, bytes C2 80..9F) move a terminal's cursor too. */
static bool is_c1(struct str s, size_t i)
{
    return i + 1 < s.n && (unsigned char)s.p[i] == 0xC2 && (unsigned char)s.p[i + 1] < 0xA0;
}

static void add_quoted(struct buf *out, struct str s)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c == '\n')
            buf_add_text(out, "\\n");
        else if (is_c1(s, i))
            buf_addf(out, "\\u%04x", (unsigned char)s.p[++i]);
        else if (c < ' ' || c == 0x7F)
            buf_addf(out, "\\u%04x", c);
        else
            buf_add_byte(out, (char)c);
    }
    buf_add_byte(out, '"');
}

static void fmt_text(struct buf *out, const char *key, const char *part, struct str value)
{
    char bytes[4 * VALUE_CEILING_BYTES];
    buf_addf(out, " %s%s=", key, part);
    if (str_is_none(value)) {
        buf_add_text(out, "null");
        return;
    }
    struct buf room = {.p = bytes, .cap = sizeof(bytes), .ceiling_bytes = sizeof(bytes) - 1}; /* never grows */
    value = clean(value, &room);
    if (is_bare(value))
        buf_add_str(out, value);
    else
        add_quoted(out, value);
}

static void fmt_err(struct buf *out, const char *key, const struct err *err)
{
    if (err == NULL) {
        fmt_text(out, key, "", STR_NONE);
        return;
    }
    fmt_text(out, key, ".kind", str_from(err_slug(err->kind)));
    fmt_text(out, key, ".msg", str_from(err->msg));
    if (err->reason[0] != '\0')
        fmt_text(out, key, ".reason", str_from(err->reason));
    if (err->field[0] != '\0')
        fmt_text(out, key, ".field", str_from(err->field));
    fmt_text(out, key, ".origin", str_from(err->origin));
    buf_addf(out, " %s.code=%d", key, err->code);
}

static void fmt_kv(struct buf *out, const struct log_kv *kv)
{
    switch (kv->type) {
    case LOG_KV_TEXT:
        fmt_text(out, kv->key, "", str_from(kv->value.text));
        break;
    case LOG_KV_STR:
        fmt_text(out, kv->key, "", kv->value.str);
        break;
    case LOG_KV_INT:
        buf_addf(out, " %s=%lld", kv->key, (long long)kv->value.integer);
        break;
    case LOG_KV_DOUBLE:
        buf_addf(out, " %s=%.15g", kv->key, kv->value.real);
        break;
    case LOG_KV_BOOL:
        buf_addf(out, " %s=%s", kv->key, kv->value.boolean ? "true" : "false");
        break;
    case LOG_KV_ERR:
        fmt_err(out, kv->key, kv->value.err);
        break;
    case LOG_KV_END:
        break;
    }
}

void log_line_logfmt(const struct log_line *line, struct buf *out)
{
    char time[WALL_TEXT_SIZE];
    size_t start = out->n;
    wall_format(line->wall_ms, time);
    buf_addf(out, "time=%s level=%s", time, line->level);
    fmt_text(out, "event", "", str_from(line->event));
    if (line->scope != NULL)
        fmt_text(out, "id", "", str_from(line->scope));
    size_t head = out->n;
    for (const struct log_kv *kv = line->kvs; kv->type != LOG_KV_END; kv++)
        fmt_kv(out, kv);
    buf_add_byte(out, '\n');
    if (!out->is_over)
        return;
    out->is_over = false;
    out->n = head > start ? head : start;
    buf_add_text(out, " cut=true\n");
}
