// SPDX-License-Identifier: MIT
/* A whole small file into memory: blocking, so only before the loop runs or for the few files read again on SIGHUP. */
#pragma once

#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* Adds the file's bytes to `out`, whose ceiling holds.
 * fails: MISSING when there is no such file; TOO_LARGE; INVALID for what is no file or may not be read (code: errno).
 */
MUST_CHECK bool read_file(const char *path, struct buf *out, struct err *reterr);
