// SPDX-License-Identifier: MIT
/* The three ways to patch an object. Each changes `target` in place; texts are copied into its arena. */
#pragma once

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "devcluster/base/doc.h"

/* RFC 7386. target and patch are objects. */
void patch_merge(struct arena *a, struct doc *target, const struct doc *patch);
/* RFC 6902: add, remove, replace, test, copy, move. False when an operation cannot be done; target is then spoiled. */
MUST_CHECK bool patch_json(struct arena *a, struct doc *target, const struct doc *operations);
/* Kubernetes' strategic merge: as RFC 7386, but lists with merge keys merge by key, and {"$patch": "delete"} removes.
 */
void patch_strategic(struct arena *a, struct doc *target, const struct doc *patch);
/* What server-side apply does to the value: objects and keyed lists merge, sets unite, everything else is replaced. */
void patch_apply(struct arena *a, struct doc *target, const struct doc *config, bool is_custom);
