// SPDX-License-Identifier: MIT
/* Computes delays. Draws no random numbers and sets no timers: both are the caller's. */
#include "core/io/backoff.h"

ms_t backoff_next(struct backoff *b, uint32_t random_u32)
{
    ms_t whole = b->first_ms;
    for (unsigned i = 0; i < b->tries && whole < b->cap_ms; i++)
        whole = whole > b->cap_ms / 2 ? b->cap_ms : whole * 2;
    if (whole > b->cap_ms)
        whole = b->cap_ms;
    if (b->tries < UINT32_MAX)
        b->tries++;
    ms_t half = whole / 2;
    return half + (ms_t)((uint64_t)random_u32 % (uint64_t)(whole - half + 1));
}

void backoff_reset(struct backoff *b)
{
    b->tries = 0;
}
