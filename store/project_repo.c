// SPDX-License-Identifier: MIT
/* Projects with their sandboxes, for lists and pages. */
#include "core/base/codec.h"
#include "store/store_private.h"
#include "store/store_rows.h"

/* An id that is there already was made by the same request. */
#define SQL_CREATE                                                                                                     \
    "SELECT " ROWS_PROJECT " FROM fs_project_create($1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint) p"

#define SQL_GET                                                                                                        \
    "SELECT " ROWS_PROJECT ", " ROWS_SANDBOX " FROM projects p LEFT JOIN sandboxes s ON s.project_id = p.id "          \
    "LEFT JOIN databases d ON d.project_id = p.id WHERE p.id = $1::text AND p.owner_id = $2::text"

#define AFTER "timestamptz 'epoch' + $3::bigint * interval '1 microsecond'"

/* One row without a project when there are none, so that the journal's number is always told. One row more than asked
 * for says that there are more. */
#define SQL_LIST                                                                                                       \
    "SELECT c.seq, (extract(epoch FROM p.updated_at) * 1000000)::bigint, " ROWS_PROJECT ", " ROWS_SANDBOX              \
    " FROM (SELECT coalesce((SELECT seq FROM journal_counters WHERE owner_id = $1::text), 0) AS seq) c LEFT JOIN "     \
    "(SELECT * FROM projects WHERE owner_id = $1::text "                                                               \
    "AND ($3::bigint IS NULL OR (updated_at <= " AFTER " AND (updated_at < " AFTER " OR id > $4::text))) "             \
    "AND ($5::text IS NULL OR strpos(lower(name || E'\\n' || coalesce(description, '')), lower($5::text)) > 0) "       \
    "AND ($6::bigint IS NULL OR created_at >= fs_at($6::bigint)) "                                                     \
    "AND ($7::bigint IS NULL OR created_at < fs_at($7::bigint)) "                                                      \
    "ORDER BY updated_at DESC, id LIMIT $2::integer + 1) p ON true LEFT JOIN sandboxes s ON s.project_id = p.id "      \
    "LEFT JOIN databases d ON d.project_id = p.id ORDER BY p.updated_at DESC, p.id"

bool project_repo_read(struct rows_at at, struct project *ret, struct err *reterr)
{
    if (!rows_project(at, ret, reterr))
        return false;
    at.column += ROWS_PROJECT_N;
    ret->has_sandbox = !pg_row_is_null(at.result, at.row, at.column);
    return !ret->has_sandbox || rows_sandbox(at, &ret->sandbox, reterr);
}

static void on_project(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct project *project = arena_alloc(call->arena, sizeof(*project));
    struct err mine;
    bool is_ok = store_found(result, err, "Project not found", &mine) &&
                 project_repo_read((struct rows_at){result, 0, 0}, project, &mine);
    call->done.project(call->arg, is_ok ? project : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *project_create(void *self, const struct project_wish *wish, ms_t timeout_ms, store_on_project *done,
                                 void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.project = done;
    char id[CODEC_UUID_SIZE];
    codec_uuid7(loop_wall_ms(s->loop), id);
    struct pg_params *p = pg_params_new();
    pg_add_text(p, wish->id != NULL ? wish->id : id);
    pg_add_text(p, wish->owner_id);
    pg_add_str(p, wish->name);
    pg_add_str(p, wish->description);
    pg_add_text(p, wish->cluster);
    pg_add_int(p, wish->projects_max);
    return store_call_query(call, SQL_CREATE, p, on_project);
}

static struct op *project_get(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                              store_on_project *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.project = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, project_id);
    pg_add_text(p, owner_id);
    return store_call_query(call, SQL_GET, p, on_project);
}

static void on_list(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine = {0};
    struct project_page page = {0};
    err_copy(&mine, err);
    size_t n = pg_row_count(result);
    if (n == 1 && pg_row_is_null(result, 0, 1))
        n = 0;
    page.n = store_page_rows(call, n, &page.has_more);
    struct project *projects = arena_alloc(call->arena, (page.n + 1) * sizeof(*projects));
    bool is_ok = err == NULL;
    for (size_t i = 0; i < page.n && is_ok; i++)
        is_ok = project_repo_read((struct rows_at){result, i, 2}, &projects[i], &mine);
    if (is_ok) {
        page.projects = projects;
        page.journal_seq = (uint64_t)pg_row_int(result, 0, 0, 0);
        if (page.n > 0)
            page.last = (struct page_cursor){pg_row_int(result, page.n - 1, 1, 0), projects[page.n - 1].id};
    }
    call->done.projects(call->arg, is_ok ? &page : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *project_list(void *self, const struct project_query *query, ms_t timeout_ms, store_on_projects *done,
                               void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.projects = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, query->owner_id);
    store_page_ask(call, p, query->limit, PROJECTS_PER_PAGE, &query->after);
    pg_add_str(p, query->keyword);
    pg_add_int_or_null(p, query->created_from_ms);
    pg_add_int_or_null(p, query->created_to_ms);
    return store_call_query(call, SQL_LIST, p, on_list);
}

void project_repo_fill(struct port_store *port)
{
    port->project_create = project_create;
    port->project_get = project_get;
    port->project_list = project_list;
}
