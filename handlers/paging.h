// SPDX-License-Identifier: MIT
/* What the query of a list may hold (how many, after which row, narrowed by what) and the address of its next page.
 * Every read fails with INVALID and names the parameter; texts are in the exchange's arena. */
#pragma once

#include "core/page.h"
#include "server/http.h"

enum { PAGING_TEXT_MAX_BYTES = 256 };

/* `limit` (from 1 to most; `usual` if none is asked for). */
MUST_CHECK bool paging_read_limit(struct http_exchange *x, unsigned most, unsigned usual, unsigned *ret,
                                  struct err *reterr);
/* `page` (from 1 to most; the first one if none is asked for), of a list that another server counts in pages. */
MUST_CHECK bool paging_read_page(struct http_exchange *x, unsigned most, unsigned *ret, struct err *reterr);
/* `cursor`; *ret is left alone if there is none: the first page. */
MUST_CHECK bool paging_read_cursor(struct http_exchange *x, struct page_cursor *ret, struct err *reterr);
/* UTF-8 of at most PAGING_TEXT_MAX_BYTES, without blanks around; absent if it is missing or empty. */
MUST_CHECK bool paging_read_text(struct http_exchange *x, const char *name, struct str *ret, struct err *reterr);
/* An id of a row; as above. */
MUST_CHECK bool paging_read_id(struct http_exchange *x, const char *name, struct str *ret, struct err *reterr);
/* A moment, or a day in UTC: its begin, or, as an end, the next day's. *ret_ms is left alone if there is none. */
enum paging_bound { PAGING_FROM, PAGING_TO };
MUST_CHECK bool paging_read_time(struct http_exchange *x, const char *name, enum paging_bound bound, int64_t *ret_ms,
                                 struct err *reterr);

/* A list's path, and the query's parameters that narrow it, which end with NULL. */
struct paging_list {
    const char *path;
    const char *const *filters;
};

/* Ends the array that w holds the page in, and answers with it. last: the page's last row, if another page follows: the
 * Link field (RFC 8288) then names that, with the same limit and filters. NULL: this was the last page. */
void paging_answer(struct http_exchange *x, struct json_writer *w, const struct paging_list *list, unsigned limit,
                   const struct page_cursor *last);
