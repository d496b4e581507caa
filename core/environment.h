// SPDX-License-Identifier: MIT
/* The container's environment: the document's merge order, later wins: .secret/.env, the project's variables, the
 * request's, then DATABASE_URL, NODE_ENV and the terminal's own. */
#pragma once

#include "core/base/arena.h"
#include "core/sandbox.h"

/* Merges `base` (of .secret/.env) under `project` (project's variables with the request's over them) and adds what the
 * server decides. credentials: NULL keeps a DATABASE_URL of `project`. The result lives in the arena, sorted by key;
 * texts are borrowed from the inputs and the arena. */
struct env_list environment_merge(struct arena *a, const struct env_list *base, const struct env_list *project,
                                  const struct db_credentials *credentials);
