// SPDX-License-Identifier: MIT
/* A project's variables as their owner sees and changes them; what a container gets is environment_repo.c's. */
#include "core/base/buf.h"
#include "store/environment_repo.h"
#include "store/store_rows.h"

/* What a Kubernetes Secret holds is 1 MiB; the request's variables and the server's own need room beside these. */
enum { VARIABLES_MAX = 512, BOXES_BYTES_MAX = 768 * 1024 };

#define COLUMNS                                                                                                        \
    "(e).id, (e).key, (e).value_box, (e).category, (e).is_secret, fs_ms((e).created_at), fs_ms((e).updated_at)"

/* One row without a variable when the project has none. */
#define SQL_LIST                                                                                                       \
    "SELECT 0, " COLUMNS " FROM projects p LEFT JOIN environment e ON e.project_id = p.id "                            \
    "AND e.category <> 'database' WHERE p.id = $1::text AND p.owner_id = $2::text ORDER BY e.key"

#define SQL_PUT                                                                                                        \
    "SELECT n, " COLUMNS " FROM fs_environment_put($1::text, $2::text, $3::text, $4::text[], $5::text[], "             \
    "$6::bytea[], $7::text[], $8::text[], $9::bigint, $10::bigint) AS f (n, e)"

#define SQL_DELETE                                                                                                     \
    "WITH gone AS (DELETE FROM environment e USING projects p WHERE e.id = $3::text AND e.project_id = $1::text "      \
    "AND e.category <> 'database' AND p.id = e.project_id AND p.owner_id = $2::text RETURNING e.project_id) "          \
    "UPDATE projects p SET updated_at = greatest(p.updated_at, now()) FROM gone WHERE p.id = gone.project_id "         \
    "RETURNING p.id"

enum { COLUMN_ID = 1, COLUMN_KEY, COLUMN_BOX, COLUMN_CATEGORY, COLUMN_SECRET, COLUMN_CREATED, COLUMN_UPDATED };

static bool read_variable(struct store_call *call, const struct pg_result *r, size_t row, struct variable *ret,
                          struct err *reterr)
{
    struct arena *a = call->arena;
    struct secret plain = SECRET_NONE;
    struct str box;
    ret->key = arena_dup_str(a, pg_row_str(r, row, COLUMN_KEY));
    ret->category = arena_dup_str(a, pg_row_str(r, row, COLUMN_CATEGORY));
    ret->is_secret = pg_row_bool(r, row, COLUMN_SECRET);
    ret->created_ms = pg_row_int(r, row, COLUMN_CREATED, 0);
    ret->updated_ms = pg_row_int(r, row, COLUMN_UPDATED, 0);
    bool is_ok =
        pg_row_copy(r, row, COLUMN_ID, ret->id, sizeof(ret->id), reterr) &&
        pg_row_bytea(r, row, COLUMN_BOX, a, &box, reterr) &&
        codec_open(call->store->ring, environment_repo_aad(a, call->project_id, ret->key), box, &plain, reterr);
    if (is_ok)
        ret->value = arena_dup_str(a, secret_reveal(&plain));
    secret_fini(&plain);
    return is_ok;
}

static void tell(struct store_call *call, const struct pg_result *result, struct err *err)
{
    size_t n = err->kind == ERR_NONE ? pg_row_count(result) : 0;
    if (n == 1 && pg_row_is_null(result, 0, COLUMN_ID))
        n = 0;
    struct variable *vars = arena_alloc(call->arena, (n + 1) * sizeof(*vars));
    for (size_t i = 0; i < n && err->kind == ERR_NONE; i++)
        (void)!read_variable(call, result, i, &vars[i], err);
    if (err->kind == ERR_NONE)
        call->done.variables(call->arg, vars, n, NULL);
    else
        call->done.variables(call->arg, NULL, 0, err);
    store_call_end(call);
}

static void on_variables(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine;
    (void)store_found(result, err, "Project not found", &mine);
    tell(call, result, &mine);
}

static void on_changed(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine = {0};
    err_copy(&mine, err);
    if (err == NULL && (pg_row_count(result) == 0 || pg_row_is_null(result, 0, COLUMN_ID)))
        err_set(&mine, ERR_MISSING, __func__, "Environment variable not found");
    tell(call, result, &mine);
}

static struct op *variables_list(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                                 store_on_variables *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.variables = done;
    call->project_id = arena_dup(call->arena, str_from(project_id));
    struct pg_params *p = pg_params_new();
    pg_add_text(p, project_id);
    pg_add_text(p, owner_id);
    return store_call_query(call, SQL_LIST, p, on_variables);
}

/* The boxes, one per variable; absent where the stored one is kept. */
static void add_boxes(struct pg_params *p, struct store_call *call, const struct variables_put *put)
{
    struct str *boxes = arena_alloc(call->arena, (put->n + 1) * sizeof(*boxes));
    for (size_t i = 0; i < put->n; i++) {
        const struct variable *v = &put->vars[i];
        boxes[i] = STR_NONE;
        if (str_is_none(v->value))
            continue;
        struct buf box;
        buf_init(&box, ROWS_BOX_BYTES_MAX);
        codec_seal(call->store->ring, environment_repo_aad(call->arena, put->project_id, v->key), v->value, &box);
        if (box.is_over)
            pg_params_refuse(p, ERR_TOO_LARGE);
        boxes[i] = arena_dup_str(call->arena, buf_str(&box));
        buf_fini(&box);
    }
    pg_add_byteas(p, boxes, put->n);
}

static void add_rows(struct pg_params *p, struct store_call *call, const struct variables_put *put)
{
    struct arena *a = call->arena;
    struct str *ids = arena_alloc(a, (put->n + 1) * sizeof(*ids));
    struct str *keys = arena_alloc(a, (put->n + 1) * sizeof(*keys));
    struct str *categories = arena_alloc(a, (put->n + 1) * sizeof(*categories));
    struct str *secrets = arena_alloc(a, (put->n + 1) * sizeof(*secrets));
    for (size_t i = 0; i < put->n; i++) {
        char id[CODEC_UUID_SIZE];
        codec_uuid7(loop_wall_ms(call->store->loop), id);
        ids[i] = str_from(arena_dup(a, str_from(id)));
        keys[i] = put->vars[i].key;
        categories[i] = put->vars[i].category;
        secrets[i] = put->vars[i].is_secret ? STR("true") : STR("false");
    }
    pg_add_texts(p, ids, put->n);
    pg_add_texts(p, keys, put->n);
    add_boxes(p, call, put);
    pg_add_texts(p, categories, put->n);
    pg_add_texts(p, secrets, put->n);
}

static struct op *variables_put(void *self, const struct variables_put *put, ms_t timeout_ms, store_on_variables *done,
                                void *arg)
{
    static const char *const hows[] = {
        [VARIABLES_ADDED] = "one", [VARIABLES_CATEGORIES] = "categories", [VARIABLES_EXISTING] = "existing"};
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.variables = done;
    call->project_id = arena_dup(call->arena, str_from(put->project_id));
    struct pg_params *p = pg_params_new();
    pg_add_text(p, put->owner_id);
    pg_add_text(p, put->project_id);
    pg_add_text(p, hows[put->how]);
    add_rows(p, call, put);
    pg_add_int(p, VARIABLES_MAX);
    pg_add_int(p, BOXES_BYTES_MAX);
    return store_call_query(call, SQL_PUT, p, put->how == VARIABLES_EXISTING ? on_changed : on_variables);
}

static void on_deleted(void *arg, const struct pg_result *result, const struct err *err)
{
    store_end_found(arg, result, err, "Environment variable not found");
}

static struct op *variable_delete(void *self, const char *owner_id, const char *project_id, const char *id,
                                  ms_t timeout_ms, op_done *done, void *arg)
{
    struct store_call *call = store_call_new(self, timeout_ms, arg);
    call->done.plain = done;
    struct pg_params *p = pg_params_new();
    pg_add_text(p, project_id);
    pg_add_text(p, owner_id);
    pg_add_text(p, id);
    return store_call_query(call, SQL_DELETE, p, on_deleted);
}

void variables_repo_fill(struct port_store *port)
{
    port->variables_list = variables_list;
    port->variables_put = variables_put;
    port->variable_delete = variable_delete;
}
