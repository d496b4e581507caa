// SPDX-License-Identifier: MIT
/* The token is replaced under a running client: by a new file, before or after the server refuses the old one. The
 * tokens are real ones of service accounts; deleting the Secret of one ends it (on a real server some seconds later).
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"

static const char *const OWNER = "sealos-user";
static const char *const OTHER = "fullstackd";

/* What only the owner may see. */
static struct lab_call look(struct lab *lab)
{
    return (struct lab_call){.method = "GET", .path = lab_core(lab, "resourcequotas")};
}

static const char *secret_path(struct lab *lab, const char *name)
{
    return lab_core(lab, lab_text(lab, "secrets/%s-%s", name, lab->run));
}

/* A Secret with a token of that account; the token. */
static struct str make_token(struct lab *lab, const char *name, const char *account)
{
    ms_t end_ms = loop_now_ms(lab->loop) + LAB_MS;
    const char *body =
        lab_text(lab,
                 "{\"metadata\":{\"name\":\"%s-%s\",\"annotations\":{\"kubernetes.io/service-account.name\":"
                 "\"%s\"}},\"type\":\"kubernetes.io/service-account-token\"}",
                 name, lab->run, account);
    struct str token = STR_NONE;
    lab_must(lab, lab->admin, (struct lab_call){.method = "POST", .path = lab_core(lab, "secrets"), .body = body});
    while (str_is_none(token)) {
        const struct json_value *secret =
            lab_must(lab, lab->admin, (struct lab_call){.method = "GET", .path = secret_path(lab, name)});
        struct str text = json_str(json_at(secret, "data", "token", NULL));
        if (!str_is_none(text))
            assert_true(codec_base64_decode(lab->arena, text, &token, NULL));
        if (loop_now_ms(lab->loop) > end_ms)
            fail_msg("no controller wrote the token of %s", name);
    }
    return token;
}

static void end_token(struct lab *lab, const char *name)
{
    lab_must(lab, lab->admin, (struct lab_call){.method = "DELETE", .path = secret_path(lab, name)});
}

/* As a kubelet does it: whole, under the same name. */
static void write_token(struct lab *lab, struct str token)
{
    const char *path = lab_text(lab, "%s/token", lab->dir);
    const char *fresh = lab_text(lab, "%s/token.new", lab->dir);
    FILE *file = fopen(fresh, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(token.p, 1, token.n, file), token.n);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(fresh, path), 0);
}

/* Asks for as long as the answer is this one: what a server looks tokens up in is a moment behind. */
static struct lab_answer ask_while(struct lab *lab, struct kube *kube, enum err_kind kind)
{
    ms_t end_ms = loop_now_ms(lab->loop) + LAB_MS;
    struct lab_answer a;
    do {
        a = lab_ask(lab, kube, look(lab));
    } while (a.err.kind == kind && loop_now_ms(lab->loop) <= end_ms);
    return a;
}

/* Asks until the server knows that the token is over. */
static void until_refused(struct lab *lab, struct kube *kube)
{
    struct lab_answer a = ask_while(lab, kube, ERR_NONE);
    if (a.err.kind == ERR_NONE)
        fail_msg("a token is good for ever");
    assert_int_equal(a.err.kind, ERR_UNAUTHENTICATED);
    assert_int_equal(a.err.code, 401);
}

/* Asks until the server knows the token. */
static void until_taken(struct lab *lab, struct kube *kube)
{
    struct lab_answer a = ask_while(lab, kube, ERR_UNAUTHENTICATED);
    if (a.err.kind != ERR_NONE)
        fail_msg("%s: %s", err_slug(a.err.kind), a.err.msg);
}

static void test_a_new_file_is_read_before_the_next_call(void **state)
{
    struct lab *lab = *state;
    struct kube *kube;
    struct lab_answer a;
    write_token(lab, make_token(lab, "first", OWNER));
    kube = lab_client(lab, "renewed");
    until_taken(lab, kube);
    write_token(lab, make_token(lab, "others", OTHER));
    a = ask_while(lab, kube, ERR_UNAUTHENTICATED); /* the one before it would be taken */
    assert_int_equal(a.err.kind, ERR_DENIED);
    assert_non_null(strstr(a.err.msg, OTHER)); /* the server names who asked */
    end_token(lab, "first");
    end_token(lab, "others");
    kube_free(kube);
}

static void test_a_token_that_ended_is_401_until_there_is_another(void **state)
{
    struct lab *lab = *state;
    struct kube *kube;
    write_token(lab, make_token(lab, "ending", OWNER));
    kube = lab_client(lab, "renewed");
    until_taken(lab, kube);
    end_token(lab, "ending");
    until_refused(lab, kube);
    assert_true(kube_is_reachable(kube)); /* who says no is there */
    write_token(lab, make_token(lab, "ending", OWNER));
    until_taken(lab, kube);
    end_token(lab, "ending");
    kube_free(kube);
}

static void test_a_call_that_was_sent_with_the_old_token_is_repeated(void **state)
{
    struct lab *lab = *state;
    struct str next = make_token(lab, "next", OWNER);
    struct lab_answer a;
    struct kube *kube;
    write_token(lab, make_token(lab, "late", OWNER));
    kube = lab_client(lab, "renewed");
    until_taken(lab, kube);
    end_token(lab, "late");
    until_refused(lab, kube);
    lab_do(lab, "hold"); /* the refusal stays on its way while the file is replaced */
    lab_begin(lab, kube, look(lab), &a);
    write_token(lab, next);
    lab_do(lab, "release");
    lab_end(lab, &a);
    if (a.err.kind != ERR_NONE)
        fail_msg("%s: %s", err_slug(a.err.kind), a.err.msg);
    end_token(lab, "next");
    kube_free(kube);
}

struct goal {
    const struct sight *sight;
    uint64_t failures_n;
};

static bool has_failed(void *arg)
{
    const struct goal *g = arg;
    return sight_stats(g->sight).failures_n >= g->failures_n;
}

static void test_a_watch_goes_on_with_the_next_token_and_without_a_list(void **state)
{
    struct lab *lab = *state;
    const char *name = lab_text(lab, "token-%s", lab->run);
    struct sight s;
    lab_make(lab, name);
    write_token(lab, make_token(lab, "watcher", OWNER));
    sight_open(&s, lab, "renewed", KIND_DEPLOYMENT);
    end_token(lab, "watcher");
    until_refused(lab, s.kube);
    lab_do(lab, "cut");
    lab_change(lab, name);
    lab_until(lab, has_failed, &(struct goal){&s, 2}, "a cut, then a refusal");
    assert_int_equal(sight_generation(&s, name), 1);
    write_token(lab, make_token(lab, "watcher", OWNER));
    sight_until(&s, name, 2);
    assert_int_equal(sight_stats(&s).lists_n, 1);
    lab_delete(lab, name);
    sight_until(&s, name, SIGHT_GONE);
    end_token(lab, "watcher");
    sight_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_file_is_read_before_the_next_call),
        cmocka_unit_test(test_a_token_that_ended_is_401_until_there_is_another),
        cmocka_unit_test(test_a_call_that_was_sent_with_the_old_token_is_repeated),
        cmocka_unit_test(test_a_watch_goes_on_with_the_next_token_and_without_a_list),
    };

    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
