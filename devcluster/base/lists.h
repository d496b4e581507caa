// SPDX-License-Identifier: MIT
/* How lists and maps of the Kubernetes API merge: by key, as a set, or as one value. The part of the OpenAPI schema
 * (x-kubernetes-list-type, x-kubernetes-patch-merge-key) that strategic patches and server-side apply need. Pure. */
#pragma once

#include <stdbool.h>

#include "devcluster/base/doc.h"

enum list_type { LIST_ATOMIC, LIST_MAP, LIST_SET };

struct list_rule {
    const char *field;
    enum list_type type;
    const char *keys[2]; /* of LIST_MAP; the second may be NULL and then defaults to "TCP" when it is "protocol" */
};

/* The rule for the array under `field`; never NULL. */
const struct list_rule *list_rule(struct str field, const struct doc *array, bool is_custom);
/* Is the object under `field` replaced as a whole (label selectors)? */
bool map_is_atomic(struct str field, bool is_custom);
/* The element of `array` with the same keys as `like`, or NULL. */
struct doc *list_find(const struct list_rule *rule, const struct doc *array, const struct doc *like);
/* "k:{...}" of an element, or "v:..." of a set's value, as managedFields write it. */
struct str list_element_key(struct arena *a, const struct list_rule *rule, const struct doc *element);
