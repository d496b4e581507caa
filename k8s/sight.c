// SPDX-License-Identifier: MIT
/* Goes through the watches of what a sandbox is made of. */
#include "k8s/sight.h"

#include "k8s/held.h"
#include "k8s/rights.h"

bool sight_is_spared(enum kube_kind kind)
{
    return right_is_spared(kube_kind_row(kind)->group, kube_kind_row(kind)->plural, RIGHT_WATCH);
}

bool sight_may_watch(const struct held *held, enum kube_kind kind)
{
    const struct kube_kind_row *row = kube_kind_row(kind);
    return held_has(held, row->group, row->plural, "list") && held_has(held, row->group, row->plural, "watch");
}

const struct err *sight_find_hindrance(struct watch *const *watches, const struct sandbox_kinds *kinds,
                                       sight_hindrance *of, enum kube_kind *ret_kind)
{
    for (enum kube_kind kind = 0; kind < KIND_CACHED_N; kind++) {
        const struct err *found = watches[kind] != NULL ? of(watches[kind]) : NULL;
        if (found == NULL || sight_is_spared(kind) || !kube_is_used(kube_kind_row(kind)->use, kinds))
            continue;
        *ret_kind = kind;
        return found;
    }
    return NULL;
}
