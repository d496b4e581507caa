// SPDX-License-Identifier: MIT
/* Borrowed bytes: compare, search, cut, parse. Allocates nothing. */
#include "core/base/str.h"

#include <string.h>

struct str str_from(const char *text)
{
    if (text == NULL)
        return STR_NONE;
    return (struct str){text, strlen(text)};
}

bool str_is_none(struct str s)
{
    return s.p == NULL;
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_text(struct str a, const char *text)
{
    return str_eq(a, str_from(text));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_slice(s, s.n - suffix.n, s.n), suffix);
}

size_t str_find(struct str s, char c, size_t from)
{
    if (from >= s.n)
        return s.n;
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit == NULL ? s.n : (size_t)(hit - s.p);
}

size_t str_find_str(struct str s, struct str part)
{
    if (part.n == 0)
        return 0;
    if (part.n > s.n)
        return s.n;
    const char *hit = memmem(s.p, s.n, part.p, part.n);
    return hit == NULL ? s.n : (size_t)(hit - s.p);
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (s.p == NULL)
        return STR_NONE;
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return (struct str){s.p + from, to - from};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    size_t from = 0;
    size_t to = s.n;
    while (from < to && is_blank(s.p[from]))
        from++;
    while (to > from && is_blank(s.p[to - 1]))
        to--;
    return str_slice(s, from, to);
}

bool str_next(struct str *rest, char sep, struct str *ret_part)
{
    if (rest->p == NULL)
        return false;
    size_t at = str_find(*rest, sep, 0);
    *ret_part = str_slice(*rest, 0, at);
    *rest = at < rest->n ? str_slice(*rest, at + 1, rest->n) : STR_NONE;
    return true;
}

bool str_list_has(struct str list, struct str item)
{
    struct str one;
    while (str_next(&list, ',', &one)) {
        one = str_trim(one);
        if (one.n > 0 && str_eq(one, item))
            return true;
    }
    return false;
}

bool str_is_media_type(struct str field, struct str wanted)
{
    return str_eq_nocase(str_trim(str_slice(field, 0, str_find(field, ';', 0))), wanted);
}

bool str_parse_u64(struct str s, uint64_t max, uint64_t *ret)
{
    if (s.n == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *ret = value;
    return true;
}

/* The length of the well-formed sequence at the front of p[0..n), or 0. The bounds of the second byte are those of
 * RFC 3629 section 4; they exclude overlong forms, surrogates and everything over U+10FFFF. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    size_t want = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        want = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        want = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        want = 4;
    if (want == 0 || want > n)
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < want; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return want;
}

size_t str_utf8_prefix(struct str s)
{
    size_t at = 0;
    while (at < s.n) {
        size_t n = utf8_sequence((const unsigned char *)s.p + at, s.n - at);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

bool str_is_utf8(struct str s)
{
    return str_utf8_prefix(s) == s.n;
}

bool str_copy(struct str s, char *ret, size_t size)
{
    if (size == 0)
        return false;
    ret[0] = '\0';
    if (s.n >= size || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL))
        return false;
    if (s.n > 0)
        memcpy(ret, s.p, s.n);
    ret[s.n] = '\0';
    return true;
}
