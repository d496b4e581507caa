// SPDX-License-Identifier: MIT
/* Brings one object of a sandbox to its manifest, or away, or stops what runs in it; all may be repeated at will. An
 * object of that name which is not ours is never changed and never deleted. Why create-then-look and not server-side
 * apply: docs/adr. */
#pragma once

#include "core/io/op.h"
#include "core/observed.h"
#include "core/sandbox.h"
#include "k8s/cache.h"
#include "k8s/client.h"
#include "k8s/profile.h"

struct discovery;
struct account;
struct kubeblocks_dialect;

struct act_request {
    struct kube *kube;
    struct cache *cache;
    const struct k8s_profile *profile;
    const struct kubeblocks_dialect *dialect; /* for OBJECT_DATABASE; NULL: KubeBlocks is not there */
    enum cluster_object object;
    const struct sandbox *sb;   /* copied */
    const struct env_list *env; /* copied; NULL unless OBJECT_ENV_SECRET is applied */
    ms_t timeout_ms;            /* of each call */
    op_done *done;
    void *arg;
    struct account *account;     /* borrowed for the operation's life; NULL: all is held */
    struct discovery *discovery; /* told when the dialect looks wrong; NULL: nobody is */
};

/* Errors and results as port_cluster.h says of apply and remove; what the API answered is in the cache before `done`.
 */
MUST_CHECK struct op *act_apply(const struct act_request *req);
MUST_CHECK struct op *act_remove(const struct act_request *req);
/* Of the attempt's number: what the cache knows of the present Secret stays. */
MUST_CHECK struct op *act_remove_former_env(const struct act_request *req, unsigned attempt);
MUST_CHECK struct op *act_halt(const struct act_request *req);
MUST_CHECK struct op *act_resume(const struct act_request *req);
