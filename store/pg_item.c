// SPDX-License-Identifier: MIT
/* Life and deadline of one statement. Ways to its end: answered (pg_item_end), deadline (on_timer), refused (on_timer),
 * cancelled by its caller (on_cancel), its connection or pool freed (pg_item_list_drop). A statement that was sent
 * cannot be unsent: after deadline or cancel it stays in its list without a caller until the answer comes. */
#include "store/pg_item.h"

#include <stdlib.h>

#include <libpq-fe.h>

#include "core/base/xmem.h"

void pg_item_list_init(struct pg_item_list *list)
{
    TAILQ_INIT(&list->head);
    list->n = 0;
    list->down_err = NULL;
}

static void free_item(void *p)
{
    struct pg_item *it = p;
    PQclear(it->result);
    pg_params_free(it->params);
    free(it->sql_copy);
    free(it);
}

static void unlink_item(struct pg_item *it)
{
    if (it->list == NULL)
        return;
    TAILQ_REMOVE(&it->list->head, it, link);
    it->list->n--;
    it->list = NULL;
}

void pg_item_append(struct pg_item_list *list, struct pg_item *it)
{
    unlink_item(it);
    TAILQ_INSERT_TAIL(&list->head, it, link);
    list->n++;
    it->list = list;
}

struct pg_item *pg_item_first(const struct pg_item_list *list)
{
    return TAILQ_FIRST(&list->head);
}

static void drop_item(struct pg_item *it)
{
    unlink_item(it);
    loop_timer_clear(&it->timer);
    it->done = NULL;
    loop_defer_free(it->loop, it, free_item);
}

void pg_item_end(struct pg_item *it, const struct pg_result *result, const struct err *err)
{
    pg_on_result *done = it->done;
    void *arg = it->arg;
    drop_item(it);
    if (done != NULL)
        done(arg, result, err);
}

/* The caller's deadline of a statement that is with the server: it is told, the answer will be dropped. */
static void give_up(struct pg_item *it, const struct err *err)
{
    pg_on_result *done = it->done;
    it->done = NULL;
    if (done != NULL)
        done(it->arg, NULL, err);
}

static void on_timer(void *arg)
{
    struct pg_item *it = arg;
    struct err err = {0};
    if (it->refusal != NULL) {
        err_set(&err, it->refusal_kind, __func__, "%s", it->refusal);
        err.retry_after_s = it->refusal_kind == ERR_NOT_READY ? 1 : 0;
        pg_item_end(it, NULL, &err);
        return;
    }
    if (it->is_sent) {
        err_set(&err, ERR_TIMEOUT, __func__, "PostgreSQL did not answer in time");
        give_up(it, &err);
        return;
    }
    const struct err *down = it->list == NULL ? NULL : it->list->down_err;
    err_set(&err, down != NULL ? ERR_NOT_READY : ERR_TIMEOUT, __func__, "%s",
            down != NULL ? "PostgreSQL is not reachable" : "no PostgreSQL connection was free in time");
    err.retry_after_s = down != NULL ? 1 : 0;
    pg_item_end(it, NULL, &err);
}

static void on_cancel(struct op *op)
{
    struct pg_item *it = (struct pg_item *)op;
    if (!it->is_sent) {
        drop_item(it);
        return;
    }
    loop_timer_clear(&it->timer);
    it->done = NULL;
}

struct pg_item *pg_item_new(struct loop *loop, enum pg_item_kind kind, const char *sql, struct pg_params *params)
{
    struct pg_item *it = xcalloc(1, sizeof(*it));
    it->op.cancel = on_cancel;
    it->loop = loop;
    it->kind = kind;
    it->statement = -1;
    it->sql_copy = kind == PG_ITEM_PREPARED ? NULL : xstrdup(sql);
    it->sql = kind == PG_ITEM_PREPARED ? sql : it->sql_copy;
    it->params = params;
    it->queued_ms = loop_now_ms(loop);
    loop_timer_init(&it->timer, loop, on_timer, it);
    return it;
}

void pg_item_promise(struct pg_item *it, ms_t timeout_ms, pg_on_result *done, void *arg)
{
    it->done = done;
    it->arg = arg;
    loop_timer_set(&it->timer, timeout_ms > 0 ? timeout_ms : 0);
    enum err_kind refusal = it->params == NULL ? ERR_NONE : it->params->refusal;
    if (refusal == ERR_NONE)
        return;
    it->refusal_kind = refusal;
    it->refusal = refusal == ERR_TOO_LARGE ? "the values of a statement are too large"
                  : refusal == ERR_INVALID ? "a text holds a NUL character"
                                           : "a statement has too many parameters";
}

bool pg_item_is_refused(const struct pg_item *it)
{
    return it->refusal != NULL;
}

void pg_item_refuse(struct pg_item_list *list, struct pg_item *it, enum err_kind kind, const char *text)
{
    if (text != NULL) {
        it->refusal = text;
        it->refusal_kind = kind;
    }
    pg_item_append(list, it);
    loop_timer_set(&it->timer, 0);
}

void pg_item_list_fail(struct pg_item_list *list, const struct err *err, const bool *is_stopped)
{
    /* Callbacks may append: only what is here now is failed. */
    for (unsigned n = list->n; n > 0 && list->n > 0 && !*is_stopped; n--)
        pg_item_end(pg_item_first(list), NULL, err);
}

void pg_item_list_drop(struct pg_item_list *list)
{
    while (list->n > 0)
        drop_item(pg_item_first(list));
}
