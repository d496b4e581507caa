// SPDX-License-Identifier: MIT
/* Keeps one kind of one namespace in the cache: a list in pages, then a watch that goes on from its version for ever;
 * a lost stream is resumed, an expired one listed anew, with back-off and jitter between failures. */
#pragma once

#include <stdint.h>

#include "core/base/json_read.h"
#include "core/base/str.h"
#include "k8s/cache.h"
#include "k8s/client.h"

struct watch;

struct watch_options {
    struct kube *kube;
    struct cache *cache;
    enum kube_kind kind;
    const char *version;        /* of the API; NULL: the kind's own */
    const char *namespace_name; /* borrowed */
    /* NULL, or called when a list or stream ended for any reason but ours; the watch itself goes on. It must not be
     * freed from within. */
    void (*on_break)(void *arg);
    /* NULL, or called when watch_trouble() is over; as on_break. */
    void (*on_calm)(void *arg);
    void *arg;
    unsigned timeout_s; /* how long a stream is asked for; 0: 45 to 75 s, drawn anew for each */
};

struct watch *watch_new(const struct watch_options *options);
void watch_start(struct watch *w);
/* The API answers again, or a right was given: a watch that rests after a failure need not rest on. */
void watch_hurry(struct watch *w);
/* What the API said when it refused (403) to list or watch the kind; NULL: it does not. */
const struct err *watch_refusal(const struct watch *w);
/* What the API says, in an error of its own, to whoever wants to list or watch the kind, so that what is cached may be
 * old; NULL: it does not. Of a 403 watch_refusal() tells. */
const struct err *watch_trouble(const struct watch *w);
void watch_free(struct watch *w); /* NULL is fine */

struct watch_stats {
    uint64_t lists_n, streams_n, events_n, failures_n;
    uint64_t version; /* resourceVersion a watch would go on from; 0: it has to list */
};
void watch_stats(const struct watch *w, struct watch_stats *ret);

/* ---- for tests and fuzzing: the same reading without a network ---- */

enum watch_event_type { WATCH_PUT, WATCH_DROP, WATCH_BOOKMARK, WATCH_ERROR };
struct watch_event {
    enum watch_event_type type;
    const struct json_value *object;
    uint64_t version; /* resourceVersion of the object; 0 if it has none */
};
/* One value of a watch stream; false with INVALID when it is none. */
MUST_CHECK bool watch_read_event(const struct json_value *value, struct watch_event *ret, struct err *reterr);
