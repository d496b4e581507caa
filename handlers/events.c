// SPDX-License-Identifier: MIT
/* The streams: /api/sandbox/{projectId}/events and /api/events. Journal rows become frames; the bus brings them in
 * order, first what was missed, then what happens. */
#include <stdlib.h>

#include "core/base/json_read.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/bus.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/open_streams.h"
#include "handlers/pending.h"
#include "server/sse.h"

enum { SNAPSHOT_PROJECTS_N = 1000, RESUME_MAX_N = 5000 };

/* One open stream; lives until its client leaves or the story is over. */
struct stream {
    struct app *app;
    struct sse_stream *sse;
    struct bus_reader *reader;
    struct loop_task end;
    struct open_stream member;
    bool is_of_project;
    bool is_live;
    bool is_over; /* the last row handed over ended an attempt */
};

struct stream_call {
    struct pending pending; /* first: it is what pending.c knows */
    const char *owner_id;
    const char *project_id; /* NULL: all of the owner's */
    uint64_t after;
    bool is_resumed; /* the client said where it stands */
    unsigned attempt;
};

/* ---- an open stream ---- */

static void free_stream(void *p)
{
    free(p);
}

static void close_stream(struct stream *s)
{
    open_streams_remove(&s->member);
    bus_reader_free(s->reader);
    s->reader = NULL;
    loop_task_clear(&s->end);
    loop_defer_free(s->app->loop, s, free_stream);
}

static void on_client_gone(void *arg)
{
    struct stream *s = arg;
    s->sse = NULL;
    close_stream(s);
}

static void on_end(void *arg)
{
    struct stream *s = arg;
    struct sse_stream *sse = s->sse;
    s->sse = NULL;
    sse_end(sse);
    close_stream(s);
}

/* Who opened it is signed out. Nothing more is sent; a client that comes back is told 401. */
static void on_signed_out(void *arg)
{
    struct stream *s = arg;
    if (s->sse != NULL)
        loop_defer(&s->end);
}

/* The story of one sandbox ends with its attempt; the client is told and need not ask again. */
static void maybe_end(struct stream *s)
{
    if (s->is_of_project && s->is_live && s->is_over && s->sse != NULL)
        loop_defer(&s->end);
}

static void send_json(struct stream *s, uint64_t id, const char *event, struct json_writer *w)
{
    struct str json;
    struct err err = {0};
    if (!jw_finish(w, &json, &err)) {
        LOG(ERROR, "an event could not be written", KV("event", event), KV("err", &err));
        return;
    }
    struct sse_frame *frame = sse_frame_new(id, event, json);
    if (s->sse != NULL)
        (void)sse_send(s->sse, frame);
    sse_frame_unref(frame);
}

static void on_event(void *arg, const struct journal_event *event)
{
    struct stream *s = arg;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    documents_event(w, event);
    send_json(s, event->seq, documents_event_name(event), w);
    jw_free(w);
    s->is_over = event->kind == JOURNAL_DONE;
    maybe_end(s);
}

static void on_live(void *arg)
{
    struct stream *s = arg;
    s->is_live = true;
    maybe_end(s);
}

static struct stream *open_stream(struct stream_call *c)
{
    struct stream *s = xcalloc(1, sizeof(*s));
    s->app = c->pending.app;
    s->is_of_project = c->project_id != NULL;
    loop_task_init(&s->end, s->app->loop, on_end, s);
    s->member.on_ended = on_signed_out;
    s->member.arg = s;
    open_streams_add(s->app->streams, &s->member, http_context(c->pending.x));
    const struct bus_query query = {.owner_id = c->owner_id,
                                    .project_id = c->project_id,
                                    .after = c->after,
                                    .attempt = c->is_resumed ? 0 : c->attempt};
    const struct bus_listener listener = {.on_event = on_event, .on_live = on_live, .arg = s};
    s->reader = bus_read(s->app->bus, &query, &listener);
    s->sse = sse_start(c->pending.x, on_client_gone, s);
    return s;
}

/* ---- opening ---- */

static struct stream_call *new_call(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct stream_call *c = arena_alloc(http_arena(x), sizeof(*c));
    struct err err = {0};
    struct str after;
    c->pending = (struct pending){.x = x, .app = app};
    c->owner_id = arena_dup(http_arena(x), str_from(caller->who.user_id));
    if (!sse_resume_point(x, &c->after, &err)) {
        http_answer_err(x, &err);
        return NULL;
    }
    c->is_resumed = http_header(x, "Last-Event-ID").n > 0 || http_query_find(x, "after", &after);
    return c;
}

/* ---- one project ---- */

static void on_rest(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq, const struct err *err)
{
    struct stream_call *c = arg;
    (void)events;
    (void)last_seq;
    if (!pending_done(&c->pending, err))
        return;
    /* 204 tells an EventSource that the story is over: it does not come again (WHATWG HTML 9.2.3). */
    if (n == 0)
        http_answer(c->pending.x, 204, NULL, STR_NONE);
    else
        (void)open_stream(c);
}

static void on_project(void *arg, const struct project *project, const struct err *err)
{
    struct stream_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, err))
        return;
    c->attempt = project->has_sandbox ? project->sandbox.attempt : 0;
    bool is_over = project->has_sandbox && project->sandbox.is_settled && c->is_resumed;
    if (!is_over) {
        (void)open_stream(c);
        return;
    }
    const struct journal_query query = {
        .owner_id = c->owner_id, .project_id = c->project_id, .after = c->after, .limit = 1};
    pending_wait(&c->pending, app->store->journal_read(app->store->self, &query, app->settings.request_ms, on_rest, c));
}

void events_of_sandbox(struct http_exchange *x, struct app *app)
{
    struct stream_call *c = new_call(x, app);
    if (c == NULL)
        return;
    c->project_id = arena_dup(http_arena(x), http_param(x, "projectId"));
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_project, c));
}

/* ---- all of the owner's ---- */

static void send_snapshot(struct stream *s, const struct project *projects, size_t n, uint64_t journal_seq)
{
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_object(w);
    jw_kv_int(w, "seq", (int64_t)journal_seq);
    jw_key(w, "projects");
    jw_array(w);
    for (size_t i = 0; i < n; i++)
        documents_project(w, s->app, &projects[i]);
    jw_array_end(w);
    jw_object_end(w);
    send_json(s, journal_seq, "reset", w);
    jw_free(w);
}

static void on_projects(void *arg, const struct project_page *page, const struct err *err)
{
    struct stream_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    bool is_known = c->is_resumed && c->after <= page->journal_seq && page->journal_seq - c->after <= RESUME_MAX_N;
    if (!is_known)
        c->after = page->journal_seq;
    struct stream *s = open_stream(c);
    if (!is_known)
        send_snapshot(s, page->projects, page->n, page->journal_seq);
}

void events_of_owner(struct http_exchange *x, struct app *app)
{
    struct stream_call *c = new_call(x, app);
    if (c == NULL)
        return;
    const struct project_query query = {.owner_id = c->owner_id, .limit = SNAPSHOT_PROJECTS_N};
    pending_wait(&c->pending,
                 app->store->project_list(app->store->self, &query, app->settings.request_ms, on_projects, c));
}
