// SPDX-License-Identifier: MIT
/* Private to store/: the container's variables at rest, always sealed. */
#pragma once

#include "core/port_store.h"
#include "store/pg_params.h"
#include "store/store_private.h"

/* Adds the request's variables as one sealed bytea; NULL for env NULL (keep what is stored). */
MUST_CHECK bool environment_repo_add(struct pg_params *p, const struct store *s, const char *project_id,
                                     const struct env_list *env, struct err *reterr);
/* Where the box of a variable lives: "environment|value_box|project/key". */
struct str environment_repo_aad(struct arena *a, const char *project_id, struct str key);
void environment_repo_fill(struct port_store *port);
