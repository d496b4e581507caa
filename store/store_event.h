// SPDX-License-Identifier: MIT
/* Private to store/: a journal event as the message that travels between replicas, the same by NOTIFY (built by
 * fs_journal_add in store/migrations) and by Redis (built here); and the word of a replica that stops. */
#pragma once

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/sandbox.h"

enum { STORE_EVENT_BYTES_MAX = 8000 }; /* PostgreSQL's ceiling of a notification's payload */

/* Writes the event into w. *ret: borrowed from w. False: not sent (it is over the ceiling). */
MUST_CHECK bool store_event_write(struct json_writer *w, const char *replica_id, const struct journal_event *event,
                                  struct str *ret, struct err *reterr);
/* Is it no event but the word that a replica gave its flows back? *ret_replica: which, in the arena. */
bool store_event_is_freed(struct arena *a, struct str json, struct str *ret_replica);
/* The hash, in hexadecimal, of a session or token that has ended; absent when the message is about something else. */
struct str store_event_ended(struct arena *a, struct str json);
/* *ret_replica: who wrote it, in the arena. */
MUST_CHECK bool store_event_read(struct arena *a, struct str json, struct journal_event *ret, struct str *ret_replica,
                                 struct err *reterr);
