// SPDX-License-Identifier: MIT
/* One port over several clusters: each row reaches its own, a row of an unknown one reaches none and is taken for
 * waiting, never for gone. */
#include "core/clusters.h"

#include "tests/unit/cmocka_all.h"

#include "core/checks.h"

/* A cluster that notes what it was asked for. */
struct fake {
    struct port_cluster port;
    unsigned calls_n;
    unsigned forgotten_n;
    enum cluster_object last;
    cluster_on_change *on_change;
    void *on_change_arg;
    cluster_may_send *may_send;
    void *may_send_arg;
    struct op op;
};

static void fake_observe(void *self, const struct sandbox *sb, struct observed *ret)
{
    (void)self;
    (void)sb;
    *ret = (struct observed){.is_synced = true, .is_reachable = true};
}

static struct op *fake_act(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                           op_done *done, void *arg)
{
    struct fake *f = self;
    (void)sb;
    (void)timeout_ms;
    (void)done;
    (void)arg;
    f->calls_n++;
    f->last = object;
    return &f->op;
}

static struct op *fake_apply(void *self, enum cluster_object object, const struct sandbox *sb,
                             const struct env_list *env, ms_t timeout_ms, op_done *done, void *arg)
{
    (void)env;
    return fake_act(self, object, sb, timeout_ms, done, arg);
}

static struct op *fake_credentials(void *self, const struct sandbox *sb, ms_t timeout_ms, cluster_on_credentials *done,
                                   void *arg)
{
    (void)done;
    return fake_act(self, OBJECT_N, sb, timeout_ms, NULL, arg);
}

static struct op *fake_remove_former_env(void *self, const struct sandbox *sb, unsigned attempt, ms_t timeout_ms,
                                         op_done *done, void *arg)
{
    (void)attempt;
    return fake_act(self, OBJECT_ENV_SECRET, sb, timeout_ms, done, arg);
}

static struct op *fake_nudge(void *self, const struct sandbox *sb, ms_t timeout_ms, op_done *done, void *arg)
{
    return fake_act(self, OBJECT_N, sb, timeout_ms, done, arg);
}

static void fake_subscribe(void *self, cluster_on_change *on_change, void *arg)
{
    struct fake *f = self;
    f->on_change = on_change;
    f->on_change_arg = arg;
}

static void fake_guard(void *self, cluster_may_send *may_send, void *arg)
{
    struct fake *f = self;
    f->may_send = may_send;
    f->may_send_arg = arg;
}

static void fake_forget(void *self, struct str project_id)
{
    struct fake *f = self;
    (void)project_id;
    f->forgotten_n++;
}

struct fixture {
    struct loop *loop;
    struct fake us, eu;
    struct clusters *clusters;
    const struct port_cluster *port;
    unsigned answers_n;
    unsigned changes_n;
    struct err err;
};

static void fake_init(struct fake *f)
{
    f->port = (struct port_cluster){.self = f,
                                    .observe = fake_observe,
                                    .apply = fake_apply,
                                    .remove = fake_act,
                                    .remove_former_env = fake_remove_former_env,
                                    .credentials = fake_credentials,
                                    .nudge = fake_nudge,
                                    .guard = fake_guard,
                                    .subscribe = fake_subscribe,
                                    .forget = fake_forget};
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.loop = loop_new_simulated(1700000000000)};
    fake_init(&f.us);
    fake_init(&f.eu);
    const struct cluster list[] = {
        {.name = "us",                  .former_names = "default", .port = &f.us.port, .url_scheme = "https"},
        { .name = "eu",
         .former_names = "europe, old",
         .port = &f.eu.port,
         .are_databases_far = true,
         .url_scheme = "https"},
    };
    f.clusters = clusters_new(f.loop, list, 2);
    f.port = clusters_port(f.clusters);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    clusters_free(f->clusters);
    loop_free(f->loop);
    return 0;
}

static struct sandbox of(const char *cluster)
{
    struct sandbox sb = {.project_id = "p"};
    assert_true(str_copy(str_from(cluster), sb.cluster, sizeof(sb.cluster)));
    return sb;
}

static void on_done(void *arg, const struct err *err)
{
    struct fixture *f = arg;
    f->answers_n++;
    err_copy(&f->err, err);
}

static void on_credentials(void *arg, const struct db_credentials *credentials, const struct err *err)
{
    assert_null(credentials);
    on_done(arg, err);
}

/* Every call of the port for a sandbox of that cluster. */
static void call_all(struct fixture *f, const char *cluster, struct op *ret[5])
{
    struct sandbox sb = of(cluster);
    ret[0] = f->port->apply(f->port->self, OBJECT_SERVICE, &sb, NULL, 1000, on_done, f);
    ret[1] = f->port->remove(f->port->self, OBJECT_DATABASE, &sb, 1000, on_done, f);
    ret[2] = f->port->credentials(f->port->self, &sb, 1000, on_credentials, f);
    ret[3] = f->port->nudge(f->port->self, &sb, 1000, on_done, f);
    ret[4] = f->port->remove_former_env(f->port->self, &sb, 1, 1000, on_done, f);
}

static void each_call_reaches_the_cluster_of_its_row_alone(void **state)
{
    struct fixture *f = *state;
    struct op *ops[5];
    struct sandbox sb = of("eu");
    struct observed seen;
    call_all(f, "eu", ops);
    assert_int_equal(f->eu.calls_n, 5);
    assert_int_equal(f->us.calls_n, 0);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(ops[i], &f->eu.op);
    call_all(f, "us", ops);
    assert_int_equal(f->us.calls_n, 5);
    f->port->observe(f->port->self, &sb, &seen);
    assert_true(seen.is_synced && seen.is_reachable && !seen.is_cluster_unknown);
    assert_true(seen.are_databases_far);
    sb = of("us");
    f->port->observe(f->port->self, &sb, &seen);
    assert_false(seen.are_databases_far);
}

static void a_former_name_leads_to_the_cluster_that_it_is_now(void **state)
{
    struct fixture *f = *state;
    struct op *ops[5];
    call_all(f, "default", ops);
    assert_int_equal(f->us.calls_n, 5);
    call_all(f, "old", ops);
    assert_int_equal(f->eu.calls_n, 5);
    assert_null(clusters_find(f->clusters, STR("")));
    assert_null(clusters_find(f->clusters, STR("europe,old")));
}

static void an_unknown_cluster_gets_no_call_and_says_so_later(void **state)
{
    struct fixture *f = *state;
    struct op *ops[5];
    call_all(f, "mars", ops);
    assert_int_equal(f->answers_n, 0);
    loop_run(f->loop);
    assert_int_equal(f->answers_n, 5);
    assert_int_equal(f->us.calls_n + f->eu.calls_n, 0);
    assert_int_equal(f->err.kind, ERR_NOT_READY);
    assert_non_null(strstr(f->err.msg, "mars"));
    call_all(f, "mars", ops);
    for (size_t i = 0; i < 5; i++)
        op_cancel(ops[i]);
    loop_run(f->loop);
    assert_int_equal(f->answers_n, 5);
}

static void what_is_in_an_unknown_cluster_is_not_known_rather_than_gone(void **state)
{
    struct fixture *f = *state;
    struct sandbox sb = of("mars");
    struct observed seen;
    struct verdict v = {.check = CHECK_DONE};
    f->port->observe(f->port->self, &sb, &seen);
    assert_false(seen.is_synced);
    assert_false(seen.is_reachable);
    for (size_t i = 0; i < OBJECT_N; i++)
        assert_int_equal(seen.objects[i], PRESENCE_UNKNOWN);
    const struct world world = {.sb = &sb, .seen = &seen};
    object_applied(&PLAN[STEP_APP_DEPLOYED], &world, &v);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_int_equal(v.code, REASON_CLUSTER_UNREACHABLE);
    assert_non_null(strstr(v.message, "cluster mars is not in this server's configuration"));
}

static void on_change(void *arg, struct str project_id)
{
    struct fixture *f = arg;
    (void)project_id;
    f->changes_n++;
}

static bool may_send(void *arg)
{
    const struct fixture *f = arg;
    return f->changes_n > 0;
}

static void every_cluster_is_guarded(void **state)
{
    struct fixture *f = *state;
    f->port->guard(f->port->self, may_send, f);
    assert_false(f->us.may_send(f->us.may_send_arg));
    f->changes_n = 1;
    assert_true(f->eu.may_send(f->eu.may_send_arg));
    f->port->guard(f->port->self, NULL, NULL);
    assert_null(f->us.may_send);
}

static void a_change_of_any_cluster_is_heard_and_all_forget(void **state)
{
    struct fixture *f = *state;
    f->port->subscribe(f->port->self, on_change, f);
    f->us.on_change(f->us.on_change_arg, STR("p"));
    f->eu.on_change(f->eu.on_change_arg, STR_NONE);
    assert_int_equal(f->changes_n, 2);
    f->port->forget(f->port->self, STR("p"));
    assert_int_equal(f->us.forgotten_n, 1);
    assert_int_equal(f->eu.forgotten_n, 1);
    f->port->subscribe(f->port->self, NULL, NULL);
    assert_null(f->us.on_change);
    assert_null(f->eu.on_change);
}

static void a_wish_names_a_known_cluster_or_gets_the_default(void **state)
{
    struct fixture *f = *state;
    const struct cluster *cluster = NULL;
    struct err err = {0};
    assert_true(clusters_choose(f->clusters, STR_NONE, "/cluster", &cluster, &err));
    assert_string_equal(cluster->name, "us");
    assert_true(clusters_choose(f->clusters, STR("eu"), "/cluster", &cluster, &err));
    assert_string_equal(cluster->name, "eu");
    assert_false(clusters_choose(f->clusters, STR("mars"), "/cluster", &cluster, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    assert_string_equal(err.field, "/cluster");
    assert_non_null(strstr(err.msg, "us, eu"));
    assert_false(clusters_choose(f->clusters, STR(""), "/cluster", &cluster, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_call_reaches_the_cluster_of_its_row_alone),
        TEST(a_former_name_leads_to_the_cluster_that_it_is_now),
        TEST(an_unknown_cluster_gets_no_call_and_says_so_later),
        TEST(what_is_in_an_unknown_cluster_is_not_known_rather_than_gone),
        TEST(every_cluster_is_guarded),
        TEST(a_change_of_any_cluster_is_heard_and_all_forget),
        TEST(a_wish_names_a_known_cluster_or_gets_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
