// SPDX-License-Identifier: MIT
/* Allocation that cannot fail: out of memory ends the process with one line on standard error. */
#include "core/base/xmem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Through write(2): stdio may allocate. */
static _Noreturn void out_of_memory(void)
{
    static const char line[] = "fatal: out of memory\n";
    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        abort();
    abort();
}

static void *checked(void *p)
{
    if (p == NULL)
        out_of_memory();
    return p;
}

void *xmalloc(size_t bytes)
{
    return checked(malloc(bytes > 0 ? bytes : 1));
}

void *xcalloc(size_t n, size_t bytes)
{
    if (n == 0 || bytes == 0)
        n = bytes = 1;
    return checked(calloc(n, bytes));
}

void *xrealloc(void *p, size_t bytes)
{
    return checked(realloc(p, bytes > 0 ? bytes : 1));
}

char *xstrdup(const char *text)
{
    return xmemdup(text, strlen(text));
}

char *xmemdup(const void *p, size_t n)
{
    if (n == SIZE_MAX)
        out_of_memory();
    char *copy = xmalloc(n + 1);
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}
