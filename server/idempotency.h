// SPDX-License-Identifier: MIT
/* The field Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is not done
 * again. Its owner's key is reserved in the store before the handler runs; the answer is stored before it goes out, and
 * sent again to whoever sends the same request with the same key. */
#pragma once

#include "core/port_store.h"
#include "server/http.h"

enum {
    IDEMPOTENCY_KEY_MAX = 255,
    IDEMPOTENCY_ANSWER_MAX_BYTES = 256 * 1024, /* a longer one is not kept; no POST has it */
};

struct idempotency_settings {
    ms_t valid_ms; /* how long a key is remembered */
    ms_t hold_ms;  /* how long a request may take; a run that was not heard of for so long is over */
    ms_t call_ms;  /* for one call to the store */
    unsigned keys_max;
};

struct idempotency;
/* store: its idempotency_* are used. */
MUST_CHECK struct idempotency *idempotency_new(struct loop *loop, const struct port_store *store,
                                               const struct idempotency_settings *settings);
/* After the listener is gone. NULL is fine. */
void idempotency_free(struct idempotency *i);

/* The key of a POST; *ret is absent when it has none. fails: INVALID naming the field: empty, too long, or other than
 * visible ASCII (quotes around it are a structured string's and not part of it). */
MUST_CHECK bool idempotency_read_key(const struct http_exchange *x, struct str *ret, struct err *reterr);

/* Calls run(arg, operation_id) when the request is to be done: its next answer is stored. Otherwise answers: what was
 * answered before, 422 (the key was used for another request), 409 (it is being done), 429 (too many keys). Never
 * before this returns. arg lives as long as the exchange. */
void idempotency_run(struct idempotency *i, struct http_exchange *x, const char *owner_id, struct str key,
                     void (*run)(void *arg, const char *operation_id), void *arg);

struct idempotency_stats {
    uint64_t runs_n;     /* requests done under a key */
    uint64_t replayed_n; /* answered from the store */
    uint64_t refused_n;  /* 409, 422, 429 */
};
void idempotency_stats(const struct idempotency *i, struct idempotency_stats *ret);
