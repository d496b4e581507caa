// SPDX-License-Identifier: MIT
/* THE route table. */
#pragma once

#include <stddef.h>

#include "server/router.h"

extern const struct route ROUTES[];
extern const size_t ROUTES_N;
