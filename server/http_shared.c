// SPDX-License-Identifier: MIT
/* What the connections of one listener have in common: lists, the sliced writing of streams, the date, the drain. */
#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/wall.h"
#include "core/base/xmem.h"
#include "server/http_conn.h"

static void on_flush(void *arg)
{
    struct http_shared *s = arg;
    for (unsigned i = 0; i < HTTP_FLUSHES_PER_TURN && !TAILQ_EMPTY(&s->flushes); i++) {
        struct http_conn *c = TAILQ_FIRST(&s->flushes);
        TAILQ_REMOVE(&s->flushes, c, flush_link);
        c->is_queued = false;
        (void)conn_flush(c);
        if (c->is_doomed)
            conn_wake(c);
        else
            conn_rearm(c);
    }
    if (!TAILQ_EMPTY(&s->flushes))
        loop_timer_set(&s->flush_timer, 0);
}

void http_shared_queue_flush(struct http_shared *s, struct http_conn *c)
{
    if (c->is_queued || c->is_doomed)
        return;
    if (c->write_at_ms != 0) {
        conn_rearm(c); /* the socket is full: its event goes on, only the ceilings are looked at */
        return;
    }
    if (TAILQ_EMPTY(&s->flushes))
        loop_timer_set(&s->flush_timer, 0);
    TAILQ_INSERT_TAIL(&s->flushes, c, flush_link);
    c->is_queued = true;
}

struct http_shared *http_shared_new(struct loop *loop, const struct listener_config *config,
                                    const struct http_service *service, struct err *reterr)
{
    struct peer_networks *trusted = peer_networks_new(config->trusted_proxies, reterr);
    if (trusted == NULL)
        return NULL;
    struct http_shared *s = xcalloc(1, sizeof *s);
    s->loop = loop;
    s->service = *service;
    s->limits = config->limits;
    s->trusted = trusted;
    s->server_name = config->server_name != NULL ? xstrdup(config->server_name) : NULL;
    s->is_bare = config->is_bare;
    s->date_s = -1;
    codec_random(&s->id_prefix, sizeof s->id_prefix);
    TAILQ_INIT(&s->all);
    TAILQ_INIT(&s->idle);
    TAILQ_INIT(&s->flushes);
    loop_timer_init(&s->flush_timer, loop, on_flush, s);
    return s;
}

void http_shared_free(struct http_shared *s)
{
    if (s == NULL)
        return;
    while (!TAILQ_EMPTY(&s->all))
        conn_end(TAILQ_FIRST(&s->all));
    if (s->sse_free != NULL)
        s->sse_free(s->sse);
    while (s->spares != NULL) {
        struct http_exchange *x = s->spares;
        s->spares = x->next_spare;
        arena_free(x->arena);
        free(x);
    }
    loop_timer_clear(&s->flush_timer);
    peer_networks_free(s->trusted);
    free(s->server_name);
    free(s);
}

bool http_shared_evict_idle(struct http_shared *s)
{
    struct http_conn *c = TAILQ_FIRST(&s->idle);
    if (c == NULL)
        return false;
    conn_end(c);
    return true;
}

void http_shared_drain(struct http_shared *s, ms_t spread_ms)
{
    struct http_conn *c;
    struct http_conn *next;
    s->is_draining = true;
    for (c = TAILQ_FIRST(&s->idle); c != NULL; c = next) {
        next = TAILQ_NEXT(c, idle_link);
        conn_leave(c);
    }
    ms_t now = loop_now_ms(s->loop);
    ms_t n = 0;
    TAILQ_FOREACH(c, &s->all, all_link)
    {
        if (c->state == CONN_STREAM)
            conn_end_stream_at(c, now + spread_ms * n++ / (s->streams_n > 0 ? s->streams_n : 1));
    }
}

/* IMF-fixdate of RFC 9110 5.6.7, from the digits of "2025-10-11T10:00:00.000Z". */
const char *http_shared_date(struct http_shared *s)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now_s = loop_wall_ms(s->loop) / 1000;
    if (now_s == s->date_s)
        return s->date;
    char t[WALL_TEXT_SIZE];
    wall_format(now_s * 1000, t);
    size_t month = (size_t)(t[5] - '0') * 10 + (size_t)(t[6] - '0') - 1;
    memcpy(s->date, "ddd, DD mmm YYYY hh:mm:ss GMT", sizeof s->date);
    memcpy(s->date, days + (size_t)(now_s / 86400 % 7) * 3, 3);
    memcpy(s->date + 5, t + 8, 2);
    memcpy(s->date + 8, months + month * 3, 3);
    memcpy(s->date + 12, t, 4);
    memcpy(s->date + 17, t + 11, 8);
    s->date_s = now_s;
    return s->date;
}
