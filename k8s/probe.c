// SPDX-License-Identifier: MIT
/* One call per question; a SelfSubjectAccessReview per right and verb, because a SelfSubjectRulesReview may be
 * incomplete and does not say about what. */
#include "k8s/probe.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/fit.h"
#include "core/base/json_write.h"
#include "core/base/xmem.h"
#include "k8s/kubeblocks.h"
#include "k8s/rights.h"

enum { REVIEW_CEILING_BYTES = 2048, TEXT_SIZE = 256 };

struct question {
    struct probe *probe;
    struct op *call;
    const struct right *right; /* NULL: not about a right */
    enum right_verb verb;
};

struct probe {
    struct op op;
    struct kube *kube;
    struct question *questions;
    size_t questions_n;
    size_t open_n;
    struct err first;
    probe_on_finding *on_finding;
    op_done *done;
    void *arg;
};

static void probe_free(void *arg)
{
    struct probe *p = arg;
    free(p->questions);
    free(p);
}

static void probe_spend(struct probe *p)
{
    for (size_t i = 0; i < p->questions_n; i++) {
        op_cancel(p->questions[i].call);
        p->questions[i].call = NULL;
    }
    loop_defer_free(kube_loop(p->kube), p, probe_free);
}

static void probe_cancel(struct op *op)
{
    struct probe *p = (struct probe *)op;
    p->done = NULL;
    probe_spend(p);
}

/* The callee of on_finding may have cancelled the probe; then there is nothing more to say. */
static void answer(struct question *q, const char *check, bool is_good, const char *text, const struct err *err)
{
    struct probe *p = q->probe;
    bool is_spared = !is_good && err == NULL && q->right != NULL && (q->right->spared >> q->verb & 1) != 0;
    const struct probe_finding finding = {check, is_good, is_spared, text};
    q->call = NULL;
    if (err != NULL && p->first.kind == ERR_NONE)
        err_copy(&p->first, err);
    p->on_finding(p->arg, &finding);
    if (p->done == NULL || --p->open_n > 0)
        return;
    probe_spend(p);
    p->done(p->arg, p->first.kind != ERR_NONE ? &p->first : NULL);
}

static void on_version(void *arg, const struct json_value *object, const struct err *err)
{
    char text[TEXT_SIZE];
    if (err != NULL)
        text_fitf(text, sizeof text, "the Kubernetes API does not tell its version: %s", err->msg);
    else
        text_fitf(text, sizeof text, "Kubernetes %.*s", STR_ARG(json_str(json_find(object, "gitVersion"))));
    answer(arg, "version", err == NULL, text, err);
}

static void on_group(void *arg, const struct json_value *object, const struct err *err)
{
    const struct kubeblocks_dialect *dialect = err == NULL ? kubeblocks_choose(object) : NULL;
    bool is_missing = err != NULL && err->kind == ERR_MISSING;
    char text[TEXT_SIZE];
    if (dialect != NULL)
        text_fitf(text, sizeof text, "KubeBlocks serves apps.kubeblocks.io/%s", dialect->version);
    else if (err == NULL || is_missing)
        text_fitf(text, sizeof text, "KubeBlocks is not installed: there is no apps.kubeblocks.io/v1 or v1alpha1");
    else
        text_fitf(text, sizeof text, "whether KubeBlocks is installed is not known: %s", err->msg);
    answer(arg, "kubeblocks", dialect != NULL, text, is_missing ? NULL : err);
}

static void on_review(void *arg, const struct json_value *object, const struct err *err)
{
    struct question *q = arg;
    const char *dot = q->right->group[0] != '\0' ? "." : "";
    bool is_allowed = err == NULL && json_bool(json_at(object, "status", "allowed", NULL), false);
    bool is_spared = (q->right->spared >> q->verb & 1) != 0;
    const char *lost = is_allowed ? "" : is_spared ? q->right->without : "sandboxes fail";
    char text[TEXT_SIZE];
    text_fitf(text, sizeof text, "%s %s %s%s%s (%s)%s%s", is_allowed ? "may" : "may not", right_verb_text(q->verb),
              q->right->resource, dot, q->right->group, q->right->purpose, is_allowed ? "" : ": ",
              err != NULL ? err->msg : lost);
    answer(q, "right", is_allowed, text, err);
}

static void write_review(struct json_writer *w, const struct question *q, const char *namespace_name)
{
    struct str resource = str_from(q->right->resource);
    struct str part;
    struct str rest = resource;
    (void)!str_next(&rest, '/', &part); /* "clusters/status": rest is then the subresource */
    jw_object(w);
    jw_kv_text(w, "apiVersion", "authorization.k8s.io/v1");
    jw_kv_text(w, "kind", "SelfSubjectAccessReview");
    jw_key(w, "spec");
    jw_object(w);
    jw_key(w, "resourceAttributes");
    jw_object(w);
    jw_kv_text(w, "namespace", namespace_name);
    jw_kv_text(w, "group", q->right->group);
    jw_kv_str(w, "resource", part);
    if (!str_is_none(rest))
        jw_kv_str(w, "subresource", rest);
    jw_kv_text(w, "verb", right_verb_text(q->verb));
    jw_object_end(w);
    jw_object_end(w);
    jw_object_end(w);
}

static void ask(struct question *q, const char *path, ms_t timeout_ms, kube_on_answer *on_answer)
{
    q->call = kube_call(q->probe->kube, &(struct kube_request){"GET", path, NULL, STR_NONE, timeout_ms, on_answer, q});
}

static void ask_right(struct question *q, const char *namespace_name, ms_t timeout_ms)
{
    struct kube_request req = {
        "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", NULL, STR_NONE, timeout_ms, on_review, q};
    struct json_writer *w = jw_new(REVIEW_CEILING_BYTES);
    write_review(w, q, namespace_name);
    if (!jw_finish(w, &req.body, NULL)) /* a namespace that is no UTF-8: the server will say so */
        req.body = STR("{}");
    q->call = kube_call(q->probe->kube, &req);
    jw_free(w);
}

struct op *probe_start(struct kube *k, const struct probe_target *target, ms_t timeout_ms, probe_on_finding *on_finding,
                       op_done *done, void *arg)
{
    struct probe *p = xcalloc(1, sizeof *p);
    size_t n = 2;
    p->op.cancel = probe_cancel;
    p->kube = k;
    p->on_finding = on_finding;
    p->done = done;
    p->arg = arg;
    p->questions = xcalloc(2 + RIGHTS_N * RIGHT_VERB_N, sizeof *p->questions);
    for (size_t i = 0; i < RIGHTS_N; i++) {
        for (size_t v = 0; v < RIGHT_VERB_N; v++) {
            if ((RIGHTS[i].verbs >> v & 1) != 0 && right_is_needed(&RIGHTS[i], &target->kinds))
                p->questions[n++] = (struct question){p, NULL, &RIGHTS[i], (enum right_verb)v};
        }
    }
    p->questions[0].probe = p->questions[1].probe = p;
    p->questions_n = p->open_n = n;
    ask(&p->questions[0], "/version", timeout_ms, on_version);
    ask(&p->questions[1], "/apis/apps.kubeblocks.io", timeout_ms, on_group);
    for (size_t i = 2; i < n; i++)
        ask_right(&p->questions[i], target->namespace_name, timeout_ms);
    return &p->op;
}
