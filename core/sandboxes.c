// SPDX-License-Identifier: MIT
/* Requests for sandboxes, and what is true of one right now. */
#include "core/sandboxes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

struct sandboxes {
    struct sandboxes_config config;
    LIST_HEAD(, ask) asks; /* under way, also those whose client is gone */
};

/* When a write without an answer has either taken effect or never will. */
enum { UNCERTAIN_MS = 10000 };

/* One request under way. */
struct ask {
    struct op op;
    struct sandboxes *owner;
    LIST_ENTRY(ask) link;
    struct op *write;       /* NULL: refused here, told by the task */
    struct loop_timer poke; /* looks whether a write without an answer took effect */
    struct loop_task refuse;
    struct err refusal;
    struct sandbox names;
    char project_id[ID_SIZE];
    char owner_id[ID_SIZE];
    store_on_request *done;
    void *arg;
};

static void free_ask(void *p)
{
    free(p);
}

static void finish(struct ask *ask)
{
    loop_task_clear(&ask->refuse);
    loop_timer_clear(&ask->poke);
    LIST_REMOVE(ask, link);
    loop_defer_free(ask->owner->config.loop, ask, free_ask);
}

static void cancel(struct op *op)
{
    struct ask *ask = (struct ask *)op;
    ask->done = NULL;
    /* A request that is being written goes on without its client: the row must not stay without a flow. */
    if (ask->write == NULL)
        finish(ask);
}

static void on_poke(void *arg)
{
    struct ask *ask = arg;
    reconciler_poke(ask->owner->config.reconciler, ask->project_id);
    queue_poke(reconciler_queue(ask->owner->config.reconciler));
    bus_hint(ask->owner->config.bus, ask->owner_id);
    finish(ask);
}

static void on_refuse(void *arg)
{
    struct ask *ask = arg;
    ask->done(ask->arg, REQUEST_REFUSED, NULL, NULL, 0, &ask->refusal);
    finish(ask);
}

static void wake(struct reconciler *r, const struct sandbox *sb)
{
    if (sandbox_waits(sb)) {
        queue_poke(reconciler_queue(r));
        return;
    }
    reconciler_poke(r, sb->project_id);
    if (sb->desired != DESIRED_RUNNING) /* what was being created needs its slot no more */
        queue_slot_freed(reconciler_queue(r));
}

static void on_written(void *arg, enum request_result result, const struct sandbox *sb,
                       const struct journal_event *events, size_t n_events, const struct err *err)
{
    struct ask *ask = arg;
    const struct sandboxes_config *config = &ask->owner->config;
    ask->write = NULL;
    for (size_t i = 0; err == NULL && i < n_events; i++) {
        config->store->journal_publish(config->store->self, &events[i]);
        bus_publish(config->bus, &events[i]);
    }
    if (err == NULL && sb != NULL) {
        config->store->status_drop(config->store->self, sb->owner_id, sb->project_id);
        if (result == REQUEST_STARTED) {
            LOG(INFO, "sandbox requested", KV("project", sb->project_id), KV("sandbox", sb->name),
                KV("cluster", sb->cluster), KV("desired", desired_id(sb->desired)), KV("attempt", sb->attempt));
            wake(config->reconciler, sb);
        }
    }
    if (ask->done != NULL)
        ask->done(ask->arg, result, sb, events, n_events, err);
    if (err != NULL && err_retryable(err->kind) && err->kind != ERR_CONFLICT && err->kind != ERR_LIMIT)
        loop_timer_set(&ask->poke, UNCERTAIN_MS);
    else
        finish(ask);
}

static bool check_env(const struct env_list *env, struct err *reterr)
{
    if (env != NULL && env->n > SANDBOX_ENV_MAX_N)
        return err_set_field(reterr, ERR_INVALID, __func__, "/envVars", "at most %d variables", SANDBOX_ENV_MAX_N);
    for (size_t i = 0; env != NULL && i < env->n; i++) {
        char field[sizeof(reterr->field)];
        text_fitf(field, sizeof(field), "/envVars/%.*s", STR_ARG(env->vars[i].key));
        if (!names_check_env_key(env->vars[i].key, field, reterr) ||
            !names_check_env_value(env->vars[i].value, field, reterr))
            return false;
    }
    return true;
}

/* What is there may be removed, or wait for its cluster; nothing new is begun where nobody leads. */
static const struct cluster *find_cluster(const struct sandboxes *s, const struct project *project,
                                          enum desired desired, struct err *reterr)
{
    const struct cluster *cluster = clusters_find(s->config.clusters, str_from(project->cluster));
    if (cluster != NULL || desired != DESIRED_RUNNING)
        return cluster != NULL ? cluster : clusters_get(s->config.clusters, 0);
    err_set(reterr, ERR_CONFLICT, __func__, "cluster %s is not in this server's configuration", project->cluster);
    (void)!str_copy(STR("ClusterUnknown"), reterr->reason, sizeof(reterr->reason));
    return NULL;
}

static struct ask *ask_new(struct sandboxes *s, const struct project *project, store_on_request *done, void *arg)
{
    struct ask *ask = xcalloc(1, sizeof(*ask));
    ask->op.cancel = cancel;
    ask->owner = s;
    LIST_INSERT_HEAD(&s->asks, ask, link);
    ask->done = done;
    ask->arg = arg;
    loop_task_init(&ask->refuse, s->config.loop, on_refuse, ask);
    loop_timer_init(&ask->poke, s->config.loop, on_poke, ask);
    memcpy(ask->project_id, project->id, sizeof(ask->project_id));
    memcpy(ask->owner_id, project->owner_id, sizeof(ask->owner_id));
    return ask;
}

static void fill_limits(const struct sandboxes *s, const struct cluster *cluster, struct request_limits *ret)
{
    const struct queue *queue = reconciler_queue(s->config.reconciler);
    const struct queue_limits *limits = queue_get_limits(queue);
    *ret = (struct request_limits){.user_sandboxes_max = s->config.user_sandboxes_max,
                                   .cluster_sandboxes_max = cluster->sandboxes_max,
                                   .cluster_creations_max = cluster->creations_max,
                                   .replica_creations_max = limits->replica_creations_max,
                                   .creations_max = limits->creations_max,
                                   .waiting_max = limits->waiting_max,
                                   .usual_ms = queue_usual_ms(queue)};
}

/* Writes the request, or refuses it here. */
static void send_ask(struct ask *ask, const struct project *project, struct sandbox_request *request, ms_t timeout_ms)
{
    const struct sandboxes_config *config = &ask->owner->config;
    const struct cluster *cluster = find_cluster(ask->owner, project, request->desired, &ask->refusal);
    if (cluster == NULL || !check_env(request->env, &ask->refusal)) {
        loop_defer(&ask->refuse);
        return;
    }
    request->owner_id = project->owner_id;
    request->project_id = project->id;
    request->now_ms = loop_wall_ms(config->loop);
    request->names = &ask->names;
    fill_limits(ask->owner, cluster, &request->limits);
    names_draw(&ask->names, str_from(project->name), &cluster->names, request->now_ms);
    memcpy(ask->names.cluster, project->cluster, sizeof(ask->names.cluster));
    ask->write = config->store->sandbox_request(config->store->self, request, timeout_ms, on_written, ask);
}

struct op *sandboxes_request(struct sandboxes *s, const struct project *project, enum desired desired,
                             const struct env_list *env, ms_t timeout_ms, store_on_request *done, void *arg)
{
    struct ask *ask = ask_new(s, project, done, arg);
    struct sandbox_request request = {.desired = desired, .env = env};
    send_ask(ask, project, &request, timeout_ms);
    return &ask->op;
}

struct op *sandboxes_act(struct sandboxes *s, const struct project *project, enum action action, ms_t timeout_ms,
                         store_on_request *done, void *arg)
{
    struct ask *ask = ask_new(s, project, done, arg);
    struct sandbox_request request = {
        .desired = action_desired(action), .states = action_states(action), .is_again = action == ACTION_RESTART};
    send_ask(ask, project, &request, timeout_ms);
    return &ask->op;
}

static void write_url(const struct cluster *cluster, const char *host, char ret[SANDBOX_URL_SIZE])
{
    if (cluster->url_port > 0)
        text_fitf(ret, SANDBOX_URL_SIZE, "%s://%s:%d", cluster->url_scheme, host, cluster->url_port);
    else
        text_fitf(ret, SANDBOX_URL_SIZE, "%s://%s", cluster->url_scheme, host);
}

void sandboxes_urls(const struct sandboxes *s, const struct sandbox *sb, char ret_app[SANDBOX_URL_SIZE],
                    char ret_tty[SANDBOX_URL_SIZE])
{
    const struct cluster *cluster = clusters_find(s->config.clusters, str_from(sb->cluster));
    if (cluster == NULL)
        cluster = clusters_get(s->config.clusters, 0);
    write_url(cluster, sb->app_host, ret_app);
    write_url(cluster, sb->tty_host, ret_tty);
}

void sandboxes_live(const struct sandboxes *s, const struct sandbox *sb, struct live_status *ret)
{
    ret->status = sb->status;
    ret->code = sb->code;
    memcpy(ret->message, sb->message, sizeof(ret->message));
    if (reconciler_shows_drift(s->config.reconciler, sb, &ret->code, ret->message))
        ret->status = SANDBOX_ERROR;
}

struct sandboxes *sandboxes_new(const struct sandboxes_config *config)
{
    struct sandboxes *s = xcalloc(1, sizeof(*s));
    s->config = *config;
    LIST_INIT(&s->asks);
    return s;
}

void sandboxes_free(struct sandboxes *s)
{
    if (s == NULL)
        return;
    while (!LIST_EMPTY(&s->asks)) {
        struct ask *ask = LIST_FIRST(&s->asks);
        op_cancel(ask->write);
        finish(ask);
    }
    free(s);
}
