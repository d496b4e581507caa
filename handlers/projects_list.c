// SPDX-License-Identifier: MIT
/* GET /api/projects: the plain array of the original, in pages when asked for (`limit`, then the Link field's next),
 * narrowed by `keyword`, `createdFrom` and `createdTo`. And GET /api/admin/projects: the same of all owners, or of one
 * (`owner`), with `status`. */
#include "core/base/json_write.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/paging.h"
#include "handlers/pending.h"

enum { ALL_USUAL_PER_PAGE = 100 };

struct listing {
    struct pending pending;
    struct project_query query;
};

static const char *const filters[] = {"keyword", "createdFrom", "createdTo", NULL};
static const struct paging_list own_list = {"/api/projects", filters};
static const char *const all_filters[] = {"owner", "status", "keyword", "createdFrom", "createdTo", NULL};
static const struct paging_list all_list = {"/api/admin/projects", all_filters};

static bool read_query(struct http_exchange *x, unsigned usual, struct project_query *ret, struct err *reterr)
{
    return paging_read_limit(x, PROJECTS_PER_PAGE, usual, &ret->limit, reterr) &&
           paging_read_cursor(x, &ret->after, reterr) && paging_read_text(x, "keyword", &ret->keyword, reterr) &&
           paging_read_time(x, "createdFrom", PAGING_FROM, &ret->created_from_ms, reterr) &&
           paging_read_time(x, "createdTo", PAGING_TO, &ret->created_to_ms, reterr);
}

/* ---- one's own ---- */

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
    /* Where a stream that shows what follows this answer begins. */
    http_add_header(x, "X-Journal-Seq",
                    str_from(arena_printf(http_arena(x), "%llu", (unsigned long long)page->journal_seq)));
    paging_answer(x, w, &own_list, l->query.limit, page->has_more ? &page->last : NULL);
}

void projects_list(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct listing *l = arena_alloc(http_arena(x), sizeof(*l));
    struct err err = {0};
    *l = (struct listing){
        .pending = {.x = x, .app = app},
          .query = {.owner_id = caller->who.user_id     }
    };
    if (!read_query(x, PROJECTS_PER_PAGE, &l->query, &err)) {
        http_answer_err(x, &err);
        return;
    }
    pending_wait(&l->pending,
                 app->store->project_list(app->store->self, &l->query, app->settings.request_ms, on_list, l));
}

/* ---- everybody's ---- */

static void on_all(void *arg, const struct all_projects_page *all, const struct err *err)
{
    struct listing *l = arg;
    if (!pending_done(&l->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < all->page.n; i++) {
        jw_object(w);
        jw_kv_str(w, "userName", all->owner_names[i]);
        documents_project_members(w, l->pending.app, &all->page.projects[i]);
        jw_object_end(w);
    }
    paging_answer(l->pending.x, w, &all_list, l->query.limit, all->page.has_more ? &all->page.last : NULL);
}

/* As a project's document names it; "none": there is no sandbox. */
static bool read_status(struct http_exchange *x, const char **ret, struct err *reterr)
{
    struct str text;
    if (!paging_read_text(x, "status", &text, reterr))
        return false;
    *ret = NULL;
    if (str_is_none(text))
        return true;
    if (str_eq(text, STR("none")))
        *ret = "NONE";
    for (int s = 0; s < SANDBOX_STATUS_N; s++) {
        if (str_eq_text(text, sandbox_status_outer((enum sandbox_status)s)))
            *ret = sandbox_status_row((enum sandbox_status)s);
    }
    return *ret != NULL ||
           err_set_field(reterr, ERR_INVALID, __func__, "status", "status must be that of a sandbox, or none");
}

void projects_list_all(struct http_exchange *x, struct app *app)
{
    struct listing *l = arena_alloc(http_arena(x), sizeof(*l));
    struct all_projects_query query = {0};
    struct str owner;
    struct err err = {0};
    *l = (struct listing){
        .pending = {.x = x, .app = app}
    };
    if (!read_query(x, ALL_USUAL_PER_PAGE, &l->query, &err) || !paging_read_id(x, "owner", &owner, &err) ||
        !read_status(x, &query.status, &err)) {
        http_answer_err(x, &err);
        return;
    }
    if (!str_is_none(owner))
        l->query.owner_id = arena_dup(http_arena(x), owner);
    query.narrowed = l->query;
    pending_wait(&l->pending,
                 app->store->admin.projects(app->store->self, &query, app->settings.request_ms, on_all, l));
}
