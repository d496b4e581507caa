// SPDX-License-Identifier: MIT
/* Server-sent events on top of an http_stream: prebuilt frames shared by all readers, heartbeats, resume points.
 * Source: WHATWG HTML, section 9.2 "Server-sent events". What an event means is the caller's business. */
#pragma once

#include <stdint.h>

#include "core/base/str.h"
#include "server/http.h"

struct sse_stream;
struct sse_frame;

/* One event, built once and sent to many. id 0: no id line. event: "stage", "status", …; data_json: one line. */
struct sse_frame *sse_frame_new(uint64_t id, const char *event, struct str data_json);
struct sse_frame *sse_frame_ref(struct sse_frame *f);
void sse_frame_unref(struct sse_frame *f); /* NULL is fine */

/* Answers 200 text/event-stream with Cache-Control: no-store and X-Accel-Buffering: no, sends "retry:" and starts the
 * heartbeat comment. on_close: once, when the client left or was cut; the stream is invalid afterwards. */
MUST_CHECK struct sse_stream *sse_start(struct http_exchange *x, void (*on_close)(void *arg), void *arg);
/* Frames of ids not above the last one sent are left out, so replay and live may overlap. False: cut; on_close follows.
 */
bool sse_send(struct sse_stream *s, const struct sse_frame *f);
/* The largest id sent. */
uint64_t sse_last_id(const struct sse_stream *s);
/* Ends the answer; on_close does not run. */
void sse_end(struct sse_stream *s);

/* The resume point of a request: Last-Event-ID, else ?after=, else 0. Not a number: false with INVALID. */
MUST_CHECK bool sse_resume_point(const struct http_exchange *x, uint64_t *ret_after, struct err *reterr);
