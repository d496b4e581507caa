// SPDX-License-Identifier: MIT
/* What the records say about one sandbox: presence of each object, the pod that counts, what Events add (they are taken
 * in by cache_events.c). */
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
    const struct record *r = cache_find(c, object_row(OBJECT_WORKLOAD, &sb->kinds)->kind, str_from(sb->name));
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
    const struct object_row *row = object_row(object, &sb->kinds);
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
    if (row->kind >= KIND_CACHED_N || c->kinds[row->kind].is_unseen) {
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

/* Of a former attempt, until the rollout of this one has replaced it: how it fares says nothing of this one. A later
 * time than ours is somebody's own restart of the Deployment. */
static bool is_left_over(const struct record *r, const struct sandbox *sb)
{
    const char *time = r->facts.pod.restart_time;
    return time[0] != '\0' && strcmp(time, sb->restart_time) < 0;
}

/* Pods of the database do not bear the label of the project, so these are the sandbox's. */
static const struct record *current_pod(const struct cache *c, const struct sandbox *sb)
{
    const struct cache_project *p = cache_project_find(c, str_from(sb->project_id));
    const struct record *best = NULL;
    for (const struct record *r = p != NULL ? p->records[KIND_POD] : NULL; r != NULL; r = r->next) {
        bool is_ours = str_starts(str_from(r->name), str_from(sb->name)) && !is_left_over(r, sb);
        if (is_ours && is_better_pod(r, best, sb))
            best = r;
    }
    return best;
}

static bool has_left_over_pod(const struct cache *c, const struct sandbox *sb)
{
    const struct cache_project *p = cache_project_find(c, str_from(sb->project_id));
    for (const struct record *r = p != NULL ? p->records[KIND_POD] : NULL; r != NULL; r = r->next) {
        if (str_starts(str_from(r->name), str_from(sb->name)) && is_left_over(r, sb) && !r->facts.pod.is_failed)
            return true;
    }
    return false;
}

const char *cache_pod_name(const struct cache *c, const struct sandbox *sb)
{
    const struct record *r = current_pod(c, sb);
    return r != NULL ? r->name : NULL;
}

/* What was told about this very object: another of the same name may have been there before. */
static const struct pod_events *events_about(const struct record *r, const struct pod_events *events)
{
    return events != NULL && events->uid == codec_hash(r->uid, strlen(r->uid)) ? events : NULL;
}

static void observe_pod(const struct record *r, const struct sandbox *sb, const struct pod_events *events,
                        struct observed_pod *ret)
{
    const struct pod_facts *f = &r->facts.pod;
    bool has_events = events_about(r, events) != NULL;
    ret->exists = true;
    ret->is_former = strcmp(f->restart_time, sb->restart_time) != 0;
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

static bool is_about_quota(const char *message)
{
    return message != NULL && strstr(message, "exceeded quota") != NULL;
}

static void observe_workload(const struct record *r, struct observed_workload *ret)
{
    const struct workload_facts *f = &r->facts.workload;
    ret->generation = f->generation;
    ret->observed_generation = f->observed_generation;
    ret->replicas_wanted = f->wanted;
    ret->replicas_updated = f->updated;
    ret->replicas_available = f->available;
    ret->is_rolling = f->is_rolling;
    ret->is_available = f->is_available;
    ret->is_replica_failure = f->is_replica_failure;
    ret->is_quota = is_about_quota(f->message);
    ret->is_progress_over = f->is_progress_over;
    FIT(ret->message, f->message);
}

/* What remains of "create Pod p in StatefulSet s failed error: pods "p" is forbidden: why": names are long. */
static const char *essence_of(const char *message)
{
    static const char *const marks[] = {"failed error: ", "is forbidden: "};
    for (size_t i = 0; message != NULL && i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(message, marks[i]);
        if (at != NULL)
            message = at + strlen(marks[i]);
    }
    return message;
}

/* A StatefulSet tells by events alone that it may not make its pod. */
static void observe_stateful(const struct record *r, const struct pod_events *about, bool has_pod,
                             struct observed_workload *ret)
{
    const struct pod_events *events = events_about(r, about);
    observe_workload(r, ret);
    if (has_pod || events == NULL || events->warning_reason == NULL)
        return;
    ret->is_replica_failure = strcmp(events->warning_reason, "FailedCreate") == 0;
    ret->is_quota = is_about_quota(events->warning_message);
    FIT(ret->message, essence_of(events->warning_message));
}

static void observe_claim(const struct cache *c, const struct sandbox *sb, const struct pod_events *about,
                          struct observed_claim *ret)
{
    char name[OBJECT_NAME_SIZE];
    const struct record *r;
    object_name(OBJECT_CLAIM, sb, name);
    r = cache_find(c, KIND_CLAIM, str_from(name));
    if (r == NULL || strcmp(r->project->id, sb->project_id) != 0)
        return;
    ret->exists = true;
    ret->is_bound = r->facts.claim.is_bound;
    if (!ret->is_bound && events_about(r, about) != NULL)
        FIT(ret->message, about->warning_message);
}

static bool has_host(const struct route_facts *f, const char *host)
{
    uint64_t hash = codec_hash(host, strlen(host));
    for (size_t i = 0; i < ROUTE_HOSTS_N; i++) {
        if (f->hosts[i] == hash)
            return true;
    }
    return false;
}

static void observe_route(const struct cache *c, const struct sandbox *sb, enum cluster_object object,
                          struct observed_route *ret)
{
    char name[OBJECT_NAME_SIZE];
    const struct record *r;
    enum kube_kind kind = object_row(object, &sb->kinds)->kind;
    object_name(object, sb, name);
    r = cache_find(c, kind, str_from(name));
    if (r == NULL || strcmp(r->project->id, sb->project_id) != 0)
        return;
    ret->is_elsewhere = !has_host(&r->facts.route, object == OBJECT_INGRESS_TTY ? sb->tty_host : sb->app_host);
    if (kind != KIND_HTTPROUTE)
        return;
    ret->is_accepted = r->facts.route.is_accepted;
    ret->is_refused = r->facts.route.is_refused;
    ret->is_conflict = r->facts.route.is_conflict;
    FIT(ret->message, r->facts.route.message);
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

static void observe_own_workload(const struct cache *c, const struct cache_project *p, const struct sandbox *sb,
                                 struct observed *ret)
{
    const struct record *r = cache_find(c, object_row(OBJECT_WORKLOAD, &sb->kinds)->kind, str_from(sb->name));
    if (r == NULL || r->project != p)
        return;
    if (sb->kinds.workload == WORKLOAD_STATEFULSET)
        observe_stateful(r, p->events[EVENTS_OF_WORKLOAD], ret->pod.exists, &ret->workload);
    else
        observe_workload(r, &ret->workload);
}

static void observe_own_pod(const struct cache *c, const struct cache_project *p, const struct sandbox *sb,
                            struct observed *ret)
{
    const struct record *r = current_pod(c, sb);
    const struct pod_events *events = r != NULL ? events_about(r, p->events[EVENTS_OF_SANDBOX]) : NULL;
    if (r != NULL)
        observe_pod(r, sb, events, &ret->pod);
    ret->has_left_over_pod = has_left_over_pod(c, sb);
    if (events == NULL)
        return;
    FIT(ret->event_reason, events->warning_reason);
    FIT(ret->event_message, events->warning_message);
}

static ms_t current_of(const struct cache *c, const struct sandbox_kinds *of)
{
    ms_t oldest = INT64_MAX;
    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        bool is_older = c->kinds[i].current_ms < oldest;
        if (is_older && kube_is_used(kube_kind_row((enum kube_kind)i)->use, of))
            oldest = c->kinds[i].current_ms;
    }
    return oldest;
}

bool cache_is_synced_for(const struct cache *c, const struct sandbox_kinds *of)
{
    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        if (kube_is_used(kube_kind_row((enum kube_kind)i)->use, of) && !c->kinds[i].is_synced)
            return false;
    }
    return true;
}

void cache_observe(const struct cache *c, const struct sandbox *sb, struct observed *ret)
{
    const struct cache_project *p = cache_project_find(c, str_from(sb->project_id));
    const struct record *database = cache_find(c, KIND_CLUSTER, str_from(sb->database_name));
    memset(ret, 0, sizeof *ret);
    ret->is_synced = cache_is_synced_for(c, &sb->kinds);
    ret->current_ms = current_of(c, &sb->kinds);
    for (size_t i = 0; i < OBJECT_N; i++)
        ret->objects[i] = presence_of(c, (enum cluster_object)i, sb);
    if (p == NULL)
        return;
    if (database != NULL && database->project == p)
        observe_database(database, p->events[EVENTS_OF_DATABASE], &ret->database);
    observe_own_pod(c, p, sb, ret);
    observe_own_workload(c, p, sb, ret);
    observe_claim(c, sb, p->events[EVENTS_OF_CLAIM], &ret->claim);
    observe_route(c, sb, OBJECT_INGRESS_APP, &ret->route_app);
    observe_route(c, sb, OBJECT_INGRESS_TTY, &ret->route_tty);
    observe_endpoints(p, sb, ret);
}
