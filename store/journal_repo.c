// SPDX-License-Identifier: MIT
/* The journal: written with the rows it tells of, read by number, announced to the other replicas. */
#include "core/base/log.h"
#include "store/store_event.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { READ_MAX = 500, EVENTS_MAX = 256 };

/* One row without an event when nothing is there, so that the newest number is always told. The journal of one project
 * has an index of its own, hence two statements. */
#define SQL_READ(condition)                                                                                            \
    "SELECT c.seq, " ROWS_EVENT                                                                                        \
    " FROM (SELECT coalesce((SELECT seq FROM journal_counters WHERE owner_id = $1::text), "                            \
    "0) AS seq) c LEFT JOIN (SELECT * FROM journal WHERE " condition                                                   \
    " AND seq > $2::bigint AND ($3::integer = 0 OR attempt = $3::integer) ORDER BY seq LIMIT $4::integer) j ON true "  \
    "ORDER BY j.seq"
#define SQL_READ_OWNER   SQL_READ("owner_id = $1::text")
#define SQL_READ_PROJECT SQL_READ("project_id = $5::text AND owner_id = $1::text")

#define SQL_USUAL                                                                                                      \
    "SELECT w.stage, percentile_disc(0.5) WITHIN GROUP (ORDER BY j.duration_ms) FROM unnest($1::text[]) AS w "         \
    "(stage), "                                                                                                        \
    "LATERAL (SELECT duration_ms FROM journal WHERE kind = 'stage' AND stage_status = 'completed' "                    \
    "AND duration_ms IS NOT NULL AND stage = w.stage ORDER BY at DESC LIMIT 50) j GROUP BY w.stage"

/* ---- writing ---- */

void journal_repo_add_events(struct pg_params *p, const struct journal_event *events, size_t n)
{
    enum { TEXTS_N = 7 };
    struct arena *a = arena_new();
    struct str *texts[TEXTS_N];
    if (n > EVENTS_MAX) {
        pg_params_refuse(p, ERR_TOO_LARGE);
        n = 0;
    }
    for (size_t i = 0; i < TEXTS_N; i++)
        texts[i] = arena_alloc(a, (n + 1) * sizeof(struct str));
    int64_t *ats = arena_alloc(a, (n + 1) * sizeof(*ats));
    int64_t *durations = arena_alloc(a, (n + 1) * sizeof(*durations));
    for (size_t i = 0; i < n; i++) {
        const struct journal_event *e = &events[i];
        bool is_stage = e->kind == JOURNAL_STAGE;
        bool is_done = e->kind == JOURNAL_DONE;
        texts[0][i] = str_from(rows_kind_id(e->kind));
        texts[1][i] = is_stage ? str_from(stage_id(e->stage)) : STR_NONE;
        texts[2][i] = is_stage ? str_from(stage_status_id(e->stage_status)) : STR_NONE;
        texts[3][i] = is_stage ? STR_NONE : str_from(sandbox_status_row(e->status));
        texts[4][i] = is_done ? str_from(outcome_id(e->outcome)) : STR_NONE;
        texts[5][i] = str_from(reason_id(e->code));
        texts[6][i] = str_from(e->message);
        ats[i] = e->at_ms;
        durations[i] = e->duration_ms;
    }
    for (size_t i = 0; i < TEXTS_N; i++)
        pg_add_texts(p, texts[i], n);
    pg_add_ints(p, ats, n);
    pg_add_ints(p, durations, n);
    arena_free(a);
}

bool journal_repo_must_notify(const struct store *s)
{
    return s->redis == NULL || !redis_is_up(s->redis);
}

/* ---- reading ---- */

static void on_journal(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    if (n == 1 && pg_row_is_null(result, 0, 1))
        n = 0;
    struct journal_event *events = arena_alloc(call->arena, (n + 1) * sizeof(*events));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = rows_event((struct rows_at){result, i, 1}, &events[i], &mine);
    if (is_ok)
        call->done.journal(call->arg, events, n, (uint64_t)pg_row_int(result, 0, 0, 0), NULL);
    else
        call->done.journal(call->arg, NULL, 0, 0, &mine);
    store_call_end(call);
}

static struct op *journal_read(void *self, const struct journal_query *query, ms_t timeout_ms, store_on_journal *done,
                               void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.journal = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, query->owner_id);
    pg_add_int(p, query->after < INT64_MAX ? (int64_t)query->after : INT64_MAX);
    pg_add_int(p, query->attempt);
    pg_add_int(p, query->limit < 1 ? 1 : query->limit < READ_MAX ? query->limit : READ_MAX);
    if (query->project_id == NULL)
        return store_call_query(call, SQL_READ_OWNER, p, on_journal);
    pg_add_text(p, query->project_id);
    return store_call_query(call, SQL_READ_PROJECT, p, on_journal);
}

static void on_usual(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct stage_usual usual[STAGE_N];
    for (size_t i = 0; i < STAGE_N; i++)
        usual[i].p50_ms = -1;
    for (size_t i = 0; i < pg_row_count(result); i++) {
        enum stage stage;
        if (stage_parse(pg_row_str(result, i, 0), &stage))
            usual[stage].p50_ms = pg_row_int(result, i, 1, -1);
    }
    call->done.usual(call->arg, usual, err);
    store_call_end(call);
}

static struct op *stage_usual(void *self, ms_t timeout_ms, store_on_usual *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.usual = done;
    struct str ids[STAGE_N];
    for (size_t i = 0; i < STAGE_N; i++)
        ids[i] = str_from(stage_id((enum stage)i));
    struct pg_params *p = pg_params_new();
    pg_add_texts(p, ids, STAGE_N);
    return store_call_query(call, SQL_USUAL, p, on_usual);
}

/* ---- between replicas ---- */

static void journal_publish(void *self, const struct journal_event *event)
{
    struct store *s = self;
    if (s->redis == NULL || !redis_is_up(s->redis))
        return; /* the row's own NOTIFY has told them */
    struct json_writer *w = jw_new(STORE_EVENT_BYTES_MAX);
    struct str json;
    struct err err = {0};
    if (!store_event_write(w, s->replica_id, event, &json, &err))
        LOG(WARN, "event not published", KV("project", (const char *)event->project_id),
            KV("err", (const struct err *)&err));
    else
        (void)redis_publish(s->redis, STORE_REDIS_CHANNEL, json);
    jw_free(w);
}

static void journal_subscribe(void *self, store_on_foreign_event *on_event, void *arg)
{
    struct store *s = self;
    s->on_event = on_event;
    s->event_arg = arg;
}

void journal_repo_heard(struct store *s, struct str payload)
{
    struct arena *a = arena_new();
    struct journal_event event;
    struct str replica;
    struct err err = {0};
    struct str ended = store_event_ended(a, payload);
    if (!str_is_none(ended)) {
        identity_repo_ended(s, ended);
    } else if (!store_event_read(a, payload, &event, &replica, &err)) {
        bool is_freed = store_event_is_freed(a, payload, &replica);
        if (!is_freed)
            LOG(WARN, "message not understood", KV("err", (const struct err *)&err));
        else if (!str_eq_text(replica, s->replica_id) && s->on_freed != NULL)
            s->on_freed(s->freed_arg);
    } else if (!str_eq_text(replica, s->replica_id)) {
        store_cache_drop_status(s, event.owner_id, event.project_id);
        if (s->on_event != NULL)
            s->on_event(s->event_arg, &event);
    }
    arena_free(a);
}

void journal_repo_fill(struct port_store *port)
{
    port->journal_read = journal_read;
    port->stage_usual = stage_usual;
    port->journal_publish = journal_publish;
    port->journal_subscribe = journal_subscribe;
}
