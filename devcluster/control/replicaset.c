// SPDX-License-Identifier: MIT
/* ReplicaSets: as many pods as are wanted, and their count. */
#include <stdlib.h>

#include "core/base/codec.h"
#include "devcluster/control/control_private.h"

enum { POD_SUFFIX_N = 5, PODS_PER_ROUND = 100, FAILED_CREATE_FIRST_MS = 1000, FAILED_CREATE_MAX_MS = 60000 };

static bool is_active(const struct entry *e)
{
    return e->kind->id == KIND_POD && !object_is_deleting(e->now) && !pod_is_over(e->now);
}

static struct doc *build_pod(struct arena *a, const struct object *owner)
{
    char suffix[POD_SUFFIX_N + 1];
    codec_random_text(suffix, POD_SUFFIX_N, "bcdfghjklmnpqrstvwxz2456789");
    struct doc *root = pod_of_template(a, owner, arena_printf(a, "%.*s-%s", STR_ARG(owner->name), suffix));
    kind_get(KIND_POD)->fill(a, root);
    return root;
}

/* NULL: created; else why not, in the arena. */
static const char *create_pod(struct control *control, struct arena *a, const struct object *owner)
{
    struct arena *own = arena_new();
    struct doc *root = build_pod(own, owner);
    const char *message = pod_refusal(control, a, root);
    if (message != NULL) {
        arena_free(own);
        event_record(control, owner,
                     &(struct happening){"Warning", "FailedCreate", "replicaset-controller",
                                         arena_printf(a, "Error creating: %s", message)});
        return message;
    }
    const struct entry *pod = store_add(control->store, draft_new(kind_get(KIND_POD), root, own));
    event_record(control, owner,
                 &(struct happening){"Normal", "SuccessfulCreate", "replicaset-controller",
                                     arena_printf(a, "Created pod: %.*s", STR_ARG(pod->now->name))});
    return NULL;
}

/* Pods that are not ready go first, then the youngest. */
static int by_worth(const void *left, const void *right)
{
    const struct entry *a = *(struct entry *const *)left;
    const struct entry *b = *(struct entry *const *)right;
    if (pod_is_ready(a->now) != pod_is_ready(b->now))
        return pod_is_ready(a->now) ? 1 : -1;
    return a->now->version < b->now->version ? 1 : -1;
}

static void delete_pods(struct control *control, struct arena *a, const struct object *owner, struct entry **pods,
                        size_t n[2])
{
    qsort(pods, n[0], sizeof(pods[0]), by_worth);
    for (size_t i = 0; i < n[1]; i++) {
        const char *message = arena_printf(a, "Deleted pod: %.*s", STR_ARG(pods[i]->now->name));
        store_delete(control->store, pods[i], DELETE_BACKGROUND, -1);
        event_record(control, owner,
                     &(struct happening){"Normal", "SuccessfulDelete", "replicaset-controller", message});
    }
}

static void write_status(struct control *control, struct work *w, const int64_t counts[2], const char *failure)
{
    struct draft *d = draft_of(w->entry);
    struct arena *a = d->arena;
    const struct doc *old = doc_at(w->entry->now->root, "status", "conditions", NULL);
    struct doc *status = doc_object(a);
    doc_set_int(a, status, "replicas", counts[0]);
    if (counts[0] > 0)
        doc_set_int(a, status, "fullyLabeledReplicas", counts[0]);
    if (counts[1] > 0) {
        doc_set_int(a, status, "readyReplicas", counts[1]);
        doc_set_int(a, status, "availableReplicas", counts[1]);
    }
    doc_set_int(a, status, "terminatingReplicas", 0);
    doc_set_int(a, status, "observedGeneration", doc_as_int(doc_find(object_meta(w->entry->now), "generation"), 1));
    if (failure != NULL) {
        struct doc *conditions = old == NULL ? doc_array(a) : doc_copy(a, old);
        condition_set(control, d, conditions, &(struct condition){"ReplicaFailure", "True", "FailedCreate", failure});
        doc_set(a, status, "conditions", conditions);
    }
    doc_set(a, d->root, "status", status);
    (void)store_put(control->store, d, STORE_STATUS);
}

static const char *create_pods(struct control *control, struct arena *a, struct work *w, int64_t n)
{
    const struct object *owner = object_ref(w->entry->now);
    const char *why = NULL;
    int64_t made = 0;
    while (made < n && made < PODS_PER_ROUND && why == NULL) {
        why = create_pod(control, a, owner);
        made += why == NULL;
    }
    object_unref(owner);
    if (why == NULL) {
        w->failures_n = 0;
        return NULL;
    }
    ms_t wait = (ms_t)FAILED_CREATE_FIRST_MS << (w->failures_n < 6 ? w->failures_n : 6);
    w->failures_n++;
    w->due_ms = loop_now_ms(control->loop) + (wait < FAILED_CREATE_MAX_MS ? wait : FAILED_CREATE_MAX_MS);
    work_after(w, w->due_ms - loop_now_ms(control->loop));
    return why;
}

void replicaset_reconcile(struct control *control, struct work *w)
{
    struct arena *a = arena_new();
    struct entry **pods = store_by_owner(control->store, a, w->entry->now->uid);
    int64_t wanted = doc_as_int(doc_at(w->entry->now->root, "spec", "replicas", NULL), 1);
    int64_t counts[2] = {0, 0};
    const struct doc *old = doc_at(w->entry->now->root, "status", "conditions", NULL);
    const struct doc *failed = condition_find((struct doc *)old, "ReplicaFailure");
    const char *failure = failed == NULL ? NULL : arena_dup(a, doc_get(failed, "message"));
    size_t n = 0;
    for (size_t i = 0; pods[i] != NULL; i++)
        if (is_active(pods[i]))
            pods[n++] = pods[i];
    counts[0] = (int64_t)n;
    for (size_t i = 0; i < n; i++)
        counts[1] += pod_is_ready(pods[i]->now);
    bool waits = failure != NULL && loop_now_ms(control->loop) < w->due_ms;
    if (!object_is_deleting(w->entry->now)) {
        if ((int64_t)n > wanted)
            delete_pods(control, a, w->entry->now, pods, (size_t[2]){n, n - (size_t)wanted});
        if ((int64_t)n < wanted && !waits)
            failure = create_pods(control, a, w, wanted - (int64_t)n);
        if ((int64_t)n >= wanted)
            failure = NULL;
        write_status(control, w, counts, failure);
    }
    arena_free(a);
}
