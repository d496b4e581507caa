// SPDX-License-Identifier: MIT
/* Growing bytes under a ceiling. A piece that would go over it is left out whole, as is everything after it, so that
 * what is stored is always an unbroken front of what was added. */
#include "core/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"

enum { FIRST_CAP_BYTES = 256 };

void buf_init(struct buf *b, size_t ceiling_bytes)
{
    *b = (struct buf){.ceiling_bytes = ceiling_bytes};
}

void buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.ceiling_bytes = b->ceiling_bytes};
}

/* Makes room for `more` bytes and a NUL; false (and sticky) when they do not fit under the ceiling. */
static bool reserve(struct buf *b, size_t more)
{
    if (b->is_over || more > b->ceiling_bytes || b->n > b->ceiling_bytes - more || b->n + more == SIZE_MAX) {
        b->is_over = true;
        return false;
    }
    size_t need = b->n + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap > 0 ? b->cap : FIRST_CAP_BYTES;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap - 1 > b->ceiling_bytes)
        cap = b->ceiling_bytes + 1;
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || !reserve(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addv(struct buf *b, const char *fmt, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof(small), fmt, args);
    if (n < 0) {
        b->is_over = true;
    } else if ((size_t)n < sizeof(small)) {
        buf_add(b, small, (size_t)n);
    } else if (reserve(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_addv(b, fmt, args);
    va_end(args);
}

void buf_drop(struct buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->is_over = false;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p != NULL ? b->p : "", b->n};
}

const char *buf_text(struct buf *b)
{
    if (b->p == NULL)
        return "";
    b->p[b->n] = '\0'; /* reserve() keeps a byte for it */
    return b->p;
}

char *buf_take(struct buf *b, size_t *ret_n)
{
    char *p = b->p != NULL ? b->p : xmalloc(1);
    p[b->n] = '\0';
    if (ret_n != NULL)
        *ret_n = b->n;
    *b = (struct buf){.ceiling_bytes = b->ceiling_bytes};
    return p;
}
