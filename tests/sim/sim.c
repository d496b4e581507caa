// SPDX-License-Identifier: MIT
/* Chance and the record of what went wrong. */
#include "tests/sim/sim.h"

#include <sodium.h>
#include <stdarg.h>
#include <string.h>

uint64_t sim_draw(struct sim *s)
{
    uint64_t z = (s->chance += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* ---- the randomness of names and ids, so that a seed says everything ---- */

static struct sim *drawing;

static uint64_t draw_for_all(void)
{
    static struct sim nobody;
    return sim_draw(drawing != NULL ? drawing : &nobody);
}

static uint32_t random_word(void)
{
    return (uint32_t)draw_for_all();
}

static void random_fill(void *const to, const size_t n)
{
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t bits = draw_for_all();
        memcpy((char *)to + i, &bits, n - i < sizeof(bits) ? n - i : sizeof(bits));
    }
}

static const char *random_name(void)
{
    return "seed";
}

void sim_owns_randomness(void)
{
    static struct randombytes_implementation implementation = {
        .implementation_name = random_name, .random = random_word, .buf = random_fill};
    (void)randombytes_set_implementation(&implementation);
}

void sim_begins(struct sim *s)
{
    drawing = s;
}

/* ---- chance ---- */

uint64_t sim_below(struct sim *s, uint64_t n)
{
    return sim_draw(s) % n;
}

bool sim_percent(struct sim *s, unsigned percent)
{
    bool is_hit = sim_below(s, 100) < percent;
    return is_hit && s->has_faults;
}

bool sim_sleeps(struct sim *s, size_t node, struct loop_timer *t)
{
    ms_t left_ms = s->asleep_until_ms[node] - loop_now_ms(s->loop);
    ms_t trouble_ms = s->calm_at_ms - loop_now_ms(s->loop);
    if (left_ms <= 0)
        return false;
    if (left_ms > trouble_ms)
        left_ms = trouble_ms > 0 ? trouble_ms : 1;
    loop_timer_set(t, left_ms);
    return true;
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
