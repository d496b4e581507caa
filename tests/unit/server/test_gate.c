// SPDX-License-Identifier: MIT
/* The authorization matrix of the gate: requests without a socket, a store that knows one session, a clock that is
 * simulated. */
#include "server/gate.h"

#include "tests/unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "core/caller.h"
#include "server/http_loopback.h"

#define TOKEN    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
/* API tokens of that scope, and one that nobody has. */
#define READER   "fsa_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR5e5c5b97"
#define WRITER   "fsa_WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW73ce30c4"
#define RULER    "fsa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA268709b3"
#define STRANGER "fsa_SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS96194b86"

/* ---- a store that knows the session TOKEN and three API tokens ---- */

struct lookup {
    struct op op;
    struct loop_task task;
    struct fixture *fixture;
    char token[64];
    store_on_principal *done;
    void *arg;
};

struct fixture {
    struct loop *loop;
    struct port_store store;
    struct gate *gate;
    struct http_loopback *client;
    struct gate_settings settings;
    struct lookup *lookup;     /* the one under way */
    bool is_store_slow;        /* lookups are not answered */
    enum err_kind store_fails; /* ERR_NONE: it works */
    unsigned cancelled_n;
    unsigned handled_n;
    bool was_admin;
    bool is_user_admin;
    bool was_signed_in;
};

static void lookup_free(struct lookup *l)
{
    loop_task_clear(&l->task);
    l->fixture->lookup = NULL;
    free(l);
}

static void lookup_cancel(struct op *op)
{
    struct lookup *l = (struct lookup *)op;
    l->fixture->cancelled_n++;
    lookup_free(l);
}

static const struct {
    const char *token;
    unsigned scopes;
} known[] = {
    {TOKEN,  0                      },
    {READER, 1U << TOKEN_SCOPE_READ },
    {WRITER, 1U << TOKEN_SCOPE_WRITE},
    {RULER,  1U << TOKEN_SCOPE_ADMIN},
};

static bool know(const char *token, struct principal *ret)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq_text(str_from(token), known[i].token)) {
            ret->scopes = known[i].scopes;
            return true;
        }
    }
    return false;
}

static void lookup_answer(void *arg)
{
    struct lookup *l = arg;
    struct fixture *f = l->fixture;
    store_on_principal *done = l->done;
    void *done_arg = l->arg;
    struct principal who = {.user_id = "user-1", .name = "One", .is_admin = f->is_user_admin};
    bool is_known = know(l->token, &who);
    struct err err = {0};
    lookup_free(l);
    if (f->store_fails != ERR_NONE)
        err_set(&err, f->store_fails, __func__, "the store is away");
    else if (!is_known)
        err_set(&err, ERR_UNAUTHENTICATED, __func__, "unknown session");
    done(done_arg, err.kind == ERR_NONE ? &who : NULL, err.kind == ERR_NONE ? NULL : &err);
}

static struct op *find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
{
    struct fixture *f = self;
    struct lookup *l = xcalloc(1, sizeof(*l));
    assert_true(timeout_ms > 0);
    *l = (struct lookup){.op = {lookup_cancel}, .fixture = f, .done = done, .arg = arg};
    assert_true(str_copy(token, l->token, sizeof(l->token)));
    loop_task_init(&l->task, f->loop, lookup_answer, l);
    if (!f->is_store_slow)
        loop_defer(&l->task);
    f->lookup = l;
    return &l->op;
}

static struct op *session_find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
{
    assert_false(str_starts(token, STR("fsa_")));
    return find(self, token, timeout_ms, done, arg);
}

static struct op *token_find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
{
    assert_true(str_starts(token, STR("fsa_")));
    return find(self, token, timeout_ms, done, arg);
}

/* ---- routes ---- */

struct app {
    struct fixture *fixture;
};

static void handle(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    app->fixture->handled_n++;
    app->fixture->was_admin = caller->is_signed_in && caller->who.is_admin;
    app->fixture->was_signed_in = caller->is_signed_in;
    http_answer(x, 200, "text/plain", STR("handled"));
}

static const struct route routes[] = {
    {HTTP_GET,    "/public",       handle, ROUTE_PUBLIC,   0,  RATE_NONE  },
    {HTTP_GET,    "/api/optional", handle, ROUTE_OPTIONAL, 0,  RATE_READ  },
    {HTTP_GET,    "/api/user",     handle, ROUTE_USER,     0,  RATE_READ  },
    {HTTP_POST,   "/api/user",     handle, ROUTE_USER,     16, RATE_WRITE },
    {HTTP_DELETE, "/api/user",     handle, ROUTE_USER,     0,  RATE_WRITE },
    {HTTP_GET,    "/api/session",  handle, ROUTE_SESSION,  0,  RATE_READ  },
    {HTTP_GET,    "/api/admin",    handle, ROUTE_ADMIN,    0,  RATE_READ  },
    {HTTP_POST,   "/api/admin",    handle, ROUTE_ADMIN,    16, RATE_WRITE },
    {HTTP_POST,   "/api/optional", handle, ROUTE_OPTIONAL, 16, RATE_WRITE },
    {HTTP_POST,   "/api/signin",   handle, ROUTE_PUBLIC,   16, RATE_SIGNIN},
};
static const struct route fallback = {HTTP_GET, "/", handle, ROUTE_PUBLIC, 0, RATE_NONE};

static struct app the_app;

static void open_gate(struct fixture *f)
{
    struct http_service service;
    http_loopback_free(f->client);
    gate_free(f->gate);
    f->gate = gate_new(f->loop, &f->store, &f->settings);
    gate_service(f->gate, &service);
    f->client = http_loopback_new(f->loop, NULL, &service);
    assert_non_null(f->client);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->loop = loop_new_simulated(1700000000000);
    f->store = (struct port_store){.self = f, .session_find = session_find, .token_find = token_find};
    the_app.fixture = f;
    f->settings = (struct gate_settings){
        .routes = routes,
        .routes_n = sizeof(routes) / sizeof(routes[0]),
        .fallback = &fallback,
        .app = &the_app,
        .public_url = "",
        .admin_users = "",
        .per_window = {0, 100, 100, 100, 100},
        .lookup_ms = 5000,
    };
    open_gate(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_loopback_free(f->client);
    assert_null(f->lookup);
    gate_free(f->gate);
    loop_free(f->loop);
    free(f);
    return 0;
}

/* Turns until something was answered; not further, because an idle simulated loop jumps to its next timer. */
static void turn(struct fixture *f)
{
    for (int i = 0; i < 20 && http_loopback_output(f->client).n == 0; i++)
        loop_turn(f->loop);
}

/* Sends one request, headers separated by CRLF and ended by one; gives the status. */
static int status_of(struct fixture *f, const char *line, const char *headers, const char *body)
{
    struct buf request;
    buf_init(&request, 64 * 1024);
    buf_addf(&request, "%s HTTP/1.1\r\nHost: studio.example.org\r\n%s\r\n%s", line, headers, body);
    http_loopback_clear(f->client);
    http_loopback_send(f->client, buf_str(&request));
    buf_fini(&request);
    turn(f);
    struct str answer = http_loopback_output(f->client);
    uint64_t status = 0;
    assert_true(str_starts(answer, STR("HTTP/1.1 ")));
    assert_true(str_parse_u64(str_slice(answer, 9, 12), 999, &status));
    return (int)status;
}

static bool says(struct fixture *f, const char *part)
{
    struct str answer = http_loopback_output(f->client);
    return str_find_str(answer, str_from(part)) < answer.n;
}

#define COOKIE    "Cookie: theme=dark; sid=" TOKEN "\r\n"
#define JSON_BODY "Content-Type: application/json\r\nContent-Length: 2\r\n"

/* ---- who ---- */

static void each_role_opens_to_those_it_names(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *headers;
        int status;
    } cases[] = {
        {"GET /public",       "",                                 200},
        {"GET /public",       COOKIE,                             200},
        {"GET /api/optional", "",                                 200},
        {"GET /api/optional", COOKIE,                             200},
        {"GET /api/optional", "Cookie: sid=" OTHER "\r\n",        200},
        {"GET /api/user",     "",                                 401},
        {"GET /api/user",     "Cookie: sid=" OTHER "\r\n",        401},
        {"GET /api/user",     "Cookie: sid=short\r\n",            401},
        {"GET /api/user",     "Cookie: xsid=" TOKEN "\r\n",       401},
        {"GET /api/user",     "Cookie: sid =" TOKEN "\r\n",       401},
        {"GET /api/user",     "Cookie: __Host-sid=" TOKEN "\r\n", 401},
        {"GET /api/user",     COOKIE,                             200},
        {"HEAD /api/user",    COOKIE,                             200},
        {"GET /api/admin",    "",                                 401},
        {"GET /api/admin",    COOKIE,                             403},
        {"GET /anything",     "",                                 200},
        {"GET /api/nothing",  COOKIE,                             404},
        {"PUT /api/user",     COOKIE,                             405},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned before = f->handled_n;
        int status = status_of(f, cases[i].line, cases[i].headers, "");
        if (status != cases[i].status)
            fail_msg("case %zu, %s: %d instead of %d", i, cases[i].line, status, cases[i].status);
        assert_int_equal(f->handled_n - before, status == 200 ? 1 : 0);
    }
}

#define BEARER(token) "Authorization: Bearer " token "\r\n"

static void an_api_token_may_what_its_scope_says(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *headers;
        int status;
    } cases[] = {
        {"GET /api/user",      BEARER(READER),                         200},
        {"GET /api/user",      "authorization: bEARER " READER "\r\n", 200},
        {"HEAD /api/user",     BEARER(READER),                         200},
        {"POST /api/user",     BEARER(READER),                         403},
        {"DELETE /api/user",   BEARER(READER),                         403},
        {"GET /api/user",      BEARER(WRITER),                         200},
        {"POST /api/user",     BEARER(WRITER),                         200},
        {"DELETE /api/user",   BEARER(WRITER),                         200},
        {"POST /api/user",     BEARER(RULER),                          200},
        {"GET /api/admin",     BEARER(WRITER),                         403},
        {"GET /api/admin",     BEARER(RULER),                          200},
        {"POST /api/admin",    BEARER(RULER),                          200},
        {"GET /api/admin",     COOKIE,                                 200},
        {"GET /api/session",   COOKIE,                                 200},
        {"GET /api/session",   BEARER(RULER),                          403},
        {"GET /api/optional",  BEARER(READER),                         200},
        {"POST /api/optional", BEARER(READER),                         403},
        {"GET /api/user",      BEARER(STRANGER),                       401},
        {"GET /api/user",      BEARER(TOKEN),                          401},
        {"GET /api/user",      BEARER("fsa_"),                         401},
        {"GET /api/user",      "Authorization: Bearer \r\n",           401},
        {"GET /api/user",      "Authorization: Bearer" READER "\r\n",  401},
        {"GET /api/user",      "Authorization: Token " READER "\r\n",  401},
        {"GET /api/user",      BEARER(READER) BEARER(READER),          401},
        {"GET /api/user",      "Cookie: sid=" READER "\r\n",           401},
        {"GET /public",        BEARER(STRANGER),                       200},
 /* A token that is shown is what counts, also when a cookie would do. */
        {"GET /api/user",      BEARER(STRANGER) COOKIE,                401},
        {"GET /api/user",      BEARER("fsa_x") COOKIE,                 401},
        {"POST /api/user",     BEARER(READER) COOKIE,                  403},
        {"GET /api/user",      "Authorization: Basic eDp5\r\n" COOKIE, 200},
    };
    f->is_user_admin = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned before = f->handled_n;
        int status = status_of(f, cases[i].line, cases[i].headers, "");
        if (status != cases[i].status)
            fail_msg("case %zu, %s %s: %d instead of %d", i, cases[i].line, cases[i].headers, status, cases[i].status);
        assert_int_equal(f->handled_n - before, status == 200 ? 1 : 0);
    }
    assert_int_equal(status_of(f, "POST /api/user", BEARER(READER), ""), 403);
    assert_true(says(f, "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"write\"\r\n"));
    f->is_user_admin = false;
    assert_int_equal(status_of(f, "GET /api/admin", BEARER(RULER), ""), 403);
}

static void a_malformed_token_costs_no_lookup(void **state)
{
    struct fixture *f = *state;
    struct gate_stats stats;
    char wrong[] = READER;
    struct arena *a = arena_new();
    wrong[10] = 'X'; /* its last eight characters do not fit any more */
    assert_int_equal(status_of(f, "GET /api/user", arena_printf(a, "Authorization: Bearer %s\r\n", wrong), ""), 401);
    gate_stats(f->gate, &stats);
    assert_int_equal(stats.lookups_n, 0);
    arena_free(a);
}

static void a_401_reads_as_the_original_client_expects(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(status_of(f, "GET /api/user", "", ""), 401);
    assert_true(says(f, "\"error\":\"Unauthorized\""));
}

static void admins_are_named_by_configuration(void **state)
{
    struct fixture *f = *state;
    f->settings.admin_users = "user-0, user-1";
    open_gate(f);
    assert_int_equal(status_of(f, "GET /api/admin", COOKIE, ""), 200);
    assert_true(f->was_admin);
    f->settings.admin_users = "user-11,user";
    open_gate(f);
    assert_int_equal(status_of(f, "GET /api/admin", COOKIE, ""), 403);
}

static void optional_routes_know_who_asks_and_public_ones_do_not_look(void **state)
{
    struct fixture *f = *state;
    struct gate_stats stats;
    status_of(f, "GET /api/optional", COOKIE, "");
    assert_true(f->was_signed_in);
    status_of(f, "GET /public", COOKIE, "");
    assert_false(f->was_signed_in);
    gate_stats(f->gate, &stats);
    assert_int_equal(stats.lookups_n, 1);
    assert_int_equal(stats.requests_n[0], 1);
    assert_int_equal(stats.requests_n[1], 1);
}

static void over_https_only_the_host_cookie_counts(void **state)
{
    struct fixture *f = *state;
    f->settings.public_url = "https://studio.example.org";
    open_gate(f);
    assert_int_equal(status_of(f, "GET /api/user", COOKIE, ""), 401);
    assert_int_equal(status_of(f, "GET /api/user", "Cookie: __Host-sid=" TOKEN "\r\n", ""), 200);
}

static void a_store_that_is_away_is_told_as_such_not_as_401(void **state)
{
    struct fixture *f = *state;
    f->store_fails = ERR_NOT_READY;
    assert_int_equal(status_of(f, "GET /api/user", COOKIE, ""), 503);
    assert_int_equal(status_of(f, "GET /public", COOKIE, ""), 200);
}

static void a_client_that_leaves_cancels_its_lookup(void **state)
{
    struct fixture *f = *state;
    f->is_store_slow = true;
    http_loopback_send(f->client, STR("GET /api/user HTTP/1.1\r\nHost: h\r\n" COOKIE "\r\n"));
    for (int i = 0; i < 20 && f->lookup == NULL; i++)
        loop_turn(f->loop);
    assert_non_null(f->lookup);
    http_loopback_leave(f->client);
    for (int i = 0; i < 20 && f->lookup != NULL; i++)
        loop_turn(f->loop);
    assert_null(f->lookup);
    assert_int_equal(f->cancelled_n, 1);
    assert_int_equal(f->handled_n, 0);
}

/* ---- from where ---- */

static void writes_are_only_taken_from_our_own_pages(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *headers;
        int status;
    } cases[] = {
        {"POST /api/user",   COOKIE,                                                  200},
        {"POST /api/user",   COOKIE "Origin: http://studio.example.org\r\n",          200},
        {"POST /api/user",   COOKIE "Origin: https://studio.example.org\r\n",         200},
        {"POST /api/user",   COOKIE "Origin: http://evil.example.org\r\n",            403},
        {"POST /api/user",   COOKIE "Origin: http://studio.example.org.evil.org\r\n", 403},
        {"POST /api/user",   COOKIE "Origin: http://studio.example.org:81\r\n",       403},
        {"POST /api/user",   COOKIE "Origin: null\r\n",                               403},
        {"POST /api/user",   COOKIE "Origin: \r\n",                                   403},
        {"POST /api/user",   COOKIE "Sec-Fetch-Site: same-origin\r\n",                200},
        {"POST /api/user",   COOKIE "Sec-Fetch-Site: none\r\n",                       200},
        {"POST /api/user",   COOKIE "Sec-Fetch-Site: same-site\r\n",                  403},
        {"POST /api/user",   COOKIE "Sec-Fetch-Site: cross-site\r\n",                 403},
        {"DELETE /api/user", COOKIE "Origin: http://evil.example.org\r\n",            403},
        {"POST /api/signin", "Origin: http://evil.example.org\r\n",                   403},
        {"GET /api/user",    COOKIE "Origin: http://evil.example.org\r\n",            200},
        {"GET /api/user",    COOKIE "Sec-Fetch-Site: cross-site\r\n",                 200},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = status_of(f, cases[i].line, cases[i].headers, "");
        if (status != cases[i].status)
            fail_msg("case %zu, %s %s: %d instead of %d", i, cases[i].line, cases[i].headers, status, cases[i].status);
    }
}

static void over_https_a_plain_page_of_the_same_host_is_foreign(void **state)
{
    struct fixture *f = *state;
    f->settings.public_url = "https://studio.example.org";
    open_gate(f);
    const char *cookie = "Cookie: __Host-sid=" TOKEN "\r\n";
    struct arena *a = arena_new();
    assert_int_equal(
        status_of(f, "POST /api/user", arena_printf(a, "%sOrigin: https://studio.example.org\r\n", cookie), ""), 200);
    assert_int_equal(
        status_of(f, "POST /api/user", arena_printf(a, "%sOrigin: http://studio.example.org\r\n", cookie), ""), 403);
    arena_free(a);
}

/* ---- with what ---- */

static void a_body_must_be_json_and_within_its_ceiling(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *headers;
        const char *body;
        int status;
    } cases[] = {
        {"POST /api/user",   COOKIE JSON_BODY,                                                                "{}",                   200},
        {"POST /api/user",   COOKIE "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n", "{}",                   200},
        {"POST /api/user",   COOKIE "Content-Length: 0\r\n",                                                  "",                     200},
        {"POST /api/user",   COOKIE "Content-Length: 2\r\n",                                                  "{}",                   415},
        {"POST /api/user",   COOKIE "Content-Type: text/plain\r\nContent-Length: 2\r\n",                      "{}",                   415},
        {"POST /api/user",   COOKIE "Content-Type: application/jsonp\r\nContent-Length: 2\r\n",               "{}",                   415},
        {"POST /api/user",   COOKIE "Content-Type: text/plain;application/json\r\nContent-Length: 2\r\n",     "{}",                   415},
        {"POST /api/user",   COOKIE "Transfer-Encoding: chunked\r\n",                                         "2\r\n{}\r\n0\r\n\r\n", 415},
        {"POST /api/user",   COOKIE "Content-Type: application/json\r\nContent-Length: 17\r\n",               "[1,2,3,4,5,6,7,8]",    413},
        {"DELETE /api/user", COOKIE JSON_BODY,                                                                "{}",                   413},
        {"POST /api/user",   JSON_BODY,                                                                       "{}",                   401},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = status_of(f, cases[i].line, cases[i].headers, cases[i].body);
        if (status != cases[i].status)
            fail_msg("case %zu, %s: %d instead of %d", i, cases[i].headers, status, cases[i].status);
        open_gate(f);
    }
}

/* ---- how often ---- */

static void the_allowance_is_told_and_enforced_with_a_time_to_come_back(void **state)
{
    struct fixture *f = *state;
    f->settings.per_window[RATE_WRITE] = 2;
    open_gate(f);
    assert_int_equal(status_of(f, "POST /api/user", COOKIE, ""), 200);
    assert_true(says(f, "RateLimit-Policy: \"write\";q=2;w=60\r\n"));
    assert_true(says(f, "RateLimit: \"write\";r=1;t=30\r\n"));
    assert_int_equal(status_of(f, "POST /api/user", COOKIE, ""), 200);
    assert_int_equal(status_of(f, "POST /api/user", COOKIE, ""), 429);
    assert_true(says(f, "Retry-After: 30\r\n"));
    assert_int_equal(status_of(f, "GET /api/user", COOKIE, ""), 200);
    assert_int_equal(f->handled_n, 3);
}

static void guessing_sessions_is_stopped_before_the_store(void **state)
{
    struct fixture *f = *state;
    struct gate_stats stats;
    f->settings.per_window[RATE_READ] = 3;
    open_gate(f);
    for (int i = 0; i < 6; i++)
        status_of(f, "POST /api/user", "Cookie: sid=" OTHER "\r\n", "");
    assert_int_equal(status_of(f, "POST /api/user", "Cookie: sid=" OTHER "\r\n", ""), 429);
    gate_stats(f->gate, &stats);
    assert_int_equal(stats.lookups_n, 3);
    assert_int_equal(status_of(f, "GET /public", "Cookie: sid=" OTHER "\r\n", ""), 200);
}

static void no_limit_means_none_and_no_headers(void **state)
{
    struct fixture *f = *state;
    f->settings.per_window[RATE_READ] = 0;
    open_gate(f);
    for (int i = 0; i < 300; i++)
        assert_int_equal(status_of(f, "GET /api/user", COOKIE, ""), 200);
    assert_false(says(f, "RateLimit"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_role_opens_to_those_it_names),
        TEST(an_api_token_may_what_its_scope_says),
        TEST(a_malformed_token_costs_no_lookup),
        TEST(a_401_reads_as_the_original_client_expects),
        TEST(admins_are_named_by_configuration),
        TEST(optional_routes_know_who_asks_and_public_ones_do_not_look),
        TEST(over_https_only_the_host_cookie_counts),
        TEST(a_store_that_is_away_is_told_as_such_not_as_401),
        TEST(a_client_that_leaves_cancels_its_lookup),
        TEST(writes_are_only_taken_from_our_own_pages),
        TEST(over_https_a_plain_page_of_the_same_host_is_foreign),
        TEST(a_body_must_be_json_and_within_its_ceiling),
        TEST(the_allowance_is_told_and_enforced_with_a_time_to_come_back),
        TEST(guessing_sessions_is_stopped_before_the_store),
        TEST(no_limit_means_none_and_no_headers),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
