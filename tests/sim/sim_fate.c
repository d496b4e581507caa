// SPDX-License-Identifier: MIT
/* What happens in a run: people ask for things, processes die, are stopped, sleep and come back, the store and the
 * cluster go away, clocks are set. */
#include <string.h>

#include "tests/sim/sim_run.h"

enum {
    ACTIONS_N = 20,
    MISLED_PERCENT = 15, /* of the restarts: another configuration, which does not know the cluster */
    STOPS_PERCENT = 30,  /* of the ends of a process: it was asked to */
    STOP_MS = 3000,
    MOVES_PERCENT = 30, /* of the projects, when its process is stopped in order: their owners ask another */
    AWAY_PERCENT = 30,  /* of the ends of a process, while another is there: it stays away for long */
    AWAY_MS = 60000,
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
    struct loop *loop = r->sim.processes[node->i];
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
    node->clusters = clusters_new(loop, &cluster, 1);
    node->bus = bus_new(loop, store);
    const struct reconciler_config reconciler = {.loop = loop,
                                                 .clusters = node->clusters,
                                                 .store = store,
                                                 .bus = node->bus,
                                                 .settings = &r->settings,
                                                 .lease_ms = SIM_LEASE_MS,
                                                 .claim_ms = 2000,
                                                 .claim_n = SIM_PROJECTS_N,
                                                 .is_repairing = r->is_repairing};
    node->reconciler = reconciler_new(&reconciler);
    const struct sandboxes_config sandboxes = {
        .loop = loop,
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
    node->is_stopping = false;
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

/* Does it take requests? */
static bool is_awake(const struct node *node)
{
    const struct sim *s = &node->run->sim;
    return node->is_process_up && loop_now_ms(s->loop) >= s->asleep_until_ms[node->i];
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
    if (is_awake(node))
        (void)sandboxes_request(node->sandboxes, project, desired, NULL, 5000, on_asked, r);
}

static void ask_action(struct run *r, enum action action)
{
    struct node *node = &r->nodes[sim_below(&r->sim, r->nodes_n)];
    const struct project *project = whose(r);
    if (is_awake(node))
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

/* Who listens to a process that stops is told to go elsewhere, and may ask there before that one claims anything. */
static void move_on(const struct node *node)
{
    struct run *r = node->run;
    const struct node *next = &r->nodes[(node->i + 1) % r->nodes_n];
    for (size_t i = 0; next != node && is_awake(next) && i < SIM_PROJECTS_N; i++) {
        if (sim_percent(&r->sim, MOVES_PERCENT))
            (void)sandboxes_request(next->sandboxes, &r->projects[i], DESIRED_RUNNING, NULL, 5000, on_asked, r);
    }
}

static void on_given_back(void *arg)
{
    struct node *node = arg;
    loop_timer_set(&node->crash, 1); /* not from within its own callback */
}

static void on_crash(void *arg)
{
    struct node *node = arg;
    struct run *r = node->run;
    if (node->is_process_up && !r->sim.has_faults && !node->is_stopping)
        return; /* the last process has to heal what the faults left behind: a crash would do it for it */
    bool is_asked = sim_percent(&r->sim, STOPS_PERCENT) || node->is_asked_to_stop;
    node->is_asked_to_stop = false;
    if (node->is_process_up && !node->is_stopping && is_awake(node) && is_asked) {
        node->is_stopping = true;
        reconciler_drain(node->reconciler, STOP_MS, on_given_back, node);
        move_on(node);
        loop_timer_set(&node->crash, sim_between(&r->sim, 1, 2 * STOP_MS));
        return;
    }
    if (node->is_process_up) {
        end_process(node);
        bool is_long = r->nodes_n > 1 && sim_percent(&r->sim, AWAY_PERCENT);
        loop_timer_set(&node->crash, sim_between(&r->sim, 1, is_long ? AWAY_MS : 4000));
        return;
    }
    node->is_misled = r->sim.has_faults && sim_percent(&r->sim, MISLED_PERCENT);
    start_process(node);
    if (r->sim.has_faults)
        loop_timer_set(&node->crash, sim_between(&r->sim, 500, 60000));
}

/* Now it dies, before it hears; or it is asked to stop, and another takes over whose watches may be a moment behind. */
static void on_weak_moment(void *arg, size_t i, enum sim_moment moment)
{
    static const unsigned percents[SIM_MOMENTS_N] = {
        [SIM_STAGE_ENDED] = 3, [SIM_FLOW_ENDED] = 15, [SIM_WORKLOAD_REMADE] = 50};
    struct run *r = arg;
    struct node *node = &r->nodes[i];
    if (!node->is_process_up || !sim_percent(&r->sim, percents[moment]))
        return;
    node->is_asked_to_stop = moment == SIM_STAGE_ENDED;
    loop_timer_set(&node->crash, 0);
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
        loop_timer_set(&node->outage, node->is_out
                                          ? sim_between(&r->sim, 100, is_store ? SIM_STORE_OUTAGE_MS : SIM_OUTAGE_MS)
                                          : sim_between(&r->sim, 5000, 60000));
}

/* A process that sleeps, watches that are silent, clocks that are set. */
static void on_trick(void *arg)
{
    struct node *node = arg;
    struct run *r = node->run;
    struct sim *s = &r->sim;
    if (!s->has_faults)
        return;
    switch (sim_below(s, r->has_clocks_set ? 4 : 2)) {
    case 0:
        s->asleep_until_ms[node->i] = loop_now_ms(s->loop) + sim_between(s, 10, SIM_ASLEEP_MS);
        break;
    case 1:
        sim_cluster_blind(r->cluster, node->i, sim_between(s, 100, SIM_BLIND_MS));
        break;
    case 2:
        s->is_wall_set = true;
        loop_wall_step(s->processes[node->i], sim_between(s, -WALL_STEP_MS, WALL_STEP_MS));
        break;
    default: {
        ms_t by_ms = sim_between(s, -SIM_LEASE_MS, SIM_LEASE_MS);
        /* Forth and back within a renewal is what nobody can find out. */
        if (s->clock_ahead_at_ms > 0 && loop_now_ms(s->loop) < s->clock_ahead_at_ms + SIM_DECEIVED_MS)
            break;
        s->clock_ahead_at_ms = by_ms > 0 ? loop_now_ms(s->loop) : s->clock_ahead_at_ms;
        sim_store_step(r->store, by_ms);
    }
    }
    loop_timer_set(&node->trick, sim_between(s, 5000, 60000));
}

static void on_calm(void *arg)
{
    struct run *r = arg;
    r->sim.has_faults = false;
    memset(r->sim.asleep_until_ms, 0, sizeof(r->sim.asleep_until_ms));
    for (size_t i = 0; i < r->nodes_n; i++) {
        loop_clock_to(r->sim.processes[i], loop_now_ms(r->sim.loop)); /* whoever wakes knows how late it is */
        sim_store_is_down(r->store, i, false);
        sim_cluster_is_down(r->cluster, i, false);
        sim_cluster_blind(r->cluster, i, 0);
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

void sim_fate_wish(struct run *r)
{
    r->sim.wished_at_ms = loop_now_ms(r->sim.loop);
    for (size_t i = 0; i < SIM_PROJECTS_N; i++)
        (void)sandboxes_request(r->nodes[i % r->nodes_n].sandboxes, &r->projects[i], DESIRED_RUNNING, NULL, 5000,
                                on_asked, r);
}

void sim_fate_begin(struct run *r)
{
    struct sim *s = &r->sim;
    r->has_clocks_set = sim_below(s, 4) == 0;
    loop_timer_init(&r->act, s->loop, on_act, r);
    loop_timer_init(&r->calm, s->loop, on_calm, r);
    loop_timer_set(&r->act, 5);
    s->on_weak_moment = on_weak_moment;
    s->on_weak_arg = r;
    for (size_t i = 0; i < r->nodes_n; i++) {
        struct node *node = &r->nodes[i];
        node->run = r;
        node->i = i;
        loop_timer_init(&node->crash, s->loop, on_crash, node);
        loop_timer_init(&node->outage, s->loop, on_outage, node);
        loop_timer_init(&node->trick, s->loop, on_trick, node);
        loop_timer_set(&node->crash, sim_between(s, 500, 90000));
        loop_timer_set(&node->outage, sim_between(s, 1000, 60000));
        loop_timer_set(&node->trick, sim_between(s, 1000, 60000));
        start_process(node);
    }
    loop_timer_set(&r->calm, TROUBLE_MS);
}

void sim_fate_end(struct run *r)
{
    for (size_t i = 0; i < r->nodes_n; i++) {
        if (r->nodes[i].is_process_up)
            stop_process(&r->nodes[i]);
        loop_timer_clear(&r->nodes[i].crash);
        loop_timer_clear(&r->nodes[i].outage);
        loop_timer_clear(&r->nodes[i].trick);
    }
}
