// SPDX-License-Identifier: MIT
/* What happens between the client and the server: silence, a cut, nobody there, somebody else there. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 300, STREAM_MS = 60000 };

static struct lab_call version(void)
{
    return (struct lab_call){.method = "GET", .path = "/version"};
}

static void check(const struct lab_answer *a, enum err_kind kind, const char *reason)
{
    if (a->err.kind != kind || !str_eq_text(str_from(a->err.reason), reason))
        fail_msg("%s \"%s\" instead of %s \"%s\": %s", err_slug(a->err.kind), a->err.reason, err_slug(kind), reason,
                 a->err.msg);
    assert_null(a->object);
}

static void test_an_authority_that_did_not_sign(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "stranger");
    struct lab_answer a = lab_ask(lab, kube, version());
    check(&a, ERR_UPSTREAM, "tls");
    assert_true(kube_is_away(kube));
    kube_free(kube);
}

static void test_nobody_listens(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "relayed");
    struct lab_answer a;
    lab_do(lab, "refuse");
    a = lab_ask(lab, kube, version());
    check(&a, ERR_UPSTREAM, "connect");
    assert_true(kube_is_away(kube));
    lab_do(lab, "accept");
    lab_must(lab, kube, version());
    assert_true(kube_is_reachable(kube));
    kube_free(kube);
}

static void test_an_answer_that_does_not_come(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "relayed");
    struct lab_call call = version();
    struct lab_answer a;
    lab_must(lab, kube, call);
    lab_do(lab, "hold");
    call.timeout_ms = PATIENCE_MS;
    a = lab_ask(lab, kube, call);
    check(&a, ERR_TIMEOUT, "");
    assert_true(kube_is_away(kube));
    lab_do(lab, "release");
    lab_must(lab, kube, version());
    kube_free(kube);
}

static void test_a_connection_that_was_cut_while_nobody_used_it(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "relayed");
    lab_must(lab, kube, version());
    lab_do(lab, "cut");
    lab_must(lab, kube, version());
    kube_free(kube);
}

/* ---- while something is under way ---- */

struct stream {
    bool is_done;
    size_t bytes_n;
    struct err err;
};

static void on_bytes(void *arg, struct str bytes)
{
    struct stream *s = arg;
    s->bytes_n += bytes.n;
}

static void on_end(void *arg, const struct err *err)
{
    struct stream *s = arg;
    s->is_done = true;
    err_copy(&s->err, err);
}

static bool has_bytes(void *arg)
{
    const struct stream *s = arg;
    return s->bytes_n > 0 || s->is_done;
}

static bool is_over(void *arg)
{
    return ((const struct stream *)arg)->is_done;
}

/* A watch without a version: what there is comes at once. */
static void open_stream(struct lab *lab, struct kube *kube, struct stream *s, ms_t idle_ms)
{
    struct kube_stream req = {.path = lab_core(lab, "serviceaccounts?watch=1"),
                              .deadline_ms = STREAM_MS,
                              .idle_ms = idle_ms,
                              .on_bytes = on_bytes,
                              .on_end = on_end,
                              .arg = s};
    *s = (struct stream){0};
    (void)!kube_stream(kube, &req);
    lab_until(lab, has_bytes, s, "the first bytes");
    assert_false(s->is_done);
}

static void test_a_stream_that_is_cut(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "relayed");
    struct stream s;
    open_stream(lab, kube, &s, STREAM_MS);
    lab_do(lab, "cut");
    lab_until(lab, is_over, &s, "the end of the stream");
    assert_int_equal(s.err.kind, ERR_UPSTREAM);
    assert_string_equal(s.err.reason, "broken");
    kube_free(kube);
}

static void test_a_stream_that_falls_silent(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "relayed");
    struct stream s;
    open_stream(lab, kube, &s, PATIENCE_MS);
    lab_do(lab, "hold"); /* or a server that has nothing to say: both are silence */
    lab_until(lab, is_over, &s, "the end of the stream");
    assert_int_equal(s.err.kind, ERR_TIMEOUT);
    assert_true(kube_is_away(kube));
    lab_do(lab, "release");
    kube_free(kube);
}

static void test_a_stream_that_is_refused(void **state)
{
    struct lab *lab = *state;
    struct kube *kube = lab_client(lab, "fullstackd");
    struct stream s = {0};
    struct kube_stream req = {.path = "/api/v1/nodes?watch=1",
                              .deadline_ms = STREAM_MS,
                              .idle_ms = STREAM_MS,
                              .on_bytes = on_bytes,
                              .on_end = on_end,
                              .arg = &s};
    (void)!kube_stream(kube, &req);
    lab_until(lab, is_over, &s, "the refusal");
    assert_int_equal(s.err.kind, ERR_DENIED);
    assert_int_equal(s.bytes_n, 0);
    assert_non_null(strstr(s.err.msg, "cannot watch resource \"nodes\""));
    kube_free(kube);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_authority_that_did_not_sign),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_an_answer_that_does_not_come),
        cmocka_unit_test(test_a_connection_that_was_cut_while_nobody_used_it),
        cmocka_unit_test(test_a_stream_that_is_cut),
        cmocka_unit_test(test_a_stream_that_falls_silent),
        cmocka_unit_test(test_a_stream_that_is_refused),
    };

    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
