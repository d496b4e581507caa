// SPDX-License-Identifier: MIT
/* Memory that dies together: one arena per request, per flow, per operation. */
#pragma once

#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct arena;

struct arena *arena_new(void);    /* small: the first block is 1 KiB, later ones grow */
void arena_free(struct arena *a); /* NULL is fine */
/* Forgets everything allocated, keeps the first block. */
void arena_reset(struct arena *a);
/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t bytes);
/* NUL-terminated copy. */
char *arena_dup(struct arena *a, struct str s);
struct str arena_dup_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Bytes handed out so far; for ceilings. */
size_t arena_used_bytes(const struct arena *a);
