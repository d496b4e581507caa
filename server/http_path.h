// SPDX-License-Identifier: MIT
/* Paths and queries as clients send them, decoded strictly. What two readers could take in two ways (an encoded slash,
 * a dot segment, half an escape) is refused, not repaired. */
#pragma once

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/str.h"

/* target: the request target without its query. False, and one static sentence, when it has a bad escape, an encoded
 * slash, a backslash, a control character, bad UTF-8, an empty segment ("//") or a dot segment. */
MUST_CHECK bool http_path_decode(struct arena *a, struct str target, struct str *ret, const char **ret_why);

/* Has every escape of the query two digits, and is every name and value UTF-8 without control characters but blanks? */
MUST_CHECK bool http_query_check(struct arena *a, struct str query, const char **ret_why);
/* Decodes the first parameter called `name` of a query that was checked ('+' is a space). False: there is none. */
bool http_query_get(struct arena *a, struct str query, const char *name, struct str *ret);
