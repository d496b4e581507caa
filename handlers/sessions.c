// SPDX-License-Identifier: MIT
/* /api/auth/sessions: where a user is signed in, and ending that; for an administrator also that of others. */
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"
#include "handlers/signin.h"

enum { SESSIONS_CEILING_BYTES = 256 * 1024 };

/* ---- list ---- */

static void on_list(void *arg, const struct session_info *sessions, size_t n, const struct err *err)
{
    struct pending *p = arg;
    if (!pending_done(p, err))
        return;
    struct json_writer *w = jw_new(SESSIONS_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct session_info *s = &sessions[i];
        jw_object(w);
        jw_kv_text(w, "id", s->id);
        jw_kv_text(w, "userAgent", s->agent);
        jw_kv_text(w, "address", s->address);
        jw_kv_time(w, "createdAt", s->created_ms);
        jw_kv_time(w, "lastUsedAt", s->used_ms);
        jw_kv_time(w, "expiresAt", s->expires_ms);
        jw_kv_bool(w, "current", s->is_current);
        jw_object_end(w);
    }
    jw_array_end(w);
    http_answer_json(p->x, 200, w);
}

void sessions_list(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct pending *p = pending_new(x, app);
    pending_wait(p, app->store->session_list(app->store->self, caller->who.user_id, caller->session_token,
                                             app->settings.request_ms, on_list, p));
}

/* ---- end ---- */

struct ending {
    struct pending pending; /* first: it is what pending.c knows */
    bool is_everywhere;     /* this browser's too */
    const char *user_id;    /* whose */
};

static void on_revoked(void *arg, const struct err *err)
{
    struct ending *e = arg;
    struct http_exchange *x = e->pending.x;
    const struct caller *caller = http_context(x);
    if (!pending_done(&e->pending, err))
        return;
    LOG(INFO, "sessions ended", KV("by", (const char *)caller->who.user_id), KV("user", e->user_id));
    if (e->is_everywhere)
        signin_add_cookie(x, "", 0);
    documents_answer_success(x);
}

static void revoke(struct http_exchange *x, struct app *app, const char *id, struct str kept_token)
{
    const struct caller *caller = http_context(x);
    struct ending *e = arena_alloc(http_arena(x), sizeof(*e));
    e->pending = (struct pending){.x = x, .app = app};
    e->is_everywhere = id == NULL && str_is_none(kept_token);
    e->user_id = caller->who.user_id;
    const struct session_choice which = {caller->who.user_id, id, kept_token};
    pending_wait(&e->pending,
                 app->store->session_revoke(app->store->self, &which, app->settings.request_ms, on_revoked, e));
}

void sessions_revoke(struct http_exchange *x, struct app *app)
{
    revoke(x, app, arena_dup(http_arena(x), http_param(x, "id")), STR_NONE);
}

void sessions_revoke_all(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct err err = {0};
    bool is_kept;
    if (!http_query_flag(x, "others", &is_kept, &err)) {
        http_answer_err(x, &err);
        return;
    }
    revoke(x, app, NULL, is_kept ? caller->session_token : STR_NONE);
}

void sessions_lock_out(struct http_exchange *x, struct app *app)
{
    struct ending *e = arena_alloc(http_arena(x), sizeof(*e));
    e->pending = (struct pending){.x = x, .app = app};
    e->user_id = arena_dup(http_arena(x), http_param(x, "id"));
    pending_wait(&e->pending,
                 app->store->credentials_revoke(app->store->self, e->user_id, app->settings.request_ms, on_revoked, e));
}
