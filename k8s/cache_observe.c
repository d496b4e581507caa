// SPDX-License-Identifier: MIT
/* What the records say about one sandbox: presence of each object, the pod that counts, what Events add. */
#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/wall.h"
#include "core/base/xmem.h"
#include "k8s/cache.h"
#include "k8s/cache_private.h"

#define FIT(array, text) text_fit((array), sizeof(array), str_from(text))

/* ---- presence ---- */

/* Ours, there, and not about to go; else NULL. */
static const struct record *live_workload(const struct cache *c, const struct sandbox *sb)
{
    const struct record *r = cache_find(c, KIND_DEPLOYMENT, str_from(sb->name));
    return r != NULL && !r->is_deleting && strcmp(r->project->id, sb->project_id) == 0 ? r : NULL;
}

static enum presence watched_presence(const struct cache *c, enum kube_kind kind, struct str name,
                                      const struct sandbox *sb)
{
    const struct record *r = cache_find(c, kind, name);
    if (r == NULL)
        return c->kinds[kind].is_synced ? PRESENCE_ABSENT : PRESENCE_UNKNOWN;
    if (strcmp(r->project->id, sb->project_id) != 0)
        return PRESENCE_FOREIGN;
    return r->is_deleting ? PRESENCE_DELETING : PRESENCE_PRESENT;
}

/* An object whose owner is another workload than today's is on its way out with that one: it has to be applied again,
 * which makes today's its owner. */
static enum presence presence_of(const struct cache *c, enum cluster_object object, const struct sandbox *sb)
{
    const struct object_row *row = object_row(object);
    const struct cache_project *p = cache_project_find(c, str_from(sb->project_id));
    const struct record *workload = live_workload(c, sb);
    uint64_t owner = workload != NULL ? codec_hash(workload->uid, strlen(workload->uid)) : 0;
    struct noted noted = {PRESENCE_UNKNOWN, 0};
    char name[OBJECT_NAME_SIZE];
    enum presence presence;
    object_name(object, sb, name);
    if (name[0] == '\0')
        return PRESENCE_ABSENT;
    if (p != NULL && p->noted != NULL)
        noted = p->noted[object];
    if (row->kind >= KIND_CACHED_N) {
        bool is_current = !row->is_owned || noted.presence != PRESENCE_PRESENT || noted.owner == owner;
        return is_current ? noted.presence : PRESENCE_UNKNOWN;
    }
    presence = watched_presence(c, row->kind, str_from(name), sb);
    if (presence == PRESENCE_ABSENT && noted.presence == PRESENCE_FOREIGN)
        return PRESENCE_FOREIGN;
    if (presence == PRESENCE_PRESENT && row->is_owned && owner != 0 &&
        cache_find(c, row->kind, str_from(name))->owner != owner)
        return PRESENCE_ABSENT;
    return presence;
}

bool cache_has(const struct cache *c, enum kube_kind kind, const char *name)
{
    return kind < KIND_CACHED_N && cache_find(c, kind, str_from(name)) != NULL;
}

const char *cache_workload_uid(const struct cache *c, const struct sandbox *sb)
{
    const struct record *r = live_workload(c, sb);
    return r != NULL && r->uid[0] != '\0' ? r->uid : NULL;
}

/* ---- the pod that counts ---- */

static int pod_rank(const struct record *r, const struct sandbox *sb)
{
    return (r->is_deleting || r->facts.pod.is_failed ? 0 : 2) +
           (strcmp(r->facts.pod.restart_time, sb->restart_time) == 0 ? 1 : 0);
}

static bool is_better_pod(const struct record *a, const struct record *b, const struct sandbox *sb)
{
    if (b == NULL)
        return true;
    if (pod_rank(a, sb) != pod_rank(b, sb))
        return pod_rank(a, sb) > pod_rank(b, sb);
    if (a->facts.pod.created_ms != b->facts.pod.created_ms)
        return a->facts.pod.created_ms > b->facts.pod.created_ms;
    return a->version > b->version;
}

/* Pods of the database do not bear the label of the project, so these are the sandbox's. */
static const struct record *current_pod(const struct cache *c, const struct sandbox *sb)
{
    const struct cache_project *p = cache_project_find(c, str_from(sb->project_id));
    const struct record *best = NULL;
    for (const struct record *r = p != NULL ? p->records[KIND_POD] : NULL; r != NULL; r = r->next) {
        if (str_starts(str_from(r->name), str_from(sb->name)) && is_better_pod(r, best, sb))
            best = r;
    }
    return best;
}

const char *cache_pod_name(const struct cache *c, const struct sandbox *sb)
{
    const struct record *r = current_pod(c, sb);
    return r != NULL ? r->name : NULL;
}

static void observe_pod(const struct record *r, const struct pod_events *events, struct observed_pod *ret)
{
    const struct pod_facts *f = &r->facts.pod;
    bool has_events = events != NULL && strcmp(events->pod, r->name) == 0;
    ret->exists = true;
    ret->is_failed = f->is_failed;
    ret->is_scheduled = f->is_scheduled;
    ret->is_unschedulable = f->is_unschedulable;
    ret->is_pulled = f->is_pulled || (has_events && events->is_pulled);
    ret->is_pulling = !ret->is_pulled && has_events && events->is_pulling;
    ret->is_running = f->is_running;
    ret->is_ready = f->is_ready;
    ret->restarts = f->restarts;
    ret->exit_code = f->exit_code;
    FIT(ret->waiting_reason, f->waiting_reason);
    FIT(ret->last_reason, f->last_reason);
    FIT(ret->message, f->message);
    FIT(ret->node, f->node);
}

/* ---- everything of one sandbox ---- */

static void observe_database(const struct record *r, const struct pod_events *events, struct observed_database *ret)
{
    const struct database_facts *f = &r->facts.database;
    ret->is_halted = f->is_halted;
    ret->phase = f->phase;
    ret->is_refused = f->is_refused;
    FIT(ret->message, f->message);
    if (ret->message[0] == '\0' && f->phase != DB_PHASE_RUNNING && events != NULL)
        FIT(ret->message, events->warning_message);
}

static void observe_workload(const struct record *r, struct observed_workload *ret)
{
    const struct workload_facts *f = &r->facts.workload;
    ret->generation = f->generation;
    ret->observed_generation = f->observed_generation;
    ret->replicas_wanted = f->wanted;
    ret->replicas_updated = f->updated;
    ret->replicas_available = f->available;
    ret->is_available = f->is_available;
    ret->is_replica_failure = f->is_replica_failure;
    ret->is_progress_over = f->is_progress_over;
    FIT(ret->message, f->message);
}

static void observe_endpoints(const struct cache_project *p, const struct sandbox *sb, struct observed *ret)
{
    char name[OBJECT_NAME_SIZE];
    uint64_t service;
    object_name(OBJECT_SERVICE, sb, name);
    service = codec_hash(name, strlen(name));
    for (const struct record *r = p->records[KIND_ENDPOINT_SLICE]; r != NULL; r = r->next) {
        if (r->owner == service && !r->is_deleting) {
            ret->endpoints_n += r->facts.endpoints.addresses_n;
            ret->endpoints_ready_n += r->facts.endpoints.ready_n;
        }
    }
}

void cache_observe(const struct cache *c, const struct sandbox *sb, struct observed *ret)
{
    const struct cache_project *p = cache_project_find(c, str_from(sb->project_id));
    const struct record *database = cache_find(c, KIND_CLUSTER, str_from(sb->database_name));
    const struct record *workload = cache_find(c, KIND_DEPLOYMENT, str_from(sb->name));
    const struct record *pod = current_pod(c, sb);
    memset(ret, 0, sizeof *ret);
    ret->is_synced = true;
    for (size_t i = 0; i < KIND_CACHED_N; i++)
        ret->is_synced = ret->is_synced && c->kinds[i].is_synced;
    for (size_t i = 0; i < OBJECT_N; i++)
        ret->objects[i] = presence_of(c, (enum cluster_object)i, sb);
    if (p == NULL)
        return;
    if (database != NULL && database->project == p)
        observe_database(database, p->events[EVENTS_OF_DATABASE], &ret->database);
    if (workload != NULL && workload->project == p)
        observe_workload(workload, &ret->workload);
    if (pod != NULL)
        observe_pod(pod, p->events[EVENTS_OF_SANDBOX], &ret->pod);
    observe_endpoints(p, sb, ret);
    if (p->events[EVENTS_OF_SANDBOX] != NULL && pod != NULL &&
        strcmp(p->events[EVENTS_OF_SANDBOX]->pod, pod->name) == 0) {
        FIT(ret->event_reason, p->events[EVENTS_OF_SANDBOX]->warning_reason);
        FIT(ret->event_message, p->events[EVENTS_OF_SANDBOX]->warning_message);
    }
}

/* ---- Events ---- */

void pod_events_free(struct pod_events *e)
{
    if (e == NULL)
        return;
    free(e->pod);
    free(e->warning_reason);
    free(e->warning_message);
    free(e);
}

/* A pod's name is its controller's and two parts more: "web-5b6ddd7b49-wqvsj", "db-postgresql-0". */
static struct str controller_name(struct str pod)
{
    for (int i = 0; i < 2; i++) {
        while (pod.n > 0 && pod.p[pod.n - 1] != '-')
            pod.n--;
        pod.n -= pod.n > 0 ? 1 : 0;
    }
    return pod;
}

/* Whose pod the Event is about: the slot for it, NULL if it is nobody's. An Event may come before its pod does. */
static struct pod_events **slot_of(const struct cache *c, struct str pod, struct cache_project **ret_project)
{
    const struct record *r = cache_find(c, KIND_DEPLOYMENT, controller_name(pod));
    size_t slot = EVENTS_OF_SANDBOX;
    if (r == NULL) {
        r = cache_find(c, KIND_CLUSTER, controller_name(pod));
        slot = EVENTS_OF_DATABASE;
    }
    if (r == NULL)
        return NULL;
    *ret_project = r->project;
    return &r->project->events[slot];
}

static bool is_leaving(const struct cache *c, struct str pod)
{
    const struct record *r = cache_find(c, KIND_POD, pod);
    return r != NULL && (r->is_deleting || r->facts.pod.is_failed);
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

void cache_event(struct cache *c, const struct json_value *event)
{
    struct str pod = json_str(json_at(event, "involvedObject", "name", NULL));
    struct str reason = json_str(json_find(event, "reason"));
    bool is_warning = str_eq_text(json_str(json_find(event, "type")), "Warning");
    struct cache_project *project = NULL;
    struct pod_events **slot = pod.n > 0 ? slot_of(c, pod, &project) : NULL;
    if (slot == NULL)
        return;
    if (*slot != NULL && !str_eq_text(pod, (*slot)->pod)) {
        if (is_leaving(c, pod))
            return; /* the last words of an old pod do not hide the new one's */
        pod_events_free(*slot);
        *slot = NULL;
    }
    if (*slot == NULL) {
        *slot = xcalloc(1, sizeof **slot);
        (*slot)->pod = xmemdup(pod.p, pod.n);
    }
    if (str_eq_text(reason, "Pulling"))
        (*slot)->is_pulling = true;
    else if (str_eq_text(reason, "Pulled"))
        (*slot)->is_pulled = true;
    else if (str_eq_text(reason, "Failed") || str_eq_text(reason, "BackOff"))
        (*slot)->is_pulling = false;
    else if (str_eq_text(reason, "Scheduled"))
        note_warning(*slot, STR_NONE, STR_NONE, event_time_ms(event)); /* ends what FailedScheduling said */
    if (is_warning)
        note_warning(*slot, reason, json_str(json_find(event, "message")), event_time_ms(event));
    cache_mark_dirty(c, project);
}
