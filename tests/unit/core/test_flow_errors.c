// SPDX-License-Identifier: MIT
/* What the cluster's errors mean for a step. */
#include "tests/unit/cmocka_all.h"

#include "core/base/fit.h"
#include "core/flow_errors.h"

static struct err err_of(enum err_kind kind, int code, unsigned retry_after_s)
{
    struct err err = {0};
    (void)err_set(&err, kind, __func__, "no");
    err.code = code;
    err.retry_after_s = retry_after_s;
    return err;
}

static void an_api_that_is_busy_or_away_refuses_nothing(void **state)
{
    (void)state;
    static const struct {
        enum err_kind kind;
        int code;
    } rows[] = {
        {ERR_LIMIT,     429},
        {ERR_NOT_READY, 503},
        {ERR_TIMEOUT,   504},
        {ERR_UPSTREAM,  7  },
        {ERR_TIMEOUT,   28 }
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err err = err_of(rows[i].kind, rows[i].code, 0);
        assert_false(flow_error_is_refusal(&err));
        assert_false(flow_error_is_final(&err));
        assert_int_equal(flow_error_reason(&err, OBJECT_WORKLOAD), REASON_CLUSTER_UNREACHABLE);
    }
}

static void what_the_api_says_no_to_is_refused(void **state)
{
    (void)state;
    struct err err = err_of(ERR_UPSTREAM, 500, 0); /* a webhook that fails: it may work again, but not for ever */
    assert_true(flow_error_is_refusal(&err));
    assert_false(flow_error_is_final(&err));
    err = err_of(ERR_CONFLICT, 409, 0);
    assert_true(flow_error_is_refusal(&err));
    assert_false(flow_error_is_final(&err));
    assert_int_equal(flow_error_reason(&err, OBJECT_INGRESS_APP), REASON_INGRESS_CONFLICT);
    text_fit(err.reason, sizeof(err.reason), STR("Foreign"));
    assert_true(flow_error_is_final(&err));
    err = err_of(ERR_INVALID, 422, 0);
    assert_true(flow_error_is_final(&err));
    assert_int_equal(flow_error_reason(&err, OBJECT_WORKLOAD), REASON_INVALID);
}

static void it_is_left_alone_for_as_long_as_it_asks_within_reason(void **state)
{
    (void)state;
    struct err err = err_of(ERR_LIMIT, 429, 0);
    assert_int_equal(flow_error_wait_ms(&err, 250), 250);
    err.retry_after_s = 2;
    assert_int_equal(flow_error_wait_ms(&err, 250), 2000);
    assert_int_equal(flow_error_wait_ms(&err, 9000), 9000);
    err.retry_after_s = 3600;
    assert_int_equal(flow_error_wait_ms(&err, 250), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_api_that_is_busy_or_away_refuses_nothing),
        cmocka_unit_test(what_the_api_says_no_to_is_refused),
        cmocka_unit_test(it_is_left_alone_for_as_long_as_it_asks_within_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
