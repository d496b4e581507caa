// SPDX-License-Identifier: MIT
/* /api/projects/{id}/limits: how long a project's sandbox may run unused, and how long at a time; and its use: every
 * request that changes something of a project, and is not refused, counts, and /api/projects/{id}/activity says it for
 * what this server cannot see, such as a terminal. */
#include "core/base/json_read.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { OWN_MIN_S = 60, OWN_MAX_S = 366 * 24 * 3600, NO_OWN = -1 };

/* ---- use ---- */

void limits_note_use(struct http_exchange *x, struct app *app, int status)
{
    const struct caller *caller = http_context(x);
    enum http_method method = http_method(x);
    struct str project = http_param(x, "projectId");
    if (str_is_none(project) && str_starts(http_path(x), STR("/api/projects/")))
        project = http_param(x, "id");
    /* Pages and monitors read by themselves: that is nobody's use; nor is a program that tries what is refused, over
     * and over. */
    bool is_taken = status >= 200 && status < 300;
    if (is_taken && method != HTTP_GET && method != HTTP_HEAD && caller->is_signed_in && !str_is_none(project))
        activity_note(app->activity, caller->who.user_id, project);
}

/* ---- documents ---- */

static void write_seconds(struct json_writer *w, const char *key, ms_t ms)
{
    jw_key(w, key);
    if (ms >= 0)
        jw_int(w, ms / 1000);
    else
        jw_null(w);
}

static void on_limits(void *arg, const struct project_limits *limits, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    write_seconds(w, "idleStopSeconds", limits->own_idle_stop_ms);
    write_seconds(w, "maxAgeSeconds", limits->own_max_age_ms);
    jw_key(w, "effective");
    jw_object(w);
    write_seconds(w, "idleStopSeconds", limits->idle_stop_ms);
    write_seconds(w, "maxAgeSeconds", limits->max_age_ms);
    write_seconds(w, "warningSeconds", p->app->settings.limits.warning_ms);
    jw_object_end(w);
    jw_kv_time(w, "lastActiveAt", limits->active_ms);
    jw_kv_time(w, "stopsAt", limits->stops_ms);
    jw_kv_text(w, "stopsFor", limits->stops_ms < 0 ? NULL : limits->is_stop_for_age ? "age" : "idle");
    jw_object_end(w);
    http_answer_json(p->x, 200, w);
}

static void on_used(void *arg, const struct project_limits *limits, const struct err *err)
{
    struct pending *p = arg;
    (void)limits;
    if (pending_done(p, err))
        http_answer(p->x, 204, NULL, STR_NONE);
}

static void get(struct http_exchange *x, struct app *app, store_on_limits *done)
{
    const struct caller *caller = http_context(x);
    struct pending *p = pending_new(x, app);
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(p, app->store->limits_get(app->store->self, caller->who.user_id, id, &app->settings.limits,
                                           app->settings.request_ms, done, p));
}

void limits_show(struct http_exchange *x, struct app *app)
{
    get(x, app, on_limits);
}

/* That it is answered so is what counts: limits_note_use sees it. */
void limits_activity(struct http_exchange *x, struct app *app)
{
    get(x, app, on_used);
}

/* ---- change ---- */

/* null: as the server is configured. */
static bool read_own(struct arena *a, const struct json_value *v, ms_t *ret, struct err *reterr)
{
    int64_t seconds = json_int(v, NO_OWN);
    if (json_type(v) == JSON_NULL)
        return true;
    if (json_type(v) != JSON_NUMBER || (seconds != 0 && seconds < OWN_MIN_S) || seconds > OWN_MAX_S)
        return json_refuse_member(json_key(v),
                                  arena_printf(a,
                                               "must be 0 (never), %d to %d seconds, or null (as the server is "
                                               "configured)",
                                               OWN_MIN_S, OWN_MAX_S),
                                  reterr);
    *ret = seconds * 1000;
    return true;
}

/* By hand and not by json_bind, because null is a value here. */
static bool read_limits(struct http_exchange *x, struct limits_wish *ret, struct err *reterr)
{
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, reterr);
    ret->idle_stop_ms = ret->max_age_ms = NO_OWN;
    if (json == NULL)
        return false;
    if (json_type(json) != JSON_OBJECT)
        return err_set(reterr, ERR_INVALID, __func__, "must be a JSON object");
    for (const struct json_value *v = json_first(json); v != NULL; v = json_next(v)) {
        ms_t *own = str_eq_text(json_key(v), "idleStopSeconds") ? &ret->idle_stop_ms
                    : str_eq_text(json_key(v), "maxAgeSeconds") ? &ret->max_age_ms
                                                                : NULL;
        if (own == NULL)
            return json_refuse_member(json_key(v), "is not a known field", reterr);
        if (!read_own(http_arena(x), v, own, reterr))
            return false;
    }
    return true;
}

void limits_set(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct err err = {0};
    struct limits_wish wish = {.owner_id = caller->who.user_id, .settings = &app->settings.limits};
    if (!read_limits(x, &wish, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct pending *p = pending_new(x, app);
    wish.project_id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(p, app->store->limits_set(app->store->self, &wish, app->settings.request_ms, on_limits, p));
}
