// SPDX-License-Identifier: MIT
/* The Secret with the credentials of a Cluster's database, as 0.9 and 1.0 write it. Where there is a PostgreSQL it says
 * in addition what the real ones leave out: where that is (1.0) and the name of the database (both). */
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "devcluster/control/control_private.h"

enum { PASSWORD_N = 16, VALUE_CEILING_BYTES = 4096 };

static void add_data(struct arena *a, struct doc *data, const char *key, const char *value)
{
    struct buf text;
    buf_init(&text, VALUE_CEILING_BYTES);
    codec_base64(&text, str_from(value));
    doc_set_str(a, data, key, buf_str(&text));
    buf_fini(&text);
}

static void fill_data(struct control *control, struct work *w, struct arena *a, struct doc *data)
{
    const struct object *o = w->entry->now;
    const char *host = arena_printf(a, "%.*s-%.*s", STR_ARG(o->name), STR_ARG(cluster_component(o)));
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
    if (control->pg != NULL || !cluster_is_v1(control)) {
        add_data(a, data, "endpoint", arena_printf(a, "%s:%s", host, port));
        add_data(a, data, "host", host);
        add_data(a, data, "port", port);
    }
    add_data(a, data, "password", password);
    add_data(a, data, "username", user);
}

static void add_labels(struct control *control, const struct object *o, struct arena *a, struct doc *meta)
{
    struct doc *labels = doc_need_object(a, meta, "labels");
    doc_set_str(a, labels, "app.kubernetes.io/instance", o->name);
    doc_set_text(a, labels, "app.kubernetes.io/managed-by", "kubeblocks");
    if (cluster_is_v1(control)) {
        doc_set_str(a, labels, "apps.kubeblocks.io/component-name", cluster_component(o));
        doc_set_text(a, labels, "apps.kubeblocks.io/system-account", "postgres");
    } else {
        doc_set_text(a, labels, "app.kubernetes.io/name", "postgresql");
        doc_set_text(a, labels, "apps.kubeblocks.io/cluster-type", "postgresql");
    }
}

static const char *name_of(const struct control *control, struct arena *a, const struct object *o)
{
    if (cluster_is_v1(control))
        return arena_printf(a, "%.*s-%.*s-account-postgres", STR_ARG(o->name), STR_ARG(cluster_component(o)));
    return arena_printf(a, "%.*s-conn-credential", STR_ARG(o->name));
}

bool cluster_has_secret(struct control *control, const struct object *o)
{
    struct arena *a = arena_new();
    const struct entry *e = store_find(control->store, kind_get(KIND_SECRET), o->ns, str_from(name_of(control, a, o)));
    arena_free(a);
    return e != NULL;
}

void cluster_secret_create(struct control *control, struct work *w)
{
    const struct object *o = w->entry->now;
    if (cluster_has_secret(control, o))
        return;
    struct arena *a = arena_new();
    const char *name = name_of(control, a, o);
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", "Secret");
    doc_set_text(a, root, "apiVersion", "v1");
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", name);
    doc_set_str(a, meta, "namespace", o->ns);
    add_labels(control, o, a, meta);
    owner_add(a, root, o);
    fill_data(control, w, a, doc_need_object(a, root, "data"));
    doc_set_text(a, root, "type", "Opaque");
    (void)store_add(control->store, draft_new(kind_get(KIND_SECRET), root, a));
}
