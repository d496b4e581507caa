// SPDX-License-Identifier: MIT
/* /api/projects/{id}/limits: how long a project's sandbox may run unused, and how long at a time; and its use: every
 * request that changes something of a project counts, and /api/projects/{id}/activity says it for what this server
 * cannot see, such as a terminal. */
#include "core/base/json_read.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { OWN_MIN_S = 60, OWN_MAX_S = 366 * 24 * 3600, NO_OWN = -1 };

/* ---- use ---- */

void limits_note_use(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    enum http_method method = http_method(x);
    struct str project = http_param(x, "projectId");
    if (str_is_none(project) && str_starts(http_path(x), STR("/api/projects/")))
        project = http_param(x, "id");
    /* Pages and monitors read by themselves: that is nobody's use. */
    if (method != HTTP_GET && method != HTTP_HEAD && caller->is_signed_in && !str_is_none(project))
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

/* That it was called is what counts: limits_note_use has seen it. */
void limits_activity(struct http_exchange *x, struct app *app)
{
    get(x, app, on_used);
}

/* ---- change ---- */

/* Absent or null: as the server is configured. */
static bool read_own(const struct json_value *json, const char *key, const char *field, ms_t *ret, struct err *reterr)
{
    const struct json_value *v = json_find(json, key);
    int64_t seconds = json_int(v, NO_OWN);
    *ret = NO_OWN;
    if (v == NULL || json_type(v) == JSON_NULL)
        return true;
    if (json_type(v) != JSON_NUMBER || (seconds != 0 && seconds < OWN_MIN_S) || seconds > OWN_MAX_S)
        return err_set_field(reterr, ERR_INVALID, __func__, field,
                             "%s must be 0 (never), %d to %d seconds, or null (as the server is configured)", key,
                             OWN_MIN_S, OWN_MAX_S);
    *ret = seconds * 1000;
    return true;
}

void limits_set(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct err err = {0};
    struct limits_wish wish = {.owner_id = caller->who.user_id, .settings = &app->settings.limits};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json != NULL && json_type(json) != JSON_OBJECT)
        err_set_field(&err, ERR_INVALID, __func__, "", "The body must be an object");
    if (err.kind != ERR_NONE || json == NULL ||
        !read_own(json, "idleStopSeconds", "/idleStopSeconds", &wish.idle_stop_ms, &err) ||
        !read_own(json, "maxAgeSeconds", "/maxAgeSeconds", &wish.max_age_ms, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct pending *p = pending_new(x, app);
    wish.project_id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(p, app->store->limits_set(app->store->self, &wish, app->settings.request_ms, on_limits, p));
}
