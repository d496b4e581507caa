// SPDX-License-Identifier: MIT
/* The part of the store port about lists of projects: which of them, and a page of what was found. */
#pragma once

#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/page.h"
#include "core/sandbox.h"

/* Which of an owner's projects, the last changed first. What changes while pages are read comes again on an earlier
 * one. */
struct project_query {
    const char *owner_id;
    unsigned limit;           /* 1 to PROJECTS_PER_PAGE */
    struct str keyword;       /* in the name or the description, in either case; absent: all */
    int64_t created_from_ms;  /* wall clock; made then or later; 0: at any time */
    int64_t created_to_ms;    /* made before that; 0: at any time */
    struct page_cursor after; /* `last` of the page before */
};
enum { PROJECTS_PER_PAGE = 1000 };

struct project_page {
    const struct project *projects;
    size_t n;
    bool has_more;
    struct page_cursor last; /* the last project */
    uint64_t journal_seq;    /* the owner's newest number when it was read; 0 in a list of all owners' */
};
typedef void store_on_projects(void *arg, const struct project_page *page, const struct err *err);
