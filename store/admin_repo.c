// SPDX-License-Identifier: MIT
/* What an administrator sees of all users and projects, and who is one. */
#include "store/store_private.h"
#include "store/store_rows.h"

#define SQL_USERS                                                                                                      \
    "SELECT (u).id, (u).name, (u).email, (u).image, (u).is_admin, fs_ms((u).created_at), fs_ms((u).seen_at), "         \
    "projects, running, (extract(epoch FROM (u).created_at) * 1000000)::bigint "                                       \
    "FROM fs_user_list($1::bigint, $2::bigint, $3::text, $4::text, $5::text) AS f (u, projects, running)"
#define SQL_PROJECTS                                                                                                   \
    "SELECT owner, (extract(epoch FROM (p).updated_at) * 1000000)::bigint, " ROWS_PROJECT ", " ROWS_SANDBOX            \
    " FROM fs_project_list($1::bigint, $2::bigint, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::bigint) "   \
    "AS f (p, s, d, owner)"
#define SQL_ROLE "SELECT hex FROM fs_user_role($1::text, $2::boolean, $3::text) AS f (hex)"

enum {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_EMAIL,
    COLUMN_IMAGE,
    COLUMN_IS_ADMIN,
    COLUMN_CREATED,
    COLUMN_SEEN,
    COLUMN_PROJECTS,
    COLUMN_RUNNING,
    COLUMN_CREATED_US
};

/* ---- users ---- */

static void read_user(const struct pg_result *r, size_t row, struct user_info *ret)
{
    *ret = (struct user_info){
        .id = pg_row_str(r, row, COLUMN_ID),
        .name = pg_row_str(r, row, COLUMN_NAME),
        .email = pg_row_str(r, row, COLUMN_EMAIL),
        .image = pg_row_str(r, row, COLUMN_IMAGE),
        .is_admin = pg_row_bool(r, row, COLUMN_IS_ADMIN),
        .created_ms = pg_row_time_ms(r, row, COLUMN_CREATED),
        .seen_ms = pg_row_time_ms(r, row, COLUMN_SEEN),
        .projects_n = pg_row_int(r, row, COLUMN_PROJECTS, 0),
        .running_n = pg_row_int(r, row, COLUMN_RUNNING, 0),
    };
}

static void on_users(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct user_page page = {0};
    struct err mine = {0};
    err_copy(&mine, err);
    size_t n = err == NULL ? pg_row_count(result) : 0;
    if (err == NULL && n == 0 && call->must_exist)
        err_set(&mine, ERR_MISSING, __func__, "User not found");
    page.n = store_page_rows(call, n, &page.has_more);
    struct user_info *users = arena_alloc(call->arena, (page.n + 1) * sizeof(*users));
    for (size_t i = 0; i < page.n; i++)
        read_user(result, i, &users[i]);
    page.users = users;
    if (page.n > 0)
        page.last = (struct page_cursor){pg_row_int(result, page.n - 1, COLUMN_CREATED_US, 0),
                                         arena_dup(call->arena, users[page.n - 1].id)};
    bool is_ok = mine.kind == ERR_NONE;
    call->done.users(call->arg, is_ok ? &page : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *ask_users(struct store_call *call, const struct user_query *query, const char *user_id)
{
    struct pg_params *p = pg_params_new();
    store_page_ask(call, p, query->limit, USERS_PER_PAGE, &query->after);
    pg_add_str(p, query->keyword);
    pg_add_text(p, user_id);
    return store_call_query(call, SQL_USERS, p, on_users);
}

static struct op *admin_users(void *self, const struct user_query *query, ms_t timeout_ms, store_on_users *done,
                              void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.users = done;
    return ask_users(call, query, NULL);
}

static struct op *admin_user(void *self, const char *user_id, ms_t timeout_ms, store_on_users *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.users = done;
    call->must_exist = true;
    return ask_users(call, &(struct user_query){.limit = 1}, user_id);
}

/* ---- projects ---- */

static void on_projects(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct all_projects_page all = {0};
    struct project_page *page = &all.page;
    struct err mine = {0};
    err_copy(&mine, err);
    size_t n = err == NULL ? pg_row_count(result) : 0;
    page->n = store_page_rows(call, n, &page->has_more);
    struct project *projects = arena_alloc(call->arena, (page->n + 1) * sizeof(*projects));
    struct str *names = arena_alloc(call->arena, (page->n + 1) * sizeof(*names));
    bool is_ok = err == NULL;
    for (size_t i = 0; i < page->n && is_ok; i++) {
        names[i] = pg_row_str(result, i, 0);
        is_ok = project_repo_read((struct rows_at){result, i, 2}, &projects[i], &mine);
    }
    page->projects = projects;
    all.owner_names = names;
    if (is_ok && page->n > 0)
        page->last = (struct page_cursor){pg_row_int(result, page->n - 1, 1, 0), projects[page->n - 1].id};
    call->done.all_projects(call->arg, is_ok ? &all : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *admin_projects(void *self, const struct all_projects_query *query, ms_t timeout_ms,
                                 store_on_all_projects *done, void *arg)
{
    const struct project_query *narrowed = &query->narrowed;
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.all_projects = done;
    struct pg_params *p = pg_params_new();
    store_page_ask(call, p, narrowed->limit, PROJECTS_PER_PAGE, &narrowed->after);
    pg_add_text(p, narrowed->owner_id);
    pg_add_text(p, query->status);
    pg_add_str(p, narrowed->keyword);
    pg_add_int_or_null(p, narrowed->created_from_ms);
    pg_add_int_or_null(p, narrowed->created_to_ms);
    return store_call_query(call, SQL_PROJECTS, p, on_projects);
}

/* ---- roles ---- */

static void on_role(void *arg, const struct pg_result *result, const struct err *err)
{
    identity_repo_end_revoked(arg, result, err, NULL);
}

static struct op *admin_set_role(void *self, const struct role_wish *wish, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, wish->user_id);
    pg_add_bool(p, wish->is_admin);
    pg_add_text(p, wish->configured);
    return store_call_query(call, SQL_ROLE, p, on_role);
}

void admin_repo_fill(struct port_store *port)
{
    port->admin.users = admin_users;
    port->admin.user = admin_user;
    port->admin.projects = admin_projects;
    port->admin.set_role = admin_set_role;
}
