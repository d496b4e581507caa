// SPDX-License-Identifier: MIT
/* A list: it is walked when a session ends, which is rare, and twice a minute. */
#include "handlers/open_streams.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

struct open_streams {
    struct loop *loop;
    const struct port_store *store;
    ms_t timeout_ms;
    struct loop_timer timer;
    struct op *asking; /* NULL: not */
    LIST_HEAD(, open_stream) members;
};

static void on_ended(void *arg, struct str hash_hex)
{
    struct open_streams *s = arg;
    struct open_stream *member;
    LIST_FOREACH(member, &s->members, link)
    {
        if (str_eq_text(hash_hex, member->credential))
            member->on_ended(member->arg);
    }
}

static void on_answer(void *arg, const struct str *hexes, size_t n, const struct err *err)
{
    struct open_streams *s = arg;
    s->asking = NULL;
    if (err != NULL)
        LOG(WARN, "streams not checked", KV("err", err));
    for (size_t i = 0; i < n; i++)
        on_ended(s, hexes[i]);
    if (!LIST_EMPTY(&s->members))
        loop_timer_set(&s->timer, OPEN_STREAMS_CHECK_MS);
}

static void on_timer(void *arg)
{
    struct open_streams *s = arg;
    const struct open_stream *member;
    size_t n = 0;
    if (LIST_EMPTY(&s->members))
        return; /* the next member sets it again */
    LIST_FOREACH(member, &s->members, link)
    n++;
    struct str *hexes = xcalloc(n, sizeof(*hexes));
    n = 0;
    LIST_FOREACH(member, &s->members, link)
    hexes[n++] = str_from(member->credential);
    s->asking = s->store->credentials_ended(s->store->self, hexes, n, s->timeout_ms, on_answer, s);
    free(hexes);
}

struct open_streams *open_streams_new(struct loop *loop, const struct port_store *store, ms_t timeout_ms)
{
    struct open_streams *s = xcalloc(1, sizeof(*s));
    s->loop = loop;
    s->store = store;
    s->timeout_ms = timeout_ms;
    LIST_INIT(&s->members);
    loop_timer_init(&s->timer, loop, on_timer, s);
    store->credentials_subscribe(store->self, on_ended, s);
    return s;
}

void open_streams_free(struct open_streams *s)
{
    if (s == NULL)
        return;
    s->store->credentials_subscribe(s->store->self, NULL, NULL);
    op_cancel(s->asking);
    loop_timer_clear(&s->timer);
    free(s);
}

static void write_credential(const struct caller *caller, char ret[CREDENTIAL_SIZE])
{
    uint8_t hash[CODEC_SHA256_BYTES];
    struct buf hex;
    codec_sha256(caller->is_by_token ? caller->api_token : caller->session_token, hash);
    buf_init(&hex, CREDENTIAL_SIZE);
    codec_hex(&hex, hash, sizeof(hash));
    if (!str_copy(buf_str(&hex), ret, CREDENTIAL_SIZE))
        ret[0] = '\0';
    buf_fini(&hex);
}

void open_streams_add(struct open_streams *s, struct open_stream *member, const struct caller *caller)
{
    write_credential(caller, member->credential);
    LIST_INSERT_HEAD(&s->members, member, link);
    if (s->asking == NULL && !loop_timer_is_set(&s->timer))
        loop_timer_set(&s->timer, OPEN_STREAMS_CHECK_MS);
}

void open_streams_remove(struct open_stream *member)
{
    LIST_REMOVE(member, link);
}
