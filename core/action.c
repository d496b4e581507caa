// SPDX-License-Identifier: MIT
/* The table of action.h. */
#include "core/action.h"

static const struct {
    const char *id;
    enum desired desired;
    unsigned states;
} actions[] = {
#define X(name, id, desired, states) {id, desired, states},
    ACTIONS(X)
#undef X
};

const char *action_id(enum action a)
{
    return actions[a].id;
}

enum desired action_desired(enum action a)
{
    return actions[a].desired;
}

unsigned action_states(enum action a)
{
    return actions[a].states;
}
