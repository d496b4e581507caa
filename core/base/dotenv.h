// SPDX-License-Identifier: MIT
/* The lines of a ".env" file as the original read them. Reading the file, and what a key means, is the caller's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

enum {
    DOTENV_MAX_BYTES = 256 * 1024,
    DOTENV_MAX_VARS = 1000,
};

struct dotenv_var {
    struct str key;   /* never empty */
    struct str value; /* may be a secret, may be empty */
    unsigned line;    /* 1, 2, …: where the value that counts stands */
};

struct dotenv {
    struct dotenv_var *vars; /* each key once, in the order of first mention */
    size_t n;
    char *private_bytes; /* the copied text, zeroed by dotenv_fini */
    size_t private_bytes_n;
};

/* Splits `text` at LF. A line is skipped when it starts with '#', has no '=', or has nothing before or after the first
 * '='. A leading "export" with blanks is dropped; key and value are trimmed (blanks as JavaScript's trim knows them);
 * one quote at the front and one at the end of the value are dropped, whether they match or not. No escapes, no
 * expansion. A later mention of a key replaces the value. A key that is empty once trimmed is skipped. ret:     the
 * caller's to dotenv_fini; zeroed on failure. fails:   TOO_LARGE over a ceiling; INVALID for a NUL or bytes that are
 * not UTF-8, naming the line. */
MUST_CHECK bool dotenv_parse(struct str text, struct dotenv *ret, struct err *reterr);
/* NULL if there is no such key. */
const struct dotenv_var *dotenv_find(const struct dotenv *d, const char *key);
void dotenv_fini(struct dotenv *d); /* also for a zeroed struct */
