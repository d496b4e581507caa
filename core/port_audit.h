// SPDX-License-Identifier: MIT
/* The audit's part of the store's port (core/port_store.h): rows of requests, how they are read, and the end of old
 * ones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"
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
    char token_id[ID_SIZE];   /* of the API token; "": none */
    char address[48];
    char request_id[65];
    int status; /* 0: the client left before there was an answer */
};

/* Which rows, newest first. */
struct audit_query {
    unsigned limit; /* 1 to AUDIT_PER_PAGE */
    struct page_cursor after;
    struct str user_id;    /* who asked; absent, here and below: of all */
    struct str project_id; /* that the change is of */
    struct str of_user_id; /* the same of a user */
    struct str action;     /* method and pattern, with a blank between */
    int status_class;      /* the first digit of the status, 0: those without an answer; -1: all */
    int status;            /* 0: all of that class */
    int64_t since_ms;      /* wall clock, then or later; 0: at any time */
    int64_t until_ms;      /* before that; 0: at any time */
};
enum { AUDIT_PER_PAGE = 1000 };

/* A row as it is read; an absent text is none. */
struct audit_entry {
    struct str id;
    struct str user_id;
    struct str user_name; /* absent: the user is gone */
    struct str action;
    struct str subject_kind;
    struct str subject_id;
    struct str credential;
    struct str token_id;
    struct str address;
    struct str request_id;
    int64_t at_ms;
    int status; /* 0: there was no answer */
};
struct audit_page {
    const struct audit_entry *entries;
    size_t n;
    bool has_more;
    struct page_cursor last; /* the last entry */
};
/* page: borrowed during the call. */
typedef void store_on_audit(void *arg, const struct audit_page *page, const struct err *err);

/* self: the store's. */
struct port_audit {
    /* At most 500; a row whose id is there already is passed over. */
    struct op *(*write)(void *self, const struct audit_row *rows, size_t n, ms_t timeout_ms, op_done *done, void *arg);
    /* Removes at most max rows older than keep_ms; tells how many. */
    struct op *(*clean)(void *self, ms_t keep_ms, unsigned max, ms_t timeout_ms,
                        void (*done)(void *arg, size_t n, const struct err *err), void *arg);
    struct op *(*list)(void *self, const struct audit_query *query, ms_t timeout_ms, store_on_audit *done, void *arg);
};
