// SPDX-License-Identifier: MIT
/* What this process remembers when there is no Redis: texts by key, each for a time, bounded in number and size; the
 * least recently used goes first. Never truth. */
#pragma once

#include <stddef.h>

#include "core/base/str.h"
#include "core/io/loop.h"

struct memory_cache;

struct memory_cache *memory_cache_new(const struct loop *loop, size_t entries_max, size_t value_bytes_max);
void memory_cache_free(struct memory_cache *c); /* NULL is fine */
/* Borrowed until the next call; absent when unknown or over. */
struct str memory_cache_find(struct memory_cache *c, struct str key);
/* A value over the ceiling is not kept. */
void memory_cache_put(struct memory_cache *c, struct str key, struct str value, ms_t ttl_ms);
void memory_cache_drop(struct memory_cache *c, struct str key);
