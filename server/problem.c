// SPDX-License-Identifier: MIT
/* The one place that turns an error into an answer: RFC 9457 members, beside them those the original's clients read
 * (error, details, projectId, timestamp). What went wrong inside (BUG, UPSTREAM) is logged here, once, and told to the
 * client only as the request's id. */
#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "server/http_conn.h"

enum { BODY_CEILING_BYTES = 64 * 1024, RETRY_FIRST_S = 1, RETRY_SPREAD_S = 5 };

/* Statuses without an err_kind: those of the wire itself. */
static const struct wire_problem {
    int status;
    const char *slug;
} wire_problems[] = {
    {400, "bad_request"            },
    {405, "method_not_allowed"     },
    {408, "request_timeout"        },
    {413, "too_large"              },
    {414, "uri_too_long"           },
    {417, "expectation_failed"     },
    {431, "header_fields_too_large"},
    {501, "not_implemented"        },
    {505, "version_not_supported"  },
};

struct problem {
    int status;
    const char *slug;
    const char *text;   /* for the client */
    const char *reason; /* the origin's word, empty: none */
    bool is_kubernetes; /* that of a Kubernetes API */
    const char *field;  /* empty: none */
    int64_t limit;      /* 0: none was met */
    int64_t current;
    unsigned retry_after_s; /* 0: not said */
};

static void write_errors(struct json_writer *w, const struct problem *p, struct arena *a)
{
    if (p->field[0] == '\0')
        return;
    jw_key(w, "errors");
    jw_array(w);
    jw_object(w);
    /* RFC 9457 section 3: a JSON pointer as a URI fragment; parameters are named as they are. */
    jw_kv_text(w, "pointer", p->field[0] == '/' ? arena_printf(a, "#%s", p->field) : p->field);
    jw_kv_text(w, "detail", p->text);
    jw_object_end(w);
    jw_array_end(w);
}

static void write_problem(struct json_writer *w, const struct http_exchange *x, const struct problem *p)
{
    struct arena *a = x->arena;
    struct str project = http_param(x, "projectId");
    if (str_is_none(project))
        project = http_param(x, "id");
    jw_object(w);
    jw_kv_text(w, "type", arena_printf(a, "/problems/%s", p->slug));
    jw_kv_text(w, "title", http_reason(p->status));
    jw_kv_int(w, "status", p->status);
    jw_kv_text(w, "detail", p->text);
    if (!str_is_none(x->path)) /* not known when the head itself was refused */
        jw_kv_str(w, "instance", http_target(x));
    jw_kv_text(w, "error", p->text);
    jw_kv_text(w, "code", p->reason[0] != '\0' ? p->reason : p->slug);
    if (p->limit > 0) {
        jw_kv_int(w, "limit", p->limit);
        jw_kv_int(w, "current", p->current);
    }
    jw_key(w, "details");
    jw_object(w);
    jw_kv_text(w, "name", p->reason[0] != '\0' ? p->reason : p->slug);
    jw_kv_text(w, "message", p->text);
    if (p->is_kubernetes && p->reason[0] != '\0')
        jw_kv_text(w, "kubernetesStatus", p->reason);
    jw_object_end(w);
    if (!str_is_none(project))
        jw_kv_str(w, "projectId", project);
    write_errors(w, p, a);
    jw_kv_time(w, "timestamp", loop_wall_ms(x->conn->shared->loop));
    jw_kv_text(w, "requestId", x->request_id);
    jw_object_end(w);
}

static void answer_problem(struct http_exchange *x, const struct problem *p)
{
    struct json_writer *w = jw_new(BODY_CEILING_BYTES);
    struct str json = STR("{\"title\":\"Internal Server Error\",\"status\":500,\"error\":\"Internal server error\"}");
    struct err err;
    int status = p->status;
    write_problem(w, x, p);
    if (!jw_finish(w, &json, &err)) {
        LOG(ERROR, "http problem could not be written", KV("err", &err), KV("request", x->request_id));
        status = 500;
    }
    if (p->retry_after_s > 0)
        http_add_header(x, "Retry-After", str_from(arena_printf(x->arena, "%u", p->retry_after_s)));
    http_answer(x, status, "application/problem+json", json);
    jw_free(w);
}

/* Spread, so that those who were turned away together do not come back together. */
static unsigned retry_after_s(const struct err *err)
{
    uint8_t chance = 0;
    if (err->retry_after_s > 0)
        return err->retry_after_s;
    if (err->kind != ERR_NOT_READY && err->kind != ERR_LIMIT)
        return 0;
    codec_random(&chance, sizeof chance);
    return RETRY_FIRST_S + chance % RETRY_SPREAD_S;
}

static void log_failure(const struct http_exchange *x, const struct err *err, int status)
{
    if (status < 500)
        return;
    if (err->kind == ERR_BUG)
        LOG(ERROR, "http request failed", KV("err", err), KV("request", x->request_id), KV("target", http_target(x)));
    else
        LOG(WARN, "http request failed", KV("err", err), KV("request", x->request_id), KV("target", http_target(x)));
}

void http_answer_err(struct http_exchange *x, const struct err *err)
{
    /* A caller with an error that is none has lost one: that is a bug of ours, not a success. */
    enum err_kind kind = err->kind == ERR_NONE ? ERR_BUG : err->kind;
    bool is_inside = kind == ERR_BUG || kind == ERR_UPSTREAM;
    int status = err_http_status(kind);
    struct problem p = {.status = status,
                        .slug = err_slug(kind),
                        .text = err->msg,
                        .reason = err->reason,
                        .is_kubernetes = err->is_kubernetes,
                        .field = err->field,
                        .limit = err->limit,
                        .current = err->current,
                        .retry_after_s = retry_after_s(err)};
    log_failure(x, err, status);
    if (is_inside) {
        p.text = kind == ERR_BUG ? "Internal server error" : "A service this server depends on failed";
        p.reason = "";
        p.field = "";
    } else if (p.text[0] == '\0') {
        p.text = http_reason(status);
    }
    if (kind == ERR_UNAUTHENTICATED)
        http_add_header(x, "WWW-Authenticate", STR("Bearer"));
    answer_problem(x, &p);
}

void problem_answer(struct http_exchange *x, int status, const char *why)
{
    const char *slug = "bad_request";
    for (size_t i = 0; i < sizeof wire_problems / sizeof *wire_problems; i++) {
        if (wire_problems[i].status == status)
            slug = wire_problems[i].slug;
    }
    const struct problem p = {.status = status, .slug = slug, .text = why, .reason = "", .field = ""};
    answer_problem(x, &p);
}

void problem_refuse(struct http_exchange *x, int status, const char *why)
{
    x->must_close = true;
    problem_answer(x, status, why);
}
