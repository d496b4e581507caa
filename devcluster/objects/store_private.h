// SPDX-License-Identifier: MIT
/* Between object.c, store.c and store_past.c only. */
#pragma once

#include "devcluster/objects/store.h"

struct ring {
    struct event *events; /* capacity slots */
    size_t capacity;
    size_t first;
    size_t n;
    uint64_t forgotten; /* the newest version that fell out */
};

struct shelf { /* the entries of one kind, ordered by (namespace, name) */
    struct entry **entries;
    size_t n;
    size_t cap;
    struct ring ring;
};

struct store {
    struct loop *loop;
    uint64_t version;
    enum crd crd;
    struct shelf shelves[KIND_N];
    struct index *index;
    struct store_listener *listeners;
};

/* Key order: as the real server prints built-in kinds; custom ones sorted. */
void object_order(struct arena *a, const struct kind *kind, struct doc *root);
/* Takes the draft; its metadata is complete. */
struct object *object_make(struct draft *d);

void ring_init(struct ring *r, size_t capacity);
void ring_fini(struct ring *r);
/* Takes over the references of now and before. */
void ring_push(struct ring *r, const struct event *event);
