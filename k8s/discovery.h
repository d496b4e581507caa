// SPDX-License-Identifier: MIT
/* Which dialect of KubeBlocks the cluster speaks, and when to ask anew: KubeBlocks may be installed, upgraded or
 * removed while we run. Nothing is polled: whoever sees a sign of a change (the watch of Clusters ended, a call was
 * told that there is no such resource, fields were lost, the API came back) says so; only where there is no KubeBlocks,
 * and so no watch that could end, it is asked for once a minute. */
#pragma once

#include "k8s/client.h"
#include "k8s/kubeblocks.h"

struct discovery;

/* on_change: the dialect is another one than before, or it is known for the first time; on the loop, from within an
 * answer. namespace_name: where Clusters may be listed; borrowed. */
struct discovery *discovery_new(struct kube *kube, const char *namespace_name, void (*on_change)(void *arg), void *arg);
void discovery_free(struct discovery *d); /* NULL is fine */

/* Something hints at a change: asks now, and once more a moment later, because the API server's list of versions lags
 * behind what it serves. */
void discovery_ask(struct discovery *d);
/* NULL: KubeBlocks is not there, or nothing is known yet. */
const struct kubeblocks_dialect *discovery_dialect(const struct discovery *d);
