// SPDX-License-Identifier: MIT
/* The audit: rows of requests in batches, a page of them, and the end of old ones. */
#include "store/store_private.h"

/* A batch whose answer was lost comes again. */
#define SQL_WRITE                                                                                                      \
    "INSERT INTO audit (id, at, user_id, action, subject_kind, subject_id, address, request_id, status, credential, "  \
    "token_id) "                                                                                                       \
    "SELECT id, to_timestamp(at_ms / 1000.0), nullif(who, ''), action, "                                               \
    "CASE WHEN subject = '' THEN '' ELSE kind END, subject, address, request, nullif(status, 0), credential, "         \
    "nullif(token, '') "                                                                                               \
    "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], "   \
    "$9::bigint[], $10::text[], $11::text[]) "                                                                         \
    "AS r (id, at_ms, who, action, kind, subject, address, request, status, credential, token) "                       \
    "ON CONFLICT (id) DO NOTHING"
#define SQL_CLEAN                                                                                                      \
    "WITH gone AS (DELETE FROM audit WHERE id IN (SELECT id FROM audit "                                               \
    "WHERE at <= now() - $1::bigint * interval '1 millisecond' ORDER BY at LIMIT $2::bigint "                          \
    "FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) FROM gone"

#define SQL_LIST                                                                                                       \
    "SELECT (a).id, (a).user_id, name, (a).action, nullif((a).subject_kind, ''), nullif((a).subject_id, ''), "         \
    "(a).credential, (a).token_id, nullif((a).address, ''), (a).request_id, fs_ms((a).at), "                           \
    "(extract(epoch FROM (a).at) * 1000000)::bigint, (a).status FROM fs_audit_page($1::bigint, $2::bigint, $3::text, " \
    "$4::text, $5::text, $6::text, $7::text, $8::bigint, $9::bigint, $10::bigint, $11::bigint) AS f (a, name)"

enum {
    TEXT_ID,
    TEXT_USER,
    TEXT_ACTION,
    TEXT_KIND,
    TEXT_SUBJECT,
    TEXT_ADDRESS,
    TEXT_REQUEST,
    TEXT_CREDENTIAL,
    TEXT_TOKEN,
    TEXT_N
};
enum {
    COLUMN_ID,
    COLUMN_USER,
    COLUMN_USER_NAME,
    COLUMN_ACTION,
    COLUMN_KIND,
    COLUMN_SUBJECT,
    COLUMN_CREDENTIAL,
    COLUMN_TOKEN,
    COLUMN_ADDRESS,
    COLUMN_REQUEST,
    COLUMN_AT,
    COLUMN_AT_US,
    COLUMN_STATUS
};

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
        texts[TEXT_TOKEN][i] = str_from(r->token_id);
    }
    struct pg_params *p = pg_params_new();
    pg_add_texts(p, texts[TEXT_ID], n);
    pg_add_ints(p, times, n);
    for (size_t t = TEXT_USER; t <= TEXT_REQUEST; t++)
        pg_add_texts(p, texts[t], n);
    pg_add_ints(p, statuses, n);
    pg_add_texts(p, texts[TEXT_CREDENTIAL], n);
    pg_add_texts(p, texts[TEXT_TOKEN], n);
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

static void read_entry(const struct pg_result *r, size_t row, struct audit_entry *ret)
{
    *ret = (struct audit_entry){
        .id = pg_row_str(r, row, COLUMN_ID),
        .user_id = pg_row_str(r, row, COLUMN_USER),
        .user_name = pg_row_str(r, row, COLUMN_USER_NAME),
        .action = pg_row_str(r, row, COLUMN_ACTION),
        .subject_kind = pg_row_str(r, row, COLUMN_KIND),
        .subject_id = pg_row_str(r, row, COLUMN_SUBJECT),
        .credential = pg_row_str(r, row, COLUMN_CREDENTIAL),
        .token_id = pg_row_str(r, row, COLUMN_TOKEN),
        .address = pg_row_str(r, row, COLUMN_ADDRESS),
        .request_id = pg_row_str(r, row, COLUMN_REQUEST),
        .at_ms = pg_row_time_ms(r, row, COLUMN_AT),
        .status = (int)pg_row_int(r, row, COLUMN_STATUS, 0),
    };
}

static void on_list(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct audit_page page = {0};
    size_t n = err == NULL ? pg_row_count(result) : 0;
    page.n = store_page_rows(call, n, &page.has_more);
    struct audit_entry *entries = arena_alloc(call->arena, (page.n + 1) * sizeof(*entries));
    for (size_t i = 0; i < page.n; i++)
        read_entry(result, i, &entries[i]);
    page.entries = entries;
    if (page.n > 0)
        page.last = (struct page_cursor){pg_row_int(result, page.n - 1, COLUMN_AT_US, 0),
                                         arena_dup(call->arena, entries[page.n - 1].id)};
    call->done.audit(call->arg, err == NULL ? &page : NULL, err);
    store_call_end(call);
}

static struct op *audit_list(void *self, const struct audit_query *query, ms_t timeout_ms, store_on_audit *done,
                             void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.audit = done;
    struct pg_params *p = pg_params_new();
    store_page_ask(call, p, query->limit, AUDIT_PER_PAGE, &query->after);
    pg_add_str(p, query->user_id);
    pg_add_str(p, query->project_id);
    pg_add_str(p, query->of_user_id);
    pg_add_str(p, query->action);
    if (query->status_class >= 0)
        pg_add_int(p, query->status_class);
    else
        pg_add_null(p);
    pg_add_int_or_null(p, query->status);
    pg_add_int_or_null(p, query->since_ms);
    pg_add_int_or_null(p, query->until_ms);
    return store_call_query(call, SQL_LIST, p, on_list);
}

void audit_repo_fill(struct port_store *port)
{
    port->audit.write = audit_write;
    port->audit.clean = audit_clean;
    port->audit.list = audit_list;
}
