// SPDX-License-Identifier: MIT
/* The event bus: brings journal rows to readers (streams) in order, once, without gaps. Live rows are handed on as they
 * are published; whenever a reader is behind (it starts, resumes, or a number is missing because another replica wrote
 * it) the rows are read from the journal, which is the truth. */
#pragma once

#include "core/port_store.h"

struct bus;
struct bus_reader;

struct bus_listener {
    /* One row, in order of the numbers; valid during the call. */
    void (*on_event)(void *arg, const struct journal_event *event);
    /* Everything there is so far was handed over; called once, after the first catching up. */
    void (*on_live)(void *arg);
    void *arg;
};

struct bus_query {
    const char *owner_id;
    const char *project_id; /* NULL: all of the owner's */
    uint64_t after;
    unsigned attempt; /* of a project: only rows of this attempt and later ones; 0: of all */
};

struct bus *bus_new(struct loop *loop, const struct port_store *store);
void bus_free(struct bus *b);
/* A row that was just written by this replica or heard of from another. */
void bus_publish(struct bus *b, const struct journal_event *event);
/* Rows may have been written that nobody published (a write without an answer): readers look for themselves. */
void bus_hint(struct bus *b, const char *owner_id);
/* Starts to read; on_event never runs before this returns. */
MUST_CHECK struct bus_reader *bus_read(struct bus *b, const struct bus_query *query,
                                       const struct bus_listener *listener);
/* After it no callback runs; fine from within one. */
void bus_reader_free(struct bus_reader *r);
unsigned bus_readers_n(const struct bus *b);
