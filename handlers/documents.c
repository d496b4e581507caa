// SPDX-License-Identifier: MIT
/* Writing of documents. Each field is written here by name: what is not named cannot leak. */
#include "handlers/documents.h"

#include <string.h>

#include "core/sandboxes.h"

void documents_stages_begin(struct stage_view ret[STAGE_N])
{
    for (size_t i = 0; i < STAGE_N; i++)
        ret[i] = (struct stage_view){.started_ms = -1, .ended_ms = -1, .duration_ms = -1};
}

static void add_stage(const struct journal_event *e, struct stage_view *stage)
{
    bool is_over = e->duration_ms >= 0;
    if (stage->is_reopened)
        stage->started_ms = -1; /* a stage that falls back within an attempt has one clock, a repair its own */
    stage->is_reopened = false;
    if (stage->started_ms < 0)
        stage->started_ms = is_over ? e->at_ms - e->duration_ms : e->at_ms;
    stage->status = e->stage_status;
    stage->code = e->code;
    stage->ended_ms = is_over ? e->at_ms : -1;
    stage->duration_ms = e->duration_ms;
    memcpy(stage->message, e->message, sizeof(stage->message));
}

void documents_stages_add(const struct journal_event *events, size_t n, unsigned attempt,
                          struct stage_view ret[STAGE_N])
{
    for (size_t i = 0; i < n; i++) {
        const struct journal_event *e = &events[i];
        if (e->attempt == attempt && e->kind == JOURNAL_STAGE)
            add_stage(e, &ret[e->stage]);
        for (size_t k = 0; k < STAGE_N && e->attempt == attempt && e->kind == JOURNAL_DONE; k++)
            ret[k].is_reopened = true;
    }
}

static void text_or_null(struct json_writer *w, const char *key, const char *text)
{
    jw_kv_text(w, key, text[0] != '\0' ? text : NULL);
}

static void write_reason(struct json_writer *w, enum reason code, const char *message)
{
    text_or_null(w, "code", reason_id(code));
    text_or_null(w, "message", message);
    text_or_null(w, "hint", reason_hint(code));
}

static void write_urls(struct json_writer *w, const struct app *app, const struct sandbox *sb)
{
    char url_app[SANDBOX_URL_SIZE];
    char url_tty[SANDBOX_URL_SIZE];
    sandboxes_urls(app->sandboxes, sb, url_app, url_tty);
    jw_kv_text(w, "publicUrl", url_app);
    jw_kv_text(w, "ttydUrl", url_tty);
}

void documents_sandbox(struct json_writer *w, const struct app *app, const struct sandbox *sb)
{
    jw_object(w);
    jw_kv_text(w, "id", sb->id);
    write_urls(w, app, sb);
    jw_kv_text(w, "status", sandbox_status_row(sb->status));
    jw_object_end(w);
}

/* Project statuses of the original, derived from the sandbox. */
static const char *project_status(const struct project *project, enum sandbox_status live)
{
    if (!project->has_sandbox)
        return "READY";
    switch (live) {
    case SANDBOX_CREATING:
    case SANDBOX_STARTING:
        return "DEPLOYING";
    case SANDBOX_RUNNING:
        return "DEPLOYED";
    case SANDBOX_ERROR:
        return "ERROR";
    case SANDBOX_STOPPING:
    case SANDBOX_STOPPED:
    case SANDBOX_TERMINATING:
    case SANDBOX_TERMINATED:
    case SANDBOX_STATUS_N:
        return "READY";
    }
    return "READY";
}

/* Project statuses of the original's successor: a sandbox that is gone while its database stays is a part of the whole.
 */
const char *documents_project_state(enum sandbox_status status)
{
    return status == SANDBOX_TERMINATED ? "PARTIAL" : sandbox_status_row(status);
}

static void write_ms_or_null(struct json_writer *w, const char *key, int64_t ms)
{
    jw_key(w, key);
    if (ms >= 0)
        jw_int(w, ms);
    else
        jw_null(w);
}

/* How long a creation has to wait yet, as told last; null unless it waits. */
static void write_queue(struct json_writer *w, const struct sandbox *sb)
{
    jw_key(w, "queue");
    if (!sandbox_waits(sb)) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_kv_int(w, "position", sb->queue_position);
    write_ms_or_null(w, "estimateMs", sb->queue_wait_ms);
    jw_kv_time(w, "since", sb->queued_ms);
    jw_object_end(w);
}

static void write_actions(struct json_writer *w, enum sandbox_status status)
{
    jw_key(w, "actions");
    jw_array(w);
    for (size_t i = 0; i < ACTION_N; i++) {
        if ((action_states((enum action)i) >> status & 1) != 0)
            jw_text(w, action_id((enum action)i));
    }
    jw_array_end(w);
}

static void write_project_sandbox(struct json_writer *w, const struct app *app, const struct project *project,
                                  const struct live_status *live)
{
    const struct sandbox *sb = &project->sandbox;
    jw_key(w, "sandbox");
    if (!project->has_sandbox) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_kv_text(w, "id", sb->id);
    jw_kv_text(w, "status", sandbox_status_outer(live->status));
    write_urls(w, app, sb);
    jw_kv_int(w, "attempt", sb->attempt);
    jw_kv_time(w, "startedAt", sb->attempt_started_ms);
    write_reason(w, live->code, live->message);
    write_queue(w, sb);
    write_actions(w, sb->status);
    jw_object_end(w);
}

void documents_project_members(struct json_writer *w, const struct app *app, const struct project *project)
{
    struct live_status live = {.status = SANDBOX_TERMINATED};
    if (project->has_sandbox)
        sandboxes_live(app->sandboxes, &project->sandbox, &live);
    jw_kv_text(w, "id", project->id);
    jw_kv_text(w, "name", project->name);
    jw_kv_text(w, "description", project->has_description ? project->description : NULL);
    jw_kv_text(w, "cluster", project->cluster);
    jw_kv_text(w, "userId", project->owner_id);
    text_or_null(w, "githubRepo", project->repo.name);
    jw_kv_text(w, "databaseUrl", NULL);
    jw_kv_text(w, "status", project_status(project, live.status));
    jw_kv_time(w, "createdAt", project->created_ms);
    jw_kv_time(w, "updatedAt", project->updated_ms);
    write_project_sandbox(w, app, project, &live);
}

void documents_project(struct json_writer *w, const struct app *app, const struct project *project)
{
    jw_object(w);
    documents_project_members(w, app, project);
    jw_object_end(w);
}

static void write_stage(struct json_writer *w, enum stage stage, const struct stage_view *view, int64_t usual_ms)
{
    jw_object(w);
    jw_kv_text(w, "id", stage_id(stage));
    jw_kv_text(w, "title", stage_title(stage));
    jw_kv_text(w, "description", stage_description(stage));
    jw_kv_text(w, "status", stage_status_id(view->status));
    write_reason(w, view->code, view->message);
    jw_kv_time(w, "startedAt", view->started_ms);
    jw_kv_time(w, "endedAt", view->ended_ms);
    write_ms_or_null(w, "durationMs", view->duration_ms);
    write_ms_or_null(w, "usualMs", usual_ms);
    jw_object_end(w);
}

static void write_not_created(struct json_writer *w)
{
    jw_object(w);
    jw_kv_text(w, "status", "not_created");
    jw_kv_text(w, "message", "Sandbox not created yet");
    jw_object_end(w);
}

void documents_status(struct json_writer *w, const struct app *app, const struct project *project,
                      const struct stage_view *stages)
{
    const struct sandbox *sb = &project->sandbox;
    struct live_status live;
    if (!project->has_sandbox) {
        write_not_created(w);
        return;
    }
    sandboxes_live(app->sandboxes, sb, &live);
    jw_object(w);
    jw_kv_text(w, "status", sandbox_status_outer(live.status));
    write_reason(w, live.code, live.message);
    jw_key(w, "sandbox");
    documents_sandbox(w, app, sb);
    jw_kv_int(w, "attempt", sb->attempt);
    jw_kv_time(w, "startedAt", sb->attempt_started_ms);
    jw_kv_time(w, "serverTime", loop_wall_ms(app->loop));
    jw_kv_text(w, "desired", desired_id(sb->desired));
    write_queue(w, sb);
    write_actions(w, sb->status);
    jw_key(w, "stages");
    jw_array(w);
    for (size_t i = 0; i < STAGE_N; i++)
        write_stage(w, (enum stage)i, &stages[i], app->usual_until_ms > 0 ? app->usual[i].p50_ms : -1);
    jw_array_end(w);
    jw_key(w, "failure");
    if (live.status == SANDBOX_ERROR) {
        jw_object(w);
        write_reason(w, live.code, live.message);
        jw_object_end(w);
    } else {
        jw_null(w);
    }
    jw_object_end(w);
}

const char *documents_event_name(const struct journal_event *e)
{
    static const char *const names[] = {
        [JOURNAL_STAGE] = "stage", [JOURNAL_STATUS] = "status", [JOURNAL_DONE] = "done", [JOURNAL_QUEUED] = "queued"};
    return names[e->kind];
}

void documents_event(struct json_writer *w, const struct journal_event *e)
{
    jw_object(w);
    jw_kv_int(w, "seq", (int64_t)e->seq);
    jw_kv_text(w, "projectId", e->project_id);
    jw_kv_int(w, "attempt", e->attempt);
    if (e->kind == JOURNAL_STAGE) {
        jw_kv_text(w, "stage", stage_id(e->stage));
        jw_kv_text(w, "title", stage_title(e->stage));
        jw_kv_text(w, "status", stage_status_id(e->stage_status));
    } else {
        jw_kv_text(w, "status", sandbox_status_outer(e->status));
    }
    if (e->kind == JOURNAL_DONE)
        jw_kv_text(w, "outcome", outcome_id(e->outcome));
    write_reason(w, e->code, e->message);
    jw_kv_time(w, "at", e->at_ms);
    bool is_announced = e->kind == JOURNAL_STATUS && (e->code == REASON_IDLE_SOON || e->code == REASON_AGE_SOON);
    if (e->kind == JOURNAL_QUEUED) {
        jw_kv_int(w, "position", e->position);
        write_ms_or_null(w, "estimateMs", e->duration_ms);
    }
    if (is_announced)
        jw_kv_time(w, "stopsAt", e->at_ms + e->duration_ms);
    write_ms_or_null(w, "durationMs", is_announced || e->kind == JOURNAL_QUEUED ? -1 : e->duration_ms);
    jw_object_end(w);
}

void documents_answer_success(struct http_exchange *x)
{
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_bool(w, "success", true);
    jw_object_end(w);
    http_answer_json(x, 200, w);
}

void documents_answer_action(struct http_exchange *x, int status, const char *message,
                             const struct documents_subject *subject)
{
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "message", message);
    jw_key(w, subject->key);
    jw_object(w);
    jw_kv_text(w, "id", subject->id);
    jw_kv_text(w, "status", subject->status);
    jw_kv_time(w, "updatedAt", subject->updated_ms);
    jw_object_end(w);
    if (subject->project_id != NULL)
        jw_kv_text(w, "eventsUrl", arena_printf(http_arena(x), "/api/sandbox/%s/events", subject->project_id));
    jw_object_end(w);
    http_answer_json(x, status, w);
}
