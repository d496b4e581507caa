// SPDX-License-Identifier: MIT
/* Accepts connections and gives each to an http_conn: accept bursts, spare descriptor, caps per address and in all,
 * optional TLS, drain. Used by fullstackd and by devcluster. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "server/http.h"

struct listener;

/* Ceilings and deadlines of the wire; LISTENER_DEFAULTS holds what docs/CONFIG.md tells. */
struct listener_limits {
    size_t head_bytes;             /* 16 KiB */
    unsigned fields_n;             /* 64 */
    size_t target_bytes;           /* 8,000 */
    size_t stream_unsent_bytes;    /* 256 KiB: a stream with more unsent is cut */
    size_t stream_slow_bytes;      /* 64 KiB unsent for stream_slow_ms: cut */
    unsigned connections_n;        /* in all */
    unsigned connections_per_peer; /* per address; 0: no cap */
    ms_t head_ms;                  /* 10 s for a whole head */
    ms_t body_ms;                  /* 30 s, and a minimum rate */
    ms_t idle_ms;                  /* 60 s between requests */
    ms_t write_ms;                 /* 30 s without progress */
    ms_t stream_slow_ms;           /* 30 s */
    ms_t handler_ms;               /* 60 s: a request nobody answered is answered 503; 0: never */
};
extern const struct listener_limits LISTENER_DEFAULTS;

struct listener_config {
    const char *address;       /* numeric IPv4 or IPv6, or "unix:/path" */
    uint16_t port;             /* 0: any free one */
    const char *tls_cert_path; /* PEM chain; NULL: no TLS */
    const char *tls_key_path;
    const char *trusted_proxies; /* comma-separated addresses or CIDRs whose X-Forwarded-* count; NULL: none */
    const char *server_name;     /* value of the Server header; NULL: none */
    bool is_bare;                /* no security headers (devcluster speaks as an API server does) */
    struct listener_limits limits;
};

/* NULL with INVALID or NOT_READY (address in use, bad certificate). Accepts from the next loop turn. */
MUST_CHECK struct listener *listener_new(struct loop *loop, const struct listener_config *config,
                                         const struct http_service *service, struct err *reterr);
/* Closes everything at once. */
void listener_free(struct listener *l);
uint16_t listener_port(const struct listener *l);
/* Stops accepting, but answers whoever was let in: connections that are waiting to be accepted or had no request yet
 * have a moment to send one. Idle ones close, answers carry Connection: close, streams end spread over spread_ms.
 * on_empty runs once when the last connection is gone or deadline_ms is over. */
void listener_drain(struct listener *l, ms_t spread_ms, ms_t deadline_ms, void (*on_empty)(void *arg), void *arg);
/* Loads the TLS files again; on failure the old ones stay. */
MUST_CHECK bool listener_reload_tls(struct listener *l, struct err *reterr);

struct listener_stats {
    unsigned connections_n;
    unsigned streams_n;
    uint64_t accepted_n;
    uint64_t requests_n;
    uint64_t refused_n; /* parser errors and caps */
    uint64_t streams_cut_n;
    uint64_t unsent_bytes;
};
void listener_stats(const struct listener *l, struct listener_stats *ret);
