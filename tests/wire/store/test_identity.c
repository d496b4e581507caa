// SPDX-License-Identifier: MIT
/* Sign-in links and sessions, with this process's memory and with Redis as their cache. */
#include "tests/wire/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

static struct fixture f;

static int setup_memory(void **state)
{
    (void)state;
    fixture_init(&f, "identity");
    fixture_open_store(&f, NULL);
    return 0;
}

static int setup_redis(void **state)
{
    (void)state;
    fixture_init(&f, "identity");
    fixture_open_store(&f, fixture_redis_url());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&f);
    return 0;
}

/* Before each test: nobody is there. */
static int empty(void **state)
{
    (void)state;
    sql(&f, "TRUNCATE users CASCADE");
    return 0;
}

struct who {
    bool is_done;
    struct err err;
    struct principal principal;
};

static void on_who(void *arg, const struct principal *who, const struct err *err)
{
    struct who *w = arg;
    assert_false(w->is_done);
    w->is_done = true;
    err_copy(&w->err, err);
    if (who != NULL)
        w->principal = *who;
}

static void make_link(const char *user_key, const char *token, ms_t valid_ms, enum err_kind wanted)
{
    struct answer a = {0};
    f.port->signin_link_create(f.port->self, str_from(user_key), str_from(token), valid_ms, FIXTURE_MS, on_answer, &a);
    assert_false(a.is_done);
    run_until(&f, &a.is_done);
    assert_int_equal(a.err.kind, wanted);
}

static struct who use_link(const char *token, const char *session, ms_t idle_ms, ms_t absolute_ms)
{
    struct who w = {0};
    const struct session_wish wish = {.token = str_from(session),
                                      .idle_ms = idle_ms,
                                      .absolute_ms = absolute_ms,
                                      .agent = STR("Firefox on Linux"),
                                      .address = STR("192.0.2.0/24")};
    f.port->signin_link_use(f.port->self, str_from(token), &wish, FIXTURE_MS, on_who, &w);
    run_until(&f, &w.is_done);
    return w;
}

static struct who find(const struct port_store *port, const char *session)
{
    struct who w = {0};
    port->session_find(port->self, str_from(session), FIXTURE_MS, on_who, &w);
    assert_false(w.is_done);
    run_until(&f, &w.is_done);
    return w;
}

static void sign_out(const char *session)
{
    struct answer a = {0};
    f.port->session_end(f.port->self, str_from(session), FIXTURE_MS, on_answer, &a);
    expect_ok(&f, &a);
}

static void a_link_signs_in_once(void **state)
{
    (void)state;
    make_link("local:ada", "token-1", HOUR_MS, ERR_NONE);
    struct who w = use_link("token-1", "session-1", HOUR_MS, 2 * HOUR_MS);
    assert_int_equal(w.err.kind, ERR_NONE);
    assert_string_equal(w.principal.name, "ada");
    assert_string_equal(w.principal.email, "");
    assert_true(codec_is_uuid(str_from(w.principal.user_id)));
    assert_true(w.principal.expires_ms > loop_wall_ms(f.loop) + 50 * MINUTE_MS);
    assert_true(w.principal.expires_ms < loop_wall_ms(f.loop) + 70 * MINUTE_MS);
    assert_int_equal(use_link("token-1", "session-2", HOUR_MS, HOUR_MS).err.kind, ERR_UNAUTHENTICATED);
    assert_int_equal(use_link("unknown", "session-2", HOUR_MS, HOUR_MS).err.kind, ERR_UNAUTHENTICATED);
    assert_int_equal(find(f.port, "session-2").err.kind, ERR_UNAUTHENTICATED);
    assert_string_equal(sql_value(&f, "SELECT count(*) FROM sessions"), "1");
    assert_string_equal(find(f.port, "session-1").principal.user_id, w.principal.user_id);
}

static void two_uses_at_once_make_one_session(void **state)
{
    (void)state;
    make_link("local:eve", "token-race", HOUR_MS, ERR_NONE);
    struct who w[4] = {0};
    static const char *const sessions[] = {"race-0", "race-1", "race-2", "race-3"};
    for (size_t i = 0; i < 4; i++) {
        const struct session_wish wish = {.token = str_from(sessions[i]),
                                          .idle_ms = HOUR_MS,
                                          .absolute_ms = HOUR_MS,
                                          .agent = STR(""),
                                          .address = STR("")};
        f.port->signin_link_use(f.port->self, STR("token-race"), &wish, FIXTURE_MS, on_who, &w[i]);
    }
    int n = 0;
    for (size_t i = 0; i < 4; i++) {
        run_until(&f, &w[i].is_done);
        n += w[i].err.kind == ERR_NONE ? 1 : 0;
    }
    assert_int_equal(n, 1);
}

static void links_of_one_name_are_of_one_user(void **state)
{
    (void)state;
    struct answer a[5] = {0};
    static const char *const tokens[] = {"t0", "t1", "t2", "t3", "t4"};
    for (size_t i = 0; i < 5; i++)
        f.port->signin_link_create(f.port->self, STR("local:bob"), str_from(tokens[i]), HOUR_MS, FIXTURE_MS, on_answer,
                                   &a[i]);
    for (size_t i = 0; i < 5; i++)
        expect_ok(&f, &a[i]);
    assert_string_equal(sql_value(&f, "SELECT count(*) FROM users WHERE name = 'bob'"), "1");
    assert_string_equal(use_link("t0", "s0", HOUR_MS, HOUR_MS).principal.user_id,
                        use_link("t4", "s4", HOUR_MS, HOUR_MS).principal.user_id);
    make_link("nobody", "t", HOUR_MS, ERR_INVALID);
    make_link("local:", "t", HOUR_MS, ERR_INVALID);
}

static void links_and_sessions_end_by_the_databases_clock(void **state)
{
    (void)state;
    make_link("local:old", "token-old", HOUR_MS, ERR_NONE);
    sql(&f, "UPDATE signin_links SET valid_until = now() - interval '1 second'");
    assert_int_equal(use_link("token-old", "s", HOUR_MS, HOUR_MS).err.kind, ERR_UNAUTHENTICATED);
    make_link("local:old", "token-new", HOUR_MS, ERR_NONE);
    use_link("token-new", "idle", HOUR_MS, 2 * HOUR_MS);
    sql(&f, "UPDATE sessions SET idle_until = now() + interval '10 minutes'");
    /* A session that is used has its idle end moved. */
    assert_int_equal(find(f.port, "idle").err.kind, ERR_NONE);
    assert_string_equal(sql_value(&f, "SELECT idle_until > now() + interval '50 minutes' FROM sessions WHERE "
                                      "absolute_until > now() + interval '90 minutes'"),
                        "t");
    make_link("local:old", "token-2", HOUR_MS, ERR_NONE);
    use_link("token-2", "over", HOUR_MS, HOUR_MS);
    sql(&f, "UPDATE sessions SET absolute_until = now() - interval '1 second'");
    assert_int_equal(find(f.port, "over").err.kind, ERR_UNAUTHENTICATED);
}

static void no_token_is_stored(void **state)
{
    (void)state;
    make_link("local:hash", "plain-link-token", HOUR_MS, ERR_NONE);
    use_link("plain-link-token", "plain-session-token", HOUR_MS, HOUR_MS);
    assert_string_equal(
        sql_value(&f, "SELECT count(*) FROM signin_links WHERE token_hash = sha256('plain-link-token')"), "1");
    assert_string_equal(sql_value(&f, "SELECT count(*) FROM sessions WHERE token_hash = sha256('plain-session-token')"),
                        "1");
}

static void a_sign_out_holds_also_against_the_cache(void **state)
{
    (void)state;
    make_link("local:out", "token-out", HOUR_MS, ERR_NONE);
    use_link("token-out", "out", HOUR_MS, HOUR_MS);
    assert_int_equal(find(f.port, "out").err.kind, ERR_NONE);
    sql(&f, "UPDATE users SET name = 'changed behind the cache' WHERE name = 'out'");
    assert_string_equal(find(f.port, "out").principal.name, "out"); /* from the cache */
    sign_out("out");
    assert_int_equal(find(f.port, "out").err.kind, ERR_UNAUTHENTICATED);
    assert_string_equal(sql_value(&f, "SELECT count(*) FROM sessions WHERE token_hash = sha256('out')"), "0");
}

static void a_look_up_under_way_cannot_bring_an_ended_session_back(void **state)
{
    (void)state;
    make_link("local:tomb", "token-tomb", HOUR_MS, ERR_NONE);
    use_link("token-tomb", "tomb", HOUR_MS, HOUR_MS);
    sql(&f, "UPDATE sessions SET idle_until = now() + interval '1 minute'"); /* so that finding it has to write */
    struct pg_connection *holder = hold(&f, "SELECT FROM sessions FOR UPDATE");
    struct who w = {0};
    struct answer a = {0};
    f.port->session_find(f.port->self, STR("tomb"), FIXTURE_MS, on_who, &w);
    run_until_waiting(&f, 1);
    f.port->session_end(f.port->self, STR("tomb"), FIXTURE_MS, on_answer, &a);
    run_until_waiting(&f, 2);
    hold_end(&f, holder);
    expect_ok(&f, &a);
    run_until(&f, &w.is_done);
    assert_int_equal(w.err.kind, ERR_NONE); /* it was asked for before the end */
    assert_int_equal(find(f.port, "tomb").err.kind, ERR_UNAUTHENTICATED);
}

static bool is_up_again(void *arg)
{
    (void)arg;
    struct store_health health;
    f.port->health(f.port->self, &health);
    return health.is_redis_up;
}

static bool is_down(void *arg)
{
    return !is_up_again(arg);
}

static void without_redis_it_goes_on_with_its_own_memory(void **state)
{
    (void)state;
    make_link("local:red", "token-red", HOUR_MS, ERR_NONE);
    use_link("token-red", "red", HOUR_MS, HOUR_MS);
    assert_int_equal(find(f.port, "red").err.kind, ERR_NONE);
    control("FS_REDIS_CTL", "stop");
    run_until_true(&f, is_down, NULL);
    assert_int_equal(find(f.port, "red").err.kind, ERR_NONE);
    sql(&f, "UPDATE users SET name = 'behind' WHERE name = 'red'");
    assert_string_equal(find(f.port, "red").principal.name, "red");
    sign_out("red");
    assert_int_equal(find(f.port, "red").err.kind, ERR_UNAUTHENTICATED);
    control("FS_REDIS_CTL", "start");
    run_until_true(&f, is_up_again, NULL);
    assert_int_equal(find(f.port, "red").err.kind, ERR_UNAUTHENTICATED);
}

static void another_replica_sees_the_sign_out_at_once(void **state)
{
    (void)state;
    struct store *other = fixture_another_store(&f, "r2", fixture_redis_url());
    const struct port_store *port = store_port(other);
    make_link("local:two", "token-two", HOUR_MS, ERR_NONE);
    use_link("token-two", "two", HOUR_MS, HOUR_MS);
    struct store_health health = {0};
    while (!health.is_redis_up || !health.is_postgres_up) {
        run_for(&f, 2);
        port->health(port->self, &health);
    }
    assert_int_equal(find(port, "two").err.kind, ERR_NONE);
    sign_out("two");
    assert_int_equal(find(port, "two").err.kind, ERR_UNAUTHENTICATED);
    store_close(other);
}

#define COMMON                                                                                                         \
    cmocka_unit_test_setup(a_link_signs_in_once, empty),                                                               \
        cmocka_unit_test_setup(two_uses_at_once_make_one_session, empty),                                              \
        cmocka_unit_test_setup(links_of_one_name_are_of_one_user, empty),                                              \
        cmocka_unit_test_setup(links_and_sessions_end_by_the_databases_clock, empty),                                  \
        cmocka_unit_test_setup(no_token_is_stored, empty),                                                             \
        cmocka_unit_test_setup(a_sign_out_holds_also_against_the_cache, empty),                                        \
        cmocka_unit_test_setup(a_look_up_under_way_cannot_bring_an_ended_session_back, empty)

int main(void)
{
    const struct CMUnitTest with_memory[] = {COMMON};
    const struct CMUnitTest with_redis[] = {
        COMMON,
        cmocka_unit_test_setup(without_redis_it_goes_on_with_its_own_memory, empty),
        cmocka_unit_test_setup(another_replica_sees_the_sign_out_at_once, empty),
    };
    int failed_n = cmocka_run_group_tests(with_memory, setup_memory, teardown);
    return failed_n + cmocka_run_group_tests(with_redis, setup_redis, teardown);
}
