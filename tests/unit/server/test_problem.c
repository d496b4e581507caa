// SPDX-License-Identifier: MIT
/* The error body: what clients of either kind read in it, and what never gets out. */
#include "unit/server/loopback_harness.h"

#include "core/base/json_read.h"
#include "server/http_conn.h"

static struct err given;

static void answer_given(struct harness *h, struct http_exchange *x)
{
    (void)h;
    if (str_eq(http_path(x), STR("/api/sandbox/p1")))
        exchange_add_param(x, STR("projectId"), STR("p1"));
    http_answer_err(x, &given);
}

struct answer {
    struct harness *h;
    struct arena *arena;
    const struct json_value *body;
};

static struct answer answer_with(const char *path)
{
    struct answer a = {harness_new(NULL), arena_new(), NULL};
    struct err err;
    a.h->on_request = answer_given;
    harness_send(a.h, str_from(arena_printf(a.arena, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)));
    struct str out = http_loopback_output(a.h->lb);
    size_t body = str_find_str(out, STR("\r\n\r\n")) + 4;
    a.body = json_parse(a.arena, str_slice(out, body, out.n), &JSON_LIMITS_BODY, &err);
    assert_non_null(a.body);
    return a;
}

static void answer_free(struct answer *a)
{
    harness_free(a->h);
    arena_free(a->arena);
}

static void both_kinds_of_clients_find_their_members(void **state)
{
    (void)state;
    err_set(&given, ERR_MISSING, "test", "Project not found");
    struct answer a = answer_with("/api/sandbox/p1?secret=1");
    assert_true(harness_has(a.h, "HTTP/1.1 404 Not Found"));
    assert_true(harness_has(a.h, "Content-Type: application/problem+json\r\n"));
    assert_str(json_str(json_find(a.body, "type")), "/problems/missing");
    assert_str(json_str(json_find(a.body, "title")), "Not Found");
    assert_int_equal(json_int(json_find(a.body, "status"), 0), 404);
    assert_str(json_str(json_find(a.body, "detail")), "Project not found");
    assert_str(json_str(json_find(a.body, "instance")), "/api/sandbox/p1");
    assert_str(json_str(json_find(a.body, "error")), "Project not found");
    assert_str(json_str(json_at(a.body, "details", "name", NULL)), "missing");
    assert_str(json_str(json_at(a.body, "details", "message", NULL)), "Project not found");
    assert_str(json_str(json_find(a.body, "projectId")), "p1");
    assert_true(str_starts(json_str(json_find(a.body, "timestamp")), STR("2025-10-11T10:00:00.")));
    assert_null(json_find(a.body, "errors"));
    assert_null(json_at(a.body, "details", "kubernetesStatus", NULL));
    answer_free(&a);
}

static void the_field_at_fault_is_named(void **state)
{
    (void)state;
    err_set_field(&given, ERR_INVALID, "test", "/name", "The name is too long.");
    struct answer a = answer_with("/x");
    const struct json_value *first = json_first(json_find(a.body, "errors"));
    assert_str(json_str(json_find(first, "pointer")), "#/name");
    assert_str(json_str(json_find(first, "detail")), "The name is too long.");
    assert_null(json_find(a.body, "projectId"));
    answer_free(&a);
}

static void the_clusters_word_is_passed_on(void **state)
{
    (void)state;
    err_set(&given, ERR_CONFLICT, "test", "the object exists");
    memcpy(given.reason, "AlreadyExists", sizeof "AlreadyExists");
    given.is_kubernetes = true;
    struct answer a = answer_with("/x");
    assert_str(json_str(json_at(a.body, "details", "name", NULL)), "AlreadyExists");
    assert_str(json_str(json_at(a.body, "details", "kubernetesStatus", NULL)), "AlreadyExists");
    answer_free(&a);
}

static void a_limit_is_told_with_its_number_and_how_many_there_are(void **state)
{
    (void)state;
    err_set(&given, ERR_CONFLICT, "test", "you have 20 sandboxes");
    memcpy(given.reason, "TooManySandboxes", sizeof "TooManySandboxes");
    given.limit = 20;
    given.current = 21;
    struct answer a = answer_with("/x");
    assert_str(json_str(json_find(a.body, "code")), "TooManySandboxes");
    assert_str(json_str(json_at(a.body, "details", "name", NULL)), "TooManySandboxes");
    assert_null(json_at(a.body, "details", "kubernetesStatus", NULL)); /* no word of Kubernetes' */
    assert_int_equal(json_int(json_find(a.body, "limit"), 0), 20);
    assert_int_equal(json_int(json_find(a.body, "current"), 0), 21);
    answer_free(&a);
    err_set(&given, ERR_CONFLICT, "test", "no number");
    a = answer_with("/x");
    assert_str(json_str(json_find(a.body, "code")), "conflict");
    assert_null(json_find(a.body, "limit"));
    answer_free(&a);
}

static void inner_failures_keep_their_text(void **state)
{
    (void)state;
    const enum err_kind kinds[] = {ERR_BUG, ERR_UPSTREAM};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        err_set_field(&given, kinds[i], "test", "/inner", "host db-7.internal refused");
        memcpy(given.reason, "SecretWord", sizeof "SecretWord");
        given.is_kubernetes = true;
        struct answer a = answer_with("/x");
        assert_false(harness_has(a.h, "db-7"));
        assert_false(harness_has(a.h, "SecretWord"));
        assert_false(harness_has(a.h, "/inner"));
        assert_false(str_is_none(json_str(json_find(a.body, "requestId"))));
        answer_free(&a);
    }
    given = (struct err){.kind = ERR_NONE};
    struct answer a = answer_with("/x");
    assert_true(harness_has(a.h, "HTTP/1.1 500 Internal Server Error"));
    answer_free(&a);
}

static void retry_after_is_told_when_a_later_try_may_help(void **state)
{
    (void)state;
    err_set(&given, ERR_LIMIT, "test", "Too many requests");
    given.retry_after_s = 42;
    struct answer a = answer_with("/x");
    assert_true(harness_has(a.h, "Retry-After: 42\r\n"));
    answer_free(&a);
    err_set(&given, ERR_NOT_READY, "test", "The database is away");
    a = answer_with("/x");
    struct str out = http_loopback_output(a.h->lb);
    size_t at = str_find_str(out, STR("Retry-After: "));
    assert_true(at < out.n && out.p[at + 13] >= '1' && out.p[at + 13] <= '5' && out.p[at + 14] == '\r');
    answer_free(&a);
    err_set(&given, ERR_INVALID, "test", "no");
    a = answer_with("/x");
    assert_false(harness_has(a.h, "Retry-After"));
    answer_free(&a);
}

static void broken_text_still_gives_a_body(void **state)
{
    (void)state;
    err_set(&given, ERR_INVALID, "test", "bad \xff byte");
    struct answer a = answer_with("/x");
    assert_false(str_is_none(json_str(json_find(a.body, "error"))));
    answer_free(&a);
}

static void every_kind_has_its_status(void **state)
{
    (void)state;
    static const enum err_kind kinds[] = {
#define X(name, slug, http, retry) ERR_##name,
        ERR_KINDS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        err_set(&given, kinds[i], "test", "why");
        struct answer a = answer_with("/x");
        assert_int_equal(json_int(json_find(a.body, "status"), 0), err_http_status(kinds[i]));
        assert_true(str_ends(json_str(json_find(a.body, "type")), str_from(err_slug(kinds[i]))));
        assert_false(str_eq(json_str(json_find(a.body, "title")), STR("Unknown")));
        answer_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_of_clients_find_their_members),
        cmocka_unit_test(the_field_at_fault_is_named),
        cmocka_unit_test(the_clusters_word_is_passed_on),
        cmocka_unit_test(a_limit_is_told_with_its_number_and_how_many_there_are),
        cmocka_unit_test(inner_failures_keep_their_text),
        cmocka_unit_test(retry_after_is_told_when_a_later_try_may_help),
        cmocka_unit_test(broken_text_still_gives_a_body),
        cmocka_unit_test(every_kind_has_its_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
