// SPDX-License-Identifier: MIT
/* Adding lines to a configuration's report; used by config*.c. */
#pragma once

#include "core/base/err.h"
#include "server/config.h"

/* where: "file:line", a variable's name, or a key. The message holds no secret. */
void config_report_error(struct config_report *report, const char *where, const char *fmt, ...) PRINTF_LIKE(3, 4);
void config_report_warning(struct config_report *report, const char *where, const char *fmt, ...) PRINTF_LIKE(3, 4);
