// SPDX-License-Identifier: MIT
/* Parses ".env" texts by the rules of the original's reader, which differ from a shell's in several ways (dotenv.h).
 * Keys and values point into one private copy of the text. */
#include "core/base/dotenv.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"

/* What ECMAScript's String.prototype.trim removes (WhiteSpace and LineTerminator), beyond the ASCII ones. */
static const struct str wide_blanks[] = {
    {"\xC2\xA0",     2},
    {"\xE1\x9A\x80", 3},
    {"\xE2\x80\x80", 3},
    {"\xE2\x80\x81", 3},
    {"\xE2\x80\x82", 3},
    {"\xE2\x80\x83", 3},
    {"\xE2\x80\x84", 3},
    {"\xE2\x80\x85", 3},
    {"\xE2\x80\x86", 3},
    {"\xE2\x80\x87", 3},
    {"\xE2\x80\x88", 3},
    {"\xE2\x80\x89", 3},
    {"\xE2\x80\x8A", 3},
    {"\xE2\x80\xA8", 3},
    {"\xE2\x80\xA9", 3},
    {"\xE2\x80\xAF", 3},
    {"\xE2\x81\x9F", 3},
    {"\xE3\x80\x80", 3},
    {"\xEF\xBB\xBF", 3},
};

static bool is_ascii_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the blank at the front of s; 0 if there is none. */
static size_t blank_at_front(struct str s)
{
    if (s.n > 0 && is_ascii_blank(s.p[0]))
        return 1;
    for (size_t i = 0; i < sizeof(wide_blanks) / sizeof(wide_blanks[0]); i++) {
        if (str_starts(s, wide_blanks[i]))
            return wide_blanks[i].n;
    }
    return 0;
}

static size_t blank_at_end(struct str s)
{
    if (s.n > 0 && is_ascii_blank(s.p[s.n - 1]))
        return 1;
    for (size_t i = 0; i < sizeof(wide_blanks) / sizeof(wide_blanks[0]); i++) {
        if (str_ends(s, wide_blanks[i]))
            return wide_blanks[i].n;
    }
    return 0;
}

static struct str trim_front(struct str s)
{
    for (size_t n = blank_at_front(s); n > 0; n = blank_at_front(s))
        s = str_slice(s, n, s.n);
    return s;
}

static struct str trim(struct str s)
{
    s = trim_front(s);
    for (size_t n = blank_at_end(s); n > 0; n = blank_at_end(s))
        s = str_slice(s, 0, s.n - n);
    return s;
}

static struct str drop_export(struct str line)
{
    struct str word = STR("export");
    if (!str_starts(line, word))
        return line;
    struct str rest = str_slice(line, word.n, line.n);
    return blank_at_front(rest) > 0 ? trim_front(rest) : line;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static struct str drop_quotes(struct str value)
{
    if (value.n > 0 && is_quote(value.p[0]))
        value = str_slice(value, 1, value.n);
    if (value.n > 0 && is_quote(value.p[value.n - 1]))
        value = str_slice(value, 0, value.n - 1);
    return value;
}

/* False for a line that says nothing. */
static bool read_line(struct str line, struct dotenv_var *ret)
{
    if (str_starts(line, STR("#")))
        return false;
    line = drop_export(line);
    size_t equals = str_find(line, '=', 0);
    if (equals == 0 || equals + 1 >= line.n)
        return false;
    ret->key = trim(str_slice(line, 0, equals));
    ret->value = drop_quotes(trim(str_slice(line, equals + 1, line.n)));
    return ret->key.n > 0;
}

static struct dotenv_var *find(struct dotenv *d, struct str key)
{
    for (size_t i = 0; i < d->n; i++) {
        if (str_eq(d->vars[i].key, key))
            return &d->vars[i];
    }
    return NULL;
}

static bool add(struct dotenv *d, const struct dotenv_var *var, struct err *reterr)
{
    struct dotenv_var *at = find(d, var->key);
    if (at == NULL) {
        if (d->n == DOTENV_MAX_VARS)
            return err_set(reterr, ERR_TOO_LARGE, __func__, "line %u: more than %d variables", var->line,
                           DOTENV_MAX_VARS);
        at = &d->vars[d->n++];
    }
    *at = *var;
    return true;
}

static bool parse_lines(struct dotenv *d, struct err *reterr)
{
    struct str rest = {d->private_bytes, d->private_bytes_n};
    struct str line;
    for (unsigned number = 1; str_next(&rest, '\n', &line); number++) {
        struct dotenv_var var = {.line = number};
        if (str_find(line, '\0', 0) < line.n)
            return err_set(reterr, ERR_INVALID, __func__, "line %u: a NUL character", number);
        if (!str_is_utf8(line))
            return err_set(reterr, ERR_INVALID, __func__, "line %u: not UTF-8", number);
        if (read_line(line, &var) && !add(d, &var, reterr))
            return false;
    }
    return true;
}

bool dotenv_parse(struct str text, struct dotenv *ret, struct err *reterr)
{
    *ret = (struct dotenv){0};
    if (text.n > DOTENV_MAX_BYTES)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "longer than %d bytes", DOTENV_MAX_BYTES);
    ret->private_bytes = xmemdup(text.p != NULL ? text.p : "", text.n);
    ret->private_bytes_n = text.n;
    ret->vars = xcalloc(DOTENV_MAX_VARS, sizeof(*ret->vars));
    if (!parse_lines(ret, reterr)) {
        dotenv_fini(ret);
        return false;
    }
    return true;
}

const struct dotenv_var *dotenv_find(const struct dotenv *d, const char *key)
{
    for (size_t i = 0; i < d->n; i++) {
        if (str_eq_text(d->vars[i].key, key))
            return &d->vars[i];
    }
    return NULL;
}

void dotenv_fini(struct dotenv *d)
{
    if (d->private_bytes != NULL)
        explicit_bzero(d->private_bytes, d->private_bytes_n);
    free(d->private_bytes);
    free(d->vars);
    *d = (struct dotenv){0};
}
