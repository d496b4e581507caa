// SPDX-License-Identifier: MIT
/* One call of the Kubernetes API: path and body in, a JSON object or a classified error out. Owns the identity (a token
 * file is re-read when it changes, and once more when an answer is 401) and knows whether the API answers. Which
 * objects there are, and what to do about a conflict, is not here (objects, apply, watch). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/str.h"
#include "core/io/fetch.h"
#include "core/io/op.h"
#include "k8s/kubeconfig.h"
#include "k8s/objects.h"

enum {
    KUBE_ANSWER_CEILING_BYTES = 4 << 20, /* one object is at most 3 MiB (etcd's limit 1.5) */
    KUBE_PATH_SIZE = 1024,
    KUBE_SETTLE_MS = 30000, /* unless kube_set_settle says otherwise */
    /* Calls that are with the API at a time, of all kinds and of one; the others wait here. An API server that is given
     * all at once answers each so late that deadlines pass, and its work on those is lost. Some kinds it takes one
     * after the other (a Service's address) or slowly (Roles of an account that may not do all): those must not take
     * every place. Enough for a far one: 12 calls of 50 ms are 240 a second. */
    KUBE_CALLS_N = 64,
    KUBE_CALLS_OF_KIND_N = 12,
    KUBE_WAIT_MS = 60000, /* a call that was not even sent by then fails with NOT_READY */
};

struct kube;

/* config: taken over, also on failure. f: borrowed. Fails with INVALID for a server that is no URL. */
MUST_CHECK struct kube *kube_new(struct loop *loop, struct fetch *f, struct kubeconfig *config, struct err *reterr);
/* Ends calls without their callbacks. NULL is fine. */
void kube_free(struct kube *k);

struct loop *kube_loop(const struct kube *k);
/* What the cluster is called in log lines; borrowed. "" until it is set. */
void kube_set_cluster(struct kube *k, const char *name);
const char *kube_cluster(const struct kube *k);

/* Is the API there? It is not when a call or watch brought no answer of its own and nothing else was heard of it
 * meanwhile; an answer that says 5xx is one: what does not work then is that one thing. on_change runs on the loop when
 * that changes, from within a callback of the client; one subscriber. */
bool kube_is_reachable(const struct kube *k);
/* Did it fail to answer? Before the first call has ended it is neither reachable nor away. */
bool kube_is_away(const struct kube *k);
/* Has it answered for a while, over connections that lasted? An API server that just began does not know all roles yet
 * and refuses what is allowed: until it is settled a 403 says nothing. */
bool kube_is_settled(const struct kube *k);
/* How long that while is. */
void kube_set_settle(struct kube *k, ms_t settle_ms);
void kube_on_reachable(struct kube *k, void (*on_change)(void *arg), void *arg);

/* object: the answer, NULL if it was no JSON; valid during the call, as is err. Exactly one of a 2xx answer and err. */
typedef void kube_on_answer(void *arg, const struct json_value *object, const struct err *err);

struct kube_request {
    const char *method;
    const char *path;         /* with query, percent-encoded */
    const char *content_type; /* NULL: application/json */
    struct str body;          /* absent: none */
    ms_t timeout_ms;          /* from the moment it is sent */
    kube_on_answer *on_answer;
    void *arg;
};

/* Errors: those of fetch_start and of status_check. */
MUST_CHECK struct op *kube_call(struct kube *k, const struct kube_request *req);
/* Whose turn it is among those that wait. rank: the lowest is sent first; when the attempt began, so that a project
 * that was begun is finished before the next one takes the API. */
struct kube_turn {
    enum kube_kind kind;
    int64_t rank;
};
/* A project's call; those of kube_call go before. */
MUST_CHECK struct op *kube_call_in_turn(struct kube *k, const struct kube_request *req, struct kube_turn turn);
/* Asked before each call of a project is sent; where it says no they wait, until it says yes to the next call or end.
 * NULL: nobody is asked. */
void kube_guard(struct kube *k, bool (*may_send)(void *arg), void *arg);
/* Calls that are with the API, and calls that wait for their turn. */
void kube_calls(const struct kube *k, unsigned *ret_flying_n, unsigned *ret_waiting_n);

/* A list page or a watch: bytes as they come. err at the end as for kube_call; NULL: a clean end. */
typedef void kube_on_end(void *arg, const struct err *err);
struct kube_stream {
    const char *path;
    ms_t deadline_ms;
    ms_t idle_ms;
    fetch_on_bytes *on_bytes;
    kube_on_end *on_end;
    void *arg;
};
MUST_CHECK struct op *kube_stream(struct kube *k, const struct kube_stream *req);
