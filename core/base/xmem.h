// SPDX-License-Identifier: MIT
/* Allocation that ends the process when memory is out. Only for sizes the program chose or checked against a named
 * ceiling: a size that came from outside is checked before it arrives here. */
#pragma once

#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t n, size_t bytes);
void *xrealloc(void *p, size_t bytes);
char *xstrdup(const char *text);
char *xmemdup(const void *p, size_t n); /* adds a NUL after the copy */
