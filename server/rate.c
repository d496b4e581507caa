// SPDX-License-Identifier: MIT
/* Token buckets as one number each: the moment at which the bucket is full again ("generic cell rate algorithm", ITU-T
 * I.371). A bucket whose moment has passed is full, so it needs no memory and no sweep. The table is set-associative: a
 * caller's hash names a set of WAYS places, and in a full set the bucket nearest to full gives way. */
#include "server/rate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"

enum { WAYS = 8, SETS = RATE_CALLERS_MAX / WAYS, KEY_MAX = 160 };

struct bucket {
    uint64_t key; /* keyed hash of class and caller */
    int64_t full_at_us;
};

struct rate {
    struct loop *loop;
    struct bucket sets[SETS][WAYS];
};

struct rate *rate_new(struct loop *loop)
{
    struct rate *r = xcalloc(1, sizeof(*r));
    r->loop = loop;
    return r;
}

void rate_free(struct rate *r)
{
    free(r);
}

static uint64_t key_of(unsigned class_id, struct str caller)
{
    unsigned char bytes[KEY_MAX + sizeof(class_id)];
    size_t n = caller.n < KEY_MAX ? caller.n : KEY_MAX;
    memcpy(bytes, &class_id, sizeof(class_id));
    if (n > 0)
        memcpy(bytes + sizeof(class_id), caller.p, n);
    return codec_hash(bytes, sizeof(class_id) + n);
}

static struct bucket *find_bucket(struct rate *r, uint64_t key)
{
    struct bucket *set = r->sets[key % SETS];
    struct bucket *fullest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].full_at_us < fullest->full_at_us)
            fullest = &set[i];
    }
    *fullest = (struct bucket){key, 0};
    return fullest;
}

static unsigned seconds_up(int64_t us)
{
    return us <= 0 ? 0 : (unsigned)((us + 999999) / 1000000);
}

static void judge(struct rate *r, struct bucket *b, unsigned per_window, bool is_taken, struct rate_verdict *ret)
{
    int64_t window_us = (int64_t)RATE_WINDOW_S * 1000000;
    int64_t step_us = window_us / per_window;
    int64_t now_us = loop_now_ms(r->loop) * 1000;
    int64_t missing_us = b->full_at_us > now_us ? b->full_at_us - now_us : 0;
    int64_t room_us = window_us - missing_us;
    ret->is_allowed = room_us >= step_us;
    if (ret->is_allowed && is_taken) {
        b->full_at_us = now_us + missing_us + step_us;
        missing_us += step_us;
        room_us -= step_us;
    }
    ret->left = room_us > 0 ? (unsigned)(room_us / step_us) : 0;
    ret->reset_s = seconds_up(missing_us);
    ret->wait_s = ret->is_allowed ? 0 : seconds_up(step_us - room_us);
}

void rate_take(struct rate *r, unsigned class_id, struct str caller, unsigned per_window, struct rate_verdict *ret)
{
    judge(r, find_bucket(r, key_of(class_id, caller)), per_window, true, ret);
}

void rate_look(struct rate *r, unsigned class_id, struct str caller, unsigned per_window, struct rate_verdict *ret)
{
    judge(r, find_bucket(r, key_of(class_id, caller)), per_window, false, ret);
}

void rate_address(struct str address, char ret[RATE_ADDRESS_SIZE])
{
    struct in6_addr v6;
    struct in_addr v4;
    if (!str_copy(address, ret, RATE_ADDRESS_SIZE)) {
        /* Not an address: all such callers share one bucket. */
        ret[0] = '\0';
        return;
    }
    if (inet_pton(AF_INET, ret, &v4) == 1 || inet_pton(AF_INET6, ret, &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6))
        return;
    memset(&v6.s6_addr[8], 0, 8);
    if (inet_ntop(AF_INET6, &v6, ret, RATE_ADDRESS_SIZE) == NULL)
        ret[0] = '\0';
}
