// SPDX-License-Identifier: MIT
/* The gate before every handler: which route, who asks, may they, from which site, how often, how large a body. It
 * answers what it refuses; a handler only sees requests that may reach it, with a struct caller (core/caller.h) as the
 * exchange's context. Whose a project is, the handlers' store calls decide. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/port_store.h"
#include "server/audit.h"
#include "server/http.h"
#include "server/idempotency.h"
#include "server/router.h"

struct gate;

enum { GATE_RATE_N = RATE_STREAM + 1 };

struct gate_settings {
    const struct route *routes; /* borrowed, as is everything here */
    size_t routes_n;
    const struct route *fallback;     /* for GET outside /api; NULL: none */
    struct app *app;                  /* handed to handlers */
    const char *public_url;           /* scheme://host[:port] of browsers; "": not known */
    const char *cors_origins;         /* comma-separated; "": none */
    const char *admin_users;          /* ids, comma-separated */
    unsigned per_window[GATE_RATE_N]; /* by enum route_rate: requests per RATE_WINDOW_S and caller; 0: no limit */
    /* After each request that reached its handler or was answered by its Idempotency-Key, with its status, 0 if it got
     * none because its client left; the exchange's parameters and context are still there. NULL: nothing. */
    void (*after)(struct http_exchange *x, struct app *app, int status);
    ms_t audit_keep_ms;                      /* 0: no audit is written */
    ms_t lookup_ms;                          /* for finding a session or token */
    struct idempotency_settings idempotency; /* valid_ms 0: the field Idempotency-Key is not looked at */
};

/* store: its session_find, token_find and idempotency_* are used. */
MUST_CHECK struct gate *gate_new(struct loop *loop, const struct port_store *store,
                                 const struct gate_settings *settings);
/* After the listener is gone. NULL is fine. */
void gate_free(struct gate *g);
/* When no more requests come: writes what the audit still holds, then calls done once, maybe at once. */
void gate_drain(struct gate *g, void (*done)(void *arg), void *arg);
/* What to give to listener_new. */
void gate_service(struct gate *g, struct http_service *ret);

struct gate_stats {
    const uint64_t *requests_n; /* by place in the route table; the fallback's is at routes_n */
    uint64_t unauthorized_n;
    uint64_t forbidden_n; /* role or foreign site */
    uint64_t limited_n;
    uint64_t lookups_n;
    struct idempotency_stats idempotency;
    struct audit_stats audit;
};
void gate_stats(const struct gate *g, struct gate_stats *ret);
