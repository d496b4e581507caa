// SPDX-License-Identifier: MIT
/* Deployments: one ReplicaSet per template, rolled over by maxSurge and maxUnavailable, and the status a client waits
 * for. source: k8s.io/kubernetes pkg/controller/deployment. */
#include "core/base/wall.h"
#include "devcluster/base/names.h"
#include "devcluster/control/control_private.h"

static const char REVISION[] = "deployment.kubernetes.io/revision";

struct rollout {
    struct control *control;
    struct work *work;
    struct arena *arena;
    const struct object *deployment;
    struct entry *fresh; /* the ReplicaSet of the present template; NULL: not there */
    struct entry **old;  /* the others */
    size_t old_n;
    int64_t desired;
    int64_t surge;
    int64_t unavailable;
    const char *fresh_name;
    const char *hash;
};

/* "25%" of n or a number; surge rounds up, unavailability down. */
static int64_t share(const struct doc *value, int64_t n, int64_t round_up)
{
    struct str text = doc_as_str(value);
    uint64_t percent;
    if (doc_type(value) == JSON_NUMBER)
        return doc_as_int(value, 0);
    if (text.n < 2 || text.p[text.n - 1] != '%' || !str_parse_u64(str_slice(text, 0, text.n - 1), 1000, &percent))
        return 0;
    return ((int64_t)percent * n + (round_up != 0 ? 99 : 0)) / 100;
}

static int64_t status_number(const struct entry *e, const char *field)
{
    return e == NULL ? 0 : doc_as_int(doc_at(e->now->root, "status", field, NULL), 0);
}

static int64_t wanted(const struct entry *e)
{
    return e == NULL ? 0 : doc_as_int(doc_at(e->now->root, "spec", "replicas", NULL), 0);
}

static void rollout_init(struct rollout *r, struct control *control, struct work *w, struct arena *a)
{
    const struct doc *spec = doc_find(w->entry->now->root, "spec");
    const struct doc *rolling = doc_at(spec, "strategy", "rollingUpdate", NULL);
    *r = (struct rollout){.control = control, .work = w, .arena = a, .deployment = w->entry->now};
    r->desired = doc_as_int(doc_find(spec, "replicas"), 1);
    r->surge = share(doc_find(rolling, "maxSurge"), r->desired, 1);
    r->unavailable = share(doc_find(rolling, "maxUnavailable"), r->desired, 0);
    if (rolling != NULL && r->surge == 0 && r->unavailable == 0)
        r->unavailable = 1;
    r->hash = template_hash(a, r->deployment);
    r->fresh_name = arena_printf(a, "%.*s-%s", STR_ARG(r->deployment->name), r->hash);
    struct entry **owned = store_by_owner(control->store, a, r->deployment->uid);
    size_t n = 0;
    while (owned[n] != NULL)
        n++;
    r->old = arena_alloc(a, (n + 1) * sizeof(struct entry *));
    for (size_t i = 0; i < n; i++) {
        if (owned[i]->kind->id != KIND_REPLICASET || object_is_deleting(owned[i]->now))
            continue;
        if (str_eq_text(owned[i]->now->name, r->fresh_name))
            r->fresh = owned[i];
        else
            r->old[r->old_n++] = owned[i];
    }
}

static int64_t revision_of(const struct object *o)
{
    uint64_t revision = 0;
    struct str text = doc_as_str(doc_at(object_meta(o), "annotations", REVISION, NULL));
    return str_parse_u64(text, INT32_MAX, &revision) ? (int64_t)revision : 0;
}

static int64_t next_revision(const struct rollout *r)
{
    int64_t most = 0;
    for (size_t i = 0; i < r->old_n; i++)
        if (revision_of(r->old[i]->now) > most)
            most = revision_of(r->old[i]->now);
    return most + 1;
}

static void record_scaling(struct rollout *r, struct str name, int64_t from, int64_t to)
{
    const char *message = arena_printf(r->arena, "Scaled %s replica set %.*s from %lld to %lld",
                                       to > from ? "up" : "down", STR_ARG(name), (long long)from, (long long)to);
    event_record(r->control, r->deployment,
                 &(struct happening){"Normal", "ScalingReplicaSet", "deployment-controller", message});
}

static void scale(struct rollout *r, struct entry *e, int64_t to)
{
    int64_t from = wanted(e);
    if (from == to)
        return;
    struct draft *d = draft_of(e);
    doc_set_int(d->arena, doc_edit(d->root, "spec"), "replicas", to);
    (void)store_put(r->control->store, d, STORE_MAIN);
    record_scaling(r, e->now->name, from, to);
}

static int64_t total_wanted(const struct rollout *r)
{
    int64_t n = wanted(r->fresh);
    for (size_t i = 0; i < r->old_n; i++)
        n += wanted(r->old[i]);
    return n;
}

/* ---- the new ReplicaSet ---- */

static struct doc *build_replicaset(struct rollout *r, struct arena *a, int64_t replicas)
{
    const struct doc *spec = doc_find(r->deployment->root, "spec");
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", "ReplicaSet");
    doc_set_text(a, root, "apiVersion", "apps/v1");
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", r->fresh_name);
    doc_set_str(a, meta, "namespace", r->deployment->ns);
    struct doc *template = doc_copy(a, doc_find(spec, "template"));
    struct doc *labels = doc_need_object(a, doc_need_object(a, template, "metadata"), "labels");
    doc_set_text(a, labels, "pod-template-hash", r->hash);
    doc_set(a, meta, "labels", doc_copy(a, labels));
    const struct doc *old = doc_find(object_meta(r->deployment), "annotations");
    struct doc *annotations = doc_set(a, meta, "annotations", old == NULL ? doc_object(a) : doc_copy(a, old));
    doc_set_text(a, annotations, REVISION, arena_printf(a, "%lld", (long long)next_revision(r)));
    doc_set_text(a, annotations, "deployment.kubernetes.io/desired-replicas",
                 arena_printf(a, "%lld", (long long)r->desired));
    long long most = r->desired + r->surge;
    doc_set_text(a, annotations, "deployment.kubernetes.io/max-replicas", arena_printf(a, "%lld", most));
    owner_add(a, root, r->deployment);
    struct doc *own = doc_need_object(a, root, "spec");
    doc_set_int(a, own, "replicas", replicas);
    struct doc *selector = doc_set(a, own, "selector", doc_copy(a, doc_find(spec, "selector")));
    doc_set_text(a, doc_need_object(a, selector, "matchLabels"), "pod-template-hash", r->hash);
    doc_set(a, own, "template", template);
    doc_set_int(a, doc_need_object(a, root, "status"), "replicas", 0);
    return root;
}

/* The first write after a new template: revision and Progressing, without observedGeneration, as the real one does. */
static void note_created(struct rollout *r)
{
    struct draft *d = draft_of(r->work->entry);
    struct doc *meta = doc_edit(d->root, "metadata");
    doc_set_text(d->arena, doc_need_object(d->arena, meta, "annotations"), REVISION,
                 arena_printf(d->arena, "%lld", (long long)next_revision(r)));
    struct doc *conditions = doc_need_array(d->arena, doc_need_object(d->arena, d->root, "status"), "conditions");
    condition_set(r->control, d, conditions,
                  &(struct condition){"Progressing", "True", "NewReplicaSetCreated",
                                      arena_printf(d->arena, "Created new replica set \"%s\"", r->fresh_name)});
    (void)store_put(r->control->store, d, STORE_STATUS);
}

static void create_fresh(struct rollout *r)
{
    int64_t replicas = r->desired;
    int64_t room = r->desired + r->surge - total_wanted(r);
    if (replicas > room)
        replicas = room > 0 ? room : 0;
    struct arena *a = arena_new();
    struct doc *root = build_replicaset(r, a, replicas);
    (void)store_add(r->control->store, draft_new(kind_get(KIND_REPLICASET), root, a));
    note_created(r);
    record_scaling(r, str_from(r->fresh_name), 0, replicas);
}

/* ---- rolling ---- */

static bool is_recreate(const struct rollout *r)
{
    return str_eq_text(doc_as_str(doc_at(r->deployment->root, "spec", "strategy", "type", NULL)), "Recreate");
}

static bool old_pods_left(const struct rollout *r)
{
    for (size_t i = 0; i < r->old_n; i++) {
        struct entry **pods = store_by_owner(r->control->store, r->arena, r->old[i]->now->uid);
        if (pods[0] != NULL)
            return true;
    }
    return false;
}

/* How many pods may go now: never below what must be available, pods of the new template that are not yet counted as
 * missing. Unhealthy pods of old templates go first. */
static void scale_old_down(struct rollout *r)
{
    int64_t needed = r->desired - r->unavailable;
    int64_t fresh_available = status_number(r->fresh, "availableReplicas");
    int64_t room = total_wanted(r) - needed - (wanted(r->fresh) - fresh_available);
    int64_t spare = fresh_available - needed;
    for (size_t i = 0; i < r->old_n; i++)
        spare += status_number(r->old[i], "availableReplicas");
    for (size_t i = 0; i < r->old_n && room > 0; i++) {
        int64_t have = wanted(r->old[i]);
        int64_t healthy = status_number(r->old[i], "availableReplicas");
        int64_t down = have > healthy ? have - healthy : 0;
        if (spare > 0)
            down += have - down < spare ? have - down : spare;
        if (down > room)
            down = room;
        room -= down;
        spare -= down;
        scale(r, r->old[i], have - down);
    }
}

static void roll(struct rollout *r)
{
    if (wanted(r->fresh) > r->desired || r->old_n == 0) {
        scale(r, r->fresh, r->desired);
        return;
    }
    int64_t room = r->desired + r->surge - total_wanted(r);
    int64_t up = r->desired - wanted(r->fresh);
    if (up > room)
        up = room > 0 ? room : 0;
    scale(r, r->fresh, wanted(r->fresh) + up);
    scale_old_down(r);
}

static void drop_history(struct rollout *r)
{
    int64_t limit = doc_as_int(doc_at(r->deployment->root, "spec", "revisionHistoryLimit", NULL), 10);
    size_t idle = 0;
    for (size_t i = 0; i < r->old_n; i++)
        idle += wanted(r->old[i]) == 0 && status_number(r->old[i], "replicas") == 0;
    while ((int64_t)idle > limit) {
        struct entry *oldest = NULL;
        for (size_t i = 0; i < r->old_n; i++)
            if (!r->old[i]->is_gone && wanted(r->old[i]) == 0 &&
                (oldest == NULL || revision_of(r->old[i]->now) < revision_of(oldest->now)))
                oldest = r->old[i];
        if (oldest == NULL)
            return;
        store_delete(r->control->store, oldest, DELETE_BACKGROUND, -1);
        idle--;
    }
}

/* ---- status ---- */

struct counts {
    int64_t replicas, updated, ready, available, unavailable;
};

static struct counts count(const struct rollout *r)
{
    struct counts c = {.replicas = status_number(r->fresh, "replicas"),
                       .updated = status_number(r->fresh, "replicas"),
                       .ready = status_number(r->fresh, "readyReplicas"),
                       .available = status_number(r->fresh, "availableReplicas")};
    for (size_t i = 0; i < r->old_n; i++) {
        c.replicas += status_number(r->old[i], "replicas");
        c.ready += status_number(r->old[i], "readyReplicas");
        c.available += status_number(r->old[i], "availableReplicas");
    }
    c.unavailable = total_wanted(r) - c.available;
    if (c.unavailable < 0)
        c.unavailable = 0;
    return c;
}

static void set_unless_zero(struct draft *d, struct doc *status, const char *key, int64_t value)
{
    if (value != 0)
        doc_set_int(d->arena, status, key, value);
}

static bool moved(const struct doc *old, const struct counts *c)
{
    int64_t updated = doc_as_int(doc_find(old, "updatedReplicas"), 0);
    int64_t replicas = doc_as_int(doc_find(old, "replicas"), 0);
    return c->updated > updated || c->replicas - c->updated < replicas - updated ||
           c->ready > doc_as_int(doc_find(old, "readyReplicas"), 0) ||
           c->available > doc_as_int(doc_find(old, "availableReplicas"), 0);
}

/* How long Progressing has not been told anything new; negative: not known. */
static ms_t silence_ms(const struct rollout *r, const struct doc *progressing)
{
    int64_t since;
    if (!wall_parse(doc_get(progressing, "lastUpdateTime"), &since))
        return -1;
    return loop_wall_ms(r->control->loop) - since;
}

static void set_progressing(struct rollout *r, struct draft *d, struct doc *conditions, const struct counts *c,
                            bool has_moved)
{
    struct doc *now = condition_find(conditions, "Progressing");
    const char *name = r->fresh_name;
    bool was_complete = now != NULL && str_eq_text(doc_get(now, "reason"), "NewReplicaSetAvailable");
    ms_t deadline = doc_as_int(doc_at(r->deployment->root, "spec", "progressDeadlineSeconds", NULL), 600) * 1000;
    if (was_complete && c->replicas == c->updated)
        return;
    if (c->updated == r->desired && c->replicas == r->desired && c->available == r->desired) {
        condition_set(
            r->control, d, conditions,
            &(struct condition){"Progressing", "True", "NewReplicaSetAvailable",
                                arena_printf(d->arena, "ReplicaSet \"%s\" has successfully progressed.", name)});
        return;
    }
    if (has_moved) {
        if (now != NULL && str_eq_text(doc_get(now, "reason"), "ReplicaSetUpdated"))
            doc_set_str(d->arena, now, "lastUpdateTime", store_time(r->control->store, d->arena));
        condition_set(r->control, d, conditions,
                      &(struct condition){"Progressing", "True", "ReplicaSetUpdated",
                                          arena_printf(d->arena, "ReplicaSet \"%s\" is progressing.", name)});
        now = condition_find(conditions, "Progressing");
    }
    ms_t silence = silence_ms(r, now);
    if (silence >= deadline)
        condition_set(
            r->control, d, conditions,
            &(struct condition){"Progressing", "False", "ProgressDeadlineExceeded",
                                arena_printf(d->arena, "ReplicaSet \"%s\" has timed out progressing.", name)});
    else if (silence >= 0)
        work_after(r->work, deadline - silence + 1000);
}

static void set_failure(struct rollout *r, struct draft *d, struct doc *conditions)
{
    const struct doc *all = r->fresh == NULL ? NULL : doc_at(r->fresh->now->root, "status", "conditions", NULL);
    const struct doc *failure = condition_find((struct doc *)all, "ReplicaFailure");
    struct doc *old = condition_find(conditions, "ReplicaFailure");
    if (failure == NULL) {
        if (old != NULL)
            doc_remove_child(conditions, old);
        return;
    }
    condition_set(r->control, d, conditions,
                  &(struct condition){"ReplicaFailure", "True", arena_dup(d->arena, doc_get(failure, "reason")),
                                      arena_dup(d->arena, doc_get(failure, "message"))});
}

static void write_status(struct rollout *r)
{
    struct draft *d = draft_of(r->work->entry);
    struct arena *a = d->arena;
    const struct doc *old = doc_find(r->work->entry->now->root, "status");
    struct counts c = count(r);
    struct doc *status = doc_object(a);
    doc_set_int(a, status, "observedGeneration", doc_as_int(doc_find(object_meta(r->deployment), "generation"), 1));
    set_unless_zero(d, status, "replicas", c.replicas);
    set_unless_zero(d, status, "updatedReplicas", c.updated);
    set_unless_zero(d, status, "readyReplicas", c.ready);
    set_unless_zero(d, status, "availableReplicas", c.available);
    set_unless_zero(d, status, "unavailableReplicas", c.unavailable);
    doc_set_int(a, status, "terminatingReplicas", 0);
    const struct doc *had = doc_find(old, "conditions");
    struct doc *conditions = had == NULL ? doc_array(a) : doc_copy(a, had);
    doc_set(a, status, "conditions", conditions);
    bool is_available = c.available >= r->desired - r->unavailable;
    condition_set(r->control, d, conditions,
                  is_available ? &(struct condition){"Available", "True", "MinimumReplicasAvailable",
                                                     "Deployment has minimum availability."}
                               : &(struct condition){"Available", "False", "MinimumReplicasUnavailable",
                                                     "Deployment does not have minimum availability."});
    set_failure(r, d, conditions);
    set_progressing(r, d, conditions, &c, moved(old, &c));
    doc_set(a, d->root, "status", status);
    (void)store_put(r->control->store, d, STORE_STATUS);
}

void deployment_reconcile(struct control *control, struct work *w)
{
    if (object_is_deleting(w->entry->now))
        return;
    struct arena *a = arena_new();
    struct rollout r;
    rollout_init(&r, control, w, a);
    if (is_recreate(&r) && r.fresh == NULL && old_pods_left(&r)) {
        for (size_t i = 0; i < r.old_n; i++)
            scale(&r, r.old[i], 0);
        write_status(&r);
    } else if (r.fresh == NULL) {
        create_fresh(&r);
    } else {
        roll(&r);
        drop_history(&r);
        write_status(&r);
    }
    arena_free(a);
}
