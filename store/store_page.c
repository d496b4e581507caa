// SPDX-License-Identifier: MIT
/* A page of a list: one row more than asked for is read, and says whether another page follows. */
#include "store/store_private.h"

void store_page_ask(struct store_call *call, struct pg_params *p, unsigned limit, unsigned most,
                    const struct page_cursor *after)
{
    call->limit = limit < most ? limit : most;
    pg_add_int(p, call->limit);
    pg_add_int_or_null(p, after->at_us);
    pg_add_text(p, after->id);
}

size_t store_page_rows(const struct store_call *call, size_t n, bool *ret_has_more)
{
    *ret_has_more = n > call->limit;
    return *ret_has_more ? call->limit : n;
}
