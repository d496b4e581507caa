// SPDX-License-Identifier: MIT
/* Watches: what was, what is, then every change, one JSON object per line. An object that leaves the selector comes as
 * DELETED. A watch that starts before what is remembered gets one ERROR event with a Status of code 410. */
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "devcluster/api/api_private.h"
#include "devcluster/api/filter.h"

enum {
    WATCH_LINE_CEILING_BYTES = 16 << 20,
    WATCH_TIMEOUT_MS = 3600 * 1000, /* when the client names none */
    WATCH_TIMEOUT_MAX_S = 24 * 3600,
    WATCH_LAST_BOOKMARK_MS = 2000, /* before the end, as a real server does */
};

struct watch {
    struct api *api;
    const struct kind *kind;
    struct arena *arena;
    struct filter filter;
    struct http_stream *stream;
    struct loop_timer timer;
    ms_t ends_ms;
    ms_t bookmark_at_ms; /* 0: none wanted, or none left */
    uint64_t after;      /* events up to this version were known to the client, or were past when it began */
    bool wants_bookmarks;
    struct watch *next;
    struct watch *prev;
};

static const char *const TYPES[] = {"ADDED", "MODIFIED", "DELETED"};

static void watch_free(void *arg)
{
    struct watch *w = arg;
    arena_free(w->arena);
    free(w);
}

/* Reached when the client left (on_close), the time is over, the server ends all, or a piece could not be sent. */
static void watch_leave(struct watch *w)
{
    loop_timer_clear(&w->timer);
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        w->api->watches[w->kind->id] = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    loop_defer_free(w->api->loop, w, watch_free);
}

static void on_close(void *arg)
{
    watch_leave(arg);
}

static void watch_end(struct watch *w)
{
    http_stream_on_close(w->stream, NULL, NULL);
    http_stream_end(w->stream);
    watch_leave(w);
}

static struct buf line_of(const char *type, struct str json)
{
    struct buf line;
    buf_init(&line, WATCH_LINE_CEILING_BYTES);
    buf_addf(&line, "{\"type\":\"%s\",\"object\":", type);
    buf_add_str(&line, json);
    buf_add_text(&line, "}\n");
    return line;
}

static bool send_json(struct watch *w, const char *type, struct str json)
{
    struct buf line = line_of(type, json);
    bool is_sent = http_stream_send(w->stream, buf_str(&line));
    buf_fini(&line);
    return is_sent;
}

/* In the version that is watched, which need not be the stored one. */
static bool send_object(struct watch *w, const char *type, const struct object *o)
{
    struct arena *a;
    bool is_sent;
    if (o->kind == w->kind)
        return send_json(w, type, o->json);
    a = arena_new();
    is_sent = send_json(w, type, doc_json(a, crd_convert(a, w->kind, o->root)));
    arena_free(a);
    return is_sent;
}

/* The object as the client last saw it, under the version of the event that took it out of its sight. */
static bool send_departed(struct watch *w, const struct event *event)
{
    struct arena *a = arena_new();
    bool is_own = event->before->kind == w->kind;
    struct doc *root = is_own ? doc_copy(a, event->before->root) : crd_convert(a, w->kind, event->before->root);
    doc_set_text(a, doc_edit(root, "metadata"), "resourceVersion",
                 arena_printf(a, "%llu", (unsigned long long)event->version));
    bool is_sent = send_json(w, TYPES[EVENT_DELETED], doc_json(a, root));
    arena_free(a);
    return is_sent;
}

static bool send_event(struct watch *w, const struct event *event)
{
    bool was_seen = event->before != NULL && filter_matches(&w->filter, event->before);
    bool is_seen = event->type != EVENT_DELETED && filter_matches(&w->filter, event->now);
    if (event->type == EVENT_DELETED && was_seen)
        return send_object(w, TYPES[EVENT_DELETED], event->now);
    if (is_seen)
        return send_object(w, TYPES[was_seen ? EVENT_MODIFIED : EVENT_ADDED], event->now);
    return !was_seen || send_departed(w, event);
}

void watch_on_event(void *arg, struct entry *entry, const struct event *event)
{
    struct api *api = arg;
    for (struct watch *w = api->watches[entry->kind->id]; w != NULL; w = w->next)
        if (event->version > w->after)
            (void)send_event(w, event); /* a cut stream tells by on_close */
}

/* ---- bookmarks and the end ---- */

static void send_bookmark(struct watch *w, bool ends_initial)
{
    struct arena *a = arena_new();
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", w->kind->name);
    doc_set_text(a, root, "apiVersion", kind_api_version(a, w->kind));
    struct doc *meta = doc_need_object(a, root, "metadata");
    uint64_t version = store_version(w->api->store);
    doc_set_text(a, meta, "resourceVersion",
                 arena_printf(a, "%llu", (unsigned long long)(version > w->after ? version : w->after)));
    if (ends_initial)
        doc_set_text(a, doc_need_object(a, meta, "annotations"), "k8s.io/initial-events-end", "true");
    (void)send_json(w, "BOOKMARK", doc_json(a, root));
    arena_free(a);
}

static void plan_bookmark(struct watch *w, ms_t now_ms)
{
    ms_t last = w->ends_ms - WATCH_LAST_BOOKMARK_MS;
    ms_t regular = now_ms + w->api->bookmark_ms;
    w->bookmark_at_ms = 0;
    if (w->wants_bookmarks && now_ms < last)
        w->bookmark_at_ms = regular < last ? regular : last;
}

static void set_timer(struct watch *w)
{
    ms_t now = loop_now_ms(w->api->loop);
    ms_t at = w->bookmark_at_ms != 0 ? w->bookmark_at_ms : w->ends_ms;
    loop_timer_set(&w->timer, at > now ? at - now : 0);
}

static void on_timer(void *arg)
{
    struct watch *w = arg;
    ms_t now = loop_now_ms(w->api->loop);
    if (now >= w->ends_ms) {
        watch_end(w);
        return;
    }
    if (w->bookmark_at_ms != 0 && now >= w->bookmark_at_ms) {
        if (store_version(w->api->store) > w->after) /* a kube-apiserver says nothing that is not newer */
            send_bookmark(w, false);
        plan_bookmark(w, now);
    }
    set_timer(w);
}

void watch_end_kind(struct api *api, enum kind_id kind)
{
    while (api->watches[kind] != NULL)
        watch_end(api->watches[kind]);
}

void watch_end_all(struct api *api)
{
    for (size_t i = 0; i < KIND_N; i++)
        watch_end_kind(api, (enum kind_id)i);
}

void watch_cut_all(struct api *api)
{
    for (size_t i = 0; i < KIND_N; i++)
        while (api->watches[i] != NULL) {
            http_stream_cut(api->watches[i]->stream);
            watch_leave(api->watches[i]);
        }
}

/* ---- the start ---- */

struct start {
    bool has_version; /* a version greater than 0 */
    uint64_t version;
    bool wants_initial_end; /* sendInitialEvents */
};

static bool bad_initial(struct call *c, const char *field, const char *why)
{
    fail_cause(&c->fail, "FieldValueForbidden", field, why);
    return fail_invalid(&c->fail, "meta.k8s.io", "ListOptions", STR(""));
}

static bool read_start(struct call *c, struct start *ret)
{
    struct str text;
    struct str match = STR_NONE;
    *ret = (struct start){0};
    bool has_match = http_query_find(c->x, "resourceVersionMatch", &match) && match.n > 0;
    bool has_initial = http_query_find(c->x, "sendInitialEvents", &text);
    ret->wants_initial_end = call_query_is_true(c, "sendInitialEvents");
    if (has_initial && !str_eq_text(match, "NotOlderThan"))
        return bad_initial(c, "resourceVersionMatch",
                           "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (!has_initial && has_match)
        return bad_initial(
            c, "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (!http_query_find(c->x, "resourceVersion", &text) || text.n == 0)
        return true;
    if (!str_parse_u64(text, UINT64_MAX, &ret->version))
        return FAIL(&c->fail, 500, NULL,
                    "resourceVersion: Invalid value: \"%.*s\": strconv.ParseUint: parsing \"%.*s\": invalid syntax",
                    STR_ARG(text), STR_ARG(text));
    ret->has_version = ret->version > 0 && !ret->wants_initial_end;
    return true;
}

static struct watch *watch_new(struct call *c)
{
    struct watch *w = xcalloc(1, sizeof(*w));
    struct str text;
    uint64_t timeout_s = 0;
    w->api = c->api;
    w->kind = c->kind;
    w->arena = arena_new();
    w->wants_bookmarks = call_query_is_true(c, "allowWatchBookmarks");
    ms_t now = loop_now_ms(c->api->loop);
    w->ends_ms = now + WATCH_TIMEOUT_MS;
    if (http_query_find(c->x, "timeoutSeconds", &text) && str_parse_u64(text, WATCH_TIMEOUT_MAX_S, &timeout_s) &&
        timeout_s > 0)
        w->ends_ms = now + (ms_t)timeout_s * 1000;
    plan_bookmark(w, now);
    loop_timer_init(&w->timer, c->api->loop, on_timer, w);
    return w;
}

static void send_expired(struct watch *w, uint64_t asked)
{
    struct arena *a = arena_new();
    struct fail f;
    fail_init(&f, a);
    FAIL(&f, 410, "Expired", "too old resource version: %llu (%llu)", (unsigned long long)asked,
         (unsigned long long)store_oldest(w->api->store, w->kind));
    struct json_writer *json = jw_new(WATCH_LINE_CEILING_BYTES);
    struct str text;
    fail_write(&f, json);
    if (jw_finish(json, &text, NULL))
        (void)send_json(w, "ERROR", text);
    jw_free(json);
    arena_free(a);
}

static void send_past(struct watch *w, uint64_t after)
{
    size_t i = 0;
    const struct event *event;
    while ((event = store_event_after(w->api->store, w->kind, after, &i)) != NULL) {
        if (!send_event(w, event))
            return;
        w->after = event->version;
    }
}

static void send_present(struct watch *w)
{
    size_t n;
    struct entry **all = store_range(w->api->store, w->kind, w->filter.ns, &n);
    for (size_t i = 0; i < n; i++)
        if (filter_matches(&w->filter, all[i]->now) && !send_object(w, TYPES[EVENT_ADDED], all[i]->now))
            return;
}

static void link_in(struct watch *w)
{
    struct watch **head = &w->api->watches[w->kind->id];
    w->next = *head;
    if (w->next != NULL)
        w->next->prev = w;
    *head = w;
}

bool call_watch(struct call *c)
{
    struct start start;
    if (!read_start(c, &start))
        return false;
    struct watch *w = watch_new(c);
    bool is_good = filter_parse(c, w->arena, &w->filter);
    if (is_good && !str_is_none(c->name)) {
        struct str only = str_from(arena_printf(w->arena, "metadata.name=%.*s", STR_ARG(c->name)));
        is_good = field_selector_parse(w->arena, only, c->kind->fields, &w->filter.fields, &c->fail);
    }
    if (!is_good) {
        watch_free(w);
        return false;
    }
    http_add_header(c->x, "Cache-Control", STR("no-cache, private"));
    w->stream = http_stream_start(c->x, 200, "application/json");
    http_stream_on_close(w->stream, on_close, w);
    link_in(w);
    if (start.has_version && start.version < store_oldest(c->api->store, c->kind)) {
        send_expired(w, start.version);
        watch_end(w);
        return true;
    }
    w->after = start.has_version ? start.version : store_version(c->api->store);
    if (start.has_version)
        send_past(w, start.version);
    else
        send_present(w);
    if (start.wants_initial_end && w->wants_bookmarks)
        send_bookmark(w, true);
    set_timer(w);
    return true;
}
