// SPDX-License-Identifier: MIT
/* Sign-in, session and sign-out over requests without a socket, through the real gate; the store knows one link. */
#include "handlers/handlers.h"

#include "tests/unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "server/gate.h"
#include "server/http_loopback.h"

#define TOKEN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct call {
    struct op op;
    struct loop_task task;
    struct fixture *fixture;
    store_on_principal *done;
    op_done *ended;
    void *arg;
    bool is_known;
};

struct fixture {
    struct loop *loop;
    struct port_store store;
    struct app app;
    struct gate *gate;
    struct http_loopback *client;
    char session[64]; /* the token that was made a session */
    char former[64];
    bool is_link_used;
    bool is_ended;
    enum err_kind fails;
};

static const struct principal USER = {
    .user_id = "0192-user", .name = "Ada", .email = "", .image = "", .expires_ms = 1760176800000};

static void call_cancel(struct op *op)
{
    struct call *c = (struct call *)op;
    loop_task_clear(&c->task);
    free(c);
}

static void call_answer(void *arg)
{
    struct call c = *(struct call *)arg;
    struct err err = {0};
    free(arg);
    if (c.fixture->fails != ERR_NONE)
        err_set(&err, c.fixture->fails, __func__, "the store is away");
    else if (!c.is_known)
        err_set(&err, ERR_UNAUTHENTICATED, __func__, "no such row");
    const struct err *told = err.kind == ERR_NONE ? NULL : &err;
    if (c.done != NULL)
        c.done(c.arg, told == NULL ? &USER : NULL, told);
    else
        c.ended(c.arg, told);
}

static struct op *call_new(struct fixture *f, store_on_principal *done, op_done *ended, void *arg, bool is_known)
{
    struct call *c = xcalloc(1, sizeof(*c));
    *c = (struct call){.op = {call_cancel}, .fixture = f, .done = done, .ended = ended, .arg = arg};
    c->is_known = is_known;
    loop_task_init(&c->task, f->loop, call_answer, c);
    loop_defer(&c->task);
    return &c->op;
}

static struct op *signin_link_use(void *self, struct str token, const struct session_wish *wish, ms_t timeout_ms,
                                  store_on_principal *done, void *arg)
{
    struct fixture *f = self;
    bool is_known = str_eq_text(token, "good-link") && !f->is_link_used;
    assert_int_equal(wish->idle_ms, 1000);
    assert_int_equal(wish->absolute_ms, 604800000);
    assert_true(str_copy(wish->former, f->former, sizeof(f->former)));
    assert_true(timeout_ms > 0);
    if (is_known) {
        f->is_link_used = true;
        assert_true(str_copy(wish->token, f->session, sizeof(f->session)));
    }
    return call_new(f, done, NULL, arg, is_known);
}

static struct op *session_find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
{
    struct fixture *f = self;
    (void)timeout_ms;
    return call_new(f, done, NULL, arg, !f->is_ended && str_eq_text(token, TOKEN));
}

static struct op *session_end(void *self, struct str token, ms_t timeout_ms, op_done *done, void *arg)
{
    struct fixture *f = self;
    (void)timeout_ms;
    assert_true(str_eq_text(token, TOKEN));
    f->is_ended = f->fails == ERR_NONE;
    return call_new(f, NULL, done, arg, true);
}

static const struct route routes[] = {
    {HTTP_POST, "/api/auth/signin-link", auth_signin_link, ROUTE_PUBLIC,   {1024, false}, RATE_SIGNIN},
    {HTTP_GET,  "/api/auth/session",     auth_session,     ROUTE_OPTIONAL, {0, false},    RATE_READ  },
    {HTTP_POST, "/api/auth/signout",     auth_signout,     ROUTE_OPTIONAL, {1024, true},  RATE_WRITE },
};

static void open_gate(struct fixture *f, const char *public_url)
{
    struct http_service service;
    const struct gate_settings settings = {
        .routes = routes,
        .routes_n = sizeof(routes) / sizeof(routes[0]),
        .app = &f->app,
        .public_url = public_url,
        .admin_users = "",
        .cors_origins = "",
        .lookup_ms = 1000,
    };
    http_loopback_free(f->client);
    gate_free(f->gate);
    f->gate = gate_new(f->loop, &f->store, &settings);
    gate_service(f->gate, &service);
    f->client = http_loopback_new(f->loop, NULL, &service);
    assert_non_null(f->client);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->loop = loop_new_simulated(1700000000000);
    f->store = (struct port_store){
        .self = f, .signin_link_use = signin_link_use, .session_find = session_find, .session_end = session_end};
    f->app = (struct app){.loop = f->loop, .store = &f->store};
    f->app.settings = (struct app_settings){
        .public_url = "", .request_ms = 1000, .session_idle_ms = 1000, .session_absolute_ms = 604800000};
    open_gate(f, "");
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

static void send_body(struct fixture *f, const char *line, const char *headers, const char *body, int status)
{
    struct buf bytes;
    struct arena *a = arena_new();
    buf_init(&bytes, 8192);
    buf_addf(&bytes, "%s HTTP/1.1\r\nHost: h\r\n%s", line, headers);
    if (body[0] != '\0')
        buf_addf(&bytes, "Content-Length: %zu\r\n", strlen(body));
    buf_addf(&bytes, "\r\n%s", body);
    http_loopback_clear(f->client);
    http_loopback_send(f->client, buf_str(&bytes));
    for (int i = 0; i < 20 && http_loopback_output(f->client).n == 0; i++)
        loop_turn(f->loop);
    struct str answer = http_loopback_output(f->client);
    if (!str_starts(answer, str_from(arena_printf(a, "HTTP/1.1 %d ", status))))
        fail_msg("%s: not %d but %.*s", line, status, STR_ARG(answer));
    buf_fini(&bytes);
    arena_free(a);
}

static void request(struct fixture *f, const char *line, const char *headers, const char *body, int status)
{
    struct arena *a = arena_new();
    send_body(f, line, arena_printf(a, "%sContent-Type: application/json\r\n", headers), body, status);
    arena_free(a);
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static bool says(struct fixture *f, const char *part)
{
    struct str answer = http_loopback_output(f->client);
    return str_find_str(answer, str_from(part)) < answer.n;
}

#define SESSION_JSON                                                                                                   \
    "{\"user\":{\"id\":\"0192-user\",\"name\":\"Ada\",\"email\":null,\"image\":null,\"isAdmin\":false},"               \
    "\"expires\":\"2025-10-11T10:00:00.000Z\"}"

static void a_link_signs_in_once_with_a_fresh_token(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    request(f, "POST /api/auth/signin-link", "Cookie: sid=" TOKEN "\r\n", "{\"token\":\"good-link\"}", 200);
    assert_true(says(f, SESSION_JSON));
    assert_int_equal(strlen(f->session), 43);
    assert_string_not_equal(f->session, TOKEN);
    assert_string_equal(f->former, TOKEN); /* the browser's own ends */
    assert_true(says(f, arena_printf(a,
                                     "Set-Cookie: sid=%s; Path=/; Max-Age=604800; HttpOnly; "
                                     "SameSite=Lax\r\n",
                                     f->session)));
    assert_true(says(f, "Cache-Control: no-store\r\n"));
    request(f, "POST /api/auth/signin-link", "", "{\"token\":\"good-link\"}", 401);
    assert_false(says(f, "Set-Cookie"));
    arena_free(a);
}

static void over_https_the_cookie_is_bound_to_the_host(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    open_gate(f, "https://h");
    request(f, "POST /api/auth/signin-link", "", "{\"token\":\"good-link\"}", 200);
    assert_true(says(f, arena_printf(a,
                                     "Set-Cookie: __Host-sid=%s; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; "
                                     "Secure\r\n",
                                     f->session)));
    arena_free(a);
}

static void a_bad_sign_in_body_is_named_and_signs_nobody_in(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {
        "{\"token\":\"\"}", "{}", "[]", "{\"token\":1}", "{\"token\":\"good-link\",\"user\":\"x\"}", "{\"token\":",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        request(f, "POST /api/auth/signin-link", "", bodies[i], 400);
        assert_false(says(f, "Set-Cookie"));
    }
    request(f, "POST /api/auth/signin-link", "", "", 400);
    request(f, "POST /api/auth/signin-link", "", "{\"token\":\"other\"}", 401);
    assert_false(f->is_link_used);
}

static void the_session_is_told_or_null(void **state)
{
    struct fixture *f = *state;
    request(f, "GET /api/auth/session", "Cookie: sid=" TOKEN "\r\n", "", 200);
    assert_true(says(f, SESSION_JSON));
    assert_true(says(f, "Cache-Control: no-store\r\n"));
    request(f, "GET /api/auth/session", "", "", 200);
    assert_true(says(f, "\r\n\r\nnull"));
}

static void signing_out_ends_the_session_and_clears_the_cookie(void **state)
{
    struct fixture *f = *state;
    request(f, "POST /api/auth/signout", "Cookie: sid=" TOKEN "\r\n", "", 200);
    assert_true(f->is_ended);
    assert_true(says(f, "Set-Cookie: sid=; Path=/; Max-Age=0; "));
    assert_true(says(f, "\r\n\r\n{\"url\":\"/\"}"));
    request(f, "POST /api/auth/signout", "", "", 200);
    assert_true(says(f, "Set-Cookie: sid=; Path=/; Max-Age=0; "));
}

static void nextauths_clients_sign_out_by_a_form_and_are_told_where_to_go(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *body;
        const char *url;
    } cases[] = {
        {"csrfToken=x&callbackUrl=https%3A%2F%2Fh%2Fprojects%3Fpage%3D2&json=true", "https://h/projects?page=2"},
        {"csrfToken=x&callbackUrl=%2F&json=true",                                   "https://h/"               },
        {"csrfToken=x&json=true",                                                   "https://h/"               },
        {"callbackUrl=https%3A%2F%2Fevil.example%2F&json=true",                     "https://h/"               },
        {"callbackUrl=%2F%2Fevil.example&json=true",                                "https://h/"               },
    };
    struct arena *a = arena_new();
    f->app.settings.public_url = "https://h";
    open_gate(f, "https://h");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        f->is_ended = false;
        send_body(f, "POST /api/auth/signout", "Cookie: __Host-sid=" TOKEN "\r\n" FORM, cases[i].body, 200);
        assert_true(f->is_ended);
        assert_true(says(f, "Set-Cookie: __Host-sid=; Path=/; Max-Age=0; "));
        assert_true(says(f, arena_printf(a, "\r\n\r\n{\"url\":\"%s\"}", cases[i].url)));
    }
    send_body(f, "POST /api/auth/signout", "X-Auth-Return-Redirect: 1\r\n" FORM, "callbackUrl=%2Fx", 200);
    assert_true(says(f, "\r\n\r\n{\"url\":\"https://h/x\"}"));
    send_body(f, "POST /api/auth/signout", FORM, "callbackUrl=%2Fx", 302);
    assert_true(says(f, "Location: https://h/x\r\n"));
    arena_free(a);
}

static void a_form_that_is_malformed_ends_no_session(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {"json=true&json=true", "callbackUrl=%zz", "user=x", "{\"a\":1}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        send_body(f, "POST /api/auth/signout", "Cookie: sid=" TOKEN "\r\n" FORM, bodies[i], 400);
        assert_false(says(f, "Set-Cookie"));
        assert_false(f->is_ended);
    }
}

static void a_store_that_is_away_signs_nobody_in_or_out(void **state)
{
    struct fixture *f = *state;
    f->fails = ERR_NOT_READY;
    request(f, "POST /api/auth/signin-link", "", "{\"token\":\"good-link\"}", 503);
    assert_false(says(f, "Set-Cookie"));
    request(f, "POST /api/auth/signout", "Cookie: sid=" TOKEN "\r\n", "", 503);
    assert_false(says(f, "Set-Cookie"));
    request(f, "GET /api/auth/session", "Cookie: sid=" TOKEN "\r\n", "", 503);
}

static void a_client_that_leaves_while_signing_in_is_forgotten(void **state)
{
    struct fixture *f = *state;
    http_loopback_send(f->client, STR("POST /api/auth/signin-link HTTP/1.1\r\nHost: h\r\nContent-Type: "
                                      "application/json\r\nContent-Length: 21\r\n\r\n{\"token\":\"good-link\"}"));
    for (int i = 0; i < 20 && !f->is_link_used; i++)
        loop_turn(f->loop);
    assert_true(f->is_link_used);
    http_loopback_leave(f->client);
    loop_turn(f->loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_link_signs_in_once_with_a_fresh_token),
        TEST(over_https_the_cookie_is_bound_to_the_host),
        TEST(a_bad_sign_in_body_is_named_and_signs_nobody_in),
        TEST(the_session_is_told_or_null),
        TEST(signing_out_ends_the_session_and_clears_the_cookie),
        TEST(nextauths_clients_sign_out_by_a_form_and_are_told_where_to_go),
        TEST(a_form_that_is_malformed_ends_no_session),
        TEST(a_store_that_is_away_signs_nobody_in_or_out),
        TEST(a_client_that_leaves_while_signing_in_is_forgotten),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
