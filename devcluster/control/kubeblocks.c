// SPDX-License-Identifier: MIT
/* The KubeBlocks operator for PostgreSQL Clusters, that of 0.9 or that of 1.0 by what is installed: phase, conditions,
 * the finalizer; the Secret is kubeblocks_secret.c's. With a PostgreSQL behind it (kubeblocks_pg.c) every Cluster is a
 * real role and database. source: apecloud/kubeblocks v0.9.5 and v1.0.2, controllers/apps; the wording of their
 * conditions. */
#include <string.h>

#include "devcluster/base/names.h"
#include "devcluster/control/control_private.h"

/* In order: from CLUSTER_DELETING on there is no way back. */
enum cluster_step {
    CLUSTER_ACCEPT,
    CLUSTER_PROVISION,
    CLUSTER_FINISH,
    CLUSTER_REST,
    CLUSTER_STOP,
    CLUSTER_DELETING,
    CLUSTER_RELEASE,
    CLUSTER_RELEASED
};

enum {
    ACCEPT_MS = 50,
    DELETE_MS = 100,
    SLOW_MS = 30000, /* of a Cluster whose name begins kbslow- */
    DATABASE_RETRY_MS = 2000,
};

static const char FINALIZER[] = "cluster.kubeblocks.io/finalizer";

static struct str knob(const struct object *o, const char *key)
{
    struct str value = doc_get(doc_find(object_meta(o), "annotations"), key);
    return str_is_none(value) ? doc_get(object_labels(o), key) : value;
}

static const char *fault_of(const struct object *o)
{
    static const char *const names[] = {"Failed", "Abnormal", "Never", "NoSecret", "PreCheckFailed"};
    static const struct {
        const char *prefix;
        const char *fault;
    } prefixes[] = {
        {"kbfail-",     "Failed"        },
        {"kbabnormal-", "Abnormal"      },
        {"kbnosecret-", "NoSecret"      },
        {"kbnever-",    "Never"         },
        {"kbprecheck-", "PreCheckFailed"},
    };
    struct str asked = knob(o, "kwok.test/kb-fail");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_text(asked, names[i]))
            return names[i];
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (str_starts(o->name, str_from(prefixes[i].prefix)))
            return prefixes[i].fault;
    return "";
}

static bool has_fault(const struct object *o, const char *name)
{
    return strcmp(fault_of(o), name) == 0;
}

static ms_t provision_ms(struct control *control, const struct object *o)
{
    int64_t ms;
    if (duration_parse_ms(knob(o, "kwok.test/kb-delay"), &ms))
        return ms;
    return str_starts(o->name, STR("kbslow-")) ? SLOW_MS : control->delays.database_ms;
}

static void then(struct control *control, struct work *w, enum cluster_step step, ms_t delay_ms)
{
    w->step = (int)step;
    w->due_ms = loop_now_ms(control->loop) + delay_ms;
    work_after(w, delay_ms);
}

/* ---- status ---- */

static const struct doc *components(const struct object *o)
{
    const struct doc *list = doc_at(o->root, "spec", "componentSpecs", NULL);
    return doc_type(list) == JSON_ARRAY ? list->first : NULL;
}

struct str cluster_component(const struct object *o)
{
    struct str name = doc_get(components(o), "name");
    return name.n > 0 ? name : STR("postgresql");
}

bool cluster_is_v1(const struct control *control)
{
    return crd_stored(store_crd(control->store), kind_get(KIND_CLUSTER)) == kind_cluster_v1();
}

/* phase NULL: left as it is (empty, before a pre-check). rows: ended by a NULL type. */
static void write_status(struct control *control, struct work *w, const char *phase, const struct condition *rows)
{
    struct draft *d = draft_of(w->entry);
    struct arena *a = d->arena;
    struct doc *status = doc_need_object(a, d->root, "status");
    int64_t generation = doc_as_int(doc_find(object_meta(w->entry->now), "generation"), 1);
    struct doc *list = doc_need_array(a, status, "conditions");
    for (; rows != NULL && rows->type != NULL; rows++) {
        struct doc *old = condition_find(list, rows->type);
        bool is_same = old != NULL && str_eq_text(doc_get(old, "status"), rows->status);
        struct str since = is_same ? doc_get(old, "lastTransitionTime") : store_time(control->store, a);
        struct doc *row = old != NULL ? old : doc_append(list, doc_object(a));
        doc_set_str(a, row, "lastTransitionTime", since);
        doc_set_text(a, row, "message", rows->message);
        doc_set_int(a, row, "observedGeneration", generation);
        doc_set_text(a, row, "reason", rows->reason);
        doc_set_text(a, row, "status", rows->status);
        doc_set_text(a, row, "type", rows->type);
    }
    if (phase != NULL) {
        doc_set_text(a, status, "phase", phase);
        doc_set_int(a, status, "observedGeneration", generation);
        struct doc *all = doc_need_object(a, status, "components");
        for (const struct doc *c = components(w->entry->now); c != NULL; c = c->next) {
            struct doc *row = doc_object(a);
            struct str name = doc_get(c, "name");
            /* Of a component there is no Abnormal in v1: the Cluster is, when some of it failed. */
            doc_set_text(a, row, "phase", strcmp(phase, "Abnormal") == 0 ? "Failed" : phase);
            doc_set_str_key(a, all, name.n > 0 ? name : STR("postgresql"), row);
        }
    }
    (void)store_put(control->store, d, STORE_STATUS);
}

static void tell(struct control *control, struct work *w, const char *type, const char *reason, const char *message)
{
    event_record(control, w->entry->now, &(struct happening){type, reason, "cluster-controller", message});
}

/* ---- steps ---- */

static struct condition started(struct arena *a, const struct object *o)
{
    return (struct condition){
        "ProvisioningStarted", "True", "PreCheckSucceed",
        arena_printf(a, "The operator has started the provisioning of Cluster: %.*s", STR_ARG(o->name))};
}

static void add_finalizer(struct control *control, struct work *w)
{
    struct draft *d = draft_of(w->entry);
    struct doc *list = doc_need_array(d->arena, doc_edit(d->root, "metadata"), "finalizers");
    for (const struct doc *f = list->first; f != NULL; f = f->next)
        if (str_eq_text(doc_as_str(f), FINALIZER)) {
            draft_drop(d);
            return;
        }
    doc_append(list, doc_text(d->arena, FINALIZER));
    (void)store_put(control->store, d, STORE_STATUS);
}

/* NULL, or why the operator does not even begin. 1.0 reads v1: what was written in v1alpha1 has lost its references. */
static const char *refusal(struct control *control, struct arena *a, const struct object *o)
{
    if (has_fault(o, "PreCheckFailed"))
        return "ClusterDefinition.apps.kubeblocks.io \"postgresql\" not found";
    if (!cluster_is_v1(control) || doc_get(doc_find(o->root, "spec"), "clusterDef").n > 0)
        return NULL;
    int components_n = 0;
    int defined_n = 0;
    for (const struct doc *c = components(o); c != NULL; c = c->next, components_n++)
        defined_n += doc_get(c, "componentDef").n > 0;
    if (components_n > 0 && components_n == defined_n)
        return NULL;
    return arena_printf(a, "cluster API validate error, clusterDef: , topology: %.*s, comps: %d",
                        STR_ARG(str_slice(doc_get(doc_find(o->root, "spec"), "topology"), 0, 63)), components_n);
}

static void refuse(struct control *control, struct work *w, const char *why)
{
    write_status(control, w, NULL,
                 (struct condition[]){
                     {"ProvisioningStarted", "False", "PreCheckFailed", why },
                     {NULL,                  NULL,    NULL,             NULL}
    });
    tell(control, w, "Warning", "PreCheckFailed", why);
}

static void do_accept(struct control *control, struct work *w, struct arena *a)
{
    const char *why = refusal(control, a, w->entry->now);
    add_finalizer(control, w);
    if (why != NULL) {
        refuse(control, w, why);
        then(control, w, CLUSTER_REST, 0);
        return;
    }
    if (control->pg == NULL && !has_fault(w->entry->now, "NoSecret"))
        cluster_secret_create(control, w);
    write_status(control, w, "Creating",
                 (struct condition[]){
                     started(a, w->entry->now),
                     {"ApplyResources", "True", "ApplyResourcesSucceed", "Successfully applied for resources"},
                     {NULL,             NULL,   NULL,                    NULL                                }
    });
    tell(control, w, "Normal", "PreCheckSucceed", started(a, w->entry->now).message);
    then(control, w, CLUSTER_PROVISION, 0);
    w->due_ms = loop_now_ms(control->loop);
}

/* With a PostgreSQL: the role and the database first, then the Secret that names them. */
static void do_provision(struct control *control, struct work *w, struct arena *a)
{
    (void)a;
    if (control->pg != NULL) {
        switch (database_make(control, w)) {
        case DATABASE_BUSY:
            return;
        case DATABASE_FAILED:
            tell(control, w, "Warning", "DatabaseFailed", "the database could not be made; it is tried again");
            then(control, w, CLUSTER_PROVISION, DATABASE_RETRY_MS);
            return;
        case DATABASE_DONE:
            break;
        }
        if (!has_fault(w->entry->now, "NoSecret"))
            cluster_secret_create(control, w);
    }
    if (has_fault(w->entry->now, "Never"))
        then(control, w, CLUSTER_REST, 0);
    else
        then(control, w, CLUSTER_FINISH, provision_ms(control, w->entry->now));
}

static void finish_failed(struct control *control, struct work *w, struct arena *a, const char *phase)
{
    const struct object *o = w->entry->now;
    const char *why = "pods are unavailable in Components: [postgresql], refer to related component message in "
                      "Cluster.status.components";
    if (cluster_is_v1(control))
        why = arena_printf(a, "cluster %.*s is NOT ready, unavailable components: %.*s", STR_ARG(o->name),
                           STR_ARG(cluster_component(o)));
    write_status(control, w, phase,
                 (struct condition[]){
                     {"Ready", "False", "ComponentsNotReady", why },
                     {NULL,    NULL,    NULL,                 NULL}
    });
    tell(control, w, "Warning", "ComponentsNotReady", "pods are unavailable in Components: [postgresql]");
}

static void finish_running(struct control *control, struct work *w, struct arena *a)
{
    const struct object *o = w->entry->now;
    const char *told = arena_printf(a, "Cluster: %.*s is ready, current phase is Running", STR_ARG(o->name));
    const struct condition v1[] = {
        {"Ready",            "True", "ClusterReady", arena_printf(a, "cluster %.*s is ready", STR_ARG(o->name))},
        {NULL, NULL,       NULL,                  NULL                           }
    };
    const struct condition v1alpha1[] = {
        {"ReplicasReady", "True", "AllReplicasReady",
         "all pods of components are ready, waiting for the probe detection successful"},
        {"Ready",         "True", "ClusterReady",     told                             },
        {NULL,            NULL,   NULL,               NULL                             }
    };
    write_status(control, w, "Running", cluster_is_v1(control) ? v1 : v1alpha1);
    tell(control, w, "Normal", cluster_is_v1(control) ? "Running" : "ClusterReady", told);
}

static void do_finish(struct control *control, struct work *w, struct arena *a)
{
    const char *fault = fault_of(w->entry->now);
    if (strcmp(fault, "Failed") == 0 || strcmp(fault, "Abnormal") == 0)
        finish_failed(control, w, a, fault);
    else
        finish_running(control, w, a);
    then(control, w, CLUSTER_REST, 0);
}

static int64_t replicas_of(const struct object *o)
{
    int64_t n = 0;
    for (const struct doc *c = components(o); c != NULL; c = c->next)
        n += doc_as_bool(doc_find(c, "stop"), false) ? 0 : doc_as_int(doc_find(c, "replicas"), 0);
    return n;
}

/* A Cluster that runs is stopped by replicas 0, from 1.0 on by "stop", and started by what says otherwise. One that an
 * older operator made may be refused by the one of today, which changes nothing but the condition. */
static void do_rest(struct control *control, struct work *w, struct arena *a)
{
    const char *why = refusal(control, a, w->entry->now);
    const struct doc *conditions = doc_at(w->entry->now->root, "status", "conditions", NULL);
    const struct doc *started = condition_find((struct doc *)conditions, "ProvisioningStarted");
    if (why != NULL && !str_eq_text(doc_get(started, "status"), "False"))
        refuse(control, w, why);
    struct str phase = doc_as_str(doc_at(w->entry->now->root, "status", "phase", NULL));
    bool wants_to_run = replicas_of(w->entry->now) > 0;
    if (str_eq_text(phase, "Running") && !wants_to_run) {
        write_status(control, w, "Stopping", NULL);
        then(control, w, CLUSTER_STOP, control->delays.stop_ms);
    } else if (str_eq_text(phase, "Stopped") && wants_to_run) {
        write_status(control, w, "Updating", NULL);
        then(control, w, CLUSTER_FINISH, provision_ms(control, w->entry->now));
    }
}

static void do_stop(struct control *control, struct work *w, struct arena *a)
{
    (void)a;
    write_status(control, w, "Stopped", NULL);
    then(control, w, CLUSTER_REST, 0);
}

static void do_deleting(struct control *control, struct work *w, struct arena *a)
{
    (void)a;
    write_status(control, w, "Deleting", NULL);
    then(control, w, CLUSTER_RELEASE, DELETE_MS);
}

static void do_release(struct control *control, struct work *w, struct arena *a)
{
    (void)a;
    if (control->pg != NULL) {
        enum database_state state = database_drop(control, w);
        if (state == DATABASE_FAILED)
            then(control, w, CLUSTER_RELEASE, DATABASE_RETRY_MS);
        if (state != DATABASE_DONE)
            return;
    }
    struct draft *d = draft_of(w->entry);
    struct doc *list = doc_edit(doc_edit(d->root, "metadata"), "finalizers");
    for (const struct doc *f = list == NULL ? NULL : list->first, *next; f != NULL; f = next) {
        next = f->next;
        if (str_eq_text(doc_as_str(f), FINALIZER))
            doc_remove_child(list, f);
    }
    then(control, w, CLUSTER_RELEASED, 0);
    (void)store_put(control->store, d, STORE_STATUS);
}

/* Where a Cluster stands that the operator looks at for the first time: new, or as an earlier operator left it. What
 * had its Secret is not made anew, its data would go. */
static void begin(struct control *control, struct work *w)
{
    const struct object *o = w->entry->now;
    struct str phase = doc_as_str(doc_at(o->root, "status", "phase", NULL));
    bool is_made = cluster_has_secret(control, o) && !has_fault(o, "Never");
    if (phase.n == 0 || (str_eq_text(phase, "Creating") && !is_made))
        then(control, w, CLUSTER_ACCEPT, control->delays.database_ms > 0 ? ACCEPT_MS : 0);
    else if (str_eq_text(phase, "Creating") || str_eq_text(phase, "Updating"))
        then(control, w, CLUSTER_FINISH, provision_ms(control, o));
    else if (str_eq_text(phase, "Stopping"))
        then(control, w, CLUSTER_STOP, control->delays.stop_ms);
    else
        then(control, w, CLUSTER_REST, 0);
}

void cluster_reconcile(struct control *control, struct work *w)
{
    ms_t now = loop_now_ms(control->loop);
    if (w->due_ms == 0)
        begin(control, w);
    bool is_leaving = object_is_deleting(w->entry->now);
    if (is_leaving && w->step < CLUSTER_DELETING) {
        w->step = CLUSTER_DELETING;
        w->due_ms = now;
    }
    if (now < w->due_ms || w->step == CLUSTER_RELEASED)
        return;
    struct arena *a = arena_new();
    switch ((enum cluster_step)w->step) {
    case CLUSTER_ACCEPT:
        do_accept(control, w, a);
        break;
    case CLUSTER_PROVISION:
        do_provision(control, w, a);
        break;
    case CLUSTER_FINISH:
        do_finish(control, w, a);
        break;
    case CLUSTER_DELETING:
        do_deleting(control, w, a);
        break;
    case CLUSTER_RELEASE:
        do_release(control, w, a);
        break;
    case CLUSTER_REST:
        do_rest(control, w, a);
        break;
    case CLUSTER_STOP:
        do_stop(control, w, a);
        break;
    case CLUSTER_RELEASED:
        break;
    }
    arena_free(a);
}
