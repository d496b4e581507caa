// SPDX-License-Identifier: MIT
/* /api/clusters: which there are to choose from for a new project, and whether each answers. */
#include "core/clusters.h"
#include "core/base/json_write.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"

void clusters_list(struct http_exchange *x, struct app *app)
{
    static const char *const states[] = {[APP_CLUSTER_STARTING] = "starting",
                                         [APP_CLUSTER_AVAILABLE] = "available",
                                         [APP_CLUSTER_UNREACHABLE] = "unreachable"};
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < clusters_count(app->clusters); i++) {
        jw_object(w);
        jw_kv_text(w, "name", clusters_get(app->clusters, i)->name);
        jw_kv_bool(w, "isDefault", i == 0);
        jw_kv_text(w, "status", states[app->cluster_state(app->self, i)]);
        jw_object_end(w);
    }
    jw_array_end(w);
    http_answer_json(x, 200, w);
}
