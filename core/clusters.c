// SPDX-License-Identifier: MIT
/* Finding a cluster by name, and the port that hands on to it. */
#include "core/clusters.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"

enum { NAMES_BYTES_MAX = 256 };

struct clusters {
    struct port_cluster port;
    struct loop *loop;
    struct cluster *list;
    size_t n;
};

static bool is_among(struct str name, const char *names)
{
    struct str rest = str_from(names);
    struct str one;
    while (str_next(&rest, ',', &one)) {
        if (one.n > 0 && str_eq(str_trim(one), name))
            return true;
    }
    return false;
}

const struct cluster *clusters_find(const struct clusters *c, struct str name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (str_eq_text(name, c->list[i].name))
            return &c->list[i];
    }
    for (size_t i = 0; i < c->n; i++) {
        if (is_among(name, c->list[i].former_names))
            return &c->list[i];
    }
    return NULL;
}

bool clusters_choose(const struct clusters *c, struct str name, const char *field, const struct cluster **ret,
                     struct err *reterr)
{
    struct buf known;
    *ret = &c->list[0];
    if (str_is_none(name))
        return true;
    *ret = clusters_find(c, name);
    if (*ret != NULL)
        return true;
    buf_init(&known, NAMES_BYTES_MAX);
    for (size_t i = 0; i < c->n; i++)
        buf_addf(&known, "%s%s", i > 0 ? ", " : "", c->list[i].name);
    err_set_field(reterr, ERR_INVALID, __func__, field, "there is no such cluster; there are: %s", buf_text(&known));
    buf_fini(&known);
    return false;
}

/* ---- calls to a cluster that is not there ---- */

struct refusal {
    struct op op;
    struct loop *loop;
    struct loop_task task;
    struct err err;
    op_done *done; /* one of the two */
    cluster_on_credentials *on_credentials;
    void *arg;
};

static void spend(struct refusal *r)
{
    loop_task_clear(&r->task);
    loop_defer_free(r->loop, r, free);
}

static void cancel_refusal(struct op *op)
{
    spend((struct refusal *)op);
}

static void on_refusal(void *arg)
{
    struct refusal *r = arg;
    if (r->done != NULL)
        r->done(r->arg, &r->err);
    else
        r->on_credentials(r->arg, NULL, &r->err);
    spend(r);
}

static struct op *refuse(struct clusters *c, const struct sandbox *sb, op_done *done,
                         cluster_on_credentials *on_credentials, void *arg)
{
    struct refusal *r = xcalloc(1, sizeof(*r));
    r->op.cancel = cancel_refusal;
    r->loop = c->loop;
    r->done = done;
    r->on_credentials = on_credentials;
    r->arg = arg;
    err_set(&r->err, ERR_NOT_READY, __func__, "cluster %s is not in this server's configuration", sb->cluster);
    loop_task_init(&r->task, c->loop, on_refusal, r);
    loop_defer(&r->task);
    return &r->op;
}

/* ---- the port ---- */

static const struct port_cluster *port_of(const struct clusters *c, const struct sandbox *sb)
{
    const struct cluster *cluster = clusters_find(c, str_from(sb->cluster));
    return cluster != NULL ? cluster->port : NULL;
}

static void observe(void *self, const struct sandbox *sb, struct observed *ret)
{
    const struct cluster *cluster = clusters_find(self, str_from(sb->cluster));
    if (cluster == NULL) {
        *ret = (struct observed){.is_cluster_unknown = true};
        return;
    }
    cluster->port->observe(cluster->port->self, sb, ret);
    ret->are_databases_far = cluster->are_databases_far;
}

static struct op *apply(void *self, enum cluster_object object, const struct sandbox *sb, const struct env_list *env,
                        ms_t timeout_ms, op_done *done, void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->apply(port->self, object, sb, env, timeout_ms, done, arg)
                        : refuse(self, sb, done, NULL, arg);
}

static struct op *remove_object(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                                op_done *done, void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->remove(port->self, object, sb, timeout_ms, done, arg)
                        : refuse(self, sb, done, NULL, arg);
}

static struct op *halt(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms, op_done *done,
                       void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->halt(port->self, object, sb, timeout_ms, done, arg) : refuse(self, sb, done, NULL, arg);
}

static struct op *resume(void *self, enum cluster_object object, const struct sandbox *sb, ms_t timeout_ms,
                         op_done *done, void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->resume(port->self, object, sb, timeout_ms, done, arg)
                        : refuse(self, sb, done, NULL, arg);
}

static struct op *remove_former_env(void *self, const struct sandbox *sb, unsigned attempt, ms_t timeout_ms,
                                    op_done *done, void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->remove_former_env(port->self, sb, attempt, timeout_ms, done, arg)
                        : refuse(self, sb, done, NULL, arg);
}

static struct op *credentials(void *self, const struct sandbox *sb, ms_t timeout_ms, cluster_on_credentials *done,
                              void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->credentials(port->self, sb, timeout_ms, done, arg) : refuse(self, sb, NULL, done, arg);
}

static struct op *nudge(void *self, const struct sandbox *sb, ms_t timeout_ms, op_done *done, void *arg)
{
    const struct port_cluster *port = port_of(self, sb);
    return port != NULL ? port->nudge(port->self, sb, timeout_ms, done, arg) : refuse(self, sb, done, NULL, arg);
}

static void subscribe(void *self, cluster_on_change *on_change, void *arg)
{
    struct clusters *c = self;
    for (size_t i = 0; i < c->n; i++)
        c->list[i].port->subscribe(c->list[i].port->self, on_change, arg);
}

static void guard(void *self, cluster_may_send *may_send, void *arg)
{
    struct clusters *c = self;
    for (size_t i = 0; i < c->n; i++)
        c->list[i].port->guard(c->list[i].port->self, may_send, arg);
}

static void forget(void *self, struct str project_id)
{
    struct clusters *c = self;
    for (size_t i = 0; i < c->n; i++)
        c->list[i].port->forget(c->list[i].port->self, project_id);
}

/* ---- the whole ---- */

struct clusters *clusters_new(struct loop *loop, const struct cluster *list, size_t n)
{
    struct clusters *c = xcalloc(1, sizeof(*c));
    c->loop = loop;
    c->list = xcalloc(n, sizeof(*list));
    memcpy(c->list, list, n * sizeof(*list));
    c->n = n;
    c->port = (struct port_cluster){
        .self = c,
        .observe = observe,
        .apply = apply,
        .remove = remove_object,
        .halt = halt,
        .resume = resume,
        .remove_former_env = remove_former_env,
        .credentials = credentials,
        .nudge = nudge,
        .guard = guard,
        .subscribe = subscribe,
        .forget = forget,
    };
    return c;
}

void clusters_free(struct clusters *c)
{
    if (c == NULL)
        return;
    free(c->list);
    free(c);
}

const struct port_cluster *clusters_port(const struct clusters *c)
{
    return &c->port;
}

size_t clusters_count(const struct clusters *c)
{
    return c->n;
}

const struct cluster *clusters_get(const struct clusters *c, size_t i)
{
    return &c->list[i];
}
