// SPDX-License-Identifier: MIT
/* Events: whom each is about, and the newest words of it. They are hints: nothing is decided by one that an object's
 * own status could tell. */
#include <stdlib.h>
#include <string.h>

#include "core/base/wall.h"
#include "core/base/xmem.h"
#include "k8s/cache.h"
#include "k8s/cache_private.h"

void pod_events_free(struct pod_events *e)
{
    if (e == NULL)
        return;
    free(e->warning_reason);
    free(e->warning_message);
    free(e);
}

/* A pod is named after its controller: "web-5b6ddd7b49-wqvsj" has two parts more, "web-0" one, "db-postgresql-0" two.
 */
static struct str without_parts(struct str name, int n)
{
    while (n-- > 0) {
        while (name.n > 0 && name.p[name.n - 1] != '-')
            name.n--;
        name.n -= name.n > 0 ? 1 : 0;
    }
    return name;
}

/* Whose object the Event is about: the slot for it, NULL if it is nobody's. An Event may come before what it is about,
 * so that is known by what makes it. */
static struct pod_events **slot_of(const struct cache *c, enum kube_kind kind, struct str name,
                                   struct cache_project **ret_project)
{
    static const struct {
        enum kube_kind events;
        enum kube_kind owner;
        int parts_n; /* of the name beyond the owner's */
        size_t slot;
    } rows[] = {
        {KIND_EVENT,             KIND_DEPLOYMENT,  2, EVENTS_OF_SANDBOX },
        {KIND_EVENT,             KIND_STATEFULSET, 1, EVENTS_OF_SANDBOX },
        {KIND_EVENT,             KIND_CLUSTER,     2, EVENTS_OF_DATABASE},
        {KIND_STATEFULSET_EVENT, KIND_STATEFULSET, 0, EVENTS_OF_WORKLOAD},
        {KIND_CLAIM_EVENT,       KIND_STATEFULSET, 1, EVENTS_OF_CLAIM   },
    };
    struct str volume = STR(VOLUME_NAME "-");
    if (kind == KIND_CLAIM_EVENT && str_starts(name, volume))
        name = str_slice(name, volume.n, name.n);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct record *r =
            rows[i].events == kind ? cache_find(c, rows[i].owner, without_parts(name, rows[i].parts_n)) : NULL;
        if (r != NULL) {
            *ret_project = r->project;
            return &r->project->events[rows[i].slot];
        }
    }
    return NULL;
}

/* Another object's than the slot holds: is it the one that was there before? */
static bool is_former(const struct cache *c, enum kube_kind kind, struct str name, uint64_t uid)
{
    const struct record *r = kind == KIND_EVENT ? cache_find(c, KIND_POD, name) : NULL;
    if (r == NULL)
        return false;
    bool is_it = uid == codec_hash(r->uid, strlen(r->uid));
    bool is_leaving = r->is_deleting || r->facts.pod.is_failed;
    return is_it == is_leaving; /* it leaves, or another of its name stays */
}

static int64_t event_time_ms(const struct json_value *event)
{
    static const char *const keys[] = {"lastTimestamp", "eventTime", "firstTimestamp"};
    int64_t ms;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (wall_parse(json_str(json_find(event, keys[i])), &ms))
            return ms;
    }
    return 0;
}

static void note_warning(struct pod_events *e, struct str reason, struct str message, int64_t at_ms)
{
    enum { MESSAGE_CEILING_BYTES = 512 };
    if (at_ms < e->warning_ms)
        return;
    free(e->warning_reason);
    free(e->warning_message);
    e->warning_ms = at_ms;
    e->warning_reason = reason.n > 0 ? xmemdup(reason.p, str_slice(reason, 0, 64).n) : NULL;
    e->warning_message = message.n > 0 ? xmemdup(message.p, str_slice(message, 0, MESSAGE_CEILING_BYTES).n) : NULL;
}

static void note(struct pod_events *e, const struct json_value *event)
{
    struct str reason = json_str(json_find(event, "reason"));
    /* Of a claim without a class, and no default one, it is said as if nothing were wrong. */
    bool is_warning =
        str_eq_text(json_str(json_find(event, "type")), "Warning") || str_eq_text(reason, "FailedBinding");
    if (str_eq_text(reason, "Pulling"))
        e->is_pulling = true;
    else if (str_eq_text(reason, "Pulled"))
        e->is_pulled = true;
    else if (str_eq_text(reason, "Failed") || str_eq_text(reason, "BackOff"))
        e->is_pulling = false;
    else if (str_eq_text(reason, "Scheduled"))
        note_warning(e, STR_NONE, STR_NONE, event_time_ms(event)); /* ends what FailedScheduling said */
    if (is_warning)
        note_warning(e, reason, json_str(json_find(event, "message")), event_time_ms(event));
}

void cache_event(struct cache *c, enum kube_kind kind, const struct json_value *event)
{
    const struct json_value *about = json_find(event, "involvedObject");
    struct str name = json_str(json_find(about, "name"));
    struct str uid_text = json_str(json_find(about, "uid"));
    uint64_t uid = codec_hash(uid_text.p, uid_text.n);
    struct cache_project *project = NULL;
    struct pod_events **slot = name.n > 0 && uid_text.n > 0 ? slot_of(c, kind, name, &project) : NULL;
    if (slot == NULL)
        return;
    if (*slot != NULL && uid != (*slot)->uid) {
        if (is_former(c, kind, name, uid))
            return; /* the last words of an old pod do not hide the new one's */
        pod_events_free(*slot);
        *slot = NULL;
    }
    if (*slot == NULL) {
        *slot = xcalloc(1, sizeof **slot);
        (*slot)->uid = uid;
    }
    note(*slot, event);
    cache_mark_dirty(c, project);
}
