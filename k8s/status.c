// SPDX-License-Identifier: MIT
/* One table from HTTP status to kind, and the few statuses that mean several things. */
#include "k8s/status.h"

static const struct {
    int http;
    enum err_kind kind;
    const char *reason; /* if the body names none */
} kinds[] = {
    {400, ERR_INVALID,         "BadRequest"           },
    {401, ERR_UNAUTHENTICATED, "Unauthorized"         },
    {403, ERR_DENIED,          "Forbidden"            },
    {404, ERR_MISSING,         "NoSuchResource"       },
    {405, ERR_INVALID,         "MethodNotAllowed"     },
    {406, ERR_INVALID,         "NotAcceptable"        },
    {408, ERR_TIMEOUT,         "Timeout"              },
    {409, ERR_CONFLICT,        "Conflict"             },
    {410, ERR_GONE,            "Expired"              },
    {413, ERR_TOO_LARGE,       "RequestEntityTooLarge"},
    {415, ERR_INVALID,         "UnsupportedMediaType" },
    {422, ERR_INVALID,         "Invalid"              },
    {429, ERR_LIMIT,           "TooManyRequests"      },
    {500, ERR_UPSTREAM,        "InternalError"        },
    {503, ERR_NOT_READY,       "ServiceUnavailable"   },
    {504, ERR_TIMEOUT,         "Timeout"              },
};

static bool has(struct str text, struct str part)
{
    return str_find_str(text, part) < text.n;
}

static void set_reason(struct err *err, struct str reason)
{
    if (!str_is_none(reason) && !str_copy(reason, err->reason, sizeof err->reason))
        err->reason[0] = '\0';
}

/* Statuses whose reason alone does not tell what to do. */
static void refine(struct err *err, struct str message, const struct json_value *details)
{
    const struct json_value *cause = json_first(json_find(details, "causes"));
    struct str cause_reason = json_str(json_find(cause, "reason"));
    if (err->code == 403 && has(message, STR("exceeded quota")))
        set_reason(err, STR("QuotaExceeded"));
    else if (err->code == 403 && str_eq_text(cause_reason, "NamespaceTerminating"))
        set_reason(err, cause_reason);
    else if (err->code == 404 && str_eq_text(json_str(json_find(details, "kind")), "namespaces"))
        set_reason(err, STR("NamespaceMissing"));
    else if (err->code == 404 && str_is_none(json_str(json_find(details, "name"))))
        set_reason(err, STR("NoSuchResource"));
    else if (err->code == 409 && str_starts(message, STR("object is being deleted")))
        set_reason(err, STR("BeingDeleted"));
    else if (err->code == 409 && str_eq_text(cause_reason, "FieldManagerConflict"))
        set_reason(err, cause_reason);
    else if (err->code == 409 && has(message, STR("in the precondition")))
        set_reason(err, STR("Precondition"));
    if (str_eq_text(str_from(err->reason), "BeingDeleted"))
        err->kind = ERR_NOT_READY; /* the name will be free in a moment */
    if (!str_copy(json_str(json_find(cause, "field")), err->field, sizeof err->field))
        err->field[0] = '\0';
}

bool status_check(int http_status, unsigned retry_after_s, const struct json_value *status, struct str text,
                  struct err *reterr)
{
    const struct json_value *details = json_find(status, "details");
    struct str message = json_str(json_find(status, "message"));
    struct err err = {0};
    enum err_kind kind = http_status >= 500 ? ERR_UPSTREAM : ERR_INVALID;
    const char *reason = "";
    int64_t wait_s;
    if (http_status >= 200 && http_status < 300)
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].http == http_status) {
            kind = kinds[i].kind;
            reason = kinds[i].reason;
        }
    }
    if (str_is_none(message))
        message = str_trim(str_slice(text, 0, 200));
    err_set(&err, kind, __func__, "kubernetes: %d %.*s", http_status, STR_ARG(message));
    err.code = http_status;
    err.is_kubernetes = true;
    set_reason(&err, str_from(reason));
    set_reason(&err, json_str(json_find(status, "reason")));
    refine(&err, message, details);
    wait_s = json_int(json_find(details, "retryAfterSeconds"), 0);
    err.retry_after_s = wait_s > retry_after_s && wait_s < 3600 ? (unsigned)wait_s : retry_after_s;
    err_copy(reterr, &err);
    return false;
}

void status_from_event(const struct json_value *status, struct err *ret)
{
    int64_t code = json_int(json_find(status, "code"), 500);
    if (status_check(code >= 300 && code < 600 ? (int)code : 500, 0, status, STR_NONE, ret))
        err_set(ret, ERR_BUG, __func__, "an error event without an error");
}
