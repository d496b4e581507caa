// SPDX-License-Identifier: MIT
/* Where one page of a list ends and the next one goes on: behind the row of this time and id. Rows that came before it
 * meanwhile do not shift what follows. */
#pragma once

#include <stdint.h>

struct page_cursor {
    int64_t at_us;  /* of PostgreSQL, since 1970; 0: the first page */
    const char *id; /* NULL with that; borrowed */
};
