// SPDX-License-Identifier: MIT
/* Small files of the state directory, read and written at start only. */
#pragma once

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

/* Writes a new file with mode 0600 and puts it in the place of an old one. */
MUST_CHECK bool files_write(const char *path, struct str bytes, struct err *reterr);
/* A larger file is TOO_LARGE; a missing one MISSING. */
MUST_CHECK bool files_read(struct arena *a, const char *path, size_t ceiling_bytes, struct str *ret,
                           struct err *reterr);
/* Mode 0700; one that is there is fine. */
MUST_CHECK bool files_make_dir(const char *path, struct err *reterr);
