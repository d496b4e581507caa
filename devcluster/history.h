// SPDX-License-Identifier: MIT
/* A file that remembers every object that ever was: for tests that ask whether something was made twice. */
#pragma once

#include "core/base/err.h"
#include "devcluster/objects/store.h"

struct history;

/* Opens `path` anew and listens to the store until history_free. NULL with the reason. */
MUST_CHECK struct history *history_new(struct store *store, const char *path, struct err *reterr);
/* The store must not change after that. NULL is fine. */
void history_free(struct history *h);
