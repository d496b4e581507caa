// SPDX-License-Identifier: MIT
/* Fitting of messages into fixed arrays. */
#include "core/base/fit.h"

#include <stdarg.h>
#include <stdio.h>

enum { WHOLE_TEXT_BYTES = 2048 };

/* Length of the UTF-8 character at s.p[i], 0 if it is malformed or cut off. */
static size_t character_n(struct str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (n == 0 || i + n > s.n)
        return 0;
    return str_is_utf8(str_slice(s, i, i + n)) ? n : 0;
}

void text_fit(char *ret, size_t size, struct str s)
{
    size_t out = 0;
    for (size_t i = 0; i < s.n;) {
        size_t n = character_n(s, i);
        bool is_odd = n == 0 || (n == 1 && ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F));
        size_t width = is_odd ? 1 : n;
        if (out + width >= size)
            break;
        for (size_t k = 0; k < width; k++)
            ret[out++] = is_odd ? (n == 0 ? '?' : ' ') : s.p[i + k];
        i += width;
    }
    ret[out] = '\0';
}

void text_fitf(char *ret, size_t size, const char *fmt, ...)
{
    char whole[WHOLE_TEXT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(whole, sizeof(whole), fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    size_t kept = (size_t)n < sizeof(whole) ? (size_t)n : sizeof(whole) - 1;
    text_fit(ret, size, (struct str){whole, kept});
}
