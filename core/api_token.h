// SPDX-License-Identifier: MIT
/* What an API token may do, and what one looks like. The scopes are a ladder: each holds the ones before it. What scope
 * a route needs follows from its row (server/router.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/str.h"

#define TOKEN_SCOPES(X) X(READ, "read") X(WRITE, "write") X(ADMIN, "admin")
enum token_scope {
#define X(name, id) TOKEN_SCOPE_##name,
    TOKEN_SCOPES(X)
#undef X
        TOKEN_SCOPE_N
};

/* "read", "write", "admin". */
const char *token_scope_id(enum token_scope scope);
/* False for a word that is none of them. */
MUST_CHECK bool token_scope_parse(struct str id, enum token_scope *ret);
/* scopes: bits of 1 << enum token_scope. Is `needed` among them or below one of them? */
bool token_scope_allows(unsigned scopes, enum token_scope needed);

/* "fsa_", 256 bits as 43 base64url characters, and 8 hexadecimal digits of their SHA-256: a scanner recognises it, and
 * a mistyped one costs no look-up. */
enum { API_TOKEN_PREFIX_N = 4, API_TOKEN_N = 55, API_TOKEN_SIZE = API_TOKEN_N + 1, API_TOKEN_SHOWN_N = 12 };

/* Draws one; NUL-terminated. */
void api_token_new(char ret[API_TOKEN_SIZE]);
/* Has it the form of one that was made here? */
bool api_token_is_formed(struct str token);
