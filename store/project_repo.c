// SPDX-License-Identifier: MIT
/* Projects with their sandboxes, for lists and pages. */
#include "core/base/codec.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { LIST_MAX = 1000 };

/* An id that is there already was made by the same request. */
#define SQL_CREATE                                                                                                     \
    "INSERT INTO projects AS p (id, owner_id, name, description, cluster) VALUES ($1::text, $2::text, $3::text, "      \
    "$4::text, $5::text) ON CONFLICT (id) DO UPDATE SET id = excluded.id WHERE p.owner_id = excluded.owner_id "        \
    "RETURNING " ROWS_PROJECT

#define SQL_GET                                                                                                        \
    "SELECT " ROWS_PROJECT ", " ROWS_SANDBOX " FROM projects p LEFT JOIN sandboxes s ON s.project_id = p.id "          \
    "LEFT JOIN databases d ON d.project_id = p.id WHERE p.id = $1::text AND p.owner_id = $2::text"

/* One row without a project when the owner has none, so that the journal's number is always told. */
#define SQL_LIST                                                                                                       \
    "SELECT c.seq, " ROWS_PROJECT ", " ROWS_SANDBOX " FROM (SELECT coalesce((SELECT seq FROM journal_counters "        \
    "WHERE owner_id = $1::text), 0) AS seq) c LEFT JOIN (SELECT * FROM projects WHERE owner_id = $1::text "            \
    "ORDER BY updated_at DESC, id LIMIT $2::integer) p ON true LEFT JOIN sandboxes s ON s.project_id = p.id "          \
    "LEFT JOIN databases d ON d.project_id = p.id ORDER BY p.updated_at DESC, p.id"

static bool read_project(struct rows_at at, struct project *ret, struct err *reterr)
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
    struct err mine = {0};
    err_copy(&mine, err);
    if (err == NULL && pg_row_count(result) == 0)
        err_set(&mine, ERR_MISSING, __func__, "Project not found");
    bool is_ok = mine.kind == ERR_NONE && read_project((struct rows_at){result, 0, 0}, project, &mine);
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
    err_copy(&mine, err);
    size_t n = pg_row_count(result);
    if (n == 1 && pg_row_is_null(result, 0, 1))
        n = 0;
    struct project *projects = arena_alloc(call->arena, (n + 1) * sizeof(*projects));
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = read_project((struct rows_at){result, i, 1}, &projects[i], &mine);
    if (is_ok)
        call->done.projects(call->arg, projects, n, (uint64_t)pg_row_int(result, 0, 0, 0), NULL);
    else
        call->done.projects(call->arg, NULL, 0, 0, &mine);
    store_call_end(call);
}

static struct op *project_list(void *self, const char *owner_id, unsigned limit, ms_t timeout_ms,
                               store_on_projects *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.projects = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, owner_id);
    pg_add_int(p, limit < LIST_MAX ? limit : LIST_MAX);
    return store_call_query(call, SQL_LIST, p, on_list);
}

void project_repo_fill(struct port_store *port)
{
    port->project_create = project_create;
    port->project_get = project_get;
    port->project_list = project_list;
}
