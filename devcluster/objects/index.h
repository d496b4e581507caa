// SPDX-License-Identifier: MIT
/* Finds entries by what they say about themselves: labels, owners, selectors, host names. One hash table of keyed
 * 64-bit hashes; the caller checks what it finds, so a collision costs time only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/str.h"

struct entry;
struct index;

struct index_link {
    uint64_t hash;
    struct entry *entry;
    struct index_link *next;   /* in the bucket */
    struct index_link **place; /* what points here */
    struct index_link *mine;   /* the entry's next link */
};

struct index *index_new(void);
void index_free(struct index *ix);
/* The key of (area, a, b): "label of pods", "app", "x". */
uint64_t index_key(char area, struct str a, struct str b);
/* Adds one more link to the entry's list `*links`. */
void index_add(struct index *ix, uint64_t key, struct entry *entry, struct index_link **links);
/* Takes all of an entry's links out and frees them. */
void index_remove(struct index *ix, struct index_link **links);
/* The entries under key, NULL-terminated, in the arena; a snapshot: entries may be changed while it is walked. */
struct entry **index_collect(const struct index *ix, struct arena *a, uint64_t key, size_t *ret_n);
