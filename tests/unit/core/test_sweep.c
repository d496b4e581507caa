// SPDX-License-Identifier: MIT
/* The sweep's judgement: rows and objects in, one verdict each out. */
#include "tests/unit/cmocka_all.h"

#include "core/names.h"
#include "core/sweep.h"

#define HOUR_MS INT64_C(3600000)
#define NOW_MS  (1700000000000 + 100 * HOUR_MS)
#define SHOP    "shop-agentruntime-abc123"
#define FORMER  "shop-agentruntime-zzz999"
#define DB      "shop-agentruntime-db0001"

/* An orphan whose grace is over, unless a case says otherwise. */
static struct surveyed object_of(enum survey_kind kind)
{
    bool is_of_database = kind == SURVEY_DATABASE || kind >= SURVEY_SERVICE_ACCOUNT;
    return (struct surveyed){.kind = kind,
                             .name = STR("x"),
                             .base = is_of_database ? STR(DB) : STR(SHOP),
                             .is_of_database = is_of_database,
                             .project_id = STR("p1"),
                             .uid = STR("u1"),
                             .made_ms = NOW_MS - 48 * HOUR_MS,
                             .is_managed = true};
}

static struct sweep_row no_row(void)
{
    return (struct sweep_row){.is_ours = true, .first_seen_ms = NOW_MS - 30 * HOUR_MS};
}

static struct sweep_row row_of(enum sandbox_status status, const char *name, const char *database)
{
    struct sweep_row row = no_row();
    row.has_row = true;
    row.is_settled = true;
    row.status = status;
    row.name = str_from(name);
    row.database_name = str_from(database);
    return row;
}

static enum sweep_verdict judge(const struct surveyed *object, const struct sweep_row *row)
{
    return sweep_judge(object, row, false, 24 * HOUR_MS, NOW_MS);
}

struct row_case {
    enum sandbox_status status;
    bool is_settled;
    const char *name;
    const char *database;
    enum sweep_verdict deployment; /* of the object SHOP */
    enum sweep_verdict role;       /* of the object DB */
};

static void a_row_needs_its_own_names_and_no_others(void **state)
{
    (void)state;
    static const struct row_case cases[] = {
        {SANDBOX_RUNNING,     true,  SHOP,   DB,  SWEEP_KNOWN, SWEEP_KNOWN},
        {SANDBOX_STOPPED,     true,  SHOP,   DB,  SWEEP_KNOWN, SWEEP_KNOWN},
        {SANDBOX_ERROR,       true,  SHOP,   DB,  SWEEP_KNOWN, SWEEP_KNOWN}, /* kept for a retry */
        {SANDBOX_CREATING,    false, SHOP,   DB,  SWEEP_KNOWN, SWEEP_KNOWN},
        {SANDBOX_TERMINATING, false, SHOP,   DB,  SWEEP_KNOWN, SWEEP_KNOWN}, /* whoever removes it is at it */
        {SANDBOX_TERMINATED,  false, SHOP,   DB,  SWEEP_KNOWN, SWEEP_KNOWN},
        {SANDBOX_TERMINATED,  true,  SHOP,   DB,  SWEEP_DUE,   SWEEP_KNOWN}, /* the database is kept */
        {SANDBOX_RUNNING,     true,  FORMER, DB,  SWEEP_DUE,   SWEEP_KNOWN},
        {SANDBOX_RUNNING,     true,  SHOP,   "d", SWEEP_KNOWN, SWEEP_DUE  },
        {SANDBOX_RUNNING,     true,  "",     "",  SWEEP_DUE,   SWEEP_DUE  },
    };
    struct surveyed deployment = object_of(SURVEY_DEPLOYMENT);
    struct surveyed role = object_of(SURVEY_ROLE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sweep_row row = row_of(cases[i].status, cases[i].name, cases[i].database);
        row.is_settled = cases[i].is_settled;
        assert_int_equal(judge(&deployment, &row), cases[i].deployment);
        assert_int_equal(judge(&role, &row), cases[i].role);
    }
}

static void without_a_row_a_kind_decides(void **state)
{
    (void)state;
    struct sweep_row row = no_row();
    for (enum survey_kind kind = 0; kind < SURVEY_N; kind++) {
        struct surveyed object = object_of(kind);
        bool is_right = kind >= SURVEY_SERVICE_ACCOUNT;
        bool is_data = kind == SURVEY_DATABASE || kind == SURVEY_CLAIM;
        assert_int_equal(judge(&object, &row), is_data ? SWEEP_DATA : SWEEP_DUE);
        assert_int_equal(sweep_judge(&object, &row, true, 24 * HOUR_MS, NOW_MS), is_data    ? SWEEP_DATA
                                                                                 : is_right ? SWEEP_ATTACHED
                                                                                            : SWEEP_DUE);
        object.is_deleting = true;
        assert_int_equal(judge(&object, &row), SWEEP_GOING);
    }
}

static void whatever_is_not_surely_ours_is_never_due(void **state)
{
    (void)state;
    struct sweep_row row = no_row();
    for (enum survey_kind kind = 0; kind < SURVEY_N; kind++) {
        struct surveyed object = object_of(kind);
        object.is_managed = false;
        assert_int_equal(judge(&object, &row), SWEEP_FOREIGN);
        object = object_of(kind);
        object.project_id = STR_NONE;
        assert_int_equal(judge(&object, &row), SWEEP_FOREIGN);
        object = object_of(kind);
        row.is_ours = false;
        assert_int_equal(judge(&object, &row), SWEEP_STRANGER);
        row.is_ours = true;
        static const char *const bases[] = {
            NULL, "", "shop", "shop-agentruntime-abc12", "shop-agentruntime-ABC123", "-agentruntime-abc123"};
        for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
            object.base = str_from(bases[i]);
            assert_int_equal(judge(&object, &row), SWEEP_UNNAMED);
        }
    }
}

struct grace_case {
    int64_t made_h, seen_h; /* hours ago; -1: not known */
    ms_t grace_ms;
    enum sweep_verdict want;
};

static void the_grace_is_counted_from_the_first_sight_and_from_the_creation(void **state)
{
    (void)state;
    static const struct grace_case cases[] = {
        {48, 30, 24 * HOUR_MS, SWEEP_DUE    },
        {48, 24, 24 * HOUR_MS, SWEEP_DUE    },
        {48, 23, 24 * HOUR_MS, SWEEP_WAITING},
        {48, -1, 24 * HOUR_MS, SWEEP_WAITING}, /* seen for the first time */
        {23, 30, 24 * HOUR_MS, SWEEP_WAITING}, /* the clocks disagree */
        {-1, 30, 24 * HOUR_MS, SWEEP_WAITING}, /* no creationTimestamp */
        {0,  -1, 0,            SWEEP_DUE    }, /* an operator's word */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct surveyed object = object_of(SURVEY_SERVICE);
        struct sweep_row row = no_row();
        object.made_ms = cases[i].made_h < 0 ? -1 : NOW_MS - cases[i].made_h * HOUR_MS;
        row.first_seen_ms = cases[i].seen_h < 0 ? -1 : NOW_MS - cases[i].seen_h * HOUR_MS;
        assert_int_equal(sweep_judge(&object, &row, false, cases[i].grace_ms, NOW_MS), cases[i].want);
    }
}

static void a_settled_row_claims_what_its_status_says(void **state)
{
    (void)state;
    static const struct {
        struct sweep_claim claim;
        bool database, workload;
    } cases[] = {
        {{SANDBOX_RUNNING, false},    true,  true },
        {{SANDBOX_STOPPED, true},     true,  true },
        {{SANDBOX_ERROR, false},      false, false}, /* it may have failed before there was one */
        {{SANDBOX_ERROR, true},       true,  false},
        {{SANDBOX_TERMINATED, true},  true,  false},
        {{SANDBOX_TERMINATED, false}, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(sweep_needs_database(&cases[i].claim), cases[i].database);
        assert_int_equal(sweep_needs_workload(&cases[i].claim), cases[i].workload);
    }
}

static void a_drawn_name_is_told_from_others(void **state)
{
    (void)state;
    const struct names_settings settings = {.namespace_name = "ns", .domain = "example.org", .image = "i"};
    static const char *const projects[] = {"shop", "x", "A-agentruntime-b", "12345678901234567890123"};
    for (size_t i = 0; i < sizeof(projects) / sizeof(projects[0]); i++) {
        struct sandbox sb = {0};
        names_draw(&sb, str_from(projects[i]), &settings, 0);
        assert_true(names_is_drawn(str_from(sb.name)));
        assert_true(names_is_drawn(str_from(sb.database_name)));
    }
    assert_false(names_is_drawn(STR("kube-root-ca.crt")));
    assert_false(names_is_drawn(STR("shop-agentruntime-abc123-service")));
}

static void verdicts_have_ids_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < SWEEP_VERDICT_N; i++) {
        enum sweep_verdict back = SWEEP_VERDICT_N;
        assert_true(sweep_verdict_parse(str_from(sweep_verdict_id((enum sweep_verdict)i)), &back));
        assert_int_equal(back, i);
    }
    enum sweep_verdict ignored;
    assert_false(sweep_verdict_parse(STR("no"), &ignored));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_needs_its_own_names_and_no_others),
        cmocka_unit_test(without_a_row_a_kind_decides),
        cmocka_unit_test(whatever_is_not_surely_ours_is_never_due),
        cmocka_unit_test(the_grace_is_counted_from_the_first_sight_and_from_the_creation),
        cmocka_unit_test(a_settled_row_claims_what_its_status_says),
        cmocka_unit_test(a_drawn_name_is_told_from_others),
        cmocka_unit_test(verdicts_have_ids_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
