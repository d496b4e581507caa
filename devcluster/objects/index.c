// SPDX-License-Identifier: MIT
/* A chained hash table that doubles. */
#include "devcluster/objects/index.h"

#include <stdlib.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"

struct index {
    struct index_link **buckets;
    size_t buckets_n; /* a power of two */
    size_t links_n;
};

enum { INDEX_FIRST_BUCKETS = 1024 };

struct index *index_new(void)
{
    struct index *ix = xcalloc(1, sizeof(*ix));
    ix->buckets_n = INDEX_FIRST_BUCKETS;
    ix->buckets = xcalloc(ix->buckets_n, sizeof(struct index_link *));
    return ix;
}

void index_free(struct index *ix)
{
    if (ix == NULL)
        return;
    free(ix->buckets);
    free(ix);
}

uint64_t index_key(char area, struct str a, struct str b)
{
    uint64_t parts[3] = {(uint64_t)(unsigned char)area, codec_hash(a.n > 0 ? a.p : "", a.n),
                         codec_hash(b.n > 0 ? b.p : "", b.n)};
    return codec_hash(parts, sizeof(parts));
}

static void link_in(struct index *ix, struct index_link *link)
{
    struct index_link **place = &ix->buckets[link->hash & (ix->buckets_n - 1)];
    link->next = *place;
    link->place = place;
    if (link->next != NULL)
        link->next->place = &link->next;
    *place = link;
}

static void grow(struct index *ix)
{
    struct index_link **old = ix->buckets;
    size_t old_n = ix->buckets_n;
    ix->buckets_n *= 2;
    ix->buckets = xcalloc(ix->buckets_n, sizeof(struct index_link *));
    for (size_t i = 0; i < old_n; i++)
        for (struct index_link *l = old[i], *next; l != NULL; l = next) {
            next = l->next;
            link_in(ix, l);
        }
    free(old);
}

void index_add(struct index *ix, uint64_t key, struct entry *entry, struct index_link **links)
{
    if (ix->links_n >= ix->buckets_n)
        grow(ix);
    struct index_link *link = xcalloc(1, sizeof(*link));
    link->hash = key;
    link->entry = entry;
    link->mine = *links;
    *links = link;
    link_in(ix, link);
    ix->links_n++;
}

void index_remove(struct index *ix, struct index_link **links)
{
    for (struct index_link *l = *links, *next; l != NULL; l = next) {
        next = l->mine;
        *l->place = l->next;
        if (l->next != NULL)
            l->next->place = l->place;
        free(l);
        ix->links_n--;
    }
    *links = NULL;
}

struct entry **index_collect(const struct index *ix, struct arena *a, uint64_t key, size_t *ret_n)
{
    size_t n = 0;
    const struct index_link *first = ix->buckets[key & (ix->buckets_n - 1)];
    for (const struct index_link *l = first; l != NULL; l = l->next)
        n += l->hash == key;
    struct entry **found = arena_alloc(a, (n + 1) * sizeof(struct entry *));
    size_t i = 0;
    for (const struct index_link *l = first; l != NULL; l = l->next)
        if (l->hash == key)
            found[i++] = l->entry;
    if (ret_n != NULL)
        *ret_n = n;
    return found;
}
