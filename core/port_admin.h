// SPDX-License-Identifier: MIT
/* The administrator's part of the store's port (core/port_store.h): all users, everybody's projects, and who is an
 * administrator. */
#pragma once

#include "core/port_audit.h"
#include "core/port_projects.h"

enum { USERS_PER_PAGE = 1000 };

/* Which users, the newest first. */
struct user_query {
    unsigned limit; /* 1 to USERS_PER_PAGE */
    struct page_cursor after;
    struct str keyword; /* in name or email, in either case, or the id; absent: all */
};
/* An absent text is none. */
struct user_info {
    struct str id;
    struct str name;
    struct str email;
    struct str image;
    bool is_admin; /* by the table; the configuration may name more */
    int64_t created_ms;
    int64_t seen_ms; /* to about a minute; -1: never */
    int64_t projects_n;
    int64_t running_n; /* sandboxes */
};
struct user_page {
    const struct user_info *users;
    size_t n;
    bool has_more;
    struct page_cursor last; /* the last user */
};
/* page: borrowed during the call. */
typedef void store_on_users(void *arg, const struct user_page *page, const struct err *err);

/* Which of everybody's projects, the last changed first. */
struct all_projects_query {
    struct project_query narrowed; /* owner_id NULL: of all */
    const char *status;            /* of the sandbox's row, or "NONE" for projects without one; NULL: all */
};
struct all_projects_page {
    struct project_page page;
    const struct str *owner_names; /* as many as projects */
};
typedef void store_on_all_projects(void *arg, const struct all_projects_page *page, const struct err *err);

struct role_wish {
    const char *user_id;
    bool is_admin;
    const char *configured; /* ids of administrators by configuration, with commas between */
};

/* self: the store's. */
struct port_admin {
    struct op *(*users)(void *self, const struct user_query *query, ms_t timeout_ms, store_on_users *done, void *arg);
    /* `done` gets a page of one; MISSING. */
    struct op *(*user)(void *self, const char *user_id, ms_t timeout_ms, store_on_users *done, void *arg);
    struct op *(*projects)(void *self, const struct all_projects_query *query, ms_t timeout_ms,
                           store_on_all_projects *done, void *arg);
    /* Who loses the right loses his sessions and his tokens with the scope admin too. MISSING; CONFLICT with reason
     * "LastAdministrator". */
    struct op *(*set_role)(void *self, const struct role_wish *wish, ms_t timeout_ms, op_done *done, void *arg);
};
