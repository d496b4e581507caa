// SPDX-License-Identifier: MIT
/* /api/projects/{id}/environment: a project's variables. A change is stored at any time and reaches a running sandbox
 * by a restart of its container, deletions included. Values marked as secret are shown to their owner only when asked
 * for. */
#include <stdlib.h>
#include <string.h>

#include "core/base/json_read.h"
#include "core/caller.h"
#include "core/sandboxes.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { CATEGORY_MAX_BYTES = 40, VALUE_MAX_BYTES = 32 * 1024, VARIABLES_PER_CALL = SANDBOX_ENV_MAX_N };

/* Of the original and its successor. "database" is the server's own and is neither listed nor written here. */
static const char *const categories[] = {"general", "auth", "payment", "ttyd", "file_browser", "secret"};
enum { CATEGORIES_N = sizeof(categories) / sizeof(*categories) };

struct env_call {
    struct pending pending; /* first: it is what pending.c knows */
    const char *owner_id;
    const char *project_id;
    const char *env_id; /* of one variable; else NULL */
    struct str value;   /* of PUT */
    bool is_revealed;   /* secret values too */
    bool is_quiet;      /* a running sandbox is left alone */
    bool is_batch;
    struct variable *vars;
    size_t n;
    enum variables_how how;
    struct str answer; /* sent when the restart is asked for, or needless */
};

static struct env_call *new_call(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct arena *a = http_arena(x);
    struct env_call *c = arena_alloc(a, sizeof(*c));
    *c = (struct env_call){
        .pending = {.x = x, .app = app},
          .owner_id = caller->who.user_id, .how = VARIABLES_ADDED
    };
    c->project_id = arena_dup(a, http_param(x, "id"));
    struct str env_id = http_param(x, "envId");
    c->env_id = str_is_none(env_id) ? NULL : arena_dup(a, env_id);
    return c;
}

/* ---- documents ---- */

static void write_variable(struct json_writer *w, const struct env_call *c, const struct variable *v)
{
    jw_object(w);
    jw_kv_text(w, "id", v->id);
    jw_kv_text(w, "projectId", c->project_id);
    jw_kv_str(w, "key", v->key);
    jw_kv_str(w, "value", v->is_secret && !c->is_revealed ? STR_NONE : v->value);
    jw_kv_str(w, "category", v->category);
    jw_kv_bool(w, "isSecret", v->is_secret);
    jw_kv_time(w, "createdAt", v->created_ms);
    jw_kv_time(w, "updatedAt", v->updated_ms);
    jw_object_end(w);
}

/* What is of no known category is general, as in the original. */
static bool is_of(const struct variable *v, size_t category)
{
    for (size_t i = 0; i < CATEGORIES_N; i++) {
        if (str_eq_text(v->category, categories[i]))
            return i == category;
    }
    return category == 0;
}

/* ---- list ---- */

static void on_list(void *arg, const struct variable *vars, size_t n, const struct err *err)
{
    struct env_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_object(w);
    for (size_t k = 0; k < CATEGORIES_N; k++) {
        jw_key(w, categories[k]);
        jw_array(w);
        for (size_t i = 0; i < n; i++) {
            if (is_of(&vars[i], k))
                write_variable(w, c, &vars[i]);
        }
        jw_array_end(w);
    }
    jw_object_end(w);
    http_answer_json(c->pending.x, 200, w);
}

void environment_list(struct http_exchange *x, struct app *app)
{
    struct env_call *c = new_call(x, app);
    struct err err = {0};
    if (!http_query_flag(x, "reveal", &c->is_revealed, &err)) {
        http_answer_err(x, &err);
        return;
    }
    pending_wait(&c->pending, app->store->variables_list(app->store->self, c->owner_id, c->project_id,
                                                         app->settings.request_ms, on_list, c));
}

/* ---- after a change: a running sandbox gets it ---- */

static void send_answer(struct env_call *c)
{
    http_answer_document(c->pending.x, 200, c->answer);
}

static void on_restarted(void *arg, enum request_result result, const struct sandbox *sb,
                         const struct journal_event *events, size_t n_events, const struct err *err)
{
    struct env_call *c = arg;
    (void)result;
    (void)sb;
    (void)events;
    (void)n_events;
    (void)err; /* the change is stored; what the sandbox does about it is told on its stream */
    if (pending_done(&c->pending, NULL))
        send_answer(c);
}

static void on_project(void *arg, const struct project *project, const struct err *err)
{
    struct env_call *c = arg;
    struct app *app = c->pending.app;
    if (!pending_done(&c->pending, NULL))
        return;
    bool is_running = err == NULL && project->has_sandbox && project->sandbox.status == SANDBOX_RUNNING;
    if (!is_running) {
        send_answer(c);
        return;
    }
    pending_wait(&c->pending,
                 sandboxes_act(app->sandboxes, project, ACTION_RESTART, app->settings.request_ms, on_restarted, c));
}

/* Takes w over. */
static void answer_change(struct env_call *c, struct json_writer *w)
{
    struct app *app = c->pending.app;
    struct err err = {0};
    struct str json;
    bool is_written = jw_finish(w, &json, &err);
    if (is_written)
        c->answer = arena_dup_str(http_arena(c->pending.x), json);
    jw_free(w);
    if (!is_written) {
        http_answer_err(c->pending.x, &err);
        return;
    }
    if (c->is_quiet) {
        send_answer(c);
        return;
    }
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_project, c));
}

/* ---- write ---- */

static void on_put(void *arg, const struct variable *vars, size_t n, const struct err *err)
{
    struct env_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES + VALUE_MAX_BYTES * 6);
    if (c->is_batch) {
        jw_object(w);
        jw_kv_bool(w, "success", true);
        jw_kv_int(w, "count", (int64_t)n);
        jw_object_end(w);
    } else {
        write_variable(w, c, &vars[0]);
    }
    answer_change(c, w);
}

static void put(struct env_call *c)
{
    struct app *app = c->pending.app;
    const struct variables_put wish = {
        .owner_id = c->owner_id, .project_id = c->project_id, .how = c->how, .vars = c->vars, .n = c->n};
    pending_wait(&c->pending, app->store->variables_put(app->store->self, &wish, app->settings.request_ms, on_put, c));
}

struct one_body {
    struct str key;
    struct str value;
    struct str category;
    bool is_secret;
    bool is_updating;
};
static const struct json_field one_fields[] = {
    {"key",              JSON_STR,  offsetof(struct one_body, key),         JSON_REQUIRED, 0, 0                 },
    {"value",            JSON_STR,  offsetof(struct one_body, value),       JSON_OPTIONAL, 0, VALUE_MAX_BYTES   },
    {"category",         JSON_STR,  offsetof(struct one_body, category),    JSON_OPTIONAL, 1, CATEGORY_MAX_BYTES},
    {"isSecret",         JSON_BOOL, offsetof(struct one_body, is_secret),   JSON_OPTIONAL, 0, 0                 },
    {"updateDeployment", JSON_BOOL, offsetof(struct one_body, is_updating), JSON_OPTIONAL, 0, 0                 },
};

static bool check_category(struct str category, const char *field, struct err *reterr)
{
    for (size_t i = 0; i < CATEGORIES_N; i++) {
        if (str_eq_text(category, categories[i]))
            return true;
    }
    return err_set_field(reterr, ERR_INVALID, __func__, field,
                         "category must be general, auth, payment, ttyd, file_browser or secret");
}

/* at: where the object stands in the body, "" or "/variables/3". */
static bool read_one(struct arena *a, const struct json_value *json, const char *at, struct variable *ret,
                     bool *ret_is_updating, struct err *reterr)
{
    struct one_body body = {.value = STR_NONE, .category = STR("general"), .is_updating = true};
    char field[sizeof(reterr->field)];
    if (!json_bind(json, one_fields, sizeof(one_fields) / sizeof(*one_fields), &body, reterr)) {
        memcpy(field, reterr->field, sizeof(field));
        (void)!str_copy(str_from(arena_printf(a, "%s%s", at, field)), reterr->field, sizeof(reterr->field));
        return false;
    }
    *ret =
        (struct variable){.key = body.key, .value = body.value, .category = body.category, .is_secret = body.is_secret};
    *ret_is_updating = body.is_updating;
    return names_check_env_key(body.key, arena_printf(a, "%s/key", at), reterr) &&
           (str_is_none(body.value) || names_check_env_value(body.value, arena_printf(a, "%s/value", at), reterr)) &&
           check_category(body.category, arena_printf(a, "%s/category", at), reterr);
}

static int by_key(const void *left, const void *right)
{
    const struct variable *a = left;
    const struct variable *b = right;
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
    int order = n > 0 ? memcmp(a->key.p, b->key.p, n) : 0;
    return order != 0 ? order : (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

struct batch_body {
    const struct json_value *variables;
    bool is_replacing;
    bool is_updating;
};
static const struct json_field batch_fields[] = {
    {"variables",        JSON_ARRAY, offsetof(struct batch_body, variables),    JSON_REQUIRED, 1, VARIABLES_PER_CALL},
    {"replace",          JSON_BOOL,  offsetof(struct batch_body, is_replacing), JSON_OPTIONAL, 0, 0                 },
    {"updateDeployment", JSON_BOOL,  offsetof(struct batch_body, is_updating),  JSON_OPTIONAL, 0, 0                 },
};

static bool read_batch(struct env_call *c, const struct json_value *json, struct err *reterr)
{
    struct arena *a = http_arena(c->pending.x);
    struct batch_body body = {.is_replacing = true, .is_updating = true};
    if (!json_bind(json, batch_fields, sizeof(batch_fields) / sizeof(*batch_fields), &body, reterr))
        return false;
    const struct json_value *list = body.variables;
    size_t n = json_count(list);
    c->is_quiet = !body.is_updating;
    c->vars = arena_alloc(a, n * sizeof(*c->vars));
    c->is_batch = true;
    c->how = body.is_replacing ? VARIABLES_CATEGORIES : VARIABLES_ADDED;
    for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v), c->n++) {
        const char *at = arena_printf(a, "/variables/%zu", c->n);
        bool is_updating;
        if (json_type(v) != JSON_OBJECT)
            return err_set_field(reterr, ERR_INVALID, __func__, at, "a variable must be an object");
        if (!read_one(a, v, at, &c->vars[c->n], &is_updating, reterr))
            return false;
    }
    qsort(c->vars, n, sizeof(*c->vars), by_key);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(c->vars[i].key, c->vars[i - 1].key))
            return err_set_field(reterr, ERR_INVALID, __func__, "/variables", "variable %.*s stands there twice",
                                 STR_ARG(c->vars[i].key));
    }
    return true;
}

static bool read_put(struct env_call *c, struct err *reterr)
{
    struct http_exchange *x = c->pending.x;
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, reterr);
    if (json == NULL)
        return false;
    if (json_find(json, "variables") != NULL)
        return read_batch(c, json, reterr);
    bool is_updating;
    c->vars = arena_alloc(http_arena(x), sizeof(*c->vars));
    c->n = 1;
    if (!read_one(http_arena(x), json, "", &c->vars[0], &is_updating, reterr))
        return false;
    c->is_quiet = !is_updating;
    return true;
}

void environment_put(struct http_exchange *x, struct app *app)
{
    struct env_call *c = new_call(x, app);
    struct err err = {0};
    c->is_revealed = true; /* who wrote it knows it */
    if (read_put(c, &err))
        put(c);
    else
        http_answer_err(x, &err);
}

/* ---- one of them ---- */

static void on_found(void *arg, const struct variable *vars, size_t n, const struct err *err)
{
    struct env_call *c = arg;
    struct arena *a = http_arena(c->pending.x);
    struct err missing = {0};
    if (!pending_done(&c->pending, err))
        return;
    size_t i = 0;
    while (i < n && strcmp(vars[i].id, c->env_id) != 0)
        i++;
    if (i == n) {
        (void)err_set(&missing, ERR_MISSING, __func__, "Environment variable not found");
        http_answer_err(c->pending.x, &missing);
        return;
    }
    c->vars = arena_alloc(a, sizeof(*c->vars));
    c->vars[0] = (struct variable){.key = arena_dup_str(a, vars[i].key), .value = c->value, .category = STR("general")};
    c->n = 1;
    c->how = VARIABLES_EXISTING;
    put(c);
}

struct value_body {
    struct str value;
};
static const struct json_field value_fields[] = {
    {"value", JSON_STR, offsetof(struct value_body, value), JSON_REQUIRED, 0, VALUE_MAX_BYTES},
};

void environment_update(struct http_exchange *x, struct app *app)
{
    struct env_call *c = new_call(x, app);
    struct value_body body = {STR_NONE};
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL || !json_bind(json, value_fields, 1, &body, &err) ||
        !names_check_env_value(body.value, "/value", &err)) {
        http_answer_err(x, &err);
        return;
    }
    c->value = body.value;
    c->is_revealed = true;
    pending_wait(&c->pending, app->store->variables_list(app->store->self, c->owner_id, c->project_id,
                                                         app->settings.request_ms, on_found, c));
}

static void on_deleted(void *arg, const struct err *err)
{
    struct env_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_bool(w, "success", true);
    jw_object_end(w);
    answer_change(c, w);
}

void environment_delete(struct http_exchange *x, struct app *app)
{
    struct env_call *c = new_call(x, app);
    pending_wait(&c->pending, app->store->variable_delete(app->store->self, c->owner_id, c->project_id, c->env_id,
                                                          app->settings.request_ms, on_deleted, c));
}
