// SPDX-License-Identifier: MIT
/* The doctor's questions to a real kube-apiserver: all are answered, and well, for an account with the rights listed.
 * Needs KUBECONFIG_REAL (see CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/codec.h"
#include "k8s/probe.h"

enum { SKIPPED = 77, TIMEOUT_MS = 15000, QUESTIONS_MIN = 60 };

struct bench {
    struct loop *loop;
    int good_n, bad_n;
    struct err err;
};

static void on_finding(void *arg, const struct probe_finding *finding)
{
    struct bench *b = arg;

    if (finding->is_good)
        b->good_n++;
    else
        b->bad_n++;
    if (!finding->is_good)
        print_message("%s: %s\n", finding->check, finding->text);
}

static void on_done(void *arg, const struct err *err)
{
    struct bench *b = arg;

    err_copy(&b->err, err);
    loop_stop(b->loop);
}

static void test_all_questions_are_answered_well(void **state)
{
    struct kubeconfig_source source = {.path = getenv("KUBECONFIG_REAL"), .is_loopback_allowed = true};
    struct err err = {0};
    struct kubeconfig *config = kubeconfig_load(&source, &err);
    struct bench b = {.loop = loop_new(&err)};
    struct fetch *fetch = fetch_new(b.loop, &err);
    struct kube *kube;

    (void)state;
    assert_non_null(config);
    kube = kube_new(b.loop, fetch, config, &err);
    assert_non_null(kube);
    const struct probe_target target = {
        config->namespace_name, {WORKLOAD_DEPLOYMENT, ROUTE_INGRESS}
    };
    (void)!probe_start(kube, &target, TIMEOUT_MS, on_finding, on_done, &b);
    loop_run(b.loop);
    assert_int_equal(b.err.kind, ERR_NONE);
    assert_int_equal(b.bad_n, 0);
    assert_true(b.good_n >= QUESTIONS_MIN);
    kube_free(kube);
    fetch_free(fetch);
    loop_free(b.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_questions_are_answered_well)};

    if (getenv("KUBECONFIG_REAL") == NULL) {
        fputs("SKIPPED: KUBECONFIG_REAL is not set; nothing was tested against a real kube-apiserver\n", stderr);
        return SKIPPED;
    }
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
