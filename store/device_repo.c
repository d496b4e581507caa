// SPDX-License-Identifier: MIT
/* Programs on devices without a browser that wait for a user to let them in. */
#include "store/store_private.h"
#include "store/store_rows.h"
#include "store/token_repo.h"

enum { COLUMN_NAME, COLUMN_SCOPES, COLUMN_AGENT, COLUMN_ADDRESS, COLUMN_UNTIL };

#define SQL_BEGIN                                                                                                      \
    "SELECT fs_device_begin($1::bytea, $2::text, $3::text, $4::text[], $5::text, $6::text, $7::integer, $8::bigint)"
#define SQL_FIND                                                                                                       \
    "SELECT name, array_to_string(scopes, ' '), agent, address, fs_ms(valid_until) FROM device_codes "                 \
    "WHERE user_code = $1::text AND decision = 'pending' AND valid_until > now()"
/* What asks for more than the user may give is not allowed by him. */
#define SQL_DECIDE                                                                                                     \
    "UPDATE device_codes SET decision = CASE WHEN $3::boolean THEN 'allowed' ELSE 'denied' END, user_id = $1::text "   \
    "WHERE user_code = $2::text AND decision = 'pending' AND valid_until > now() "                                     \
    "AND ($4::boolean OR NOT $3::boolean OR NOT 'admin' = ANY (scopes)) RETURNING 1"
#define SQL_POLL                                                                                                       \
    "SELECT " TOKEN_REPO_COLUMNS ", verdict FROM (SELECT * FROM fs_device_poll($1::bytea, $2::text, $3::text, "        \
    "$4::bytea, $5::bigint, $6::bigint) AS f (verdict, t)) AS f"

/* ---- begin ---- */

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    (void)result;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static struct op *device_begin(void *self, const struct device_wish *wish, ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    identity_repo_add_hash(p, wish->device_code);
    pg_add_str(p, wish->user_code);
    pg_add_str(p, wish->asked.name);
    token_repo_add_scopes(p, wish->asked.scopes);
    pg_add_str(p, wish->asked.agent);
    pg_add_str(p, wish->asked.address);
    pg_add_int(p, wish->interval_s);
    pg_add_int(p, wish->valid_ms);
    return store_call_query(call, SQL_BEGIN, p, on_plain);
}

/* ---- the user's part ---- */

static void on_found(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine;
    struct device_asked asked = {0};
    if (store_found(result, err, "No program waits with this code, or no longer", &mine))
        asked = (struct device_asked){
            .name = pg_row_str(result, 0, COLUMN_NAME),
            .scopes = identity_repo_scopes(pg_row_str(result, 0, COLUMN_SCOPES)),
            .agent = pg_row_str(result, 0, COLUMN_AGENT),
            .address = pg_row_str(result, 0, COLUMN_ADDRESS),
            .expires_ms = pg_row_time_ms(result, 0, COLUMN_UNTIL),
        };
    call->done.device(call->arg, mine.kind == ERR_NONE ? &asked : NULL, mine.kind == ERR_NONE ? NULL : &mine);
    store_call_end(call);
}

static struct op *device_find(void *self, struct str user_code, ms_t timeout_ms, store_on_device *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.device = done;
    struct pg_params *p = pg_params_new();
    pg_add_str(p, user_code);
    return store_call_query(call, SQL_FIND, p, on_found);
}

static void on_decided(void *arg, const struct pg_result *result, const struct err *err)
{
    store_end_found(arg, result, err, "No program waits with this code, or it asks for more than you may give");
}

static struct op *device_decide(void *self, const struct device_decision *decision, ms_t timeout_ms, op_done *done,
                                void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, decision->user_id);
    pg_add_str(p, decision->user_code);
    pg_add_bool(p, decision->is_allowed);
    pg_add_bool(p, decision->is_admin);
    return store_call_query(call, SQL_DECIDE, p, on_decided);
}

/* ---- the program's part ---- */

static void on_polled(void *arg, const struct pg_result *result, const struct err *err)
{
    static const char *const ids[DEVICE_VERDICT_N] = {
        [DEVICE_PENDING] = "pending", [DEVICE_SLOW_DOWN] = "slow_down", [DEVICE_DENIED] = "denied",
        [DEVICE_EXPIRED] = "expired", [DEVICE_TOKEN] = "token",
    };
    struct store_call *call = arg;
    struct api_token token = {0};
    struct err mine = {0};
    size_t verdict = 0;
    err_copy(&mine, err);
    struct str word = err == NULL ? pg_row_str(result, 0, TOKEN_REPO_COLUMNS_N) : STR_NONE;
    while (verdict < DEVICE_VERDICT_N && !str_eq_text(word, ids[verdict]))
        verdict++;
    if (err == NULL && verdict == DEVICE_VERDICT_N)
        err_set(&mine, ERR_BUG, __func__, "the database told an unknown verdict");
    if (mine.kind == ERR_NONE && verdict == DEVICE_TOKEN)
        (void)!token_repo_read(result, 0, &token, &mine);
    call->done.polled(call->arg, (enum device_verdict)verdict, &token, mine.kind == ERR_NONE ? NULL : &mine);
    store_call_end(call);
}

static struct op *device_poll(void *self, struct str device_code, struct str token, ms_t valid_ms, ms_t timeout_ms,
                              store_on_polled *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    char id[CODEC_UUID_SIZE];
    call->done.polled = done;
    codec_uuid7(loop_wall_ms(call->store->loop), id);
    struct pg_params *p = pg_params_new();
    identity_repo_add_hash(p, device_code);
    pg_add_text(p, id);
    pg_add_str(p, str_slice(token, 0, API_TOKEN_SHOWN_N));
    identity_repo_add_hash(p, token);
    pg_add_int(p, valid_ms);
    pg_add_int(p, TOKEN_REPO_MAX);
    return store_call_query(call, SQL_POLL, p, on_polled);
}

void device_repo_fill(struct port_store *port)
{
    port->device_begin = device_begin;
    port->device_find = device_find;
    port->device_decide = device_decide;
    port->device_poll = device_poll;
}
