// SPDX-License-Identifier: MIT
/* GET of the API group. Where that is forbidden, a list in the newest version tells: an account that may list Clusters
 * may do so in every version. A group that vanished is believed only when it is missing twice. */
#include "k8s/discovery.h"

#include <stdlib.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "core/io/backoff.h"
#include "k8s/objects.h"

enum {
    ASK_TIMEOUT_MS = 15000,
    AGAIN_FIRST_MS = 500, /* after a failure */
    AGAIN_CAP_MS = 30000,
    SETTLE_MS = 2000,        /* between the looks of one hint */
    LOOKS_N = 2,             /* per hint */
    MISSING_N = 2,           /* looks that have to agree that KubeBlocks was removed */
    ABSENT_AGAIN_MS = 60000, /* it may be installed later */
};

struct discovery {
    struct kube *kube;
    const char *namespace_name;
    void (*on_change)(void *arg);
    void *arg;
    const struct kubeblocks_dialect *dialect;
    bool is_known;
    int looks_left;
    int missing_n; /* answers in a row without it */
    struct op *call;
    struct loop_timer timer;
    struct backoff backoff;
};

static void ask(struct discovery *d, const char *path, kube_on_answer *on_answer)
{
    loop_timer_clear(&d->timer);
    d->call = kube_call(d->kube, &(struct kube_request){"GET", path, NULL, STR_NONE, ASK_TIMEOUT_MS, on_answer, d});
}

static void settle(struct discovery *d, const struct kubeblocks_dialect *dialect)
{
    bool is_doubted;
    backoff_reset(&d->backoff);
    d->looks_left -= d->looks_left > 0;
    d->missing_n = dialect == NULL ? d->missing_n + 1 : 0;
    is_doubted = dialect == NULL && d->dialect != NULL && d->missing_n < MISSING_N;
    if (is_doubted || d->looks_left > 0)
        loop_timer_set(&d->timer, SETTLE_MS);
    else if (dialect == NULL)
        loop_timer_set(&d->timer, ABSENT_AGAIN_MS);
    if (is_doubted || (d->is_known && dialect == d->dialect))
        return;
    d->dialect = dialect;
    d->is_known = true;
    d->on_change(d->arg);
}

static void try_later(struct discovery *d)
{
    uint32_t chance;
    codec_random(&chance, sizeof chance);
    loop_timer_set(&d->timer, backoff_next(&d->backoff, chance));
}

static void on_newest_list(void *arg, const struct json_value *list, const struct err *err)
{
    struct discovery *d = arg;
    (void)list;
    d->call = NULL;
    if (err == NULL || err->kind == ERR_MISSING)
        settle(d, err == NULL ? kubeblocks_newest() : kubeblocks_v1alpha1());
    else
        try_later(d);
}

static void ask_newest(struct discovery *d)
{
    struct buf path;
    buf_init(&path, KUBE_PATH_SIZE);
    kube_path_add(&path, KIND_CLUSTER, kubeblocks_newest()->version, d->namespace_name, NULL);
    buf_add_text(&path, "?limit=1");
    ask(d, buf_text(&path), on_newest_list);
    buf_fini(&path);
}

static void on_group(void *arg, const struct json_value *group, const struct err *err)
{
    struct discovery *d = arg;
    d->call = NULL;
    if (err == NULL || err->kind == ERR_MISSING)
        settle(d, err == NULL ? kubeblocks_choose(group) : NULL);
    else if (err->kind == ERR_DENIED)
        ask_newest(d);
    else
        try_later(d);
}

static void on_timer(void *arg)
{
    struct discovery *d = arg;
    if (d->call == NULL)
        ask(d, KUBEBLOCKS_GROUP_PATH, on_group);
}

void discovery_ask(struct discovery *d)
{
    d->looks_left = LOOKS_N;
    on_timer(d);
}

const struct kubeblocks_dialect *discovery_dialect(const struct discovery *d)
{
    return d->dialect;
}

struct discovery *discovery_new(struct kube *kube, const char *namespace_name, void (*on_change)(void *arg), void *arg)
{
    struct discovery *d = xcalloc(1, sizeof *d);
    d->kube = kube;
    d->namespace_name = namespace_name;
    d->on_change = on_change;
    d->arg = arg;
    d->backoff = (struct backoff){AGAIN_FIRST_MS, AGAIN_CAP_MS, 0};
    loop_timer_init(&d->timer, kube_loop(kube), on_timer, d);
    return d;
}

void discovery_free(struct discovery *d)
{
    if (d == NULL)
        return;
    op_cancel(d->call);
    loop_timer_clear(&d->timer);
    free(d);
}
