// SPDX-License-Identifier: MIT
/* GET /api/projects: the plain array of the original, in pages when asked for (`limit`, then the Link field's next),
 * narrowed by `keyword`, `createdFrom` and `createdTo`. */
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/paging.h"
#include "handlers/pending.h"

struct listing {
    struct pending pending;
    struct project_query query;
};

static const char *const filters[] = {"keyword", "createdFrom", "createdTo", NULL};

static void on_list(void *arg, const struct project_page *page, const struct err *err)
{
    struct listing *l = arg;
    struct http_exchange *x = l->pending.x;
    if (!pending_done(&l->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < page->n; i++)
        documents_project(w, l->pending.app, &page->projects[i]);
    jw_array_end(w);
    /* Where a stream that shows what follows this answer begins. */
    http_add_header(x, "X-Journal-Seq",
                    str_from(arena_printf(http_arena(x), "%llu", (unsigned long long)page->journal_seq)));
    if (page->has_more)
        paging_add_next(x, "/api/projects", l->query.limit, &page->last, filters);
    http_answer_json(x, 200, w);
}

void projects_list(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct listing *l = arena_alloc(http_arena(x), sizeof(*l));
    struct paging paging;
    struct err err = {0};
    *l = (struct listing){
        .pending = {.x = x, .app = app},
          .query = {.owner_id = caller->who.user_id     }
    };
    if (!paging_read(x, PROJECTS_PER_PAGE, PROJECTS_PER_PAGE, &paging, &err) ||
        !paging_read_text(x, "keyword", &l->query.keyword, &err) ||
        !paging_read_time(x, "createdFrom", PAGING_FROM, &l->query.created_from_ms, &err) ||
        !paging_read_time(x, "createdTo", PAGING_TO, &l->query.created_to_ms, &err)) {
        http_answer_err(x, &err);
        return;
    }
    l->query.limit = paging.limit;
    l->query.after = paging.after;
    pending_wait(&l->pending,
                 app->store->project_list(app->store->self, &l->query, app->settings.request_ms, on_list, l));
}
