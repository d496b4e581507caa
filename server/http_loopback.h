// SPDX-License-Identifier: MIT
/* A connection without a socket: requests are bytes put in, answers are bytes taken out. For tests of handlers, which
 * run on a simulated loop as well. One connection at a time; the next request after a closed one opens another. */
#pragma once

#include <stdbool.h>

#include "core/base/str.h"
#include "core/io/loop.h"
#include "server/http.h"
#include "server/listener.h"

struct http_loopback;

/* config: limits, trusted_proxies, server_name, is_bare; NULL: LISTENER_DEFAULTS and no proxies. Never NULL unless
 * trusted_proxies is malformed. */
MUST_CHECK struct http_loopback *http_loopback_new(struct loop *loop, const struct listener_config *config,
                                                   const struct http_service *service);
void http_loopback_free(struct http_loopback *lb); /* NULL is fine */
/* The client sends; the loop does the rest. */
void http_loopback_send(struct http_loopback *lb, struct str bytes);
/* All that was answered since the last clear; borrowed until the next call here. */
struct str http_loopback_output(const struct http_loopback *lb);
void http_loopback_clear(struct http_loopback *lb);
/* The client goes away. */
void http_loopback_leave(struct http_loopback *lb);
/* Is there a connection, that is: did the server keep it? */
bool http_loopback_is_open(const struct http_loopback *lb);
/* Readiness off, answers say close, streams end. */
void http_loopback_drain(struct http_loopback *lb);
