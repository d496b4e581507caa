// SPDX-License-Identifier: MIT
/* Pages of other origins at the gate: what a listed one is told and may do, and that no other is told anything. */
#include "server/cors.h"

#include "tests/unit/server/gate_harness.h"

#include "server/config_check.h"

#define CONSOLE "Origin: https://console.example.net\r\n"
#define ASKS    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n"

static void listen_to_others(struct fixture *f)
{
    f->settings.cors_origins = "https://other.example.net:8443, https://console.example.net";
    open_gate(f);
}

static void without_a_list_no_origin_is_told_anything(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(status_of(f, "GET /api/user", BEARER(READER) CONSOLE, ""), 200);
    assert_false(says(f, "Access-Control"));
    assert_false(says(f, "Vary: Origin"));
    assert_int_equal(status_of(f, "OPTIONS /api/user", CONSOLE ASKS, ""), 204);
    assert_false(says(f, "Access-Control"));
}

static void a_listed_origin_may_read_answers_whatever_they_are(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *headers;
        int status;
    } cases[] = {
        {"GET /public",      CONSOLE,                                                 200},
        {"GET /api/user",    CONSOLE BEARER(READER),                                  200},
        {"HEAD /api/user",   CONSOLE BEARER(READER),                                  200},
        {"GET /api/user",    CONSOLE,                                                 401},
        {"GET /api/admin",   CONSOLE BEARER(READER),                                  403},
        {"GET /api/nothing", CONSOLE,                                                 404},
        {"PUT /api/user",    CONSOLE BEARER(WRITER),                                  405},
        {"POST /api/user",   CONSOLE BEARER(WRITER) "Content-Length: 2\r\n",          415},
        {"POST /api/user",   CONSOLE BEARER(WRITER),                                  200},
        {"DELETE /api/user", CONSOLE BEARER(WRITER),                                  200},
        {"POST /api/user",   CONSOLE BEARER(WRITER) "Sec-Fetch-Site: cross-site\r\n", 200},
        {"POST /api/user",   CONSOLE COOKIE,                                          403},
    };
    listen_to_others(f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = status_of(f, cases[i].line, cases[i].headers, "");
        if (status != cases[i].status || !says(f, "Access-Control-Allow-Origin: https://console.example.net\r\n") ||
            !says(f, "Vary: Origin\r\n") || says(f, "Allow-Credentials"))
            fail_msg("case %zu, %s: %d", i, cases[i].line, status);
    }
    assert_int_equal(status_of(f, "GET /public", "Origin: https://other.example.net:8443\r\n", ""), 200);
    assert_true(says(f, "Access-Control-Allow-Origin: https://other.example.net:8443\r\n"));
}

/* A list is compared byte for byte: nothing that looks like an entry, contains one or stands for all is one. */
static void an_origin_that_is_not_listed_gets_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const hostile[] = {
        "null",
        "*",
        "",
        "http://console.example.net",
        "https://console.example.net.evil.org",
        "https://evil-console.example.net",
        "https://sub.console.example.net",
        "https://console.example.ne",
        "https://example.net",
        "https://console.example.net:443",
        "https://console.example.net:8443",
        "https://other.example.net",
        "https://console.example.net/",
        "https://CONSOLE.example.net",
        "HTTPS://console.example.net",
        "https://console.example.net@evil.org",
        "https://console.example.net, https://evil.org",
        "https://evil.org, https://console.example.net",
        "https://other.example.net:8443, https://console.example.net",
        "https://console.example.net\r\nOrigin: https://console.example.net",
        "console.example.net",
        "https://console.example.net.",
    };
    struct arena *a = arena_new();
    listen_to_others(f);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const char *read = arena_printf(a, "Origin: %s\r\n" BEARER(WRITER), hostile[i]);
        const char *ask = arena_printf(a, "Origin: %s\r\n" ASKS, hostile[i]);
        if (status_of(f, "GET /api/user", read, "") != 200 || says(f, "Access-Control") || !says(f, "Vary: Origin\r\n"))
            fail_msg("read from %s", hostile[i]);
        if (status_of(f, "POST /api/user", read, "") != 403 || says(f, "Access-Control"))
            fail_msg("write from %s", hostile[i]);
        if (status_of(f, "OPTIONS /api/user", ask, "") != 204 || says(f, "Access-Control"))
            fail_msg("preflight from %s", hostile[i]);
    }
    arena_free(a);
    assert_int_equal(status_of(f, "GET /api/user", BEARER(READER), ""), 200); /* no page at all */
    assert_true(says(f, "Vary: Origin\r\n"));
    assert_false(says(f, "Access-Control"));
}

static void a_preflight_tells_the_methods_of_its_route(void **state)
{
    struct fixture *f = *state;
    listen_to_others(f);
    assert_int_equal(status_of(f, "OPTIONS /api/user", CONSOLE ASKS, ""), 204);
    assert_true(says(f, "Access-Control-Allow-Origin: https://console.example.net\r\n"));
    assert_true(says(f, "Access-Control-Allow-Methods: GET, HEAD, POST, DELETE, OPTIONS\r\n"));
    assert_true(says(f, "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key,"));
    assert_true(says(f, "Access-Control-Max-Age: 600\r\n"));
    assert_int_equal(status_of(f, "OPTIONS /api/session", CONSOLE ASKS, ""), 204);
    assert_true(says(f, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
    assert_int_equal(status_of(f, "OPTIONS /api/nothing", CONSOLE ASKS, ""), 404);
    assert_false(says(f, "Access-Control-Allow-Methods"));
    assert_int_equal(status_of(f, "OPTIONS /api/user", CONSOLE, ""), 204); /* asks for no permission */
    assert_false(says(f, "Access-Control-Allow-Methods"));
    assert_int_equal(f->handled_n, 0);
    assert_null(f->lookup);
}

/* A cookie is the browser's, not the page's: a listed origin that is taken over must not act for who is signed in. */
static void a_cookie_opens_nothing_to_a_listed_origin(void **state)
{
    struct fixture *f = *state;
    listen_to_others(f);
    assert_int_equal(status_of(f, "POST /api/user", CONSOLE COOKIE, ""), 403);
    assert_int_equal(status_of(f, "DELETE /api/user", CONSOLE COOKIE, ""), 403);
    assert_int_equal(status_of(f, "POST /api/user", CONSOLE COOKIE "Authorization: Basic eDp5\r\n", ""), 403);
    assert_int_equal(status_of(f, "POST /api/signin", CONSOLE, ""), 403);
    /* nor does something that is no token carry a cookie through */
    assert_int_equal(status_of(f, "POST /api/user", CONSOLE COOKIE BEARER("fsa_x"), ""), 401);
    assert_int_equal(status_of(f, "POST /api/signin", CONSOLE BEARER("fsa_x"), ""), 403);
    assert_int_equal(f->handled_n, 0);
}

static void origins_are_written_as_browsers_send_them(void **state)
{
    (void)state;
    static const char *const good[] = {"https://console.example.net",
                                       "https://a.example.net, https://b.example.net:8443", "http://localhost:3000",
                                       "http://127.0.0.1:5173", "https://[::1]:8443"};
    static const char *const bad[] = {"*",
                                      "null",
                                      "https://*.example.net",
                                      "https://Console.example.net",
                                      "https://console.example.net/",
                                      "https://console.example.net/app",
                                      "https://console.example.net:443",
                                      "https://user@console.example.net",
                                      "http://console.example.net",
                                      "http://localhost:80",
                                      "http://localhost.evil.org",
                                      "http://127.0.0.1.evil.org:80",
                                      "console.example.net",
                                      "https://a.example.net https://b.example.net",
                                      "https://a.example.net,,https://b.example.net",
                                      "https://"};
    struct err err = {0};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        if (!config_check_origins(str_from(good[i]), &err))
            fail_msg("%s is refused", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (config_check_origins(str_from(bad[i]), &err))
            fail_msg("%s is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_list_no_origin_is_told_anything), TEST(a_listed_origin_may_read_answers_whatever_they_are),
        TEST(an_origin_that_is_not_listed_gets_nothing), TEST(a_preflight_tells_the_methods_of_its_route),
        TEST(a_cookie_opens_nothing_to_a_listed_origin), cmocka_unit_test(origins_are_written_as_browsers_send_them),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
