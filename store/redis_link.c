// SPDX-License-Identifier: MIT
/* The life of one connection to Redis, a ladder: LOST -> LOOKING_UP -> CONNECTING -> GREETING -> UP -> LOST; and
 * hiredis's event hooks on the loop. hiredis ends a connection by itself too (a broken socket): then its disconnect or
 * connect callback comes with an error, inside one of the redisAsyncHandle calls. */
#include "store/redis_link.h"

#include <string.h>

#include <hiredis/async.h>

#include "core/base/codec.h"
#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/resolve.h"

enum { RETRY_FIRST_MS = 100, RETRY_CAP_MS = 5000 };

/* ---- hiredis on the loop ---- */

static void want(struct redis_link *l, int events)
{
    l->wants = events;
    if (l->fd != NULL)
        loop_fd_want(l->fd, events);
}

static void add_read(void *p)
{
    want(p, ((struct redis_link *)p)->wants | LOOP_READ);
}

static void del_read(void *p)
{
    want(p, ((struct redis_link *)p)->wants & ~LOOP_READ);
}

static void add_write(void *p)
{
    want(p, ((struct redis_link *)p)->wants | LOOP_WRITE);
}

static void del_write(void *p)
{
    want(p, ((struct redis_link *)p)->wants & ~LOOP_WRITE);
}

static void clean_up(void *p)
{
    struct redis_link *l = p;
    loop_fd_free(l->fd);
    l->fd = NULL;
    l->wants = 0;
}

static void on_fd(void *arg, int events)
{
    struct redis_link *l = arg;
    redisAsyncContext *ac = l->ac;
    if (events & (LOOP_READ | LOOP_CLOSED))
        redisAsyncHandleRead(ac);
    /* Reading may have ended it. */
    if ((events & LOOP_WRITE) && l->ac == ac && ac != NULL)
        redisAsyncHandleWrite(ac);
}

/* ---- ways down ---- */

static void set_state(struct redis_link *l, enum redis_state state)
{
    l->state = state;
}

/* Forgets the context first, so that hiredis's own callbacks find nothing more to end. */
static void close_context(struct redis_link *l)
{
    redisAsyncContext *ac = l->ac;
    l->ac = NULL;
    loop_timer_clear(&l->timer);
    op_cancel(l->look_up);
    l->look_up = NULL;
    if (ac != NULL)
        redisAsyncFree(ac);
}

static void plan_next_try(struct redis_link *l, const struct err *err)
{
    set_state(l, REDIS_LOST);
    uint32_t chance;
    codec_random(&chance, sizeof(chance));
    loop_timer_set(&l->timer, backoff_next(&l->backoff, chance));
    l->on_change(l->arg, false, err);
}

void redis_link_lost(struct redis_link *l, const struct err *err)
{
    if (l->state == REDIS_CLOSED || l->state == REDIS_LOST)
        return;
    set_state(l, REDIS_LOST);
    close_context(l);
    plan_next_try(l, err);
}

/* hiredis is ending the context itself. */
static void on_ended(const redisAsyncContext *ac, int status)
{
    struct redis_link *l = ac->ev.data != NULL ? ac->ev.data : ac->data;
    (void)status;
    if (l == NULL || l->ac != ac)
        return;
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "the connection to Redis is lost: %s",
            ac->errstr != NULL && ac->errstr[0] != '\0' ? ac->errstr : "closed");
    l->ac = NULL;
    loop_timer_clear(&l->timer);
    plan_next_try(l, &err);
}

/* ---- the way up ---- */

static void fail_greeting(struct redis_link *l, const char *what)
{
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "Redis does not accept us: %s", what);
    redis_link_lost(l, &err);
}

/* AUTH and SELECT only speak up when they fail; the PING behind them says that all went well. */
static void on_greeting(redisAsyncContext *ac, void *reply, void *is_last)
{
    struct redis_link *l = ac->data;
    const redisReply *r = reply;
    if (r == NULL || l->ac != ac || l->state != REDIS_GREETING)
        return;
    if (r->type == REDIS_REPLY_ERROR) {
        fail_greeting(l, r->str);
        return;
    }
    if (is_last == NULL)
        return;
    loop_timer_clear(&l->timer);
    backoff_reset(&l->backoff);
    set_state(l, REDIS_UP);
    l->on_change(l->arg, true, NULL);
}

static bool send_auth(struct redis_link *l)
{
    struct str password = secret_reveal(&l->target->password);
    if (str_is_none(password))
        return true;
    const char *argv[3] = {"AUTH", l->target->user, password.p};
    size_t lengths[3] = {4, l->target->user != NULL ? strlen(l->target->user) : 0, password.n};
    if (l->target->user != NULL)
        return redisAsyncCommandArgv(l->ac, on_greeting, NULL, 3, argv, lengths) == REDIS_OK;
    argv[1] = argv[2];
    lengths[1] = lengths[2];
    return redisAsyncCommandArgv(l->ac, on_greeting, NULL, 2, argv, lengths) == REDIS_OK;
}

static void greet(struct redis_link *l)
{
    static char last[] = "last";
    set_state(l, REDIS_GREETING);
    bool is_sent = send_auth(l);
    if (is_sent && l->target->database > 0)
        is_sent = redisAsyncCommand(l->ac, on_greeting, NULL, "SELECT %d", l->target->database) == REDIS_OK;
    if (!is_sent || redisAsyncCommand(l->ac, on_greeting, last, "PING") != REDIS_OK)
        fail_greeting(l, "a command could not be sent");
}

static void on_connected(const redisAsyncContext *ac, int status)
{
    struct redis_link *l = ac->data;
    if (l->ac != ac)
        return;
    if (status == REDIS_OK)
        greet(l);
    else
        on_ended(ac, status);
}

static void open_context(struct redis_link *l, const char *address)
{
    set_state(l, REDIS_CONNECTING);
    redisAsyncContext *ac =
        l->target->is_socket ? redisAsyncConnectUnix(l->target->host) : redisAsyncConnect(address, l->target->port);
    if (ac == NULL || ac->err != 0) {
        struct err err = {0};
        err_set(&err, ERR_NOT_READY, __func__, "Redis cannot be reached: %s", ac == NULL ? "no memory" : ac->errstr);
        if (ac != NULL)
            redisAsyncFree(ac);
        redis_link_lost(l, &err);
        return;
    }
    l->ac = ac;
    ac->data = l;
    ac->ev.data = l;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = clean_up;
    l->wants = 0;
    l->fd = loop_fd_new(l->loop, ac->c.fd, on_fd, l);
    if (!l->target->is_socket)
        (void)redisEnableKeepAlive(&ac->c);
    (void)redisAsyncSetDisconnectCallback(ac, on_ended);
    (void)redisAsyncSetConnectCallback(ac, on_connected); /* also begins to wait for the socket */
}

static void on_looked_up(void *arg, const struct resolved *found, const struct err *err)
{
    struct redis_link *l = arg;
    l->look_up = NULL;
    /* One address a try; the next try takes the next. */
    if (err != NULL)
        redis_link_lost(l, err);
    else
        open_context(l, found->addresses[l->backoff.tries % found->n]);
}

static void look_up(struct redis_link *l)
{
    set_state(l, REDIS_LOOKING_UP);
    loop_timer_set(&l->timer, l->connect_timeout_ms);
    if (l->target->is_socket)
        open_context(l, NULL);
    else
        l->look_up = resolve_start(l->loop, l->target->host, l->connect_timeout_ms, on_looked_up, l);
}

static void on_timer(void *arg)
{
    struct redis_link *l = arg;
    if (l->state == REDIS_LOST) {
        look_up(l);
        return;
    }
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "Redis did not answer within %lld ms", (long long)l->connect_timeout_ms);
    redis_link_lost(l, &err);
}

void redis_link_init(struct redis_link *l, struct loop *loop, const struct redis_target *target,
                     ms_t connect_timeout_ms, redis_on_link *on_change, void *arg)
{
    *l = (struct redis_link){
        .loop = loop,
        .target = target,
        .state = REDIS_LOST,
        .backoff = {RETRY_FIRST_MS, RETRY_CAP_MS, 0},
        .connect_timeout_ms = connect_timeout_ms,
        .on_change = on_change,
        .arg = arg,
    };
    loop_timer_init(&l->timer, loop, on_timer, l);
    loop_timer_set(&l->timer, 0); /* so that nothing is called before this returns */
}

void redis_link_fini(struct redis_link *l)
{
    set_state(l, REDIS_CLOSED);
    close_context(l);
}
