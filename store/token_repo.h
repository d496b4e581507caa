// SPDX-License-Identifier: MIT
/* Private to store/: how a row of api_tokens becomes the struct. */
#pragma once

#include "core/port_store.h"
#include "store/pg_params.h"
#include "store/pg_row.h"

/* Of a row called t. */
#define TOKEN_REPO_COLUMNS                                                                                             \
    "(t).id, (t).name, (t).prefix, array_to_string((t).scopes, ' '), fs_ms((t).created_at), "                          \
    "fs_ms((t).valid_until), fs_ms((t).used_at)"
enum { TOKEN_REPO_COLUMNS_N = 7, TOKEN_REPO_MAX = 50 /* a user's at a time */ };

/* Fails with BUG when the row holds what this program does not know. */
MUST_CHECK bool token_repo_read(const struct pg_result *r, size_t row, struct api_token *ret, struct err *reterr);
/* scopes: bits, as an array of texts. */
void token_repo_add_scopes(struct pg_params *p, unsigned scopes);
