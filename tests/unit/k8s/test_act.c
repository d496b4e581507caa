// SPDX-License-Identifier: MIT
/* Apply and remove when others change the object in between; what the port's caller is told; a token that is renewed.
 */
#include "unit/k8s/canned_api.h"

#include <stdio.h>
#include <sys/stat.h>

#include "captures.h"
#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "k8s/act.h"
#include "k8s/kubeblocks.h"
#include "sample.h"

enum { TIMEOUT_MS = 5000, STEPS_MAX = 10 };

/* What the server is asked, and what it answers. */
struct step {
    const char *method;
    int status;
    const char *body;
};

struct bench {
    struct canned_api api;
    struct cache *cache;
    struct sandbox sb;
    const struct step *steps;
    int steps_n, at;
    struct buf last_body;
    struct buf last_head;
    int ends_n;
    struct err err;
    struct op *op;
};

#define OURS(meta)                                                                                                     \
    "{\"metadata\":{\"name\":\"myshop-agentruntime-qwerty\",\"uid\":\"u1\",\"resourceVersion\":\"7\",\"labels\":{"     \
    "\"project.fullstackagent.io/id\":\"01a207b8-169f-7a49-8000-00000000000a\"}" meta "}}"
#define THEIRS "{\"metadata\":{\"name\":\"x\",\"uid\":\"u2\",\"resourceVersion\":\"7\",\"labels\":{}}}"
#define STATUS(reason, message)                                                                                        \
    "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"" message "\",\"details\":{\"name\":\"x\"}}"
#define EXISTS    STATUS("AlreadyExists", "deployments.apps already exists")
#define NOT_FOUND STATUS("NotFound", "not found")
#define STALE     STATUS("Conflict", "the object has been modified")
#define SUCCESS   "{\"kind\":\"Status\",\"status\":\"Success\"}"

static void on_request(void *arg, struct canned_conn *conn, struct str head, struct str body)
{
    struct bench *b = arg;
    if (b->at >= b->steps_n)
        fail_msg("one call too many: %.*s", STR_ARG(head));
    const struct step *step = &b->steps[b->at++];
    if (!str_starts(head, str_from(step->method)))
        fail_msg("call %d is not %s: %.*s", b->at, step->method, STR_ARG(head));
    buf_clear(&b->last_head);
    buf_add_str(&b->last_head, head);
    buf_clear(&b->last_body);
    buf_add_str(&b->last_body, body);
    if (step->status != 0)
        canned_answer(conn, step->status, str_from(step->body));
    else if (b->op != NULL) { /* the caller loses interest */
        op_cancel(b->op);
        loop_stop(b->api.loop);
    }
}

static void on_done(void *arg, const struct err *err)
{
    struct bench *b = arg;
    b->ends_n++;
    b->op = NULL;
    err_copy(&b->err, err);
    loop_stop(b->api.loop);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    canned_api_init(&b->api, on_request, b);
    b->cache = cache_new(b->api.loop);
    b->sb = sample_sandbox();
    buf_init(&b->last_body, 1 << 20);
    buf_init(&b->last_head, 1 << 20);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    cache_free(b->cache);
    canned_api_fini(&b->api);
    buf_fini(&b->last_body);
    buf_fini(&b->last_head);
    free(b);
    return 0;
}

static struct act_request request(struct bench *b, enum cluster_object object)
{
    return (struct act_request){.kube = b->api.kube,
                                .cache = b->cache,
                                .profile = &K8S_PROFILE_DEFAULT,
                                .dialect = kubeblocks_v1alpha1(),
                                .object = object,
                                .sb = &b->sb,
                                .timeout_ms = TIMEOUT_MS,
                                .done = on_done,
                                .arg = b};
}

static void play(struct bench *b, bool is_remove, enum cluster_object object, const struct step *steps, int n)
{
    struct act_request req = request(b, object);
    b->steps = steps;
    b->steps_n = n;
    b->at = b->ends_n = 0;
    b->err = (struct err){0};
    b->op = is_remove ? act_remove(&req) : act_apply(&req);
    assert_int_equal(b->ends_n, 0);
    loop_run(b->api.loop);
    assert_int_equal(b->at, n);
}

#define APPLY(b, object, ...)  PLAY(b, false, object, __VA_ARGS__)
#define REMOVE(b, object, ...) PLAY(b, true, object, __VA_ARGS__)
#define PLAY(b, is_remove, object, ...)                                                                                \
    do {                                                                                                               \
        static const struct step private_steps[] = {__VA_ARGS__};                                                      \
        play(b, is_remove, object, private_steps, (int)(sizeof private_steps / sizeof *private_steps));                \
    } while (0)

static bool sent(struct bench *b, const char *part)
{
    struct str body = buf_str(&b->last_body);
    return str_find_str(body, str_from(part)) < body.n;
}

static enum presence seen(struct bench *b, enum cluster_object object)
{
    struct observed o;
    cache_observe(b->cache, &b->sb, &o);
    return o.objects[object];
}

static void test_a_new_object_takes_one_call(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 201, OURS("")});
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_int_equal(seen(b, OBJECT_WORKLOAD), PRESENCE_PRESENT);
    APPLY(b, OBJECT_WORKLOAD, {"GET", 200, OURS("")}, {"PATCH", 200, OURS("")}); /* it is known to be there */
    assert_true(sent(b, "\"resourceVersion\":\"7\""));
}

static void test_an_existing_object_of_ours_is_patched_at_its_version(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, EXISTS}, {"GET", 200, OURS("")}, {"PATCH", 200, OURS("")});
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_true(sent(b, "\"resourceVersion\":\"7\""));
}

static void test_a_stale_patch_and_a_vanished_object_are_got_over(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, EXISTS}, {"GET", 200, OURS("")}, {"PATCH", 409, STALE},
          {"GET", 200, OURS("")}, {"PATCH", 404, NOT_FOUND}, {"POST", 409, EXISTS}, {"GET", 404, NOT_FOUND},
          {"POST", 201, OURS("")});
    assert_int_equal(b->err.kind, ERR_NONE);
}

static void test_endless_races_end(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, EXISTS}, {"GET", 404, NOT_FOUND}, {"POST", 409, EXISTS},
          {"GET", 404, NOT_FOUND}, {"POST", 409, EXISTS}, {"GET", 404, NOT_FOUND}, {"POST", 409, EXISTS},
          {"GET", 404, NOT_FOUND});
    assert_true(b->err.kind != ERR_NONE);
}

static void test_an_object_of_others_is_a_conflict_and_is_not_touched(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, EXISTS}, {"GET", 200, THEIRS});
    assert_int_equal(b->err.kind, ERR_CONFLICT);
    assert_string_equal(b->err.reason, "Foreign");
    REMOVE(b, OBJECT_WORKLOAD, {"GET", 200, THEIRS});
    assert_int_equal(b->err.kind, ERR_NONE);
}

static void test_a_database_of_ours_is_left_as_it_is(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_DATABASE, {"POST", 409, EXISTS}, {"GET", 200, OURS("")});
    assert_int_equal(b->err.kind, ERR_NONE);
}

static void test_a_name_that_is_being_deleted_is_tried_later(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, STATUS("AlreadyExists", "object is being deleted: x already exists")});
    assert_int_equal(b->err.kind, ERR_NOT_READY);
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, EXISTS}, {"GET", 200, OURS(",\"deletionTimestamp\":\"t\"")});
    assert_int_equal(b->err.kind, ERR_NOT_READY);
    assert_string_equal(b->err.reason, "BeingDeleted");
}

static void test_a_delete_names_the_uid_and_repeats_after_a_change(void **state)
{
    struct bench *b = *state;
    REMOVE(b, OBJECT_WORKLOAD, {"GET", 200, OURS("")},
           {"DELETE", 409, STATUS("Conflict", "the UID in the precondition (a) does not match")},
           {"GET", 200, OURS("")}, {"DELETE", 200, SUCCESS});
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_true(sent(b, "\"preconditions\":{\"uid\":\"u1\"}"));
    assert_true(sent(b, "\"propagationPolicy\":\"Background\""));
}

static void test_what_is_gone_or_going_is_removed(void **state)
{
    struct bench *b = *state;
    REMOVE(b, OBJECT_ENV_SECRET, {"GET", 404, NOT_FOUND});
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_int_equal(seen(b, OBJECT_ENV_SECRET), PRESENCE_UNKNOWN);
    REMOVE(b, OBJECT_WORKLOAD, {"GET", 200, OURS(",\"deletionTimestamp\":\"t\"")});
    assert_int_equal(b->err.kind, ERR_NONE);
    REMOVE(b, OBJECT_WORKLOAD, {"GET", 200, OURS("")}, {"DELETE", 404, NOT_FOUND});
    assert_int_equal(b->err.kind, ERR_NONE);
}

static void test_refusals_keep_their_reason(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 403, STATUS("Forbidden", "x is forbidden: exceeded quota: q")});
    assert_int_equal(b->err.kind, ERR_DENIED);
    assert_string_equal(b->err.reason, "QuotaExceeded");
    APPLY(b, OBJECT_WORKLOAD, {"POST", 403, STATUS("Forbidden", "x is forbidden")});
    assert_int_equal(b->err.kind, ERR_NOT_READY); /* this server began to answer a moment ago */
    assert_false(kube_is_settled(b->api.kube));
    APPLY(b, OBJECT_WORKLOAD, {"POST", 401, STATUS("Unauthorized", "Unauthorized")});
    assert_int_equal(b->err.kind, ERR_NOT_READY); /* it is our token, not the user's */
    APPLY(b, OBJECT_WORKLOAD, {"POST", 404, "404 page not found"});
    assert_int_equal(b->err.kind, ERR_INVALID);
    APPLY(b, OBJECT_ROLE_BINDING, {"POST", 404, NOT_FOUND}); /* its Role is not seen yet */
    assert_int_equal(b->err.kind, ERR_NOT_READY);
    APPLY(b, OBJECT_WORKLOAD, {"POST", 429, "busy"});
    assert_int_equal(b->err.kind, ERR_LIMIT);
}

/* What the manifest says with every field that has a value, and an id of ours on it. */
static const char KEPT[] =
    "{\"metadata\":{\"name\":\"myshop-agentruntime-dbdbdb\",\"uid\":\"u9\",\"resourceVersion\":\"8\",\"labels\":{"
    "\"project.fullstackagent.io/id\":\"01a207b8-169f-7a49-8000-00000000000a\"}},\"spec\":%.*s}";

static char *cluster_answer(struct arena *a, const char *capture)
{
    struct json_writer *w = jw_new(1 << 16);
    struct str spec = STR_NONE;
    char *text;
    json_copy_to(json_find(capture_answer(a, capture), "spec"), w);
    assert_true(jw_finish(w, &spec, NULL));
    text = arena_alloc(a, sizeof KEPT + spec.n);
    (void)snprintf(text, sizeof KEPT + spec.n, KEPT, STR_ARG(spec));
    jw_free(w);
    return text;
}

static void test_a_cluster_that_is_kept_whole_is_there(void **state)
{
    struct bench *b = *state;
    struct arena *a = arena_new();
    const struct step steps[] = {
        {"POST", 201, cluster_answer(a, "kb09-01-own-v1alpha1-strict")}
    };
    play(b, false, OBJECT_DATABASE, steps, 1);
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_int_equal(seen(b, OBJECT_DATABASE), PRESENCE_PRESENT);
    arena_free(a);
}

/* The server has been upgraded since it was asked: 201, no warning, and half of the spec is gone. */
static void test_a_cluster_that_was_robbed_is_taken_away_and_tried_later(void **state)
{
    struct bench *b = *state;
    struct arena *a = arena_new();
    const struct step steps[] = {
        {"POST", 201, cluster_answer(a, "kb10-10-own-v1alpha1-strict")},
        {"DELETE",      200,  SUCCESS         }
    };
    play(b, false, OBJECT_DATABASE, steps, 2);
    assert_int_equal(b->err.kind, ERR_NOT_READY);
    assert_string_equal(b->err.reason, "FieldLost");
    assert_non_null(strstr(b->err.msg, "spec.affinity"));
    assert_true(sent(b, "\"preconditions\":{\"uid\":\"u9\"}"));
    arena_free(a);
}

static void test_a_version_that_is_not_served_any_more_says_nothing_of_the_object(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_DATABASE, {"POST", 404, "404 page not found"});
    assert_int_equal(b->err.kind, ERR_NOT_READY);
    REMOVE(b, OBJECT_DATABASE, {"GET", 404, "404 page not found"});
    assert_int_equal(b->err.kind, ERR_NOT_READY);
}

static void test_without_kubeblocks_a_database_is_invalid(void **state)
{
    struct bench *b = *state;
    struct act_request req = request(b, OBJECT_DATABASE);
    req.dialect = NULL;
    (void)!act_apply(&req);
    loop_run(b->api.loop);
    assert_int_equal(b->err.kind, ERR_INVALID);
    (void)!act_remove(&req);
    loop_run(b->api.loop);
    assert_int_equal(b->err.kind, ERR_NOT_READY);
    cache_list_none(b->cache, KIND_CLUSTER);
    (void)!act_remove(&req);
    loop_run(b->api.loop);
    assert_int_equal(b->err.kind, ERR_NONE);
}

static void test_an_environment_that_is_no_text_is_refused_before_any_call(void **state)
{
    struct bench *b = *state;
    const struct env_var var = {STR("KEY"), STR("\xff\xfe")};
    const struct env_list env = {&var, 1};
    struct act_request req;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 201, OURS("")});
    req = request(b, OBJECT_ENV_SECRET);
    req.env = &env;
    (void)!act_apply(&req);
    loop_run(b->api.loop);
    assert_true(b->err.kind != ERR_NONE && !err_retryable(b->err.kind));
}

static void test_a_cancelled_apply_never_comes_back(void **state)
{
    struct bench *b = *state;
    APPLY(b, OBJECT_WORKLOAD, {"POST", 409, EXISTS}, {"GET", 0, NULL});
    assert_int_equal(b->ends_n, 0);
}

/* ---- a token that is renewed ---- */

static void test_a_renewed_token_is_used_once_the_old_one_is_refused(void **state)
{
    struct bench *b = *state;
    static const struct step steps[] = {
        {"POST", 401, STATUS("Unauthorized", "Unauthorized")},
        {"POST",      201,    OURS("")                }
    };
    char path[] = "/tmp/fs-token-XXXXXX";
    int fd = mkstemp(path);
    struct kubeconfig *config = calloc(1, sizeof *config);
    struct err err = {0};
    bool is_new;
    assert_int_equal(write(fd, "old", 3), 3);
    config->server = xstrdup(b->api.server.url);
    config->token_path = xstrdup(path);
    assert_true(kubeconfig_refresh_token(config, true, &is_new, &err));
    kube_free(b->api.kube);
    b->api.kube = kube_new(b->api.loop, b->api.fetch, config, &err);
    assert_int_equal(pwrite(fd, "new", 3, 0), 3);
    struct timespec times[2] = {
        {config->token_mtime_ns / 1000000000, config->token_mtime_ns % 1000000000},
        {config->token_mtime_ns / 1000000000, config->token_mtime_ns % 1000000000}
    };
    assert_int_equal(futimens(fd, times), 0); /* as old as before: only the 401 tells */
    play(b, false, OBJECT_WORKLOAD, steps, 2);
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_non_null(strstr(buf_text(&b->last_head), "Authorization: Bearer new\r\n"));
    close(fd);
    unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_object_takes_one_call),
        TEST(test_an_existing_object_of_ours_is_patched_at_its_version),
        TEST(test_a_stale_patch_and_a_vanished_object_are_got_over),
        TEST(test_endless_races_end),
        TEST(test_an_object_of_others_is_a_conflict_and_is_not_touched),
        TEST(test_a_database_of_ours_is_left_as_it_is),
        TEST(test_a_name_that_is_being_deleted_is_tried_later),
        TEST(test_a_delete_names_the_uid_and_repeats_after_a_change),
        TEST(test_what_is_gone_or_going_is_removed),
        TEST(test_refusals_keep_their_reason),
        TEST(test_a_cluster_that_is_kept_whole_is_there),
        TEST(test_a_cluster_that_was_robbed_is_taken_away_and_tried_later),
        TEST(test_a_version_that_is_not_served_any_more_says_nothing_of_the_object),
        TEST(test_without_kubeblocks_a_database_is_invalid),
        TEST(test_an_environment_that_is_no_text_is_refused_before_any_call),
        TEST(test_a_cancelled_apply_never_comes_back),
        TEST(test_a_renewed_token_is_used_once_the_old_one_is_refused),
    };
    log_init(2, LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
