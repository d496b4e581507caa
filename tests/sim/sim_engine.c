// SPDX-License-Identifier: MIT
/* Runs the engine through seeds: sim_engine [FIRST_SEED [N]]. A person asks for sandboxes, cancels, deletes and retries
 * at random; the process dies and comes back; PostgreSQL and the API go away for a while. Then the faults stop, and
 * what was promised must hold. Prints the seed and the promise that broke. */
#include <string.h>

#include "core/base/codec.h"
#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/sandboxes.h"
#include "tests/sim/sim.h"

enum {
    TROUBLE_MS = 120 * 1000, /* how long things go wrong */
    CALM_MS = 2400 * 1000,   /* how long the engine has to end everything after it: above the sum of the deadlines */
    HOLD_MS = 150 * 1000,    /* how long after the trouble something may still not be removed */
    TELL_MS =
        140 * 1000, /* when the row has to say so at the latest: every turn, back-off, doubt and patience is over */
    ACTIONS_N = 20,
    MISLED_PERCENT = 15, /* of the restarts: another configuration, which does not know the cluster */
    READER_SEEN_N = SIM_JOURNAL_N,
};

struct run;

static unsigned drifts_told;
static unsigned
    holds_told; /* how often an undo was seen that could not go on: a simulation without any proves nothing */

/* One replica: its process comes and goes. */
struct node {
    struct run *run;
    size_t i;
    struct clusters *clusters;
    struct bus *bus;
    struct reconciler *reconciler;
    struct sandboxes *sandboxes;
    struct bus_reader *reader;
    uint64_t seen_seq; /* of the reader, over restarts of the process */
    bool is_process_up;
    bool is_misled; /* its configuration does not know the cluster of the projects */
    bool is_out;
    struct loop_timer crash;
    struct loop_timer outage;
};

struct run {
    struct sim sim;
    struct sim_cluster *cluster;
    struct sim_store *store;
    struct flow_settings settings;
    bool is_repairing;
    struct node nodes[SIM_NODES_N];
    size_t nodes_n; /* that run in this seed */
    unsigned actions_n;
    size_t asked; /* the project of the last request: whoever changes his mind does so about the same one */
    struct project projects[SIM_PROJECTS_N];
    struct loop_timer act;
    enum sim_hold hold;
    enum cluster_object held_object;
    ms_t hold_until_ms;
    struct loop_timer calm;
    struct loop_timer tell;
    struct loop_timer stop;
};

/* ---- the process ---- */

static void on_seen(void *arg, const struct journal_event *event)
{
    struct node *node = arg;
    if (event->seq != node->seen_seq + 1)
        sim_violated(&node->run->sim, "the reader saw %llu after %llu", (unsigned long long)event->seq,
                     (unsigned long long)node->seen_seq);
    node->seen_seq = event->seq;
}

static void start_process(struct node *node)
{
    struct run *r = node->run;
    const struct port_store *store = sim_store_port(r->store, node->i);
    /* What new sandboxes are made of may change with each start; those that are there stay what they are. */
    const struct sandbox_kinds kinds = {.workload = (enum workload_kind)sim_below(&r->sim, WORKLOAD_N),
                                        .route = (enum route_kind)sim_below(&r->sim, ROUTE_N)};
    const struct cluster cluster = {
        .name = node->is_misled ? "elsewhere" : "sim",
        .former_names = "",
        .port = sim_cluster_port(r->cluster, node->i),
        .names = {"ns", "example.com", "image", kinds},
        .url_scheme = "https",
    };
    node->clusters = clusters_new(r->sim.loop, &cluster, 1);
    node->bus = bus_new(r->sim.loop, store);
    const struct reconciler_config reconciler = {.loop = r->sim.loop,
                                                 .cluster = clusters_port(node->clusters),
                                                 .store = store,
                                                 .bus = node->bus,
                                                 .settings = &r->settings,
                                                 .lease_ms = 9000,
                                                 .claim_ms = 2000,
                                                 .claim_n = SIM_PROJECTS_N,
                                                 .is_repairing = r->is_repairing};
    node->reconciler = reconciler_new(&reconciler);
    const struct sandboxes_config sandboxes = {
        .loop = r->sim.loop,
        .clusters = node->clusters,
        .store = store,
        .bus = node->bus,
        .reconciler = node->reconciler,
    };
    node->sandboxes = sandboxes_new(&sandboxes);
    const struct bus_query query = {.owner_id = "owner", .after = node->seen_seq};
    const struct bus_listener listener = {.on_event = on_seen, .arg = node};
    node->reader = bus_read(node->bus, &query, &listener);
    node->is_process_up = true;
}

static void stop_process(struct node *node)
{
    bus_reader_free(node->reader);
    sandboxes_free(node->sandboxes);
    reconciler_free(node->reconciler);
    bus_free(node->bus);
    clusters_free(node->clusters);
    node->is_process_up = false;
}

/* ---- what happens to it ---- */

static void on_asked(void *arg, enum request_result result, const struct sandbox *sb,
                     const struct journal_event *events, size_t n_events, const struct err *err)
{
    (void)arg;
    (void)result;
    (void)sb;
    (void)events;
    (void)n_events;
    (void)err;
}

static const struct project *whose(struct run *r)
{
    if (!sim_percent(&r->sim, 50))
        r->asked = sim_below(&r->sim, SIM_PROJECTS_N);
    return &r->projects[r->asked];
}

static void ask(struct run *r, enum desired desired)
{
    struct node *node = &r->nodes[sim_below(&r->sim, r->nodes_n)];
    const struct project *project = whose(r);
    if (node->is_process_up)
        (void)sandboxes_request(node->sandboxes, project, desired, NULL, 5000, on_asked, r);
}

static void ask_action(struct run *r, enum action action)
{
    struct node *node = &r->nodes[sim_below(&r->sim, r->nodes_n)];
    const struct project *project = whose(r);
    if (node->is_process_up)
        (void)sandboxes_act(node->sandboxes, project, action, 5000, on_asked, r);
}

static void on_act(void *arg)
{
    struct run *r = arg;
    static const enum desired kinds[] = {DESIRED_RUNNING,    DESIRED_RUNNING,    DESIRED_RUNNING, DESIRED_RUNNING,
                                         DESIRED_TERMINATED, DESIRED_TERMINATED, DESIRED_DELETED, DESIRED_DETACHED};
    if (!r->sim.has_faults || r->actions_n++ >= ACTIONS_N)
        return;
    if (r->actions_n > 2 && sim_percent(&r->sim, 45))
        ask_action(r, (enum action)sim_below(&r->sim, ACTION_DELETE));
    else
        ask(r, r->actions_n <= 2 ? DESIRED_RUNNING : kinds[sim_below(&r->sim, sizeof(kinds) / sizeof(*kinds))]);
    loop_timer_set(&r->act, sim_between(&r->sim, 10, sim_percent(&r->sim, 40) ? 1500 : 25000));
}

static void end_process(struct node *node)
{
    stop_process(node);
    sim_cluster_forget_all(node->run->cluster, node->i);
    sim_store_new_replica(node->run->store, node->i);
}

static void on_crash(void *arg)
{
    struct node *node = arg;
    struct run *r = node->run;
    if (node->is_process_up && !r->sim.has_faults)
        return; /* the last process has to heal what the faults left behind: a crash would do it for it */
    if (node->is_process_up) {
        end_process(node);
        loop_timer_set(&node->crash, sim_between(&r->sim, 1, 4000));
        return;
    }
    node->is_misled = r->sim.has_faults && sim_percent(&r->sim, MISLED_PERCENT);
    start_process(node);
    if (r->sim.has_faults)
        loop_timer_set(&node->crash, sim_between(&r->sim, 500, 60000));
}

/* This process, and only it, loses sight of the store or the cluster: long enough to lose its lease as well. */
static void on_outage(void *arg)
{
    struct node *node = arg;
    struct run *r = node->run;
    node->is_out = !node->is_out && r->sim.has_faults;
    bool is_store = sim_percent(&r->sim, 50);
    sim_store_is_down(r->store, node->i, node->is_out && is_store);
    sim_cluster_is_down(r->cluster, node->i, node->is_out && !is_store);
    if (r->sim.has_faults)
        loop_timer_set(&node->outage,
                       node->is_out ? sim_between(&r->sim, 100, 20000) : sim_between(&r->sim, 5000, 60000));
}

static void on_calm(void *arg)
{
    struct run *r = arg;
    r->sim.has_faults = false;
    for (size_t i = 0; i < r->nodes_n; i++) {
        sim_store_is_down(r->store, i, false);
        sim_cluster_is_down(r->cluster, i, false);
        if (!r->nodes[i].is_misled)
            continue;
        /* Somebody mended the configuration. */
        r->nodes[i].is_misled = false;
        if (r->nodes[i].is_process_up) {
            end_process(&r->nodes[i]);
            start_process(&r->nodes[i]);
        }
    }
}

static enum reason last_told(const struct run *r, const char *project_id)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    enum reason code = REASON_NONE;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(journal[i].project_id, project_id) == 0)
            code = journal[i].kind == JOURNAL_STATUS ? journal[i].code : REASON_NONE;
    }
    return code;
}

/* An undo that cannot go on says why, in the row and to whoever reads the stream. */
static void on_tell(void *arg)
{
    struct run *r = arg;
    enum reason wanted = r->hold == SIM_HOLD_DENIED ? REASON_FORBIDDEN : REASON_FINALIZER;
    for (size_t i = 0; i < SIM_PROJECTS_N; i++) {
        const char *id = r->projects[i].id;
        const struct sandbox *sb = sim_store_row(r->store, id);
        bool is_undoing = sb != NULL && !sb->is_settled && sb->status == SANDBOX_TERMINATING;
        bool is_in_scope = r->held_object > OBJECT_DATABASE || (sb != NULL && sb->desired == DESIRED_DELETED);
        if (!is_undoing || !is_in_scope || !sim_cluster_is_held(r->cluster, id))
            continue;
        holds_told++;
        if (sb->code != wanted || last_told(r, id) != wanted)
            sim_violated(&r->sim, "%s stays TERMINATING and says %s, its stream %s, and not %s", id,
                         reason_id(sb->code), reason_id(last_told(r, id)), reason_id(wanted));
    }
}

static bool are_readers_there(const struct run *r)
{
    size_t n;
    (void)sim_store_journal(r->store, &n);
    for (size_t i = 0; i < r->nodes_n; i++) {
        if (!r->nodes[i].is_process_up || r->nodes[i].seen_seq != n)
            return false;
    }
    return true;
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
    return sim_cluster_is_quiet(r->cluster) && are_readers_there(r);
}

/* Looks every ten simulated seconds whether all has ended; twice in a row is the end. */
static void on_stop(void *arg)
{
    struct run *r = arg;
    bool is_late = loop_now_ms(r->sim.loop) > TROUBLE_MS + CALM_MS;
    if (!r->sim.has_faults && is_all_settled(r))
        loop_stop(r->sim.loop);
    else if (is_late)
        loop_stop(r->sim.loop);
    else
        loop_timer_set(&r->stop, 10000);
}

/* ---- what was promised ---- */

static void check_ended(struct run *r, const char *project_id, const struct sandbox *sb)
{
    if (sb != NULL && !sb->is_settled)
        sim_violated(&r->sim, "%s attempt %u never ended (desired %s, status %s)", project_id, sb->attempt,
                     desired_id(sb->desired), sandbox_status_row(sb->status));
}

static void check_objects(struct run *r, const char *project_id, const struct sandbox *sb)
{
    bool is_running = sb != NULL && sb->status == SANDBOX_RUNNING;
    bool is_stopped = sb != NULL && sb->status == SANDBOX_STOPPED;
    bool may_have_sandbox = is_running || is_stopped || (sb != NULL && sb->status == SANDBOX_ERROR);
    for (enum cluster_object i = OBJECT_DATABASE; i <= OBJECT_WORKLOAD; i++) {
        bool runs = sim_cluster_runs(r->cluster, project_id, i);
        if ((is_running && !runs) || (is_stopped && runs))
            sim_violated(&r->sim, "%s is %s and its object %d %s", project_id, sandbox_status_row(sb->status), (int)i,
                         runs ? "runs" : "does not run");
    }
    for (size_t i = 0; i < OBJECT_N; i++) {
        bool exists = sim_cluster_exists(r->cluster, project_id, (enum cluster_object)i);
        if (is_running && !exists && sandbox_has_object(sb, (enum cluster_object)i))
            sim_violated(&r->sim, "%s is RUNNING without object %zu", project_id, i);
        if (i > OBJECT_DATABASE && exists && !may_have_sandbox)
            sim_violated(&r->sim, "%s left object %zu behind", project_id, i);
    }
}

static void check_deleted(struct run *r, const char *project_id)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    bool is_deleted = false;
    for (size_t i = 0; i < n; i++) {
        bool is_end = journal[i].kind == JOURNAL_DONE && strcmp(journal[i].project_id, project_id) == 0 &&
                      journal[i].outcome == OUTCOME_DELETED;
        is_deleted = is_deleted || (is_end && strstr(journal[i].message, "kept") == NULL);
    }
    for (size_t i = 0; is_deleted && i <= OBJECT_DATABASE; i++) {
        if (sim_cluster_exists(r->cluster, project_id, (enum cluster_object)i))
            sim_violated(&r->sim, "%s was deleted and left object %zu behind", project_id, i);
    }
}

/* What ended has told so with its last row, and as the row says. */
static void check_end_told(struct run *r, const char *project_id, const struct sandbox *sb)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    const struct journal_event *last = NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(journal[i].project_id, project_id) == 0)
            last = &journal[i];
    }
    if (last == NULL)
        return;
    enum outcome outcome = last->kind == JOURNAL_DONE ? last->outcome : OUTCOME_NONE;
    static const unsigned told_by[SANDBOX_STATUS_N] = {
        [SANDBOX_RUNNING] = 1u << OUTCOME_READY,
        [SANDBOX_STOPPED] = 1u << OUTCOME_STOPPED,
        [SANDBOX_ERROR] = 1u << OUTCOME_FAILED,
        [SANDBOX_TERMINATED] = 1u << OUTCOME_TERMINATED | 1u << OUTCOME_CANCELLED,
    };
    bool is_drift = sb != NULL && sb->status == SANDBOX_ERROR && sb->drift_ms > 0 && last->kind == JOURNAL_STATUS;
    if (is_drift && last->status == SANDBOX_ERROR)
        return;
    bool is_told = ((sb == NULL ? 1u << OUTCOME_DELETED : told_by[sb->status]) >> outcome & 1) != 0;
    if (!is_told)
        sim_violated(&r->sim, "%s is %s, its last row says %s", project_id,
                     sb != NULL ? sandbox_status_row(sb->status) : "gone", outcome_id(outcome));
    if (sb != NULL && sb->status == SANDBOX_RUNNING && !sim_store_has_credentials(r->store, project_id))
        sim_violated(&r->sim, "%s is RUNNING and its credentials were not stored", project_id);
}

/* Outages are shorter than deadlines: where nothing is wrong with pod and database, none may end an attempt. */
static void check_failure(struct run *r, const struct journal_event *e)
{
    bool is_late = e->code == REASON_DEADLINE || e->code == REASON_CLUSTER_UNREACHABLE;
    if (e->outcome == OUTCOME_FAILED && is_late && sim_cluster_was_good(r->cluster, e->project_id))
        sim_violated(&r->sim, "%s attempt %u failed without a cause: %s", e->project_id, e->attempt, e->message);
}

static bool is_creation_end(const struct journal_event *e)
{
    return e->outcome == OUTCOME_READY || e->outcome == OUTCOME_FAILED || e->outcome == OUTCOME_CANCELLED;
}

/* An end leaves no stage in progress, and READY comes after five completed ones. */
static void check_stages_at_end(struct run *r, const struct journal_event *end, const enum stage_status *stages)
{
    for (size_t k = 0; k < STAGE_N; k++) {
        bool is_open = stages[k] == STAGE_STATUS_IN_PROGRESS;
        if (is_open || (end->outcome == OUTCOME_READY && stages[k] != STAGE_STATUS_COMPLETED))
            sim_violated(&r->sim, "%s ended %s while stage %s is %s", end->project_id, outcome_id(end->outcome),
                         stage_id((enum stage)k), stage_status_id(stages[k]));
    }
}

/* Of each attempt: a stage is told as it goes, READY only after five completed stages, one end of a creation. */
static void check_journal(struct run *r, const char *project_id)
{
    size_t n;
    const struct journal_event *journal = sim_store_journal(r->store, &n);
    enum stage_status stages[STAGE_N] = {0};
    unsigned attempt = 0;
    unsigned creations_ended = 0;
    bool is_stop = false;
    bool is_reopened = false; /* it had ended and drifted: there is one more end to come */
    for (size_t i = 0; i < n; i++) {
        const struct journal_event *e = &journal[i];
        if (strcmp(e->project_id, project_id) != 0)
            continue;
        if (e->attempt != attempt) {
            memset(stages, 0, sizeof(stages));
            attempt = e->attempt;
            creations_ended = 0;
            is_reopened = false;
        }
        if (e->kind == JOURNAL_STAGE)
            stages[e->stage] = e->stage_status;
        is_stop = e->kind == JOURNAL_STATUS ? e->status == SANDBOX_STOPPING : is_stop;
        is_reopened = is_reopened || (e->kind == JOURNAL_STATUS && e->status == SANDBOX_ERROR);
        if (e->kind != JOURNAL_DONE)
            continue;
        /* A stop also ends a start that it broke off, and may itself fail. */
        if (is_stop ? creations_ended == 0 : is_creation_end(e) && !is_reopened)
            creations_ended++;
        is_reopened = false;
        check_failure(r, e);
        if (e->outcome == OUTCOME_TERMINATED && creations_ended == 0)
            sim_violated(&r->sim, "%s attempt %u was terminated without having ended", project_id, attempt);
        if (creations_ended > 1)
            sim_violated(&r->sim, "%s attempt %u ended twice", project_id, attempt);
        check_stages_at_end(r, e, stages);
    }
}

static void check(struct run *r)
{
    for (size_t i = 0; i < SIM_PROJECTS_N; i++) {
        const char *id = r->projects[i].id;
        const struct sandbox *sb = sim_store_row(r->store, id);
        check_ended(r, id, sb);
        check_objects(r, id, sb);
        check_deleted(r, id);
        check_end_told(r, id, sb);
        check_journal(r, id);
        sim_drift_check(&r->sim, r->cluster, id, r->is_repairing);
    }
    if (!are_readers_there(r))
        sim_violated(&r->sim, "a reader did not see every row");
}

/* ---- one seed ---- */

static void set_up(struct run *r, uint64_t seed)
{
    memset(r, 0, sizeof(*r));
    r->sim.seed = seed;
    r->sim.chance = seed * 0x2545F4914F6CDD1Du + 1;
    r->sim.has_faults = true;
    r->sim.loop = loop_new_simulated(1760000000000);
    r->store = sim_store_new(&r->sim);
    r->sim.store = r->store;
    r->cluster = sim_cluster_new(&r->sim);
    for (size_t i = 0; i < DEADLINE_N; i++)
        r->settings.deadlines_ms[i] = deadline_default_ms((enum deadline)i);
    /* Longer than all outages together: then only the engine can be the reason when such a step fails. */
    r->settings.deadlines_ms[DEADLINE_APPLY] = TROUBLE_MS;
    r->settings.deadlines_ms[DEADLINE_CREDENTIALS] = TROUBLE_MS;
    r->settings.call_timeout_ms = 10000;
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
    loop_timer_init(&r->act, r->sim.loop, on_act, r);
    loop_timer_init(&r->calm, r->sim.loop, on_calm, r);
    loop_timer_init(&r->stop, r->sim.loop, on_stop, r);
    loop_timer_set(&r->act, 5);
    r->nodes_n = 1 + sim_below(&r->sim, SIM_NODES_N);
    for (size_t i = 0; i < r->nodes_n; i++) {
        struct node *node = &r->nodes[i];
        node->run = r;
        node->i = i;
        loop_timer_init(&node->crash, r->sim.loop, on_crash, node);
        loop_timer_init(&node->outage, r->sim.loop, on_outage, node);
        loop_timer_set(&node->crash, sim_between(&r->sim, 500, 90000));
        loop_timer_set(&node->outage, sim_between(&r->sim, 1000, 60000));
        start_process(node);
    }
    loop_timer_set(&r->calm, TROUBLE_MS);
    loop_timer_init(&r->tell, r->sim.loop, on_tell, r);
    loop_timer_set(&r->tell, TROUBLE_MS + TELL_MS);
    r->hold = (enum sim_hold)(sim_below(&r->sim, 2) * (1 + sim_below(&r->sim, 2)));
    r->held_object = (enum cluster_object)sim_below(&r->sim, OBJECT_N);
    if (r->hold == SIM_HOLD_FINALIZER && !sim_cluster_shows(r->held_object))
        r->held_object = OBJECT_DATABASE; /* of what is not watched nobody knows that it is still there */
    r->hold_until_ms = r->hold != SIM_HOLD_NONE ? loop_now_ms(r->sim.loop) + TROUBLE_MS + HOLD_MS : 0;
    sim_cluster_hold(r->cluster, r->hold, r->held_object, r->hold_until_ms);
    loop_timer_set(&r->stop, TROUBLE_MS + 10000);
}

static bool run_seed(uint64_t seed, unsigned *outcomes)
{
    static struct run r;
    set_up(&r, seed);
    loop_run(r.sim.loop);
    check(&r);
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
    for (size_t i = 0; i < r.nodes_n; i++) {
        if (r.nodes[i].is_process_up)
            stop_process(&r.nodes[i]);
        loop_timer_clear(&r.nodes[i].crash);
        loop_timer_clear(&r.nodes[i].outage);
    }
    sim_cluster_free(r.cluster);
    bool is_ok = !r.sim.is_failed;
    sim_store_free(r.store);
    loop_free(r.sim.loop);
    return is_ok;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000;
    struct err err = {0};
    if (!codec_init(&err))
        return 2;
    bool is_loud = getenv("SIM_LOG") != NULL;
    log_init(2, LOG_FORMAT_LOGFMT, is_loud ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    uint64_t failed = 0;
    unsigned outcomes[OUTCOME_N] = {0};
    for (uint64_t seed = first; seed < first + n && failed < 10; seed++)
        failed += !run_seed(seed, outcomes);
    for (size_t i = 1; i < OUTCOME_N; i++)
        printf("%s %u  ", outcome_id((enum outcome)i), outcomes[i]);
    printf("held back %u  drifted %u", holds_told, drifts_told);
    if ((holds_told == 0 || drifts_told == 0) && n >= 1000)
        failed++;
    printf("\n%llu passed, %llu failed\n", (unsigned long long)(n - failed), (unsigned long long)failed);
    return failed == 0 ? 0 : 1;
}
