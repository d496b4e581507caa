// SPDX-License-Identifier: MIT
/* /api/projects: create, read, delete, the last one as POST .../delete too. The list is projects_list.c. */
#include "core/base/json_read.h"
#include "core/caller.h"
#include "core/sandboxes.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

/* ---- create, read ---- */

static void on_project(void *arg, const struct project *project, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    documents_project(w, p->app, project);
    http_answer_json(p->x, 200, w);
}

struct create_body {
    struct str name;
    struct str description;
    struct str cluster;
};
/* The name's own rule (characters, not bytes) is names_check_project's. */
static const struct json_field create_fields[] = {
    {"name",        JSON_STR, offsetof(struct create_body, name),        JSON_REQUIRED, 0, PROJECT_NAME_SIZE * 4 },
    {"description", JSON_STR, offsetof(struct create_body, description), JSON_OPTIONAL, 0, PROJECT_TEXT_MAX_BYTES},
    {"cluster",     JSON_STR, offsetof(struct create_body, cluster),     JSON_OPTIONAL, 0, CLUSTER_NAME_SIZE - 1 },
};

void projects_create(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct create_body body = {STR_NONE, STR_NONE, STR_NONE};
    const struct cluster *cluster;
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL || !json_bind(json, create_fields, sizeof(create_fields) / sizeof(*create_fields), &body, &err) ||
        !names_check_project(body.name, &err) ||
        !clusters_choose(app->clusters, body.cluster, "/cluster", &cluster, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct pending *p = pending_new(x, app);
    const struct project_wish wish = {.owner_id = caller->who.user_id,
                                      .projects_max = app->settings.projects_per_user,
                                      .name = str_trim(body.name),
                                      .description = body.description,
                                      .cluster = cluster->name,
                                      .id = caller->operation_id};
    pending_wait(p, app->store->project_create(app->store->self, &wish, app->settings.request_ms, on_project, p));
}

void projects_get(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct pending *p = pending_new(x, app);
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(
        p, app->store->project_get(app->store->self, caller->who.user_id, id, app->settings.request_ms, on_project, p));
}

/* ---- delete ---- */

struct deletion {
    struct pending pending;
    enum desired desired;
    bool is_action; /* as which it is answered */
};

/* last: what was written of it last; NULL: nothing new. */
static void answer_deletion(const struct deletion *d, const struct sandbox *sb, const struct journal_event *last)
{
    struct http_exchange *x = d->pending.x;
    bool is_gone = last != NULL && last->kind == JOURNAL_DONE;
    const char *message = is_gone                          ? "Project has been deleted"
                          : d->desired == DESIRED_DETACHED ? "Project is being deleted, its database is kept"
                                                           : "Project is being deleted";
    if (d->is_action) {
        const struct documents_subject project = {
            "project", sb->project_id,
            is_gone ? sandbox_status_row(SANDBOX_TERMINATED) : documents_project_state(sb->status),
            is_gone ? last->at_ms : sb->updated_ms, is_gone ? NULL : sb->project_id};
        documents_answer_action(x, is_gone ? 200 : 202, message, &project);
        return;
    }
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "status", is_gone ? "deleted" : "terminating");
    jw_kv_text(w, "message", message);
    jw_object_end(w);
    http_answer_json(x, is_gone ? 200 : 202, w);
}

static void on_delete(void *arg, enum request_result result, const struct sandbox *sb,
                      const struct journal_event *events, size_t n_events, const struct err *err)
{
    struct deletion *d = arg;
    (void)result;
    if (pending_done(&d->pending, err))
        answer_deletion(d, sb, n_events > 0 ? &events[n_events - 1] : NULL);
}

static void on_found(void *arg, const struct project *project, const struct err *err)
{
    struct deletion *d = arg;
    struct app *app = d->pending.app;
    if (!pending_done(&d->pending, err))
        return;
    pending_wait(&d->pending,
                 sandboxes_request(app->sandboxes, project, d->desired, NULL, app->settings.request_ms, on_delete, d));
}

static void delete (struct http_exchange *x, struct app *app, bool is_action)
{
    const struct caller *caller = http_context(x);
    struct err err = {0};
    bool is_keep;
    if (!http_query_flag(x, "keepDatabase", &is_keep, &err)) {
        http_answer_err(x, &err);
        return;
    }
    struct deletion *d = arena_alloc(http_arena(x), sizeof(*d));
    *d = (struct deletion){
        .pending = {.x = x, .app = app},
        .desired = is_keep ? DESIRED_DETACHED : DESIRED_DELETED,
        .is_action = is_action
    };
    const char *id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(&d->pending, app->store->project_get(app->store->self, caller->who.user_id, id,
                                                      app->settings.request_ms, on_found, d));
}

void projects_delete(struct http_exchange *x, struct app *app)
{
    delete (x, app, false);
}

void projects_delete_by_action(struct http_exchange *x, struct app *app)
{
    delete (x, app, true);
}
