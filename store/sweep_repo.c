// SPDX-License-Identifier: MIT
/* The sweep's rows: who compares a cluster, what the rows say of its objects, what was found; and the end of failed
 * creations that nobody tried again. */
#include "core/sweep_report.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { MATCH_MAX = 1000, PLACES_MAX = 1000, REPORT_MAX = 5000, EXPIRE_MAX = 200 };

#define SQL_BEGIN "SELECT out_begun, out_now_ms FROM fs_sweep_begin($1::text, $2::text, $3::bigint, $4::bigint)"

#define SQL_MATCH                                                                                                      \
    "SELECT out_is_ours, out_has_row, out_status, out_is_settled, out_name, out_database, out_seen_ms, out_now_ms "    \
    "FROM fs_sweep_match($1::text, $2::text[], $3::text[], $4::text[], $5::text[])"

#define SQL_PLACES                                                                                                     \
    "SELECT s.project_id, s.name, d.name, s.workload, s.status, d.password_box IS NOT NULL FROM sandboxes s "          \
    "JOIN projects p ON p.id = s.project_id JOIN databases d ON d.project_id = s.project_id "                          \
    "WHERE (p.cluster = $1::text OR p.cluster = ANY (string_to_array(replace($2::text, ' ', ''), ','))) "              \
    "AND s.namespace_name = $3::text AND s.is_settled AND s.updated_at < fs_at($4::bigint) "                           \
    "AND s.project_id > $5::text ORDER BY s.project_id LIMIT $6::integer"

#define SQL_END                                                                                                        \
    "SELECT fs_sweep_end($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::text, $7::text[], $8::text[], "       \
    "$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])"

/* One row per finding, and one for a cluster without any. */
#define SQL_REPORT                                                                                                     \
    "SELECT w.cluster, w.result, w.detail, w.objects_n, w.counts, fs_ms(w.ended_at), f.kind, f.name, f.uid, "          \
    "f.project_id, f.verdict, f.detail, fs_ms(f.made_at), fs_ms(f.first_seen_at) FROM sweeps w "                       \
    "LEFT JOIN sweep_findings f ON f.cluster = w.cluster ORDER BY w.cluster, f.verdict, f.kind, f.name "               \
    "LIMIT $1::integer"

#define SQL_EXPIRE "SELECT " ROWS_EVENT " FROM fs_failed_expire($1::text, $2::bigint, $3::bigint, $4::boolean) AS j"

/* ---- who compares ---- */

static void on_begun(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    call->done.sweep_begun(call->arg, err == NULL && pg_row_bool(result, 0, 0),
                           err == NULL ? pg_row_int(result, 0, 1, -1) : -1, err);
    store_call_end(call);
}

static struct op *sweep_begin(void *self, const char *cluster, ms_t age_ms, ms_t lease_ms, ms_t timeout_ms,
                              store_on_sweep_begun *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    struct pg_params *p = pg_params_new();
    call->done.sweep_begun = done;
    pg_add_text(p, cluster);
    pg_add_text(p, s->replica_id);
    pg_add_int(p, age_ms);
    pg_add_int(p, lease_ms);
    return store_call_query(call, SQL_BEGIN, p, on_begun);
}

/* ---- objects to rows ---- */

static bool read_match(const struct pg_result *r, size_t i, struct sweep_row *ret, struct err *reterr)
{
    *ret = (struct sweep_row){
        .is_ours = pg_row_bool(r, i, 0),
        .has_row = pg_row_bool(r, i, 1),
        .is_settled = pg_row_bool(r, i, 3),
        .name = pg_row_str(r, i, 4),
        .database_name = pg_row_str(r, i, 5),
        .first_seen_ms = pg_row_time_ms(r, i, 6),
    };
    if (ret->has_row && !sandbox_status_parse(pg_row_str(r, i, 2), &ret->status))
        return err_set(reterr, ERR_BUG, __func__, "the row of a sandbox holds an unknown status");
    return true;
}

static void on_match(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    struct sweep_row *rows = arena_alloc(call->arena, (n + 1) * sizeof(*rows));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = read_match(result, i, &rows[i], &mine);
    call->done.sweep_match(call->arg, is_ok ? rows : NULL, is_ok ? n : 0, pg_row_int(result, 0, 7, -1),
                           is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *sweep_match(void *self, const char *cluster, const struct surveyed *objects, size_t n,
                              ms_t timeout_ms, store_on_sweep_match *done, void *arg)
{
    enum { COLUMNS_N = 4 };
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    struct pg_params *p = pg_params_new();
    struct str *columns[COLUMNS_N];
    call->done.sweep_match = done;
    if (n > MATCH_MAX) {
        pg_params_refuse(p, ERR_TOO_LARGE);
        n = 0;
    }
    for (size_t i = 0; i < COLUMNS_N; i++)
        columns[i] = arena_alloc(call->arena, (n + 1) * sizeof(struct str));
    for (size_t i = 0; i < n; i++) {
        columns[0][i] = str_from(survey_kind_text(objects[i].kind));
        columns[1][i] = objects[i].name;
        columns[2][i] = objects[i].uid;
        columns[3][i] = objects[i].project_id;
    }
    pg_add_text(p, cluster);
    for (size_t i = 0; i < COLUMNS_N; i++)
        pg_add_texts(p, columns[i], n);
    return store_call_query(call, SQL_MATCH, p, on_match);
}

/* ---- rows to objects ---- */

static bool read_place(const struct pg_result *r, size_t i, struct sweep_place *ret, struct err *reterr)
{
    *ret = (struct sweep_place){.claim.has_had_database = pg_row_bool(r, i, 5)};
    if (!workload_parse(pg_row_str(r, i, 3), &ret->workload) ||
        !sandbox_status_parse(pg_row_str(r, i, 4), &ret->claim.status))
        return err_set(reterr, ERR_BUG, __func__, "the row of a sandbox holds an unknown status or kind");
    return pg_row_copy(r, i, 0, ret->project_id, sizeof(ret->project_id), reterr) &&
           pg_row_copy(r, i, 1, ret->name, sizeof(ret->name), reterr) &&
           pg_row_copy(r, i, 2, ret->database_name, sizeof(ret->database_name), reterr);
}

static void on_places(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    struct sweep_place *places = arena_alloc(call->arena, (n + 1) * sizeof(*places));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = read_place(result, i, &places[i], &mine);
    call->done.sweep_places(call->arg, is_ok ? places : NULL, is_ok ? n : 0, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *sweep_places(void *self, const struct sweep_places_query *query, ms_t timeout_ms,
                               store_on_sweep_places *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    struct pg_params *p = pg_params_new();
    call->done.sweep_places = done;
    pg_add_text(p, query->cluster);
    pg_add_text(p, query->former_names);
    pg_add_text(p, query->namespace_name);
    pg_add_int(p, query->before_ms);
    pg_add_text(p, query->after_project_id);
    pg_add_int(p, query->max < PLACES_MAX ? query->max : PLACES_MAX);
    return store_call_query(call, SQL_PLACES, p, on_places);
}

/* ---- the end of a comparison ---- */

static void on_ended(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    call->done.sweep_ended(call->arg, err == NULL && pg_row_bool(result, 0, 0), err);
    store_call_end(call);
}

static void add_findings(struct pg_params *p, const struct sweep_outcome *outcome)
{
    enum { COLUMNS_N = 6 };
    struct arena *a = arena_new();
    size_t n = outcome->findings_n;
    struct str *columns[COLUMNS_N];
    int64_t *mades = arena_alloc(a, (n + 1) * sizeof(*mades));
    for (size_t i = 0; i < COLUMNS_N; i++)
        columns[i] = arena_alloc(a, (n + 1) * sizeof(struct str));
    for (size_t i = 0; i < n; i++) {
        const struct sweep_finding *f = &outcome->findings[i];
        columns[0][i] = str_from(f->kind);
        columns[1][i] = str_from(f->name);
        columns[2][i] = str_from(f->uid);
        columns[3][i] = str_from(f->project_id);
        columns[4][i] = str_from(sweep_verdict_id(f->verdict));
        columns[5][i] = str_from(f->detail);
        mades[i] = f->made_ms;
    }
    for (size_t i = 0; i < COLUMNS_N; i++)
        pg_add_texts(p, columns[i], n);
    pg_add_ints(p, mades, n);
    arena_free(a);
}

static struct op *sweep_end(void *self, const struct sweep_outcome *outcome, ms_t timeout_ms,
                            store_on_sweep_ended *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    const struct sweep_summary *summary = outcome->summary;
    struct pg_params *p = pg_params_new();
    char counts[SWEEP_COUNTS_SIZE];
    struct str kinds[SURVEY_N];
    size_t kinds_n = 0;
    call->done.sweep_ended = done;
    for (size_t i = 0; i < SURVEY_N; i++) {
        if ((outcome->looked_at >> i & 1) != 0)
            kinds[kinds_n++] = str_from(survey_kind_text((enum survey_kind)i));
    }
    sweep_counts_format(summary->counts, counts);
    pg_add_text(p, summary->cluster);
    pg_add_text(p, s->replica_id);
    pg_add_text(p, sweep_result_id(summary->result));
    pg_add_text(p, summary->detail);
    pg_add_int(p, (int64_t)summary->objects_n);
    pg_add_text(p, counts);
    pg_add_texts(p, kinds, kinds_n);
    add_findings(p, outcome);
    return store_call_query(call, SQL_END, p, on_ended);
}

/* ---- reading ---- */

static const char *text_of(struct arena *a, const struct pg_result *r, size_t i, int column)
{
    struct str text = pg_row_str(r, i, column);
    return arena_dup(a, str_is_none(text) ? STR("") : text);
}

static bool read_summary(struct arena *a, const struct pg_result *r, size_t i, struct sweep_summary *ret)
{
    *ret = (struct sweep_summary){
        .cluster = text_of(a, r, i, 0),
        .detail = text_of(a, r, i, 2),
        .objects_n = (uint64_t)pg_row_int(r, i, 3, 0),
        .ended_ms = pg_row_time_ms(r, i, 5),
    };
    sweep_counts_parse(pg_row_str(r, i, 4), ret->counts);
    return sweep_result_parse(pg_row_str(r, i, 1), &ret->result);
}

static bool read_finding(struct arena *a, const struct pg_result *r, size_t i, struct sweep_finding *ret)
{
    *ret = (struct sweep_finding){
        .cluster = text_of(a, r, i, 0),
        .kind = text_of(a, r, i, 6),
        .name = text_of(a, r, i, 7),
        .uid = text_of(a, r, i, 8),
        .project_id = text_of(a, r, i, 9),
        .detail = text_of(a, r, i, 11),
        .made_ms = pg_row_time_ms(r, i, 12),
        .first_seen_ms = pg_row_time_ms(r, i, 13),
    };
    return sweep_verdict_parse(pg_row_str(r, i, 10), &ret->verdict);
}

static bool read_report(struct arena *a, const struct pg_result *r, struct sweep_report *ret, struct err *reterr)
{
    size_t n = pg_row_count(r);
    struct sweep_summary *clusters = arena_alloc(a, (n + 1) * sizeof(*clusters));
    struct sweep_finding *findings = arena_alloc(a, (n + 1) * sizeof(*findings));
    bool is_ok = true;
    *ret = (struct sweep_report){.clusters = clusters, .findings = findings};
    for (size_t i = 0; i < n && is_ok; i++) {
        bool is_next = i == 0 || !str_eq(pg_row_str(r, i, 0), pg_row_str(r, i - 1, 0));
        is_ok = !is_next || read_summary(a, r, i, &clusters[ret->clusters_n++]);
        if (is_ok && !pg_row_is_null(r, i, 6))
            is_ok = read_finding(a, r, i, &findings[ret->findings_n++]);
    }
    return is_ok || err_set(reterr, ERR_BUG, __func__, "a row of the sweep holds an unknown result or verdict");
}

static void on_report(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct sweep_report report;
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_report(call->arena, result, &report, &mine);
    call->done.sweep_report(call->arg, is_ok ? &report : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *sweep_read(void *self, ms_t timeout_ms, store_on_sweep_report *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    struct pg_params *p = pg_params_new();
    call->done.sweep_report = done;
    pg_add_int(p, REPORT_MAX);
    return store_call_query(call, SQL_REPORT, p, on_report);
}

/* ---- failed creations ---- */

static void on_expired(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    size_t n = pg_row_count(result);
    struct journal_event *events = arena_alloc(call->arena, (n + 1) * sizeof(*events));
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL;
    for (size_t i = 0; i < n && is_ok; i++) {
        is_ok = rows_event((struct rows_at){result, i, 0}, &events[i], &mine);
        if (is_ok)
            store_cache_drop_status(call->store, events[i].owner_id, events[i].project_id);
    }
    call->done.saved(call->arg, is_ok ? events : NULL, is_ok ? n : 0, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *failed_expire(void *self, ms_t grace_ms, unsigned max, ms_t timeout_ms, store_on_saved *done,
                                void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    struct pg_params *p = pg_params_new();
    call->done.saved = done;
    pg_add_text(p, s->replica_id);
    pg_add_int(p, grace_ms);
    pg_add_int(p, max < EXPIRE_MAX ? max : EXPIRE_MAX);
    pg_add_bool(p, journal_repo_must_notify(s));
    return store_call_query(call, SQL_EXPIRE, p, on_expired);
}

void sweep_repo_fill(struct port_store *port)
{
    port->failed_expire = failed_expire;
    port->sweep_begin = sweep_begin;
    port->sweep_match = sweep_match;
    port->sweep_places = sweep_places;
    port->sweep_end = sweep_end;
    port->sweep_read = sweep_read;
}
