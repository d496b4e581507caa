// SPDX-License-Identifier: MIT
/* The ladder of one watch: LISTING (page after page) -> WATCHING -> (end) -> WATCHING again from the last version, or
 * RESTING first after a failure, or LISTING after 410 Expired. Everything moves in watch_go() and in the two on_*_end.
 */
#include "k8s/watch.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/backoff.h"
#include "k8s/status.h"

enum {
    LIST_PAGE_N = 500,
    LIST_DEADLINE_MS = 60000,
    LIST_IDLE_MS = 20000,
    /* The server ends the stream after 45 to 75 s, so that a silence of WATCH_IDLE_MS means that it is away. Bookmarks
     * do not show that: it sends none until it knows a newer version than the one a stream began at, which for a kind
     * in which nothing happens takes minutes. */
    WATCH_TIMEOUT_MIN_S = 45,
    WATCH_TIMEOUT_SPREAD_S = 30,
    WATCH_IDLE_MS = 90000,
    WATCH_GRACE_MS = 30000, /* after its end, we end it ourselves */
    WATCH_STANDS_MS = 1000, /* a stream that the API would not give is refused by then */
    WATCH_SOUND_MS = 5000,  /* a stream that lasted so long was a good one, even if nothing happened */
    BACKOFF_FIRST_MS = 500,
    BACKOFF_CAP_MS = 30000,
    PATH_CEILING_BYTES = 8192, /* a continue token may be long */
    CONTINUE_CEILING_BYTES = 4096,
};

_Static_assert((WATCH_TIMEOUT_MIN_S + WATCH_TIMEOUT_SPREAD_S) * 1000 < WATCH_IDLE_MS,
               "a watch that has nothing to say ends before it counts as silent");

enum watch_at { WATCH_IDLE, WATCH_LISTING, WATCH_WATCHING, WATCH_RESTING };

struct watch {
    struct watch_options options;
    enum watch_at at;
    uint64_t version; /* to go on from; 0: list first */
    char *next_page;  /* continue token, percent-encoded; NULL: the first page */
    struct op *op;
    struct json_stream *stream;
    struct err refusal; /* the last try was a 403 */
    struct err trouble; /* it was another error that the API answered */
    struct err failure; /* what the stream itself said, of the try under way */
    bool is_heard;      /* the try under way brought something */
    bool is_slowed;     /* the server named the time to rest */
    ms_t started_ms;
    struct backoff backoff;
    struct loop_timer rest; /* also: until a stream after trouble stands */
    struct watch_stats stats;
};

static void watch_go(struct watch *w);

/* ---- reading ---- */

bool watch_read_event(const struct json_value *value, struct watch_event *ret, struct err *reterr)
{
    static const struct {
        const char *text;
        enum watch_event_type type;
    } types[] = {
        {"ADDED",    WATCH_PUT     },
        {"MODIFIED", WATCH_PUT     },
        {"DELETED",  WATCH_DROP    },
        {"BOOKMARK", WATCH_BOOKMARK},
        {"ERROR",    WATCH_ERROR   },
    };
    struct str type = json_str(json_find(value, "type"));
    ret->object = json_find(value, "object");
    if (!str_parse_u64(json_str(json_at(ret->object, "metadata", "resourceVersion", NULL)), UINT64_MAX, &ret->version))
        ret->version = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_eq_text(type, types[i].text) && json_type(ret->object) == JSON_OBJECT) {
            ret->type = types[i].type;
            return true;
        }
    }
    return err_set(reterr, ERR_INVALID, __func__, "not a watch event");
}

/* Heard of again: what is cached is as new as it can be. */
static void forget_errors(struct watch *w)
{
    bool was_troubled = w->trouble.kind != ERR_NONE;
    w->refusal = (struct err){0};
    w->trouble = (struct err){0};
    if (was_troubled && w->options.on_calm != NULL)
        w->options.on_calm(w->options.arg);
}

static bool on_event(void *arg, const struct json_value *item, struct err *reterr)
{
    struct watch *w = arg;
    struct cache *cache = w->options.cache;
    enum kube_kind kind = w->options.kind;
    struct watch_event event;
    if (!watch_read_event(item, &event, reterr))
        return false;
    if (event.type == WATCH_ERROR) {
        status_from_event(event.object, reterr);
        return false;
    }
    w->stats.events_n++;
    w->is_heard = true;
    forget_errors(w);
    if (event.version > w->version)
        w->version = event.version;
    if (kind >= KIND_CACHED_N && event.type == WATCH_PUT)
        cache_event(cache, kind, event.object);
    else if (kind < KIND_CACHED_N && event.type == WATCH_PUT)
        cache_put(cache, kind, event.object);
    else if (kind < KIND_CACHED_N && event.type == WATCH_DROP)
        cache_drop(cache, kind, event.object);
    else if (kind < KIND_CACHED_N)
        cache_reached(cache, kind, event.version);
    if (kind < KIND_CACHED_N)
        cache_heard(cache, kind);
    return true;
}

static bool on_list_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct watch *w = arg;
    (void)reterr;
    if (w->options.kind >= KIND_CACHED_N)
        cache_event(w->options.cache, w->options.kind, item);
    else
        cache_put(w->options.cache, w->options.kind, item);
    return true;
}

static void on_bytes(void *arg, struct str bytes)
{
    struct watch *w = arg;
    if (w->failure.kind == ERR_NONE && !json_stream_feed(w->stream, bytes, &w->failure)) {
        op_cancel(w->op);
        w->op = NULL;
        if (w->failure.kind == ERR_NONE)
            err_set(&w->failure, ERR_BUG, __func__, "a stream stopped without a reason");
        loop_timer_set(&w->rest, 0); /* the stream is not to be freed from within its callback's caller */
    }
}

/* ---- moving on ---- */

static void stop_stream(struct watch *w)
{
    op_cancel(w->op);
    w->op = NULL;
    json_stream_free(w->stream);
    w->stream = NULL;
}

static void tell_break(const struct watch *w)
{
    if (w->options.on_break != NULL)
        w->options.on_break(w->options.arg);
}

static void forget_page(struct watch *w)
{
    free(w->next_page);
    w->next_page = NULL;
}

/* The API answered, and nothing that going on or listing anew makes good. curl's codes are below those of HTTP. */
static bool is_trouble(const struct err *err)
{
    return err->code >= 400 && err->kind != ERR_GONE && err->kind != ERR_MISSING;
}

/* A try ended badly: rest, then go on from where it was; an expired version or page is forgotten. */
static void rest(struct watch *w, const struct err *err)
{
    uint32_t chance;
    ms_t delay_ms;
    codec_random(&chance, sizeof chance);
    if (w->is_heard)
        backoff_reset(&w->backoff);
    delay_ms = backoff_next(&w->backoff, chance);
    if (err->retry_after_s > 0 && delay_ms < (ms_t)err->retry_after_s * 1000)
        delay_ms = (ms_t)err->retry_after_s * 1000;
    w->is_slowed = err->retry_after_s > 0;
    if (err->kind == ERR_GONE || err->kind == ERR_INVALID)
        w->version = 0;
    if (w->version == 0)
        forget_page(w);
    if (err->kind == ERR_DENIED)
        err_copy(&w->refusal, err);
    else if (is_trouble(err))
        err_copy(&w->trouble, err);
    if (err->kind != ERR_GONE) {
        w->stats.failures_n++;
        LOG(WARN, "watch interrupted", KV("cluster", kube_cluster(w->options.kube)),
            KV("kind", kube_kind_row(w->options.kind)->plural), KV("err", err), KV("again_in_ms", delay_ms));
    }
    stop_stream(w);
    /* Its API is not installed, so there are none: who waits for it is told so by the first write. */
    if (err->kind == ERR_MISSING && w->options.kind < KIND_CACHED_N &&
        !cache_is_synced(w->options.cache, w->options.kind))
        cache_list_none(w->options.cache, w->options.kind);
    w->at = WATCH_RESTING;
    loop_timer_set(&w->rest, delay_ms);
    tell_break(w);
}

static void on_rest_over(void *arg)
{
    struct watch *w = arg;
    if (w->failure.kind != ERR_NONE) { /* from on_bytes */
        struct err failure = w->failure;
        w->failure = (struct err){0};
        rest(w, &failure);
        return;
    }
    if (w->at == WATCH_WATCHING) /* it stands, and may have nothing to say for a while */
        forget_errors(w);
    else
        watch_go(w);
}

static void on_watch_end(void *arg, const struct err *err)
{
    struct watch *w = arg;
    struct err end = {0};
    w->op = NULL;
    w->is_heard = w->is_heard || loop_now_ms(kube_loop(w->options.kube)) - w->started_ms >= WATCH_SOUND_MS;
    if (err == NULL && json_stream_finish(w->stream, NULL, &end) && w->is_heard) {
        backoff_reset(&w->backoff);
        stop_stream(w);
        watch_go(w);
        tell_break(w);
        return;
    }
    if (err == NULL && end.kind == ERR_NONE) /* at once and without a word: do not spin */
        err_set(&end, ERR_UPSTREAM, __func__, "the watch ended before it said anything");
    rest(w, err != NULL ? err : &end);
}

/* The rest of a list document: its version, and where the next page is. */
static bool read_page_end(struct watch *w, const struct json_value *list, struct err *reterr)
{
    const struct json_value *metadata = json_find(list, "metadata");
    struct str next = json_str(json_find(metadata, "continue"));
    uint64_t version = 0;
    struct buf encoded;
    forget_page(w);
    if (!str_parse_u64(json_str(json_find(metadata, "resourceVersion")), UINT64_MAX, &version) || version == 0)
        return err_set(reterr, ERR_UPSTREAM, __func__, "a list without a resourceVersion");
    if (next.n > 0) {
        buf_init(&encoded, CONTINUE_CEILING_BYTES);
        codec_percent_encode(&encoded, next);
        w->next_page = encoded.is_over ? NULL : buf_take(&encoded, NULL);
        buf_fini(&encoded);
        return w->next_page != NULL || err_set(reterr, ERR_UPSTREAM, __func__, "the continue token is too long");
    }
    w->version = version;
    forget_errors(w);
    if (w->options.kind < KIND_CACHED_N)
        cache_list_end(w->options.cache, w->options.kind, version);
    return true;
}

static void on_list_end(void *arg, const struct err *err)
{
    struct watch *w = arg;
    const struct json_value *list = NULL;
    struct err end = {0};
    w->op = NULL;
    if (err == NULL && json_stream_finish(w->stream, &list, &end) && read_page_end(w, list, &end)) {
        backoff_reset(&w->backoff);
        stop_stream(w);
        watch_go(w);
        return;
    }
    rest(w, err != NULL ? err : &end);
}

static void start(struct watch *w, const char *query, ms_t deadline_ms, ms_t idle_ms)
{
    bool is_list = w->version == 0;
    struct buf path;
    struct kube_stream req = {NULL, deadline_ms, idle_ms, on_bytes, is_list ? on_list_end : on_watch_end, w};
    buf_init(&path, PATH_CEILING_BYTES);
    kube_path_add(&path, w->options.kind, w->options.version, w->options.namespace_name, NULL);
    buf_addf(&path, "?%s&%s", kube_kind_row(w->options.kind)->selector, query);
    req.path = buf_text(&path);
    w->at = is_list ? WATCH_LISTING : WATCH_WATCHING;
    w->is_heard = false;
    w->started_ms = loop_now_ms(kube_loop(w->options.kube));
    w->stream = json_stream_new(is_list ? "items" : NULL, &JSON_LIMITS_KUBE, is_list ? on_list_item : on_event, w);
    w->op = kube_stream(w->options.kube, &req);
    if (!is_list && w->trouble.kind != ERR_NONE)
        loop_timer_set(&w->rest, WATCH_STANDS_MS);
    else
        loop_timer_clear(&w->rest);
    buf_fini(&path);
}

/* Starts the next page of the list, or the watch from the last version. */
static void watch_go(struct watch *w)
{
    struct buf query;
    uint32_t chance;
    unsigned timeout_s;
    buf_init(&query, PATH_CEILING_BYTES);
    if (w->version == 0) {
        if (w->next_page == NULL && w->options.kind < KIND_CACHED_N)
            cache_list_begin(w->options.cache, w->options.kind);
        buf_addf(&query, "limit=%d", LIST_PAGE_N);
        if (w->next_page != NULL)
            buf_addf(&query, "&continue=%s", w->next_page);
        w->stats.lists_n++;
        start(w, buf_text(&query), LIST_DEADLINE_MS, LIST_IDLE_MS);
    } else {
        codec_random(&chance, sizeof chance);
        timeout_s = w->options.timeout_s;
        if (timeout_s == 0)
            timeout_s = WATCH_TIMEOUT_MIN_S + chance % WATCH_TIMEOUT_SPREAD_S;
        buf_addf(&query, "watch=1&allowWatchBookmarks=true&resourceVersion=%llu&timeoutSeconds=%u",
                 (unsigned long long)w->version, timeout_s);
        w->stats.streams_n++;
        start(w, buf_text(&query), (ms_t)timeout_s * 1000 + WATCH_GRACE_MS, WATCH_IDLE_MS);
    }
    buf_fini(&query);
}

/* ---- the whole ---- */

struct watch *watch_new(const struct watch_options *options)
{
    struct watch *w = xcalloc(1, sizeof *w);
    w->options = *options;
    w->backoff = (struct backoff){BACKOFF_FIRST_MS, BACKOFF_CAP_MS, 0};
    loop_timer_init(&w->rest, kube_loop(options->kube), on_rest_over, w);
    return w;
}

void watch_start(struct watch *w)
{
    if (w->at == WATCH_IDLE)
        watch_go(w);
}

void watch_hurry(struct watch *w)
{
    bool is_asked_to_wait = w->failure.kind != ERR_NONE || w->is_slowed;
    w->refusal =
        (struct err){0}; /* a silent stream would not tell that it is none any more; another 403 comes at once */
    backoff_reset(&w->backoff);
    if (w->at == WATCH_RESTING && !is_asked_to_wait)
        loop_timer_set(&w->rest, 0);
}

const struct err *watch_refusal(const struct watch *w)
{
    return w->refusal.kind != ERR_NONE ? &w->refusal : NULL;
}

const struct err *watch_trouble(const struct watch *w)
{
    return w->trouble.kind != ERR_NONE ? &w->trouble : NULL;
}

void watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    stop_stream(w);
    forget_page(w);
    loop_timer_clear(&w->rest);
    free(w);
}

void watch_stats(const struct watch *w, struct watch_stats *ret)
{
    *ret = w->stats;
    ret->version = w->version;
}
