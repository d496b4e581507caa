// SPDX-License-Identifier: MIT
/* The port against a real kube-apiserver: a sandbox comes up, applying is idempotent, foreign objects stay untouched,
 * removing leaves nothing. Needs KUBECONFIG_REAL (see CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "k8s/port.h"
#include "sample.h"

enum { SKIPPED = 77, DEADLINE_MS = 60000, CALL_MS = 15000 };

struct wire {
    struct loop *loop;
    struct fetch *fetch;
    struct k8s_port *port;
    const struct port_cluster *cluster;
    struct sandbox sb;
    struct loop_timer deadline;
    bool (*is_met)(struct wire *w);
    struct observed seen;
    int calls_n;    /* under way */
    struct err err; /* the first of a call */
    int foreign_n;
    bool has_credentials;
};

/* ---- waiting ---- */

static void look(struct wire *w)
{
    w->cluster->observe(w->cluster->self, &w->sb, &w->seen);
    if (w->is_met != NULL && w->is_met(w))
        loop_stop(w->loop);
}

static void on_change(void *arg, struct str project_id)
{
    (void)project_id;
    look(arg);
}

static void on_deadline(void *arg)
{
    (void)arg;
    fail_msg("the cluster did not get there in time");
}

static void until(struct wire *w, bool (*is_met)(struct wire *w))
{
    w->is_met = is_met;
    loop_timer_set(&w->deadline, DEADLINE_MS);
    look(w);
    if (!is_met(w))
        loop_run(w->loop);
    loop_timer_clear(&w->deadline);
    w->is_met = NULL;
}

static void on_done(void *arg, const struct err *err)
{
    struct wire *w = arg;

    w->calls_n--;
    if (err != NULL && err->kind == ERR_CONFLICT && strcmp(err->reason, "Foreign") == 0)
        w->foreign_n++;
    if (err != NULL && w->err.kind == ERR_NONE)
        err_copy(&w->err, err);
    look(w);
}

static void on_credentials(void *arg, const struct db_credentials *credentials, const struct err *err)
{
    struct wire *w = arg;

    if (err == NULL) {
        w->has_credentials = true;
        assert_int_equal(credentials->port, 5432);
        assert_string_equal(credentials->user, "postgres");
        assert_string_equal(credentials->database, "postgres");
        assert_true(secret_reveal(&credentials->password).n > 0);
    }
    on_done(arg, err);
}

static void apply(struct wire *w, enum cluster_object object)
{
    const struct env_var vars[] = {
        {STR("NODE_ENV"), STR("development")},
        {STR("GREETING"), STR("caf\xc3\xa9")},
    };
    const struct env_list env = {vars, 2};

    w->calls_n++;
    (void)!w->cluster->apply(w->cluster->self, object, &w->sb, object == OBJECT_ENV_SECRET ? &env : NULL, CALL_MS,
                             on_done, w);
}

static void remove_object(struct wire *w, enum cluster_object object)
{
    w->calls_n++;
    (void)!w->cluster->remove(w->cluster->self, object, &w->sb, CALL_MS, on_done, w);
}

/* ---- conditions ---- */

static bool is_synced(struct wire *w)
{
    return w->seen.is_synced && w->seen.is_reachable;
}

static bool is_idle(struct wire *w)
{
    return w->calls_n == 0;
}

static bool is_up(struct wire *w)
{
    return w->seen.pod.is_ready && w->seen.database.phase == DB_PHASE_RUNNING && w->seen.workload.is_available &&
           w->seen.workload.observed_generation == w->seen.workload.generation && w->seen.endpoints_ready_n == 1;
}

static bool is_gone(struct wire *w)
{
    static const enum cluster_object watched[] = {OBJECT_DATABASE, OBJECT_WORKLOAD, OBJECT_SERVICE, OBJECT_INGRESS_APP,
                                                  OBJECT_INGRESS_TTY};

    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        if (w->seen.objects[watched[i]] != PRESENCE_ABSENT)
            return false;
    }
    return !w->seen.pod.exists;
}

static void settle(struct wire *w)
{
    w->err = (struct err){0};
    w->foreign_n = 0;
    until(w, is_idle);
}

static void settle_well(struct wire *w)
{
    settle(w);
    if (w->err.kind != ERR_NONE)
        fail_msg("%s: %s", w->err.reason, w->err.msg);
}

/* An account without * may bind a Role only when the authorizer sees it, which may be a moment after its creation. */
static void bind_role(struct wire *w)
{
    enum { TRIES_MAX = 200 };
    for (int i = 0; i < TRIES_MAX; i++) {
        apply(w, OBJECT_ROLE_BINDING);
        settle(w);
        if (w->err.kind != ERR_NOT_READY)
            break;
    }
    if (w->err.kind != ERR_NONE)
        fail_msg("%s: %s", w->err.reason, w->err.msg);
}

/* ---- tests, in order: they share one sandbox ---- */

static void test_watches_sync(void **state)
{
    struct wire *w = *state;

    until(w, is_synced);
    assert_int_equal(w->seen.objects[OBJECT_WORKLOAD], PRESENCE_ABSENT);
    assert_int_equal(w->seen.objects[OBJECT_ENV_SECRET], PRESENCE_UNKNOWN);
}

static void test_owned_objects_wait_for_their_deployment(void **state)
{
    struct wire *w = *state;

    apply(w, OBJECT_SERVICE);
    settle(w);
    assert_int_equal(w->err.kind, ERR_NOT_READY);
}

static void test_a_sandbox_comes_up(void **state)
{
    struct wire *w = *state;

    for (size_t i = 0; i <= OBJECT_WORKLOAD; i++) {
        if (i != OBJECT_ROLE_BINDING)
            apply(w, (enum cluster_object)i);
    }
    settle_well(w);
    bind_role(w);
    assert_int_equal(w->seen.objects[OBJECT_WORKLOAD], PRESENCE_PRESENT);
    for (size_t i = OBJECT_WORKLOAD + 1; i < OBJECT_N; i++) {
        if (sandbox_has_object(&w->sb, (enum cluster_object)i))
            apply(w, (enum cluster_object)i);
    }
    settle_well(w);
    for (size_t i = 0; i < OBJECT_N; i++)
        assert_int_equal(w->seen.objects[i], i == OBJECT_CLAIM ? PRESENCE_ABSENT : PRESENCE_PRESENT);
    until(w, is_up);
    assert_true(w->seen.pod.is_scheduled && w->seen.pod.is_pulled && w->seen.pod.is_running);
    assert_string_not_equal(w->seen.pod.node, "");
}

static void test_credentials_are_read(void **state)
{
    struct wire *w = *state;

    w->calls_n++;
    (void)!w->cluster->credentials(w->cluster->self, &w->sb, CALL_MS, on_credentials, w);
    settle_well(w);
    assert_true(w->has_credentials);
}

static void test_applying_again_changes_nothing(void **state)
{
    struct wire *w = *state;
    int64_t generation = w->seen.workload.generation;

    w->cluster->forget(w->cluster->self, str_from(w->sb.project_id));
    for (size_t i = 0; i < OBJECT_N; i++) {
        if (sandbox_has_object(&w->sb, (enum cluster_object)i))
            apply(w, (enum cluster_object)i);
    }
    settle_well(w);
    for (size_t i = 0; i < OBJECT_N; i++)
        assert_int_equal(w->seen.objects[i], i == OBJECT_CLAIM ? PRESENCE_ABSENT : PRESENCE_PRESENT);
    assert_int_equal(w->seen.workload.generation, generation);
}

static void test_a_nudge_reaches_the_pod(void **state)
{
    struct wire *w = *state;

    w->calls_n++;
    (void)!w->cluster->nudge(w->cluster->self, &w->sb, CALL_MS, on_done, w);
    settle_well(w);
}

static void test_objects_of_others_are_neither_taken_nor_deleted(void **state)
{
    struct wire *w = *state;
    struct sandbox ours = w->sb;

    assert_true(str_copy(STR("another-project"), w->sb.project_id, sizeof w->sb.project_id));
    look(w);
    assert_int_equal(w->seen.objects[OBJECT_WORKLOAD], PRESENCE_FOREIGN);
    apply(w, OBJECT_WORKLOAD);
    apply(w, OBJECT_SERVICE_ACCOUNT);
    apply(w, OBJECT_DATABASE);
    settle(w);
    assert_int_equal(w->foreign_n, 3);
    assert_int_equal(w->seen.objects[OBJECT_SERVICE_ACCOUNT], PRESENCE_FOREIGN);
    remove_object(w, OBJECT_WORKLOAD);
    remove_object(w, OBJECT_ENV_SECRET);
    settle_well(w);
    w->sb = ours;
    look(w);
    assert_int_equal(w->seen.objects[OBJECT_WORKLOAD], PRESENCE_PRESENT);
    w->has_credentials = false;
    apply(w, OBJECT_ENV_SECRET);
    settle_well(w);
}

static void test_removing_twice_leaves_nothing(void **state)
{
    struct wire *w = *state;

    for (size_t i = OBJECT_N; i-- > 0;)
        remove_object(w, (enum cluster_object)i);
    settle_well(w);
    until(w, is_gone);
    for (size_t i = OBJECT_N; i-- > 0;)
        remove_object(w, (enum cluster_object)i);
    settle_well(w);
    assert_int_equal(w->seen.objects[OBJECT_ENV_SECRET], PRESENCE_UNKNOWN);
}

static int setup(void **state)
{
    struct wire *w = calloc(1, sizeof *w);
    struct kubeconfig_source source = {.path = getenv("KUBECONFIG_REAL"), .is_loopback_allowed = true};
    struct err err = {0};
    struct kubeconfig *config = kubeconfig_load(&source, &err);
    char name[16];

    if (config == NULL)
        fail_msg("%s", err.msg);
    *state = w;
    w->sb = sample_sandbox();
    codec_random_text(name, 6, "abcdefghijklmnopqrstuvwxyz");
    (void)snprintf(w->sb.name, sizeof w->sb.name, "wire-agentruntime-%s", name);
    (void)snprintf(w->sb.database_name, sizeof w->sb.database_name, "wire-agentruntime-db%s", name);
    (void)snprintf(w->sb.app_host, sizeof w->sb.app_host, "%sa.example.org", name);
    (void)snprintf(w->sb.tty_host, sizeof w->sb.tty_host, "%st.example.org", name);
    (void)snprintf(w->sb.project_id, sizeof w->sb.project_id, "wire-%s", name);
    assert_true(str_copy(str_from(config->namespace_name), w->sb.namespace_name, sizeof w->sb.namespace_name));
    w->loop = loop_new(&err);
    w->fetch = fetch_new(w->loop, &err);
    w->port = k8s_port_new(
        &(struct k8s_port_options){w->loop, w->fetch, config, &K8S_PROFILE_DEFAULT, w->sb.namespace_name, "test", 0},
        &err);
    if (w->port == NULL)
        fail_msg("%s", err.msg);
    w->cluster = k8s_port_cluster(w->port);
    loop_timer_init(&w->deadline, w->loop, on_deadline, w);
    w->cluster->subscribe(w->cluster->self, on_change, w);
    k8s_port_start(w->port);
    return 0;
}

static int teardown(void **state)
{
    struct wire *w = *state;

    k8s_port_free(w->port);
    fetch_free(w->fetch);
    loop_timer_clear(&w->deadline);
    loop_free(w->loop);
    free(w);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watches_sync),
        cmocka_unit_test(test_owned_objects_wait_for_their_deployment),
        cmocka_unit_test(test_a_sandbox_comes_up),
        cmocka_unit_test(test_credentials_are_read),
        cmocka_unit_test(test_applying_again_changes_nothing),
        cmocka_unit_test(test_a_nudge_reaches_the_pod),
        cmocka_unit_test(test_objects_of_others_are_neither_taken_nor_deleted),
        cmocka_unit_test(test_removing_twice_leaves_nothing),
    };

    if (getenv("KUBECONFIG_REAL") == NULL) {
        fputs("SKIPPED: KUBECONFIG_REAL is not set; nothing was tested against a real kube-apiserver\n", stderr);
        return SKIPPED;
    }
    log_init(2, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO);
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, setup, teardown);
}
