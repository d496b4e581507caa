// SPDX-License-Identifier: MIT
/* ResourceQuota: the numbers of objects and the cpu and memory of pods in a namespace. Used at admission and by the
 * controllers that create pods. */
#pragma once

#include "core/base/arena.h"
#include "devcluster/objects/store.h"

/* NULL when one more object fits, else "exceeded quota: …" in the arena. */
const char *quota_refusal(struct store *s, struct arena *a, const struct kind *kind, const struct doc *root);
/* Writes status.hard and status.used of every quota of a namespace. */
void quota_count(struct store *s, struct str ns);
