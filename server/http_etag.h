// SPDX-License-Identifier: MIT
/* Entity tags of answers, and whether a client has those bytes already. Source: RFC 9110 8.8.3 and 13.1.2. */
#pragma once

#include <stdbool.h>

#include "core/base/str.h"
#include "server/http.h"

enum { HTTP_ETAG_SIZE = 40 };

/* Of these very bytes, as a strong one must be; with its quotes. */
void http_etag(struct str bytes, char ret[HTTP_ETAG_SIZE]);
/* Does If-None-Match name it? */
bool http_etag_is_known(const struct http_exchange *x, const char *etag);
