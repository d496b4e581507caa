// SPDX-License-Identifier: MIT
/* The indexes: what comes in, what goes out, who is told. What it means for one project is cache_observe.c's. */
#include "k8s/cache.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"
#include "k8s/cache_private.h"

/* ---- projects ---- */

struct cache_project *cache_project_find(const struct cache *c, struct str id)
{
    struct cache_project *p = NULL;
    if (id.n > 0)
        HASH_FIND(hh, c->projects, id.p, id.n, p);
    return p;
}

static struct cache_project *project_get(struct cache *c, struct str id)
{
    struct cache_project *p = cache_project_find(c, id);
    if (p != NULL)
        return p;
    p = xcalloc(1, sizeof *p + id.n + 1);
    memcpy(p->id, id.p, id.n);
    HASH_ADD_KEYPTR(hh, c->projects, p->id, id.n, p);
    return p;
}

static bool project_is_empty(const struct cache_project *p)
{
    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        if (p->records[i] != NULL)
            return false;
    }
    return p->noted == NULL;
}

static void project_free(struct cache *c, struct cache_project *p)
{
    HASH_DEL(c->projects, p);
    for (size_t i = 0; i < EVENTS_N; i++)
        pod_events_free(p->events[i]);
    free(p->noted);
    free(p);
}

void cache_mark_dirty(struct cache *c, struct cache_project *p)
{
    if (!p->is_dirty)
        TAILQ_INSERT_TAIL(&c->dirty, p, dirty_link);
    p->is_dirty = true;
    loop_defer(&c->flush);
}

void cache_touch_all(struct cache *c)
{
    c->is_all_dirty = true;
    loop_defer(&c->flush);
}

static void on_flush(void *arg)
{
    struct cache *c = arg;
    struct cache_project *p;
    if (c->is_all_dirty && c->on_change != NULL)
        c->on_change(c->on_change_arg, STR_NONE);
    c->is_all_dirty = false;
    while ((p = TAILQ_FIRST(&c->dirty)) != NULL) {
        TAILQ_REMOVE(&c->dirty, p, dirty_link);
        p->is_dirty = false;
        if (c->on_change != NULL)
            c->on_change(c->on_change_arg, str_from(p->id));
        if (!p->is_dirty && project_is_empty(p))
            project_free(c, p);
    }
}

void cache_subscribe(struct cache *c, cluster_on_change *on_change, void *arg)
{
    c->on_change = on_change;
    c->on_change_arg = arg;
}

/* ---- records ---- */

struct record *cache_find(const struct cache *c, enum kube_kind kind, struct str name)
{
    struct record *r = NULL;
    if (name.n > 0)
        HASH_FIND(hh, c->kinds[kind].by_name, name.p, name.n, r);
    return r;
}

static void record_leave_project(struct cache *c, enum kube_kind kind, struct record *r)
{
    struct record **at = &r->project->records[kind];
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    cache_mark_dirty(c, r->project);
    r->project = NULL;
}

static void record_join_project(struct cache *c, enum kube_kind kind, struct record *r, struct cache_project *p)
{
    r->project = p;
    r->next = p->records[kind];
    p->records[kind] = r;
    cache_mark_dirty(c, p);
}

static void record_free(struct cache *c, enum kube_kind kind, struct record *r)
{
    record_leave_project(c, kind, r);
    HASH_DEL(c->kinds[kind].by_name, r);
    facts_fini(kind, &r->facts);
    free(r);
}

static void record_set(struct cache *c, enum kube_kind kind, const struct object_head *head,
                       const struct json_value *object)
{
    struct record *r = cache_find(c, kind, head->name);
    struct cache_project *p = project_get(c, head->project_id);
    if (r == NULL) {
        r = xcalloc(1, sizeof *r + head->name.n + 1);
        memcpy(r->name, head->name.p, head->name.n);
        HASH_ADD_KEYPTR(hh, c->kinds[kind].by_name, r->name, head->name.n, r);
        record_join_project(c, kind, r, p);
    } else if (r->project != p) {
        record_leave_project(c, kind, r);
        record_join_project(c, kind, r, p);
    }
    facts_fini(kind, &r->facts);
    facts_read(kind, object, &r->facts);
    r->version = head->version;
    r->owner = head->owner;
    r->is_deleting = head->is_deleting;
    r->epoch = c->kinds[kind].epoch;
    if (!str_copy(head->uid, r->uid, sizeof r->uid))
        r->uid[0] = '\0';
    cache_mark_dirty(c, p);
}

void cache_put(struct cache *c, enum kube_kind kind, const struct json_value *object)
{
    struct object_head head;
    struct record *r;
    facts_head(kind, object, &head);
    if (head.name.n == 0)
        return;
    cache_reached(c, kind, c->kinds[kind].is_synced ? head.version : 0);
    r = cache_find(c, kind, head.name);
    if (r != NULL && r->version >= head.version)
        r->epoch = c->kinds[kind].epoch; /* our own call's answer was faster */
    else if (head.project_id.n > 0)
        record_set(c, kind, &head, object);
}

void cache_drop(struct cache *c, enum kube_kind kind, const struct json_value *object)
{
    struct object_head head;
    struct record *r;
    facts_head(kind, object, &head);
    cache_reached(c, kind, head.version);
    r = cache_find(c, kind, head.name);
    if (r != NULL && r->version <= head.version) /* a newer one bears the name again */
        record_free(c, kind, r);
}

void cache_merge(struct cache *c, enum kube_kind kind, const struct json_value *object)
{
    struct object_head head;
    struct record *r;
    if (c->kinds[kind].is_unseen)
        return;
    facts_head(kind, object, &head);
    r = cache_find(c, kind, head.name);
    if (head.name.n == 0 || head.project_id.n == 0 || (r != NULL && r->version >= head.version) ||
        (r == NULL && head.version <= c->kinds[kind].reached))
        return;
    record_set(c, kind, &head, object);
}

/* ---- lists ---- */

void cache_reached(struct cache *c, enum kube_kind kind, uint64_t version)
{
    if (version > c->kinds[kind].reached)
        c->kinds[kind].reached = version;
}

void cache_list_begin(struct cache *c, enum kube_kind kind)
{
    c->kinds[kind].epoch++;
    c->kinds[kind].begun_ms = loop_now_ms(c->loop);
    c->kinds[kind].is_unseen = false;
}

void cache_list_end(struct cache *c, enum kube_kind kind, uint64_t version)
{
    struct cached_kind *k = &c->kinds[kind];
    struct record *r;
    struct record *next;
    HASH_ITER(hh, k->by_name, r, next)
    {
        if (r->epoch != k->epoch && r->version <= version)
            record_free(c, kind, r);
    }
    cache_reached(c, kind, version);
    k->current_ms = k->begun_ms;
    if (!k->is_synced)
        cache_touch_all(c);
    k->is_synced = true;
}

void cache_list_none(struct cache *c, enum kube_kind kind)
{
    cache_list_begin(c, kind);
    cache_list_end(c, kind, UINT64_MAX);
    c->kinds[kind].reached = 0;
    c->kinds[kind].current_ms = INT64_MAX; /* nothing of it will ever happen */
}

void cache_list_unseen(struct cache *c, enum kube_kind kind)
{
    cache_list_none(c, kind);
    c->kinds[kind].is_unseen = true;
}

void cache_heard(struct cache *c, enum kube_kind kind)
{
    c->kinds[kind].current_ms = loop_now_ms(c->loop);
}

bool cache_is_synced(const struct cache *c, enum kube_kind kind)
{
    return c->kinds[kind].is_synced;
}

/* ---- what our own calls said ---- */

void cache_note(struct cache *c, enum cluster_object object, const struct sandbox *sb, enum presence presence,
                const char *owner_uid)
{
    struct cache_project *p = project_get(c, str_from(sb->project_id));
    if (p->noted == NULL)
        p->noted = xcalloc(OBJECT_N, sizeof *p->noted);
    p->noted[object].presence = presence;
    p->noted[object].owner = owner_uid != NULL ? codec_hash(owner_uid, strlen(owner_uid)) : 0;
    cache_mark_dirty(c, p);
}

void cache_note_deleting(struct cache *c, enum kube_kind kind, const char *name)
{
    struct record *r = kind < KIND_CACHED_N ? cache_find(c, kind, str_from(name)) : NULL;
    if (r == NULL)
        return;
    r->is_deleting = true;
    cache_mark_dirty(c, r->project);
}

void cache_forget(struct cache *c, struct str project_id)
{
    struct cache_project *p = cache_project_find(c, project_id);
    if (p == NULL)
        return;
    free(p->noted);
    p->noted = NULL;
    cache_mark_dirty(c, p);
}

/* ---- the whole ---- */

struct cache *cache_new(struct loop *loop)
{
    struct cache *c = xcalloc(1, sizeof *c);
    c->loop = loop;
    TAILQ_INIT(&c->dirty);
    loop_task_init(&c->flush, loop, on_flush, c);
    return c;
}

void cache_free(struct cache *c)
{
    struct record *r;
    struct record *next;
    struct cache_project *p;
    struct cache_project *next_project;
    if (c == NULL)
        return;
    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        HASH_ITER(hh, c->kinds[i].by_name, r, next)
        {
            record_free(c, (enum kube_kind)i, r);
        }
    }
    HASH_ITER(hh, c->projects, p, next_project)
    {
        project_free(c, p);
    }
    loop_task_clear(&c->flush);
    free(c);
}
