// SPDX-License-Identifier: MIT
/* fetch + identity + classification. Every call, streaming or not, is a struct kube_op around a fetch op. */
#include "k8s/client.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/xmem.h"
#include "k8s/call_queue.h"
#include "k8s/status.h"

struct kube {
    struct loop *loop;
    struct fetch_client *client;
    struct kubeconfig *config;
    const char *cluster;
    bool has_token_set;
    bool is_reachable;
    bool is_reachable_known; /* a first call has ended */
    ms_t settle_ms;
    ms_t settling_since_ms; /* it came back, or a connection broke: another server may answer the next one */
    uint64_t heard_n;       /* how often anything of it came */
    void (*on_reachable)(void *arg);
    void *on_reachable_arg;
    bool (*may_send)(void *arg); /* NULL: always */
    void *may_send_arg;
    LIST_HEAD(, kube_op) ops;
    struct calls_of_kind {
        struct call_queue waiting; /* to be sent */
        unsigned flying_n;         /* with the API; streams do not count */
    } kinds[KIND_N + 1];           /* the last: of no project */
    unsigned flying_n;
    bool is_closing;
};

/* WAITING -> FLYING -> spent; a stream is never WAITING and does not count as FLYING. */
enum kube_op_at { KUBE_OP_STREAMING, KUBE_OP_WAITING, KUBE_OP_FLYING };

struct kube_op {
    struct op op;
    struct kube *k;
    enum kube_op_at at;
    struct op *fetch_op; /* NULL: none is running */
    uint64_t heard_n;    /* of the API, when it was sent or brought bytes */
    struct arena *arena; /* the request's copies, kept for the one repetition after a 401 */
    struct fetch_request req;
    struct secret body;
    bool was_repeated;
    kube_on_answer *on_answer; /* one of the two */
    kube_on_end *on_end;
    fetch_on_bytes *on_bytes;
    void *arg;
    struct loop_timer wait; /* of a WAITING one */
    LIST_ENTRY(kube_op) link;
    struct calls_of_kind *calls; /* of its kind */
    struct call_place place;
};

static void kube_op_free(void *arg)
{
    struct kube_op *o = arg;
    secret_fini(&o->body);
    arena_free(o->arena);
    free(o);
}

static void start_fetch(struct kube_op *o);

static void stop_waiting(struct kube_op *o)
{
    loop_timer_clear(&o->wait);
    call_queue_remove(&o->calls->waiting, &o->place);
}

static struct kube_op *next_of(const struct calls_of_kind *calls)
{
    struct call_place *place = calls->flying_n < KUBE_CALLS_OF_KIND_N ? call_queue_first(&calls->waiting) : NULL;
    return place != NULL ? (struct kube_op *)((char *)place - offsetof(struct kube_op, place)) : NULL;
}

static struct kube_op *next_to_send(const struct kube *k)
{
    struct kube_op *best = NULL;
    bool may_send = k->may_send == NULL || k->may_send(k->may_send_arg);
    for (size_t i = may_send ? 0 : KIND_N; i <= KIND_N; i++) {
        struct kube_op *o = next_of(&k->kinds[i]);
        if (o != NULL && (best == NULL || o->place.rank < best->place.rank))
            best = o;
    }
    return best;
}

static void send_next(struct kube *k)
{
    struct kube_op *o;
    while (k->flying_n < KUBE_CALLS_N && !k->is_closing && (o = next_to_send(k)) != NULL) {
        stop_waiting(o);
        o->at = KUBE_OP_FLYING;
        k->flying_n++;
        o->calls->flying_n++;
        start_fetch(o);
    }
}

/* Reached by: the answer, a wait that was too long, op_cancel, the end of the client. */
static void kube_op_spend(struct kube_op *o)
{
    struct kube *k = o->k;
    op_cancel(o->fetch_op);
    o->fetch_op = NULL;
    if (o->at == KUBE_OP_WAITING)
        stop_waiting(o);
    if (o->at == KUBE_OP_FLYING) {
        k->flying_n--;
        o->calls->flying_n--;
    }
    LIST_REMOVE(o, link);
    loop_defer_free(k->loop, o, kube_op_free);
    send_next(k);
}

static void kube_op_cancel(struct op *op)
{
    kube_op_spend((struct kube_op *)op);
}

static void set_reachable(struct kube *k, bool is_reachable)
{
    if (k->is_reachable_known && k->is_reachable == is_reachable)
        return;
    k->is_reachable_known = true;
    k->is_reachable = is_reachable;
    k->settling_since_ms = loop_now_ms(k->loop);
    if (k->on_reachable != NULL)
        k->on_reachable(k->on_reachable_arg);
}

static void note_heard(struct kube_op *o)
{
    o->heard_n = ++o->k->heard_n;
    set_reachable(o->k, true);
}

/* Kubernetes' own answer says that it is there, also that something of it does not work: a webhook, etcd, another
 * server that it asks. A proxy's says no more than silence does. */
static bool is_own_answer(const struct fetch_answer *answer, const struct json_value *object)
{
    return answer->status < 500 || str_eq_text(json_str(json_find(object, "status")), "Failure");
}

/* No answer of the API's. It is away unless it was heard while this one waited: then it is only this call's. */
static void note_unheard(struct kube_op *o, const struct err *fetch_err)
{
    struct kube *k = o->k;
    if (fetch_err != NULL && fetch_err->kind != ERR_TIMEOUT)
        k->settling_since_ms = loop_now_ms(k->loop);
    if (k->heard_n == o->heard_n)
        set_reachable(k, false);
}

static void on_fetched(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct kube_op *o = arg;
    struct kube *k = o->k;
    struct arena *a = o->arena;
    const struct json_value *object = NULL;
    struct err err = {0};
    bool is_new_token = false;
    bool is_json;
    bool is_own = false;
    o->fetch_op = NULL;
    if (answer != NULL && answer->status == 401 && !o->was_repeated &&
        kubeconfig_refresh_token(k->config, true, &is_new_token, NULL) && is_new_token) {
        o->was_repeated = true;
        note_heard(o);
        fetch_client_set_token(k->client, &k->config->token);
        start_fetch(o);
        return;
    }
    if (answer == NULL) {
        err_copy(&err, fetch_err);
    } else {
        is_json = answer->body.n > 0 && answer->body.p[0] == '{'; /* 504 carries JSON as text/plain */
        object = is_json ? json_parse(a, answer->body, &JSON_LIMITS_KUBE, &err) : NULL;
        is_own = is_own_answer(answer, object);
        if ((object != NULL || !is_json) &&
            !status_check(answer->status, answer->retry_after_s, object, answer->body, &err))
            object = NULL;
    }
    if (is_own)
        note_heard(o);
    else
        note_unheard(o, fetch_err);
    kube_op_spend(o);
    if (o->on_end != NULL)
        o->on_end(o->arg, err.kind != ERR_NONE ? &err : NULL);
    else if (err.kind != ERR_NONE)
        o->on_answer(o->arg, NULL, &err);
    else
        o->on_answer(o->arg, object, NULL);
}

static void on_bytes(void *arg, struct str bytes)
{
    struct kube_op *o = arg;
    note_heard(o);
    o->on_bytes(o->arg, bytes);
}

static void start_fetch(struct kube_op *o)
{
    bool is_new;
    /* A token that cannot be read is not an error yet: the server may still take the one we have. */
    if (!kubeconfig_refresh_token(o->k->config, false, &is_new, NULL))
        is_new = false;
    if (is_new || !o->k->has_token_set)
        fetch_client_set_token(o->k->client, &o->k->config->token);
    o->k->has_token_set = true;
    o->heard_n = o->k->heard_n;
    o->fetch_op = fetch_start(o->k->client, &o->req);
}

static void on_waited_long(void *arg)
{
    struct kube_op *o = arg;
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "too many calls of the Kubernetes API wait for their turn");
    kube_op_spend(o);
    o->on_answer(o->arg, NULL, &err);
}

static struct kube_op *op_new(struct kube *k, const char *method, const char *path)
{
    struct kube_op *o = xcalloc(1, sizeof *o);
    o->op.cancel = kube_op_cancel;
    o->k = k;
    o->arena = arena_new();
    o->req.method = method;
    o->req.path = arena_dup(o->arena, str_from(path));
    o->req.ceiling_bytes = KUBE_ANSWER_CEILING_BYTES;
    o->req.on_done = on_fetched;
    o->req.arg = o;
    loop_timer_init(&o->wait, k->loop, on_waited_long, o);
    LIST_INSERT_HEAD(&k->ops, o, link);
    return o;
}

static struct op *call(struct kube *k, const struct kube_request *req, struct calls_of_kind *calls, int64_t rank)
{
    struct kube_op *o = op_new(k, req->method, req->path);
    o->body = secret_new(req->body);
    o->req.body = secret_reveal(&o->body);
    o->req.content_type = req->content_type;
    o->req.deadline_ms = req->timeout_ms;
    o->on_answer = req->on_answer;
    o->arg = req->arg;
    o->at = KUBE_OP_WAITING;
    o->calls = calls;
    loop_timer_set(&o->wait, KUBE_WAIT_MS);
    call_queue_add(&calls->waiting, &o->place, rank);
    send_next(k);
    return &o->op;
}

struct op *kube_call(struct kube *k, const struct kube_request *req)
{
    return call(k, req, &k->kinds[KIND_N], INT64_MIN);
}

struct op *kube_call_in_turn(struct kube *k, const struct kube_request *req, struct kube_turn turn)
{
    return call(k, req, &k->kinds[turn.kind], turn.rank);
}

struct op *kube_stream(struct kube *k, const struct kube_stream *req)
{
    struct kube_op *o = op_new(k, "GET", req->path);
    o->req.deadline_ms = req->deadline_ms;
    o->req.idle_ms = req->idle_ms;
    o->req.on_bytes = on_bytes;
    o->on_bytes = req->on_bytes;
    o->on_end = req->on_end;
    o->arg = req->arg;
    start_fetch(o);
    return &o->op;
}

struct kube *kube_new(struct loop *loop, struct fetch *f, struct kubeconfig *config, struct err *reterr)
{
    struct fetch_peer peer = {
        .base_url = config->server,
        .ca_pem = secret_reveal(&config->ca),
        .cert_pem = secret_reveal(&config->cert),
        .key_pem = &config->key,
        .is_unverified = config->is_unverified,
    };
    struct fetch_client *client = fetch_client_new(f, &peer, reterr);
    struct kube *k;
    if (client == NULL) {
        kubeconfig_free(config);
        return NULL;
    }
    k = xcalloc(1, sizeof *k);
    k->loop = loop;
    k->client = client;
    k->config = config;
    k->cluster = "";
    k->settle_ms = KUBE_SETTLE_MS;
    LIST_INIT(&k->ops);
    return k;
}

void kube_free(struct kube *k)
{
    if (k == NULL)
        return;
    k->is_closing = true;
    while (!LIST_EMPTY(&k->ops))
        kube_op_spend(LIST_FIRST(&k->ops));
    for (size_t i = 0; i <= KIND_N; i++)
        call_queue_fini(&k->kinds[i].waiting);
    fetch_client_free(k->client);
    kubeconfig_free(k->config);
    free(k);
}

struct loop *kube_loop(const struct kube *k)
{
    return k->loop;
}

void kube_set_cluster(struct kube *k, const char *name)
{
    k->cluster = name;
}

const char *kube_cluster(const struct kube *k)
{
    return k->cluster;
}

bool kube_is_reachable(const struct kube *k)
{
    return k->is_reachable;
}

bool kube_is_away(const struct kube *k)
{
    return k->is_reachable_known && !k->is_reachable;
}

bool kube_is_settled(const struct kube *k)
{
    return k->is_reachable && loop_now_ms(k->loop) - k->settling_since_ms >= k->settle_ms;
}

void kube_set_settle(struct kube *k, ms_t settle_ms)
{
    k->settle_ms = settle_ms;
}

void kube_calls(const struct kube *k, unsigned *ret_flying_n, unsigned *ret_waiting_n)
{
    *ret_flying_n = k->flying_n;
    *ret_waiting_n = 0;
    for (size_t i = 0; i <= KIND_N; i++)
        *ret_waiting_n += (unsigned)k->kinds[i].waiting.n;
}

void kube_guard(struct kube *k, bool (*may_send)(void *arg), void *arg)
{
    k->may_send = may_send;
    k->may_send_arg = arg;
}

void kube_on_reachable(struct kube *k, void (*on_change)(void *arg), void *arg)
{
    k->on_reachable = on_change;
    k->on_reachable_arg = arg;
}
