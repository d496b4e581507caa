// SPDX-License-Identifier: MIT
/* Errors of the cluster, as the steps of a flow take them. */
#include "core/flow_errors.h"

#include "core/base/str.h"

enum { ASKED_MAX_S = 30 };

bool flow_error_is_refusal(const struct err *err)
{
    return err->code >= 400 && err->kind != ERR_NOT_READY && err->kind != ERR_TIMEOUT && err->kind != ERR_LIMIT;
}

enum reason flow_error_reason(const struct err *err, enum cluster_object object)
{
    if (str_eq_text(str_from(err->reason), "FieldLost"))
        return REASON_INVALID; /* tried again all the same */
    bool is_ingress = object == OBJECT_INGRESS_APP || object == OBJECT_INGRESS_TTY;
    if (err->kind == ERR_NOT_READY && err->code == 403) /* refused by an API server that may not know better yet */
        return REASON_FORBIDDEN;
    switch (err->kind) {
    case ERR_DENIED:
        return str_eq_text(str_from(err->reason), "QuotaExceeded") ? REASON_QUOTA_EXCEEDED : REASON_FORBIDDEN;
    case ERR_UNAUTHENTICATED:
        return REASON_FORBIDDEN;
    case ERR_CONFLICT:
        return is_ingress ? REASON_INGRESS_CONFLICT : REASON_CONFLICT;
    case ERR_INVALID:
    case ERR_UNPROCESSABLE:
    case ERR_TOO_LARGE:
    case ERR_MEDIA_TYPE:
    case ERR_BUG:
        return REASON_INVALID;
    case ERR_NONE:
    case ERR_MISSING:
    case ERR_GONE:
    case ERR_LIMIT:
    case ERR_CANCELLED:
    case ERR_UPSTREAM:
    case ERR_NOT_READY:
    case ERR_TIMEOUT:
        return REASON_CLUSTER_UNREACHABLE;
    }
    return REASON_INVALID;
}

bool flow_error_is_final(const struct err *err)
{
    bool is_foreign = err->kind == ERR_CONFLICT && str_eq_text(str_from(err->reason), "Foreign");
    /* 404 on a write: the namespace or the kind is not there (yet). */
    return is_foreign || (!err_retryable(err->kind) && err->kind != ERR_MISSING);
}

ms_t flow_error_wait_ms(const struct err *err, ms_t backoff_ms)
{
    ms_t asked_ms = (ms_t)(err->retry_after_s < ASKED_MAX_S ? err->retry_after_s : ASKED_MAX_S) * 1000;
    return backoff_ms > asked_ms ? backoff_ms : asked_ms;
}
