// SPDX-License-Identifier: MIT
/* HTTP as a client: requests to one peer over libcurl's multi interface on the loop. fetch.c is the only file that
 * includes curl. Not here: what a status or a body means (k8s/client, the GitHub client), retries, redirects (never
 * followed) and proxies (never used). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/io/op.h"

struct fetch;        /* the connections of one loop */
struct fetch_client; /* one peer: where it is, whom to trust, who we are */

/* One per loop. Calls and streams have connections of their own, so that a long watch never stands before a call. */
MUST_CHECK struct fetch *fetch_new(struct loop *loop, struct err *reterr);
/* Ends what is still running without its callbacks. Its clients must be gone. NULL is fine. */
void fetch_free(struct fetch *f);

struct fetch_peer {
    const char *base_url;         /* http or https, host, optional port and path; no query, no user */
    struct str ca_pem;            /* whom to trust; absent: the system's store */
    struct str cert_pem;          /* client certificate; absent: none */
    const struct secret *key_pem; /* its key; NULL without a certificate */
    bool is_unverified;           /* the peer's certificate is not checked: for tests and for those who insist */
};

/* Copies all it is given. Fails with INVALID for a URL that is not as above. */
MUST_CHECK struct fetch_client *fetch_client_new(struct fetch *f, const struct fetch_peer *peer, struct err *reterr);
/* Ends its requests without their callbacks. NULL is fine. */
void fetch_client_free(struct fetch_client *c);
/* The bearer token of requests started from here on; NULL or SECRET_NONE: none. Copied. */
void fetch_client_set_token(struct fetch_client *c, const struct secret *token);

struct fetch_answer {
    int status;               /* HTTP status, always a final one (>= 200) */
    unsigned retry_after_s;   /* of Retry-After; 0: nothing was said */
    const char *content_type; /* as sent; "" if absent */
    int64_t date_ms;          /* of Date, wall clock; -1 if absent or unreadable */
    struct str body;          /* empty for a stream that was answered 2xx */
    void *easy;               /* private: see fetch_answer_header */
};

/* A field of the answer's head, the first one of that name; "" if absent. During the callback only. */
const char *fetch_answer_header(const struct fetch_answer *answer, const char *name);

/* err NULL: the answer is complete, whatever its status; err set: answer is NULL. */
typedef void fetch_on_done(void *arg, const struct fetch_answer *answer, const struct err *err);
/* Bytes of a 2xx answer as they come; at least one. The op may be cancelled from within. */
typedef void fetch_on_bytes(void *arg, struct str bytes);

struct fetch_request {
    const char *method;
    const char *path;         /* begins with '/', percent-encoded, with query; stands after the base URL's path */
    const char *accept;       /* NULL: application/json */
    const char *content_type; /* of the body; NULL: application/json */
    struct str body;          /* absent: none */
    ms_t deadline_ms;         /* > 0: of the whole exchange, also of a stream */
    ms_t idle_ms;             /* TIMEOUT after so long without a byte of the answer; 0: only the deadline counts */
    size_t ceiling_bytes;     /* of a buffered body; more is TOO_LARGE */
    fetch_on_bytes *on_bytes; /* NULL: the body is buffered. Other than 2xx answers are buffered always */
    fetch_on_done *on_done;
    void *arg;
};

/* Sends a request; the contract of op.h holds, all of req is copied. Failures: TIMEOUT (deadline, idle), TOO_LARGE,
 * INVALID (a path curl cannot read), UPSTREAM (no connection, TLS, broken answer; err.code is the CURLcode,
 * err.reason "resolve", "connect", "tls" or "broken"). */
MUST_CHECK struct op *fetch_start(struct fetch_client *c, const struct fetch_request *req);

/* What the library underneath can do, for the doctor command. */
struct fetch_features {
    const char *version; /* static text */
    bool has_http2;
    bool has_async_dns; /* without it a silent name server would stop the loop */
    bool has_tls;
};
void fetch_features(struct fetch_features *ret);
