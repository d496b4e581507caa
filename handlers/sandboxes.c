// SPDX-License-Identifier: MIT
/* /api/sandbox/{projectId}: status, create or retry, terminate or cancel; /api/projects/{id}/sandbox/status: the status
 * alone. */
#include "core/sandboxes.h"
#include "core/base/json_read.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { STATUS_TTL_MS = 5000, STAGE_ROWS_MAX = 500, USUAL_TTL_MS = 60000 };

struct sandbox_call {
    struct pending pending; /* first: it is what pending.c knows */
    const char *owner_id;
    const char *project_id;
    struct project *project;
    struct env_list env;
    bool has_env;
    enum desired desired;
    struct stage_view stages[STAGE_N];
};

static struct sandbox_call *new_call(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct sandbox_call *c = arena_alloc(http_arena(x), sizeof(*c));
    c->pending = (struct pending){.x = x, .app = app};
    c->owner_id = caller->who.user_id;
    c->project_id = arena_dup(http_arena(x), http_param(x, "projectId"));
    return c;
}

/* ---- status ---- */

static void answer_status(struct sandbox_call *c, const struct stage_view *stages)
{
    const struct port_store *store = c->pending.app->store;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    struct str json;
    documents_status(w, c->pending.app, c->project, stages);
    if (jw_finish(w, &json, NULL))
        store->status_put(store->self, c->owner_id, c->project_id, json, STATUS_TTL_MS);
    http_answer_json(c->pending.x, 200, w);
}

/* Without it the answer is poorer, not wrong. */
static void on_usual(void *arg, const struct stage_usual usual[STAGE_N], const struct err *err)
{
    struct sandbox_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, NULL))
        return;
    for (size_t i = 0; i < STAGE_N; i++)
        app->usual[i].p50_ms = err == NULL ? usual[i].p50_ms : -1;
    app->usual_until_ms = loop_now_ms(app->loop) + USUAL_TTL_MS;
    answer_status(c, c->stages);
}

static void on_stages(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq,
                      const struct err *err);

/* An attempt that was repaired often has many rows. */
static void read_stages(struct sandbox_call *c, uint64_t after)
{
    struct app *app = c->pending.app;
    const struct journal_query query = {.owner_id = c->owner_id,
                                        .project_id = c->project_id,
                                        .after = after,
                                        .attempt = c->project->sandbox.attempt,
                                        .limit = STAGE_ROWS_MAX};
    pending_wait(&c->pending,
                 app->store->journal_read(app->store->self, &query, app->settings.request_ms, on_stages, c));
}

static void on_stages(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq, const struct err *err)
{
    struct sandbox_call *c = arg;
    (void)last_seq;
    if (!pending_done(&c->pending, err))
        return;
    documents_stages_add(events, n, c->project->sandbox.attempt, c->stages);
    if (n == STAGE_ROWS_MAX) {
        read_stages(c, events[n - 1].seq);
        return;
    }
    struct app *app = c->pending.app;
    if (loop_now_ms(app->loop) < app->usual_until_ms)
        answer_status(c, c->stages);
    else
        pending_wait(&c->pending, app->store->stage_usual(app->store->self, app->settings.request_ms, on_usual, c));
}

static void on_status_project(void *arg, const struct project *project, const struct err *err)
{
    struct sandbox_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    c->project = arena_alloc(http_arena(c->pending.x), sizeof(*c->project));
    *c->project = *project;
    if (!project->has_sandbox) {
        answer_status(c, NULL);
        return;
    }
    documents_stages_begin(c->stages);
    read_stages(c, 0);
}

static void on_cached(void *arg, struct str json, const struct err *err)
{
    struct sandbox_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, NULL))
        return;
    if (err == NULL) {
        http_answer_document(c->pending.x, 200, json);
        return;
    }
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_status_project, c));
}

void sandboxes_get(struct http_exchange *x, struct app *app)
{
    struct sandbox_call *c = new_call(x, app);
    pending_wait(&c->pending, app->store->status_find(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_cached, c));
}

/* ---- status alone, as older clients ask for it ---- */

static void on_brief_project(void *arg, const struct project *project, const struct err *err)
{
    struct pending *p = arg;
    struct err missing = {0};
    struct live_status live;
    if (!pending_done(p, err))
        return;
    if (!project->has_sandbox) {
        err_set(&missing, ERR_MISSING, __func__, "No sandbox found");
        http_answer_err(p->x, &missing);
        return;
    }
    sandboxes_live(p->app->sandboxes, &project->sandbox, &live);
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "status", sandbox_status_row(live.status));
    if (live.message[0] != '\0')
        jw_kv_text(w, "message", live.message);
    jw_kv_time(w, "lastUpdated", project->sandbox.updated_ms);
    jw_object_end(w);
    http_answer_json(p->x, 200, w);
}

void sandboxes_get_brief(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct pending *p = pending_new(x, app);
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(p, app->store->project_get(app->store->self, caller->who.user_id, id, app->settings.request_ms,
                                            on_brief_project, p));
}

/* ---- requests ---- */

static void answer_request(struct sandbox_call *c, int status, const char *word, const char *message,
                           const struct sandbox *sb)
{
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "status", word);
    jw_kv_text(w, "message", message);
    if (sb != NULL && c->desired == DESIRED_RUNNING) {
        jw_key(w, "sandbox");
        documents_sandbox(w, c->pending.app, sb);
        jw_kv_int(w, "attempt", sb->attempt);
        jw_kv_text(w, "eventsUrl", arena_printf(http_arena(c->pending.x), "/api/sandbox/%s/events", sb->project_id));
    }
    jw_object_end(w);
    http_answer_json(c->pending.x, status, w);
}

static void refuse(struct sandbox_call *c)
{
    struct err err = {0};
    (void)err_set(&err, ERR_CONFLICT, __func__, "The project is being deleted");
    http_answer_err(c->pending.x, &err);
}

static void on_create(void *arg, enum request_result result, const struct sandbox *sb,
                      const struct journal_event *events, size_t n_events, const struct err *err)
{
    struct sandbox_call *c = arg;
    (void)events;
    (void)n_events;
    if (!pending_done(&c->pending, err))
        return;
    switch (result) {
    case REQUEST_STARTED:
    case REQUEST_IN_PROGRESS:
        answer_request(c, 202, "created", "Sandbox is being created", sb);
        return;
    case REQUEST_ALREADY:
        answer_request(c, 200, "already_running", "Sandbox is already running", sb);
        return;
    case REQUEST_NOTHING:
    case REQUEST_REFUSED:
        refuse(c);
        return;
    }
}

static void on_delete(void *arg, enum request_result result, const struct sandbox *sb,
                      const struct journal_event *events, size_t n_events, const struct err *err)
{
    struct sandbox_call *c = arg;
    (void)events;
    (void)n_events;
    if (!pending_done(&c->pending, err))
        return;
    switch (result) {
    case REQUEST_STARTED:
    case REQUEST_IN_PROGRESS:
    case REQUEST_REFUSED: /* it goes with its project */
        answer_request(c, 202, "terminating", "Sandbox is being terminated, its database is kept", sb);
        return;
    case REQUEST_ALREADY:
        answer_request(c, 200, "terminated", "Sandbox has been terminated", sb);
        return;
    case REQUEST_NOTHING:
        answer_request(c, 200, "not_found", "No sandbox to delete", NULL);
        return;
    }
}

static void on_found(void *arg, const struct project *project, const struct err *err)
{
    struct sandbox_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, err))
        return;
    pending_wait(&c->pending,
                 sandboxes_request(app->sandboxes, project, c->desired, c->has_env ? &c->env : NULL,
                                   app->settings.request_ms, c->desired == DESIRED_RUNNING ? on_create : on_delete, c));
}

static void find_project(struct sandbox_call *c)
{
    struct app *app = c->pending.app;
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_found, c));
}

struct create_body {
    const struct json_value *env_vars;
};
static const struct json_field create_fields[] = {
    {"envVars", JSON_OBJECT, offsetof(struct create_body, env_vars), JSON_OPTIONAL, 0, SANDBOX_ENV_MAX_N},
};

static bool read_env(struct sandbox_call *c, const struct json_value *vars, struct err *reterr)
{
    struct arena *a = http_arena(c->pending.x);
    struct env_var *all = arena_alloc(a, (json_count(vars) + 1) * sizeof(*all));
    size_t n = 0;
    for (const struct json_value *v = json_first(vars); v != NULL; v = json_next(v)) {
        if (json_type(v) != JSON_STR)
            return err_set_field(reterr, ERR_INVALID, __func__, arena_printf(a, "/envVars/%.*s", STR_ARG(json_key(v))),
                                 "a variable's value must be a string");
        all[n++] = (struct env_var){json_key(v), json_str(v)};
    }
    c->env = (struct env_list){all, n};
    c->has_env = vars != NULL;
    return true;
}

void sandboxes_create(struct http_exchange *x, struct app *app)
{
    struct sandbox_call *c = new_call(x, app);
    struct create_body body = {NULL};
    struct err err = {0};
    c->desired = DESIRED_RUNNING;
    if (http_body(x).n > 0) {
        const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
        if (json == NULL ||
            !json_bind(json, create_fields, sizeof(create_fields) / sizeof(*create_fields), &body, &err) ||
            !read_env(c, body.env_vars, &err)) {
            http_answer_err(x, &err);
            return;
        }
    }
    find_project(c);
}

void sandboxes_delete(struct http_exchange *x, struct app *app)
{
    struct sandbox_call *c = new_call(x, app);
    c->desired = DESIRED_TERMINATED;
    find_project(c);
}
