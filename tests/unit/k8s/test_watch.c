// SPDX-License-Identifier: MIT
/* Watches: recorded streams cut anywhere, and the ladder against a server that pages, expires, ends, and lies. */
#include "unit/k8s/canned_api.h"

#include "captures.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "k8s/watch.h"
#include "sample.h"

/* ---- recorded streams ---- */

static const struct {
    const char *name;
    int puts_n, drops_n, bookmarks_n, errors_n;
    uint64_t version; /* of the last event that has one */
} streams[] = {
    {"017-watch-cluster-to-running",      3,  0, 0, 0, 339 },
    {"030-watch-deployment-to-available", 5,  0, 0, 0, 366 },
    {"031-watch-pods-of-deployment",      4,  0, 0, 0, 362 },
    {"097-watch-bookmarks",               2,  2, 2, 0, 462 },
    {"098-watch-no-bookmarks",            2,  2, 0, 0, 462 },
    {"099-watch-rv-unset",                6,  0, 0, 0, 445 },
    {"100-watch-rv0",                     6,  0, 0, 0, 445 },
    {"101-watchlist",                     6,  0, 1, 0, 468 },
    {"102-watchlist-empty",               0,  0, 1, 0, 469 },
    {"104-watch-one-by-name",             1,  0, 0, 0, 405 },
    {"106-watch-future-rv",               0,  0, 0, 0, 0   },
    {"109-watch-old-rv-still-cached",     19, 2, 0, 0, 462 },
    {"139-watch-cluster-deleting",        2,  1, 0, 0, 859 },
    {"147-watch-rv-compacted-but-cached", 48, 0, 0, 0, 1295},
    {"150-watch-expired-410-event",       0,  0, 0, 1, 0   },
    {"151-watch-expired-410-event-crd",   0,  0, 0, 1, 0   },
    {"153-watch-server-shutdown",         6,  0, 0, 0, 445 },
};

struct tally {
    int n[4];
    uint64_t version;
};

static bool on_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct tally *t = arg;
    struct watch_event event;
    if (!watch_read_event(item, &event, reterr))
        return false;
    t->n[event.type]++;
    if (event.version > 0)
        t->version = event.version;
    return true;
}

static void test_recorded_streams_are_read_however_they_are_cut(void **state)
{
    static const size_t pieces[] = {1, 7, 1000, 1 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            struct arena *a = arena_new();
            struct str text = capture_text(a, "watches", streams[i].name);
            struct tally t = {{0}, 0};
            struct json_stream *s = json_stream_new(NULL, &JSON_LIMITS_KUBE, on_item, &t);
            for (size_t at = 0; at < text.n; at += pieces[p])
                assert_true(json_stream_feed(s, str_slice(text, at, at + pieces[p]), NULL));
            assert_true(json_stream_finish(s, NULL, NULL));
            json_stream_free(s);
            arena_free(a);
            print_message("%s\n", streams[i].name);
            assert_int_equal(t.n[WATCH_PUT], streams[i].puts_n);
            assert_int_equal(t.n[WATCH_DROP], streams[i].drops_n);
            assert_int_equal(t.n[WATCH_BOOKMARK], streams[i].bookmarks_n);
            assert_int_equal(t.n[WATCH_ERROR], streams[i].errors_n);
            assert_int_equal(t.version, streams[i].version);
        }
    }
}

static void test_what_is_no_event_is_refused(void **state)
{
    static const char *const bad[] = {"{}",
                                      "[]",
                                      "1",
                                      "{\"type\":\"ADDED\"}",
                                      "{\"type\":\"ADDED\",\"object\":1}",
                                      "{\"type\":\"RENAMED\",\"object\":{}}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena *a = arena_new();
        struct watch_event event;
        assert_false(watch_read_event(json_parse(a, str_from(bad[i]), &JSON_LIMITS_KUBE, NULL), &event, NULL));
        arena_free(a);
    }
}

/* ---- the ladder ---- */

struct bench {
    struct canned_api api;
    struct cache *cache;
    struct watch *watch;
    struct sandbox sb;
    struct loop_timer deadline;
    struct arena *arena;
    /* The answers to the requests in their order; the last one is repeated never: it is an error to ask on. */
    void (*script)(struct bench *b, int n, struct canned_conn *conn, struct str head);
    int requests_n;
    int breaks_n;
    int calms_n;
    bool (*is_met)(struct bench *b);
};

static enum presence seen(struct bench *b)
{
    struct observed o;
    cache_observe(b->cache, &b->sb, &o);
    return o.objects[OBJECT_WORKLOAD];
}

static void check(struct bench *b)
{
    if (b->is_met != NULL && b->is_met(b))
        loop_stop(b->api.loop);
}

static void on_change(void *arg, struct str project_id)
{
    (void)project_id;
    check(arg);
}

static void on_request(void *arg, struct canned_conn *conn, struct str head, struct str body)
{
    struct bench *b = arg;
    (void)body;
    b->script(b, b->requests_n++, conn, head);
    check(b);
}

static void on_deadline(void *arg)
{
    (void)arg;
    fail_msg("it did not happen in time");
}

static void until(struct bench *b, bool (*is_met)(struct bench *b))
{
    b->is_met = is_met;
    loop_timer_set(&b->deadline, 10000);
    if (!is_met(b))
        loop_run(b->api.loop);
    loop_timer_clear(&b->deadline);
}

static void on_break(void *arg)
{
    struct bench *b = arg;
    b->breaks_n++;
}

static void on_calm(void *arg)
{
    struct bench *b = arg;
    b->calms_n++;
    check(b);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    canned_api_init(&b->api, on_request, b);
    b->cache = cache_new(b->api.loop);
    cache_subscribe(b->cache, on_change, b);
    b->sb = sample_sandbox();
    b->arena = arena_new();
    loop_timer_init(&b->deadline, b->api.loop, on_deadline, b);
    b->watch = watch_new(&(struct watch_options){.kube = b->api.kube,
                                                 .cache = b->cache,
                                                 .kind = KIND_DEPLOYMENT,
                                                 .namespace_name = "ns",
                                                 .on_break = on_break,
                                                 .on_calm = on_calm,
                                                 .arg = b});
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    watch_free(b->watch);
    cache_free(b->cache);
    arena_free(b->arena);
    canned_api_fini(&b->api);
    free(b);
    return 0;
}

static struct str item(struct bench *b, int version)
{
    return str_from(
        arena_printf(b->arena, "{\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"%d\",\"labels\":{\"%s\":\"%s\"}}}",
                     b->sb.name, version, LABEL_PROJECT_ID, b->sb.project_id));
}

static void send_list(struct bench *b, struct canned_conn *conn, int version, const char *next, struct str items)
{
    canned_answer(
        conn, 200,
        str_from(arena_printf(b->arena,
                              "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"%d\",\"continue\":\"%s\"},"
                              "\"items\":[%.*s]}",
                              version, next, STR_ARG(items))));
}

static void send_event(struct bench *b, struct canned_conn *conn, const char *type, struct str object)
{
    canned_chunk(conn, str_from(arena_printf(b->arena, "{\"type\":\"%s\",\"object\":%.*s}\n", type, STR_ARG(object))));
}

static bool has(struct str head, const char *part)
{
    return str_find_str(head, str_from(part)) < head.n;
}

static bool is_present(struct bench *b)
{
    return seen(b) == PRESENCE_PRESENT;
}

static bool is_absent(struct bench *b)
{
    return seen(b) == PRESENCE_ABSENT;
}

static void script_pages(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    if (n == 0) {
        assert_true(has(head, "/apis/apps/v1/namespaces/ns/deployments?labelSelector="));
        assert_true(has(head, "limit=500"));
        assert_false(has(head, "continue="));
        send_list(b, conn, 10, "tok/en+=", STR_NONE);
    } else if (n == 1) {
        assert_true(has(head, "continue=tok%2Fen%2B%3D"));
        send_list(b, conn, 10, "", item(b, 9));
    } else {
        assert_true(has(head, "watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds="));
        canned_stream(conn);
        send_event(b, conn, "DELETED", item(b, 11));
    }
}

static void test_pages_are_listed_then_watched_from_their_version(void **state)
{
    struct bench *b = *state;
    b->script = script_pages;
    watch_start(b->watch);
    until(b, is_present);
    until(b, is_absent);
    assert_int_equal(b->requests_n, 3);
    assert_int_equal(b->breaks_n, 0);
}

static void script_resume(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    if (n == 0) {
        send_list(b, conn, 10, "", STR_NONE);
    } else if (n == 1) {
        canned_stream(conn);
        send_event(b, conn, "BOOKMARK", STR("{\"metadata\":{\"resourceVersion\":\"33\"}}"));
        canned_chunk(conn, STR_NONE); /* a clean end */
    } else if (n == 2) {
        assert_true(has(head, "resourceVersion=33&"));
        canned_stream(conn);
        canned_close(conn); /* a lost connection */
    } else {
        assert_true(has(head, "resourceVersion=33&"));
        canned_stream(conn);
        send_event(b, conn, "ADDED", item(b, 40));
    }
}

static void test_an_ended_or_lost_stream_goes_on_from_its_last_version(void **state)
{
    struct bench *b = *state;
    struct watch_stats stats;
    b->script = script_resume;
    watch_start(b->watch);
    until(b, is_present);
    watch_stats(b->watch, &stats);
    assert_int_equal(stats.lists_n, 1);
    assert_int_equal(stats.streams_n, 3);
    assert_int_equal(stats.failures_n, 1);
}

static void script_expired(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    if (n == 0) {
        send_list(b, conn, 10, "", item(b, 9));
    } else if (n == 1) {
        canned_stream(conn);
        send_event(b, conn, "ERROR",
                   STR("{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"old\"}"));
        canned_chunk(conn, STR_NONE);
    } else if (n == 2) {
        assert_false(has(head, "watch=1"));
        send_list(b, conn, 50, "", STR_NONE); /* it went meanwhile */
    } else {
        assert_true(has(head, "resourceVersion=50&"));
        canned_stream(conn);
    }
}

static void test_an_expired_watch_lists_anew_and_sweeps(void **state)
{
    struct bench *b = *state;
    b->script = script_expired;
    watch_start(b->watch);
    until(b, is_present);
    until(b, is_absent);
    assert_int_equal(b->requests_n, 3);
    assert_int_equal(b->breaks_n, 1);
}

static bool is_troubled(struct bench *b)
{
    return watch_trouble(b->watch) != NULL;
}

static void script_troubled(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    (void)head;
    if (n == 0)
        canned_answer(conn, 500,
                      STR("{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"conversion webhook\"}"));
    else if (n == 1)
        send_list(b, conn, 10, "", item(b, 9));
    else
        canned_stream(conn);
}

static void test_what_the_api_says_of_one_kind_is_kept_until_that_is_heard_of_again(void **state)
{
    struct bench *b = *state;
    b->script = script_troubled;
    watch_start(b->watch);
    until(b, is_troubled);
    assert_non_null(strstr(watch_trouble(b->watch)->msg, "conversion webhook"));
    assert_null(watch_refusal(b->watch));
    assert_true(kube_is_reachable(b->api.kube));
    until(b, is_present);
    assert_null(watch_trouble(b->watch));
    assert_int_equal(b->calms_n, 1);
}

static bool is_calm(struct bench *b)
{
    return b->calms_n == 1;
}

static void script_silent_after_trouble(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    if (n == 0) {
        send_list(b, conn, 10, "", item(b, 9));
    } else if (n == 1) {
        canned_answer(conn, 500, STR("{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\"}"));
    } else {
        assert_true(has(head, "resourceVersion=10&"));
        canned_stream(conn);
    }
}

static void test_a_stream_that_stands_is_calm_though_nothing_happens(void **state)
{
    struct bench *b = *state;
    b->script = script_silent_after_trouble;
    watch_start(b->watch);
    until(b, is_troubled);
    until(b, is_calm);
    assert_null(watch_trouble(b->watch));
    assert_int_equal(b->requests_n, 3);
}

static void script_page_expired(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    if (n == 0) {
        send_list(b, conn, 10, "tok", STR_NONE);
    } else if (n == 1) {
        canned_answer(conn, 410, STR("{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}"));
    } else if (n == 2) {
        assert_false(has(head, "continue="));
        send_list(b, conn, 20, "", item(b, 9));
    } else {
        canned_stream(conn);
    }
}

static void test_an_expired_page_begins_the_list_again(void **state)
{
    struct bench *b = *state;
    b->script = script_page_expired;
    watch_start(b->watch);
    until(b, is_present);
}

static void script_trouble(struct bench *b, int n, struct canned_conn *conn, struct str head)
{
    (void)head;
    if (n == 0)
        canned_answer(conn, 500, STR("boom"));
    else if (n == 1)
        canned_answer(conn, 200, STR("{\"items\":[{\"metadata\""));
    else if (n == 2)
        canned_answer(conn, 200, STR("{\"items\":[]}")); /* no version to go on from */
    else if (n == 3)
        send_list(b, conn, 5, "", STR_NONE);
    else if (n == 4) {
        canned_stream(conn);
        canned_chunk(conn, STR("this is no JSON\n"));
    } else if (n == 5) { /* the stream made no sense: trust nothing of it */
        send_list(b, conn, 6, "", item(b, 6));
    } else {
        canned_stream(conn);
    }
}

static void test_whatever_the_server_does_it_is_tried_again(void **state)
{
    struct bench *b = *state;
    struct watch_stats stats;
    b->script = script_trouble;
    watch_start(b->watch);
    until(b, is_present);
    watch_stats(b->watch, &stats);
    assert_int_equal(stats.failures_n, 4);
    assert_int_equal(b->breaks_n, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_streams_are_read_however_they_are_cut),
        cmocka_unit_test(test_what_is_no_event_is_refused),
        TEST(test_pages_are_listed_then_watched_from_their_version),
        TEST(test_an_ended_or_lost_stream_goes_on_from_its_last_version),
        TEST(test_an_expired_watch_lists_anew_and_sweeps),
        TEST(test_a_stream_that_stands_is_calm_though_nothing_happens),
        TEST(test_what_the_api_says_of_one_kind_is_kept_until_that_is_heard_of_again),
        TEST(test_an_expired_page_begins_the_list_again),
        TEST(test_whatever_the_server_does_it_is_tried_again),
    };
    log_init(2, LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
