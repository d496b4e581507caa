// SPDX-License-Identifier: MIT
/* Ties an operation to the request that waits for it. */
#include "handlers/pending.h"

struct pending *pending_new(struct http_exchange *x, struct app *app)
{
    struct pending *p = arena_alloc(http_arena(x), sizeof(*p));
    p->x = x;
    p->app = app;
    return p;
}

static void on_gone(void *arg)
{
    struct pending *p = arg;
    op_cancel(p->op);
    p->op = NULL;
}

void pending_wait(struct pending *p, struct op *op)
{
    p->op = op;
    http_on_gone(p->x, on_gone, p);
}

bool pending_done(struct pending *p, const struct err *err)
{
    p->op = NULL;
    http_on_gone(p->x, NULL, NULL);
    if (err != NULL)
        http_answer_err(p->x, err);
    return err == NULL;
}
