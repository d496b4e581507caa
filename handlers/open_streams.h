// SPDX-License-Identifier: MIT
/* The open streams of this process by the session or token that opened them: when that ends, they end. Told by the
 * store at once; asked for twice a minute besides, because a word may be missed and because time ends sessions
 * silently. */
#pragma once

#include <sys/queue.h>

#include "core/base/codec.h"
#include "core/caller.h"
#include "core/port_store.h"

enum { OPEN_STREAMS_CHECK_MS = 30000, CREDENTIAL_SIZE = 2 * CODEC_SHA256_BYTES + 1 };

struct open_streams;

/* Subscribes to the store; one per store. timeout_ms: of one question. */
struct open_streams *open_streams_new(struct loop *loop, const struct port_store *store, ms_t timeout_ms);
/* Its members must be gone. NULL is fine. */
void open_streams_free(struct open_streams *s);

/* A member, embedded in its owner. */
struct open_stream {
    LIST_ENTRY(open_stream) link; /* private, as is the next */
    char credential[CREDENTIAL_SIZE];
    void (*on_ended)(void *arg); /* must not remove any member before it returns; may come twice */
    void *arg;
};
/* caller: signed in. */
void open_streams_add(struct open_streams *s, struct open_stream *member, const struct caller *caller);
void open_streams_remove(struct open_stream *member);
