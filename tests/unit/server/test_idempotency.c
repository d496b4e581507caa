// SPDX-License-Identifier: MIT
/* Idempotency-Key before a handler: a store in memory that answers when it is told to, requests without a socket. What
 * the real store decides is tests/wire/store/test_idempotency.c. */
#include "server/idempotency.h"

#include "tests/unit/server/loopback_harness.h"

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "server/http_conn.h"

enum { HOLD_MS = 60000, BIG_BYTES = 300 * 1024 };

/* One call to the store; told by tell(). */
struct call {
    struct op op;
    struct fixture *fixture;
    bool is_begin;
    store_on_idempotency *begun;
    op_done *ended;
    void *arg;
};

struct fixture {
    struct harness *h;
    struct port_store store;
    struct idempotency *idempotency;
    struct call *call; /* the one under way */
    unsigned calls_n;
    unsigned cancelled_n;
    /* the last begin */
    uint8_t scope[CODEC_SHA256_BYTES];
    uint8_t fingerprint[CODEC_SHA256_BYTES];
    char key[300];
    /* the last end */
    bool has_answer;
    int status;
    char fields[200];
    bool has_body;
    char body[100];
    int64_t fence;
    struct loop_task clean_task;
    unsigned cleaned_n;
    store_on_count *on_cleaned;
    void *clean_arg;
    /* the handler */
    unsigned handled_n;
    char operation_id[ID_SIZE];
    void (*handle)(struct fixture *f, struct http_exchange *x);
    struct http_exchange *x;
    bool was_gone;
};
static struct fixture *the_fixture;

static void call_cancel(struct op *op)
{
    struct call *c = (struct call *)op;
    c->fixture->cancelled_n++;
    c->fixture->call = NULL;
    free(c);
}

static struct call *call_new(struct fixture *f, bool is_begin, void *arg)
{
    struct call *c = xcalloc(1, sizeof(*c));
    *c = (struct call){.op = {call_cancel}, .fixture = f, .is_begin = is_begin, .arg = arg};
    assert_null(f->call);
    f->call = c;
    f->calls_n++;
    return c;
}

static struct op *idempotency_begin(void *self, const struct idempotent_request *request, ms_t timeout_ms,
                                    store_on_idempotency *done, void *arg)
{
    struct fixture *f = self;
    struct call *c = call_new(f, true, arg);
    assert_int_equal(timeout_ms, 5000);
    assert_int_equal(request->hold_ms, HOLD_MS);
    assert_int_equal(request->valid_ms, 86400000);
    assert_int_equal(request->keys_max, 7);
    assert_string_equal(request->owner_id, "user-1");
    assert_int_equal(request->scope.n, sizeof(f->scope));
    memcpy(f->scope, request->scope.p, sizeof(f->scope));
    memcpy(f->fingerprint, request->fingerprint.p, sizeof(f->fingerprint));
    assert_true(str_copy(request->key, f->key, sizeof(f->key)));
    c->begun = done;
    return &c->op;
}

static struct op *idempotency_end(void *self, const char *operation_id, int64_t fence,
                                  const struct idempotent_answer *answer, ms_t timeout_ms, op_done *done, void *arg)
{
    struct fixture *f = self;
    struct call *c = call_new(f, false, arg);
    assert_true(timeout_ms > 0);
    assert_string_equal(operation_id, "op-1");
    f->fence = fence;
    f->has_answer = answer != NULL;
    if (answer != NULL) {
        f->status = answer->status;
        f->has_body = !str_is_none(answer->body);
        assert_true(str_copy(answer->fields, f->fields, sizeof(f->fields)));
        (void)!str_copy(answer->body, f->body, sizeof(f->body));
    }
    c->ended = done;
    return &c->op;
}

static void on_clean(void *arg)
{
    struct fixture *f = arg;
    f->cleaned_n++;
    f->on_cleaned(f->clean_arg, f->cleaned_n == 1 ? 500 : 0, NULL);
}

static struct op *idempotency_clean(void *self, unsigned max, ms_t timeout_ms, store_on_count *done, void *arg)
{
    static struct op op = {call_cancel};
    struct fixture *f = self;
    assert_int_equal(max, 500);
    assert_true(timeout_ms > 0);
    f->on_cleaned = done;
    f->clean_arg = arg;
    loop_defer(&f->clean_task);
    return &op;
}

/* The store tells what it found, or that the end is written. */
static void tell(struct fixture *f, const struct idempotency_found *found, enum err_kind kind)
{
    struct call c = *f->call;
    struct err err = {0};
    free(f->call);
    f->call = NULL;
    if (kind != ERR_NONE)
        err_set(&err, kind, __func__, "the store is away");
    if (c.is_begin)
        c.begun(c.arg, kind == ERR_NONE ? found : NULL, kind == ERR_NONE ? NULL : &err);
    else
        c.ended(c.arg, kind == ERR_NONE ? NULL : &err);
    harness_advance(f->h, 1);
}

static void tell_run(struct fixture *f)
{
    const struct idempotency_found found = {.verdict = IDEMPOTENCY_RUN, .operation_id = "op-1", .fence = 3};
    tell(f, &found, ERR_NONE);
}

static void tell_ended(struct fixture *f)
{
    assert_false(f->call->is_begin);
    tell(f, NULL, ERR_NONE);
}

/* ---- the service: reads the key, then runs the handler under it ---- */

static void on_head(struct harness *h, struct http_exchange *x)
{
    struct str key;
    struct err err = {0};
    (void)h;
    if (!idempotency_read_key(x, &key, &err))
        http_answer_err(x, &err);
    else
        http_accept_body(x, 1024);
}

static void run(void *arg, const char *operation_id)
{
    struct fixture *f = the_fixture;
    f->handled_n++;
    assert_true(str_copy(str_from(operation_id), f->operation_id, sizeof(f->operation_id)));
    f->x = arg;
    f->handle(f, arg);
}

static void on_request(struct harness *h, struct http_exchange *x)
{
    struct fixture *f = the_fixture;
    struct str key;
    (void)h;
    assert_true(idempotency_read_key(x, &key, NULL));
    if (str_is_none(key))
        run(x, "none");
    else
        idempotency_run(f->idempotency, x, "user-1", key, run, x);
}

static void answer_created(struct fixture *f, struct http_exchange *x)
{
    (void)f;
    http_add_header(x, "RateLimit", STR("\"write\";r=1;t=30"));
    http_add_header(x, "Location", STR("/api/projects/op-1"));
    http_answer(x, 201, "application/json", STR("{\"id\":\"op-1\"}"));
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    const struct idempotency_settings settings = {
        .valid_ms = 86400000, .hold_ms = HOLD_MS, .call_ms = 5000, .keys_max = 7};
    f->h = harness_new(NULL);
    f->h->on_head = on_head;
    f->h->on_request = on_request;
    loop_task_init(&f->clean_task, f->h->loop, on_clean, f);
    f->store = (struct port_store){.self = f,
                                   .idempotency_begin = idempotency_begin,
                                   .idempotency_end = idempotency_end,
                                   .idempotency_clean = idempotency_clean};
    f->idempotency = idempotency_new(f->h->loop, &f->store, &settings);
    f->handle = answer_created;
    the_fixture = f;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_loopback_free(f->h->lb);
    f->h->lb = NULL;
    idempotency_free(f->idempotency);
    assert_null(f->call);
    harness_free(f->h);
    free(f);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PROJECTS   "POST /api/projects HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"

static void post(struct fixture *f, const char *key_field)
{
    struct buf b;
    buf_init(&b, 8192);
    buf_addf(&b, PROJECTS "%s\r\n{}", key_field);
    http_loopback_clear(f->h->lb);
    harness_send(f->h, buf_str(&b));
    buf_fini(&b);
}

static struct idempotency_stats stats_of(struct fixture *f)
{
    struct idempotency_stats s;
    idempotency_stats(f->idempotency, &s);
    return s;
}

/* ---- the key ---- */

static void a_key_that_is_none_is_refused_and_named(void **state)
{
    struct fixture *f = *state;
    char field[300] = "Idempotency-Key: ";
    static const char *const bad[] = {"Idempotency-Key:\r\n",           "Idempotency-Key: \"\"\r\n",
                                      "Idempotency-Key: two words\r\n", "Idempotency-Key: na\xc3\xafve\r\n",
                                      "Idempotency-Key: \"half\r\n",    "Idempotency-Key: a\r\nIdempotency-Key: b\r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        post(f, bad[i]);
        assert_true(harness_has(f->h, "HTTP/1.1 400 "));
        assert_true(harness_has(f->h, "\"pointer\":\"Idempotency-Key\""));
    }
    size_t n = strlen(field);
    memset(field + n, 'k', 256);
    memcpy(field + n + 256, "\r\n", 3);
    post(f, field);
    assert_true(harness_has(f->h, "HTTP/1.1 400 "));
    assert_int_equal(f->calls_n, 0);
    memcpy(field + n + 255, "\r\n", 3);
    post(f, field);
    assert_int_equal(strlen(f->key), 255);
    tell_run(f);
    tell_ended(f);
}

static void a_key_may_stand_in_quotes(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: \"8e03978e-40d5\"\r\n");
    assert_string_equal(f->key, "8e03978e-40d5");
    tell_run(f);
    tell_ended(f);
}

static void without_a_key_nobody_is_asked(void **state)
{
    struct fixture *f = *state;
    post(f, "");
    assert_true(harness_has(f->h, "HTTP/1.1 201 "));
    harness_send(f->h, STR("PUT /api/projects HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nIdempotency-Key: k\r\n\r\n"));
    assert_int_equal(f->calls_n, 0);
    assert_int_equal(f->handled_n, 2);
}

static void every_part_of_the_request_makes_the_fingerprint(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *request;
        bool has_same_scope;
    } others[] = {
        {"POST /api/projects?a=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nIdempotency-Key: k\r\n\r\n{}", true },
        {"POST /api/projects HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nIdempotency-Key: k\r\n\r\n[]",     true },
        {"POST /api/project HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nIdempotency-Key: k\r\n\r\n{}",      false},
    };
    uint8_t scope[CODEC_SHA256_BYTES];
    uint8_t fingerprint[CODEC_SHA256_BYTES];
    post(f, "Idempotency-Key: k\r\n");
    memcpy(scope, f->scope, sizeof(scope));
    memcpy(fingerprint, f->fingerprint, sizeof(fingerprint));
    tell_run(f);
    tell_ended(f);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        harness_send(f->h, str_from(others[i].request));
        assert_memory_not_equal(fingerprint, f->fingerprint, sizeof(fingerprint));
        assert_int_equal(memcmp(scope, f->scope, sizeof(scope)) == 0, others[i].has_same_scope);
        tell_run(f);
        tell_ended(f);
    }
    post(f, "X-Other: field\r\nIdempotency-Key: k\r\n");
    assert_memory_equal(fingerprint, f->fingerprint, sizeof(fingerprint));
    tell_run(f);
    tell_ended(f);
}

/* ---- one that runs ---- */

static void the_answer_goes_out_once_it_is_stored(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    assert_int_equal(f->handled_n, 0);
    tell_run(f);
    assert_int_equal(f->handled_n, 1);
    assert_string_equal(f->operation_id, "op-1");
    assert_int_equal(http_loopback_output(f->h->lb).n, 0);
    assert_true(f->has_answer);
    assert_int_equal(f->status, 201);
    assert_int_equal(f->fence, 3);
    assert_string_equal(f->fields, "Location: /api/projects/op-1\n");
    assert_string_equal(f->body, "{\"id\":\"op-1\"}");
    tell_ended(f);
    assert_true(harness_has(f->h, "HTTP/1.1 201 "));
    assert_true(harness_has(f->h, "RateLimit: \"write\";r=1;t=30\r\n"));
    assert_true(harness_has(f->h, "Content-Type: application/json\r\n"));
    assert_false(harness_has(f->h, "Idempotency-Replayed"));
    assert_true(str_ends(http_loopback_output(f->h->lb), STR("\r\n\r\n{\"id\":\"op-1\"}")));
    assert_int_equal(stats_of(f).runs_n, 1);
}

static void an_answer_that_cannot_be_stored_goes_out_all_the_same(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    tell_run(f);
    tell(f, NULL, ERR_NOT_READY);
    assert_true(harness_has(f->h, "HTTP/1.1 201 "));
}

static int answered_status;

static void answer_status(struct fixture *f, struct http_exchange *x)
{
    (void)f;
    http_answer(x, answered_status, NULL, STR(""));
}

static void what_was_refused_or_failed_is_given_back(void **state)
{
    struct fixture *f = *state;
    static const int statuses[] = {200, 202, 204, 303, 400, 404, 409, 422, 429, 500, 503};
    f->handle = answer_status;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        answered_status = statuses[i];
        post(f, "Idempotency-Key: k\r\n");
        tell_run(f);
        assert_int_equal(f->has_answer, answered_status < 400);
        assert_true(f->has_body || !f->has_answer);
        tell_ended(f);
        assert_true(http_loopback_output(f->h->lb).n > 0);
    }
}

static void answer_private(struct fixture *f, struct http_exchange *x)
{
    if (f->handled_n == 1)
        http_keep_no_copy(x);
    else
        http_add_header(x, "set-cookie", STR("sid=secret"));
    http_answer(x, 200, NULL, STR("secret"));
}

static void answer_big(struct fixture *f, struct http_exchange *x)
{
    char *bytes = xcalloc(1, BIG_BYTES);
    (void)f;
    http_answer(x, 200, NULL, (struct str){bytes, BIG_BYTES});
    free(bytes);
}

static void secrets_shown_once_and_what_is_too_long_is_not_kept(void **state)
{
    struct fixture *f = *state;
    void (*const handlers[])(struct fixture * f, struct http_exchange * x) = {answer_private, answer_private,
                                                                              answer_big};
    for (size_t i = 0; i < 3; i++) {
        f->handle = handlers[i];
        post(f, "Idempotency-Key: k\r\n");
        tell_run(f);
        assert_true(f->has_answer);
        assert_false(f->has_body);
        assert_string_equal(f->fields, "");
        tell_ended(f);
        assert_true(harness_has(f->h, "HTTP/1.1 200 "));
    }
}

/* ---- others ---- */

static void what_was_answered_is_answered_again(void **state)
{
    struct fixture *f = *state;
    const struct idempotency_found found = {
        .verdict = IDEMPOTENCY_ANSWERED,
        .answer = {201, STR("application/json"), STR("Location: /api/projects/op-1\nETag: \"1\"\n"), STR("{\"a\":1}")}
    };
    post(f, "Idempotency-Key: k\r\n");
    tell(f, &found, ERR_NONE);
    assert_int_equal(f->handled_n, 0);
    assert_true(harness_has(f->h, "HTTP/1.1 201 Created\r\n"));
    assert_true(harness_has(f->h, "Idempotency-Replayed: true\r\n"));
    assert_true(harness_has(f->h, "Location: /api/projects/op-1\r\n"));
    assert_true(harness_has(f->h, "ETag: \"1\"\r\n"));
    assert_true(str_ends(http_loopback_output(f->h->lb), STR("\r\n\r\n{\"a\":1}")));
    assert_int_equal(stats_of(f).replayed_n, 1);
}

static void every_refusal_says_what_to_do(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum idempotency_verdict verdict;
        const char *status;
        const char *reason;
        const char *retry;
    } cases[] = {
        {IDEMPOTENCY_BUSY,     "HTTP/1.1 409 ", "InProgress",    "Retry-After: 1\r\n" },
        {IDEMPOTENCY_OTHER,    "HTTP/1.1 422 ", "KeyReused",     NULL                 },
        {IDEMPOTENCY_MANY,     "HTTP/1.1 429 ", "TooManyKeys",   "Retry-After: 60\r\n"},
        {IDEMPOTENCY_ANSWERED, "HTTP/1.1 409 ", "AnswerNotKept", NULL                 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct idempotency_found found = {.verdict = cases[i].verdict, .answer = {.status = 200}};
        post(f, "Idempotency-Key: k\r\n");
        tell(f, &found, ERR_NONE);
        assert_true(harness_has(f->h, cases[i].status));
        assert_true(harness_has(f->h, cases[i].reason));
        assert_int_equal(harness_has(f->h, "Retry-After"), cases[i].retry != NULL);
        assert_true(cases[i].retry == NULL || harness_has(f->h, cases[i].retry));
    }
    assert_int_equal(f->handled_n, 0);
    assert_int_equal(stats_of(f).refused_n, 4);
}

static void a_store_that_is_away_keeps_the_handler_from_running(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    tell(f, NULL, ERR_NOT_READY);
    assert_true(harness_has(f->h, "HTTP/1.1 503 "));
    assert_int_equal(f->handled_n, 0);
}

/* ---- clients that leave ---- */

static void on_handler_gone(void *arg)
{
    struct fixture *f = arg;
    f->was_gone = true;
}

static void wait_for_ever(struct fixture *f, struct http_exchange *x)
{
    http_on_gone(x, on_handler_gone, f);
}

static void a_client_that_leaves_before_the_run_leaves_nothing_held(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    http_loopback_leave(f->h->lb);
    harness_advance(f->h, 1);
    tell_run(f);
    assert_int_equal(f->handled_n, 0);
    assert_false(f->has_answer);
    tell_ended(f);
}

static void a_client_that_leaves_during_the_run_gives_it_back(void **state)
{
    struct fixture *f = *state;
    f->handle = wait_for_ever;
    post(f, "Idempotency-Key: k\r\n");
    tell_run(f);
    http_loopback_leave(f->h->lb);
    harness_advance(f->h, 1);
    assert_true(f->was_gone);
    assert_false(f->has_answer);
    assert_int_equal(f->calls_n, 2);
    tell_ended(f);
}

static void a_client_that_leaves_while_the_answer_is_stored_finds_it_later(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    tell_run(f);
    http_loopback_leave(f->h->lb);
    harness_advance(f->h, 1);
    assert_int_equal(f->cancelled_n, 0);
    assert_true(f->has_answer);
    tell_ended(f);
}

static void a_handler_that_is_late_is_answered_503_and_given_back(void **state)
{
    struct fixture *f = *state;
    f->handle = wait_for_ever;
    post(f, "Idempotency-Key: k\r\n");
    tell_run(f);
    harness_advance(f->h, 61000);
    assert_true(f->was_gone);
    assert_true(harness_has(f->h, "HTTP/1.1 503 "));
    assert_false(f->has_answer);
    tell_ended(f);
}

static void a_second_answer_while_the_first_is_held_is_left_out(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    tell_run(f);
    http_answer(f->x, 200, NULL, STR("again"));
    tell_ended(f);
    assert_int_equal(harness_count(f->h, "HTTP/1.1 "), 1);
    assert_false(harness_has(f->h, "again"));
}

static void the_end_of_the_server_drops_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: k\r\n");
    http_loopback_leave(f->h->lb);
    harness_advance(f->h, 1);
    idempotency_free(f->idempotency);
    f->idempotency = NULL;
    assert_int_equal(f->cancelled_n, 1);
}

static void what_is_over_is_removed_each_minute_and_at_once_while_there_is_more(void **state)
{
    struct fixture *f = *state;
    harness_advance(f->h, 59000);
    assert_int_equal(f->cleaned_n, 0);
    harness_advance(f->h, 1500); /* the first is full */
    assert_int_equal(f->cleaned_n, 1);
    harness_advance(f->h, 1000);
    assert_int_equal(f->cleaned_n, 2);
    harness_advance(f->h, 58000);
    assert_int_equal(f->cleaned_n, 2);
    harness_advance(f->h, 2000);
    assert_int_equal(f->cleaned_n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_that_is_none_is_refused_and_named),
        TEST(a_key_may_stand_in_quotes),
        TEST(without_a_key_nobody_is_asked),
        TEST(every_part_of_the_request_makes_the_fingerprint),
        TEST(the_answer_goes_out_once_it_is_stored),
        TEST(an_answer_that_cannot_be_stored_goes_out_all_the_same),
        TEST(what_was_refused_or_failed_is_given_back),
        TEST(secrets_shown_once_and_what_is_too_long_is_not_kept),
        TEST(what_was_answered_is_answered_again),
        TEST(every_refusal_says_what_to_do),
        TEST(a_store_that_is_away_keeps_the_handler_from_running),
        TEST(a_client_that_leaves_before_the_run_leaves_nothing_held),
        TEST(a_client_that_leaves_during_the_run_gives_it_back),
        TEST(a_client_that_leaves_while_the_answer_is_stored_finds_it_later),
        TEST(a_handler_that_is_late_is_answered_503_and_given_back),
        TEST(a_second_answer_while_the_first_is_held_is_left_out),
        TEST(the_end_of_the_server_drops_what_is_under_way),
        TEST(what_is_over_is_removed_each_minute_and_at_once_while_there_is_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
