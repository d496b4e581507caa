// SPDX-License-Identifier: MIT
/* Scopes of API tokens in bodies. */
#pragma once

#include "core/api_token.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"

/* list: an array of names, or NULL: to read. *ret: bits. Fails with INVALID at /scopes/0 and so on. */
MUST_CHECK bool tokens_read_scopes(struct arena *a, const struct json_value *list, unsigned *ret, struct err *reterr);
/* "scopes": [...] */
void tokens_write_scopes(struct json_writer *w, unsigned scopes);
