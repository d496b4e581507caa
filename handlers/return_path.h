// SPDX-License-Identifier: MIT
/* Where a browser is sent after signing in: somewhere here, never elsewhere. */
#pragma once

#include "core/base/err.h"
#include "core/base/str.h"

enum { RETURN_PATH_MAX = 1000 };

/* given: a path with query and fragment, or a URL of public_url, as NextAuth's clients send it. *ret: the path,
 * borrowed from `given`. Fails with INVALID for anything that some browser could take for another host (two slashes, a
 * backslash, both also encoded, a control character), for /api and for what is too long. */
MUST_CHECK bool return_path_check(const char *public_url, struct str given, struct str *ret, struct err *reterr);
