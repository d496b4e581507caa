// SPDX-License-Identifier: MIT
/* Documents: stages gathered from journal rows, events as clients read them. */
#include "tests/unit/cmocka_all.h"

#include "core/base/fit.h"
#include "core/base/json_read.h"
#include "handlers/documents.h"

static struct journal_event stage_event(enum stage stage, enum stage_status status, int64_t at_ms, int64_t duration_ms)
{
    struct journal_event e = {.kind = JOURNAL_STAGE,
                              .attempt = 2,
                              .stage = stage,
                              .stage_status = status,
                              .at_ms = at_ms,
                              .duration_ms = duration_ms};
    text_fit(e.message, sizeof(e.message), STR("words"));
    return e;
}

static void a_stage_begins_with_its_first_row_and_ends_with_its_last(void **state)
{
    (void)state;
    const struct journal_event events[] = {
        stage_event(STAGE_DATABASE, STAGE_STATUS_IN_PROGRESS, 1000, -1),
        stage_event(STAGE_DATABASE, STAGE_STATUS_IN_PROGRESS, 1500, -1),
        stage_event(STAGE_DATABASE, STAGE_STATUS_COMPLETED, 3000, 2000),
        stage_event(STAGE_CONTAINER, STAGE_STATUS_IN_PROGRESS, 1100, -1),
    };
    struct stage_view stages[STAGE_N];
    documents_stages_begin(stages);
    documents_stages_add(events, 4, 2, stages);
    assert_int_equal(stages[STAGE_DATABASE].status, STAGE_STATUS_COMPLETED);
    assert_int_equal(stages[STAGE_DATABASE].started_ms, 1000);
    assert_int_equal(stages[STAGE_DATABASE].ended_ms, 3000);
    assert_int_equal(stages[STAGE_DATABASE].duration_ms, 2000);
    assert_int_equal(stages[STAGE_CONTAINER].status, STAGE_STATUS_IN_PROGRESS);
    assert_int_equal(stages[STAGE_CONTAINER].ended_ms, -1);
    assert_int_equal(stages[STAGE_TERMINAL].status, STAGE_STATUS_PENDING);
    assert_int_equal(stages[STAGE_TERMINAL].started_ms, -1);
}

static void a_stage_that_was_done_at_once_has_its_beginning_from_its_duration(void **state)
{
    (void)state;
    const struct journal_event events[] = {stage_event(STAGE_READY, STAGE_STATUS_COMPLETED, 5000, 40)};
    struct stage_view stages[STAGE_N];
    documents_stages_begin(stages);
    documents_stages_add(events, 1, 2, stages);
    assert_int_equal(stages[STAGE_READY].started_ms, 4960);
}

static void a_stage_that_is_repaired_has_a_clock_of_its_own(void **state)
{
    (void)state;
    const struct journal_event created[] = {
        stage_event(STAGE_NETWORKING, STAGE_STATUS_IN_PROGRESS, 1000, -1),
        stage_event(STAGE_NETWORKING, STAGE_STATUS_COMPLETED, 3000, 2000),
        stage_event(STAGE_READY, STAGE_STATUS_COMPLETED, 3000, 40),
        {.kind = JOURNAL_DONE, .attempt = 2, .outcome = OUTCOME_READY, .at_ms = 3000, .duration_ms = 2000},
    };
    const struct journal_event repaired[] = {
        {.kind = JOURNAL_STATUS, .attempt = 2, .status = SANDBOX_ERROR, .at_ms = 90000, .duration_ms = -1},
        stage_event(STAGE_NETWORKING, STAGE_STATUS_IN_PROGRESS, 90100, -1),
        stage_event(STAGE_NETWORKING, STAGE_STATUS_IN_PROGRESS, 90200, -1),
    };
    struct stage_view stages[STAGE_N];
    documents_stages_begin(stages);
    documents_stages_add(created, 4, 2, stages);
    documents_stages_add(repaired, 3, 2, stages);
    assert_int_equal(stages[STAGE_NETWORKING].status, STAGE_STATUS_IN_PROGRESS);
    assert_int_equal(stages[STAGE_NETWORKING].started_ms, 90100);
    assert_int_equal(stages[STAGE_READY].ended_ms, 3000);
}

static void rows_of_another_attempt_do_not_count(void **state)
{
    (void)state;
    const struct journal_event events[] = {stage_event(STAGE_READY, STAGE_STATUS_COMPLETED, 5000, 40)};
    struct stage_view stages[STAGE_N];
    documents_stages_begin(stages);
    documents_stages_add(events, 1, 3, stages);
    assert_int_equal(stages[STAGE_READY].status, STAGE_STATUS_PENDING);
}

static const struct json_value *written(struct arena *a, const struct journal_event *e)
{
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    struct str json;
    struct err err = {0};
    documents_event(w, e);
    assert_true(jw_finish(w, &json, &err));
    const struct json_value *v = json_parse(a, arena_dup_str(a, json), &JSON_LIMITS_BODY, &err);
    jw_free(w);
    assert_non_null(v);
    return v;
}

static void a_stage_event_has_title_status_and_no_outcome(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct journal_event e = stage_event(STAGE_TERMINAL, STAGE_STATUS_FAILED, 0, 7);
    e.seq = 12;
    e.code = REASON_TERMINAL_NO_ANSWER;
    const struct json_value *v = written(a, &e);
    assert_string_equal(documents_event_name(&e), "stage");
    assert_int_equal(json_int(json_find(v, "seq"), 0), 12);
    assert_str(json_str(json_find(v, "stage")), "terminal");
    assert_str(json_str(json_find(v, "title")), "Terminal Initialization");
    assert_str(json_str(json_find(v, "status")), "failed");
    assert_str(json_str(json_find(v, "code")), "TERMINAL_NO_ANSWER");
    assert_true(json_str(json_find(v, "hint")).n > 0);
    assert_str(json_str(json_find(v, "at")), "1970-01-01T00:00:00.000Z");
    assert_int_equal(json_int(json_find(v, "durationMs"), 0), 7);
    assert_null(json_find(v, "outcome"));
    arena_free(a);
}

static void the_end_of_an_attempt_tells_its_outcome(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct journal_event e = {
        .kind = JOURNAL_DONE, .status = SANDBOX_RUNNING, .outcome = OUTCOME_READY, .duration_ms = -1};
    const struct json_value *v = written(a, &e);
    assert_string_equal(documents_event_name(&e), "done");
    assert_str(json_str(json_find(v, "outcome")), "ready");
    assert_str(json_str(json_find(v, "status")), "running");
    assert_int_equal(json_type(json_find(v, "durationMs")), JSON_NULL);
    assert_int_equal(json_type(json_find(v, "code")), JSON_NULL);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_begins_with_its_first_row_and_ends_with_its_last),
        cmocka_unit_test(a_stage_that_was_done_at_once_has_its_beginning_from_its_duration),
        cmocka_unit_test(a_stage_that_is_repaired_has_a_clock_of_its_own),
        cmocka_unit_test(rows_of_another_attempt_do_not_count),
        cmocka_unit_test(a_stage_event_has_title_status_and_no_outcome),
        cmocka_unit_test(the_end_of_an_attempt_tells_its_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
