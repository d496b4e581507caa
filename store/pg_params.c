// SPDX-License-Identifier: MIT
/* The parameter builder, and quoting of identifiers and literals. */
#include "store/pg_params.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "store/pg_item.h"

enum { IDENTIFIER_BYTES_MAX = 63 }; /* NAMEDATALEN - 1 */

struct pg_params *pg_params_new(void)
{
    struct pg_params *p = xcalloc(1, sizeof(*p));
    p->arena = arena_new();
    return p;
}

void pg_params_free(struct pg_params *p)
{
    if (p == NULL)
        return;
    arena_free(p->arena);
    free(p);
}

void pg_params_refuse(struct pg_params *p, enum err_kind kind)
{
    if (p->refusal == ERR_NONE)
        p->refusal = kind;
}

static void add(struct pg_params *p, const char *value, size_t n, int format)
{
    if (p->n == PG_PARAMS_MAX) {
        pg_params_refuse(p, ERR_BUG);
        return;
    }
    p->values[p->n] = value;
    p->lengths[p->n] = (int)n;
    p->formats[p->n] = format;
    p->n++;
}

/* Counts the bytes before they are copied, so that no more than the ceiling is. */
static bool fits(struct pg_params *p, size_t n)
{
    p->bytes += n <= PG_PARAMS_BYTES_MAX ? n : PG_PARAMS_BYTES_MAX + 1;
    if (p->bytes > PG_PARAMS_BYTES_MAX)
        pg_params_refuse(p, ERR_TOO_LARGE);
    return p->bytes <= PG_PARAMS_BYTES_MAX;
}

void pg_add_null(struct pg_params *p)
{
    add(p, NULL, 0, 0);
}

void pg_add_str(struct pg_params *p, struct str text)
{
    if (str_is_none(text) || !fits(p, text.n)) {
        pg_add_null(p);
        return;
    }
    if (str_find(text, '\0', 0) != text.n)
        pg_params_refuse(p, ERR_INVALID);
    add(p, arena_dup(p->arena, text), text.n, 0);
}

void pg_add_text(struct pg_params *p, const char *text)
{
    pg_add_str(p, str_from(text));
}

void pg_add_int(struct pg_params *p, int64_t value)
{
    const char *text = arena_printf(p->arena, "%lld", (long long)value);
    add(p, text, strlen(text), 0);
}

void pg_add_int_or_null(struct pg_params *p, int64_t value)
{
    if (value != 0)
        pg_add_int(p, value);
    else
        pg_add_null(p);
}

void pg_add_bool(struct pg_params *p, bool value)
{
    add(p, value ? "t" : "f", 1, 0);
}

void pg_add_bytea(struct pg_params *p, struct str bytes)
{
    if (str_is_none(bytes) || !fits(p, bytes.n)) {
        pg_add_null(p);
        return;
    }
    add(p, arena_dup(p->arena, bytes), bytes.n, 1);
}

/* Takes the finished array literal over as the next parameter. */
static void add_array(struct pg_params *p, struct buf *b)
{
    buf_add_byte(b, '}');
    if (b->is_over)
        pg_params_refuse(p, ERR_TOO_LARGE);
    pg_add_str(p, buf_str(b));
    buf_fini(b);
}

/* One quoted element; in an array literal only the quote and the backslash are special. */
static void add_quoted(struct buf *b, struct str text)
{
    buf_add_byte(b, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_add_byte(b, '\\');
        buf_add_byte(b, text.p[i]);
    }
    buf_add_byte(b, '"');
}

void pg_add_texts(struct pg_params *p, const struct str *texts, size_t n)
{
    struct buf b;
    buf_init(&b, PG_PARAMS_BYTES_MAX);
    buf_add_byte(&b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(&b, ',');
        if (str_is_none(texts[i]))
            buf_add_text(&b, "NULL");
        else
            add_quoted(&b, texts[i]);
    }
    add_array(p, &b);
}

void pg_add_ints(struct pg_params *p, const int64_t *values, size_t n)
{
    struct buf b;
    buf_init(&b, PG_PARAMS_BYTES_MAX);
    buf_add_byte(&b, '{');
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%s%lld", i > 0 ? "," : "", (long long)values[i]);
    add_array(p, &b);
}

void pg_add_byteas(struct pg_params *p, const struct str *values, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    struct buf b;
    buf_init(&b, PG_PARAMS_BYTES_MAX);
    buf_add_byte(&b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(&b, ',');
        buf_add_text(&b, str_is_none(values[i]) ? "NULL" : "\"\\\\x");
        for (size_t k = 0; k < values[i].n; k++) {
            unsigned char byte = (unsigned char)values[i].p[k];
            buf_add_byte(&b, digits[byte >> 4]);
            buf_add_byte(&b, digits[byte & 15]);
        }
        if (!str_is_none(values[i]))
            buf_add_byte(&b, '"');
    }
    add_array(p, &b);
}

static bool quote(struct arena *a, struct str text, char mark, struct str *ret, struct err *reterr)
{
    if (str_find(text, '\0', 0) != text.n || !str_is_utf8(text))
        return err_set(reterr, ERR_INVALID, __func__, "a text for SQL is not UTF-8 or holds a NUL");
    if (text.n > PG_PARAMS_BYTES_MAX / 2)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "a text for SQL is too long");
    bool has_backslash = mark == '\'' && str_find(text, '\\', 0) != text.n;
    char *out = arena_alloc(a, 2 * text.n + 5);
    size_t n = 0;
    if (has_backslash) {
        out[n++] = ' '; /* so that it cannot join with a letter before it */
        out[n++] = 'E';
    }
    out[n++] = mark;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == mark || (has_backslash && text.p[i] == '\\'))
            out[n++] = text.p[i];
        out[n++] = text.p[i];
    }
    out[n++] = mark;
    *ret = (struct str){out, n};
    return true;
}

bool pg_quote_identifier(struct arena *a, struct str name, struct str *ret, struct err *reterr)
{
    if (name.n == 0 || name.n > IDENTIFIER_BYTES_MAX)
        return err_set(reterr, ERR_INVALID, __func__, "an SQL name has 1 to %d bytes", IDENTIFIER_BYTES_MAX);
    return quote(a, name, '"', ret, reterr);
}

bool pg_quote_literal(struct arena *a, struct str text, struct str *ret, struct err *reterr)
{
    return quote(a, text, '\'', ret, reterr);
}
