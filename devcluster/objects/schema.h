// SPDX-License-Identifier: MIT
/* The fields an API server knows, for the kinds this project's clients write: anything else is dropped with a warning,
 * or refused when the client asks for fieldValidation=Strict. Kinds without rows take anything. */
#pragma once

#include "core/base/arena.h"
#include "devcluster/base/doc.h"
#include "devcluster/objects/kinds.h"

/* Removes unknown fields from the object; their paths ("spec.replicsa"), ended by NULL, in the arena. */
const char **schema_prune(struct arena *a, const struct kind *kind, struct doc *root);
