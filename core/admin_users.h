// SPDX-License-Identifier: MIT
/* Who is an administrator by configuration (`admin_users`), whatever the table of users says. Pure. */
#pragma once

#include <stdbool.h>

#include "core/base/str.h"

/* ids: with commas between, blanks around them do not count. */
bool admin_users_has(const char *ids, struct str user_id);
