// SPDX-License-Identifier: MIT
/* Project variables are rows with a sealed value each; the request's are one sealed JSON array [key, value, key, …]. */
#include "store/environment_repo.h"

#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "store/store_rows.h"

static const struct json_limits env_limits = {.max_bytes = ROWS_BOX_BYTES_MAX, .max_depth = 2, .max_nodes = 20000};

/* The request's variables come last, so that they win. */
#define SQL_ENV                                                                                                        \
    "SELECT id, key, value_box FROM (SELECT 0 AS rank, id, key, value_box FROM environment WHERE project_id = "        \
    "$1::text "                                                                                                        \
    "UNION ALL SELECT 1, NULL, NULL, env_box FROM sandboxes WHERE project_id = $1::text AND env_box IS NOT NULL) e "   \
    "ORDER BY rank, key"

struct str environment_repo_aad(struct arena *a, const char *project_id, struct str key)
{
    return rows_aad(a, "environment", "value_box", arena_printf(a, "%s/%.*s", project_id, STR_ARG(key)));
}

bool environment_repo_add(struct pg_params *p, const struct store *s, const char *project_id,
                          const struct env_list *env, struct err *reterr)
{
    if (env == NULL) {
        pg_add_null(p);
        return true;
    }
    struct json_writer *w = jw_new(ROWS_BOX_BYTES_MAX);
    jw_array(w);
    for (size_t i = 0; i < env->n; i++) {
        jw_str(w, env->vars[i].key);
        jw_str(w, env->vars[i].value);
    }
    jw_array_end(w);
    struct str json;
    bool is_ok = jw_finish(w, &json, reterr);
    if (is_ok) {
        struct arena *a = arena_new();
        rows_add_box(p, s->ring, rows_aad(a, "sandboxes", "env_box", project_id), json);
        arena_free(a);
    }
    jw_free(w);
    return is_ok;
}

/* The variables found so far; a later one of the same key takes the place of the earlier. */
struct found {
    struct env_var *vars;
    size_t n;
    size_t room;
};

static void put(struct found *f, struct str key, struct str value)
{
    size_t i = 0;
    while (i < f->n && !str_eq(f->vars[i].key, key))
        i++;
    if (i == f->room)
        return;
    f->vars[i] = (struct env_var){key, value};
    f->n = i == f->n ? f->n + 1 : f->n;
}

static bool open_box(struct store_call *call, const struct pg_result *r, size_t row, struct str aad, struct str *ret,
                     struct err *reterr)
{
    struct str box;
    struct secret plain = SECRET_NONE;
    bool is_ok =
        pg_row_bytea(r, row, 2, call->arena, &box, reterr) && codec_open(call->store->ring, aad, box, &plain, reterr);
    if (is_ok)
        *ret = arena_dup_str(call->arena, secret_reveal(&plain));
    secret_fini(&plain);
    return is_ok;
}

static bool read_request(struct store_call *call, const struct pg_result *r, size_t row, struct found *f,
                         struct err *reterr)
{
    struct str json;
    if (!open_box(call, r, row, rows_aad(call->arena, "sandboxes", "env_box", call->project_id), &json, reterr))
        return false;
    const struct json_value *list = json_parse(call->arena, json, &env_limits, reterr);
    if (list == NULL)
        return false;
    size_t n = json_count(list) / 2;
    struct env_var *vars = arena_alloc(call->arena, (f->room + n + 1) * sizeof(*vars));
    for (size_t i = 0; i < f->n; i++)
        vars[i] = f->vars[i];
    f->vars = vars;
    f->room += n;
    const struct json_value *v = json_first(list);
    for (size_t i = 0; i < n; i++) {
        struct str key = json_str(v);
        v = json_next(v);
        put(f, key, json_str(v));
        v = json_next(v);
    }
    return true;
}

static bool read_rows(struct store_call *call, const struct pg_result *r, struct found *f, struct err *reterr)
{
    size_t n = pg_row_count(r);
    f->vars = arena_alloc(call->arena, (n + 1) * sizeof(*f->vars));
    f->room = n;
    for (size_t i = 0; i < n; i++) {
        if (pg_row_is_null(r, i, 0)) {
            if (!read_request(call, r, i, f, reterr))
                return false;
            continue;
        }
        struct str key = arena_dup_str(call->arena, pg_row_str(r, i, 1));
        struct str value;
        if (!open_box(call, r, i, environment_repo_aad(call->arena, call->project_id, key), &value, reterr))
            return false;
        put(f, key, value);
    }
    return true;
}

static void on_env(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct found found = {0};
    struct err mine = {0};
    err_copy(&mine, err);
    bool is_ok = err == NULL && read_rows(call, result, &found, &mine);
    const struct env_list list = {found.vars, found.n};
    call->done.env(call->arg, is_ok ? &list : NULL, is_ok ? NULL : &mine);
    store_call_end(call);
}

static struct op *env_of(void *self, const char *project_id, ms_t timeout_ms, store_on_env *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.env = done;
    call->project_id = arena_dup(call->arena, str_from(project_id));
    struct pg_params *p = pg_params_new();
    pg_add_text(p, project_id);
    return store_call_query(call, SQL_ENV, p, on_env);
}

void environment_repo_fill(struct port_store *port)
{
    port->env_of = env_of;
}
