// SPDX-License-Identifier: MIT
/* How often a caller may do what: one token bucket per caller and class, in this process's memory. Bounded: when the
 * table is full the bucket that is nearest to full is forgotten, which only ever lets somebody do more. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/loop.h"

struct rate;

enum { RATE_WINDOW_S = 60, RATE_CALLERS_MAX = 16384 };

struct rate *rate_new(struct loop *loop);
void rate_free(struct rate *r); /* NULL is fine */

struct rate_verdict {
    bool is_allowed;
    unsigned left;    /* requests that are allowed at once */
    unsigned reset_s; /* until the whole allowance is back */
    unsigned wait_s;  /* not allowed: until one is, at least 1 */
};

/* Takes one from the bucket of (class_id, caller), which holds `per_window` and refills evenly in RATE_WINDOW_S.
 * per_window: 1 or more. */
void rate_take(struct rate *r, unsigned class_id, struct str caller, unsigned per_window, struct rate_verdict *ret);
/* As rate_take without taking. */
void rate_look(struct rate *r, unsigned class_id, struct str caller, unsigned per_window, struct rate_verdict *ret);

/* The caller's address as it counts here: IPv4 whole, IPv6 its /64 (one household has all of it); anything else as it
 * is. ret: text of at most 47 bytes and a NUL. */
enum { RATE_ADDRESS_SIZE = 48 };
void rate_address(struct str address, char ret[RATE_ADDRESS_SIZE]);
