// SPDX-License-Identifier: MIT
/* Chance and the record of what went wrong. */
#include "tests/sim/sim.h"

#include <stdarg.h>

uint64_t sim_draw(struct sim *s)
{
    uint64_t z = (s->chance += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t sim_below(struct sim *s, uint64_t n)
{
    return sim_draw(s) % n;
}

bool sim_percent(struct sim *s, unsigned percent)
{
    bool is_hit = sim_below(s, 100) < percent;
    return is_hit && s->has_faults;
}

ms_t sim_between(struct sim *s, ms_t low, ms_t high)
{
    return low + (ms_t)sim_below(s, (uint64_t)(high - low + 1));
}

void sim_violated(struct sim *s, const char *fmt, ...)
{
    if (s->is_failed)
        return;
    s->is_failed = true;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->why, sizeof(s->why), fmt, ap);
    va_end(ap);
}
