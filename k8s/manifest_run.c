// SPDX-License-Identifier: MIT
/* Stopping and starting: the patches that end what an object runs and let it run again. The definition stays as it is.
 */
#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "k8s/kubeblocks.h"
#include "k8s/manifest.h"

#define ASKED_AT "project.fullstackagent.io/run-asked-at"

static void write_metadata(struct json_writer *w, enum cluster_object object, const struct manifest_run *m)
{
    manifest_open(w, "metadata", NULL);
    jw_kv_text(w, "resourceVersion", m->resource_version);
    manifest_open(w, "annotations", NULL);
    jw_kv_time(w, ASKED_AT, m->asked_ms);
    if (object == OBJECT_DATABASE)
        kubeblocks_write_run_annotations(w, m);
    manifest_close(w, 2);
}

void manifest_write_run(struct json_writer *w, enum cluster_object object, const struct manifest_run *m)
{
    jw_object(w);
    write_metadata(w, object, m);
    manifest_open(w, "spec", NULL);
    if (object == OBJECT_DATABASE)
        kubeblocks_write_run_spec(w, m);
    else
        jw_kv_int(w, "replicas", m->is_running ? 1 : 0);
    manifest_close(w, 2);
}
