// SPDX-License-Identifier: MIT
/* What all manifests have in common: type, metadata, owner. */
#include "k8s/manifest.h"

#include <stdarg.h>

#include "k8s/kubeblocks.h"
#include "k8s/objects.h"

void manifest_open(struct json_writer *w, const char *key, ...)
{
    va_list keys;
    va_start(keys, key);
    for (; key != NULL; key = va_arg(keys, const char *)) {
        jw_key(w, key);
        jw_object(w);
    }
    va_end(keys);
}

void manifest_close(struct json_writer *w, unsigned n)
{
    while (n-- > 0)
        jw_object_end(w);
}

void manifest_pairs(struct json_writer *w, const struct manifest_pair *pairs)
{
    for (; pairs->key != NULL; pairs++) {
        if (pairs->value != NULL)
            jw_kv_text(w, pairs->key, pairs->value);
    }
}

void manifest_map(struct json_writer *w, const char *key, const struct manifest_pair *pairs)
{
    manifest_open(w, key, NULL);
    manifest_pairs(w, pairs);
    manifest_close(w, 1);
}

void manifest_texts(struct json_writer *w, const char *key, const char *const *texts)
{
    jw_key(w, key);
    jw_array(w);
    for (; *texts != NULL; texts++)
        jw_text(w, *texts);
    jw_array_end(w);
}

static void write_owner(struct json_writer *w, const struct manifest *m)
{
    jw_key(w, "ownerReferences");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "apiVersion", "apps/v1");
    jw_kv_text(w, "kind", workload_kind(m->sb->kinds.workload));
    jw_kv_text(w, "name", m->sb->name);
    jw_kv_text(w, "uid", m->owner_uid);
    jw_object_end(w);
    jw_array_end(w);
}

void manifest_metadata(struct json_writer *w, const struct manifest *m, enum cluster_object object,
                       const struct manifest_pair *labels, const struct manifest_pair *annotations)
{
    char name[OBJECT_NAME_SIZE];
    object_name(object, m->sb, name);
    manifest_open(w, "metadata", NULL);
    jw_kv_text(w, "name", name);
    jw_kv_text(w, "namespace", m->sb->namespace_name);
    if (m->resource_version != NULL)
        jw_kv_text(w, "resourceVersion", m->resource_version);
    if (object == OBJECT_DATABASE && m->resource_version == NULL) {
        static const char *const finalizers[] = {"cluster.kubeblocks.io/finalizer", NULL};
        manifest_texts(w, "finalizers", finalizers);
    }
    manifest_open(w, "labels", NULL);
    manifest_pairs(w, labels);
    jw_kv_text(w, LABEL_PROJECT_NAME, m->sb->slug);
    jw_kv_text(w, LABEL_PROJECT_ID, m->sb->project_id);
    jw_object_end(w);
    if (annotations != NULL) {
        jw_key(w, "annotations");
        jw_object(w);
        manifest_pairs(w, annotations);
        jw_object_end(w);
    }
    if (object_row(object, &m->sb->kinds)->is_owned && m->owner_uid != NULL)
        write_owner(w, m);
    jw_object_end(w);
}

void manifest_write(struct json_writer *w, enum cluster_object object, const struct manifest *m)
{
    const struct object_row *row = object_row(object, &m->sb->kinds);
    const struct kube_kind_row *kind = kube_kind_row(row->kind);
    const char *version = m->dialect != NULL ? m->dialect->version : kind->version;
    struct buf api;
    buf_init(&api, 128);
    if (kind->group[0] != '\0')
        buf_addf(&api, "%s/", kind->group);
    buf_add_text(&api, version);
    jw_object(w);
    jw_kv_str(w, "apiVersion", buf_str(&api));
    jw_kv_text(w, "kind", kind->kind);
    buf_fini(&api);
    row->write(w, m);
    jw_object_end(w);
}
