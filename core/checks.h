// SPDX-License-Identifier: MIT
/* The checks of the plan's steps: pure functions from what was observed to a verdict in plain words. */
#pragma once

#include "core/plan.h"

typedef void step_check(const struct step *s, const struct world *w, struct verdict *ret);

/* A verdict on a database that was there and is not PRESENT any more, though its owner did not ask for that. */
void checks_database_lost(const struct sandbox *sb, enum presence presence, struct verdict *ret);
/* The words for a claim that has a deletionTimestamp while a pod uses it. Fills ret. */
void checks_volume_going(struct verdict *ret);
/* In plain words: the sandbox's cluster does not answer, or is not known here. */
void checks_unreachable(const struct sandbox *sb, const struct observed *seen, enum reason *ret_code,
                        char ret_message[MESSAGE_SIZE]);

step_check rbac_applied;
step_check database_exists;
step_check database_running;
step_check credentials_known;
step_check login_proven;
step_check object_applied;
step_check volume_free;
step_check route_accepted;
step_check container_running;
step_check endpoint_found;
step_check terminal_listens;
step_check sandbox_available;
step_check former_env_gone;
step_check workload_halted;
step_check database_halted;
