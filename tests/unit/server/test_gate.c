// SPDX-License-Identifier: MIT
/* The authorization matrix of the gate. Pages of other origins: test_cors.c. */
#include "tests/unit/server/gate_harness.h"

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
    assert_true(says(f, "\"error\":\"This needs a token with the scope write\""));
    f->is_user_admin = false;
    assert_int_equal(status_of(f, "GET /api/admin", BEARER(RULER), ""), 403);
    assert_true(says(f, "\"error\":\"Only an administrator may do this\""));
    assert_false(says(f, "WWW-Authenticate"));
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

static void a_body_must_be_json_or_where_taken_a_form_and_within_its_ceiling(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *headers;
        const char *body;
        int status;
    } cases[] = {
        {"POST /api/user",   COOKIE JSON_BODY,                                                                   "{}",                   200},
        {"POST /api/user",   COOKIE "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n",    "{}",                   200},
        {"POST /api/user",   COOKIE "Content-Length: 0\r\n",                                                     "",                     200},
        {"POST /api/user",   COOKIE "Content-Length: 2\r\n",                                                     "{}",                   415},
        {"POST /api/user",   COOKIE "Content-Type: text/plain\r\nContent-Length: 2\r\n",                         "{}",                   415},
        {"POST /api/user",   COOKIE "Content-Type: application/jsonp\r\nContent-Length: 2\r\n",                  "{}",                   415},
        {"POST /api/user",   COOKIE "Content-Type: text/plain;application/json\r\nContent-Length: 2\r\n",        "{}",                   415},
        {"POST /api/user",   COOKIE "Transfer-Encoding: chunked\r\n",                                            "2\r\n{}\r\n0\r\n\r\n", 415},
        {"POST /api/user",   COOKIE "Content-Type: application/json\r\nContent-Length: 17\r\n",                  "[1,2,3,4,5,6,7,8]",    413},
        {"DELETE /api/user", COOKIE JSON_BODY,                                                                   "{}",                   413},
        {"POST /api/user",   JSON_BODY,                                                                          "{}",                   401},
        {"POST /api/user",   COOKIE FORM_BODY,                                                                   "a=",                   415},
        {"POST /api/form",   COOKIE FORM_BODY,                                                                   "a=",                   200},
        {"POST /api/form",   COOKIE JSON_BODY,                                                                   "{}",                   200},
        {"POST /api/form",   COOKIE "Content-Type: text/plain\r\nContent-Length: 2\r\n",                         "a=",                   415},
        {"POST /api/form",   COOKIE "Content-Type: multipart/form-data;boundary=a\r\nContent-Length: 2\r\n",     "a=",                   415},
        {"POST /api/form",   COOKIE "Content-Length: 2\r\n",                                                     "a=",                   415},
        {"POST /api/form",   COOKIE "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n",
         "a=34567890123456",                                                                                                             413},
        {"POST /api/form",   COOKIE FORM_BODY "Origin: http://evil.example.org\r\n",                             "a=",                   403},
        {"POST /api/form",   COOKIE FORM_BODY "Sec-Fetch-Site: cross-site\r\n",                                  "a=",                   403},
        {"POST /api/form",   COOKIE FORM_BODY "Sec-Fetch-Site: same-site\r\n",                                   "a=",                   403},
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

static int heard[8];
static size_t heard_n;

static void hear(struct http_exchange *x, struct app *app, int status)
{
    const struct caller *caller = http_context(x);
    assert_ptr_equal(app, &the_app);
    assert_true(caller->is_signed_in);
    heard[heard_n++] = status;
}

/* What the gate itself refuses reached nobody. */
static void the_end_of_what_reached_a_handler_is_told_with_its_status(void **state)
{
    struct fixture *f = *state;
    f->settings.after = hear;
    heard_n = 0;
    open_gate(f);
    assert_int_equal(status_of(f, "POST /api/user", COOKIE JSON_BODY, "{}"), 200);
    assert_int_equal(status_of(f, "POST /api/user", COOKIE "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"),
                     415);
    assert_int_equal(status_of(f, "GET /api/admin", COOKIE, ""), 403);
    assert_int_equal(status_of(f, "GET /api/user", COOKIE, ""), 200);
    assert_int_equal(heard_n, 2);
    assert_int_equal(heard[0], 200);
    assert_int_equal(heard[1], 200);
}

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
        TEST(a_body_must_be_json_or_where_taken_a_form_and_within_its_ceiling),
        TEST(the_allowance_is_told_and_enforced_with_a_time_to_come_back),
        TEST(guessing_sessions_is_stopped_before_the_store),
        TEST(no_limit_means_none_and_no_headers),
        TEST(the_end_of_what_reached_a_handler_is_told_with_its_status),
    };
    struct err err;
    return codec_init(&err) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
