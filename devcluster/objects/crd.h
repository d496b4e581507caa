// SPDX-License-Identifier: MIT
/* KubeBlocks' CustomResourceDefinition: which versions of Cluster are served, which one is stored, and what becomes of
 * an object between them. conversion.strategy is None, as in KubeBlocks' own chart: the version's name is changed, and
 * what the other version's schema does not know is dropped without a word. */
#pragma once

#include "devcluster/objects/kinds.h"

enum crd {
    CRD_V1ALPHA1, /* 0.9 */
    CRD_V1,       /* a later one that serves the old version no more */
    CRD_BOTH,     /* 1.0: v1 is stored, v1alpha1 still served */
    CRD_NONE,     /* not installed */
};

/* "v1alpha1", "v1", "both", "none". */
bool crd_parse(struct str text, enum crd *ret);
/* As kind_find and kind_has_version, of what is served. */
const struct kind *crd_find(enum crd crd, struct str group, struct str version, struct str plural);
bool crd_has_version(enum crd crd, struct str group, struct str version);
/* The kind as which objects of `kind` are stored. */
const struct kind *crd_stored(enum crd crd, const struct kind *kind);
/* A copy of the object in the arena, in the other version of its kind. */
struct doc *crd_convert(struct arena *a, const struct kind *to, const struct doc *root);
