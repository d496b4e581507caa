// SPDX-License-Identifier: MIT
/* The audit: rows of requests in batches, and the end of old ones. */
#include "store/store_private.h"

/* A batch whose answer was lost comes again. */
#define SQL_WRITE                                                                                                      \
    "INSERT INTO audit (id, at, user_id, action, subject_kind, subject_id, address, request_id, status, credential) "  \
    "SELECT id, to_timestamp(at_ms / 1000.0), nullif(who, ''), action, "                                               \
    "CASE WHEN subject = '' THEN '' ELSE kind END, subject, address, request, nullif(status, 0), credential "          \
    "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], "   \
    "$9::bigint[], $10::text[]) AS r (id, at_ms, who, action, kind, subject, address, request, status, credential) "   \
    "ON CONFLICT (id) DO NOTHING"
#define SQL_CLEAN                                                                                                      \
    "WITH gone AS (DELETE FROM audit WHERE id IN (SELECT id FROM audit "                                               \
    "WHERE at <= now() - $1::bigint * interval '1 millisecond' ORDER BY at LIMIT $2::bigint "                          \
    "FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) FROM gone"

enum { TEXT_ID, TEXT_USER, TEXT_ACTION, TEXT_KIND, TEXT_SUBJECT, TEXT_ADDRESS, TEXT_REQUEST, TEXT_CREDENTIAL, TEXT_N };

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    struct store_call *call = arg;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static struct op *audit_write(void *self, const struct audit_row *rows, size_t n, ms_t timeout_ms, op_done *done,
                              void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct str *texts[TEXT_N];
    for (size_t t = 0; t < TEXT_N; t++)
        texts[t] = arena_alloc(call->arena, (n + 1) * sizeof(*texts[t]));
    int64_t *times = arena_alloc(call->arena, (n + 1) * sizeof(*times));
    int64_t *statuses = arena_alloc(call->arena, (n + 1) * sizeof(*statuses));
    for (size_t i = 0; i < n; i++) {
        const struct audit_row *r = &rows[i];
        times[i] = r->at_ms;
        statuses[i] = r->status;
        texts[TEXT_ID][i] = str_from(r->id);
        texts[TEXT_USER][i] = str_from(r->user_id);
        texts[TEXT_ACTION][i] = str_from(arena_printf(call->arena, "%s %s", r->method, r->pattern));
        texts[TEXT_KIND][i] = str_from(r->subject_kind);
        texts[TEXT_SUBJECT][i] = str_from(r->subject_id);
        texts[TEXT_ADDRESS][i] = str_from(r->address);
        texts[TEXT_REQUEST][i] = str_from(r->request_id);
        texts[TEXT_CREDENTIAL][i] = str_from(r->credential);
    }
    struct pg_params *p = pg_params_new();
    pg_add_texts(p, texts[TEXT_ID], n);
    pg_add_ints(p, times, n);
    for (size_t t = TEXT_USER; t <= TEXT_REQUEST; t++)
        pg_add_texts(p, texts[t], n);
    pg_add_ints(p, statuses, n);
    pg_add_texts(p, texts[TEXT_CREDENTIAL], n);
    return store_call_query(call, SQL_WRITE, p, on_plain);
}

static void on_count(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    call->done.count(call->arg, err == NULL ? (size_t)pg_row_int(result, 0, 0, 0) : 0, err);
    store_call_end(call);
}

static struct op *audit_clean(void *self, ms_t keep_ms, unsigned max, ms_t timeout_ms, store_on_count *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.count = done;
    struct pg_params *p = pg_params_new();
    pg_add_int(p, keep_ms);
    pg_add_int(p, max);
    return store_call_query(call, SQL_CLEAN, p, on_count);
}

void audit_repo_fill(struct port_store *port)
{
    port->audit.write = audit_write;
    port->audit.clean = audit_clean;
}
