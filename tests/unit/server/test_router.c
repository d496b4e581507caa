// SPDX-License-Identifier: MIT
/* The router: which row a request finds, and what it answers when there is none. */
#include "unit/server/loopback_harness.h"

#include "core/base/buf.h"
#include "server/router.h"

static void handler(struct http_exchange *x, struct app *app)
{
    (void)app;
    http_answer(x, 200, NULL, http_param(x, "id"));
}

static const struct route routes[] = {
    {HTTP_GET,    "/api/projects",        handler, ROUTE_USER, {0, false},   RATE_READ },
    {HTTP_POST,   "/api/projects",        handler, ROUTE_USER, {100, false}, RATE_WRITE},
    {HTTP_GET,    "/api/projects/{id}",   handler, ROUTE_USER, {0, false},   RATE_READ },
    {HTTP_DELETE, "/api/projects/{id}",   handler, ROUTE_USER, {0, false},   RATE_WRITE},
    {HTTP_GET,    "/api/projects/new",    handler, ROUTE_USER, {0, false},   RATE_READ },
    {HTTP_GET,    "/api/{kind}/{id}/x",   handler, ROUTE_USER, {0, false},   RATE_READ },
    {HTTP_GET,    "/api/projects/{id}/x", handler, ROUTE_USER, {0, false},   RATE_READ },
};

static const struct route page = {
    HTTP_GET, "/", handler, ROUTE_PUBLIC, {0, false},
        RATE_NONE
};

static const struct route *found;
static bool has_fallback;
static char param[64];

static void find(struct harness *h, struct http_exchange *x)
{
    (void)h;
    struct router *r = router_new(routes, sizeof routes / sizeof *routes);
    found = router_find(r, x, has_fallback ? &page : NULL);
    router_free(r);
    if (found == NULL)
        return;
    struct str id = http_param(x, "id");
    assert_true(str_copy(str_is_none(id) ? STR("") : id, param, sizeof param));
    http_answer(x, 200, NULL, STR(""));
}

/* One request; the row it finds stays in `found`, the answer in the harness. */
static struct harness *ask(const char *method, const char *path)
{
    struct harness *h = harness_new(NULL);
    struct buf text;
    h->on_request = find;
    found = NULL;
    param[0] = '\0';
    buf_init(&text, 1024);
    buf_addf(&text, "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, path);
    harness_send(h, buf_str(&text));
    buf_fini(&text);
    return h;
}

static void rows_are_found_by_method_and_path(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *path;
        const struct route *route;
        const char *id;
    } rows[] = {
        {"GET",    "/api/projects",       &routes[0], ""   },
        {"HEAD",   "/api/projects",       &routes[0], ""   },
        {"POST",   "/api/projects?x=1",   &routes[1], ""   },
        {"GET",    "/api/projects/p1",    &routes[2], "p1" },
        {"GET",    "/api/projects/a%20b", &routes[2], "a b"},
        {"DELETE", "/api/projects/new",   &routes[3], "new"},
        {"GET",    "/api/projects/new",   &routes[4], ""   },
        {"GET",    "/api/other/7/x",      &routes[5], "7"  },
        {"GET",    "/api/projects/7/x",   &routes[6], "7"  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness *h = ask(rows[i].method, rows[i].path);
        assert_ptr_equal(found, rows[i].route);
        assert_string_equal(param, rows[i].id);
        harness_free(h);
    }
}

static void unknown_paths_are_404(void **state)
{
    (void)state;
    const char *const paths[] = {"/", "/api", "/api/", "/api/projects/", "/api/projects/a/b", "/API/projects"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct harness *h = ask("GET", paths[i]);
        assert_null(found);
        assert_true(harness_has(h, "HTTP/1.1 404 Not Found"));
        assert_true(harness_has(h, "\"error\":\"Not found\""));
        assert_true(http_loopback_is_open(h->lb));
        harness_free(h);
    }
}

static void a_known_path_with_another_method_is_405_with_allow(void **state)
{
    (void)state;
    struct harness *h = ask("PUT", "/api/projects");
    assert_null(found);
    assert_true(harness_has(h, "HTTP/1.1 405 Method Not Allowed"));
    assert_true(harness_has(h, "Allow: GET, HEAD, POST, OPTIONS\r\n"));
    assert_true(harness_has(h, "/problems/method_not_allowed"));
    harness_free(h);
}

static void options_tells_the_methods(void **state)
{
    (void)state;
    struct harness *h = ask("OPTIONS", "/api/projects/p1");
    assert_true(harness_has(h, "HTTP/1.1 204 No Content"));
    assert_true(harness_has(h, "Allow: GET, HEAD, DELETE, OPTIONS\r\n"));
    assert_false(harness_has(h, "Content-Length"));
    harness_free(h);
    h = ask("OPTIONS", "*");
    assert_true(harness_has(h, "HTTP/1.1 204 No Content"));
    harness_free(h);
    h = ask("OPTIONS", "/nowhere");
    assert_true(harness_has(h, "HTTP/1.1 404 Not Found"));
    harness_free(h);
}

static void the_fallback_is_for_pages_alone(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *path;
        bool is_page;
    } rows[] = {
        {"GET",     "/",           true },
        {"GET",     "/projects/7", true },
        {"HEAD",    "/",           true },
        {"GET",     "/apix",       true },
        {"POST",    "/",           false},
        {"GET",     "/api",        false},
        {"GET",     "/api/x",      false},
        {"OPTIONS", "/",           false},
    };
    has_fallback = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness *h = ask(rows[i].method, rows[i].path);
        assert_ptr_equal(found, rows[i].is_page ? &page : NULL);
        harness_free(h);
    }
    has_fallback = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_by_method_and_path),
        cmocka_unit_test(unknown_paths_are_404),
        cmocka_unit_test(a_known_path_with_another_method_is_405_with_allow),
        cmocka_unit_test(options_tells_the_methods),
        cmocka_unit_test(the_fallback_is_for_pages_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
