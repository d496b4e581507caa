// SPDX-License-Identifier: MIT
/* Bodies of HTML forms (application/x-www-form-urlencoded), read strictly: what two readers could take in two ways is
 * refused. source: WHATWG URL, section 5.1. */
#pragma once

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

/* One row per field that may come; each may be left out. The struct's member is a struct str. */
struct form_field {
    const char *name;
    size_t offset;
    size_t max_bytes; /* decoded */
};

/* Texts are the arena's and NUL-terminated. A member whose field did not come is left alone. Fails with INVALID for a
 * malformed escape, a NUL, bad UTF-8, a name that is not in the table or comes twice, and what is too long. */
MUST_CHECK bool form_bind(struct arena *a, struct str body, const struct form_field *fields, size_t n_fields,
                          void *ret_struct, struct err *reterr);
