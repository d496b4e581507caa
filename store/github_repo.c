// SPDX-License-Identifier: MIT
/* Sign-ins with GitHub that are under way, and the users behind its numeric ids. Verifiers and access tokens are stored
 * sealed. */
#include "core/github.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { COLUMN_VERIFIER_BOX, COLUMN_RETURN_TO };

#define SQL_BEGIN "SELECT fs_oauth_begin($1::bytea, $2::bytea, $3::bytea, $4::text, $5::bigint)"
#define SQL_TAKE                                                                                                       \
    "SELECT verifier_box, return_to FROM fs_oauth_take($1::bytea, $2::bytea) AS f (verifier_box, return_to)"
#define SQL_ENTER                                                                                                      \
    "SELECT " ROWS_USER ", fs_ms(until), NULL, NULL FROM fs_github_enter($1::text, $2::text, $3::text, $4::text, "     \
    "$5::bytea, $6::text, $7::text, $8::bytea, $9::bytea, $10::bigint, $11::bigint, $12::text, $13::text) "            \
    "AS f (u, until)"

/* ---- under way ---- */

static struct str state_aad(struct arena *a, struct str state)
{
    return rows_aad(a, "oauth_states", "verifier_box", identity_repo_hash_hex(a, state).p);
}

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    (void)result;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static struct op *oauth_begin(void *self, const struct oauth_attempt *attempt, ms_t valid_ms, ms_t timeout_ms,
                              op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    identity_repo_add_hash(p, attempt->state);
    identity_repo_add_hash(p, attempt->browser);
    rows_add_box(p, call->store->ring, state_aad(call->arena, attempt->state), attempt->verifier);
    pg_add_str(p, attempt->return_to);
    pg_add_int(p, valid_ms);
    return store_call_query(call, SQL_BEGIN, p, on_plain);
}

static bool read_attempt(struct store_call *call, const struct pg_result *r, struct oauth_attempt *ret,
                         struct secret *verifier, struct err *reterr)
{
    struct str box;
    if (pg_row_count(r) == 0)
        return err_set(reterr, ERR_UNAUTHENTICATED, __func__,
                       "the sign-in is unknown, used, over or another browser's");
    if (!pg_row_bytea(r, 0, COLUMN_VERIFIER_BOX, call->arena, &box, reterr) ||
        !codec_open(call->store->ring, state_aad(call->arena, call->key), box, verifier, reterr))
        return false;
    ret->verifier = secret_reveal(verifier);
    ret->return_to = pg_row_str(r, 0, COLUMN_RETURN_TO);
    return true;
}

static void on_taken(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct oauth_attempt attempt = {.state = call->key};
    struct secret verifier = SECRET_NONE;
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_attempt(call, result, &attempt, &verifier, &mine);
    call->done.attempt(call->arg, is_ok ? &attempt : NULL, is_ok ? NULL : &mine);
    secret_fini(&verifier);
    store_call_end(call);
}

static struct op *oauth_take(void *self, struct str state, struct str browser, ms_t timeout_ms, store_on_attempt *done,
                             void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.attempt = done;
    call->key = arena_dup_str(call->arena, state);
    struct pg_params *p = pg_params_new();
    identity_repo_add_hash(p, state);
    identity_repo_add_hash(p, browser);
    return store_call_query(call, SQL_TAKE, p, on_taken);
}

/* ---- the user ---- */

static void on_entered(void *arg, const struct pg_result *result, const struct err *err)
{
    identity_repo_tell(arg, result, err);
}

static struct op *github_enter(void *self, const struct github_user *user, const struct session_wish *wish,
                               ms_t timeout_ms, store_on_principal *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    char user_id[CODEC_UUID_SIZE];
    char identity_id[CODEC_UUID_SIZE];
    const char *github_id = arena_printf(call->arena, "%lld", (long long)user->id);
    /* Bound to GitHub's id: the row's own is not known before it is there. */
    const char *place = arena_printf(call->arena, "github:%s", github_id);
    call->done.principal = done;
    codec_uuid7(loop_wall_ms(s->loop), user_id);
    codec_uuid7(loop_wall_ms(s->loop), identity_id);
    struct pg_params *p = pg_params_new();
    pg_add_text(p, github_id);
    pg_add_text(p, user->name);
    pg_add_text(p, user->email[0] != '\0' ? user->email : NULL);
    pg_add_text(p, user->image[0] != '\0' ? user->image : NULL);
    rows_add_box(p, s->ring, rows_aad(call->arena, "identities", "access_token_box", place),
                 secret_reveal(user->token));
    pg_add_text(p, user_id);
    pg_add_text(p, identity_id);
    identity_repo_add_session(call, p, wish);
    return store_call_query(call, SQL_ENTER, p, on_entered);
}

void github_repo_fill(struct port_store *port)
{
    port->oauth_begin = oauth_begin;
    port->oauth_take = oauth_take;
    port->github_enter = github_enter;
}
