// SPDX-License-Identifier: MIT
/* The JSON documents of projects, sandboxes and events: keys and case as the original's clients read them, and more. No
 * secret is in any of them. */
#pragma once

#include "core/base/json_write.h"
#include "core/sandbox.h"
#include "handlers/app.h"
#include "server/http.h"

enum { DOCUMENT_CEILING_BYTES = 64 * 1024, LIST_CEILING_BYTES = 8 * 1024 * 1024 };

/* How a stage of an attempt stands, gathered from its journal rows. */
struct stage_view {
    enum stage_status status;
    enum reason code;
    char message[MESSAGE_SIZE];
    int64_t started_ms; /* -1: not yet */
    int64_t ended_ms;   /* -1: not yet */
    int64_t duration_ms;
    bool is_reopened; /* the attempt had ended: what comes is a repair's */
};
void documents_stages_begin(struct stage_view ret[STAGE_N]);
/* The next rows in their order; those of other attempts do not count. */
void documents_stages_add(const struct journal_event *events, size_t n, unsigned attempt,
                          struct stage_view ret[STAGE_N]);

void documents_project(struct json_writer *w, const struct app *app, const struct project *project);
/* The same into an object that holds more. */
void documents_project_members(struct json_writer *w, const struct app *app, const struct project *project);
/* The body of GET /api/sandbox/{projectId}. stages: NULL when there is no sandbox. */
void documents_status(struct json_writer *w, const struct app *app, const struct project *project,
                      const struct stage_view *stages);
/* The project's status as the original's successor names it. */
const char *documents_project_state(enum sandbox_status status);
/* {"id","publicUrl","ttydUrl","status"}; status in the row's upper case. */
void documents_sandbox(struct json_writer *w, const struct app *app, const struct sandbox *sb);
/* The data of one event, and its SSE name. sb: for the addresses of a READY end; may be NULL. */
void documents_event(struct json_writer *w, const struct journal_event *e);
const char *documents_event_name(const struct journal_event *e);
/* What an action was about. */
struct documents_subject {
    const char *key; /* "project" or "sandbox" */
    const char *id;
    const char *status;
    int64_t updated_ms;
    const char *project_id; /* whose stream tells the rest; NULL: nothing is to come */
};
/* {"message",KEY:{"id","status","updatedAt"},"eventsUrl"}, the last one while there is more to come. */
void documents_answer_action(struct http_exchange *x, int status, const char *message,
                             const struct documents_subject *subject);
/* 200 with {"success":true}: something was removed or decided. */
void documents_answer_success(struct http_exchange *x);
