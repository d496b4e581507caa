// SPDX-License-Identifier: MIT
/* The remembered events of each kind, and what can be rebuilt from them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"
#include "devcluster/objects/store_private.h"

void ring_init(struct ring *r, size_t capacity)
{
    r->capacity = capacity;
    r->events = xcalloc(capacity, sizeof(struct event));
}

static void ring_drop_first(struct ring *r)
{
    struct event *oldest = &r->events[r->first];
    r->forgotten = oldest->version;
    object_unref(oldest->now);
    object_unref(oldest->before);
    r->first = (r->first + 1) % r->capacity;
    r->n--;
}

static void ring_clear(struct ring *r, uint64_t forgotten)
{
    while (r->n > 0)
        ring_drop_first(r);
    r->forgotten = forgotten;
}

void ring_fini(struct ring *r)
{
    ring_clear(r, 0);
    free(r->events);
}

void ring_push(struct ring *r, const struct event *event)
{
    if (r->n == r->capacity)
        ring_drop_first(r);
    r->events[(r->first + r->n) % r->capacity] = *event;
    r->n++;
}

uint64_t store_oldest(const struct store *s, const struct kind *kind)
{
    return s->shelves[kind->id].ring.forgotten;
}

const struct event *store_event_after(const struct store *s, const struct kind *kind, uint64_t version, size_t *i)
{
    const struct ring *r = &s->shelves[kind->id].ring;
    while (*i < r->n) {
        const struct event *event = &r->events[(r->first + (*i)++) % r->capacity];
        if (event->version > version)
            return event;
    }
    return NULL;
}

void store_compact(struct store *s)
{
    for (size_t i = 0; i < KIND_N; i++)
        ring_clear(&s->shelves[i].ring, s->version);
}

static size_t place_of(const struct object *const *set, size_t n, const struct object *o, bool *ret_is_there)
{
    size_t low = 0;
    size_t high = n;
    *ret_is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = object_compare(set[middle], o->ns, o->name);
        if (order == 0) {
            *ret_is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes one event back: the set becomes what it was before it. */
static void undo(const struct object **set, size_t *n, const struct event *event)
{
    bool is_there;
    size_t at = place_of(set, *n, event->now, &is_there);
    if (event->type == EVENT_ADDED && is_there) {
        memmove(&set[at], &set[at + 1], (*n - at - 1) * sizeof(set[0]));
        (*n)--;
    } else if (event->type == EVENT_MODIFIED && is_there) {
        set[at] = event->before;
    } else if (event->type == EVENT_DELETED && !is_there) {
        memmove(&set[at + 1], &set[at], (*n - at) * sizeof(set[0]));
        set[at] = event->before;
        (*n)++;
    }
}

const struct object **store_at(struct store *s, struct arena *a, const struct kind *kind, uint64_t version,
                               size_t *ret_n)
{
    const struct shelf *shelf = &s->shelves[kind->id];
    const struct ring *r = &shelf->ring;
    const struct object **set = arena_alloc(a, (shelf->n + r->n + 1) * sizeof(set[0]));
    size_t n = shelf->n;
    for (size_t i = 0; i < n; i++)
        set[i] = shelf->entries[i]->now;
    for (size_t i = r->n; i > 0; i--) {
        const struct event *event = &r->events[(r->first + i - 1) % r->capacity];
        if (event->version <= version)
            break;
        undo(set, &n, event);
    }
    *ret_n = n;
    return set;
}
