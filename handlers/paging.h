// SPDX-License-Identifier: MIT
/* What the query of a list may hold (how many, after which row, narrowed by what) and the address of its next page.
 * Every read fails with INVALID and names the parameter; texts are in the exchange's arena. */
#pragma once

#include "core/page.h"
#include "server/http.h"

enum { PAGING_TEXT_MAX_BYTES = 256 };

struct paging {
    unsigned limit;
    struct page_cursor after;
};

/* `limit` (from 1 to most; `usual` if none is asked for) and `cursor`. */
MUST_CHECK bool paging_read(struct http_exchange *x, unsigned most, unsigned usual, struct paging *ret,
                            struct err *reterr);
/* UTF-8 of at most PAGING_TEXT_MAX_BYTES, without blanks around; absent if it is missing or empty. */
MUST_CHECK bool paging_read_text(struct http_exchange *x, const char *name, struct str *ret, struct err *reterr);
/* An id of a row; as above. */
MUST_CHECK bool paging_read_id(struct http_exchange *x, const char *name, struct str *ret, struct err *reterr);
/* A moment, or a day in UTC: its begin, or, as an end, the next day's. *ret_ms is left alone if there is none. */
enum paging_bound { PAGING_FROM, PAGING_TO };
MUST_CHECK bool paging_read_time(struct http_exchange *x, const char *name, enum paging_bound bound, int64_t *ret_ms,
                                 struct err *reterr);

/* Names the page after `last` in the answer's Link field (RFC 8288): the list at `path` with the same limit and, of the
 * query, the parameters `names`, which end with NULL. */
void paging_add_next(struct http_exchange *x, const char *path, unsigned limit, const struct page_cursor *last,
                     const char *const *names);
