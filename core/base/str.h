// SPDX-License-Identifier: MIT
/* A borrowed run of bytes with its length; never "probably terminated". Input is handled as struct str, output as
 * struct buf. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct str {
    const char *p; /* NULL: absent; otherwise n bytes, not terminated */
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
/* For printf's "%.*s". */
#define STR_ARG(s)   (int)(s).n, (s).p != NULL ? (s).p : ""

/* The bytes of a NUL-terminated text; NULL gives STR_NONE. */
struct str str_from(const char *text);

bool str_is_none(struct str s);
/* Compare bytes; an absent str equals an empty one. */
bool str_eq(struct str a, struct str b);
bool str_eq_text(struct str a, const char *text);
/* ASCII letters compare without case; other bytes as they are. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Index of the first `c` at or after `from`; s.n if there is none. */
size_t str_find(struct str s, char c, size_t from);
/* Index of the first place where `part` begins; s.n if there is none. */
size_t str_find_str(struct str s, struct str part);

/* Bytes [from, to), both cut to the length. */
struct str str_slice(struct str s, size_t from, size_t to);
/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/* Takes the part before the next `sep` off the front of *rest; false when *rest is absent (nothing is left).
 * "a,,b" gives "a", "", "b"; "" gives "" once. */
bool str_next(struct str *rest, char sep, struct str *ret_part);
/* Is `item` in a list with commas between? Blanks around its entries do not count, and nothing is no entry. */
bool str_list_has(struct str list, struct str item);

/* Does a Content-Type field name that type? Its parameters, blanks and case do not count (RFC 9110 8.3.1). */
bool str_is_media_type(struct str field, struct str wanted);

/* Decimal digits only, no sign, no blanks, no overflow; the whole of `s`. */
MUST_CHECK bool str_parse_u64(struct str s, uint64_t max, uint64_t *ret);

/* True if s holds only well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/* How many bytes at the front of s are well-formed UTF-8: s.n when all are. */
size_t str_utf8_prefix(struct str s);

/* Copies into a terminated array of `size` bytes. False, and an empty text, if it does not fit or holds a NUL. */
MUST_CHECK bool str_copy(struct str s, char *ret, size_t size);
