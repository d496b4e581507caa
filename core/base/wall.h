// SPDX-License-Identifier: MIT
/* Wall time as text: milliseconds since 1970-01-01T00:00:00Z and RFC 3339. */
#pragma once

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"

enum { WALL_TEXT_SIZE = 25 }; /* "2025-10-11T10:00:00.000Z" and a NUL */

void wall_format(int64_t wall_ms, char ret[WALL_TEXT_SIZE]);
/* "20251011100000": the restartTime label of the seed (UTC). ret holds 15 bytes. */
void wall_format_compact(int64_t wall_ms, char ret[15]);
/* RFC 3339 with "Z" or an offset, any number of fraction digits (cut to ms). */
MUST_CHECK bool wall_parse(struct str text, int64_t *ret_wall_ms);
