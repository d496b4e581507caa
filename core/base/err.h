// SPDX-License-Identifier: MIT
/* The one error type, from libpq, curl and Kubernetes up to the HTTP answer. Library folders return errors and do not
 * log them; whoever ends an error logs it once. server/problem.c alone turns one into an HTTP answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/*    kind             slug               http  retryable */
#define ERR_KINDS(X)                                                                                                   \
    X(INVALID, "invalid", 400, false)                                                                                  \
    X(UNAUTHENTICATED, "unauthenticated", 401, false)                                                                  \
    X(DENIED, "denied", 403, false)                                                                                    \
    X(MISSING, "missing", 404, false)                                                                                  \
    X(CONFLICT, "conflict", 409, true)                                                                                 \
    X(GONE, "gone", 410, false)                                                                                        \
    X(TOO_LARGE, "too_large", 413, false)                                                                              \
    X(MEDIA_TYPE, "media_type", 415, false)                                                                            \
    X(UNPROCESSABLE, "unprocessable", 422, false)                                                                      \
    X(LIMIT, "limit", 429, true)                                                                                       \
    X(CANCELLED, "cancelled", 499, false)                                                                              \
    X(BUG, "bug", 500, false)                                                                                          \
    X(UPSTREAM, "upstream", 502, true)                                                                                 \
    X(NOT_READY, "not_ready", 503, true)                                                                               \
    X(TIMEOUT, "timeout", 504, true)

enum err_kind {
    ERR_NONE = 0,
#define X(name, slug, http, retry) ERR_##name,
    ERR_KINDS(X)
#undef X
};

struct err {
    enum err_kind kind;
    int code; /* the origin's own number: SQLSTATE as 5 base-36 digits, HTTP status, CURLcode, errno; 0 if none */
    unsigned retry_after_s; /* 0: nothing was said */
    int64_t limit;          /* of how many there may be, `current` that there are; 0: it is about no number */
    int64_t current;
    const char *origin; /* static text: the function that made it */
    char field[96];     /* JSON pointer or name of the field at fault; empty if none */
    char reason[48];    /* the origin's word for it, for example Kubernetes' "AlreadyExists"; empty if none */
    bool is_kubernetes; /* the origin is a Kubernetes API */
    char msg[320];      /* one sentence for a person, no secrets, NUL-terminated; cut when longer */
};

/* Fills `reterr` (may be NULL) and returns false, so that `return err_set(...)` reads as one thought.
 * fmt: printf format of the message; must not carry secrets. */
bool err_set(struct err *reterr, enum err_kind kind, const char *origin, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* As err_set, and names the field at fault (a JSON pointer such as "/name", or a parameter's name). */
bool err_set_field(struct err *reterr, enum err_kind kind, const char *origin, const char *field, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* Puts "<doing>: " before the message. doing: static text such as "creating database cluster". Returns false. */
bool err_wrap(struct err *err, const char *doing);

/* Copies `from` to `ret`; a NULL `from` clears `ret`. */
void err_copy(struct err *ret, const struct err *from);

/* The kind's slug ("not_ready"), its HTTP status, whether a later try may succeed. ERR_NONE gives "none", 200, false.
 */
const char *err_slug(enum err_kind kind);
int err_http_status(enum err_kind kind);
bool err_retryable(enum err_kind kind);
