// SPDX-License-Identifier: MIT
/* A chain of blocks that only grows until it is reset or freed. Under AddressSanitizer the unused part of each block is
 * poisoned, so that a pointer kept over arena_reset is found. */
#include "core/base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { FIRST_BLOCK_BYTES = 1024, LARGEST_BLOCK_BYTES = 64 * 1024 };

struct block {
    struct block *older;
    size_t size; /* of bytes[] */
    size_t used;
    _Alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *newest;
    struct block *first;
    size_t used_bytes;
};

static struct block *block_new(size_t size, struct block *older)
{
    struct block *b = xmalloc(sizeof(*b) + size);
    *b = (struct block){.older = older, .size = size};
    ASAN_POISON_MEMORY_REGION(b->bytes, size);
    return b;
}

static void block_free(struct block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->size);
    free(b);
}

struct arena *arena_new(void)
{
    struct arena *a = xcalloc(1, sizeof(*a));
    a->first = block_new(FIRST_BLOCK_BYTES - sizeof(struct block) - sizeof(struct arena), NULL);
    a->newest = a->first;
    return a;
}

static void free_blocks_after_first(struct arena *a)
{
    while (a->newest != a->first) {
        struct block *older = a->newest->older;
        block_free(a->newest);
        a->newest = older;
    }
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    free_blocks_after_first(a);
    block_free(a->first);
    free(a);
}

void arena_reset(struct arena *a)
{
    free_blocks_after_first(a);
    ASAN_POISON_MEMORY_REGION(a->first->bytes, a->first->size);
    a->first->used = 0;
    a->used_bytes = 0;
}

static size_t padding(const struct block *b, size_t align)
{
    return (align - b->used % align) % align;
}

static void add_block(struct arena *a, size_t bytes)
{
    size_t size = a->newest->size * 2;
    if (size > LARGEST_BLOCK_BYTES)
        size = LARGEST_BLOCK_BYTES;
    if (size < bytes)
        size = bytes;
    a->newest = block_new(size, a->newest);
}

/* Not zeroed. */
static void *take(struct arena *a, size_t bytes, size_t align)
{
    if (bytes > SIZE_MAX / 4)
        abort(); /* no caller has a ceiling that high: a size was computed wrongly */
    struct block *b = a->newest;
    size_t pad = padding(b, align);
    if (pad + bytes > b->size - b->used) {
        add_block(a, bytes);
        b = a->newest;
        pad = 0;
    }
    char *p = b->bytes + b->used + pad;
    b->used += pad + bytes;
    assert(b->used <= b->size); /* AddressSanitizer could not tell: the next line makes the bytes ours */
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
    a->used_bytes += pad + bytes;
    return p;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    void *p = take(a, bytes > 0 ? bytes : 1, _Alignof(max_align_t));
    memset(p, 0, bytes);
    return p;
}

char *arena_dup(struct arena *a, struct str s)
{
    char *p = take(a, s.n + 1, 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

struct str arena_dup_str(struct arena *a, struct str s)
{
    if (s.p == NULL)
        return STR_NONE;
    return (struct str){arena_dup(a, s), s.n};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    char small[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);
    if (n < 0)
        abort(); /* only an invalid format or a text over 2 GiB */
    if ((size_t)n < sizeof(small))
        return arena_dup(a, (struct str){small, (size_t)n});
    char *p = take(a, (size_t)n + 1, 1);
    va_start(args, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, args);
    va_end(args);
    return p;
}

size_t arena_used_bytes(const struct arena *a)
{
    return a->used_bytes;
}
