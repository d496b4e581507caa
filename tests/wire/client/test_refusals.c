// SPDX-License-Identifier: MIT
/* Every class of error by what the server answers: kind, code, reason, field. The rare ones the lab brings about. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_CEILING_N = 3 << 20 }; /* the server's */

struct refusal {
    const char *client; /* whose kubeconfig */
    struct lab_call call;
    enum err_kind kind;
    int code;
    const char *reason;
    const char *says;  /* within the message; NULL: anything */
    const char *field; /* NULL: none */
};

/* The client's, from the few of the lab or made for this. */
static struct lab_answer ask_as(struct lab *lab, const char *client, struct lab_call call)
{
    struct kube *kube = lab_client(lab, client);
    struct lab_answer a = lab_ask(lab, kube, call);
    kube_free(kube);
    return a;
}

static void check_err(const struct err *err, const struct refusal *want)
{
    if (err->kind != want->kind || err->code != want->code || !str_eq_text(str_from(err->reason), want->reason))
        fail_msg("%s %s: %s %d \"%s\" instead of %s %d \"%s\": %s", want->call.method, want->call.path,
                 err_slug(err->kind), err->code, err->reason, err_slug(want->kind), want->code, want->reason, err->msg);
    if (want->says != NULL && strstr(err->msg, want->says) == NULL)
        fail_msg("\"%s\" is not said by: %s", want->says, err->msg);
    assert_string_equal(err->field, want->field != NULL ? want->field : "");
}

static void check(struct lab *lab, struct refusal want)
{
    struct lab_answer a = ask_as(lab, want.client, want.call);
    check_err(&a.err, &want);
}

static const char *map(struct lab *lab, const char *name)
{
    return lab_core(lab, lab_text(lab, "configmaps/%s-%s", name, lab->run));
}

static const char *map_body(struct lab *lab, const char *name)
{
    return lab_text(lab,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s-%s\",\"labels\":"
                    "{\"lab\":\"hook\"}},\"data\":{\"a\":\"1\"}}",
                    name, lab->run);
}

static const struct json_value *make_map(struct lab *lab, const char *name)
{
    return lab_must(
        lab, lab->owner,
        (struct lab_call){.method = "POST", .path = lab_core(lab, "configmaps"), .body = map_body(lab, name)});
}

/* ---- what is wrong with the request ---- */

static void test_a_body_that_is_none(void **state)
{
    struct lab *lab = *state;
    const char *path = lab_core(lab, "configmaps");
    struct refusal want = {
        "sealos-user", {"POST", path, NULL, NULL, 0},
         ERR_INVALID, 400, "BadRequest", NULL, NULL
    };
    static const char *const bodies[] = {
        "{\"metadata\":",
        "no JSON",
        "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":1}}",
        "[]",
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        want.call.body = bodies[i];
        check(lab, want);
    }
    want.call.body = "{\"metadata\":{\"name\":\"x\",\"namespace\":\"another\"}}";
    want.says = "namespace";
    check(lab, want);
}

static void test_methods_and_types_that_are_not_taken(void **state)
{
    struct lab *lab = *state;
    make_map(lab, "typed");
    check(lab, (struct refusal){
                   "admin",
                   {"PUT", lab_core(lab, "configmaps"), NULL, "{}", 0},
                   ERR_INVALID,
                   405,
                   "MethodNotAllowed",
                   NULL,
                   NULL
    });
    check(lab, (struct refusal){
                   "sealos-user",
                   {"PATCH", map(lab, "typed"), "text/plain", "{}", 0},
                   ERR_INVALID,
                   415,
                   "UnsupportedMediaType",
                   NULL,
                   NULL
    });
    check(lab, (struct refusal){
                   "sealos-user",
                   {"POST", lab_core(lab, "configmaps"), "text/plain", "{}", 0},
                   ERR_INVALID,
                   415,
                   "UnsupportedMediaType",
                   NULL,
                   NULL
    });
}

static void test_a_value_that_is_not_valid_is_named(void **state)
{
    struct lab *lab = *state;
    struct refusal want = {
        "sealos-user", {"POST", lab_core(lab, "configmaps"), NULL, NULL, 0},
         ERR_INVALID, 422, "Invalid", NULL, NULL
    };
    want.call.body = "{\"metadata\":{\"name\":\"Upper\"}}";
    want.field = "metadata.name";
    check(lab, want);
    want.call.body = "{\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"-\"}}}";
    want.field = "metadata.labels";
    check(lab, want);
    want.call.path = lab_core(lab, "services");
    want.call.body = "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"ports\":[{\"port\":70000}]}}";
    want.field = "spec.ports[0].port";
    check(lab, want);
    want.call.path = lab_apps(lab, "deployments");
    want.call.body =
        "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":"
        "{\"metadata\":{\"labels\":{\"a\":\"c\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":"
        "\"i\"}]}}}}";
    want.field = "spec.template.metadata.labels";
    check(lab, want);
}

static void test_a_body_that_is_too_large(void **state)
{
    struct lab *lab = *state;
    char *body = arena_alloc(lab->arena, BODY_CEILING_N + 2);
    memset(body, ' ', BODY_CEILING_N + 1);
    check(lab, (struct refusal){
                   "sealos-user",
                   {"POST", lab_core(lab, "configmaps"), NULL, body, 0},
                   ERR_TOO_LARGE,
                   413,
                   "RequestEntityTooLarge",
                   NULL,
                   NULL
    });
}

/* ---- who asks ---- */

static void test_a_token_that_is_none(void **state)
{
    struct lab *lab = *state;
    check(lab, (struct refusal){
                   "nobody",
                   {"GET", lab_core(lab, "configmaps"), NULL, NULL, 0},
                   ERR_UNAUTHENTICATED,
                   401,
                   "Unauthorized",
                   NULL,
                   NULL
    });
}

static void test_what_is_not_granted_names_verb_and_resource(void **state)
{
    struct lab *lab = *state;
    struct refusal want = {
        "fullstackd", {"GET", "/api/v1/nodes", NULL, NULL, 0},
         ERR_DENIED, 403,
        "Forbidden",  "cannot list resource \"nodes\"",        NULL
    };
    check(lab, want);
    want.call =
        (struct lab_call){.method = "POST", .path = lab_core(lab, "pods"), .body = "{\"metadata\":{\"name\":\"x\"}}"};
    want.says = "cannot create resource \"pods\"";
    check(lab, want);
    want.call = (struct lab_call){.method = "DELETE", .path = lab_core(lab, "resourcequotas/x")};
    want.says = "cannot delete resource \"resourcequotas\"";
    check(lab, want);
    want.call = (struct lab_call){
        .method = "PATCH", .path = lab_core(lab, "resourcequotas/x"), .content_type = MERGE_PATCH, .body = "{}"};
    want.says = "cannot patch resource \"resourcequotas\"";
    check(lab, want);
    want.call = (struct lab_call){.method = "GET", .path = "/api/v1/namespaces/default/secrets?watch=1"};
    want.says = "cannot watch resource \"secrets\"";
    check(lab, want);
}

static void test_a_quota_that_is_used_up(void **state)
{
    struct lab *lab = *state;
    const char *quota = lab_core(lab, lab_text(lab, "resourcequotas/lab-%s", lab->run));
    ms_t end_ms = loop_now_ms(lab->loop) + LAB_MS;
    struct lab_call create = {"POST", lab_core(lab, "services"), NULL, NULL, 0};
    struct lab_answer a = {0};
    lab_must(lab, lab->admin,
             (struct lab_call){.method = "POST",
                               .path = lab_core(lab, "resourcequotas"),
                               .body = lab_text(lab,
                                                "{\"metadata\":{\"name\":\"lab-%s\"},\"spec\":{\"hard\":{\"services\":"
                                                "\"0\"}}}",
                                                lab->run)});
    for (int i = 0; a.err.kind == ERR_NONE; i++) { /* the quota counts from when a controller has seen it */
        create.body =
            lab_text(lab, "{\"metadata\":{\"name\":\"q%d-%s\"},\"spec\":{\"ports\":[{\"port\":80}]}}", i, lab->run);
        a = lab_ask(lab, lab->owner, create);
        if (loop_now_ms(lab->loop) > end_ms)
            fail_msg("the quota never counted");
        if (a.err.kind == ERR_NONE)
            lab_must(lab, lab->owner,
                     (struct lab_call){.method = "DELETE",
                                       .path = lab_core(lab, lab_text(lab, "services/q%d-%s", i, lab->run))});
    }
    lab_must(lab, lab->admin, (struct lab_call){.method = "DELETE", .path = quota});
    check_err(&a.err,
              &(struct refusal){"sealos-user", create, ERR_DENIED, 403, "QuotaExceeded", "exceeded quota", NULL});
}

/* ---- what is not there ---- */

static void test_three_ways_of_not_being_there(void **state)
{
    struct lab *lab = *state;
    struct refusal want = {
        "admin", {"GET", map(lab, "none"), NULL, NULL, 0},
         ERR_MISSING, 404, "NotFound", "not found", NULL
    };
    check(lab, want);
    want.call.method = "DELETE";
    check(lab, want);
    want.call = (struct lab_call){"PATCH", map(lab, "none"), MERGE_PATCH, "{}", 0};
    check(lab, want);
    want = (struct refusal){
        "admin", {"GET", lab_core(lab, "nosuchthings"), NULL, NULL, 0},
         ERR_MISSING, 404, "NoSuchResource", NULL, NULL
    };
    check(lab, want);
    want.call.path = "/apis/nosuch.example.org/v1/namespaces/default/things";
    check(lab, want);
    want.call = (struct lab_call){
        .method = "POST", .path = "/api/v1/namespaces/nosuch/configmaps", .body = "{\"metadata\":{\"name\":\"x\"}}"};
    want.reason = "NamespaceMissing";
    check(lab, want);
}

/* ---- five conflicts ---- */

static void test_a_name_that_is_taken(void **state)
{
    struct lab *lab = *state;
    make_map(lab, "taken");
    check(lab, (struct refusal){
                   "sealos-user",
                   {"POST", lab_core(lab, "configmaps"), NULL, map_body(lab, "taken"), 0},
                   ERR_CONFLICT,
                   409,
                   "AlreadyExists",
                   "already exists",
                   NULL
    });
}

static void test_a_version_that_was_overtaken(void **state)
{
    struct lab *lab = *state;
    const struct json_value *made = make_map(lab, "stale");
    const char *stale = lab_text(lab, "{\"metadata\":{\"resourceVersion\":\"%s\"},\"data\":{\"a\":\"3\"}}",
                                 lab_meta(lab, made, "resourceVersion"));
    lab_must(lab, lab->owner,
             (struct lab_call){"PATCH", map(lab, "stale"), MERGE_PATCH, "{\"data\":{\"a\":\"2\"}}", 0});
    check(lab, (struct refusal){
                   "sealos-user",
                   {"PATCH", map(lab, "stale"), MERGE_PATCH, stale, 0},
                   ERR_CONFLICT,
                   409,
                   "Conflict",
                   NULL,
                   NULL
    });
}

static void test_a_precondition_that_does_not_hold(void **state)
{
    struct lab *lab = *state;
    struct refusal want = {
        "sealos-user", {"DELETE", NULL, NULL, NULL, 0},
         ERR_CONFLICT, 409, "Precondition", NULL, NULL
    };
    make_map(lab, "kept");
    want.call.path = map(lab, "kept");
    want.call.body = "{\"preconditions\":{\"uid\":\"01a207b8-169f-7a49-8000-000000000001\"}}";
    check(lab, want);
    want.call.body = "{\"preconditions\":{\"resourceVersion\":\"1\"}}";
    check(lab, want);
    lab_must(lab, lab->owner, (struct lab_call){.method = "GET", .path = map(lab, "kept")});
}

static void test_a_field_that_is_somebody_elses(void **state)
{
    struct lab *lab = *state;
    const char *one = lab_text(lab, "%s?fieldManager=one", map(lab, "owned"));
    const char *two = lab_text(lab, "%s?fieldManager=two", map(lab, "owned"));
    const char *other = lab_text(lab,
                                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"owned-%s\"},"
                                 "\"data\":{\"a\":\"2\"}}",
                                 lab->run);
    lab_must(lab, lab->owner, (struct lab_call){"PATCH", one, APPLY_PATCH, map_body(lab, "owned"), 0});
    check(lab, (struct refusal){
                   "sealos-user",
                   {"PATCH", two, APPLY_PATCH, other, 0},
                   ERR_CONFLICT,
                   409,
                   "FieldManagerConflict",
                   "conflict with \"one\"",
                   ".data.a"
    });
}

static void test_a_name_that_is_about_to_be_free(void **state)
{
    struct lab *lab = *state;
    const char *held =
        lab_text(lab, "{\"metadata\":{\"name\":\"held-%s\",\"finalizers\":[\"example.org/lab\"]}}", lab->run);
    struct lab_call create = {"POST", lab_core(lab, "configmaps"), NULL, held, 0};
    lab_must(lab, lab->owner, create);
    lab_must(lab, lab->owner, (struct lab_call){.method = "DELETE", .path = map(lab, "held")});
    check(lab,
          (struct refusal){"sealos-user", create, ERR_NOT_READY, 409, "BeingDeleted", "object is being deleted", NULL});
    lab_must(lab, lab->owner,
             (struct lab_call){"PATCH", map(lab, "held"), MERGE_PATCH, "{\"metadata\":{\"finalizers\":null}}", 0});
}

/* ---- what is over ---- */

static void test_a_page_of_a_list_that_is_forgotten(void **state)
{
    struct lab *lab = *state;
    const struct json_value *page;
    const char *list = lab_core(lab, "configmaps?limit=1&continue=");
    struct refusal want = {
        "sealos-user", {"GET", NULL, NULL, NULL, 0},
         ERR_GONE, 410, "Expired", NULL, NULL
    };
    make_map(lab, "over1");
    make_map(lab, "over2");
    page = lab_must(lab, lab->owner, (struct lab_call){.method = "GET", .path = list});
    want.call.path = lab_text(lab, "%s%s", list, lab_meta(lab, page, "continue"));
    make_map(lab, "over3");
    lab_do(lab, "expire");
    check(lab, want);
    want.call.path = lab_core(lab, lab_text(lab, "configmaps?resourceVersionMatch=Exact&resourceVersion=%s",
                                            lab_meta(lab, page, "resourceVersion")));
    check(lab, want);
}

/* ---- a server in trouble ---- */

/* Brings it about, asks until the answer is of that kind (what it takes has to get about in a real server), heals. */
static void check_broken(struct lab *lab, const struct refusal *want)
{
    ms_t end_ms = loop_now_ms(lab->loop) + LAB_MS;
    struct lab_answer a;
    lab_do(lab, "break %d", want->code);
    do {
        a = ask_as(lab, want->client, want->call);
    } while (a.err.kind != want->kind && loop_now_ms(lab->loop) < end_ms);
    lab_do(lab, "heal");
    check_err(&a.err, want);
    if (want->code == 429)
        assert_true(a.err.retry_after_s >= 1);
    do {
        a = ask_as(lab, want->client, want->call);
    } while (a.err.kind == want->kind && loop_now_ms(lab->loop) < end_ms);
    assert_int_not_equal(a.err.kind, want->kind);
}

static void test_too_many_requests_says_when_to_come_again(void **state)
{
    struct lab *lab = *state;
    check_broken(
        lab,
        &(struct refusal){
            "sealos-user", {"GET", map(lab, "asked"), NULL, NULL, 0},
             ERR_LIMIT, 429, "TooManyRequests", NULL, NULL
    });
}

static void test_a_server_that_fails_inside(void **state)
{
    struct lab *lab = *state;
    const char *path = lab_core(lab, "configmaps?dryRun=All");
    check_broken(lab, &(struct refusal){
                          "sealos-user",
                          {"POST", path, NULL, map_body(lab, "hooked"), 0},
                          ERR_UPSTREAM,
                          500,
                          "InternalError",
                          NULL,
                          NULL
    });
}

static void test_a_part_of_the_api_that_is_away(void **state)
{
    struct lab *lab = *state;
    check_broken(lab, &(struct refusal){
                          "sealos-user",
                          {"GET", "/apis/lab.example.org/v1", NULL, NULL, 0},
                          ERR_NOT_READY,
                          503,
                          "ServiceUnavailable",
                          NULL,
                          NULL
    });
}

static void test_a_store_that_stands_still(void **state)
{
    struct lab *lab = *state;
    check_broken(lab, &(struct refusal){
                          "sealos-user",
                          {"GET", lab_text(lab, "%s?timeout=1s", map(lab, "stalled")), NULL, NULL, 0},
                          ERR_TIMEOUT,
                          504,
                          "Timeout",
                          NULL,
                          NULL
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_that_is_none),
        cmocka_unit_test(test_methods_and_types_that_are_not_taken),
        cmocka_unit_test(test_a_value_that_is_not_valid_is_named),
        cmocka_unit_test(test_a_body_that_is_too_large),
        cmocka_unit_test(test_a_token_that_is_none),
        cmocka_unit_test(test_what_is_not_granted_names_verb_and_resource),
        cmocka_unit_test(test_a_quota_that_is_used_up),
        cmocka_unit_test(test_three_ways_of_not_being_there),
        cmocka_unit_test(test_a_name_that_is_taken),
        cmocka_unit_test(test_a_version_that_was_overtaken),
        cmocka_unit_test(test_a_precondition_that_does_not_hold),
        cmocka_unit_test(test_a_field_that_is_somebody_elses),
        cmocka_unit_test(test_a_name_that_is_about_to_be_free),
        cmocka_unit_test(test_a_page_of_a_list_that_is_forgotten),
        cmocka_unit_test(test_too_many_requests_says_when_to_come_again),
        cmocka_unit_test(test_a_server_that_fails_inside),
        cmocka_unit_test(test_a_part_of_the_api_that_is_away),
        cmocka_unit_test(test_a_store_that_stands_still),
    };

    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
