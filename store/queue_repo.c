// SPDX-License-Identifier: MIT
/* The queue of creations: one call of fs_queue_admit. */
#include "store/store_private.h"
#include "store/store_rows.h"

/* Between two events of one creation, and how long after the time it spoke of an event is stale. */
enum { TELL_MAX = 100, TELL_GAP_MS = 2000, TELL_LATE_MS = 30000 };

#define SQL_ADMIT                                                                                                      \
    "SELECT waiting, " ROWS_FLOW ", " ROWS_EVENT                                                                       \
    " FROM fs_queue_admit($1::text, $2::bigint[], $3::text[], $4::bigint[], $5::bigint, $6::bigint, $7::boolean, "     \
    "$8::boolean) AS f (waiting, s, p, d, j)"

enum { COLUMN_FLOW = 1, COLUMN_EVENT = COLUMN_FLOW + ROWS_FLOW_N };

struct reading {
    struct flow_row *rows;
    struct db_credentials *credentials;
    size_t n;
    struct journal_event *events;
    size_t n_events;
};

/* Each row has an event, those of a creation whose turn came a flow as well. */
static bool read_row(struct store_call *call, const struct pg_result *r, size_t row, struct reading *ret,
                     struct err *reterr)
{
    struct journal_event *event = &ret->events[ret->n_events];
    if (pg_row_is_null(r, row, COLUMN_EVENT))
        return true;
    if (!rows_event((struct rows_at){r, row, COLUMN_EVENT}, event, reterr))
        return false;
    ret->n_events++;
    store_cache_drop_status(call->store, event->owner_id, event->project_id);
    if (pg_row_is_null(r, row, COLUMN_FLOW))
        return true;
    size_t i = ret->n++;
    return flow_repo_read(call, (struct rows_at){r, row, COLUMN_FLOW}, &ret->rows[i], &ret->credentials[i], reterr);
}

static void on_admitted(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    struct reading got = {.rows = arena_alloc(call->arena, (n + 1) * sizeof(*got.rows)),
                          .credentials = arena_alloc(call->arena, (n + 1) * sizeof(*got.credentials)),
                          .events = arena_alloc(call->arena, (n + 1) * sizeof(*got.events))};
    struct queue_answer answer = {0};
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = read_row(call, result, i, &got, &mine);
    if (is_ok)
        answer =
            (struct queue_answer){got.rows, got.n, got.events, got.n_events, (unsigned)pg_row_int(result, 0, 0, 0)};
    call->done.queue(call->arg, &answer, is_ok ? NULL : &mine);
    for (size_t i = 0; i < got.n; i++)
        db_credentials_fini(&got.credentials[i]);
    store_call_end(call);
}

static struct op *queue_admit(void *self, const struct queue_look *look, ms_t timeout_ms, store_on_queue *done,
                              void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.queue = done;
    struct pg_params *p = pg_params_new();
    const int64_t most[] = {look->max,   look->replica_creations_max, look->creations_max, TELL_MAX, TELL_GAP_MS,
                            TELL_LATE_MS};
    pg_add_text(p, s->replica_id);
    pg_add_ints(p, most, sizeof(most) / sizeof(most[0]));
    pg_add_texts(p, look->clusters, look->clusters_n);
    pg_add_ints(p, look->cluster_creations_max, look->clusters_n);
    pg_add_int(p, look->usual_ms);
    pg_add_int(p, look->now_ms);
    pg_add_bool(p, look->is_telling);
    pg_add_bool(p, journal_repo_must_notify(s));
    return store_call_query(call, SQL_ADMIT, p, on_admitted);
}

void queue_repo_fill(struct port_store *port)
{
    port->queue_admit = queue_admit;
}
