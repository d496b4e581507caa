// SPDX-License-Identifier: MIT
/* /metrics is well-formed Prometheus text and tells each counter of the sample. */
#include "server/metrics.h"

#include "tests/unit/cmocka_all.h"

static const struct route routes[] = {
    {HTTP_GET, "/api/projects/{id}", NULL, ROUTE_USER, {0, false}, RATE_READ},
};

static void make(struct metrics_sample *s, struct buf *out)
{
    static const uint64_t requests[] = {7, 8};
    static const struct metrics_kube kube[] = {
        {"us", 1, 2, 3, 4, true,  5, 6},
        {"eu", 0, 0, 0, 9, false, 0, 0}
    };
    *s = (struct metrics_sample){.routes = routes, .routes_n = 1, .started_ms = 1700000000123};
    s->gate.requests_n = requests;
    s->kube = kube;
    s->kube_n = 2;
    s->loop.lag_max_ms = 1005;
    s->listener.connections_n = 3;
    s->store.is_postgres_up = true;
    s->reconciler.flows.outcomes_n[OUTCOME_READY] = 4;
    s->reconciler.flows.failures_n[REASON_IMAGE_PULL] = 5;
    s->reconciler.flows.stages_n[STAGE_DATABASE] = 2;
    s->reconciler.flows.stages_sum_ms[STAGE_DATABASE] = 61500;
    buf_init(out, 1024 * 1024);
    metrics_text(s, out);
}

static void assert_line(struct buf *text, const char *line)
{
    struct str rest = buf_str(text);
    struct str at;
    while (str_next(&rest, '\n', &at)) {
        if (str_eq_text(at, line))
            return;
    }
    fail_msg("no line '%s' in:\n%s", line, buf_text(text));
}

static void each_number_of_the_sample_is_told_in_base_units(void **state)
{
    (void)state;
    struct metrics_sample s;
    struct buf text;
    make(&s, &text);
    assert_line(&text, "process_start_time_seconds 1700000000.123");
    assert_line(&text, "fullstackd_event_loop_lag_max_seconds 1.005");
    assert_line(&text, "fullstackd_http_connections 3");
    assert_line(&text, "fullstackd_postgres_up 1");
    assert_line(&text, "fullstackd_redis_up 0");
    assert_line(&text, "fullstackd_http_requests_total{method=\"GET\",route=\"/api/projects/{id}\"} 7");
    assert_line(&text, "fullstackd_http_requests_total{method=\"GET\",route=\"dashboard\"} 8");
    assert_line(&text, "fullstackd_kube_reachable{cluster=\"us\"} 1");
    assert_line(&text, "fullstackd_kube_reachable{cluster=\"eu\"} 0");
    assert_line(&text, "fullstackd_kube_watch_events_total{cluster=\"us\"} 3");
    assert_line(&text, "fullstackd_kube_watch_failures_total{cluster=\"eu\"} 9");
    assert_line(&text, "fullstackd_kube_calls_waiting{cluster=\"us\"} 6");
    assert_line(&text, "fullstackd_attempts_total{outcome=\"ready\"} 4");
    assert_line(&text, "fullstackd_failures_total{reason=\"IMAGE_PULL\"} 5");
    assert_line(&text, "fullstackd_stage_duration_seconds_sum{stage=\"database\"} 61.500");
    assert_line(&text, "fullstackd_stage_duration_seconds_count{stage=\"database\"} 2");
    buf_fini(&text);
}

/* Each series follows the HELP and TYPE of its family, and no family comes twice. */
static void every_family_is_announced_once_before_its_series(void **state)
{
    (void)state;
    struct metrics_sample s;
    struct buf text;
    make(&s, &text);
    struct str rest = buf_str(&text);
    struct str line;
    struct str family = STR_NONE;
    struct arena *a = arena_new();
    while (str_next(&rest, '\n', &line) && line.n > 0) {
        if (str_starts(line, STR("# HELP "))) {
            family = str_slice(line, 7, str_find(line, ' ', 7));
            const char *head = arena_printf(a, "# HELP %.*s ", STR_ARG(family));
            size_t first = str_find_str(buf_str(&text), str_from(head));
            struct str after = str_slice(buf_str(&text), first + 1, text.n);
            assert_int_equal(str_find_str(after, str_from(head)), after.n);
        } else if (!str_starts(line, STR("# TYPE "))) {
            assert_true(str_starts(line, family));
            assert_true(str_find(line, ' ', 0) < line.n);
        }
    }
    arena_free(a);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_of_the_sample_is_told_in_base_units),
        cmocka_unit_test(every_family_is_announced_once_before_its_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
