// SPDX-License-Identifier: MIT
/* The heap, as any text book has it: each place knows its index, so that one in the middle can leave. */
#include "k8s/call_queue.h"

#include <stdlib.h>

#include "core/base/xmem.h"

enum { FIRST_CAP = 64 };

static bool is_before(struct call_queue *q, const struct call_place *a, const struct call_place *b)
{
    q->compares_n++;
    return a->rank != b->rank ? a->rank < b->rank : a->order < b->order;
}

static void put(struct call_queue *q, size_t i, struct call_place *p)
{
    q->places[i] = p;
    p->at = i + 1;
}

static void sift_up(struct call_queue *q, size_t i)
{
    struct call_place *p = q->places[i];
    while (i > 0 && is_before(q, p, q->places[(i - 1) / 2])) {
        put(q, i, q->places[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(q, i, p);
}

static void sift_down(struct call_queue *q, size_t i)
{
    struct call_place *p = q->places[i];
    for (;;) {
        size_t child = i * 2 + 1;
        if (child + 1 < q->n && is_before(q, q->places[child + 1], q->places[child]))
            child++;
        if (child >= q->n || !is_before(q, q->places[child], p))
            break;
        put(q, i, q->places[child]);
        i = child;
    }
    put(q, i, p);
}

void call_queue_fini(struct call_queue *q)
{
    free(q->places);
    *q = (struct call_queue){0};
}

void call_queue_add(struct call_queue *q, struct call_place *p, int64_t rank)
{
    if (q->n == q->cap) {
        q->cap = q->cap > 0 ? q->cap * 2 : FIRST_CAP;
        q->places = xrealloc(q->places, q->cap * sizeof(*q->places));
    }
    p->rank = rank;
    p->order = q->next_order++;
    put(q, q->n++, p);
    sift_up(q, p->at - 1);
}

void call_queue_remove(struct call_queue *q, struct call_place *p)
{
    size_t i = p->at - 1;
    if (p->at == 0)
        return;
    p->at = 0;
    struct call_place *last = q->places[--q->n];
    if (last == p)
        return;
    put(q, i, last);
    sift_up(q, i);
    sift_down(q, last->at - 1);
}

struct call_place *call_queue_first(const struct call_queue *q)
{
    return q->n > 0 ? q->places[0] : NULL;
}
