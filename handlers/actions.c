// SPDX-License-Identifier: MIT
/* POST /api/projects/{id}/start, /stop and /restart: the project as a whole, its data kept. /sandbox/start and
 * /sandbox/stop do the same and answer in the words of older clients. */
#include "core/action.h"
#include "core/caller.h"
#include "core/sandboxes.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

struct action_call {
    struct pending pending; /* first: it is what pending.c knows */
    enum action action;
    bool is_of_sandbox; /* as which it is answered */
};

struct words {
    const char *begun;
    const char *already;
};

static const struct words project_words[ACTION_N] = {
    [ACTION_START] = {"Project is being started",                   "Project is running"},
    [ACTION_STOP] = {"Project is being stopped, its data is kept", "Project is stopped"},
    [ACTION_RESTART] = {"Project is being restarted",                 "Project is running"},
};

static const struct words sandbox_words[ACTION_N] = {
    [ACTION_START] = {"Sandbox is being started",                                   "Sandbox is running"},
    [ACTION_STOP] = {"Sandbox and database are being stopped, their data is kept", "Sandbox is stopped"},
};

static const char *const without_sandbox[ACTION_N] = {
    [ACTION_START] = "There is no sandbox to start, create it first",
    [ACTION_STOP] = "There is no sandbox to stop",
    [ACTION_RESTART] = "There is no sandbox to restart",
};

static const struct words *words_of(const struct action_call *c)
{
    return c->is_of_sandbox ? &sandbox_words[c->action] : &project_words[c->action];
}

static void refuse(struct action_call *c, const char *why)
{
    struct err err = {0};
    (void)err_set(&err, ERR_INVALID, __func__, "%s", why);
    http_answer_err(c->pending.x, &err);
}

static const char *subject(const struct action_call *c)
{
    return c->is_of_sandbox ? "sandbox" : "project";
}

static const char *state(const struct action_call *c, const struct sandbox *sb)
{
    return c->is_of_sandbox ? sandbox_status_row(sb->status) : documents_project_state(sb->status);
}

static void answer(struct action_call *c, int status, const char *message, const struct sandbox *sb)
{
    const struct documents_subject about = {subject(c), c->is_of_sandbox ? sb->id : sb->project_id, state(c, sb),
                                            sb->updated_ms, sb->project_id};
    documents_answer_action(c->pending.x, status, message, &about);
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
        answer(c, 202, words_of(c)->begun, sb);
        return;
    case REQUEST_ALREADY:
        answer(c, 200, words_of(c)->already, sb);
        return;
    case REQUEST_NOTHING:
        refuse(c, without_sandbox[c->action]);
        return;
    case REQUEST_REFUSED:
        refuse(c, arena_printf(http_arena(c->pending.x), "A %s that is %s cannot %s", subject(c), state(c, sb),
                               action_id(c->action)));
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
        refuse(c, without_sandbox[c->action]);
        return;
    }
    pending_wait(&c->pending, sandboxes_act(app->sandboxes, project, c->action, app->settings.request_ms, on_done, c));
}

static void act(struct http_exchange *x, struct app *app, enum action action, bool is_of_sandbox)
{
    const struct caller *caller = http_context(x);
    struct action_call *c = arena_alloc(http_arena(x), sizeof(*c));
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    c->pending = (struct pending){.x = x, .app = app};
    c->action = action;
    c->is_of_sandbox = is_of_sandbox;
    pending_wait(&c->pending, app->store->project_get(app->store->self, caller->who.user_id, id,
                                                      app->settings.request_ms, on_found, c));
}

void actions_start(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_START, false);
}

void actions_stop(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_STOP, false);
}

void actions_restart(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_RESTART, false);
}

void actions_start_sandbox(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_START, true);
}

void actions_stop_sandbox(struct http_exchange *x, struct app *app)
{
    act(x, app, ACTION_STOP, true);
}
