// SPDX-License-Identifier: MIT
/* A growing run of bytes born with a ceiling. Going over the ceiling is remembered (sticky) and asked once at the end;
 * nothing past it is stored. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t ceiling_bytes;
    bool is_over;
};

/* Allocates nothing until the first byte. */
void buf_init(struct buf *b, size_t ceiling_bytes);
void buf_fini(struct buf *b); /* also for a zeroed struct */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_text(struct buf *b, const char *text);
void buf_add_byte(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_addv(struct buf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* Removes n bytes (at most all) from the front. */
void buf_drop(struct buf *b, size_t n);
/* Length 0, keeps the memory, clears is_over. */
void buf_clear(struct buf *b);
struct str buf_str(const struct buf *b);
/* The bytes with a NUL after them, borrowed until the next change; never NULL. */
const char *buf_text(struct buf *b);
/* Hands the bytes (NUL after them) to the caller, who frees them; the buf is empty and usable afterwards. */
char *buf_take(struct buf *b, size_t *ret_n);
