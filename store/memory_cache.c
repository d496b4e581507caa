// SPDX-License-Identifier: MIT
/* A hash table whose insertion order is the order of last use: uthash walks it oldest first. */
#include "store/memory_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"

#define HASH_FUNCTION(key, n, hash) ((hash) = (unsigned)codec_hash((key), (n)))
#include <uthash.h>

struct entry {
    char *value;
    size_t value_n;
    ms_t until_ms;
    size_t key_n;
    UT_hash_handle hh;
    char key[];
};

struct memory_cache {
    const struct loop *loop;
    struct entry *entries;
    size_t entries_max;
    size_t value_bytes_max;
};

struct memory_cache *memory_cache_new(const struct loop *loop, size_t entries_max, size_t value_bytes_max)
{
    struct memory_cache *c = xcalloc(1, sizeof(*c));
    c->loop = loop;
    c->entries_max = entries_max;
    c->value_bytes_max = value_bytes_max;
    return c;
}

static void drop(struct memory_cache *c, struct entry *e)
{
    HASH_DEL(c->entries, e);
    free(e->value);
    free(e);
}

void memory_cache_free(struct memory_cache *c)
{
    if (c == NULL)
        return;
    struct entry *e;
    struct entry *next;
    HASH_ITER(hh, c->entries, e, next)
    drop(c, e);
    free(c);
}

static struct entry *find(struct memory_cache *c, struct str key)
{
    struct entry *e = NULL;
    HASH_FIND(hh, c->entries, key.p, key.n, e);
    return e;
}

struct str memory_cache_find(struct memory_cache *c, struct str key)
{
    struct entry *e = find(c, key);
    if (e == NULL)
        return STR_NONE;
    if (e->until_ms <= loop_now_ms(c->loop)) {
        drop(c, e);
        return STR_NONE;
    }
    /* To the end of the order: it was used last. */
    HASH_DEL(c->entries, e);
    HASH_ADD_KEYPTR(hh, c->entries, e->key, e->key_n, e);
    return (struct str){e->value, e->value_n};
}

void memory_cache_drop(struct memory_cache *c, struct str key)
{
    struct entry *e = find(c, key);
    if (e != NULL)
        drop(c, e);
}

void memory_cache_put(struct memory_cache *c, struct str key, struct str value, ms_t ttl_ms)
{
    bool is_kept = value.n <= c->value_bytes_max && ttl_ms > 0;
    struct entry *old = find(c, key);
    if (old == NULL && is_kept && HASH_COUNT(c->entries) >= c->entries_max)
        old = c->entries;
    if (old != NULL)
        drop(c, old);
    if (!is_kept)
        return;
    struct entry *e = xcalloc(1, sizeof(*e) + key.n + 1);
    memcpy(e->key, key.p, key.n);
    e->key_n = key.n;
    e->value = xmemdup(value.p, value.n);
    e->value_n = value.n;
    e->until_ms = loop_now_ms(c->loop) + ttl_ms;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that HASH_DEL took `old` out. */
    HASH_ADD_KEYPTR(hh, c->entries, e->key, e->key_n, e);
}
