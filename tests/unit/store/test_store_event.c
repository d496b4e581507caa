// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/store_event.h"

static void expect_round_trip(const struct journal_event *event)
{
    struct json_writer *w = jw_new(STORE_EVENT_BYTES_MAX);
    struct arena *a = arena_new();
    struct journal_event back;
    struct str json;
    struct str replica;
    struct err err = {0};
    assert_true(store_event_write(w, "r1", event, &json, &err));
    assert_true(store_event_read(a, json, &back, &replica, &err));
    assert_true(str_eq(replica, STR("r1")));
    assert_string_equal(back.owner_id, event->owner_id);
    assert_string_equal(back.project_id, event->project_id);
    assert_string_equal(back.message, event->message);
    assert_int_equal(back.seq, event->seq);
    assert_int_equal(back.attempt, event->attempt);
    assert_int_equal(back.kind, event->kind);
    assert_int_equal(back.stage, event->stage);
    assert_int_equal(back.stage_status, event->stage_status);
    assert_int_equal(back.status, event->status);
    assert_int_equal(back.outcome, event->outcome);
    assert_int_equal(back.code, event->code);
    assert_int_equal(back.at_ms, event->at_ms);
    assert_int_equal(back.duration_ms, event->duration_ms);
    assert_int_equal(back.position, event->position);
    arena_free(a);
    jw_free(w);
}

static void every_stage_status_outcome_and_code_survives(void **state)
{
    (void)state;
    struct journal_event e = {
        .owner_id = "o", .project_id = "p", .seq = 1ULL << 40, .attempt = 3, .at_ms = 1760176800123};
    for (int stage = 0; stage < STAGE_N; stage++) {
        for (int status = 0; status < STAGE_STATUS_N; status++) {
            e.kind = JOURNAL_STAGE;
            e.stage = (enum stage)stage;
            e.stage_status = (enum stage_status)status;
            e.duration_ms = status - 1;
            expect_round_trip(&e);
        }
    }
    e.stage = (enum stage)0;
    e.stage_status = (enum stage_status)0;
    e.duration_ms = -1;
    for (int status = 0; status < SANDBOX_STATUS_N; status++) {
        e.kind = JOURNAL_STATUS;
        e.status = (enum sandbox_status)status;
        expect_round_trip(&e);
    }
    e.kind = JOURNAL_QUEUED;
    e.position = 7;
    expect_round_trip(&e);
    e.position = 0;
    for (int outcome = 0; outcome < OUTCOME_N; outcome++) {
        e.kind = JOURNAL_DONE;
        e.outcome = (enum outcome)outcome;
        e.duration_ms = outcome;
        expect_round_trip(&e);
    }
    for (int code = 0; code < REASON_N; code++) {
        e.code = (enum reason)code;
        expect_round_trip(&e);
    }
}

static void the_longest_event_fits_a_notification(void **state)
{
    (void)state;
    struct journal_event e = {
        .seq = INT64_MAX, .attempt = UINT32_MAX, .at_ms = 253402300799999, .duration_ms = INT64_MAX};
    memset(e.owner_id, 'o', sizeof(e.owner_id) - 1);
    memset(e.project_id, 'p', sizeof(e.project_id) - 1);
    memset(e.message, '\x01', sizeof(e.message) - 1); /* six bytes each in JSON */
    e.code = REASON_CLUSTER_UNREACHABLE;
    expect_round_trip(&e);
}

static void what_is_not_an_event_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"replica\":\"r\",\"owner\":\"o\",\"project\":\"p\",\"seq\":0,\"kind\":\"status\",\"code\":\"\",\"message\":"
        "\"\"}",
        "{\"replica\":\"r\",\"owner\":\"o\",\"project\":\"p\",\"seq\":1,\"kind\":\"x\",\"code\":\"\",\"message\":\"\"}",
        "{\"replica\":\"r\",\"owner\":\"o\",\"project\":\"p\",\"seq\":1,\"kind\":\"status\",\"code\":\"X\",\"message\":"
        "\"\"}",
        "{\"replica\":\"r\",\"owner\":\"o\",\"seq\":1,\"kind\":\"status\",\"status\":\"NEW\",\"code\":\"\",\"message\":"
        "\"\"}",
        "{\"replica\":\"r\",\"owner\":\"o\",\"project\":\"p\",\"seq\":1,\"kind\":\"status\",\"code\":\"\",\"message\":{"
        "}} {}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arena *a = arena_new();
        struct journal_event event;
        struct str replica;
        struct err err = {0};
        assert_false(store_event_read(a, str_from(texts[i]), &event, &replica, &err));
        assert_int_not_equal(err.kind, ERR_NONE);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_status_outcome_and_code_survives),
        cmocka_unit_test(the_longest_event_fits_a_notification),
        cmocka_unit_test(what_is_not_an_event_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
