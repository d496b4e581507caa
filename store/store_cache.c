// SPDX-License-Identifier: MIT
/* The cache of sessions and status documents: Redis while it is up, else this process's memory. What Redis keeps for a
 * minute, memory keeps for ten seconds at most, because nobody else can take it away there. */
#include "store/store_private.h"

enum { MEMORY_TTL_MAX_MS = 10000, STATUS_TTL_MAX_MS = 60000 };

static bool has_redis(const struct store *s)
{
    return s->redis != NULL && redis_is_up(s->redis);
}

static ms_t at_most(ms_t value, ms_t max)
{
    return value < max ? value : max;
}

void store_cache_put(struct store *s, struct str key, struct str value, ms_t ttl_ms)
{
    if (has_redis(s))
        redis_set(s->redis, key, value, ttl_ms);
    memory_cache_drop(s->memory, key);
    if (!has_redis(s))
        memory_cache_put(s->memory, key, value, at_most(ttl_ms, MEMORY_TTL_MAX_MS));
}

void store_cache_add(struct store *s, struct str key, struct str value, ms_t ttl_ms)
{
    if (has_redis(s))
        redis_add(s->redis, key, value, ttl_ms);
    else if (str_is_none(memory_cache_find(s->memory, key)))
        memory_cache_put(s->memory, key, value, at_most(ttl_ms, MEMORY_TTL_MAX_MS));
}

static void on_redis(void *arg, struct str value, const struct err *err)
{
    struct store_call *call = arg;
    call->inner = NULL;
    call->on_text(call, value, err);
}

void store_cache_find(struct store_call *call, struct str key, redis_on_value *on_text)
{
    call->on_text = on_text;
    if (has_redis(call->store)) {
        call->inner = redis_get(call->store->redis, key, on_redis, call);
        return;
    }
    struct str found = memory_cache_find(call->store->memory, key);
    call->found = str_is_none(found) ? STR_NONE : arena_dup_str(call->arena, found);
    loop_defer(&call->tell);
}

/* ---- status documents ---- */

static struct str status_key(struct arena *a, const char *owner_id, const char *project_id)
{
    return str_from(arena_printf(a, "fsd:status:%s:%s", owner_id, project_id));
}

void store_cache_drop_status(struct store *s, const char *owner_id, const char *project_id)
{
    struct arena *a = arena_new();
    struct str key = status_key(a, owner_id, project_id);
    memory_cache_drop(s->memory, key);
    if (has_redis(s))
        redis_delete(s->redis, key);
    arena_free(a);
}

static void status_drop(void *self, const char *owner_id, const char *project_id)
{
    store_cache_drop_status(self, owner_id, project_id);
}

static void status_put(void *self, const char *owner_id, const char *project_id, struct str json, ms_t ttl_ms)
{
    struct arena *a = arena_new();
    store_cache_put(self, status_key(a, owner_id, project_id), json, at_most(ttl_ms, STATUS_TTL_MAX_MS));
    arena_free(a);
}

static void on_status(void *arg, struct str json, const struct err *err)
{
    struct store_call *call = arg;
    call->done.text(call->arg, json, err);
    store_call_end(call);
}

static struct op *status_find(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                              void (*done)(void *arg, struct str json, const struct err *err), void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.text = done;
    store_cache_find(call, status_key(call->arena, owner_id, project_id), on_status);
    return &call->op;
}

void store_cache_fill(struct port_store *port)
{
    port->status_find = status_find;
    port->status_put = status_put;
    port->status_drop = status_drop;
}
