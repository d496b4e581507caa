// SPDX-License-Identifier: MIT
/* Health, version, metrics and problem pages over requests without a socket. */
#include "handlers/handlers.h"

#include "tests/unit/cmocka_all.h"

#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "server/gate.h"
#include "server/http_loopback.h"

struct fixture {
    struct loop *loop;
    struct app app;
    struct gate *gate;
    struct http_loopback *client;
    bool is_database_up;
    bool is_redis_up;
};

static size_t checks(void *self, struct app_check ret[APP_CHECKS_MAX])
{
    const struct fixture *f = self;
    ret[0] = (struct app_check){"database", f->is_database_up, true, f->is_database_up ? "" : "does not answer"};
    ret[1] = (struct app_check){"redis", f->is_redis_up, false, ""};
    return 2;
}

static void metrics(void *self, struct buf *out)
{
    (void)self;
    buf_add_text(out, "fullstackd_up 1\n");
}

static const struct route routes[] = {
    {HTTP_GET, "/livez",           health_live,    ROUTE_PUBLIC, {0, false}, RATE_NONE},
    {HTTP_GET, "/readyz",          health_ready,   ROUTE_PUBLIC, {0, false}, RATE_NONE},
    {HTTP_GET, "/version",         health_version, ROUTE_PUBLIC, {0, false}, RATE_NONE},
    {HTTP_GET, "/metrics",         health_metrics, ROUTE_PUBLIC, {0, false}, RATE_NONE},
    {HTTP_GET, "/problems/{slug}", problems_page,  ROUTE_PUBLIC, {0, false}, RATE_READ},
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct http_service service;
    const struct gate_settings settings = {
        .routes = routes,
        .routes_n = sizeof(routes) / sizeof(routes[0]),
        .app = &f->app,
        .public_url = "",
        .admin_users = "",
        .cors_origins = "",
    };
    f->loop = loop_new_simulated(1700000000000);
    f->app = (struct app){.loop = f->loop, .checks = checks, .metrics = metrics, .self = f};
    f->gate = gate_new(f->loop, NULL, &settings);
    gate_service(f->gate, &service);
    f->client = http_loopback_new(f->loop, NULL, &service);
    f->is_database_up = true;
    f->is_redis_up = true;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_loopback_free(f->client);
    gate_free(f->gate);
    loop_free(f->loop);
    free(f);
    return 0;
}

/* GET path gives that status and a body that begins so. */
static void assert_answer(struct fixture *f, const char *path, int status, const char *body)
{
    struct arena *a = arena_new();
    http_loopback_clear(f->client);
    http_loopback_send(f->client, str_from(arena_printf(a, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)));
    for (int i = 0; i < 20 && http_loopback_output(f->client).n == 0; i++)
        loop_turn(f->loop);
    struct str answer = http_loopback_output(f->client);
    if (!str_starts(answer, str_from(arena_printf(a, "HTTP/1.1 %d ", status))) ||
        str_find_str(answer, str_from(arena_printf(a, "\r\n\r\n%s", body))) == answer.n)
        fail_msg("%s: %.*s", path, STR_ARG(answer));
    arena_free(a);
}

static void ready_needs_what_is_needed_and_tells_the_rest(void **state)
{
    struct fixture *f = *state;
    assert_answer(f, "/readyz", 200, "ok\n");
    assert_answer(f, "/readyz?verbose", 200, "[+]database ok\n[+]redis ok\nok\n");
    f->is_redis_up = false;
    assert_answer(f, "/readyz?verbose", 200, "[+]database ok\n[!]redis warning\nok\n");
    f->is_database_up = false;
    assert_answer(f, "/readyz", 503, "not ready\n");
    assert_answer(f, "/readyz?verbose=1", 503, "[-]database failed: does not answer\n[!]redis warning\nnot ready\n");
    assert_answer(f, "/livez", 200, "ok\n");
}

static void metrics_are_served_only_where_they_should_be(void **state)
{
    struct fixture *f = *state;
    assert_answer(f, "/metrics", 404, "{");
    f->app.settings.has_metrics = true;
    assert_answer(f, "/metrics", 200, "fullstackd_up 1\n");
}

static void version_is_json(void **state)
{
    assert_answer(*state, "/version", 200, "{\"name\":\"fullstackd\",\"version\":\"");
}

static void every_kind_of_error_has_its_page(void **state)
{
#define X(name, slug, http, retry) assert_answer(*state, "/problems/" slug, 200, slug "\n\nAnswered with HTTP status ");
    ERR_KINDS(X)
#undef X
    assert_answer(*state, "/problems/none", 404, "{");
    assert_answer(*state, "/problems/else", 404, "{");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ready_needs_what_is_needed_and_tells_the_rest),
        TEST(metrics_are_served_only_where_they_should_be),
        TEST(version_is_json),
        TEST(every_kind_of_error_has_its_page),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
