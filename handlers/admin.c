// SPDX-License-Identifier: MIT
/* /api/admin: what an administrator sees of all users' projects together. */
#include "core/base/json_write.h"
#include "core/sweep_report.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

static void on_report(void *arg, const struct sweep_report *report, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    sweep_report_write(w, report);
    http_answer_json(p->x, 200, w);
}

/* What the last sweep of each cluster found. */
void admin_orphans(struct http_exchange *x, struct app *app)
{
    struct pending *p = pending_new(x, app);
    pending_wait(p, app->store->sweep_read(app->store->self, app->settings.request_ms, on_report, p));
}
