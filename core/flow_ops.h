// SPDX-License-Identifier: MIT
/* What the plan's rows may start. Each begins exactly one operation of the flow's step and wakes the flow when it ends.
 */
#pragma once

#include "core/plan.h"

struct flow;

void start_apply(struct flow *f, enum step_id step);       /* the row's object */
void start_env(struct flow *f, enum step_id step);         /* reads the variables, then applies the Secret */
void start_credentials(struct flow *f, enum step_id step); /* reads the database's Secret */
void start_login(struct flow *f, enum step_id step);       /* SELECT 1 with exactly those credentials */
void start_nudge(struct flow *f, enum step_id step);       /* wakes a kubelet in back-off */
void start_halt(struct flow *f, enum step_id step);        /* ends what runs in the row's object */
void start_resume(struct flow *f, enum step_id step);      /* lets the database run */
void start_tidy(struct flow *f, enum step_id step);        /* removes an earlier attempt's Secret */
/* The row's object away again. */
void start_undo(struct flow *f, enum step_id step);
