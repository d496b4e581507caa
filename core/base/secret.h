// SPDX-License-Identifier: MIT
/* A password, token or connection string. It has no branch in KV(), so logging one does not compile; its memory is
 * zeroed when freed. */
#pragma once

#include <stdbool.h>

#include "core/base/str.h"

struct secret {
    char *private_p; /* use secret_reveal */
    size_t private_n;
};

#define SECRET_NONE ((struct secret){NULL, 0})

/* Copies the bytes; an absent str gives SECRET_NONE. */
struct secret secret_new(struct str bytes);
struct secret secret_dup(const struct secret *s);
void secret_fini(struct secret *s); /* zeroes, frees, leaves SECRET_NONE; NULL and SECRET_NONE are fine */
bool secret_is_none(const struct secret *s);
/* The only way to the bytes, borrowed until secret_fini; NUL-terminated. Grep for its callers to audit. */
struct str secret_reveal(const struct secret *s);
