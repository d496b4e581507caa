// SPDX-License-Identifier: MIT
/* Commands, publish and subscribe over two links. A command's context lives until hiredis gives its reply back, also
 * when its caller has given up before. */
#include "store/redis.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <hiredis/async.h>

#include "core/base/arena.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "store/redis_link.h"

enum { PORT = 6379, CONNECT_TIMEOUT_MS = 2000, COMMAND_TIMEOUT_MS = 1000 };

struct redis {
    struct loop *loop;
    struct redis_target target;
    struct redis_link commands;
    struct redis_link subscription;
    char *channel; /* NULL: none, and `subscription` is not used */
    ms_t command_timeout_ms;
    TAILQ_HEAD(, redis_call) calls;
    struct loop_timer silence; /* armed while commands are owed */
    unsigned owed_n;
    ms_t answered_ms;
    redis_on_state *on_state;
    redis_on_message *on_message;
    void *arg;
};

/* A GET under way. */
struct redis_call {
    struct op op;
    TAILQ_ENTRY(redis_call) link;
    struct redis *redis;
    struct loop_timer timer; /* its deadline; or, when it could not be sent, the next turn */
    bool is_sent;            /* hiredis holds it and gives it back */
    redis_on_value *done;    /* NULL: given up */
    void *arg;
};

static void end_call(struct redis_call *call, struct str value, const struct err *err);

/* ---- the URL ---- */

static bool refuse_url(struct err *reterr, const char *why)
{
    return err_set_field(reterr, ERR_INVALID, __func__, "redis_url", "the URL of Redis %s", why);
}

/* "[user]:password@" before the host. */
static bool read_login(struct redis_target *t, struct str login, struct err *reterr)
{
    struct arena *a = arena_new();
    size_t colon = str_find(login, ':', 0);
    struct str user = STR("");
    struct str password = STR("");
    bool is_ok = codec_percent_decode(a, str_slice(login, 0, colon), &user, reterr) &&
                 codec_percent_decode(a, str_slice(login, colon + 1, login.n), &password, reterr);
    if (is_ok && user.n > 0)
        t->user = xmemdup(user.p, user.n);
    if (is_ok && password.n > 0)
        t->password = secret_new(password);
    arena_free(a);
    return is_ok;
}

static bool read_host(struct redis_target *t, struct str place, struct err *reterr)
{
    uint64_t number = PORT;
    bool is_v6 = str_starts(place, STR("["));
    size_t close = is_v6 ? str_find(place, ']', 0) : 0;
    size_t colon = str_find(place, ':', close);
    struct str host = is_v6 ? str_slice(place, 1, close) : str_slice(place, 0, colon);
    if (colon < place.n && !str_parse_u64(str_slice(place, colon + 1, place.n), 65535, &number))
        return refuse_url(reterr, "has a bad port");
    t->port = (int)number;
    if (host.n == 0 || !str_copy(host, t->host, sizeof(t->host)))
        return refuse_url(reterr, "has a bad host");
    return true;
}

static bool read_url(struct redis_target *t, struct str url, struct err *reterr)
{
    if (str_starts(url, STR("unix:"))) {
        size_t scheme_n = str_starts(url, STR("unix://")) ? 7 : 5; /* unix:/path is as good as unix:///path */
        t->is_socket = true;
        if (!str_copy(str_slice(url, scheme_n, url.n), t->host, sizeof(t->host)) || t->host[0] != '/')
            return refuse_url(reterr, "has a bad path");
        return true;
    }
    if (!str_starts(url, STR("redis://")))
        return refuse_url(reterr, "begins with neither redis:// nor unix://");
    struct str rest = str_slice(url, 8, url.n);
    size_t slash = str_find(rest, '/', 0);
    struct str number = str_slice(rest, slash + 1, rest.n);
    struct str place = str_slice(rest, 0, slash);
    uint64_t database = 0;
    if (number.n > 0 && !str_parse_u64(number, 1000000, &database))
        return refuse_url(reterr, "has a bad database number");
    t->database = (int)database;
    size_t at = str_find(place, '@', 0);
    if (at == place.n)
        return read_host(t, place, reterr);
    return read_login(t, str_slice(place, 0, at), reterr) && read_host(t, str_slice(place, at + 1, place.n), reterr);
}

/* ---- the connection for commands ---- */

static void on_silence(void *arg)
{
    struct redis *r = arg;
    if (r->owed_n == 0)
        return;
    ms_t quiet_ms = loop_now_ms(r->loop) - r->answered_ms;
    if (quiet_ms < r->command_timeout_ms) {
        loop_timer_set(&r->silence, r->command_timeout_ms - quiet_ms);
        return;
    }
    struct err err = {0};
    err_set(&err, ERR_NOT_READY, __func__, "Redis has not answered for %lld ms", (long long)quiet_ms);
    redis_link_lost(&r->commands, &err);
}

static void note_sent(struct redis *r)
{
    if (r->owed_n++ == 0)
        r->answered_ms = loop_now_ms(r->loop);
    if (!loop_timer_is_set(&r->silence))
        loop_timer_set(&r->silence, r->command_timeout_ms);
}

static void note_answered(struct redis *r)
{
    r->owed_n--;
    r->answered_ms = loop_now_ms(r->loop);
}

/* Of a command whose answer nobody wants. */
static void on_ignored(redisAsyncContext *ac, void *reply, void *privdata)
{
    (void)ac;
    const redisReply *answer = reply;
    note_answered(privdata);
    if (answer != NULL && answer->type == REDIS_REPLY_ERROR)
        LOG(WARN, "redis refused a command", KV("message", (const char *)answer->str));
}

static bool send_ignored(struct redis *r, int argc, const char **argv, const size_t *lengths)
{
    if (!redis_is_up(r) || redisAsyncCommandArgv(r->commands.ac, on_ignored, r, argc, argv, lengths) != REDIS_OK)
        return false;
    note_sent(r);
    return true;
}

static void on_commands_change(void *arg, bool is_up, const struct err *err)
{
    struct redis *r = arg;
    if (r->on_state != NULL)
        r->on_state(r->arg, is_up, err);
}

/* ---- the subscription ---- */

static void on_channel(redisAsyncContext *ac, void *reply, void *privdata)
{
    (void)ac;
    struct redis *r = privdata;
    const redisReply *m = reply;
    if (m == NULL || m->type != REDIS_REPLY_ARRAY || m->elements != 3 || r->on_message == NULL)
        return;
    const redisReply *kind = m->element[0];
    const redisReply *payload = m->element[2];
    if (kind->type == REDIS_REPLY_STRING && strcmp(kind->str, "message") == 0 && payload->type == REDIS_REPLY_STRING)
        r->on_message(r->arg, (struct str){payload->str, (size_t)payload->len});
}

static void on_subscription_change(void *arg, bool is_up, const struct err *err)
{
    (void)err;
    struct redis *r = arg;
    struct err lost = {0};
    if (!is_up || redisAsyncCommand(r->subscription.ac, on_channel, r, "SUBSCRIBE %s", r->channel) == REDIS_OK)
        return;
    err_set(&lost, ERR_NOT_READY, __func__, "the channel of Redis cannot be subscribed to");
    redis_link_lost(&r->subscription, &lost);
}

/* ---- life ---- */

static void free_redis(void *p)
{
    struct redis *r = p;
    free(r->channel);
    free(r->target.user);
    secret_fini(&r->target.password);
    free(r);
}

struct redis *redis_new(struct loop *loop, const struct redis_config *config, struct err *reterr)
{
    struct redis *r = xcalloc(1, sizeof(*r));
    r->loop = loop;
    if (!read_url(&r->target, secret_reveal(config->url), reterr)) {
        free_redis(r);
        return NULL;
    }
    r->channel = config->channel != NULL ? xstrdup(config->channel) : NULL;
    r->command_timeout_ms = config->command_timeout_ms > 0 ? config->command_timeout_ms : COMMAND_TIMEOUT_MS;
    r->on_state = config->on_state;
    r->on_message = config->on_message;
    r->arg = config->arg;
    TAILQ_INIT(&r->calls);
    loop_timer_init(&r->silence, loop, on_silence, r);
    ms_t connect_ms = config->connect_timeout_ms > 0 ? config->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    redis_link_init(&r->commands, loop, &r->target, connect_ms, on_commands_change, r);
    if (r->channel != NULL)
        redis_link_init(&r->subscription, loop, &r->target, connect_ms, on_subscription_change, r);
    return r;
}

void redis_free(struct redis *r)
{
    if (r == NULL)
        return;
    r->on_state = NULL;
    r->on_message = NULL;
    struct redis_call *call;
    TAILQ_FOREACH(call, &r->calls, link)
    call->done = NULL;
    redis_link_fini(&r->commands); /* gives back what was sent */
    while ((call = TAILQ_FIRST(&r->calls)) != NULL)
        end_call(call, STR_NONE, NULL);
    if (r->channel != NULL)
        redis_link_fini(&r->subscription);
    loop_timer_clear(&r->silence);
    loop_defer_free(r->loop, r, free_redis);
}

bool redis_is_up(const struct redis *r)
{
    return r->commands.state == REDIS_UP;
}

/* ---- commands ---- */

static void end_call(struct redis_call *call, struct str value, const struct err *err)
{
    redis_on_value *done = call->done;
    call->done = NULL;
    loop_timer_clear(&call->timer);
    if (!call->is_sent) {
        TAILQ_REMOVE(&call->redis->calls, call, link);
        loop_defer_free(call->redis->loop, call, free);
    }
    if (done != NULL)
        done(call->arg, value, err);
}

static void on_value(redisAsyncContext *ac, void *reply, void *privdata)
{
    (void)ac;
    struct redis_call *call = privdata;
    const redisReply *answer = reply;
    struct err err = {0};
    note_answered(call->redis);
    call->is_sent = false;
    if (answer != NULL && answer->type == REDIS_REPLY_STRING) {
        end_call(call, (struct str){answer->str, (size_t)answer->len}, NULL);
        return;
    }
    if (answer == NULL)
        err_set(&err, ERR_NOT_READY, __func__, "the connection to Redis is lost");
    else if (answer->type == REDIS_REPLY_NIL)
        err_set(&err, ERR_MISSING, __func__, "there is no such key in Redis");
    else
        err_set(&err, ERR_UPSTREAM, __func__, "Redis refused a command");
    end_call(call, STR_NONE, &err);
}

static void on_call_timer(void *arg)
{
    struct redis_call *call = arg;
    struct err err = {0};
    if (call->is_sent)
        err_set(&err, ERR_TIMEOUT, __func__, "Redis did not answer in time");
    else
        err_set(&err, ERR_NOT_READY, __func__, "Redis is not reachable");
    end_call(call, STR_NONE, &err);
}

static void on_call_cancel(struct op *op)
{
    struct redis_call *call = (struct redis_call *)op;
    call->done = NULL;
    end_call(call, STR_NONE, NULL);
}

struct op *redis_get(struct redis *r, struct str key, redis_on_value *done, void *arg)
{
    struct redis_call *call = xcalloc(1, sizeof(*call));
    call->op.cancel = on_call_cancel;
    call->redis = r;
    TAILQ_INSERT_TAIL(&r->calls, call, link);
    call->done = done;
    call->arg = arg;
    loop_timer_init(&call->timer, r->loop, on_call_timer, call);
    const char *argv[2] = {"GET", key.p};
    const size_t lengths[2] = {3, key.n};
    call->is_sent =
        redis_is_up(r) && redisAsyncCommandArgv(r->commands.ac, on_value, call, 2, argv, lengths) == REDIS_OK;
    if (call->is_sent)
        note_sent(r);
    loop_timer_set(&call->timer, call->is_sent ? r->command_timeout_ms : 0);
    return &call->op;
}

static void set(struct redis *r, int argc, struct str key, struct str value, ms_t ttl_ms)
{
    struct arena *a = arena_new();
    const char *ttl = arena_printf(a, "%lld", (long long)(ttl_ms > 0 ? ttl_ms : 1));
    const char *argv[6] = {"SET", key.p, value.p, "PX", ttl, "NX"};
    const size_t lengths[6] = {3, key.n, value.n, 2, strlen(ttl), 2};
    (void)send_ignored(r, argc, argv, lengths);
    arena_free(a);
}

void redis_set(struct redis *r, struct str key, struct str value, ms_t ttl_ms)
{
    set(r, 5, key, value, ttl_ms);
}

void redis_add(struct redis *r, struct str key, struct str value, ms_t ttl_ms)
{
    set(r, 6, key, value, ttl_ms);
}

void redis_delete(struct redis *r, struct str key)
{
    const char *argv[2] = {"DEL", key.p};
    const size_t lengths[2] = {3, key.n};
    (void)send_ignored(r, 2, argv, lengths);
}

bool redis_publish(struct redis *r, const char *channel, struct str payload)
{
    const char *argv[3] = {"PUBLISH", channel, payload.p};
    const size_t lengths[3] = {7, strlen(channel), payload.n};
    return send_ignored(r, 3, argv, lengths);
}
