// SPDX-License-Identifier: MIT
/* The store's calls as plain functions. */
#include "tests/wire/store/world.h"

#include <string.h>

#include "core/base/arena.h"

static void fill(char *ret, size_t size, const char *fmt, const char *name)
{
    struct arena *a = arena_new();
    struct str text = str_from(fmt);
    size_t mark = str_find(text, '*', 0);
    assert_true(str_copy(
        str_from(arena_printf(a, "%.*s%s%.*s", (int)mark, fmt, name, STR_ARG(str_slice(text, mark + 1, text.n)))), ret,
        size));
    arena_free(a);
}

void world_another_project(struct fixture *f, struct owned *o, const char *name)
{
    struct arena *a = arena_new();
    fill(o->project_id, sizeof(o->project_id), "p-*", name);
    sql(f, arena_printf(a, "INSERT INTO projects (id, owner_id, name) VALUES ('%s', '%s', 'Project %s')", o->project_id,
                        o->owner_id, name));
    arena_free(a);
}

struct owned world_project(struct fixture *f, const char *name)
{
    struct owned o;
    struct arena *a = arena_new();
    fill(o.owner_id, sizeof(o.owner_id), "u-*", name);
    sql(f, arena_printf(a, "INSERT INTO users (id, name) VALUES ('%s', '%s')", o.owner_id, name));
    arena_free(a);
    world_another_project(f, &o, name);
    return o;
}

const struct sandbox *world_names(const char *name)
{
    static struct sandbox n;
    n = (struct sandbox){0};
    fill(n.namespace_name, sizeof(n.namespace_name), "ns", "");
    fill(n.slug, sizeof(n.slug), "slug", "");
    fill(n.name, sizeof(n.name), "*-agentruntime-aaaaaa", name);
    fill(n.database_name, sizeof(n.database_name), "*-agentruntime-dddddd", name);
    fill(n.app_host, sizeof(n.app_host), "app-*.example.test", name);
    fill(n.tty_host, sizeof(n.tty_host), "tty-*.example.test", name);
    fill(n.app_label, sizeof(n.app_label), "abcdefghijkl", "");
    fill(n.tty_label, sizeof(n.tty_label), "mnopqrstuvwx", "");
    for (size_t i = 0; i < SANDBOX_PORT_N; i++) {
        fill(n.port_names[i], sizeof(n.port_names[i]), "port", "");
        n.port_names[i][4] = (char)('a' + i);
    }
    fill(n.image, sizeof(n.image), "image/*:1", name);
    fill(n.restart_time, sizeof(n.restart_time), "20251011100000", "");
    return &n;
}

static void keep_events(struct asked *a, const struct journal_event *events, size_t n)
{
    assert_true(n <= WORLD_EVENTS_MAX);
    a->n_events = n;
    if (n > 0)
        memcpy(a->events, events, n * sizeof(*events));
}

static void on_request(void *arg, enum request_result result, const struct sandbox *sb,
                       const struct journal_event *events, size_t n, const struct err *err)
{
    struct asked *a = arg;
    assert_false(a->is_done);
    a->is_done = true;
    a->result = result;
    err_copy(&a->err, err);
    if (sb != NULL)
        a->sb = *sb;
    keep_events(a, events, n);
}

void world_request_start(const struct port_store *port, const struct owned *o, enum desired desired, const char *name,
                         const struct env_list *env, struct asked *ret)
{
    *ret = (struct asked){0};
    const struct sandbox_request request = {.owner_id = o->owner_id,
                                            .project_id = o->project_id,
                                            .desired = desired,
                                            .names = name != NULL ? world_names(name) : NULL,
                                            .env = env,
                                            .now_ms = 1760176800123};
    port->sandbox_request(port->self, &request, FIXTURE_MS, on_request, ret);
    assert_false(ret->is_done);
}

void world_request_within(const struct port_store *port, const struct owned *o, const char *name,
                          const struct request_limits *limits, struct asked *ret)
{
    *ret = (struct asked){0};
    const struct sandbox_request request = {.owner_id = o->owner_id,
                                            .project_id = o->project_id,
                                            .desired = DESIRED_RUNNING,
                                            .names = world_names(name),
                                            .limits = *limits,
                                            .now_ms = 1760176800123};
    port->sandbox_request(port->self, &request, FIXTURE_MS, on_request, ret);
}

struct asked world_request(struct fixture *f, const struct port_store *port, const struct owned *o,
                           enum desired desired, const char *name)
{
    struct asked a;
    world_request_start(port, o, desired, name, NULL, &a);
    run_until(f, &a.is_done);
    return a;
}

static void on_flows(void *arg, const struct flow_row *rows, size_t n, const struct err *err)
{
    struct flows *w = arg;
    assert_false(w->is_done);
    assert_true(n <= WORLD_FLOWS_MAX);
    w->is_done = true;
    w->n = n;
    err_copy(&w->err, err);
    for (size_t i = 0; i < n; i++)
        w->sb[i] = rows[i].sandbox;
    if (n == 0)
        return;
    assert_true(str_copy(rows[0].steps_json, w->steps, sizeof(w->steps)));
    w->has_credentials = rows[0].credentials != NULL;
    if (!w->has_credentials)
        return;
    assert_true(str_copy(secret_reveal(&rows[0].credentials->password), w->password, sizeof(w->password)));
    assert_true(str_copy(str_from(rows[0].credentials->host), w->host, sizeof(w->host)));
}

struct flows world_claim(struct fixture *f, const struct port_store *port, unsigned max)
{
    struct flows w = {0};
    port->flows_claim(port->self, &(struct flow_claim){.max = max}, FIXTURE_MS, on_flows, &w);
    run_until(f, &w.is_done);
    return w;
}

struct flows world_recount(struct fixture *f, const struct port_store *port, const char *led)
{
    struct flows w = {0};
    struct str id = led != NULL ? str_from(led) : STR_NONE;
    const struct flow_claim claim = {.max = 10, .is_recount = true, .led = &id, .led_n = led != NULL};
    port->flows_claim(port->self, &claim, FIXTURE_MS, on_flows, &w);
    run_until(f, &w.is_done);
    return w;
}

struct flows world_load(struct fixture *f, const struct port_store *port, const char *project_id)
{
    struct flows w = {0};
    port->flow_load(port->self, project_id, FIXTURE_MS, on_flows, &w);
    run_until(f, &w.is_done);
    return w;
}

static void on_watched(void *arg, const struct sandbox *rows, size_t n, int64_t now_ms, const struct err *err)
{
    struct flows *w = arg;
    assert_null(err);
    assert_true(n <= sizeof(w->sb) / sizeof(w->sb[0]));
    for (size_t i = 0; i < n; i++) {
        w->sb[i] = rows[i];
        assert_true(rows[i].updated_ms <= now_ms);
    }
    w->n = n;
    w->is_done = true;
}

struct flows world_watched(struct fixture *f, const struct port_store *port, const struct watched_query *query)
{
    struct flows w = {0};
    port->watched_list(port->self, query, FIXTURE_MS, on_watched, &w);
    run_until(f, &w.is_done);
    return w;
}

static void on_saved(void *arg, const struct journal_event *events, size_t n, const struct err *err)
{
    struct asked *a = arg;
    assert_false(a->is_done);
    a->is_done = true;
    err_copy(&a->err, err);
    keep_events(a, events, n);
}

struct asked world_save_it(struct fixture *f, const struct port_store *port, const struct flow_save *save)
{
    struct asked a = {0};
    port->flow_save(port->self, save, FIXTURE_MS, on_saved, &a);
    assert_false(a.is_done);
    run_until(f, &a.is_done);
    return a;
}

struct asked world_save(struct fixture *f, const struct port_store *port, struct sandbox *sb, size_t n_events)
{
    struct journal_event events[WORLD_EVENTS_MAX] = {0};
    for (size_t i = 0; i < n_events; i++)
        events[i] = (struct journal_event){.attempt = sb->attempt,
                                           .kind = JOURNAL_STAGE,
                                           .stage = STAGE_CONTAINER,
                                           .stage_status = STAGE_STATUS_IN_PROGRESS,
                                           .message = "pulling \"image\" {a,b} \\ ä",
                                           .at_ms = 1760176800456 + (int64_t)i,
                                           .duration_ms = -1};
    const struct flow_save save = {.sb = sb, .steps_json = STR("{\"a\":1}"), .events = events, .n_events = n_events};
    struct asked a = world_save_it(f, port, &save);
    sb->saves += a.err.kind == ERR_NONE ? 1 : 0;
    return a;
}

struct asked world_settle(struct fixture *f, const struct port_store *port, struct sandbox *sb,
                          enum sandbox_status status, enum outcome outcome)
{
    sb->status = status;
    sb->is_settled = true;
    sb->code = outcome == OUTCOME_FAILED ? REASON_IMAGE_PULL : REASON_NONE;
    struct journal_event done = {.attempt = sb->attempt,
                                 .kind = JOURNAL_DONE,
                                 .status = status,
                                 .outcome = outcome,
                                 .code = sb->code,
                                 .at_ms = 1760176801000,
                                 .duration_ms = 877};
    const struct flow_save save = {.sb = sb,
                                   .steps_json = STR("{}"),
                                   .events = &done,
                                   .n_events = 1,
                                   .is_project_gone = outcome == OUTCOME_DELETED};
    struct asked a = world_save_it(f, port, &save);
    sb->saves += a.err.kind == ERR_NONE ? 1 : 0;
    return a;
}

struct renewed {
    struct answer answer;
    bool was_held;
};

static void on_renewed(void *arg, bool was_held, const struct err *err)
{
    struct renewed *r = arg;
    r->was_held = was_held;
    on_answer(&r->answer, err);
}

bool world_renew(struct fixture *f, const struct port_store *port, ms_t lease_ms)
{
    struct renewed r = {0};
    port->replica_renew(port->self, lease_ms, FIXTURE_MS, on_renewed, &r);
    expect_ok(f, &r.answer);
    return r.was_held;
}

int world_setup(void **state, const char *name)
{
    static struct fixture f;
    fixture_init(&f, name);
    fixture_open_store(&f, NULL);
    world_renew(&f, f.port, FIXTURE_MS);
    *state = &f;
    return 0;
}

int world_teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}
