// SPDX-License-Identifier: MIT
/* Every answer recorded from a real kube-apiserver (tests/golden/kube) is classified as the table says; whatever is not
 * in the table is a success. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/json_read.h"
#include "golden.h"
#include "k8s/status.h"

static const struct {
    const char *name;
    enum err_kind kind;
    const char *reason;
    const char *field;
    unsigned retry_after_s;
} refusals[] = {
    {"003-namespace-of-own-forbidden",          ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"008-create-role-escalation-403",          ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"010-create-rolebinding-403",              ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"013-create-cluster-as-in-document-422",   ERR_INVALID,         "Invalid",
     "spec.componentSpecs[0].volumeClaimTemplates[0].name",                                                                                          0},
    {"016-create-cluster-strict-400",           ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"020-secret-not-found-404",                ERR_MISSING,         "NotFound",              "",                                                    0},
    {"029-create-deployment-409",               ERR_CONFLICT,        "AlreadyExists",         "",                                                    0},
    {"040-pods-log-bad-container-400",          ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"041-get-deployment-404",                  ERR_MISSING,         "NotFound",              "",                                                    0},
    {"042-unknown-resource-limited-403",        ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"043-unknown-resource-404",                ERR_MISSING,         "NoSuchResource",        "",                                                    0},
    {"044-unknown-group-404",                   ERR_MISSING,         "NoSuchResource",        "",                                                    0},
    {"045-create-in-missing-namespace-404",     ERR_MISSING,         "NamespaceMissing",      "",                                                    0},
    {"046-other-namespace-403",                 ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"047-create-namespace-403",                ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"048-bad-token-401",                       ERR_UNAUTHENTICATED, "Unauthorized",          "",                                                    0},
    {"049-no-token-403",                        ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"050-namespace-mismatch-400",              ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"051-malformed-json-400",                  ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"052-wrong-type-400",                      ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"053-wrong-kind-400",                      ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"055-name-too-long-422",                   ERR_INVALID,         "Invalid",               "metadata.name",                                       0},
    {"056-deployment-name-253-422",             ERR_INVALID,         "Invalid",               "metadata.name",                                       0},
    {"057-label-too-long-422",                  ERR_INVALID,         "Invalid",               "metadata.labels",                                     0},
    {"058-bad-label-422",                       ERR_INVALID,         "Invalid",               "metadata.labels",                                     0},
    {"059-uppercase-name-422",                  ERR_INVALID,         "Invalid",               "metadata.name",                                       0},
    {"061-port-name-too-long-422",              ERR_INVALID,         "Invalid",               "spec.template.spec.containers[0].ports[0].name",      0},
    {"062-selector-mismatch-422",               ERR_INVALID,         "Invalid",               "spec.template.metadata.labels",                       0},
    {"063-limit-below-request-422",             ERR_INVALID,         "Invalid",               "spec.template.spec.containers[0].resources.requests", 0},
    {"065-env-name-equals-422",                 ERR_INVALID,         "Invalid",               "spec.template.spec.containers[0].env[4].name",        0},
    {"066-ingress-bad-host-422",                ERR_INVALID,         "Invalid",               "spec.rules[0].host",                                  0},
    {"067-not-acceptable-406",                  ERR_INVALID,         "NotAcceptable",         "",                                                    0},
    {"068-unsupported-media-415",               ERR_INVALID,         "UnsupportedMediaType",  "",                                                    0},
    {"069-method-not-allowed-405",              ERR_INVALID,         "MethodNotAllowed",      "",                                                    0},
    {"070-body-too-large-413",                  ERR_TOO_LARGE,       "RequestEntityTooLarge", "",                                                    0},
    {"071-secret-too-large-422",                ERR_INVALID,         "Invalid",               "data",                                                0},
    {"075-patch-strategic-on-crd-415",          ERR_INVALID,         "UnsupportedMediaType",  "",                                                    0},
    {"076-patch-json-test-failed-422",          ERR_INVALID,         "Invalid",               "",                                                    0},
    {"077-patch-json-bad-path-422",             ERR_INVALID,         "Invalid",               "",                                                    0},
    {"078-put-stale-409",                       ERR_CONFLICT,        "Conflict",              "",                                                    0},
    {"079-patch-merge-stale-409",               ERR_CONFLICT,        "Conflict",              "",                                                    0},
    {"080-selector-immutable-422",              ERR_INVALID,         "Invalid",               "spec.template.metadata.labels",                       0},
    {"081-ssa-no-manager",                      ERR_INVALID,         "Invalid",               "fieldManager",                                        0},
    {"084-ssa-conflict-409",                    ERR_CONFLICT,        "FieldManagerConflict",  ".spec.template.spec.containers[name=\"web\"].image",
     0                                                                                                                                                },
    {"091-list-bad-continue-400",               ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"092-list-bad-selector-400",               ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"093-list-bad-fieldselector-400",          ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"103-watchlist-without-match-422",         ERR_INVALID,         "Invalid",               "resourceVersionMatch",                                0},
    {"105-watch-bad-rv-400",                    ERR_UPSTREAM,        "InternalError",         "",                                                    0},
    {"107-list-future-rv-504",                  ERR_TIMEOUT,         "Timeout",               "",                                                    1},
    {"108-watch-forbidden-403",                 ERR_DENIED,          "Forbidden",             "",                                                    0},
    {"110-list-exact-rv",                       ERR_GONE,            "Expired",               "",                                                    0},
    {"120-quota-exceeded-403",                  ERR_DENIED,          "QuotaExceeded",         "",                                                    0},
    {"130-delete-precondition-409",             ERR_CONFLICT,        "Precondition",          "",                                                    0},
    {"131-delete-404",                          ERR_MISSING,         "NotFound",              "",                                                    0},
    {"132-delete-bad-policy-422",               ERR_INVALID,         "Invalid",               "propagationPolicy",                                   0},
    {"140-conn-credential-after-delete-404",    ERR_MISSING,         "NotFound",              "",                                                    0},
    {"141-create-while-deleting-409",           ERR_NOT_READY,       "BeingDeleted",          "",                                                    0},
    {"142-create-cluster-while-deleting-409",   ERR_NOT_READY,       "BeingDeleted",          "",                                                    0},
    {"143-create-in-terminating-namespace-403", ERR_DENIED,          "NamespaceTerminating",  "metadata.namespace",                                  0},
    {"144-list-continue-expired-410",           ERR_GONE,            "Expired",               "",                                                    0},
    {"146-list-exact-expired-410",              ERR_GONE,            "Expired",               "",                                                    0},
    {"152-too-many-requests-429",               ERR_LIMIT,           "TooManyRequests",       "",                                                    1},
    {"154-etcd-stopped-create-timeout",         ERR_TIMEOUT,         "Timeout",               "",                                                    0},
    {"155-etcd-stopped-get-timeout",            ERR_TIMEOUT,         "Timeout",               "",                                                    0},
    {"157-etcd-stopped-readyz",                 ERR_UPSTREAM,        "InternalError",         "",                                                    0},
    {"158-late-create-outcome",                 ERR_MISSING,         "NotFound",              "",                                                    0},
    {"kb10-05-seed-spec-as-v1-strict",          ERR_INVALID,         "BadRequest",            "",                                                    0},
    {"kb10-08-v1-no-conn-credential",           ERR_MISSING,         "NotFound",              "",                                                    0},
};

enum { REFUSALS_N = sizeof refusals / sizeof *refusals, ANSWERS_N = 169 };

struct reading {
    int answers_n;
    int refusals_n;
};

static const struct json_value *body_of(struct arena *a, struct str text)
{
    return text.n > 0 && text.p[0] == '{' ? json_parse(a, text, &JSON_LIMITS_KUBE, NULL) : NULL;
}

static void check_refusal(const char *name, const struct err *err)
{
    for (size_t i = 0; i < REFUSALS_N; i++) {
        if (strcmp(refusals[i].name, name) != 0)
            continue;
        if (err->kind != refusals[i].kind || strcmp(err->reason, refusals[i].reason) != 0 || !err->is_kubernetes ||
            strcmp(err->field, refusals[i].field) != 0 || err->retry_after_s != refusals[i].retry_after_s)
            fail_msg("%s: %s %s %s %u", name, err_slug(err->kind), err->reason, err->field, err->retry_after_s);
        return;
    }
    fail_msg("%s is refused and not in the table", name);
}

static bool on_answer(void *arg, const struct json_value *item, struct err *reterr)
{
    struct reading *r = arg;
    struct arena *a = arena_new();
    struct str body = json_str(json_find(item, "body"));
    int status = (int)json_int(json_find(item, "status"), 0);
    unsigned retry_after_s = (unsigned)json_int(json_find(item, "retryAfter"), 0);
    const char *name = arena_dup(a, json_str(json_find(item, "name")));
    struct err err = {0};

    (void)reterr;
    r->answers_n++;
    if (status_check(status, retry_after_s, body_of(a, body), body, &err)) {
        assert_in_range(status, 200, 299);
    } else {
        assert_int_equal(err.code, status);
        assert_string_not_equal(err.msg, "");
        check_refusal(name, &err);
        r->refusals_n++;
    }
    arena_free(a);
    return true;
}

static void test_every_recorded_answer_is_classified(void **state)
{
    struct reading r = {0, 0};
    struct json_stream *s = json_stream_new(NULL, &JSON_LIMITS_KUBE, on_answer, &r);
    struct buf text;
    struct err err = {0};

    (void)state;
    buf_init(&text, GOLDEN_CEILING_BYTES);
    if (!json_stream_feed(s, golden_read(FS_SOURCE_DIR "/tests/golden/kube/answers.jsonl", &text), &err) ||
        !json_stream_finish(s, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(r.answers_n, ANSWERS_N);
    assert_int_equal(r.refusals_n, REFUSALS_N);
    json_stream_free(s);
    buf_fini(&text);
}

static void test_statuses_nobody_recorded_have_a_kind_too(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(status_check(503, 7, NULL, STR("starting"), &err));
    assert_int_equal(err.kind, ERR_NOT_READY);
    assert_int_equal(err.retry_after_s, 7);
    assert_false(status_check(599, 0, NULL, STR_NONE, &err));
    assert_int_equal(err.kind, ERR_UPSTREAM);
    assert_false(status_check(302, 0, NULL, STR_NONE, &err));
    assert_int_equal(err.kind, ERR_INVALID);
}

static void test_an_event_without_a_code_is_an_upstream_error(void **state)
{
    struct arena *a = arena_new();
    struct err err = {0};

    (void)state;
    status_from_event(json_parse(a, STR("{\"kind\":\"Status\",\"code\":200}"), &JSON_LIMITS_KUBE, NULL), &err);
    assert_int_equal(err.kind, ERR_UPSTREAM);
    status_from_event(json_parse(a, STR("{\"code\":410,\"reason\":\"Expired\"}"), &JSON_LIMITS_KUBE, NULL), &err);
    assert_int_equal(err.kind, ERR_GONE);
    assert_string_equal(err.reason, "Expired");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_recorded_answer_is_classified),
        cmocka_unit_test(test_statuses_nobody_recorded_have_a_kind_too),
        cmocka_unit_test(test_an_event_without_a_code_is_an_upstream_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
