// SPDX-License-Identifier: MIT
/* The audit: who asked for which change, when, from where, and how it was answered; never a body or a value. Rows wait
 * in memory, AUDIT_MAX_N at most, and are written together about each second; no request waits for that. */
#pragma once

#include <stdint.h>

#include "core/io/loop.h"
#include "core/port_store.h"

struct audit;

enum { AUDIT_MAX_N = 2048 };

struct audit_stats {
    uint64_t written_n;
    uint64_t dropped_n; /* rows that were never written: too many waited, or PostgreSQL refused them */
};

/* store: borrowed; its audit is used. keep_ms: rows older than that are removed. */
MUST_CHECK struct audit *audit_new(struct loop *loop, const struct port_store *store, ms_t keep_ms, ms_t call_ms);
/* What was not written is lost. NULL is fine. */
void audit_free(struct audit *a);
/* Copies row; its id and time are filled in here. */
void audit_note(struct audit *a, const struct audit_row *row);
/* Writes what waits, then calls done once, maybe at once. After a write that fails the rest is dropped. */
void audit_drain(struct audit *a, void (*done)(void *arg), void *arg);
void audit_stats(const struct audit *a, struct audit_stats *ret);
