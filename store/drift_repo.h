// SPDX-License-Identifier: MIT
/* Private to store/: what is seen of sandboxes that run. */
#pragma once

#include "core/port_store.h"

/* Sets watched_list and drift_note. */
void drift_repo_fill(struct port_store *port);
