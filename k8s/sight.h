// SPDX-License-Identifier: MIT
/* What of a sandbox can be seen: the watches of all kinds taken together. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/sandbox.h"
#include "k8s/objects.h"
#include "k8s/watch.h"

struct held;

/* Sandboxes are made without a sight of it: other things stand for what it would tell. */
bool sight_is_spared(enum kube_kind kind);

/* Do these rights let a kind be listed and watched? */
bool sight_may_watch(const struct held *held, enum kube_kind kind);

/* What watch_refusal() or watch_trouble() says of a watch; borrowed. */
typedef const struct err *sight_hindrance(const struct watch *w);

/* What hinders the sight of the first kind that a sandbox of these kinds is made of and of which `of` has something to
 * say; ret_kind names it. NULL: nothing does, and ret_kind is not set. watches: KIND_CACHED_N, NULL where none was
 * begun. */
const struct err *sight_find_hindrance(struct watch *const *watches, const struct sandbox_kinds *kinds,
                                       sight_hindrance *of, enum kube_kind *ret_kind);
