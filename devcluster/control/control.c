// SPDX-License-Identifier: MIT
/* The queue of the controllers: store events put objects in, one deferred task takes them out, each at most once per
 * round. */
#include "devcluster/control/control.h"

#include <stdlib.h>

#include "core/base/xmem.h"
#include "devcluster/control/control_private.h"
#include "devcluster/objects/token.h"

enum { WORKS_PER_TURN = 64 }; /* so that requests get their turn between */

const struct control_delays CONTROL_REALISTIC = {.schedule_ms = 300,
                                                 .pull_first_ms = 4000,
                                                 .pull_again_ms = 800,
                                                 .start_ms = 700,
                                                 .ready_ms = 1500,
                                                 .stop_ms = 1000,
                                                 .database_ms = 8000,
                                                 .retry_ms = 10000};
const struct control_delays CONTROL_ZERO = {.retry_ms = 10000};

static reconcile *const RECONCILERS[KIND_N] = {
    [KIND_NAMESPACE] = namespace_reconcile,   [KIND_POD] = pod_reconcile,
    [KIND_SERVICE] = service_reconcile,       [KIND_SECRET] = secret_reconcile,
    [KIND_EVENT] = event_reconcile,           [KIND_PVC] = claim_reconcile,
    [KIND_QUOTA] = quota_reconcile,           [KIND_DEPLOYMENT] = deployment_reconcile,
    [KIND_REPLICASET] = replicaset_reconcile, [KIND_STATEFULSET] = statefulset_reconcile,
    [KIND_HTTPROUTE] = httproute_reconcile,   [KIND_CLUSTER] = cluster_reconcile,
};

static void on_timer(void *arg)
{
    work_enqueue(((struct work *)arg)->entry);
}

static struct work *work_new(struct control *control, struct entry *e)
{
    struct work *w = xcalloc(1, sizeof(*w));
    w->control = control;
    w->entry = e;
    w->checks_owners = true;
    loop_timer_init(&w->timer, control->loop, on_timer, w);
    e->work = w;
    return w;
}

void work_enqueue(struct entry *e)
{
    struct work *w = e->work;
    if (w == NULL || w->is_queued)
        return;
    struct control *control = w->control;
    w->is_queued = true;
    w->next = NULL;
    if (control->last != NULL)
        control->last->next = w;
    else
        control->first = w;
    control->last = w;
    loop_defer(&control->task);
}

void work_after(struct work *w, ms_t delay_ms)
{
    loop_timer_set(&w->timer, delay_ms);
}

static void work_end(struct control *control, struct work *w)
{
    loop_timer_clear(&w->timer);
    node_release(control, w);
    database_free(w);
    w->entry->work = NULL;
    w->entry = NULL;
    if (!w->is_queued)
        loop_defer_free(control->loop, w, free);
}

static void on_task(void *arg)
{
    struct control *control = arg;
    for (int i = 0; i < WORKS_PER_TURN && control->first != NULL; i++) {
        struct work *w = control->first;
        control->first = w->next;
        if (control->first == NULL)
            control->last = NULL;
        w->is_queued = false;
        if (w->entry == NULL) {
            loop_defer_free(control->loop, w, free);
            continue;
        }
        reconcile *step = RECONCILERS[w->entry->kind->id];
        if (gc_reconcile(control, w) && step != NULL)
            step(control, w);
    }
    if (control->first != NULL)
        loop_defer(&control->task);
}

/* ---- who must look again when something happened ---- */

static void wake_owners(struct control *control, const struct object *o)
{
    const struct doc *owners = doc_find(object_meta(o), "ownerReferences");
    for (const struct doc *r = owners == NULL ? NULL : owners->first; r != NULL; r = r->next) {
        struct entry *owner = store_find_uid(control->store, doc_get(r, "uid"));
        if (owner != NULL)
            work_enqueue(owner);
    }
}

static void wake_services(struct control *control, const struct object *pod)
{
    struct arena *a = arena_new();
    const struct doc *labels = object_labels(pod);
    for (const struct doc *l = labels == NULL ? NULL : labels->first; l != NULL; l = l->next) {
        struct entry **services = store_by_reference(control->store, a, l->key, doc_as_str(l));
        for (size_t i = 0; services[i] != NULL; i++)
            if (services[i]->kind->id == KIND_SERVICE && str_eq(services[i]->now->ns, pod->ns))
                work_enqueue(services[i]);
    }
    arena_free(a);
}

/* Claims go once no pod uses them any more. */
static void wake_claims(struct control *control, const struct object *pod)
{
    const struct doc *volumes = doc_at(pod->root, "spec", "volumes", NULL);
    for (const struct doc *v = volumes == NULL ? NULL : volumes->first; v != NULL; v = v->next) {
        struct str name = doc_as_str(doc_at(v, "persistentVolumeClaim", "claimName", NULL));
        struct entry *claim = name.n == 0 ? NULL : store_find(control->store, kind_get(KIND_PVC), pod->ns, name);
        if (claim != NULL)
            work_enqueue(claim);
    }
}

/* A Gateway or a Service came or went: its routes may fare otherwise. */
static void wake_routes(struct control *control, const struct event *event)
{
    enum kind_id kind = event->now->kind->id;
    size_t n;
    if (kind != KIND_GATEWAY && (kind != KIND_SERVICE || event->type == EVENT_MODIFIED))
        return;
    struct entry **routes =
        store_range(control->store, kind_get(KIND_HTTPROUTE), kind == KIND_SERVICE ? event->now->ns : STR_NONE, &n);
    for (size_t i = 0; i < n; i++)
        work_enqueue(routes[i]);
}

static void wake_quotas(struct control *control, const struct object *o)
{
    size_t n;
    struct entry **quotas = store_range(control->store, kind_get(KIND_QUOTA), o->ns, &n);
    for (size_t i = 0; i < n; i++)
        work_enqueue(quotas[i]);
}

static void wake_secrets(struct control *control, const struct object *account)
{
    size_t n;
    struct entry **secrets = store_range(control->store, kind_get(KIND_SECRET), account->ns, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(token_account(secrets[i]->now), account->name))
            work_enqueue(secrets[i]);
}

static void wake_namespace(struct control *control, const struct object *o)
{
    struct entry *ns = store_find(control->store, kind_get(KIND_NAMESPACE), STR_NONE, o->ns);
    if (ns != NULL && object_is_deleting(ns->now))
        work_enqueue(ns);
}

static bool annotations_changed(const struct event *event)
{
    return event->before != NULL && !doc_equal(doc_find(object_meta(event->before), "annotations"),
                                               doc_find(object_meta(event->now), "annotations"));
}

/* Another operator begins, and looks at every Cluster there is. */
static void on_crd(void *arg)
{
    struct control *control = arg;
    size_t n;
    struct entry **all = store_range(control->store, kind_get(KIND_CLUSTER), STR_NONE, &n);
    for (size_t i = 0; i < n; i++)
        work_enqueue(all[i]);
}

static void on_event(void *arg, struct entry *e, const struct event *event)
{
    struct control *control = arg;
    if (event->type == EVENT_ADDED)
        (void)work_new(control, e);
    if (e->work != NULL && e->kind->id == KIND_POD && annotations_changed(event))
        e->work->is_poked = true;
    work_enqueue(e);
    wake_owners(control, event->now);
    wake_routes(control, event);
    if (e->kind->id == KIND_POD) {
        wake_services(control, event->now);
        if (event->before != NULL)
            wake_services(control, event->before);
    }
    if ((e->kind->flags & IS_NAMESPACED) != 0 && e->kind->id != KIND_EVENT && event->type != EVENT_MODIFIED)
        wake_quotas(control, event->now);
    if (event->type != EVENT_DELETED)
        return;
    gc_on_deleted(control, event->now);
    if (e->kind->id == KIND_SERVICEACCOUNT)
        wake_secrets(control, event->now);
    if (e->kind->id == KIND_POD)
        wake_claims(control, event->now);
    wake_namespace(control, event->now);
    if (e->work != NULL)
        work_end(control, e->work);
}

struct control *control_new(struct loop *loop, const struct control_config *config)
{
    struct control *control = xcalloc(1, sizeof(*control));
    control->loop = loop;
    control->store = config->store;
    control->ca_pem = config->ca_pem;
    control->delays = config->delays;
    control->pg = config->pg;
    control->pg_host = config->pg_host;
    control->pg_port = config->pg_port;
    loop_task_init(&control->task, loop, on_task, control);
    control->listener = (struct store_listener){.on_event = on_event, .on_crd = on_crd, .arg = control};
    store_listen(control->store, &control->listener);
    return control;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    loop_task_clear(&control->task);
    for (struct work *w = control->first, *next; w != NULL; w = next) {
        next = w->next;
        w->is_queued = false;
        if (w->entry == NULL)
            free(w);
    }
    for (int id = 0; id < KIND_N; id++) {
        size_t n;
        struct entry **all = store_range(control->store, kind_get((enum kind_id)id), STR_NONE, &n);
        for (size_t i = 0; i < n; i++)
            if (all[i]->work != NULL) {
                loop_timer_clear(&all[i]->work->timer);
                database_free(all[i]->work);
                free(all[i]->work);
                all[i]->work = NULL;
            }
    }
    for (size_t i = 0; i < control->images_n; i++)
        free(control->images[i]);
    free(control->images);
    free(control);
}
