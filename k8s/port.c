// SPDX-License-Identifier: MIT
/* Puts the parts together: the watch of Clusters follows the discovery of KubeBlocks, that of Events what they are
 * about; the functions of the port. */
#include "k8s/port.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "k8s/account.h"
#include "k8s/act.h"
#include "k8s/cache.h"
#include "k8s/discovery.h"
#include "k8s/kubeblocks.h"
#include "k8s/sight.h"
#include "k8s/survey.h"
#include "k8s/watch.h"

struct k8s_port {
    struct port_cluster port;
    struct loop *loop;
    struct kube *kube;
    struct cache *cache;
    const struct k8s_profile *profile;
    char *namespace_name;
    struct watch *watches[KIND_WATCHED_N];
    bool is_asked[KIND_WATCHED_N]; /* some sandbox is made of it: to be watched, when that is possible */
    bool is_reviewed;              /* watches may begin */
    struct loop_task more;         /* start the watches that were asked for */
    struct account *account;
    struct discovery *discovery;
    cluster_on_change *on_change;
    void *on_change_arg;
    struct survey_of survey_of;
    struct port_survey survey;
};

/* ---- watches ---- */

/* A 403 says that our rights are not what they were. */
static void on_break(void *arg)
{
    struct k8s_port *p = arg;
    for (size_t i = 0; i < KIND_WATCHED_N; i++) {
        if (p->watches[i] != NULL && watch_refusal(p->watches[i]) != NULL)
            account_doubt(p->account);
    }
}

/* Its end is the first sign of another version of KubeBlocks. */
static void on_clusters_break(void *arg)
{
    struct k8s_port *p = arg;
    discovery_ask(p->discovery);
    on_break(p);
}

/* Nobody could tell what had become of that kind: everybody looks. */
static void on_calm(void *arg)
{
    cache_touch_all(((struct k8s_port *)arg)->cache);
}

static void start_watch(struct k8s_port *p, enum kube_kind kind, const char *version)
{
    struct watch_options options = {.kube = p->kube,
                                    .cache = p->cache,
                                    .kind = kind,
                                    .version = version,
                                    .namespace_name = p->namespace_name,
                                    .on_break = kind == KIND_CLUSTER ? on_clusters_break : on_break,
                                    .on_calm = on_calm,
                                    .arg = p};
    if (p->watches[kind] == NULL)
        p->watches[kind] = watch_new(&options);
    watch_start(p->watches[kind]);
}

/* Events name objects which are known by what makes them: those come first, and the pods, so that of two of one name
 * the living one is known. */
static void maybe_start_events(struct k8s_port *p)
{
    static const enum kube_kind first[] = {KIND_DEPLOYMENT, KIND_STATEFULSET, KIND_CLUSTER, KIND_POD};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        if (p->is_asked[first[i]] && !cache_is_synced(p->cache, first[i]))
            return;
    }
    for (enum kube_kind kind = KIND_CACHED_N; kind < KIND_WATCHED_N; kind++) {
        if (p->is_asked[kind] && p->watches[kind] == NULL && sight_may_watch(account_held(p->account), kind))
            start_watch(p, kind, NULL);
    }
}

/* Starts what was asked for and is not there yet: everything after the review, later what a row from another time
 * needs. */
static void start_asked(void *arg)
{
    struct k8s_port *p = arg;
    for (enum kube_kind kind = 0; kind < KIND_CACHED_N && p->is_reviewed; kind++) {
        if (!p->is_asked[kind] || p->watches[kind] != NULL || kind == KIND_CLUSTER)
            continue;
        if (sight_is_spared(kind) && !sight_may_watch(account_held(p->account), kind))
            cache_list_unseen(p->cache, kind);
        else
            start_watch(p, kind, NULL);
    }
    if (p->is_reviewed)
        maybe_start_events(p);
}

/* A kind is watched once there is a sandbox that may be made of it. */
static void ask_for(struct k8s_port *p, const struct sandbox_kinds *kinds)
{
    for (enum kube_kind kind = 0; kind < KIND_WATCHED_N; kind++) {
        if (p->is_asked[kind] || !kube_is_used(kube_kind_row(kind)->use, kinds))
            continue;
        p->is_asked[kind] = true;
        loop_defer(&p->more);
    }
}

static void on_cache_change(void *arg, struct str project_id)
{
    struct k8s_port *p = arg;
    if (str_is_none(project_id))
        maybe_start_events(p);
    if (p->on_change != NULL)
        p->on_change(p->on_change_arg, project_id);
}

static void on_reachable(void *arg)
{
    struct k8s_port *p = arg;
    LOG(INFO, "kubernetes api", KV("cluster", kube_cluster(p->kube)), KV("is_reachable", kube_is_reachable(p->kube)));
    for (size_t i = 0; i < KIND_WATCHED_N; i++) {
        if (kube_is_reachable(p->kube) && p->watches[i] != NULL)
            watch_hurry(p->watches[i]);
    }
    if (kube_is_reachable(p->kube) && p->is_reviewed)
        discovery_ask(p->discovery); /* it may have been upgraded meanwhile */
    cache_touch_all(p->cache);
}

/* ---- KubeBlocks ---- */

/* What was made in another version is listed in the new one just as well. */
static void on_dialect(void *arg)
{
    struct k8s_port *p = arg;
    const struct kubeblocks_dialect *dialect = discovery_dialect(p->discovery);
    watch_free(p->watches[KIND_CLUSTER]);
    p->watches[KIND_CLUSTER] = NULL;
    if (dialect == NULL) {
        LOG(WARN, "kubeblocks is not installed", KV("cluster", kube_cluster(p->kube)),
            KV("group", kube_kind_row(KIND_CLUSTER)->group));
        cache_list_none(p->cache, KIND_CLUSTER);
        return;
    }
    LOG(INFO, "kubeblocks found", KV("cluster", kube_cluster(p->kube)), KV("version", dialect->version));
    start_watch(p, KIND_CLUSTER, dialect->version);
}

/* ---- what we may do ---- */

static void start_all(struct k8s_port *p)
{
    p->is_reviewed = true;
    start_asked(p);
    discovery_ask(p->discovery);
}

static void stop_watch(struct k8s_port *p, enum kube_kind kind)
{
    watch_free(p->watches[kind]);
    p->watches[kind] = NULL;
    if (kind < KIND_CACHED_N)
        cache_list_unseen(p->cache, kind);
}

/* What may be seen is another set than before. */
static void follow_rights(struct k8s_port *p)
{
    for (size_t i = 0; i < KIND_WATCHED_N; i++) {
        enum kube_kind kind = (enum kube_kind)i;
        bool may = sight_may_watch(account_held(p->account), kind);
        if (p->watches[i] != NULL && !may && sight_is_spared(kind))
            stop_watch(p, kind);
        else if (p->watches[i] != NULL && may && watch_refusal(p->watches[i]) != NULL)
            watch_hurry(p->watches[i]);
    }
    start_asked(p);
    cache_touch_all(p->cache);
}

static void on_rights(void *arg)
{
    struct k8s_port *p = arg;
    if (p->is_reviewed)
        follow_rights(p);
    else
        start_all(p);
}

/* ---- the port's functions ---- */

/* Whoever looks needs to see: a right that was given meanwhile is found out by that. */
static void observe_refusal(struct k8s_port *p, const struct sandbox *sb, struct observed *ret)
{
    enum kube_kind kind;
    const struct err *refusal = sight_find_hindrance(p->watches, &sb->kinds, watch_refusal, &kind);
    if (refusal == NULL)
        return;
    account_doubt(p->account);
    if (kube_is_settled(p->kube))
        text_fit(ret->refused, sizeof ret->refused, str_from(refusal->msg));
}

/* What cannot be seen any more may have changed, though the API answers everything else. */
static void observe_trouble(const struct k8s_port *p, const struct sandbox *sb, struct observed *ret)
{
    enum kube_kind kind;
    const struct err *trouble = sight_find_hindrance(p->watches, &sb->kinds, watch_trouble, &kind);
    if (trouble == NULL || !ret->is_reachable)
        return;
    ret->is_reachable = false;
    text_fitf(ret->unread, sizeof ret->unread, "%s cannot be watched: %s", kube_kind_row(kind)->plural, trouble->msg);
}

static void port_observe(void *self, const struct sandbox *sb, struct observed *ret)
{
    struct k8s_port *p = self;
    ask_for(p, &sb->kinds); /* it may be made of other kinds than new ones are */
    cache_observe(p->cache, sb, ret);
    ret->is_reachable = !kube_is_away(p->kube);
    observe_trouble(p, sb, ret);
    ret->is_blind = discovery_dialect(p->discovery) == NULL;
    if (!p->profile->is_acceptance_needed) {
        ret->route_app.is_accepted = !ret->route_app.is_refused;
        ret->route_tty.is_accepted = !ret->route_tty.is_refused;
    }
    observe_refusal(p, sb, ret);
    /* Without a sight of EndpointSlices the pod has to speak for them: the endpoint follows its readiness. */
    if (p->watches[KIND_ENDPOINT_SLICE] == NULL && ret->objects[OBJECT_SERVICE] == PRESENCE_PRESENT) {
        ret->endpoints_n = ret->pod.is_running;
        ret->endpoints_ready_n = ret->pod.is_ready;
    }
}

/* Something is to be done, and what is lacking may have been given meanwhile. */
static void wish_for_rights(struct k8s_port *p)
{
    if (account_lacks(p->account))
        account_doubt(p->account);
}

/* What every act on an object has in common. */
static struct act_request request(struct k8s_port *p, enum cluster_object object, const struct sandbox *sb,
                                  op_done *done, void *arg)
{
    wish_for_rights(p);
    return (struct act_request){.kube = p->kube,
                                .cache = p->cache,
                                .profile = p->profile,
                                .dialect = discovery_dialect(p->discovery),
                                .object = object,
                                .sb = sb,
                                .done = done,
                                .arg = arg,
                                .account = p->account,
                                .discovery = p->discovery};
}

static struct op *port_apply(void *self, enum cluster_object object, const struct sandbox *sb,
                             const struct env_list *env, ms_t timeout_ms, op_done *done, void *arg)
{
    struct act_request req = request(self, object, sb, done, arg);
    req.env = env;
    req.timeout_ms = timeout_ms;
    return act_apply(&req);
}

static struct op *port_remove(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                              op_done *done, void *arg)
{
    struct act_request req = request(self, object, sb, done, arg);
    req.timeout_ms = timeout_ms;
    return act_remove(&req);
}

static struct op *port_remove_former_env(void *self, const struct sandbox *sb, unsigned attempt, ms_t timeout_ms,
                                         op_done *done, void *arg)
{
    struct act_request req = request(self, OBJECT_ENV_SECRET, sb, done, arg);
    req.timeout_ms = timeout_ms;
    return act_remove_former_env(&req, attempt);
}

static struct op *port_halt(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                            op_done *done, void *arg)
{
    struct act_request req = request(self, object, sb, done, arg);
    req.timeout_ms = timeout_ms;
    return act_halt(&req);
}

static struct op *port_resume(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                              op_done *done, void *arg)
{
    struct act_request req = request(self, object, sb, done, arg);
    req.timeout_ms = timeout_ms;
    return act_resume(&req);
}

/* One call of credentials or nudge. */
struct port_call {
    struct op op;
    struct k8s_port *p;
    struct op *call;
    struct loop_task end; /* when there is nothing to call; err tells why */
    struct err err;
    struct sandbox sb;
    ms_t deadline_ms;
    const struct kubeblocks_dialect *served; /* of credentials */
    size_t secrets_n;                        /* asked for */
    cluster_on_credentials *on_credentials;  /* one of the two */
    op_done *done;
    void *arg;
};

static void port_call_spend(struct port_call *c)
{
    op_cancel(c->call);
    c->call = NULL;
    loop_task_clear(&c->end);
    loop_defer_free(c->p->loop, c, free);
}

static void port_call_cancel(struct op *op)
{
    port_call_spend((struct port_call *)op);
}

static void on_port_call_end(void *arg)
{
    struct port_call *c = arg;
    const struct err *err = c->err.kind != ERR_NONE ? &c->err : NULL;
    port_call_spend(c);
    if (c->on_credentials != NULL)
        c->on_credentials(c->arg, NULL, err);
    else
        c->done(c->arg, err);
}

static struct port_call *port_call_new(struct k8s_port *p, const struct sandbox *sb, void *arg)
{
    struct port_call *c = xcalloc(1, sizeof *c);
    c->op.cancel = port_call_cancel;
    c->p = p;
    c->sb = *sb;
    c->arg = arg;
    loop_task_init(&c->end, p->loop, on_port_call_end, c);
    return c;
}

static void port_call_send(struct port_call *c, const struct kube_request *rest, enum kube_kind kind, const char *name)
{
    struct kube_request req = *rest;
    struct buf path;
    buf_init(&path, KUBE_PATH_SIZE);
    kube_path_add(&path, kind, NULL, c->sb.namespace_name, name);
    req.path = buf_text(&path);
    req.arg = c;
    c->call = kube_call_in_turn(c->p->kube, &req, (struct kube_turn){kind, c->sb.attempt_started_ms});
    buf_fini(&path);
}

static bool ask_next_secret(struct port_call *c);

/* As act.c does: what a call was refused says something of our rights, once the API server is settled. */
static void hear_refusal(struct port_call *c)
{
    if (c->err.kind != ERR_DENIED)
        return;
    account_doubt(c->p->account);
    if (!kube_is_settled(c->p->kube))
        c->err.kind = ERR_NOT_READY;
}

static void on_credentials_secret(void *arg, const struct json_value *object, const struct err *err)
{
    struct port_call *c = arg;
    const struct kubeblocks_dialect *dialect = kubeblocks_likely(c->served, c->secrets_n - 1);
    struct db_credentials credentials;
    c->call = NULL;
    if (err != NULL && c->err.kind == ERR_NONE)
        err_copy(&c->err, err); /* the likeliest name speaks */
    if (err != NULL && err->kind == ERR_MISSING && ask_next_secret(c))
        return;
    if (err != NULL) {
        if (c->err.kind == ERR_UNAUTHENTICATED)
            c->err.kind = ERR_NOT_READY; /* our token is being renewed */
        hear_refusal(c);
        on_port_call_end(c);
    } else if (!kubeblocks_credentials(dialect, &c->sb, object, &credentials, &c->err)) {
        on_port_call_end(c);
    } else {
        port_call_spend(c);
        c->on_credentials(c->arg, &credentials, NULL);
        db_credentials_fini(&credentials);
    }
}

/* False: there is no other name under which the Secret may be. */
static bool ask_next_secret(struct port_call *c)
{
    const struct kubeblocks_dialect *dialect = kubeblocks_likely(c->served, c->secrets_n);
    ms_t left_ms = c->deadline_ms - loop_now_ms(c->p->loop);
    struct kube_request req = {"GET", NULL, NULL, STR_NONE, left_ms > 0 ? left_ms : 1, on_credentials_secret, NULL};
    char name[KUBEBLOCKS_SECRET_SIZE];
    if (dialect == NULL)
        return false;
    c->secrets_n++;
    kubeblocks_secret_name(dialect, &c->sb, name);
    port_call_send(c, &req, KIND_SECRET, name);
    return true;
}

static struct op *port_credentials(void *self, const struct sandbox *sb, ms_t timeout_ms, cluster_on_credentials *done,
                                   void *arg)
{
    struct k8s_port *p = self;
    struct port_call *c = port_call_new(p, sb, arg);
    c->on_credentials = done;
    c->deadline_ms = loop_now_ms(p->loop) + timeout_ms;
    c->served = discovery_dialect(p->discovery);
    if (c->served == NULL || !ask_next_secret(c)) {
        err_set(&c->err, ERR_NOT_READY, __func__, "KubeBlocks is not there");
        loop_defer(&c->end);
    }
    return &c->op;
}

static void on_nudged(void *arg, const struct json_value *object, const struct err *err)
{
    struct port_call *c = arg;
    (void)object;
    c->call = NULL;
    if (err != NULL && err->kind != ERR_MISSING) /* a pod that went needs no nudge */
        err_copy(&c->err, err);
    hear_refusal(c);
    if (c->err.code == 403)
        c->err = (struct err){0}; /* a spared right: the kubelet tries again by itself, only later */
    on_port_call_end(c);
}

static struct op *port_nudge(void *self, const struct sandbox *sb, ms_t timeout_ms, op_done *done, void *arg)
{
    struct k8s_port *p = self;
    struct port_call *c = port_call_new(p, sb, arg);
    const char *pod = cache_pod_name(p->cache, sb);
    struct json_writer *w = jw_new(1024);
    struct str body;
    c->done = done;
    jw_object(w);
    jw_key(w, "metadata");
    jw_object(w);
    jw_key(w, "annotations");
    jw_object(w);
    jw_kv_time(w, "project.fullstackagent.io/nudged-at", loop_wall_ms(p->loop));
    jw_object_end(w);
    jw_object_end(w);
    jw_object_end(w);
    if (pod != NULL && held_has(account_held(p->account), "", "pods", "patch") && jw_finish(w, &body, &c->err))
        port_call_send(
            c, &(struct kube_request){"PATCH", NULL, "application/merge-patch+json", body, timeout_ms, on_nudged, NULL},
            KIND_POD, pod);
    else
        loop_defer(&c->end);
    jw_free(w);
    return &c->op;
}

static void port_guard(void *self, cluster_may_send *may_send, void *arg)
{
    struct k8s_port *p = self;
    kube_guard(p->kube, may_send, arg);
}

static void port_subscribe(void *self, cluster_on_change *on_change, void *arg)
{
    struct k8s_port *p = self;
    p->on_change = on_change;
    p->on_change_arg = arg;
}

static void port_forget(void *self, struct str project_id)
{
    struct k8s_port *p = self;
    cache_forget(p->cache, project_id);
}

/* ---- the whole ---- */

struct k8s_port *k8s_port_new(const struct k8s_port_options *options, struct err *reterr)
{
    struct kube *kube = kube_new(options->loop, options->fetch, options->config, reterr);
    struct k8s_port *p;
    if (kube == NULL)
        return NULL;
    p = xcalloc(1, sizeof *p);
    p->loop = options->loop;
    p->kube = kube;
    kube_set_cluster(kube, options->cluster);
    kube_set_settle(kube, options->settle_ms);
    p->cache = cache_new(options->loop);
    p->profile = options->profile;
    p->namespace_name = xstrdup(options->namespace_name);
    p->discovery = discovery_new(kube, p->namespace_name, on_dialect, p);
    loop_task_init(&p->more, p->loop, start_asked, p);
    const struct sandbox_kinds kinds = k8s_profile_kinds(p->profile);
    p->account = account_new(kube, p->namespace_name, &kinds, on_rights, p);
    cache_subscribe(p->cache, on_cache_change, p);
    p->survey_of = (struct survey_of){kube, p->profile, p->namespace_name, p->account};
    p->survey = survey_port(&p->survey_of);
    kube_on_reachable(kube, on_reachable, p);
    p->port = (struct port_cluster){
        .self = p,
        .observe = port_observe,
        .apply = port_apply,
        .remove = port_remove,
        .remove_former_env = port_remove_former_env,
        .halt = port_halt,
        .resume = port_resume,
        .credentials = port_credentials,
        .nudge = port_nudge,
        .guard = port_guard,
        .subscribe = port_subscribe,
        .forget = port_forget,
    };
    return p;
}

void k8s_port_start(struct k8s_port *p)
{
    const struct sandbox_kinds kinds = k8s_profile_kinds(p->profile);
    ask_for(p, &kinds);
    account_start(p->account);
}

void k8s_port_free(struct k8s_port *p)
{
    if (p == NULL)
        return;
    loop_task_clear(&p->more);
    account_free(p->account);
    discovery_free(p->discovery);
    for (size_t i = 0; i < KIND_WATCHED_N; i++)
        watch_free(p->watches[i]);
    kube_free(p->kube);
    cache_free(p->cache);
    free(p->namespace_name);
    free(p);
}

const struct port_cluster *k8s_port_cluster(const struct k8s_port *p)
{
    return &p->port;
}

const struct port_survey *k8s_port_survey(const struct k8s_port *p)
{
    return &p->survey;
}

void k8s_port_stats(const struct k8s_port *p, struct k8s_port_stats *ret)
{
    struct watch_stats one;
    const struct kubeblocks_dialect *dialect;
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < KIND_WATCHED_N; i++) {
        if (p->watches[i] == NULL)
            continue;
        watch_stats(p->watches[i], &one);
        ret->lists_n += one.lists_n;
        ret->streams_n += one.streams_n;
        ret->events_n += one.events_n;
        ret->failures_n += one.failures_n;
    }
    kube_calls(p->kube, &ret->calls_n, &ret->calls_waiting_n);
    ret->is_reachable = kube_is_reachable(p->kube);
    ret->is_away = kube_is_away(p->kube);
    const struct sandbox_kinds kinds = k8s_profile_kinds(p->profile);
    ret->is_synced = cache_is_synced_for(p->cache, &kinds);
    dialect = discovery_dialect(p->discovery);
    ret->kubeblocks_version = dialect != NULL ? dialect->version : "";
}
