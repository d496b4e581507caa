// SPDX-License-Identifier: MIT
/* Private to redis*.c: one connection to Redis on the loop. redis_link.c owns connecting and losing it, redis.c what is
 * said over it. */
#pragma once

#include <stdbool.h>

#include "core/base/secret.h"
#include "core/io/backoff.h"
#include "core/io/loop.h"
#include "core/io/op.h"

struct redisAsyncContext; /* of hiredis */

enum { REDIS_HOST_SIZE = 254 };

/* Where Redis is, read from the URL. */
struct redis_target {
    char host[REDIS_HOST_SIZE]; /* name or address; a path when is_socket */
    bool is_socket;
    int port;
    int database;
    char *user;
    struct secret password;
};

enum redis_state {
    REDIS_LOST, /* waits for the next try */
    REDIS_LOOKING_UP,
    REDIS_CONNECTING,
    REDIS_GREETING, /* AUTH, SELECT, PING */
    REDIS_UP,
    REDIS_CLOSED,
};

struct redis_link;
typedef void redis_on_link(void *arg, bool is_up, const struct err *err);

struct redis_link {
    struct loop *loop;
    const struct redis_target *target;
    enum redis_state state;
    struct redisAsyncContext *ac;
    struct loop_fd *fd;
    int wants;
    struct loop_timer timer; /* LOST: next try; else the deadline of the try */
    struct op *look_up;
    struct backoff backoff;
    ms_t connect_timeout_ms;
    redis_on_link *on_change;
    void *arg;
};

void redis_link_init(struct redis_link *l, struct loop *loop, const struct redis_target *target,
                     ms_t connect_timeout_ms, redis_on_link *on_change, void *arg);
/* Closes it: every unanswered command's hiredis callback gets a NULL reply; then plans the next try. */
void redis_link_lost(struct redis_link *l, const struct err *err);
void redis_link_fini(struct redis_link *l);
