// SPDX-License-Identifier: MIT
/* What an owner can do to a project as a whole, and in which states of its sandbox: one table, for the requests that
 * are refused and for the list that clients are shown. */
#pragma once

#include "core/stage.h"

#define ACTION_IN(status) (1u << SANDBOX_##status)

/*    name     wire id    leads to           in which states */
#define ACTIONS(X)                                                                                                     \
    X(START, "start", DESIRED_RUNNING,                                                                                 \
      ACTION_IN(STOPPED) | ACTION_IN(STOPPING) | ACTION_IN(ERROR) | ACTION_IN(TERMINATED))                             \
    X(STOP, "stop", DESIRED_STOPPED,                                                                                   \
      ACTION_IN(RUNNING) | ACTION_IN(STARTING) | ACTION_IN(ERROR) | ACTION_IN(TERMINATED))                             \
    X(RESTART, "restart", DESIRED_RUNNING, ACTION_IN(RUNNING))                                                         \
    X(DELETE, "delete", DESIRED_DELETED,                                                                               \
      ACTION_IN(CREATING) | ACTION_IN(STARTING) | ACTION_IN(RUNNING) | ACTION_IN(STOPPING) | ACTION_IN(STOPPED) |      \
          ACTION_IN(ERROR) | ACTION_IN(TERMINATED))

enum action {
#define X(name, id, desired, states) ACTION_##name,
    ACTIONS(X)
#undef X
        ACTION_N
};

const char *action_id(enum action a);
enum desired action_desired(enum action a);
/* Bits of enum sandbox_status. */
unsigned action_states(enum action a);
