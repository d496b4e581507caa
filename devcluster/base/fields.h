// SPDX-License-Identifier: MIT
/* Sets of fields as managedFields writes them (FieldsV1), and the set algebra of server-side apply. Pure.
 * source: Kubernetes API concepts, "Server-Side Apply"; sigs.k8s.io/structured-merge-diff, "fieldpath". */
#pragma once

#include <stdbool.h>

#include "core/base/arena.h"
#include "devcluster/base/doc.h"
#include "devcluster/base/fail.h"

/* The leaves of an object, without apiVersion, kind, status and what the server itself writes into metadata. */
struct doc *fields_of(struct arena *a, const struct doc *root, bool is_custom);
/* The leaves of `after` whose value is not that of `before`. */
struct doc *fields_changed(struct arena *a, const struct doc *before, const struct doc *after, bool is_custom);
/* Adds the members of `more` to `set`. */
void fields_unite(struct arena *a, struct doc *set, const struct doc *more);
/* Takes the leaves of `taken` out of `set`; levels that become empty go too. */
void fields_subtract(struct doc *set, const struct doc *taken);
bool fields_is_empty(const struct doc *set);
/* One conflict per leaf which both sets hold and whose value differs: a cause FieldManagerConflict of `manager`. */
void fields_conflicts(struct fail *f, const struct doc *mine, const struct doc *theirs, const struct doc *changed,
                      struct str manager);
/* Removes from the object what `set` names. */
void fields_prune(struct arena *a, struct doc *root, const struct doc *set, bool is_custom);
