// SPDX-License-Identifier: MIT
/* The KubeBlocks operator for PostgreSQL Clusters, dialect v1alpha1: phase, conditions, the Secret with the
 * credentials, the finalizer. With a PostgreSQL behind it (kubeblocks_pg.c) every Cluster is a real role and database.
 * source: apecloud/kubeblocks v0.9, controllers/apps; the wording of its conditions. */
#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
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
    PASSWORD_N = 16,
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

static struct str component_of(const struct doc *spec)
{
    struct str name = doc_get(spec, "name");
    return name.n > 0 ? name : STR("postgresql");
}

static const struct doc *components(const struct object *o)
{
    const struct doc *list = doc_at(o->root, "spec", "componentSpecs", NULL);
    return doc_type(list) == JSON_ARRAY ? list->first : NULL;
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
            doc_set_text(a, row, "phase", phase);
            doc_set_str_key(a, all, component_of(c), row);
        }
    }
    (void)store_put(control->store, d, STORE_STATUS);
}

static void tell(struct control *control, struct work *w, const char *type, const char *reason, const char *message)
{
    event_record(control, w->entry->now, &(struct happening){type, reason, "cluster-controller", message});
}

/* ---- the Secret ---- */

static void add_data(struct arena *a, struct doc *data, const char *key, const char *value)
{
    struct buf text;
    buf_init(&text, 4096);
    codec_base64(&text, str_from(value));
    doc_set_str(a, data, key, buf_str(&text));
    buf_fini(&text);
}

static void fill_data(struct control *control, struct work *w, struct arena *a, struct doc *data)
{
    const struct object *o = w->entry->now;
    struct str component = component_of(components(o));
    const char *host = arena_printf(a, "%.*s-%.*s", STR_ARG(o->name), STR_ARG(component));
    const char *port = "5432";
    const char *user = "postgres";
    char drawn[PASSWORD_N + 1];
    codec_random_text(drawn, PASSWORD_N, "abcdefghijklmnopqrstuvwxyz0123456789");
    const char *password = drawn;
    if (control->pg != NULL) {
        host = control->pg_host;
        port = arena_printf(a, "%u", (unsigned)control->pg_port);
        user = database_name(w);
        password = database_password(w);
        add_data(a, data, "database", database_name(w));
    }
    add_data(a, data, "endpoint", arena_printf(a, "%s:%s", host, port));
    add_data(a, data, "host", host);
    add_data(a, data, "password", password);
    add_data(a, data, "port", port);
    add_data(a, data, "username", user);
}

static void create_secret(struct control *control, struct work *w)
{
    const struct object *o = w->entry->now;
    struct arena *a = arena_new();
    const char *name = arena_printf(a, "%.*s-conn-credential", STR_ARG(o->name));
    if (store_find(control->store, kind_get(KIND_SECRET), o->ns, str_from(name)) != NULL) {
        arena_free(a);
        return;
    }
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", "Secret");
    doc_set_text(a, root, "apiVersion", "v1");
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", name);
    doc_set_str(a, meta, "namespace", o->ns);
    struct doc *labels = doc_need_object(a, meta, "labels");
    doc_set_str(a, labels, "app.kubernetes.io/instance", o->name);
    doc_set_text(a, labels, "app.kubernetes.io/managed-by", "kubeblocks");
    doc_set_text(a, labels, "app.kubernetes.io/name", "postgresql");
    doc_set_text(a, labels, "apps.kubeblocks.io/cluster-type", "postgresql");
    owner_add(a, root, o);
    fill_data(control, w, a, doc_need_object(a, root, "data"));
    doc_set_text(a, root, "type", "Opaque");
    (void)store_add(control->store, draft_new(kind_get(KIND_SECRET), root, a));
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

static void do_accept(struct control *control, struct work *w, struct arena *a)
{
    const char *message = "ClusterDefinition.apps.kubeblocks.io \"postgresql\" not found";
    add_finalizer(control, w);
    if (has_fault(w->entry->now, "PreCheckFailed")) {
        write_status(control, w, NULL,
                     (struct condition[]){
                         {"ProvisioningStarted", "False", "PreCheckFailed", message},
                         {NULL,                  NULL,    NULL,             NULL   }
        });
        tell(control, w, "Warning", "PreCheckFailed", message);
        then(control, w, CLUSTER_REST, 0);
        return;
    }
    if (control->pg == NULL && !has_fault(w->entry->now, "NoSecret"))
        create_secret(control, w);
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
            create_secret(control, w);
    }
    if (has_fault(w->entry->now, "Never"))
        then(control, w, CLUSTER_REST, 0);
    else
        then(control, w, CLUSTER_FINISH, provision_ms(control, w->entry->now));
}

static void do_finish(struct control *control, struct work *w, struct arena *a)
{
    static const char waiting[] = "all pods of components are ready, waiting for the probe detection successful";
    const struct object *o = w->entry->now;
    const char *fault = fault_of(o);
    if (strcmp(fault, "Failed") == 0 || strcmp(fault, "Abnormal") == 0) {
        write_status(control, w, fault,
                     (struct condition[]){
                         {"Ready", "False", "ComponentsNotReady",
                          "pods are unavailable in Components: [postgresql], refer to related component message in "
                          "Cluster.status.components"                 },
                         {NULL,    NULL,    NULL,                 NULL}
        });
        tell(control, w, "Warning", "ComponentsNotReady", "pods are unavailable in Components: [postgresql]");
    } else {
        const char *ready = arena_printf(a, "Cluster: %.*s is ready, current phase is Running", STR_ARG(o->name));
        write_status(control, w, "Running",
                     (struct condition[]){
                         {"ReplicasReady", "True", "AllReplicasReady", waiting},
                         {"Ready",         "True", "ClusterReady",     ready  },
                         {NULL,            NULL,   NULL,               NULL   }
        });
        tell(control, w, "Normal", "ClusterReady", ready);
    }
    then(control, w, CLUSTER_REST, 0);
}

static int64_t replicas_of(const struct object *o)
{
    int64_t n = 0;
    for (const struct doc *c = components(o); c != NULL; c = c->next)
        n += doc_as_int(doc_find(c, "replicas"), 0);
    return n;
}

/* A Cluster that runs is stopped by replicas 0 and started by more. */
static void do_rest(struct control *control, struct work *w, struct arena *a)
{
    (void)a;
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

void cluster_reconcile(struct control *control, struct work *w)
{
    ms_t now = loop_now_ms(control->loop);
    if (w->due_ms == 0)
        then(control, w, CLUSTER_ACCEPT, control->delays.database_ms > 0 ? ACCEPT_MS : 0);
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
