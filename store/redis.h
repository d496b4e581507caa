// SPDX-License-Identifier: MIT
/* Redis, as far as this program needs it: get, set with an end, delete, publish, subscribe to one channel. Two
 * connections on the loop, each made again with back-off. Written to the hiredis 0.14 API. redis*.c are the only files
 * that include hiredis. Whoever uses it can do without it: every failure is NOT_READY or TIMEOUT. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/io/op.h"

struct redis;

typedef void redis_on_state(void *arg, bool is_up, const struct err *err);
typedef void redis_on_message(void *arg, struct str payload);
/* value: valid during the call only. err: MISSING when there is no such key. */
typedef void redis_on_value(void *arg, struct str value, const struct err *err);

/* Zero means the default in brackets. */
struct redis_config {
    const struct secret *url; /* redis://[[user]:password@]host[:port][/number] or unix:///path; borrowed */
    const char *channel;      /* to subscribe to; NULL: none; borrowed during redis_new */
    ms_t connect_timeout_ms;  /* of one try, name look-up included [2,000] */
    ms_t command_timeout_ms;  /* a command not answered in this time means that the connection is dead [1,000] */
    redis_on_state *on_state; /* of the connection for commands; NULL: not told */
    redis_on_message *on_message;
    void *arg;
};

/* Begins to connect. NULL with INVALID when the URL cannot be read. */
MUST_CHECK struct redis *redis_new(struct loop *loop, const struct redis_config *config, struct err *reterr);
/* Nothing is called back afterwards. NULL is fine. */
void redis_free(struct redis *r);
bool redis_is_up(const struct redis *r);

/* Obeys core/io/op.h; the deadline is command_timeout_ms. NOT_READY at the next turn while Redis is away. */
struct op *redis_get(struct redis *r, struct str key, redis_on_value *done, void *arg);
/* Sent and forgotten; nothing is sent while Redis is away. */
void redis_set(struct redis *r, struct str key, struct str value, ms_t ttl_ms);
/* As redis_set, unless the key exists. */
void redis_add(struct redis *r, struct str key, struct str value, ms_t ttl_ms);
void redis_delete(struct redis *r, struct str key);
/* False: Redis is away, the message is not sent. */
bool redis_publish(struct redis *r, const char *channel, struct str payload);
