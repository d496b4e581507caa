// SPDX-License-Identifier: MIT
/* Requests with an Idempotency-Key and their answers. A body is sealed: it may hold what only its owner may see. */
#include "store/store_private.h"
#include "store/store_rows.h"

#define SQL_BEGIN                                                                                                      \
    "SELECT verdict, (i).operation_id, (i).fence, (i).status, (i).content_type, (i).fields, (i).body_box "             \
    "FROM fs_idempotency_begin($1::text, $2::bytea, $3::text, $4::bytea, $5::text, $6::bigint, $7::bigint, "           \
    "$8::bigint, $9::text) AS f (verdict, i)"
#define SQL_END                                                                                                        \
    "UPDATE idempotency SET is_answered = $3::boolean, status = $4::integer, content_type = $5::text, "                \
    "fields = $6::text, body_box = $7::bytea, held_until = now() "                                                     \
    "WHERE operation_id = $1::text AND fence = $2::bigint AND NOT is_answered"
/* Who is in the middle of one of them keeps it. */
#define SQL_CLEAN                                                                                                      \
    "WITH gone AS (DELETE FROM idempotency WHERE operation_id IN (SELECT operation_id FROM idempotency "               \
    "WHERE valid_until <= now() AND held_until <= now() ORDER BY valid_until LIMIT $1::bigint "                        \
    "FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) FROM gone"

enum { COLUMN_OPERATION = 1, COLUMN_FENCE, COLUMN_STATUS, COLUMN_TYPE, COLUMN_FIELDS, COLUMN_BODY };

static bool parse_verdict(struct str text, enum idempotency_verdict *ret)
{
    static const char *const ids[] = {[IDEMPOTENCY_RUN] = "run",
                                      [IDEMPOTENCY_ANSWERED] = "answered",
                                      [IDEMPOTENCY_BUSY] = "busy",
                                      [IDEMPOTENCY_OTHER] = "other",
                                      [IDEMPOTENCY_MANY] = "many"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (str_eq_text(text, ids[i])) {
            *ret = (enum idempotency_verdict)i;
            return true;
        }
    }
    return false;
}

/* opened: keeps the body's bytes; the caller's to secret_fini. */
static bool read_body(struct store_call *call, const struct pg_result *r, struct idempotency_found *ret,
                      struct secret *opened, struct err *reterr)
{
    struct str box;
    if (!pg_row_bytea(r, 0, COLUMN_BODY, call->arena, &box, reterr))
        return false;
    if (str_is_none(box))
        return true;
    struct str aad = rows_aad(call->arena, "idempotency", "body_box", ret->operation_id);
    if (!codec_open(call->store->ring, aad, box, opened, reterr))
        return false;
    ret->answer.body = secret_reveal(opened);
    return true;
}

static bool read_found(struct store_call *call, const struct pg_result *r, struct idempotency_found *ret,
                       struct secret *opened, struct err *reterr)
{
    if (!parse_verdict(pg_row_str(r, 0, 0), &ret->verdict))
        return err_set(reterr, ERR_BUG, __func__, "fs_idempotency_begin said something unknown");
    ret->fence = pg_row_int(r, 0, COLUMN_FENCE, 0);
    ret->answer = (struct idempotent_answer){.status = (int)pg_row_int(r, 0, COLUMN_STATUS, 0),
                                             .content_type = pg_row_str(r, 0, COLUMN_TYPE),
                                             .fields = pg_row_str(r, 0, COLUMN_FIELDS),
                                             .body = STR_NONE};
    return pg_row_copy(r, 0, COLUMN_OPERATION, ret->operation_id, sizeof(ret->operation_id), reterr) &&
           (ret->verdict != IDEMPOTENCY_ANSWERED || read_body(call, r, ret, opened, reterr));
}

static void on_begun(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct idempotency_found found = {0};
    struct secret opened = SECRET_NONE;
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_found(call, result, &found, &opened, &mine);
    call->done.idempotency(call->arg, is_ok ? &found : NULL, is_ok ? NULL : &mine);
    secret_fini(&opened);
    store_call_end(call);
}

static struct op *idempotency_begin(void *self, const struct idempotent_request *request, ms_t timeout_ms,
                                    store_on_idempotency *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.idempotency = done;
    char operation_id[CODEC_UUID_SIZE];
    codec_uuid7(loop_wall_ms(s->loop), operation_id);
    struct pg_params *p = pg_params_new();
    pg_add_text(p, request->owner_id);
    pg_add_bytea(p, request->scope);
    pg_add_str(p, request->key);
    pg_add_bytea(p, request->fingerprint);
    pg_add_text(p, operation_id);
    pg_add_int(p, request->hold_ms);
    pg_add_int(p, request->valid_ms);
    pg_add_int(p, request->keys_max);
    pg_add_text(p, s->replica_id);
    return store_call_query(call, SQL_BEGIN, p, on_begun);
}

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    struct store_call *call = arg;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static struct op *idempotency_end(void *self, const char *operation_id, int64_t fence,
                                  const struct idempotent_answer *answer, ms_t timeout_ms, op_done *done, void *arg)
{
    const struct idempotent_answer none = {0, STR_NONE, STR_NONE, STR_NONE};
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    const struct idempotent_answer *a = answer != NULL ? answer : &none;
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, operation_id);
    pg_add_int(p, fence);
    pg_add_bool(p, answer != NULL);
    if (answer != NULL)
        pg_add_int(p, a->status);
    else
        pg_add_null(p);
    pg_add_str(p, a->content_type);
    pg_add_str(p, a->fields);
    rows_add_box(p, s->ring, rows_aad(call->arena, "idempotency", "body_box", operation_id), a->body);
    return store_call_query(call, SQL_END, p, on_plain);
}

static void on_count(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    call->done.count(call->arg, err == NULL ? (size_t)pg_row_int(result, 0, 0, 0) : 0, err);
    store_call_end(call);
}

static struct op *idempotency_clean(void *self, unsigned max, ms_t timeout_ms, store_on_count *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.count = done;
    struct pg_params *p = pg_params_new();
    pg_add_int(p, max);
    return store_call_query(call, SQL_CLEAN, p, on_count);
}

void idempotency_repo_fill(struct port_store *port)
{
    port->idempotency_begin = idempotency_begin;
    port->idempotency_end = idempotency_end;
    port->idempotency_clean = idempotency_clean;
}
