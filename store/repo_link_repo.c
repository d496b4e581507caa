// SPDX-License-Identifier: MIT
/* The repositories at GitHub that projects are connected with, and the token with which a user asks there. */
#include "store/store_private.h"
#include "store/store_rows.h"

enum { COLUMN_GITHUB_ID, COLUMN_TOKEN_BOX };

#define SQL_TOKEN                                                                                                      \
    "SELECT provider_user_id, access_token_box FROM identities WHERE user_id = $1::text AND provider = 'github' "      \
    "AND access_token_box IS NOT NULL ORDER BY updated_at DESC LIMIT 1"
#define SQL_BEGIN                                                                                                      \
    "SELECT was_begun FROM fs_repo_begin($1::text, $2::text, $3::text, $4::text, $5::bigint) f (was_begun)"
#define SQL_REFUSED "SELECT fs_repo_refused($1::text, $2::text, $3::text)"
#define SQL_LINK    "SELECT p.id FROM fs_repo_link($1::text, $2::text, $3::text, $4::bigint, $5::boolean, $6::text) p"
#define SQL_UNLINK  "SELECT p.id FROM fs_repo_unlink($1::text, $2::text) p"

/* ---- the token ---- */

static bool open_token(const struct store_call *call, const struct pg_result *r, struct secret *ret, struct err *reterr)
{
    struct str box;
    if (pg_row_count(r) == 0)
        return err_set(reterr, ERR_MISSING, __func__, "the user has not signed in with GitHub");
    const char *place = arena_printf(call->arena, "github:%.*s", STR_ARG(pg_row_str(r, 0, COLUMN_GITHUB_ID)));
    return pg_row_bytea(r, 0, COLUMN_TOKEN_BOX, call->arena, &box, reterr) &&
           codec_open(call->store->ring, rows_aad(call->arena, "identities", "access_token_box", place), box, ret,
                      reterr);
}

static void on_token(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct secret token = SECRET_NONE;
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && open_token(call, result, &token, &mine);
    call->done.secret(call->arg, is_ok ? &token : NULL, is_ok ? NULL : &mine);
    secret_fini(&token);
    store_call_end(call);
}

static struct op *token(void *self, const char *user_id, ms_t timeout_ms, store_on_secret *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.secret = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, user_id);
    return store_call_query(call, SQL_TOKEN, p, on_token);
}

/* ---- the link ---- */

static void on_begun(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine;
    bool is_ok = store_found(result, err, "Project not found", &mine);
    call->done.repo_begun(call->arg, is_ok && pg_row_bool(result, 0, 0), is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *begin(void *self, const struct repo_beginning *beginning, ms_t timeout_ms, store_on_repo_begun *done,
                        void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.repo_begun = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, beginning->owner_id);
    pg_add_text(p, beginning->project_id);
    pg_add_text(p, beginning->name);
    pg_add_text(p, beginning->id);
    pg_add_int(p, beginning->late_ms);
    return store_call_query(call, SQL_BEGIN, p, on_begun);
}

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    store_end_found(arg, result, err, "Project not found");
}

static struct op *refused(void *self, const struct repo_beginning *beginning, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, beginning->owner_id);
    pg_add_text(p, beginning->project_id);
    pg_add_text(p, beginning->id);
    return store_call_query(call, SQL_REFUSED, p, on_plain);
}

static struct op *link_to(void *self, const struct repo_linking *linking, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, linking->owner_id);
    pg_add_text(p, linking->project_id);
    pg_add_text(p, linking->name);
    pg_add_int(p, linking->repo_id);
    pg_add_bool(p, linking->is_private);
    pg_add_text(p, linking->pending);
    return store_call_query(call, SQL_LINK, p, on_plain);
}

static struct op *unlink_from(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms, op_done *done,
                              void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, owner_id);
    pg_add_text(p, project_id);
    return store_call_query(call, SQL_UNLINK, p, on_plain);
}

void repo_link_repo_fill(struct port_store *port)
{
    port->repos =
        (struct port_repos){.token = token, .begin = begin, .refused = refused, .link = link_to, .unlink = unlink_from};
}
