// SPDX-License-Identifier: MIT
/* The audit's part of the store's port (core/port_store.h): rows of requests, and the end of old ones. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/io/loop.h"
#include "core/io/op.h"
#include "core/page.h"
#include "core/sandbox.h"

struct audit_row {
    char id[ID_SIZE];
    int64_t at_ms;            /* wall clock */
    char user_id[ID_SIZE];    /* "": nobody, a sign-in */
    const char *method;       /* static, as is the pattern */
    const char *pattern;      /* of the route */
    const char *subject_kind; /* static: of what subject_id is */
    char subject_id[ID_SIZE]; /* "": none */
    const char *credential;   /* static: "session", "token", "none" */
    char address[48];
    char request_id[65];
    int status; /* 0: the client left before there was an answer */
};

/* self: the store's. */
struct port_audit {
    /* At most 500; a row whose id is there already is passed over. */
    struct op *(*write)(void *self, const struct audit_row *rows, size_t n, ms_t timeout_ms, op_done *done, void *arg);
    /* Removes at most max rows older than keep_ms; tells how many. */
    struct op *(*clean)(void *self, ms_t keep_ms, unsigned max, ms_t timeout_ms,
                        void (*done)(void *arg, size_t n, const struct err *err), void *arg);
};
