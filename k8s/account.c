// SPDX-License-Identifier: MIT
/* One question at a time; whoever asks while one is under way waits for the next. */
#include "k8s/account.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/backoff.h"

enum { REVIEW_TIMEOUT_MS = 15000, REVIEW_FIRST_MS = 500, REVIEW_CAP_MS = 30000, AGAIN_MS = 2000, BODY_BYTES = 1024 };

struct waiter {
    struct op op;
    TAILQ_ENTRY(waiter) link;
    struct account *account;
    bool is_asked; /* the question under way is its */
    op_done *done;
    void *arg;
};

struct account {
    struct kube *kube;
    const char *namespace_name;
    struct sandbox_kinds kinds;
    struct held held;
    bool is_started; /* on_change ran */
    struct op *call;
    bool is_doubted; /* while a question is under way or just was */
    ms_t asked_ms;
    struct loop_timer timer;
    struct backoff backoff;
    TAILQ_HEAD(, waiter) waiters;
    void (*on_change)(void *arg);
    void *arg;
};

static void ask(struct account *a);

/* ---- who waits ---- */

static void waiter_spend(struct waiter *w)
{
    TAILQ_REMOVE(&w->account->waiters, w, link);
    loop_defer_free(kube_loop(w->account->kube), w, free);
}

static void waiter_cancel(struct op *op)
{
    waiter_spend((struct waiter *)op);
}

static struct waiter *find_asked(const struct account *a)
{
    struct waiter *w;
    TAILQ_FOREACH(w, &a->waiters, link)
    {
        if (w->is_asked)
            return w;
    }
    return NULL;
}

/* The callee may cancel others, or ask anew. */
static void answer_waiters(struct account *a, const struct err *err)
{
    struct waiter *w;
    while ((w = find_asked(a)) != NULL) {
        op_done *done = w->done;
        void *arg = w->arg;
        waiter_spend(w);
        done(arg, err);
    }
}

/* ---- asking ---- */

static void take(struct account *a, const struct json_value *answer)
{
    struct held before = a->held;
    bool was_lacking = account_lacks(a);
    held_read(answer, &a->held);
    if (a->is_started && held_equal(&before, &a->held))
        return;
    if (account_lacks(a))
        held_log_lacking(&a->held, kube_cluster(a->kube), &a->kinds);
    else if (was_lacking)
        LOG(INFO, "the account may do all that is needed", KV("cluster", kube_cluster(a->kube)),
            KV("namespace", a->namespace_name));
    a->is_started = true;
    a->on_change(a->arg);
}

static void on_review(void *arg, const struct json_value *answer, const struct err *err)
{
    struct account *a = arg;
    uint32_t chance;
    a->call = NULL;
    codec_random(&chance, sizeof chance);
    if (err == NULL) {
        backoff_reset(&a->backoff);
        take(a, answer);
    } else if (!a->is_started && !err_retryable(err->kind)) { /* then the API itself refuses what is not held */
        a->is_started = true;
        a->on_change(a->arg);
    } else if (!a->is_started) {
        loop_timer_set(&a->timer, backoff_next(&a->backoff, chance));
    }
    answer_waiters(a, err);
    if (!TAILQ_EMPTY(&a->waiters))
        ask(a);
    else if (a->is_doubted)
        account_doubt(a);
}

static struct str write_question(struct json_writer *w, const char *namespace_name)
{
    struct str body = STR_NONE;
    jw_object(w);
    jw_kv_text(w, "apiVersion", "authorization.k8s.io/v1");
    jw_kv_text(w, "kind", "SelfSubjectRulesReview");
    jw_key(w, "spec");
    jw_object(w);
    jw_kv_text(w, "namespace", namespace_name);
    jw_object_end(w);
    jw_object_end(w);
    if (!jw_finish(w, &body, NULL)) /* a namespace that is no UTF-8: the server will say so */
        body = STR("{}");
    return body;
}

static void ask(struct account *a)
{
    struct json_writer *w;
    struct waiter *waiter;
    if (a->call != NULL)
        return;
    TAILQ_FOREACH(waiter, &a->waiters, link)
    {
        waiter->is_asked = true;
    }
    loop_timer_clear(&a->timer);
    a->is_doubted = false;
    a->asked_ms = loop_now_ms(kube_loop(a->kube));
    w = jw_new(BODY_BYTES);
    a->call = kube_call(a->kube,
                        &(struct kube_request){"POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", NULL,
                                               write_question(w, a->namespace_name), REVIEW_TIMEOUT_MS, on_review, a});
    jw_free(w);
}

static void on_timer(void *arg)
{
    ask(arg);
}

void account_start(struct account *a)
{
    ask(a);
}

void account_doubt(struct account *a)
{
    ms_t wait_ms = a->asked_ms + AGAIN_MS - loop_now_ms(kube_loop(a->kube));
    a->is_doubted = true;
    if (a->call == NULL && a->is_started)
        loop_timer_set(&a->timer, wait_ms > 0 ? wait_ms : 0);
}

struct op *account_ask(struct account *a, op_done *done, void *arg)
{
    struct waiter *w = xcalloc(1, sizeof *w);
    w->op.cancel = waiter_cancel;
    w->account = a;
    w->done = done;
    w->arg = arg;
    TAILQ_INSERT_TAIL(&a->waiters, w, link);
    ask(a);
    return &w->op;
}

/* ---- the whole ---- */

const struct held *account_held(const struct account *a)
{
    return &a->held;
}

bool account_lacks(const struct account *a)
{
    return held_lacks(&a->held, &a->kinds);
}

struct account *account_new(struct kube *kube, const char *namespace_name, const struct sandbox_kinds *kinds,
                            void (*on_change)(void *arg), void *arg)
{
    struct account *a = xcalloc(1, sizeof *a);
    a->kube = kube;
    a->namespace_name = namespace_name;
    a->kinds = *kinds;
    a->on_change = on_change;
    a->arg = arg;
    a->backoff = (struct backoff){REVIEW_FIRST_MS, REVIEW_CAP_MS, 0};
    TAILQ_INIT(&a->waiters);
    loop_timer_init(&a->timer, kube_loop(kube), on_timer, a);
    return a;
}

void account_free(struct account *a)
{
    if (a == NULL)
        return;
    op_cancel(a->call);
    loop_timer_clear(&a->timer);
    while (!TAILQ_EMPTY(&a->waiters))
        waiter_spend(TAILQ_FIRST(&a->waiters));
    free(a);
}
