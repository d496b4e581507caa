// SPDX-License-Identifier: MIT
/* /api/admin/users: who there is, what they have, when they were seen last, and which of them are administrators. */
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/paging.h"
#include "handlers/pending.h"

enum { USUAL_PER_PAGE = 100, ROLE_MAX_BYTES = 16 };

struct listing {
    struct pending pending;
    struct user_query query;
};

static const char *const filters[] = {"keyword", NULL};
static const struct paging_list list = {"/api/admin/users", filters};

/* ---- documents ---- */

static void write_user(struct json_writer *w, const struct app *app, const struct user_info *u)
{
    bool is_configured = str_list_has(str_from(app->settings.admin_users), u->id);
    jw_object(w);
    jw_kv_str(w, "id", u->id);
    jw_kv_str(w, "name", u->name);
    jw_kv_str(w, "email", u->email);
    jw_kv_str(w, "image", u->image);
    jw_kv_text(w, "role", u->is_admin || is_configured ? "admin" : "user");
    jw_kv_bool(w, "isAdminByConfiguration", is_configured);
    jw_kv_time(w, "createdAt", u->created_ms);
    jw_kv_time(w, "lastSeenAt", u->seen_ms);
    jw_kv_int(w, "projects", u->projects_n);
    jw_kv_int(w, "runningSandboxes", u->running_n);
    jw_object_end(w);
}

static void on_list(void *arg, const struct user_page *page, const struct err *err)
{
    struct listing *l = arg;
    if (!pending_done(&l->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < page->n; i++)
        write_user(w, l->pending.app, &page->users[i]);
    paging_answer(l->pending.x, w, &list, l->query.limit, page->has_more ? &page->last : NULL);
}

void users_list(struct http_exchange *x, struct app *app)
{
    struct listing *l = arena_alloc(http_arena(x), sizeof(*l));
    struct err err = {0};
    *l = (struct listing){
        .pending = {.x = x, .app = app}
    };
    if (!paging_read_limit(x, USERS_PER_PAGE, USUAL_PER_PAGE, &l->query.limit, &err) ||
        !paging_read_cursor(x, &l->query.after, &err) || !paging_read_text(x, "keyword", &l->query.keyword, &err)) {
        http_answer_err(x, &err);
        return;
    }
    pending_wait(&l->pending,
                 app->store->admin.users(app->store->self, &l->query, app->settings.request_ms, on_list, l));
}

/* ---- one of them ---- */

static void on_user(void *arg, const struct user_page *page, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    write_user(w, p->app, &page->users[0]);
    http_answer_json(p->x, 200, w);
}

static void show(struct pending *p, const char *user_id)
{
    pending_wait(p, p->app->store->admin.user(p->app->store->self, user_id, p->app->settings.request_ms, on_user, p));
}

void users_get(struct http_exchange *x, struct app *app)
{
    show(pending_new(x, app), arena_dup(http_arena(x), http_param(x, "id")));
}

/* ---- roles ---- */

struct role_body {
    struct str role;
};
static const struct json_field role_fields[] = {
    {"role", JSON_STR, offsetof(struct role_body, role), JSON_REQUIRED, 1, ROLE_MAX_BYTES},
};

struct change {
    struct pending pending; /* first: it is what pending.c knows */
    struct role_wish wish;
};

static void on_changed(void *arg, const struct err *err)
{
    struct change *c = arg;
    const struct caller *caller = http_context(c->pending.x);
    if (!pending_done(&c->pending, err))
        return;
    LOG(INFO, "role set", KV("by", (const char *)caller->who.user_id), KV("user", c->wish.user_id),
        KV("role", c->wish.is_admin ? "admin" : "user"));
    show(&c->pending, c->wish.user_id);
}

static bool read_role(struct http_exchange *x, const struct app *app, struct role_wish *ret, struct err *reterr)
{
    struct role_body body = {STR_NONE};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, reterr);
    if (json == NULL || !json_bind(json, role_fields, sizeof(role_fields) / sizeof(*role_fields), &body, reterr))
        return false;
    ret->is_admin = str_eq(body.role, STR("admin"));
    if (!ret->is_admin && !str_eq(body.role, STR("user")))
        return err_set_field(reterr, ERR_INVALID, __func__, "/role", "role must be admin or user");
    if (!ret->is_admin && str_list_has(str_from(app->settings.admin_users), str_from(ret->user_id)))
        return err_set(reterr, ERR_CONFLICT, __func__,
                       "This user is an administrator by configuration: take the id out of admin_users");
    return true;
}

void users_set_role(struct http_exchange *x, struct app *app)
{
    struct change *c = arena_alloc(http_arena(x), sizeof(*c));
    struct err err = {0};
    *c = (struct change){
        .pending = {.x = x,  .app = app                             },
        .wish = { .user_id = arena_dup(http_arena(x), http_param(x, "id")), .configured = app->settings.admin_users},
    };
    if (!read_role(x, app, &c->wish, &err)) {
        http_answer_err(x, &err);
        return;
    }
    pending_wait(&c->pending,
                 app->store->admin.set_role(app->store->self, &c->wish, app->settings.request_ms, on_changed, c));
}
