// SPDX-License-Identifier: MIT
/* Timers in a binary heap, ordered by time and then by when they were set. The same heap serves the real and the
 * simulated loop; loop.c decides when it is looked at. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/xmem.h"
#include "core/io/loop_private.h"

enum { FIRST_CAP = 64 };

/* A hundred years: "for ever", and sums of moments still fit. */
#define LONGEST_DELAY_MS (INT64_C(100) * 365 * 24 * 60 * 60 * 1000)

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct loop_heap *h, size_t i, struct loop_timer *t)
{
    h->timers[i] = t;
    t->place = i + 1;
}

static void sift_up(struct loop_heap *h, size_t i)
{
    struct loop_timer *t = h->timers[i];
    while (i > 0 && is_before(t, h->timers[(i - 1) / 2])) {
        put(h, i, h->timers[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, t);
}

static void sift_down(struct loop_heap *h, size_t i)
{
    struct loop_timer *t = h->timers[i];
    for (;;) {
        size_t child = i * 2 + 1;
        if (child + 1 < h->n && is_before(h->timers[child + 1], h->timers[child]))
            child++;
        if (child >= h->n || !is_before(h->timers[child], t))
            break;
        put(h, i, h->timers[child]);
        i = child;
    }
    put(h, i, t);
}

void loop_heap_fini(struct loop_heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->timers[i]->place = 0;
    free(h->timers);
    *h = (struct loop_heap){0};
}

struct loop_timer *loop_heap_first(const struct loop_heap *h)
{
    return h->n > 0 ? h->timers[0] : NULL;
}

static void heap_add(struct loop_heap *h, struct loop_timer *t)
{
    if (h->n == h->cap) {
        h->cap = h->cap > 0 ? h->cap * 2 : FIRST_CAP;
        h->timers = xrealloc(h->timers, h->cap * sizeof(struct loop_timer *));
    }
    t->order = h->next_order++;
    put(h, h->n++, t);
    sift_up(h, t->place - 1);
}

void loop_heap_remove(struct loop_heap *h, struct loop_timer *t)
{
    size_t i = t->place - 1;
    assert(i < h->n && h->timers[i] == t);
    t->place = 0;
    struct loop_timer *last = h->timers[--h->n];
    if (last == t)
        return;
    put(h, i, last);
    sift_up(h, i);
    sift_down(h, last->place - 1);
}

void loop_timer_init(struct loop_timer *t, struct loop *loop, loop_on_timer *on_fire, void *arg)
{
    *t = (struct loop_timer){.loop = loop, .on_fire = on_fire, .arg = arg};
}

void loop_timer_set(struct loop_timer *t, ms_t delay_ms)
{
    ms_t now_ms = loop_now_ms(t->loop);
    loop_timer_clear(t);
    if (delay_ms < 0)
        delay_ms = 0;
    t->at_ms = now_ms + (delay_ms < LONGEST_DELAY_MS ? delay_ms : LONGEST_DELAY_MS);
    heap_add(&t->loop->heap, t);
}

void loop_timer_clear(struct loop_timer *t)
{
    if (t->place > 0)
        loop_heap_remove(&t->loop->heap, t);
}

bool loop_timer_is_set(const struct loop_timer *t)
{
    return t->place > 0;
}
