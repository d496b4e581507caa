// SPDX-License-Identifier: MIT
/* A hash of what was used lately. An entry stays for an interval after it was written, so that what comes meanwhile
 * waits for its end. */
#include "core/activity.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

#define HASH_FUNCTION(key, n, hash) ((hash) = (unsigned)codec_hash((key), (n)))
#include <uthash.h>

enum { TICK_MS = 1000, BATCH_N = 500, WRITE_TIMEOUT_MS = 5000 };

struct use_key {
    char project_id[ID_SIZE];
    char user_id[ID_SIZE];
};

struct use {
    struct use_key key;
    ms_t used_ms;
    ms_t written_ms; /* valid if was_written */
    bool was_written;
    bool is_dirty;
    UT_hash_handle hh;
};

struct activity {
    struct loop *loop;
    const struct port_store *store;
    ms_t interval_ms;
    struct use *uses;
    unsigned n;
    bool is_off;
    struct loop_timer timer; /* set while there are uses */
    struct op *write;
    ms_t write_ms; /* when it began */
};

static void forget(struct activity *a, struct use *u)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that HASH_DEL took the one before out. */
    HASH_DEL(a->uses, u);
    a->n--;
    free(u);
}

static void arm(struct activity *a)
{
    if (a->n > 0 && a->write == NULL)
        loop_timer_set(&a->timer, a->interval_ms < TICK_MS ? a->interval_ms : TICK_MS);
}

static void on_written(void *arg, const struct err *err)
{
    struct activity *a = arg;
    a->write = NULL;
    if (err != NULL) {
        LOG(WARN, "use of projects is not recorded, it is tried again", KV("err", err));
        for (struct use *u = a->uses; u != NULL; u = u->hh.next)
            u->is_dirty |= u->was_written && u->written_ms == a->write_ms;
    }
    arm(a);
}

static void write_batch(struct activity *a, const struct activity_use *uses, size_t n)
{
    a->write_ms = loop_now_ms(a->loop);
    if (n > 0)
        a->write = a->store->activity_write(a->store->self, uses, n, WRITE_TIMEOUT_MS, on_written, a);
    else
        arm(a);
}

/* Whether it lies there for nothing. While notes are off: once a limit that was set before it would have been seen,
 * which takes the rest of a look that missed it, an interval, and a look. */
static bool is_stale(const struct activity *a, const struct use *u, ms_t now)
{
    return !u->is_dirty || (a->is_off && now - u->used_ms > a->interval_ms + 2 * ACTIVITY_LOOK_TIMEOUT_MS);
}

/* Those whose time has come are written; what lies there for nothing goes. */
static void on_timer(void *arg)
{
    struct activity *a = arg;
    struct activity_use batch[BATCH_N];
    struct use *u;
    struct use *next;
    size_t n = 0;
    ms_t now = loop_now_ms(a->loop);
    HASH_ITER(hh, a->uses, u, next)
    {
        if (u->was_written && now - u->written_ms < a->interval_ms)
            continue;
        if (is_stale(a, u, now)) {
            forget(a, u);
            continue;
        }
        if (a->is_off || n == BATCH_N)
            continue;
        batch[n++] = (struct activity_use){u->key.project_id, u->key.user_id, now - u->used_ms};
        u->is_dirty = false;
        u->was_written = true;
        u->written_ms = now;
    }
    write_batch(a, batch, n);
}

static struct use *find_or_add(struct activity *a, const struct use_key *key)
{
    struct use *u;
    HASH_FIND(hh, a->uses, key, sizeof(*key), u);
    if (u != NULL || a->n >= ACTIVITY_MAX_N)
        return u;
    u = xcalloc(1, sizeof(*u));
    u->key = *key;
    HASH_ADD(hh, a->uses, key, sizeof(u->key), u);
    if (a->n++ == 0)
        arm(a);
    return u;
}

void activity_note(struct activity *a, const char *user_id, struct str project_id)
{
    struct use_key key;
    memset(&key, 0, sizeof(key)); /* the bytes after the texts are part of the hash */
    if (project_id.n == 0 || !str_copy(project_id, key.project_id, sizeof(key.project_id)) ||
        !str_copy(str_from(user_id), key.user_id, sizeof(key.user_id)))
        return;
    struct use *u = find_or_add(a, &key);
    if (u == NULL)
        return;
    u->used_ms = loop_now_ms(a->loop);
    u->is_dirty = true;
}

void activity_enable(struct activity *a, bool is_on)
{
    a->is_off = !is_on;
}

struct activity *activity_new(struct loop *loop, const struct port_store *store, ms_t interval_ms)
{
    struct activity *a = xcalloc(1, sizeof(*a));
    a->loop = loop;
    a->store = store;
    a->interval_ms = interval_ms;
    loop_timer_init(&a->timer, loop, on_timer, a);
    return a;
}

void activity_free(struct activity *a)
{
    if (a == NULL)
        return;
    loop_timer_clear(&a->timer);
    op_cancel(a->write);
    struct use *u;
    struct use *next;
    HASH_ITER(hh, a->uses, u, next)
    forget(a, u);
    free(a);
}
