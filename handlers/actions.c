// SPDX-License-Identifier: MIT
/* POST /api/projects/{id}/start, /stop and /restart: the project as a whole, its data kept. */
#include "core/action.h"
#include "core/caller.h"
#include "core/sandboxes.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

struct action_call {
    struct pending pending; /* first: it is what pending.c knows */
    enum action action;
};

struct words {
    const char *begun;
    const char *already;
    const char *nothing;
};

static const struct words words[ACTION_N] = {
    [ACTION_START] = {"Project is being started",                   "Project is running",
                      "There is no sandbox to start, create it first"                                                     },
    [ACTION_STOP] = {"Project is being stopped, its data is kept", "Project is stopped", "There is no sandbox to stop"   },
    [ACTION_RESTART] = {"Project is being restarted",                 "Project is running", "There is no sandbox to restart"},
    [ACTION_DELETE] = {"Project is being deleted",                   "Project is deleted", "There is no sandbox"           },
};

static void refuse(struct action_call *c, const char *why)
{
    struct err err = {0};
    (void)err_set(&err, ERR_INVALID, __func__, "%s", why);
    http_answer_err(c->pending.x, &err);
}

static void answer(struct action_call *c, int status, const char *message, const struct sandbox *sb)
{
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "message", message);
    jw_key(w, "project");
    jw_object(w);
    jw_kv_text(w, "id", sb->project_id);
    jw_kv_text(w, "status", documents_project_state(sb->status));
    jw_kv_time(w, "updatedAt", sb->updated_ms);
    jw_object_end(w);
    jw_kv_text(w, "eventsUrl", arena_printf(http_arena(c->pending.x), "/api/sandbox/%s/events", sb->project_id));
    jw_object_end(w);
    http_answer_json(c->pending.x, status, w);
}

static void on_done(void *arg, enum request_result result, const struct sandbox *sb, const struct journal_event *events,
                    size_t n_events, const struct err *err)
{
    struct action_call *c = arg;
    (void)events;
    (void)n_events;
    if (!pending_done(&c->pending, err))
        return;
    switch (result) {
    case REQUEST_STARTED:
    case REQUEST_IN_PROGRESS:
        answer(c, 202, words[c->action].begun, sb);
        return;
    case REQUEST_ALREADY:
        answer(c, 200, words[c->action].already, sb);
        return;
    case REQUEST_NOTHING:
        refuse(c, words[c->action].nothing);
        return;
    case REQUEST_REFUSED:
        refuse(c, arena_printf(http_arena(c->pending.x), "A project that is %s cannot %s",
                               documents_project_state(sb->status), action_id(c->action)));
        return;
    }
}

static void on_found(void *arg, const struct project *project, const struct err *err)
{
    struct action_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, err))
        return;
    if (!project->has_sandbox) {
        refuse(c, words[c->action].nothing);
        return;
    }
    pending_wait(&c->pending, sandboxes_act(app->sandboxes, project, c->action, app->settings.request_ms, on_done, c));
}

static void act(struct http_exchange *x, struct app *app, enum action action)
{
    const struct caller *caller = http_context(x);
    struct action_call *c = arena_alloc(http_arena(x), sizeof(*c));
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    c->pending = (struct pending){.x = x, .app = app};
    c->action = action;
    pending_wait(&c->pending, app->store->project_get(app->store->self, caller->who.user_id, id,
                                                      app->settings.request_ms, on_found, c));
}

void actions_start(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_START);
}

void actions_stop(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_STOP);
}

void actions_restart(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_RESTART);
}
