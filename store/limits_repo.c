// SPDX-License-Identifier: MIT
/* Limits of projects and what is heard of their use. */
#include "store/store_private.h"
#include "store/store_rows.h"

#define SQL_LOOK                                                                                                       \
    "SELECT verdict, " ROWS_EVENT " FROM fs_limits_look($1::text, $2::bigint, $3::bigint, $4::bigint, $5::boolean, "   \
    "$6::boolean) AS f (verdict, j)"
/* The row of a project that has none is made up. */
#define LIMITS_COLUMNS                                                                                                 \
    "(l).idle_stop_ms, (l).max_age_ms, fs_limit((l).idle_stop_ms, $3::bigint, $5::boolean), "                          \
    "fs_limit((l).max_age_ms, $4::bigint, $5::boolean), fs_ms((l).active_at), "                                        \
    "CASE WHEN s.status = 'RUNNING' AND s.attempt = (l).stops_attempt THEN fs_ms((l).stops_at) END, (l).stops_why "
#define SQL_GET                                                                                                        \
    "SELECT " LIMITS_COLUMNS "FROM projects p LEFT JOIN project_limits l ON l.project_id = p.id "                      \
    "LEFT JOIN sandboxes s ON s.project_id = p.id WHERE p.id = $2::text AND p.owner_id = $1::text"
#define SQL_SET                                                                                                        \
    "SELECT " LIMITS_COLUMNS "FROM fs_limits_set($1::text, $2::text, $6::bigint, $7::bigint) l "                       \
    "LEFT JOIN sandboxes s ON s.project_id = l.project_id"
#define SQL_ACTIVITY "SELECT fs_activity($1::text[], $2::text[], $3::bigint[])"

/* ---- looking ---- */

static bool parse_verdict(struct str text, enum limits_verdict *ret)
{
    static const char *const ids[] = {[LIMITS_OFF] = "off",
                                      [LIMITS_NONE] = "none",
                                      [LIMITS_WARNED] = "warned",
                                      [LIMITS_KEPT] = "kept",
                                      [LIMITS_STOPPED] = "stopped"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (str_eq_text(text, ids[i])) {
            *ret = (enum limits_verdict)i;
            return true;
        }
    }
    return false;
}

static bool read_look(const struct pg_result *r, enum limits_verdict *ret, struct journal_event *ret_event,
                      struct err *reterr)
{
    if (!parse_verdict(pg_row_str(r, 0, 0), ret))
        return err_set(reterr, ERR_BUG, __func__, "fs_limits_look said something unknown");
    return *ret < LIMITS_WARNED || rows_event((struct rows_at){r, 0, 1}, ret_event, reterr);
}

static void on_look(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    enum limits_verdict verdict = LIMITS_NONE;
    struct journal_event event;
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_look(result, &verdict, &event, &mine);
    bool has_event = is_ok && verdict >= LIMITS_WARNED;
    call->done.limits_look(call->arg, verdict, has_event ? &event : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *limits_look(void *self, const struct limits_settings *settings, ms_t timeout_ms,
                              store_on_limits_look *done, void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    call->done.limits_look = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, s->replica_id);
    pg_add_int(p, settings->idle_stop_ms);
    pg_add_int(p, settings->max_age_ms);
    pg_add_int(p, settings->warning_ms);
    pg_add_bool(p, settings->may_extend);
    pg_add_bool(p, journal_repo_must_notify(s));
    return store_call_query(call, SQL_LOOK, p, on_look);
}

/* ---- an owner's own ---- */

static void on_limits(void *arg, const struct pg_result *r, const struct err *err)
{
    struct store_call *call = arg;
    struct project_limits limits = {0};
    struct err mine;
    bool is_found = store_found(r, err, "Project not found", &mine);
    if (is_found)
        limits = (struct project_limits){.own_idle_stop_ms = pg_row_int(r, 0, 0, -1),
                                         .own_max_age_ms = pg_row_int(r, 0, 1, -1),
                                         .idle_stop_ms = pg_row_int(r, 0, 2, 0),
                                         .max_age_ms = pg_row_int(r, 0, 3, 0),
                                         .active_ms = pg_row_time_ms(r, 0, 4),
                                         .stops_ms = pg_row_time_ms(r, 0, 5),
                                         .is_stop_for_age = str_eq_text(pg_row_str(r, 0, 6), "age")};
    call->done.limits(call->arg, is_found ? &limits : NULL, is_found ? NULL : &mine);
    store_call_end(call);
}

static struct pg_params *limits_params(const char *owner_id, const char *project_id,
                                       const struct limits_settings *settings)
{
    struct pg_params *p = pg_params_new();
    pg_add_text(p, owner_id);
    pg_add_text(p, project_id);
    pg_add_int(p, settings->idle_stop_ms);
    pg_add_int(p, settings->max_age_ms);
    pg_add_bool(p, settings->may_extend);
    return p;
}

static struct op *limits_get(void *self, const char *owner_id, const char *project_id,
                             const struct limits_settings *settings, ms_t timeout_ms, store_on_limits *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.limits = done;
    return store_call_query(call, SQL_GET, limits_params(owner_id, project_id, settings), on_limits);
}

static void add_own(struct pg_params *p, ms_t ms)
{
    if (ms >= 0)
        pg_add_int(p, ms);
    else
        pg_add_null(p);
}

static struct op *limits_set(void *self, const struct limits_wish *wish, ms_t timeout_ms, store_on_limits *done,
                             void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.limits = done;
    struct pg_params *p = limits_params(wish->owner_id, wish->project_id, wish->settings);
    add_own(p, wish->idle_stop_ms);
    add_own(p, wish->max_age_ms);
    return store_call_query(call, SQL_SET, p, on_limits);
}

/* ---- use ---- */

static void on_plain(void *arg, const struct pg_result *result, const struct err *err)
{
    (void)result;
    struct store_call *call = arg;
    call->done.plain(call->arg, err);
    store_call_end(call);
}

static struct op *activity_write(void *self, const struct activity_use *uses, size_t n, ms_t timeout_ms, op_done *done,
                                 void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct str *projects = arena_alloc(call->arena, (n + 1) * sizeof(*projects));
    struct str *owners = arena_alloc(call->arena, (n + 1) * sizeof(*owners));
    int64_t *ages = arena_alloc(call->arena, (n + 1) * sizeof(*ages));
    for (size_t i = 0; i < n; i++) {
        projects[i] = str_from(uses[i].project_id);
        owners[i] = str_from(uses[i].user_id);
        ages[i] = uses[i].age_ms;
    }
    struct pg_params *p = pg_params_new();
    pg_add_texts(p, projects, n);
    pg_add_texts(p, owners, n);
    pg_add_ints(p, ages, n);
    return store_call_query(call, SQL_ACTIVITY, p, on_plain);
}

void limits_repo_fill(struct port_store *port)
{
    port->limits_look = limits_look;
    port->limits_get = limits_get;
    port->limits_set = limits_set;
    port->activity_write = activity_write;
}
