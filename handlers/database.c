// SPDX-License-Identifier: MIT
/* /api/projects/{id}/sync-database: how a project's owner reaches its database. The password is in this answer and in
 * the sandbox's environment, and nowhere else. */
#include "core/base/json_write.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

struct database_call {
    struct pending pending; /* first: it is what pending.c knows */
    const char *owner_id;
    const char *project_id;
    bool is_sync; /* POST: what the original copied into its own rows is stored when it is read already */
};

static void refuse(struct database_call *c, enum err_kind kind, const char *why)
{
    struct err err = {0};
    (void)err_set(&err, kind, __func__, "%s", why);
    http_answer_err(c->pending.x, &err);
}

static void write_database(struct json_writer *w, const struct db_credentials *credentials, bool has_url)
{
    struct secret url = db_credentials_url(credentials);
    jw_object(w);
    jw_kv_text(w, "host", credentials->host);
    jw_kv_int(w, "port", credentials->port);
    jw_kv_text(w, "name", credentials->database);
    jw_kv_text(w, "user", credentials->user);
    jw_kv_str(w, "password", secret_reveal(&credentials->password));
    if (has_url)
        jw_kv_str(w, "connectionString", secret_reveal(&url));
    jw_object_end(w);
    secret_fini(&url);
}

static void on_credentials(void *arg, const struct db_credentials *credentials, const struct err *err)
{
    struct database_call *c = arg;
    bool is_none = err != NULL && err->kind == ERR_MISSING;
    if (!pending_done(&c->pending, is_none ? NULL : err))
        return;
    if (is_none) {
        refuse(c, ERR_MISSING, "No database configured");
        return;
    }
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    if (c->is_sync)
        jw_kv_text(w, "message", "Database info already synced");
    jw_key(w, "database");
    write_database(w, credentials, !c->is_sync);
    jw_object_end(w);
    http_add_header(c->pending.x, "Cache-Control", STR("no-store"));
    http_keep_no_copy(c->pending.x);
    http_answer_json(c->pending.x, 200, w);
}

static void on_found(void *arg, const struct project *project, const struct err *err)
{
    struct database_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, err))
        return;
    if (!project->has_sandbox) {
        refuse(c, ERR_MISSING, "No sandbox found");
        return;
    }
    pending_wait(&c->pending, app->store->credentials_get(app->store->self, c->owner_id, c->project_id,
                                                          app->settings.request_ms, on_credentials, c));
}

static void find(struct http_exchange *x, struct app *app, bool is_sync)
{
    const struct caller *caller = http_context(x);
    struct database_call *c = arena_alloc(http_arena(x), sizeof(*c));
    *c = (struct database_call){
        .pending = {.x = x, .app = app},
          .owner_id = caller->who.user_id, .is_sync = is_sync
    };
    c->project_id = arena_dup(http_arena(x), http_param(x, "id"));
    /* A password opens more than what a token to read with does. */
    if (caller->is_by_token && !token_scope_allows(caller->who.scopes, TOKEN_SCOPE_WRITE)) {
        refuse(c, ERR_DENIED, "This needs a token with the scope write");
        return;
    }
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_found, c));
}

void database_show(struct http_exchange *x, struct app *app)
{
    find(x, app, false);
}

void database_sync(struct http_exchange *x, struct app *app)
{
    find(x, app, true);
}
