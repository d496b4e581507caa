// SPDX-License-Identifier: MIT
/* Text for people in arrays of fixed size: cut at a character's border, control characters and bytes that are not UTF-8
 * replaced, always terminated. For messages; names and keys use str_copy, which refuses instead. */
#pragma once

#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

/* Copies as much of s as fits; size >= 1. */
void text_fit(char *ret, size_t size, struct str s);
/* Formats, then as text_fit. The whole text is cut at 2 KiB before it is fitted. */
void text_fitf(char *ret, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
