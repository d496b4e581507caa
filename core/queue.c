// SPDX-License-Identifier: MIT
/* When to look at the queue. A look that is asked for while one is under way follows it, so none is lost; those asked
 * for within a moment are one. */
#include "core/queue.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"

enum {
    CALL_TIMEOUT_MS = 5000,
    GAP_MS = 20,       /* slots that are freed together are given away together */
    BUSY_MS = 1000,    /* how often it looks while somebody waits */
    AGAIN_MS = 500,    /* after a look that failed */
    USUAL_MS = 60000,  /* how long what was read of the stages' times is used */
    UNKNOWN_MS = 5000, /* when it is read again if nothing was completed yet */
    CLUSTERS_MAX = 64, /* with a limit */
};

struct queue {
    struct queue_config config;
    struct str names[CLUSTERS_MAX]; /* of clusters that have a limit */
    int64_t maxima[CLUSTERS_MAX];
    size_t clusters_n;
    struct loop_timer timer;
    struct op *look;
    struct op *read_usual;
    ms_t looked_at_ms;
    ms_t told_at_ms;
    ms_t usual_ms;
    ms_t usual_until_ms;
    bool must_look; /* asked for while a look was under way */
    unsigned waiting_n;
};

static void set_timer(struct queue *q, ms_t wait_ms)
{
    loop_timer_set(&q->timer, wait_ms > 0 ? wait_ms : 0);
}

static void on_look(void *arg, const struct queue_answer *answer, const struct err *err)
{
    struct queue *q = arg;
    q->look = NULL;
    if (err != NULL) {
        LOG(WARN, "looking at the queue failed", KV("err", err));
        set_timer(q, AGAIN_MS);
    } else {
        q->waiting_n = answer->waiting_n;
        bool is_full = answer->n == q->config.max;
        set_timer(q, q->must_look || is_full ? GAP_MS : q->waiting_n > 0 ? BUSY_MS : q->config.idle_ms);
    }
    q->must_look = false;
    q->config.on_look(q->config.arg, answer, err);
}

static void look(struct queue *q)
{
    const struct port_store *store = q->config.store;
    ms_t now = loop_now_ms(q->config.loop);
    bool is_telling = q->told_at_ms == 0 || now >= q->told_at_ms + BUSY_MS;
    const struct queue_look what = {.max = q->config.max,
                                    .replica_creations_max = q->config.limits.replica_creations_max,
                                    .creations_max = q->config.limits.creations_max,
                                    .clusters = q->names,
                                    .cluster_creations_max = q->maxima,
                                    .clusters_n = q->clusters_n,
                                    .is_telling = is_telling,
                                    .usual_ms = q->usual_ms,
                                    .now_ms = loop_wall_ms(q->config.loop)};
    if (is_telling)
        q->told_at_ms = now;
    q->looked_at_ms = now;
    q->look = store->queue_admit(store->self, &what, CALL_TIMEOUT_MS, on_look, q);
}

/* Without it no time is told. */
static void on_usual(void *arg, const struct stage_usual usual[STAGE_N], const struct err *err)
{
    struct queue *q = arg;
    q->read_usual = NULL;
    if (err == NULL)
        q->usual_ms = queue_creation_ms(usual, q->config.has_overlap);
    if (q->usual_ms == 0)
        q->usual_until_ms = loop_now_ms(q->config.loop) + UNKNOWN_MS;
}

static void maybe_read_usual(struct queue *q)
{
    const struct port_store *store = q->config.store;
    ms_t now = loop_now_ms(q->config.loop);
    bool is_wanted = q->waiting_n > 0 || q->usual_until_ms == 0;
    if (!is_wanted || q->read_usual != NULL || now < q->usual_until_ms)
        return;
    q->usual_until_ms = now + USUAL_MS;
    q->read_usual = store->stage_usual(store->self, CALL_TIMEOUT_MS, on_usual, q);
}

static void on_timer(void *arg)
{
    struct queue *q = arg;
    if (q->look != NULL)
        return;
    if (!q->config.may_look(q->config.arg)) {
        set_timer(q, AGAIN_MS);
        return;
    }
    maybe_read_usual(q);
    look(q);
}

void queue_poke(struct queue *q)
{
    if (q->look != NULL)
        q->must_look = true;
    else
        set_timer(q, q->looked_at_ms + GAP_MS - loop_now_ms(q->config.loop));
}

void queue_slot_freed(struct queue *q)
{
    if (q->waiting_n > 0 || q->look != NULL)
        queue_poke(q);
}

bool queue_restart(struct queue *q)
{
    bool is_dropped = q->look != NULL;
    op_cancel(q->look);
    q->look = NULL;
    q->must_look = false;
    set_timer(q, 0);
    return is_dropped;
}

ms_t queue_looked_ms(const struct queue *q)
{
    return q->looked_at_ms;
}

unsigned queue_waiting_n(const struct queue *q)
{
    return q->waiting_n;
}

ms_t queue_usual_ms(const struct queue *q)
{
    return q->usual_ms;
}

const struct queue_limits *queue_get_limits(const struct queue *q)
{
    return &q->config.limits;
}

static ms_t longer(ms_t a, ms_t b)
{
    return a > b ? a : b;
}

/* The container waits for the database, the terminal for the container; the network is ready with the pod. */
ms_t queue_creation_ms(const struct stage_usual usual[STAGE_N], bool has_overlap)
{
    ms_t sum_ms = 0;
    for (size_t i = 0; i < STAGE_N; i++) {
        if (usual[i].p50_ms < 0)
            return 0;
        sum_ms += usual[i].p50_ms;
    }
    ms_t pod_ms = longer(usual[STAGE_DATABASE].p50_ms, usual[STAGE_CONTAINER].p50_ms) + usual[STAGE_TERMINAL].p50_ms;
    ms_t all_ms = has_overlap ? longer(pod_ms, usual[STAGE_NETWORKING].p50_ms) + usual[STAGE_READY].p50_ms : sum_ms;
    return longer(all_ms, 1);
}

static void find_limits(struct queue *q)
{
    for (size_t i = 0; i < clusters_count(q->config.clusters); i++) {
        const struct cluster *c = clusters_get(q->config.clusters, i);
        if (c->creations_max == 0 || q->clusters_n == CLUSTERS_MAX)
            continue;
        q->names[q->clusters_n] = str_from(c->name);
        q->maxima[q->clusters_n++] = c->creations_max;
    }
}

struct queue *queue_new(const struct queue_config *config)
{
    struct queue *q = xcalloc(1, sizeof(*q));
    q->config = *config;
    find_limits(q);
    loop_timer_init(&q->timer, config->loop, on_timer, q);
    set_timer(q, 0);
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    op_cancel(q->look);
    op_cancel(q->read_usual);
    loop_timer_clear(&q->timer);
    free(q);
}
