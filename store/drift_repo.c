// SPDX-License-Identifier: MIT
/* Sandboxes that should run and are led by nobody: which they are, and what was seen of them. */
#include "store/drift_repo.h"

#include "store/store_private.h"
#include "store/store_rows.h"

enum { LIST_MAX = 1000, COLUMN_NOW = ROWS_SANDBOX_N };
enum { COLUMN_RESULT, COLUMN_WAIT, COLUMN_IS_WATCHED, COLUMN_SANDBOX, COLUMN_EVENT = COLUMN_SANDBOX + ROWS_SANDBOX_N };

/* The first conditions are those of the index. */
#define SQL_WATCHED                                                                                                    \
    "SELECT " ROWS_SANDBOX ", fs_ms(now()) FROM sandboxes s JOIN projects p ON p.id = s.project_id "                   \
    "LEFT JOIN databases d ON d.project_id = s.project_id WHERE s.is_settled AND s.desired = 'running' "               \
    "AND s.status IN ('RUNNING', 'ERROR') AND fs_is_watched(s) AND s.project_id > $1::text "                           \
    "AND ($3::boolean OR s.project_id = ANY ($4::text[])) ORDER BY s.project_id LIMIT $2::integer"

#define SQL_NOTE                                                                                                       \
    "SELECT result, wait, fs_is_watched(s) OR result = 'told', " ROWS_SANDBOX ", " ROWS_EVENT                          \
    " FROM fs_drift_note($1::text, $2::text, $3::integer, $4::bigint, $5::text, $6::text, $7::text, $8::bigint, "      \
    "$9::boolean, $10::bigint, $11::bigint, $12::bigint) AS f (result, wait, s, p, d, j)"

static const char *const wishes[] = {[DRIFT_REPORT] = "report", [DRIFT_REPAIR] = "repair", [DRIFT_HEALED] = "healed"};

/* ---- which they are ---- */

static void on_watched(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    struct sandbox *rows = arena_alloc(call->arena, (n + 1) * sizeof(*rows));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = rows_sandbox((struct rows_at){result, i, 0}, &rows[i], &mine);
    int64_t now_ms = is_ok && n > 0 ? pg_row_int(result, 0, COLUMN_NOW, 0) : 0;
    call->done.watched(call->arg, is_ok ? rows : NULL, is_ok ? n : 0, now_ms, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *watched_list(void *self, const struct watched_query *query, ms_t timeout_ms, store_on_watched *done,
                               void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.watched = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, query->after);
    pg_add_int(p, query->max < LIST_MAX ? query->max : LIST_MAX);
    pg_add_bool(p, query->ids == NULL);
    pg_add_texts(p, query->ids, query->ids_n);
    return store_call_query(call, SQL_WATCHED, p, on_watched);
}

/* ---- what was seen ---- */

struct answer {
    enum drift_result result;
    ms_t wait_ms;
    bool has_sandbox;
    struct sandbox sandbox;
    struct journal_event event;
};

static bool read_answer(const struct pg_result *r, struct answer *ret, struct err *reterr)
{
    static const char *const ids[] = {[DRIFT_TOLD] = "told", [DRIFT_LATER] = "later", [DRIFT_OTHER] = "other"};
    size_t i = 0;
    while (i < sizeof(ids) / sizeof(ids[0]) && !str_eq_text(pg_row_str(r, 0, COLUMN_RESULT), ids[i]))
        i++;
    if (i == sizeof(ids) / sizeof(ids[0]))
        return err_set(reterr, ERR_BUG, __func__, "fs_drift_note said something unknown");
    ret->result = (enum drift_result)i;
    ret->wait_ms = pg_row_int(r, 0, COLUMN_WAIT, 0);
    ret->has_sandbox = pg_row_bool(r, 0, COLUMN_IS_WATCHED);
    return (!ret->has_sandbox || rows_sandbox((struct rows_at){r, 0, COLUMN_SANDBOX}, &ret->sandbox, reterr)) &&
           (ret->result != DRIFT_TOLD || rows_event((struct rows_at){r, 0, COLUMN_EVENT}, &ret->event, reterr));
}

static void on_noted(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct answer *answer = arena_alloc(call->arena, sizeof(*answer));
    struct err mine = {0};
    err_copy(&mine, err);
    if (err != NULL || !read_answer(result, answer, &mine)) {
        call->done.drift(call->arg, DRIFT_OTHER, 0, NULL, NULL, &mine);
        store_call_end(call);
        return;
    }
    bool is_told = answer->result == DRIFT_TOLD;
    if (is_told)
        store_cache_drop_status(call->store, answer->event.owner_id, answer->event.project_id);
    call->done.drift(call->arg, answer->result, answer->wait_ms, answer->has_sandbox ? &answer->sandbox : NULL,
                     is_told ? &answer->event : NULL, NULL);
    store_call_end(call);
}

static struct op *drift_note(void *self, const struct drift_note *note, ms_t timeout_ms, store_on_drift *done,
                             void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.drift = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, note->project_id);
    pg_add_text(p, s->replica_id);
    pg_add_int(p, note->attempt);
    pg_add_int(p, note->fence);
    pg_add_text(p, wishes[note->wish]);
    pg_add_text(p, reason_id(note->code));
    pg_add_text(p, note->message);
    pg_add_int(p, note->now_ms);
    pg_add_bool(p, journal_repo_must_notify(s));
    pg_add_int(p, note->pace_ms);
    pg_add_int(p, note->pace_cap_ms);
    pg_add_int(p, note->calm_ms);
    return store_call_query(call, SQL_NOTE, p, on_noted);
}

void drift_repo_fill(struct port_store *port)
{
    port->watched_list = watched_list;
    port->drift_note = drift_note;
}
