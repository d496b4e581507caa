// SPDX-License-Identifier: MIT
/* Readers hang on their owner's topic. A reader knows the last number it handed over; what comes next in line goes
 * straight through, anything else makes it read the journal. */
#include "core/bus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/backoff.h"

#define HASH_FUNCTION(key, n, hash) ((hash) = (unsigned)codec_hash((key), (n)))
#include <uthash.h>

enum { PAGE_N = 200, READ_TIMEOUT_MS = 10000, READ_FIRST_MS = 200, READ_CAP_MS = 5000 };

/* A writer may die between its commit and its word to us: a silent reader looks for itself that often. */
enum { QUIET_MS = 10000 };

struct bus_reader {
    TAILQ_ENTRY(bus_reader) link;
    struct topic *topic;
    struct bus_listener listener;
    char project_id[ID_SIZE];
    bool is_of_project;
    unsigned attempt;
    uint64_t last_seq;  /* everything up to here was handed over or is not for this reader */
    uint64_t heard_seq; /* the largest number anybody spoke of */
    bool is_live;
    bool must_read; /* asked to look while a read was under way */
    bool is_dead;
    struct op *read;
    struct backoff backoff;
    struct loop_timer timer;
};

struct topic {
    char owner_id[ID_SIZE];
    struct bus *bus;
    TAILQ_HEAD(, bus_reader) readers;
    unsigned calling_n;
    UT_hash_handle hh;
};

struct bus {
    struct loop *loop;
    const struct port_store *store;
    struct topic *topics;
    unsigned readers_n;
};

static void read_more(void *arg);

static void free_reader(void *p)
{
    free(p);
}

static void free_topic(void *p)
{
    free(p);
}

static void drop_topic_if_empty(struct topic *t)
{
    if (!TAILQ_EMPTY(&t->readers) || t->calling_n > 0)
        return;
    HASH_DEL(t->bus->topics, t);
    loop_defer_free(t->bus->loop, t, free_topic);
}

static bool wants(const struct bus_reader *r, const struct journal_event *e)
{
    if (e->seq <= r->last_seq)
        return false;
    return !r->is_of_project || (strcmp(r->project_id, e->project_id) == 0 && e->attempt >= r->attempt);
}

static void hand_over(struct bus_reader *r, const struct journal_event *e)
{
    bool is_wanted = wants(r, e);
    if (e->seq > r->last_seq)
        r->last_seq = e->seq;
    if (is_wanted)
        r->listener.on_event(r->listener.arg, e);
}

static void on_page(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq, const struct err *err)
{
    struct bus_reader *r = arg;
    r->read = NULL;
    if (err != NULL) {
        LOG(WARN, "journal read failed", KV("owner", r->topic->owner_id), KV("err", err));
        loop_timer_set(&r->timer, backoff_next(&r->backoff, (uint32_t)r->last_seq * 2654435761u));
        return;
    }
    backoff_reset(&r->backoff);
    for (size_t i = 0; i < n && !r->is_dead; i++)
        hand_over(r, &events[i]);
    if (r->is_dead)
        return;
    if (n < PAGE_N && last_seq > r->last_seq)
        r->last_seq = last_seq; /* the rest are other projects' */
    if (n == PAGE_N || r->heard_seq > r->last_seq || r->must_read) {
        r->must_read = false;
        read_more(r);
        return;
    }
    if (!r->is_live) {
        r->is_live = true;
        if (r->listener.on_live != NULL)
            r->listener.on_live(r->listener.arg);
    }
    if (!r->is_dead)
        loop_timer_set(&r->timer, QUIET_MS);
}

static void read_more(void *arg)
{
    struct bus_reader *r = arg;
    if (r->read != NULL || r->is_dead)
        return;
    const struct port_store *store = r->topic->bus->store;
    const struct journal_query query = {.owner_id = r->topic->owner_id,
                                        .project_id = r->is_of_project ? r->project_id : NULL,
                                        .after = r->last_seq,
                                        .limit = PAGE_N};
    r->read = store->journal_read(store->self, &query, READ_TIMEOUT_MS, on_page, r);
}

void bus_publish(struct bus *b, const struct journal_event *event)
{
    struct topic *t;
    HASH_FIND(hh, b->topics, event->owner_id, strlen(event->owner_id), t);
    if (t == NULL)
        return;
    t->calling_n++;
    struct bus_reader *r;
    struct bus_reader *next;
    for (r = TAILQ_FIRST(&t->readers); r != NULL; r = next) {
        next = TAILQ_NEXT(r, link);
        if (r->is_dead || event->seq <= r->last_seq)
            continue;
        if (event->seq > r->heard_seq)
            r->heard_seq = event->seq;
        bool is_next = r->is_live && r->read == NULL && event->seq == r->last_seq + 1;
        if (is_next)
            hand_over(r, event);
        else if (r->backoff.tries == 0)
            read_more(r);
    }
    t->calling_n--;
    drop_topic_if_empty(t);
}

void bus_hint(struct bus *b, const char *owner_id)
{
    struct topic *t;
    HASH_FIND(hh, b->topics, owner_id, strlen(owner_id), t);
    if (t == NULL)
        return;
    struct bus_reader *r;
    TAILQ_FOREACH(r, &t->readers, link)
    {
        if (r->read != NULL)
            r->must_read = true;
        else
            read_more(r);
    }
}

static struct topic *topic_of(struct bus *b, const char *owner_id)
{
    struct topic *t;
    HASH_FIND(hh, b->topics, owner_id, strlen(owner_id), t);
    if (t != NULL)
        return t;
    t = xcalloc(1, sizeof(*t));
    t->bus = b;
    (void)!str_copy(str_from(owner_id), t->owner_id, sizeof(t->owner_id));
    TAILQ_INIT(&t->readers);
    HASH_ADD(hh, b->topics, owner_id, strlen(t->owner_id), t);
    return t;
}

struct bus_reader *bus_read(struct bus *b, const struct bus_query *query, const struct bus_listener *listener)
{
    struct bus_reader *r = xcalloc(1, sizeof(*r));
    r->topic = topic_of(b, query->owner_id);
    r->listener = *listener;
    r->is_of_project = query->project_id != NULL;
    if (r->is_of_project && !str_copy(str_from(query->project_id), r->project_id, sizeof(r->project_id)))
        r->project_id[0] = '\0';
    r->attempt = query->attempt;
    r->last_seq = query->after;
    r->backoff = (struct backoff){.first_ms = READ_FIRST_MS, .cap_ms = READ_CAP_MS};
    loop_timer_init(&r->timer, b->loop, read_more, r);
    TAILQ_INSERT_TAIL(&r->topic->readers, r, link);
    b->readers_n++;
    read_more(r);
    return r;
}

void bus_reader_free(struct bus_reader *r)
{
    if (r == NULL || r->is_dead)
        return;
    r->is_dead = true;
    op_cancel(r->read);
    loop_timer_clear(&r->timer);
    TAILQ_REMOVE(&r->topic->readers, r, link);
    r->topic->bus->readers_n--;
    drop_topic_if_empty(r->topic);
    loop_defer_free(r->topic->bus->loop, r, free_reader);
}

struct bus *bus_new(struct loop *loop, const struct port_store *store)
{
    struct bus *b = xcalloc(1, sizeof(*b));
    b->loop = loop;
    b->store = store;
    return b;
}

void bus_free(struct bus *b)
{
    if (b == NULL)
        return;
    while (b->topics != NULL) {
        struct topic *t = b->topics;
        t->calling_n++; /* keeps it while its readers go */
        while (!TAILQ_EMPTY(&t->readers))
            bus_reader_free(TAILQ_FIRST(&t->readers));
        HASH_DEL(b->topics, t);
        loop_defer_free(b->loop, t, free_topic);
    }
    free(b);
}

unsigned bus_readers_n(const struct bus *b)
{
    return b->readers_n;
}
