// SPDX-License-Identifier: MIT
/* Stopping and starting a database. v1 has a field for it; before that KubeBlocks' own operation sets the components'
 * replicas to 0 and notes in an annotation how many there were. We do the same, so that a database stopped here can be
 * started there and the other way round (KubeBlocks 0.9: controllers/apps/operations/stop.go, start.go). */
#include "k8s/kubeblocks.h"

#include "core/base/arena.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "k8s/manifest.h"

#define SNAPSHOT "kubeblocks.io/snapshot-for-start"

enum { SNAPSHOT_CEILING_BYTES = 4096 };

static const struct json_value *components_of(const struct manifest_run *m)
{
    return json_at(m->seen, "spec", "componentSpecs", NULL);
}

static int64_t replicas_of(const struct json_value *component)
{
    return json_int(json_find(component, "replicas"), 1);
}

bool kubeblocks_is_halted(const struct json_value *cluster)
{
    const struct json_value *components = json_at(cluster, "spec", "componentSpecs", NULL);
    for (const struct json_value *c = json_first(components); c != NULL; c = json_next(c)) {
        if (!json_bool(json_find(c, "stop"), false) && replicas_of(c) > 0)
            return false;
    }
    return json_count(components) > 0;
}

/* How many replicas each component had: KubeBlocks' annotation as it stands, else what runs. */
static void write_snapshot(struct json_writer *w, const struct manifest_run *m)
{
    struct str noted = json_str(json_at(m->seen, "metadata", "annotations", SNAPSHOT, NULL));
    struct json_writer *inner = jw_new(SNAPSHOT_CEILING_BYTES);
    struct str json = noted;
    jw_object(inner);
    for (const struct json_value *c = json_first(components_of(m)); c != NULL; c = json_next(c)) {
        jw_key_str(inner, json_str(json_find(c, "name")));
        jw_int(inner, replicas_of(c));
    }
    jw_object_end(inner);
    if (!str_is_none(noted) || jw_finish(inner, &json, NULL))
        jw_kv_str(w, SNAPSHOT, json);
    jw_free(inner);
}

void kubeblocks_write_run_annotations(struct json_writer *w, const struct manifest_run *m)
{
    if (m->dialect->has_stop_field)
        return;
    if (m->is_running)
        jw_kv_text(w, SNAPSHOT, NULL); /* null in a merge patch removes it */
    else
        write_snapshot(w, m);
}

static int64_t replicas_wanted(const struct manifest_run *m, const struct json_value *component,
                               const struct json_value *snapshot)
{
    if (!m->is_running)
        return 0;
    for (const struct json_value *n = json_first(snapshot); n != NULL; n = json_next(n)) {
        if (str_eq(json_key(n), json_str(json_find(component, "name"))))
            return json_int(n, 1);
    }
    return replicas_of(component) > 0 ? replicas_of(component) : 1;
}

static void write_component(struct json_writer *w, const struct manifest_run *m, const struct json_value *component,
                            const struct json_value *snapshot)
{
    const char *field = m->dialect->has_stop_field ? "stop" : "replicas";
    jw_object(w);
    for (const struct json_value *v = json_first(component); v != NULL; v = json_next(v)) {
        if (str_eq_text(json_key(v), field))
            continue;
        jw_key_str(w, json_key(v));
        json_copy_to(v, w);
    }
    if (!m->dialect->has_stop_field)
        jw_kv_int(w, field, replicas_wanted(m, component, snapshot));
    else if (!m->is_running)
        jw_kv_bool(w, field, true);
    jw_object_end(w);
}

/* A merge patch replaces lists as a whole, so the components are written again as they were read. */
void kubeblocks_write_run_spec(struct json_writer *w, const struct manifest_run *m)
{
    struct arena *a = arena_new();
    struct str noted = json_str(json_at(m->seen, "metadata", "annotations", SNAPSHOT, NULL));
    const struct json_value *snapshot = str_is_none(noted) ? NULL : json_parse(a, noted, &JSON_LIMITS_BODY, NULL);
    jw_key(w, "componentSpecs");
    jw_array(w);
    for (const struct json_value *c = json_first(components_of(m)); c != NULL; c = json_next(c))
        write_component(w, m, c, snapshot);
    jw_array_end(w);
    arena_free(a);
}
