// SPDX-License-Identifier: MIT
/* One project as the tests of k8s/ know it. */
#pragma once

#include <string.h>

#include "core/sandbox.h"

static inline struct sandbox sample_sandbox(void)
{
    struct sandbox sb = {
        .id = "01a207b8-169f-7a49-8000-000000000001",
        .project_id = "01a207b8-169f-7a49-8000-00000000000a",
        .owner_id = "01a207b8-169f-7a49-8000-0000000000ff",
        .project_name = "My Shop",
        .slug = "myshop",
        .namespace_name = "ns-ajno7yq7",
        .name = "myshop-agentruntime-qwerty",
        .database_name = "myshop-agentruntime-dbdbdb",
        .app_host = "appxkcdqwert.usw.sealos.io",
        .tty_host = "ttydxkcdqwer.usw.sealos.io",
        .app_label = "appxkcdqwert",
        .tty_label = "ttydxkcdqwer",
        .port_names = {"vhgpkduomzwt", "wqkbsmzyjwoy", "ttzqbyfmzogb", "abqysfjwzdfc"},
        .image = "fullstackagent/fullstack-web-runtime:latest",
        .restart_time = "20251011100000",
        .attempt = 1,
    };

    return sb;
}
