// SPDX-License-Identifier: MIT
/* What orchestrators and operators ask: does the loop turn, may traffic come, which version, how is it going. What is
 * checked and counted is the program's (struct app); here it only gets its form. */
#include "core/base/json_write.h"
#include "handlers/handlers.h"

enum { HEALTH_BODY_BYTES = 16 * 1024, METRICS_BODY_BYTES = 1024 * 1024 };

static void answer_text(struct http_exchange *x, int status, const struct buf *body)
{
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer(x, status, "text/plain; charset=utf-8", buf_str(body));
}

void health_live(struct http_exchange *x, struct app *app)
{
    (void)app;
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer(x, 200, "text/plain; charset=utf-8", STR("ok\n"));
}

/* One line per check, in the form of the Kubernetes API's own /readyz?verbose. */
static void add_check(struct buf *out, const struct app_check *check)
{
    const char *word = check->is_ok ? "[+]" : check->is_needed ? "[-]" : "[!]";
    buf_addf(out, "%s%s %s", word, check->name, check->is_ok ? "ok" : check->is_needed ? "failed" : "warning");
    if (check->text[0] != '\0')
        buf_addf(out, ": %s", check->text);
    buf_add_byte(out, '\n');
}

void health_ready(struct http_exchange *x, struct app *app)
{
    struct app_check checks[APP_CHECKS_MAX];
    struct str ignored;
    struct buf body;
    bool is_ready = true;
    bool is_verbose = http_query_find(x, "verbose", &ignored);
    size_t n = app->checks(app->self, checks);
    buf_init(&body, HEALTH_BODY_BYTES);
    for (size_t i = 0; i < n; i++) {
        is_ready = is_ready && (checks[i].is_ok || !checks[i].is_needed);
        if (is_verbose)
            add_check(&body, &checks[i]);
    }
    buf_add_text(&body, is_ready ? "ok\n" : "not ready\n");
    answer_text(x, is_ready ? 200 : 503, &body);
    buf_fini(&body);
}

void health_version(struct http_exchange *x, struct app *app)
{
    struct json_writer *w = jw_new(HEALTH_BODY_BYTES);
    (void)app;
    jw_object(w);
    jw_kv_text(w, "name", "fullstackd");
    jw_kv_text(w, "version", FULLSTACKD_VERSION);
    jw_object_end(w);
    http_answer_json(x, 200, w);
}

void health_metrics(struct http_exchange *x, struct app *app)
{
    struct buf body;
    struct err err = {0};
    if (!app->settings.has_metrics) {
        err_set(&err, ERR_MISSING, __func__, "Not Found");
        http_answer_err(x, &err);
        return;
    }
    buf_init(&body, METRICS_BODY_BYTES);
    app->metrics(app->self, &body);
    http_add_header(x, "Cache-Control", STR("no-store"));
    /* Prometheus' text format, version 0.0.4. */
    http_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&body));
    buf_fini(&body);
}
