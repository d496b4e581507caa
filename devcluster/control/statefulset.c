// SPDX-License-Identifier: MIT
/* StatefulSets: pods by ordinal, each with its claims, rolled over from the last to the first. A revision is a name
 * made from the template; ControllerRevision objects are not kept, so a pod is always made from the newest template.
 * source: k8s.io/kubernetes pkg/controller/statefulset. */
#include <string.h>

#include "core/base/wall.h"
#include "devcluster/control/control_private.h"
#include "devcluster/objects/quota.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 60000 };

static const char POD_NAME[] = "statefulset.kubernetes.io/pod-name";
static const char POD_INDEX[] = "apps.kubernetes.io/pod-index";
static const char REVISION[] = "controller-revision-hash";

struct set {
    struct control *control;
    struct work *work;
    struct arena *arena;
    const struct object *object; /* held: writing its pods may change it */
    int64_t desired;
    ms_t min_ready_ms;
    bool is_ordered; /* one after the other; else all at once */
    const char *revision;
    struct entry **pods; /* by ordinal; NULL: not there */
    size_t pods_n;
};

static struct str kept(const struct set *s, const char *policy)
{
    return doc_as_str(doc_at(s->object->root, "spec", "persistentVolumeClaimRetentionPolicy", policy, NULL));
}

static const char *pod_name(struct set *s, size_t ordinal)
{
    return arena_printf(s->arena, "%.*s-%zu", STR_ARG(s->object->name), ordinal);
}

/* -1: it is none of a set's. */
static int64_t ordinal_of(const struct set *s, const struct object *pod)
{
    uint64_t n;
    size_t prefix = s->object->name.n + 1;
    bool is_one = pod->name.n > prefix && str_starts(pod->name, s->object->name) && pod->name.p[prefix - 1] == '-';
    if (!is_one || !str_parse_u64(str_slice(pod->name, prefix, pod->name.n), 100000, &n))
        return -1;
    return (int64_t)n;
}

static void set_init(struct set *s, struct control *control, struct work *w, struct arena *a)
{
    const struct object *o = object_ref(w->entry->now);
    const struct doc *spec = doc_find(o->root, "spec");
    *s = (struct set){.control = control, .work = w, .arena = a, .object = o};
    s->desired = doc_as_int(doc_find(spec, "replicas"), 1);
    s->min_ready_ms = doc_as_int(doc_find(spec, "minReadySeconds"), 0) * 1000;
    s->is_ordered = !str_eq_text(doc_get(spec, "podManagementPolicy"), "Parallel");
    s->revision = arena_printf(a, "%.*s-%s", STR_ARG(o->name), template_hash(a, o));
    struct entry **owned = store_by_owner(control->store, a, o->uid);
    size_t n = (size_t)s->desired;
    for (size_t i = 0; owned[i] != NULL; i++)
        if (owned[i]->kind->id == KIND_POD && ordinal_of(s, owned[i]->now) >= (int64_t)n)
            n = (size_t)ordinal_of(s, owned[i]->now) + 1;
    s->pods_n = n;
    s->pods = arena_alloc(a, (n + 1) * sizeof(*s->pods));
    memset(s->pods, 0, (n + 1) * sizeof(*s->pods));
    for (size_t i = 0; owned[i] != NULL; i++)
        if (owned[i]->kind->id == KIND_POD && ordinal_of(s, owned[i]->now) >= 0)
            s->pods[ordinal_of(s, owned[i]->now)] = owned[i];
}

static void tell(struct set *s, const char *type, const char *reason, const char *message)
{
    event_record(s->control, s->object, &(struct happening){type, reason, "statefulset-controller", message});
}

/* ---- claims ---- */

static const char *claim_name(struct set *s, const struct doc *template, size_t ordinal)
{
    return arena_printf(s->arena, "%.*s-%s", STR_ARG(doc_as_str(doc_at(template, "metadata", "name", NULL))),
                        pod_name(s, ordinal));
}

static struct doc *build_claim(struct set *s, struct arena *a, const struct doc *template, size_t ordinal)
{
    struct doc *root = doc_object(a);
    const struct doc *selector = doc_at(s->object->root, "spec", "selector", "matchLabels", NULL);
    doc_set_text(a, root, "kind", "PersistentVolumeClaim");
    doc_set_text(a, root, "apiVersion", "v1");
    struct doc *meta = doc_set(a, root, "metadata", doc_copy(a, doc_find(template, "metadata")));
    struct doc *labels = doc_need_object(a, meta, "labels");
    for (const struct doc *l = selector == NULL ? NULL : selector->first; l != NULL; l = l->next)
        doc_set_str_key(a, labels, l->key, doc_copy(a, l));
    doc_set_text(a, meta, "name", claim_name(s, template, ordinal));
    doc_set_str(a, meta, "namespace", s->object->ns);
    doc_append(doc_need_array(a, meta, "finalizers"), doc_text(a, CLAIM_FINALIZER));
    if (str_eq_text(kept(s, "whenDeleted"), "Delete"))
        owner_add(a, root, s->object);
    doc_set(a, root, "spec", doc_copy(a, doc_find(template, "spec")));
    kind_get(KIND_PVC)->fill(a, root);
    return root;
}

/* NULL: it is there; else why not, in the arena. */
static const char *make_claim(struct set *s, const struct doc *template, size_t ordinal)
{
    const struct kind *kind = kind_get(KIND_PVC);
    const char *name = claim_name(s, template, ordinal);
    if (store_find(s->control->store, kind, s->object->ns, str_from(name)) != NULL)
        return NULL;
    struct arena *own = arena_new();
    struct doc *root = build_claim(s, own, template, ordinal);
    const char *why = quota_refusal(s->control->store, s->arena, kind, root);
    if (why != NULL) {
        arena_free(own);
        return arena_printf(s->arena, "failed to create PVC %s: persistentvolumeclaims \"%s\" is forbidden: %s", name,
                            name, why);
    }
    (void)store_add(s->control->store, draft_new(kind, root, own));
    tell(s, "Normal", "SuccessfulCreate",
         arena_printf(s->arena, "create Claim %s Pod %s in StatefulSet %.*s success", name, pod_name(s, ordinal),
                      STR_ARG(s->object->name)));
    return NULL;
}

/* ---- pods ---- */

static void add_volumes(struct set *s, struct arena *a, struct doc *spec, size_t ordinal)
{
    const struct doc *all = doc_at(s->object->root, "spec", "volumeClaimTemplates", NULL);
    struct doc *volumes = all == NULL || all->first == NULL ? NULL : doc_need_array(a, spec, "volumes");
    for (const struct doc *t = all == NULL ? NULL : all->first; t != NULL; t = t->next) {
        struct doc *v = doc_append(volumes, doc_object(a));
        doc_set_str(a, v, "name", doc_as_str(doc_at(t, "metadata", "name", NULL)));
        doc_set_text(a, doc_need_object(a, v, "persistentVolumeClaim"), "claimName", claim_name(s, t, ordinal));
    }
}

static struct doc *build_pod(struct set *s, struct arena *a, size_t ordinal)
{
    const char *name = pod_name(s, ordinal);
    struct doc *root = pod_of_template(a, s->object, name);
    struct doc *labels = doc_need_object(a, doc_need_object(a, root, "metadata"), "labels");
    doc_set_text(a, labels, POD_INDEX, arena_printf(a, "%zu", ordinal));
    doc_set_text(a, labels, REVISION, s->revision);
    doc_set_text(a, labels, POD_NAME, name);
    struct doc *spec = doc_need_object(a, root, "spec");
    doc_set_text(a, spec, "hostname", name);
    doc_set_str(a, spec, "subdomain", doc_as_str(doc_at(s->object->root, "spec", "serviceName", NULL)));
    add_volumes(s, a, spec, ordinal);
    kind_get(KIND_POD)->fill(a, root);
    return root;
}

static const char *make_pod(struct set *s, size_t ordinal)
{
    const struct doc *all = doc_at(s->object->root, "spec", "volumeClaimTemplates", NULL);
    for (const struct doc *t = all == NULL ? NULL : all->first; t != NULL; t = t->next) {
        const char *why = make_claim(s, t, ordinal);
        if (why != NULL)
            return why;
    }
    struct arena *own = arena_new();
    struct doc *root = build_pod(s, own, ordinal);
    const char *why = pod_refusal(s->control, s->arena, root);
    if (why != NULL) {
        arena_free(own);
        return why;
    }
    s->pods[ordinal] = store_add(s->control->store, draft_new(kind_get(KIND_POD), root, own));
    return NULL;
}

/* A change is looked at as it comes, however long the last refusals made it wait. */
static bool is_changed(const struct set *s)
{
    const struct doc *seen = doc_at(s->object->root, "status", "observedGeneration", NULL);
    return doc_as_int(seen, 0) < doc_as_int(doc_find(object_meta(s->object), "generation"), 1);
}

static bool may_try(struct set *s)
{
    ms_t now = loop_now_ms(s->control->loop);
    if (is_changed(s))
        s->work->failures_n = 0;
    if (s->work->failures_n == 0 || now >= s->work->due_ms)
        return true;
    work_after(s->work, s->work->due_ms - now);
    return false;
}

/* False: it could not be made, or not yet. */
static bool create(struct set *s, size_t ordinal)
{
    if (!may_try(s))
        return false;
    const char *name = pod_name(s, ordinal);
    const char *set_name = arena_dup(s->arena, s->object->name);
    const char *why = make_pod(s, ordinal);
    if (why == NULL) {
        s->work->failures_n = 0;
        tell(s, "Normal", "SuccessfulCreate",
             arena_printf(s->arena, "create Pod %s in StatefulSet %s successful", name, set_name));
        return true;
    }
    tell(s, "Warning", "FailedCreate",
         arena_printf(s->arena, "create Pod %s in StatefulSet %s failed error: %s", name, set_name, why));
    ms_t wait = (ms_t)RETRY_FIRST_MS << (s->work->failures_n < 6 ? s->work->failures_n : 6);
    s->work->failures_n++;
    s->work->due_ms = loop_now_ms(s->control->loop) + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
    work_after(s->work, s->work->due_ms - loop_now_ms(s->control->loop));
    return false;
}

static void drop(struct set *s, size_t ordinal)
{
    const char *message = arena_printf(s->arena, "delete Pod %s in StatefulSet %.*s successful", pod_name(s, ordinal),
                                       STR_ARG(s->object->name));
    store_delete(s->control->store, s->pods[ordinal], DELETE_BACKGROUND, -1);
    tell(s, "Normal", "SuccessfulDelete", message);
}

static bool is_there(const struct set *s, size_t ordinal)
{
    return s->pods[ordinal] != NULL && !s->pods[ordinal]->is_gone;
}

static bool is_leaving(const struct set *s, size_t ordinal)
{
    return is_there(s, ordinal) && object_is_deleting(s->pods[ordinal]->now);
}

static bool is_ready(const struct set *s, size_t ordinal)
{
    return is_there(s, ordinal) && pod_is_ready(s->pods[ordinal]->now);
}

/* Ready for minReadySeconds. */
static bool is_available(const struct set *s, size_t ordinal)
{
    int64_t since;
    if (!is_ready(s, ordinal) || s->min_ready_ms == 0)
        return is_ready(s, ordinal);
    struct doc *rows = (struct doc *)doc_at(s->pods[ordinal]->now->root, "status", "conditions", NULL);
    if (!wall_parse(doc_get(condition_find(rows, "Ready"), "lastTransitionTime"), &since))
        return false;
    ms_t left = since + s->min_ready_ms - loop_wall_ms(s->control->loop);
    if (left > 0)
        work_after(s->work, left);
    return left <= 0;
}

static bool is_fresh(const struct set *s, size_t ordinal)
{
    return str_eq_text(doc_get(object_labels(s->pods[ordinal]->now), REVISION), s->revision);
}

/* Brings up what is missing; false: the rest has to wait for it. */
static bool fill(struct set *s)
{
    for (size_t i = 0; i < (size_t)s->desired; i++) {
        if (is_there(s, i) && pod_is_over(s->pods[i]->now) && !is_leaving(s, i)) {
            tell(s, "Warning", "RecreatingFailedPod",
                 arena_printf(s->arena, "StatefulSet %.*s/%.*s is recreating failed Pod %s", STR_ARG(s->object->ns),
                              STR_ARG(s->object->name), pod_name(s, i)));
            drop(s, i);
        }
        if (!is_there(s, i) && !create(s, i))
            return false;
        if (s->is_ordered && (is_leaving(s, i) || !is_available(s, i)))
            return false;
    }
    return true;
}

/* Takes away what is too much, the last first; false: one is still going. */
static bool shrink(struct set *s)
{
    for (size_t i = s->pods_n; i-- > (size_t)s->desired;) {
        if (!is_there(s, i))
            continue;
        if (!is_leaving(s, i))
            drop(s, i);
        if (s->is_ordered)
            return false;
    }
    return true;
}

/* One pod of an old template at a time, the last first, each once those behind it are well. */
static void roll(struct set *s)
{
    struct str type = doc_as_str(doc_at(s->object->root, "spec", "updateStrategy", "type", NULL));
    if (str_eq_text(type, "OnDelete"))
        return;
    for (size_t i = (size_t)s->desired; i-- > 0;) {
        if (!is_there(s, i))
            return;
        if (!is_fresh(s, i) && !is_leaving(s, i)) {
            drop(s, i);
            return;
        }
        if (is_leaving(s, i) || !is_available(s, i))
            return;
    }
}

/* ---- status ---- */

struct counts {
    int64_t replicas, ready, available, updated;
};

static struct counts count(const struct set *s)
{
    struct counts c = {0};
    for (size_t i = 0; i < s->pods_n; i++) {
        if (!is_there(s, i))
            continue;
        c.replicas++;
        c.ready += is_ready(s, i);
        c.available += is_available(s, i);
        c.updated += is_fresh(s, i) && !is_leaving(s, i);
    }
    return c;
}

static void set_unless_zero(struct arena *a, struct doc *status, const char *key, int64_t value)
{
    if (value != 0)
        doc_set_int(a, status, key, value);
}

static void write_status(struct set *s)
{
    if (s->work->entry == NULL)
        return;
    struct draft *d = draft_of(s->work->entry);
    struct arena *a = d->arena;
    struct counts c = count(s);
    struct str current = doc_as_str(doc_at(s->work->entry->now->root, "status", "currentRevision", NULL));
    bool is_rolled = c.updated == c.replicas && c.ready == c.replicas && c.replicas == s->desired;
    if (current.n == 0 || is_rolled)
        current = str_from(s->revision);
    struct doc *status = doc_object(a);
    doc_set_int(a, status, "observedGeneration", doc_as_int(doc_find(object_meta(s->object), "generation"), 1));
    doc_set_int(a, status, "replicas", c.replicas);
    set_unless_zero(a, status, "readyReplicas", c.ready);
    set_unless_zero(a, status, "currentReplicas",
                    str_eq_text(current, s->revision) ? c.updated : c.replicas - c.updated);
    set_unless_zero(a, status, "updatedReplicas", c.updated);
    doc_set_str(a, status, "currentRevision", current);
    doc_set_text(a, status, "updateRevision", s->revision);
    doc_set_int(a, status, "collisionCount", 0);
    doc_set_int(a, status, "availableReplicas", c.available);
    doc_set(a, d->root, "status", status);
    (void)store_put(s->control->store, d, STORE_STATUS);
}

void statefulset_reconcile(struct control *control, struct work *w)
{
    if (object_is_deleting(w->entry->now))
        return;
    struct arena *a = arena_new();
    struct set s;
    set_init(&s, control, w, a);
    if (fill(&s) && shrink(&s))
        roll(&s);
    write_status(&s);
    object_unref(s.object);
    arena_free(a);
}
