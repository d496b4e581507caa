// SPDX-License-Identifier: MIT
/* What the cluster holds, in a file that outlives it: read at start, written shortly after each change and at the end.
 */
#pragma once

#include "core/base/err.h"
#include "core/io/loop.h"
#include "devcluster/objects/store.h"

struct keep;

/* Puts what the file holds into the store, which is empty; one that is not there is fine. Whoever listens to the store
 * hears of each object as of a new one. From then on the file follows the store; a pod that is not ready is not kept
 * (its owner makes another), nor are events and nodes. path: borrowed. NULL: it cannot be read, or a line of it is no
 * object of this cluster. */
MUST_CHECK struct keep *keep_new(struct loop *loop, struct store *store, const char *path, struct err *reterr);
/* Writes once more what is not written yet. NULL is fine. Before store_free. */
void keep_free(struct keep *k);
