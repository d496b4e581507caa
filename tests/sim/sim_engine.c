// SPDX-License-Identifier: MIT
/* Runs the engine through seeds: sim_engine [FIRST_SEED [N [FAILURES]]]. A person asks for sandboxes, cancels, deletes
 * and retries at random; the process dies and comes back; PostgreSQL and the API go away for a while. Then the faults
 * stop, and what was promised must hold. Prints the seed and the promise that broke. */
#include <string.h>

#include "core/base/codec.h"
#include "core/base/fit.h"
#include "core/base/log.h"
#include "tests/sim/sim_run.h"

enum {
    /* When the row has to say so at the latest: every turn, back-off, doubt and patience is over. */
    TELL_MS = 140 * 1000,
    TURNS_PER_MS_MAX = 20000,
    FAILURES_N = 10,
    PATIENCE_MS = 30000,
    SKEW_MS = 2000, /* of the processes' wall clocks */
    IDLE_MS = 5000, /* how long a slot may stay free while somebody waits: two looks */
};
#define START_WALL_MS INT64_C(1760000000000)

static unsigned drifts_told;
/* A word that a slot is free may be lost with the process that had it, but not for long. */
static void check_slots(struct run *r)
{
    if (!r->sim.has_faults && sim_store_idle_ms(r->store) > IDLE_MS)
        sim_violated(&r->sim, "somebody waits beside a free slot since %lld ms",
                     (long long)sim_store_idle_ms(r->store));
}

static bool is_all_settled(const struct run *r)
{
    if (loop_now_ms(r->sim.loop) < r->hold_until_ms)
        return false;
    for (size_t i = 0; i < SIM_PROJECTS_N; i++) {
        const struct sandbox *sb = sim_store_row(r->store, r->projects[i].id);
        if (sb != NULL && !sb->is_settled)
            return false;
        if (!sim_drift_is_over(r->cluster, sb, r->is_repairing))
            return false;
    }
    return sim_cluster_is_quiet(r->cluster) && sim_check_readers(r);
}

/* Looks every ten simulated seconds whether all has ended; in some runs everything is then asked for once more. */
static void on_stop(void *arg)
{
    struct run *r = arg;
    bool is_late = loop_now_ms(r->sim.loop) > r->sim.calm_at_ms + CALM_MS;
    check_slots(r);
    bool is_calm = !r->sim.has_faults && is_all_settled(r);
    if (is_calm && r->has_wish) {
        r->has_wish = false;
        sim_fate_wish(r);
    } else if (is_calm || is_late) {
        r->is_over = true;
    }
    if (!r->is_over)
        loop_timer_set(&r->stop, 10000);
}

static void on_tell(void *arg)
{
    sim_check_told(arg);
}

/* ---- the clocks ---- */

static ms_t next_of(const struct run *r, size_t i)
{
    ms_t next_ms = loop_next_ms(r->sim.processes[i]);
    return next_ms < r->sim.asleep_until_ms[i] ? r->sim.asleep_until_ms[i] : next_ms;
}

/* The world and the processes, each by its own loop, at one moment after the other. Who comes first is chance. */
static void run_moment(struct run *r, ms_t at_ms)
{
    struct sim *s = &r->sim;
    size_t first = sim_below(s, SIM_NODES_N + 1);
    loop_clock_to(s->loop, at_ms);
    for (size_t i = 0; i < SIM_NODES_N; i++) {
        if (at_ms >= s->asleep_until_ms[i])
            loop_clock_to(s->processes[i], at_ms);
    }
    for (size_t k = 0; k <= SIM_NODES_N; k++) {
        size_t i = (first + k) % (SIM_NODES_N + 1);
        if (i == SIM_NODES_N && loop_next_ms(s->loop) <= at_ms)
            (void)loop_turn(s->loop);
        else if (i < SIM_NODES_N && next_of(r, i) <= at_ms)
            (void)loop_turn(s->processes[i]);
    }
}

static void run_all(struct run *r)
{
    struct sim *s = &r->sim;
    ms_t now_ms = 0;
    unsigned turns_n = 0;
    while (!r->is_over) {
        ms_t at_ms = loop_next_ms(s->loop);
        for (size_t i = 0; i < SIM_NODES_N; i++)
            at_ms = next_of(r, i) < at_ms ? next_of(r, i) : at_ms;
        turns_n = at_ms > now_ms ? 0 : turns_n + 1;
        now_ms = at_ms > now_ms ? at_ms : now_ms;
        if (turns_n > TURNS_PER_MS_MAX) {
            sim_violated(s, "time stands still: it turns round and round");
            return;
        }
        run_moment(r, now_ms);
    }
}

/* ---- one seed ---- */

static void set_up(struct run *r, uint64_t seed)
{
    memset(r, 0, sizeof(*r));
    r->sim.seed = seed;
    r->sim.chance = seed * 0x2545F4914F6CDD1Du + 1;
    r->sim.has_faults = true;
    sim_begins(&r->sim);
    r->sim.loop = loop_new_simulated(START_WALL_MS);
    r->sim.calm_at_ms = loop_now_ms(r->sim.loop) + TROUBLE_MS;
    for (size_t i = 0; i < SIM_NODES_N; i++)
        r->sim.processes[i] = loop_new_simulated(START_WALL_MS + sim_between(&r->sim, -SKEW_MS, SKEW_MS));
    r->store = sim_store_new(&r->sim);
    r->sim.store = r->store;
    r->cluster = sim_cluster_new(&r->sim);
    r->sim.cluster = r->cluster;
    for (size_t i = 0; i < DEADLINE_N; i++)
        r->settings.deadlines_ms[i] = deadline_default_ms((enum deadline)i);
    /* Longer than all outages together: then only the engine can be the reason when such a step fails. */
    static const enum deadline patient[] = {DEADLINE_APPLY, DEADLINE_CREDENTIALS, DEADLINE_ENDPOINT, DEADLINE_READY};
    for (size_t i = 0; i < sizeof(patient) / sizeof(*patient); i++)
        r->settings.deadlines_ms[patient[i]] = TROUBLE_MS + PATIENCE_MS;
    r->settings.call_timeout_ms = SIM_CALL_MS;
    r->settings.late_ms = 20000;
    r->settings.has_overlap = sim_below(&r->sim, 4) != 0;
    r->settings.must_prove_login = sim_below(&r->sim, 4) != 0;
    r->is_repairing = sim_below(&r->sim, 4) != 0;
    for (size_t i = 0; i < SIM_PROJECTS_N; i++) {
        text_fitf(r->projects[i].id, ID_SIZE, "project-%zu", i);
        text_fitf(r->projects[i].owner_id, ID_SIZE, "owner");
        text_fitf(r->projects[i].cluster, CLUSTER_NAME_SIZE, "sim");
        text_fitf(r->projects[i].name, PROJECT_NAME_SIZE, "My project %zu", i);
        sim_store_add_project(r->store, "owner", r->projects[i].id);
    }
    loop_timer_init(&r->stop, r->sim.loop, on_stop, r);
    r->nodes_n = 1 + sim_below(&r->sim, SIM_NODES_N);
    r->has_wish = sim_below(&r->sim, 3) == 0;
    sim_fate_begin(r);
    loop_timer_init(&r->tell, r->sim.loop, on_tell, r);
    loop_timer_set(&r->tell, TROUBLE_MS + TELL_MS);
    r->hold = (enum sim_hold)(sim_below(&r->sim, 2) * (1 + sim_below(&r->sim, 2)));
    r->held_object = (enum cluster_object)sim_below(&r->sim, OBJECT_N);
    if (r->hold == SIM_HOLD_FINALIZER && !sim_cluster_shows(r->cluster, r->held_object))
        r->held_object = OBJECT_DATABASE; /* of what is not watched nobody knows that it is still there */
    r->hold_until_ms = r->hold != SIM_HOLD_NONE ? loop_now_ms(r->sim.loop) + TROUBLE_MS + HOLD_MS : 0;
    static const unsigned slots[] = {0, 1, 1, 2};
    sim_store_set_slots(r->store, slots[sim_below(&r->sim, sizeof(slots) / sizeof(*slots))]);
    sim_cluster_hold(r->cluster, r->hold, r->held_object, r->hold_until_ms);
    loop_timer_set(&r->stop, TROUBLE_MS + 10000);
}

static bool run_seed(uint64_t seed, unsigned *outcomes)
{
    static struct run r;
    set_up(&r, seed);
    run_all(&r);
    sim_check(&r);
    size_t n;
    const struct journal_event *journal = sim_store_journal(r.store, &n);
    for (size_t i = 0; i < n; i++) {
        if (journal[i].kind == JOURNAL_DONE)
            outcomes[journal[i].outcome]++;
        drifts_told += journal[i].kind == JOURNAL_STATUS && journal[i].status == SANDBOX_ERROR;
    }
    if (r.sim.is_failed)
        printf("seed %llu: %s\n  repeat: sim_engine %llu 1\n", (unsigned long long)seed, r.sim.why,
               (unsigned long long)seed);
    sim_fate_end(&r);
    sim_cluster_free(r.cluster);
    bool is_ok = !r.sim.is_failed;
    sim_store_free(r.store);
    for (size_t i = 0; i < SIM_NODES_N; i++)
        loop_free(r.sim.processes[i]);
    loop_free(r.sim.loop);
    sim_begins(NULL);
    return is_ok;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000;
    struct err err = {0};
    sim_owns_randomness();
    if (!codec_init(&err))
        return 2;
    (void)codec_hash("", 0); /* draws its key now: every seed must find the same world */
    bool is_loud = getenv("SIM_LOG") != NULL;
    log_init(2, LOG_FORMAT_LOGFMT, is_loud ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    uint64_t failures_max = argc > 3 ? strtoull(argv[3], NULL, 10) : FAILURES_N;
    uint64_t failed = 0;
    unsigned outcomes[OUTCOME_N] = {0};
    for (uint64_t seed = first; seed < first + n && failed < failures_max; seed++)
        failed += !run_seed(seed, outcomes);
    for (size_t i = 1; i < OUTCOME_N; i++)
        printf("%s %u  ", outcome_id((enum outcome)i), outcomes[i]);
    printf("held back %u  drifted %u", sim_check_told_n(), drifts_told);
    if ((sim_check_told_n() == 0 || drifts_told == 0) && n >= 1000)
        failed++;
    printf("\n%llu passed, %llu failed\n", (unsigned long long)(n - failed), (unsigned long long)failed);
    return failed == 0 ? 0 : 1;
}
