// SPDX-License-Identifier: MIT
/* How the loop does: how late its heartbeat comes, and which callbacks held it up. */
#include <dlfcn.h>
#include <string.h>
#include <time.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/io/loop_private.h"

enum { NS_PER_MS = 1000000, MS_PER_SLOT = 1000 };

int64_t loop_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void note_lag(struct loop_health *h, ms_t now_ms, ms_t lag_ms)
{
    ms_t second = now_ms / MS_PER_SLOT;
    size_t slot = (size_t)(second % LOOP_LAG_SLOTS);
    if (h->slot_second[slot] != second) {
        h->slot_second[slot] = second;
        h->slot_max_ms[slot] = 0;
    }
    if (lag_ms > h->slot_max_ms[slot])
        h->slot_max_ms[slot] = lag_ms;
    h->stats.lag_last_ms = lag_ms;
}

static void beat(struct loop_health *h)
{
    h->due_ms = loop_now_ns() / NS_PER_MS + LOOP_HEARTBEAT_MS;
    loop_timer_set(&h->heartbeat, LOOP_HEARTBEAT_MS);
}

static void on_heartbeat(void *arg)
{
    struct loop_health *h = arg;
    ms_t now_ms = loop_now_ns() / NS_PER_MS;
    note_lag(h, now_ms, now_ms > h->due_ms ? now_ms - h->due_ms : 0);
    beat(h);
}

void loop_health_start(struct loop_health *h, struct loop *loop)
{
    loop_timer_init(&h->heartbeat, loop, on_heartbeat, h);
    beat(h);
}

#ifndef NDEBUG
/* "program+0x1234", as addr2line wants it: static functions have no name at run time. */
static const char *function_name(struct arena *a, loop_function *what)
{
    void *address = NULL;
    Dl_info info;
    memcpy(&address, &what, sizeof(address));
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
        return arena_printf(a, "%p", address);
    const char *slash = strrchr(info.dli_fname, '/');
    size_t offset = (size_t)((const char *)address - (const char *)info.dli_fbase);
    return arena_printf(a, "%s+0x%zx", slash != NULL ? slash + 1 : info.dli_fname, offset);
}
#endif

void loop_ran(struct loop *loop, int64_t start_ns, loop_function *what)
{
    int64_t held_ms = (loop_now_ns() - start_ns) / NS_PER_MS;
    if (held_ms <= LOOP_HELD_MS)
        return;
    loop->health.stats.held_n++;
#ifndef NDEBUG
    struct arena *a = arena_new();
    LOG(WARN, "callback held the loop", KV("ms", held_ms), KV("function", function_name(a, what)));
    arena_free(a);
#else
    (void)what;
#endif
}

void loop_stats(const struct loop *loop, struct loop_stats *ret)
{
    const struct loop_health *h = &loop->health;
    ms_t second = loop_now_ns() / NS_PER_MS / MS_PER_SLOT;
    *ret = h->stats;
    ret->lag_max_ms = 0;
    for (size_t i = 0; i < LOOP_LAG_SLOTS; i++) {
        if (h->slot_second[i] > second - LOOP_LAG_SLOTS && h->slot_max_ms[i] > ret->lag_max_ms)
            ret->lag_max_ms = h->slot_max_ms[i];
    }
}
