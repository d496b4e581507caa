// SPDX-License-Identifier: MIT
/* Looks whether a cluster is fit for us: does it answer, is KubeBlocks there, may we do what k8s/rights.c lists. For
 * the doctor command. Changes nothing in the cluster. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/io/op.h"
#include "core/sandbox.h"
#include "k8s/client.h"

struct probe_finding {
    const char *check; /* "version", "kubeblocks" or "right" */
    bool is_good;
    bool is_spared;   /* bad, and everything goes on all the same (rights.h) */
    const char *text; /* one sentence */
};
/* Where sandboxes are made, and of what. */
struct probe_target {
    const char *namespace_name;
    struct sandbox_kinds kinds;
};

typedef void probe_on_finding(void *arg, const struct probe_finding *finding);

/* Asks everything at once. on_finding: once per question, in any order, never before this returns; then done, with NULL
 * or the first error for which a question stayed open. timeout_ms: of each question. */
MUST_CHECK struct op *probe_start(struct kube *k, const struct probe_target *target, ms_t timeout_ms,
                                  probe_on_finding *on_finding, op_done *done, void *arg);
