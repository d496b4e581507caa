// SPDX-License-Identifier: MIT
/* Server-sent events: frames, one heartbeat timer for all streams of a listener, resume points, the farewell of a
 * drain. Streams stand in a queue by the time of their next heartbeat, so one timer looks only at those that are due.
 */
#include "server/sse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "server/http_conn.h"

enum {
    HEARTBEAT_MS = 15 * 1000, /* below the idle time-outs of common proxies, which begin at 30 s */
    BEATS_PER_TURN = 256,
    FRAME_CEILING_BYTES = 64 * 1024, /* a larger event would cut slow readers at once */
    RETRY_FIRST_MS = 1000,
    RETRY_SPREAD_MS = 4000,
};

struct sse_frame {
    unsigned refs;
    uint64_t id;
    size_t n;
    char bytes[];
};

struct sse_stream {
    struct sse_hub *hub;
    struct http_stream *stream;
    uint64_t last_id;
    ms_t beat_at_ms;
    void (*on_close)(void *arg);
    void *on_close_arg;
    TAILQ_ENTRY(sse_stream) link;
};

struct sse_hub {
    struct loop *loop;
    struct loop_timer timer;
    TAILQ_HEAD(, sse_stream) streams; /* by beat_at_ms */
};

/* ---- frames ---- */

struct sse_frame *sse_frame_new(uint64_t id, const char *event, struct str data_json)
{
    struct buf text;
    struct str rest = data_json;
    struct str line;
    buf_init(&text, FRAME_CEILING_BYTES);
    if (id > 0)
        buf_addf(&text, "id: %llu\n", (unsigned long long)id);
    if (event != NULL)
        buf_addf(&text, "event: %s\n", event);
    while (str_next(&rest, '\n', &line)) {
        buf_add_text(&text, "data: ");
        buf_add_str(&text, line);
        buf_add_byte(&text, '\n');
    }
    buf_add_byte(&text, '\n');
    if (text.is_over)
        LOG(ERROR, "event is too long and not sent", KV("event", event), KV("bytes", data_json.n));
    size_t n = text.is_over ? 0 : text.n; /* an empty frame, which nobody is sent */
    struct sse_frame *f = xmalloc(sizeof *f + n);
    f->refs = 1;
    f->id = id;
    f->n = n;
    memcpy(f->bytes, buf_str(&text).p, n);
    buf_fini(&text);
    return f;
}

struct sse_frame *sse_frame_ref(struct sse_frame *f)
{
    f->refs++;
    return f;
}

void sse_frame_unref(struct sse_frame *f)
{
    if (f != NULL && --f->refs == 0)
        free(f);
}

/* ---- heartbeats ---- */

static void set_timer(struct sse_hub *hub)
{
    const struct sse_stream *first = TAILQ_FIRST(&hub->streams);
    ms_t now = loop_now_ms(hub->loop);
    if (first == NULL)
        loop_timer_clear(&hub->timer);
    else
        loop_timer_set(&hub->timer, first->beat_at_ms > now ? first->beat_at_ms - now : 0);
}

static void enqueue(struct sse_hub *hub, struct sse_stream *s)
{
    s->beat_at_ms = loop_now_ms(hub->loop) + HEARTBEAT_MS;
    TAILQ_INSERT_TAIL(&hub->streams, s, link);
}

static void on_beat(void *arg)
{
    struct sse_hub *hub = arg;
    ms_t now = loop_now_ms(hub->loop);
    for (int i = 0; i < BEATS_PER_TURN; i++) {
        struct sse_stream *s = TAILQ_FIRST(&hub->streams);
        if (s == NULL || s->beat_at_ms > now)
            break;
        TAILQ_REMOVE(&hub->streams, s, link);
        enqueue(hub, s);
        (void)http_stream_send(s->stream, STR(": hb\n\n")); /* cut: on_close follows */
    }
    set_timer(hub);
}

static void hub_free(struct sse_hub *hub)
{
    loop_timer_clear(&hub->timer);
    free(hub);
}

static struct sse_hub *hub_of(struct http_shared *shared)
{
    if (shared->sse == NULL) {
        shared->sse = xcalloc(1, sizeof *shared->sse);
        shared->sse_free = hub_free;
        shared->sse->loop = shared->loop;
        TAILQ_INIT(&shared->sse->streams);
        loop_timer_init(&shared->sse->timer, shared->loop, on_beat, shared->sse);
    }
    return shared->sse;
}

/* ---- streams ---- */

static void leave(struct sse_stream *s)
{
    TAILQ_REMOVE(&s->hub->streams, s, link);
    if (TAILQ_EMPTY(&s->hub->streams))
        loop_timer_clear(&s->hub->timer);
    loop_defer_free(s->hub->loop, s, free);
}

static void on_closed(void *arg)
{
    struct sse_stream *s = arg;
    void (*on_close)(void *arg) = s->on_close;
    void *on_close_arg = s->on_close_arg;
    leave(s);
    if (on_close != NULL)
        on_close(on_close_arg);
}

static struct sse_frame *retry_frame(void)
{
    uint16_t chance = 0;
    codec_random(&chance, sizeof chance);
    struct buf text;
    buf_init(&text, FRAME_CEILING_BYTES);
    buf_addf(&text, "retry: %d\n\n", RETRY_FIRST_MS + chance % RETRY_SPREAD_MS);
    struct sse_frame *f = xmalloc(sizeof *f + text.n);
    *f = (struct sse_frame){.refs = 1, .n = text.n};
    memcpy(f->bytes, text.p, text.n);
    buf_fini(&text);
    return f;
}

/* The server goes: readers come back at different times, to this replica's successor or to another one. */
static void on_drain(void *arg)
{
    struct sse_stream *s = arg;
    struct sse_frame *retry = retry_frame();
    struct http_stream *stream = s->stream;
    (void)sse_send(s, retry);
    sse_frame_unref(retry);
    http_stream_end(stream);
    on_closed(s);
}

struct sse_stream *sse_start(struct http_exchange *x, void (*on_close)(void *arg), void *arg)
{
    struct sse_hub *hub = hub_of(x->conn->shared);
    struct sse_stream *s = xcalloc(1, sizeof *s);
    struct sse_frame *retry = retry_frame();
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_add_header(x, "X-Accel-Buffering", STR("no"));
    s->hub = hub;
    s->on_close = on_close;
    s->on_close_arg = arg;
    s->stream = http_stream_start(x, 200, "text/event-stream");
    http_stream_on_close(s->stream, on_closed, s);
    s->stream->on_drain = on_drain;
    s->stream->on_drain_arg = s;
    enqueue(hub, s);
    set_timer(hub);
    (void)sse_send(s, retry);
    sse_frame_unref(retry);
    return s;
}

bool sse_send(struct sse_stream *s, const struct sse_frame *f)
{
    if (f->id != 0 && f->id <= s->last_id)
        return true;
    if (f->id != 0)
        s->last_id = f->id;
    return http_stream_send(s->stream, (struct str){f->bytes, f->n});
}

uint64_t sse_last_id(const struct sse_stream *s)
{
    return s->last_id;
}

void sse_end(struct sse_stream *s)
{
    http_stream_end(s->stream);
    leave(s);
}

bool sse_resume_point(const struct http_exchange *x, uint64_t *ret_after, struct err *reterr)
{
    struct str text = http_header(x, "Last-Event-ID");
    const char *field = "Last-Event-ID";
    if (text.n == 0) {
        field = "after";
        if (!http_query_find(x, "after", &text) || text.n == 0)
            text = STR("0");
    }
    if (!str_parse_u64(text, INT64_MAX, ret_after))
        return err_set_field(reterr, ERR_INVALID, __func__, field, "The resume point must be an event's number.");
    return true;
}
