// SPDX-License-Identifier: MIT
/* Looks for one id among those of the configuration. */
#include "core/admin_users.h"

bool admin_users_has(const char *ids, struct str user_id)
{
    struct str rest = str_from(ids);
    struct str item;
    while (str_next(&rest, ',', &item)) {
        item = str_trim(item);
        if (item.n > 0 && str_eq(item, user_id))
            return true;
    }
    return false;
}
