// SPDX-License-Identifier: MIT
/* A gate for tests: requests without a socket, a store that knows one session and three API tokens, a clock that is
 * simulated. */
#pragma once

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

static inline void lookup_free(struct lookup *l)
{
    loop_task_clear(&l->task);
    l->fixture->lookup = NULL;
    free(l);
}

static inline void lookup_cancel(struct op *op)
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

static inline bool know(const char *token, struct principal *ret)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq_text(str_from(token), known[i].token)) {
            ret->scopes = known[i].scopes;
            return true;
        }
    }
    return false;
}

static inline void lookup_answer(void *arg)
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

static inline struct op *find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
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

static inline struct op *session_find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done,
                                      void *arg)
{
    assert_false(str_starts(token, STR("fsa_")));
    return find(self, token, timeout_ms, done, arg);
}

static inline struct op *token_find(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg)
{
    assert_true(str_starts(token, STR("fsa_")));
    return find(self, token, timeout_ms, done, arg);
}

/* ---- routes ---- */

struct app {
    struct fixture *fixture;
};

static inline void handle(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    app->fixture->handled_n++;
    app->fixture->was_admin = caller->is_signed_in && caller->who.is_admin;
    app->fixture->was_signed_in = caller->is_signed_in;
    http_answer(x, 200, "text/plain", STR("handled"));
}

static const struct route routes[] = {
    {HTTP_GET,    "/public",       handle, ROUTE_PUBLIC,   {0, false},  RATE_NONE  },
    {HTTP_GET,    "/api/optional", handle, ROUTE_OPTIONAL, {0, false},  RATE_READ  },
    {HTTP_GET,    "/api/user",     handle, ROUTE_USER,     {0, false},  RATE_READ  },
    {HTTP_POST,   "/api/user",     handle, ROUTE_USER,     {16, false}, RATE_WRITE },
    {HTTP_DELETE, "/api/user",     handle, ROUTE_USER,     {0, false},  RATE_WRITE },
    {HTTP_GET,    "/api/session",  handle, ROUTE_SESSION,  {0, false},  RATE_READ  },
    {HTTP_GET,    "/api/admin",    handle, ROUTE_ADMIN,    {0, false},  RATE_READ  },
    {HTTP_POST,   "/api/admin",    handle, ROUTE_ADMIN,    {16, false}, RATE_WRITE },
    {HTTP_POST,   "/api/optional", handle, ROUTE_OPTIONAL, {16, false}, RATE_WRITE },
    {HTTP_POST,   "/api/signin",   handle, ROUTE_PUBLIC,   {16, false}, RATE_SIGNIN},
    {HTTP_POST,   "/api/form",     handle, ROUTE_OPTIONAL, {16, true},  RATE_WRITE },
};
static const struct route fallback = {
    HTTP_GET, "/", handle, ROUTE_PUBLIC, {0, false},
        RATE_NONE
};

static struct app the_app;

static inline void open_gate(struct fixture *f)
{
    struct http_service service;
    http_loopback_free(f->client);
    gate_free(f->gate);
    f->gate = gate_new(f->loop, &f->store, &f->settings);
    gate_service(f->gate, &service);
    f->client = http_loopback_new(f->loop, NULL, &service);
    assert_non_null(f->client);
}

static inline int setup(void **state)
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
        .cors_origins = "",
        .admin_users = "",
        .per_window = {0, 100, 100, 100, 100},
        .lookup_ms = 5000,
    };
    open_gate(f);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
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
static inline void turn(struct fixture *f)
{
    for (int i = 0; i < 20 && http_loopback_output(f->client).n == 0; i++)
        loop_turn(f->loop);
}

/* Sends one request, headers separated by CRLF and ended by one; gives the status. */
static inline int status_of(struct fixture *f, const char *line, const char *headers, const char *body)
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

static inline bool says(struct fixture *f, const char *part)
{
    struct str answer = http_loopback_output(f->client);
    return str_find_str(answer, str_from(part)) < answer.n;
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup, teardown)

#define COOKIE        "Cookie: theme=dark; sid=" TOKEN "\r\n"
#define JSON_BODY     "Content-Type: application/json\r\nContent-Length: 2\r\n"
#define FORM_BODY     "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n"
#define BEARER(token) "Authorization: Bearer " token "\r\n"
