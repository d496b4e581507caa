// SPDX-License-Identifier: MIT
/* The Redis client against a real Redis that stops, restarts and asks for a password. */
#include "tests/wire/store/fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "store/redis.h"

static struct fixture f;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, "redis");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&f);
    return 0;
}

struct got {
    bool is_done;
    enum err_kind kind;
    char text[64];
    size_t n;
};

static void on_value(void *arg, struct str value, const struct err *err)
{
    struct got *g = arg;
    assert_false(g->is_done);
    g->is_done = true;
    g->kind = err != NULL ? err->kind : ERR_NONE;
    g->n = value.n;
    memcpy(g->text, value.n > 0 ? value.p : "", value.n < sizeof(g->text) ? value.n : sizeof(g->text) - 1);
}

struct heard {
    int n;
    bool has_any;
    char text[64];
};

static void on_message(void *arg, struct str payload)
{
    struct heard *h = arg;
    h->n++;
    h->has_any = true;
    assert_true(str_copy(payload, h->text, sizeof(h->text)));
}

static struct redis *open_url(const char *url, const char *channel, struct heard *heard, struct err *reterr)
{
    struct secret secret = secret_new(str_from(url));
    const struct redis_config config = {.url = &secret,
                                        .channel = channel,
                                        .connect_timeout_ms = 300,
                                        .command_timeout_ms = 300,
                                        .on_message = on_message,
                                        .arg = heard};
    struct redis *r = redis_new(f.loop, &config, reterr);
    secret_fini(&secret);
    return r;
}

static bool is_up(void *r)
{
    return redis_is_up(r);
}

static bool is_down(void *r)
{
    return !redis_is_up(r);
}

static struct redis *open_redis(struct heard *heard)
{
    struct err err = {0};
    struct redis *r = open_url(fixture_redis_url(), heard != NULL ? "channel" : NULL, heard, &err);
    assert_non_null(r);
    run_until_true(&f, is_up, r);
    return r;
}

static struct got get(struct redis *r, struct str key)
{
    struct got g = {0};
    redis_get(r, key, on_value, &g);
    assert_false(g.is_done);
    run_until(&f, &g.is_done);
    return g;
}

static void values_are_bytes_and_end_by_themselves(void **state)
{
    (void)state;
    struct redis *r = open_redis(NULL);
    const struct str key = {"k\0\n1", 4};
    redis_set(r, key, (struct str){"a\0b\r\n", 5}, 5000);
    struct got g = get(r, key);
    assert_int_equal(g.kind, ERR_NONE);
    assert_int_equal(g.n, 5);
    assert_memory_equal(g.text, "a\0b\r\n", 5);
    assert_int_equal(get(r, STR("nothing")).kind, ERR_MISSING);
    redis_add(r, key, STR("second"), 5000);
    assert_int_equal(get(r, key).n, 5);
    redis_delete(r, key);
    assert_int_equal(get(r, key).kind, ERR_MISSING);
    redis_add(r, key, STR("third"), 20);
    while (get(r, key).kind == ERR_NONE)
        run_for(&f, 5);
    redis_free(r);
}

static void a_cancelled_get_never_calls_back(void **state)
{
    (void)state;
    struct redis *r = open_redis(NULL);
    struct got g = {0};
    op_cancel(redis_get(r, STR("x"), on_value, &g));
    assert_int_equal(get(r, STR("x")).kind, ERR_MISSING);
    assert_false(g.is_done);
    redis_get(r, STR("x"), on_value, &g);
    redis_free(r);
    run_for(&f, 20);
    assert_false(g.is_done);
}

static void while_redis_is_away_answers_come_at_once_and_it_comes_back(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct redis *r = open_redis(&heard);
    struct got in_flight = {0};
    control("FS_REDIS_CTL", "stop");
    redis_get(r, STR("x"), on_value, &in_flight);
    run_until(&f, &in_flight.is_done);
    assert_int_equal(in_flight.kind, ERR_NOT_READY);
    run_until_true(&f, is_down, r);
    assert_int_equal(get(r, STR("x")).kind, ERR_NOT_READY);
    assert_false(redis_publish(r, "channel", STR("lost")));
    redis_set(r, STR("x"), STR("lost"), 1000);
    control("FS_REDIS_CTL", "start");
    run_until_true(&f, is_up, r);
    assert_int_equal(get(r, STR("x")).kind, ERR_MISSING);
    while (fixture_redis_subscribers("channel") < 1)
        run_for(&f, 2);
    assert_true(redis_publish(r, "channel", STR("found")));
    run_until(&f, &heard.has_any);
    assert_string_equal(heard.text, "found");
    assert_int_equal(heard.n, 1);
    redis_free(r);
}

static void a_redis_that_stops_speaking_is_left(void **state)
{
    (void)state;
    struct redis *r = open_redis(NULL);
    int pid = control_pid("FS_REDIS_CTL");
    assert_int_equal(kill(pid, SIGSTOP), 0);
    struct got g = get(r, STR("x"));
    assert_true(g.kind == ERR_TIMEOUT || g.kind == ERR_NOT_READY);
    run_until_true(&f, is_down, r);
    assert_int_equal(get(r, STR("x")).kind, ERR_NOT_READY);
    assert_int_equal(kill(pid, SIGCONT), 0);
    run_until_true(&f, is_up, r);
    assert_int_equal(get(r, STR("x")).kind, ERR_MISSING);
    redis_free(r);
}

static void a_url_is_read_or_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "http://x",          "redis://",      "redis://h:port", "redis://h:1/x",
        "unix://rel", "redis://u:%zz@h:1", "rediss://h:1/", "redis://h:99999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = {0};
        assert_null(open_url(bad[i], NULL, NULL, &err));
        assert_int_equal(err.kind, ERR_INVALID);
    }
    static const char *const good[] = {"redis://localhost", "redis://127.0.0.1:1/3", "redis://u:p%40ss@[::1]:1",
                                       "unix:/nonexistent/socket"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct err err = {0};
        struct redis *r = open_url(good[i], NULL, NULL, &err);
        assert_non_null(r);
        run_for(&f, 10);
        redis_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_bytes_and_end_by_themselves),
        cmocka_unit_test(a_cancelled_get_never_calls_back),
        cmocka_unit_test(while_redis_is_away_answers_come_at_once_and_it_comes_back),
        cmocka_unit_test(a_redis_that_stops_speaking_is_left),
        cmocka_unit_test(a_url_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
