// SPDX-License-Identifier: MIT
/* Exponential back-off with full jitter and a cap ("Exponential Backoff And Jitter", AWS Architecture Blog 2015). */
#pragma once

#include "core/io/loop.h"

struct backoff {
    ms_t first_ms;
    ms_t cap_ms;
    unsigned tries;
};

/* The next delay: evenly from [half, whole] of min(cap, first * 2^tries); counts the try.
 * random_u32: where chance comes from, so that simulations repeat. */
ms_t backoff_next(struct backoff *b, uint32_t random_u32);
void backoff_reset(struct backoff *b);
