// SPDX-License-Identifier: MIT
/* Counters and faults: two short lists. */
#include "devcluster/api/faults.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"

enum { FAULTS_MAX = 64, COUNTERS_MAX = 256, DELAY_MAX_MS = 600000 };

struct counter {
    char verb[24];
    char resource[64];
    uint64_t n;
};

struct faults {
    struct fault list[FAULTS_MAX];
    size_t n;
    struct counter counters[COUNTERS_MAX];
    size_t counters_n;
    uint64_t total;
};

struct faults *faults_new(void)
{
    return xcalloc(1, sizeof(struct faults));
}

void faults_free(struct faults *f)
{
    free(f);
}

bool faults_add(struct faults *f, const struct doc *spec)
{
    struct fault fault = {.times = 1};
    struct str verb = doc_get(spec, "verb");
    struct str resource = doc_get(spec, "resource");
    if (f->n == FAULTS_MAX || (!str_is_none(verb) && !str_copy(verb, fault.verb, sizeof(fault.verb))) ||
        (!str_is_none(resource) && !str_copy(resource, fault.resource, sizeof(fault.resource))))
        return false;
    int64_t times = doc_as_int(doc_find(spec, "times"), 1);
    int64_t status = doc_as_int(doc_find(spec, "status"), 0);
    int64_t delay = doc_as_int(doc_find(spec, "delayMs"), 0);
    int64_t percent = doc_as_int(doc_find(spec, "percent"), 100);
    fault.is_close = doc_as_bool(doc_find(spec, "close"), false);
    if (percent < 1 || percent > 100)
        return false;
    if (times < 1 || delay < 0 || delay > DELAY_MAX_MS || (status != 0 && (status < 400 || status > 599)))
        return false;
    if (status == 0 && delay == 0 && !fault.is_close)
        return false;
    fault.times = (uint64_t)times;
    fault.status = (int)status;
    fault.delay_ms = delay;
    fault.percent = (unsigned)percent;
    fault.chance = (uint64_t)doc_as_int(doc_find(spec, "seed"), 1);
    f->list[f->n++] = fault;
    return true;
}

void faults_clear(struct faults *f)
{
    f->n = 0;
}

static bool is_hit(const char *pattern, struct str text)
{
    return pattern[0] == '\0' || str_eq_text(str_from(pattern), "*") || str_eq_text(text, pattern);
}

/* One throw of its dice (splitmix64), so that a seed tells the same order of hits each time. */
static bool is_struck(struct fault *fault)
{
    if (fault->percent == 100)
        return true;
    uint64_t z = (fault->chance += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % 100 < fault->percent;
}

bool faults_take(struct faults *f, const char *verb, struct str resource, struct fault *ret)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!is_hit(f->list[i].verb, str_from(verb)) || !is_hit(f->list[i].resource, resource) ||
            !is_struck(&f->list[i]))
            continue;
        *ret = f->list[i];
        if (--f->list[i].times == 0) {
            memmove(&f->list[i], &f->list[i + 1], (f->n - i - 1) * sizeof(f->list[0]));
            f->n--;
        }
        return true;
    }
    return false;
}

void faults_count(struct faults *f, const char *verb, struct str resource)
{
    f->total++;
    for (size_t i = 0; i < f->counters_n; i++) {
        struct counter *c = &f->counters[i];
        if (str_eq_text(str_from(verb), c->verb) && str_eq_text(resource, c->resource)) {
            c->n++;
            return;
        }
    }
    struct counter fresh = {.n = 1};
    if (f->counters_n < COUNTERS_MAX && str_copy(str_from(verb), fresh.verb, sizeof(fresh.verb)) &&
        str_copy(resource, fresh.resource, sizeof(fresh.resource)))
        f->counters[f->counters_n++] = fresh;
}

struct doc *faults_counts(const struct faults *f, struct arena *a)
{
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "total", (int64_t)f->total);
    struct doc *requests = doc_need_object(a, d, "requests");
    for (size_t i = 0; i < f->counters_n; i++)
        doc_set_int(a, requests, arena_printf(a, "%s %s", f->counters[i].verb, f->counters[i].resource),
                    (int64_t)f->counters[i].n);
    return d;
}
