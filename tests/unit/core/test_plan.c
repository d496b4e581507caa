// SPDX-License-Identifier: MIT
/* The plan's table and its checks: every row makes sense, every fact gives the right words. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "core/base/fit.h"
#include "core/checks.h"

/* ---- the table ---- */

static void needs_name_earlier_rows_and_reach_the_end(void **state)
{
    (void)state;
    uint64_t needed = 0;
    for (size_t i = 0; i < STEP_N; i++) {
        assert_true(PLAN[i].needs >> i == 0);
        assert_non_null(PLAN[i].check);
        needed |= PLAN[i].needs;
    }
    /* Whatever nobody waits for would not hold the end back; only the last row of each plan may be so. */
    uint64_t last = AFTER(APP_TIDY) | AFTER(STOP_DB);
    assert_int_equal(needed, ((UINT64_C(1) << STEP_N) - 1) & ~last);
}

static void every_object_is_made_by_exactly_one_row(void **state)
{
    (void)state;
    for (size_t object = 0; object < OBJECT_N; object++) {
        size_t n = 0;
        for (size_t i = 0; i < STEP_CREATE_N; i++)
            n += PLAN[i].object == object;
        assert_int_equal(n, 1);
    }
}

static void every_stage_has_a_row_and_the_database_scope_is_its_objects(void **state)
{
    (void)state;
    unsigned stages = 0;
    for (size_t i = 0; i < STEP_CREATE_N; i++) {
        stages |= PLAN[i].stage < STAGE_N ? 1u << PLAN[i].stage : 0;
        bool is_database = PLAN[i].stage == STAGE_DATABASE;
        assert_int_equal(PLAN[i].scope == SCOPE_DATABASE, is_database);
    }
    assert_int_equal(stages, (1u << STAGE_N) - 1);
}

/* The Cluster need not wait for its rights, nor what needs the database; but its pods use them until it is gone, and
 * nothing is told to be ready before they were applied. */
static void a_database_is_begun_without_its_rights_and_never_outlives_them(void **state)
{
    static const enum step_id rights[] = {STEP_DB_ROLE, STEP_DB_BINDING};
    (void)state;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        uint64_t bit = UINT64_C(1) << rights[i];
        assert_int_equal(PLAN[STEP_DB_CLUSTER].needs & bit, 0);
        assert_int_equal(PLAN[STEP_DB_CREDENTIALS].needs & bit, 0);
        assert_int_equal(PLAN[STEP_ALL_READY].needs & bit, bit);
        assert_true((PLAN[rights[i]].undone_after & AFTER(DB_CLUSTER)) != 0);
    }
}

/* Undo goes from the end: what a row names would otherwise be waited for in vain. */
static void rows_are_undone_after_later_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEP_N; i++)
        assert_int_equal(PLAN[i].undone_after & ((UINT64_C(2) << i) - 1), 0);
}

/* ---- the checks ---- */

struct case_world {
    struct sandbox sb;
    struct observed seen;
    struct world world;
};

static void begin(struct case_world *c)
{
    memset(c, 0, sizeof(*c));
    c->seen.is_synced = true;
    c->seen.is_reachable = true;
    text_fit(c->sb.image, sizeof(c->sb.image), STR("web:1"));
    c->world.sb = &c->sb;
    c->world.seen = &c->seen;
    c->world.must_prove_login = true;
}

static struct verdict verdict_of(enum step_id step, const struct case_world *c)
{
    struct verdict v = {.check = CHECK_WAITING};
    PLAN[step].check(&PLAN[step], &c->world, &v);
    return v;
}

static void before_the_caches_are_there_nothing_is_started(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.is_synced = false;
    c.seen.is_reachable = false;
    for (size_t i = 0; i < STEP_N; i++) {
        struct verdict v = verdict_of((enum step_id)i, &c);
        bool is_of_cluster = i != STEP_DB_CREDENTIALS && i != STEP_DB_LOGIN;
        if (!is_of_cluster)
            continue;
        assert_int_equal(v.check, CHECK_WAITING);
        assert_int_equal(v.code, REASON_CLUSTER_UNREACHABLE);
    }
}

static void an_object_counts_when_it_was_applied_and_is_there(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.objects[OBJECT_WORKLOAD] = PRESENCE_ABSENT;
    assert_int_equal(verdict_of(STEP_APP_DEPLOYED, &c).check, CHECK_MISSING);
    c.seen.objects[OBJECT_WORKLOAD] = PRESENCE_PRESENT;
    assert_int_equal(verdict_of(STEP_APP_DEPLOYED, &c).check, CHECK_MISSING);
    c.world.applied = UINT64_C(1) << OBJECT_WORKLOAD;
    assert_int_equal(verdict_of(STEP_APP_DEPLOYED, &c).check, CHECK_DONE);
    c.seen.objects[OBJECT_WORKLOAD] = PRESENCE_ABSENT;
    assert_int_equal(verdict_of(STEP_APP_DEPLOYED, &c).check, CHECK_MISSING);
    c.seen.objects[OBJECT_WORKLOAD] = PRESENCE_DELETING;
    assert_int_equal(verdict_of(STEP_APP_DEPLOYED, &c).check, CHECK_WAITING);
    c.seen.objects[OBJECT_WORKLOAD] = PRESENCE_FOREIGN;
    struct verdict v = verdict_of(STEP_APP_DEPLOYED, &c);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_int_equal(v.code, REASON_CONFLICT);
}

static void an_unwatched_object_counts_once_applied(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    assert_int_equal(verdict_of(STEP_APP_ENV, &c).check, CHECK_MISSING);
    c.world.applied = UINT64_C(1) << OBJECT_ENV_SECRET;
    assert_int_equal(verdict_of(STEP_APP_ENV, &c).check, CHECK_DONE);
}

static void rights_count_once_applied_or_as_remembered(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.objects[OBJECT_DATABASE] = PRESENCE_PRESENT; /* made by a process that died before the rights were */
    assert_int_equal(verdict_of(STEP_DB_BINDING, &c).check, CHECK_MISSING);
    c.world.has_credentials = true;
    assert_int_equal(verdict_of(STEP_DB_BINDING, &c).check, CHECK_MISSING);
    c.world.has_rights = true;
    assert_int_equal(verdict_of(STEP_DB_BINDING, &c).check, CHECK_DONE);
    c.seen.objects[OBJECT_DATABASE] = PRESENCE_ABSENT; /* of a former database */
    assert_int_equal(verdict_of(STEP_DB_BINDING, &c).check, CHECK_MISSING);
    c.world.applied = UINT64_C(1) << OBJECT_ROLE_BINDING;
    assert_int_equal(verdict_of(STEP_DB_BINDING, &c).check, CHECK_DONE);
}

static void database_phases_speak(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.database.phase = DB_PHASE_CREATING;
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_WAITING);
    c.seen.database.phase = DB_PHASE_RUNNING;
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_DONE);
    c.seen.database.phase = DB_PHASE_FAILED;
    struct verdict v = verdict_of(STEP_DB_RUNNING, &c);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_int_equal(v.code, REASON_DB_CLUSTER_FAILED);
    assert_true(v.grace_ms > 0);
    c.seen.database = (struct observed_database){.is_refused = true, .message = "clusterdefinition not found"};
    v = verdict_of(STEP_DB_RUNNING, &c);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_non_null(strstr(v.message, "clusterdefinition not found"));
    assert_true(v.grace_ms > 0);
    c.seen.database.phase = DB_PHASE_RUNNING; /* made by an older operator, refused by the one of today */
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_DONE);
}

static void a_database_that_does_not_run_says_why_and_is_waited_for(void **state)
{
    static const struct {
        enum db_phase phase;
        const char *words;
        enum reason late;
    } rows[] = {
        {DB_PHASE_NONE,     "take the database up", REASON_NONE             },
        {DB_PHASE_CREATING, "is creating",          REASON_NONE             },
        {DB_PHASE_UPDATING, "is changing",          REASON_NONE             },
        {DB_PHASE_STOPPING, "is starting",          REASON_DB_CLUSTER_FAILED},
        {DB_PHASE_STOPPED,  "is starting",          REASON_DB_CLUSTER_FAILED},
        {DB_PHASE_DELETING, "is gone",              REASON_NONE             },
    };
    (void)state;
    struct case_world c;
    begin(&c);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        c.seen.database.phase = rows[i].phase;
        struct verdict v = verdict_of(STEP_DB_RUNNING, &c);
        assert_int_equal(v.check, CHECK_WAITING);
        assert_int_equal(v.late_code, rows[i].late);
        assert_non_null(strstr(v.message, rows[i].words));
    }
}

/* A pod's facts, and what is said of them. */
static const struct pod_case {
    const char *waiting;
    const char *message;
    int restarts;
    bool is_scheduled, is_unschedulable, is_pulling, is_running;
    enum check check;
    enum reason code;
    const char *words;
} pod_cases[] = {
    {"",                           "",                                                 0, false, false, false, false, CHECK_WAITING, REASON_NONE,       "waiting for a node"       },
    {"",                           "0/3 nodes are available: 3 Insufficient memory.",  0, false, true,  false, false, CHECK_BROKEN,
     REASON_UNSCHEDULABLE,                                                                                                                              "no node has enough memory"},
    {"",                           "0/3 nodes are available: 3 Insufficient cpu.",     0, false, true,  false, false, CHECK_BROKEN,
     REASON_UNSCHEDULABLE,                                                                                                                              "no node has enough CPU"   },
    {"",                           "pod has unbound immediate PersistentVolumeClaims", 0, false, true,  false, false, CHECK_BROKEN,
     REASON_PVC_PENDING,                                                                                                                                "volume"                   },
    {"ContainerCreating",          "",                                                 0, true,  false, true,  false, CHECK_WAITING, REASON_NONE,       "pulling image web:1"      },
    {"ContainerCreating",          "",                                                 0, true,  false, false, false, CHECK_WAITING, REASON_NONE,       "starting the container"   },
    {"ErrImagePull",               "not found",                                        0, true,  false, false, false, CHECK_WAITING, REASON_IMAGE_PULL, "tried again"              },
    {"ImagePullBackOff",           "not found",                                        0, true,  false, false, false, CHECK_BROKEN,  REASON_IMAGE_PULL, "not found"                },
    {"InvalidImageName",           "",                                                 0, true,  false, false, false, CHECK_BROKEN,  REASON_IMAGE_PULL, "cannot be pulled"         },
    {"CrashLoopBackOff",           "",                                                 1, true,  false, false, false, CHECK_WAITING, REASON_CRASH_LOOP, "1 time "                  },
    {"CrashLoopBackOff",           "",                                                 3, true,  false, false, false, CHECK_BROKEN,  REASON_CRASH_LOOP, "3 times"                  },
    {"CreateContainerConfigError", "",                                                 0, true,  false, false, false, CHECK_WAITING, REASON_NONE,
     "waiting for the database"                                                                                                                                                    },
    {"",                           "",                                                 0, true,  false, false, true,  CHECK_DONE,    REASON_NONE,       "runs on node"             },
};

static void a_pod_s_facts_become_plain_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pod_cases) / sizeof(*pod_cases); i++) {
        const struct pod_case *p = &pod_cases[i];
        struct case_world c;
        begin(&c);
        c.seen.pod = (struct observed_pod){.exists = true,
                                           .restarts = p->restarts,
                                           .is_scheduled = p->is_scheduled,
                                           .is_unschedulable = p->is_unschedulable,
                                           .is_pulling = p->is_pulling,
                                           .is_running = p->is_running};
        text_fit(c.seen.pod.waiting_reason, sizeof(c.seen.pod.waiting_reason), str_from(p->waiting));
        text_fit(c.seen.pod.message, sizeof(c.seen.pod.message), str_from(p->message));
        struct verdict v = verdict_of(STEP_APP_RUNNING, &c);
        assert_int_equal(v.check, p->check);
        assert_int_equal(v.code, p->code);
        if (strstr(v.message, p->words) == NULL)
            fail_msg("case %zu says \"%s\", not \"%s\"", i, v.message, p->words);
    }
}

static void a_sleeping_kubelet_is_touched_once_the_environment_is_there(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.pod =
        (struct observed_pod){.exists = true, .is_scheduled = true, .waiting_reason = "CreateContainerConfigError"};
    c.world.applied = UINT64_C(1) << OBJECT_ENV_SECRET;
    assert_int_equal(verdict_of(STEP_APP_RUNNING, &c).check, CHECK_MISSING);
    assert_non_null(PLAN[STEP_APP_RUNNING].start);
}

static void a_refused_pod_is_told_from_the_deployment(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.workload.is_replica_failure = true;
    c.seen.workload.is_quota = true;
    text_fit(c.seen.workload.message, sizeof(c.seen.workload.message),
             STR("pods \"x\" is forbidden: exceeded quota: q, requested: pods=1"));
    struct verdict v = verdict_of(STEP_APP_RUNNING, &c);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_int_equal(v.code, REASON_QUOTA_EXCEEDED);
}

static void a_refusal_from_before_a_retry_is_told_and_does_not_end_it(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.workload = (struct observed_workload){
        .generation = 2, .observed_generation = 1, .is_replica_failure = true, .is_quota = true};
    text_fit(c.seen.workload.message, sizeof(c.seen.workload.message), STR("exceeded quota: q"));
    struct verdict v = verdict_of(STEP_APP_RUNNING, &c);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_int_equal(v.code, REASON_NONE);
    assert_int_equal(v.late_code, REASON_QUOTA_EXCEEDED);
    assert_non_null(strstr(v.message, "exceeded quota: q"));
    c.seen.workload.observed_generation = 2;
    assert_int_equal(verdict_of(STEP_APP_RUNNING, &c).check, CHECK_BROKEN);
    c.seen.workload.observed_generation = 0; /* its controller does not tell */
    assert_int_equal(verdict_of(STEP_APP_RUNNING, &c).check, CHECK_BROKEN);
}

static void ready_compares_generations_and_replicas(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.endpoints_ready_n = 1;
    c.seen.workload = (struct observed_workload){.generation = 3,
                                                 .observed_generation = 3,
                                                 .replicas_wanted = 1,
                                                 .replicas_updated = 1,
                                                 .replicas_available = 1,
                                                 .is_available = true};
    assert_int_equal(verdict_of(STEP_ALL_READY, &c).check, CHECK_DONE);
    c.seen.workload.observed_generation = 2;
    assert_int_equal(verdict_of(STEP_ALL_READY, &c).check, CHECK_WAITING);
    c.seen.workload.observed_generation = 3;
    c.seen.workload.replicas_wanted = 0;
    assert_int_equal(verdict_of(STEP_ALL_READY, &c).check, CHECK_WAITING);
    c.seen.workload.replicas_wanted = 1;
    c.seen.endpoints_ready_n = 0;
    assert_int_equal(verdict_of(STEP_ALL_READY, &c).check, CHECK_WAITING);
}

static void what_earlier_attempts_left_holds_back_only_while_it_is_there(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    assert_int_equal(verdict_of(STEP_APP_TIDY, &c).check, CHECK_MISSING);
    c.world.is_tidy = true;
    assert_int_equal(verdict_of(STEP_APP_TIDY, &c).check, CHECK_DONE);
}

static void a_halted_database_is_told_to_run_and_each_later_attempt_tells_it_again(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.database = (struct observed_database){.phase = DB_PHASE_STOPPED, .is_halted = true};
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_MISSING);
    assert_non_null(PLAN[STEP_DB_RUNNING].start);
    c.world.applied = UINT64_C(1) << OBJECT_DATABASE;
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_MISSING); /* somebody stopped it again */
    c.seen.database = (struct observed_database){.phase = DB_PHASE_RUNNING};
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_DONE);
    c.world.applied = 0;
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_DONE);
    c.sb.attempt = 2;
    assert_int_equal(verdict_of(STEP_DB_RUNNING, &c).check, CHECK_MISSING);
}

static void stopping_is_over_when_nothing_runs_and_nothing_may_come(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.objects[OBJECT_WORKLOAD] = PRESENCE_PRESENT;
    c.seen.workload.replicas_wanted = 1;
    c.seen.pod.exists = true;
    assert_int_equal(verdict_of(STEP_STOP_APP, &c).check, CHECK_MISSING);
    c.world.halted = UINT64_C(1) << OBJECT_WORKLOAD;
    assert_int_equal(verdict_of(STEP_STOP_APP, &c).check, CHECK_MISSING); /* somebody started it again */
    c.seen.workload.replicas_wanted = 0;
    assert_int_equal(verdict_of(STEP_STOP_APP, &c).check, CHECK_WAITING);
    c.seen.pod.is_failed = true;
    assert_int_equal(verdict_of(STEP_STOP_APP, &c).check, CHECK_DONE);
    c.seen.objects[OBJECT_DATABASE] = PRESENCE_ABSENT;
    c.world.doubted = UINT64_C(1) << OBJECT_DATABASE;
    assert_int_equal(verdict_of(STEP_STOP_DB, &c).check, CHECK_WAITING);
    c.world.doubted = 0;
    assert_int_equal(verdict_of(STEP_STOP_DB, &c).check, CHECK_MISSING); /* the cache may be old: the API is asked */
    c.world.halted |= UINT64_C(1) << OBJECT_DATABASE;
    assert_int_equal(verdict_of(STEP_STOP_DB, &c).check, CHECK_DONE);
    c.seen.objects[OBJECT_DATABASE] = PRESENCE_PRESENT;
    c.seen.database = (struct observed_database){.phase = DB_PHASE_RUNNING, .is_halted = true};
    assert_int_equal(verdict_of(STEP_STOP_DB, &c).check, CHECK_WAITING);
    c.seen.database.phase = DB_PHASE_STOPPED;
    assert_int_equal(verdict_of(STEP_STOP_DB, &c).check, CHECK_DONE);
    c.seen.database.is_halted = false;
    assert_int_equal(verdict_of(STEP_STOP_DB, &c).check, CHECK_MISSING);
}

static void a_stateful_set_is_ready_when_its_revisions_agree(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.sb.kinds.workload = WORKLOAD_STATEFULSET;
    c.seen.endpoints_ready_n = 1;
    c.seen.workload = (struct observed_workload){.generation = 2,
                                                 .observed_generation = 2,
                                                 .replicas_wanted = 1,
                                                 .replicas_updated = 1,
                                                 .replicas_available = 1,
                                                 .is_rolling = true,
                                                 .is_available = true};
    struct verdict v = verdict_of(STEP_ALL_READY, &c);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_string_equal(v.message, "waiting for the StatefulSet to be available");
    c.seen.workload.is_rolling = false;
    assert_int_equal(verdict_of(STEP_ALL_READY, &c).check, CHECK_DONE);
    c.seen.workload.replicas_available = 0; /* ready, but not for minReadySeconds yet */
    assert_int_equal(verdict_of(STEP_ALL_READY, &c).check, CHECK_WAITING);
}

static void a_volume_that_is_not_bound_is_waited_for_until_an_event_says_why(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.pod = (struct observed_pod){.exists = true, .is_unschedulable = true};
    text_fit(c.seen.pod.message, sizeof(c.seen.pod.message), STR("unbound immediate PersistentVolumeClaims"));
    c.seen.claim.exists = true;
    struct verdict v = verdict_of(STEP_APP_RUNNING, &c);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_int_equal(v.late_code, REASON_PVC_PENDING);
    text_fit(c.seen.claim.message, sizeof(c.seen.claim.message), STR("storageclass \"x\" not found"));
    v = verdict_of(STEP_APP_RUNNING, &c);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_int_equal(v.code, REASON_PVC_PENDING);
    assert_true(v.grace_ms > 0);
    assert_non_null(strstr(v.message, "storageclass \"x\" not found"));
    c.seen.claim.is_bound = true;
    c.seen.pod.is_unschedulable = false;
    v = verdict_of(STEP_APP_RUNNING, &c);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_int_equal(v.code, REASON_NONE);
}

static void a_pod_of_an_earlier_attempt_does_not_count(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.pod = (struct observed_pod){.exists = true, .is_scheduled = true, .is_running = true};
    assert_int_equal(verdict_of(STEP_APP_RUNNING, &c).check, CHECK_DONE);
    c.seen.pod.is_former = true;
    assert_int_equal(verdict_of(STEP_APP_RUNNING, &c).check, CHECK_WAITING);
}

static void a_former_volume_is_waited_for(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.objects[OBJECT_CLAIM] = PRESENCE_ABSENT;
    assert_int_equal(verdict_of(STEP_APP_VOLUME, &c).check, CHECK_DONE);
    c.seen.objects[OBJECT_CLAIM] = PRESENCE_PRESENT;
    assert_int_equal(verdict_of(STEP_APP_VOLUME, &c).check, CHECK_DONE);
    c.seen.objects[OBJECT_CLAIM] = PRESENCE_DELETING;
    assert_int_equal(verdict_of(STEP_APP_VOLUME, &c).check, CHECK_WAITING);
    c.seen.objects[OBJECT_CLAIM] = PRESENCE_FOREIGN;
    assert_int_equal(verdict_of(STEP_APP_VOLUME, &c).code, REASON_CONFLICT);
    assert_null(PLAN[STEP_APP_VOLUME].start);
}

static void a_route_counts_when_its_gateway_took_it(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.world.applied = UINT64_C(1) << OBJECT_INGRESS_TTY;
    c.seen.objects[OBJECT_INGRESS_TTY] = PRESENCE_PRESENT;
    assert_int_equal(verdict_of(STEP_NET_INGRESS_TTY, &c).check, CHECK_DONE); /* an Ingress: nobody reports */
    c.sb.kinds.route = ROUTE_HTTPROUTE;
    c.seen.route_app.is_accepted = true; /* the other one */
    struct verdict v = verdict_of(STEP_NET_INGRESS_TTY, &c);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_non_null(strstr(v.message, "waiting for its Gateway"));
    c.seen.route_tty.is_refused = true;
    text_fit(c.seen.route_tty.message, sizeof(c.seen.route_tty.message), STR("NotAllowedByListeners: no"));
    c.seen.objects[OBJECT_SERVICE] = PRESENCE_ABSENT;
    assert_int_equal(verdict_of(STEP_NET_INGRESS_TTY, &c).check, CHECK_WAITING);
    c.seen.objects[OBJECT_SERVICE] = PRESENCE_PRESENT;
    v = verdict_of(STEP_NET_INGRESS_TTY, &c);
    assert_int_equal(v.check, CHECK_BROKEN);
    assert_int_equal(v.code, REASON_INVALID);
    assert_non_null(strstr(v.message, "NotAllowedByListeners: no"));
    c.seen.route_tty.is_conflict = true;
    assert_int_equal(verdict_of(STEP_NET_INGRESS_TTY, &c).code, REASON_INGRESS_CONFLICT);
    c.seen.route_tty = (struct observed_route){.is_accepted = true};
    assert_int_equal(verdict_of(STEP_NET_INGRESS_TTY, &c).check, CHECK_DONE);
}

static void a_silent_terminal_is_named_when_its_time_is_over(void **state)
{
    (void)state;
    struct case_world c;
    begin(&c);
    c.seen.pod = (struct observed_pod){.exists = true, .is_running = true};
    struct verdict v = verdict_of(STEP_TTY_LISTENS, &c);
    assert_int_equal(v.check, CHECK_WAITING);
    assert_int_equal(v.code, REASON_NONE);
    assert_int_equal(v.late_code, REASON_TERMINAL_NO_ANSWER);
    c.seen.pod.is_ready = true;
    assert_int_equal(verdict_of(STEP_TTY_LISTENS, &c).check, CHECK_DONE);
}

static void words_have_their_ids_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_N; i++) {
        enum reason reason;
        assert_true(reason_parse(str_from(reason_id((enum reason)i)), &reason));
        assert_int_equal(reason, i);
    }
    enum stage stage;
    assert_true(stage_parse(STR("terminal"), &stage));
    assert_int_equal(stage, STAGE_TERMINAL);
    assert_false(stage_parse(STR("Terminal"), &stage));
    assert_string_equal(stage_title(STAGE_NETWORKING), "Network Configuration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_name_earlier_rows_and_reach_the_end),
        cmocka_unit_test(every_object_is_made_by_exactly_one_row),
        cmocka_unit_test(every_stage_has_a_row_and_the_database_scope_is_its_objects),
        cmocka_unit_test(a_database_is_begun_without_its_rights_and_never_outlives_them),
        cmocka_unit_test(rows_are_undone_after_later_ones),
        cmocka_unit_test(rights_count_once_applied_or_as_remembered),
        cmocka_unit_test(before_the_caches_are_there_nothing_is_started),
        cmocka_unit_test(an_object_counts_when_it_was_applied_and_is_there),
        cmocka_unit_test(an_unwatched_object_counts_once_applied),
        cmocka_unit_test(database_phases_speak),
        cmocka_unit_test(a_database_that_does_not_run_says_why_and_is_waited_for),
        cmocka_unit_test(a_pod_s_facts_become_plain_words),
        cmocka_unit_test(a_sleeping_kubelet_is_touched_once_the_environment_is_there),
        cmocka_unit_test(a_refused_pod_is_told_from_the_deployment),
        cmocka_unit_test(a_refusal_from_before_a_retry_is_told_and_does_not_end_it),
        cmocka_unit_test(ready_compares_generations_and_replicas),
        cmocka_unit_test(what_earlier_attempts_left_holds_back_only_while_it_is_there),
        cmocka_unit_test(a_halted_database_is_told_to_run_and_each_later_attempt_tells_it_again),
        cmocka_unit_test(stopping_is_over_when_nothing_runs_and_nothing_may_come),
        cmocka_unit_test(a_stateful_set_is_ready_when_its_revisions_agree),
        cmocka_unit_test(a_volume_that_is_not_bound_is_waited_for_until_an_event_says_why),
        cmocka_unit_test(a_pod_of_an_earlier_attempt_does_not_count),
        cmocka_unit_test(a_former_volume_is_waited_for),
        cmocka_unit_test(a_route_counts_when_its_gateway_took_it),
        cmocka_unit_test(a_silent_terminal_is_named_when_its_time_is_over),
        cmocka_unit_test(words_have_their_ids_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
