// SPDX-License-Identifier: MIT
/* The parts of the gate that look at a request's head only and wait for nothing. Used by gate.c. */
#pragma once

#include "core/base/err.h"
#include "server/http.h"

/* May this request come from the page it comes from? Safe methods always; others when Origin is public_url or this
 * host (https if is_secure), or, without Origin, when Sec-Fetch-Site is absent, "same-origin" or "none". Clients that
 * are no browsers send neither. fails: DENIED. source: OWASP ASVS 5.0 3.5.1; Fetch Metadata, W3C. */
MUST_CHECK bool gate_check_site(const struct http_exchange *x, const char *public_url, bool is_secure,
                                struct err *reterr);
/* A body must be JSON, or a form where the route takes_form: other types can be sent by a foreign page without asking.
 * fails: MEDIA_TYPE. */
MUST_CHECK bool gate_check_media_type(const struct http_exchange *x, bool takes_form, struct err *reterr);
/* Does the request carry Authorization: Bearer? Then the cookie does not count. *ret: its API token; absent if it has
 * not the form of one. source: RFC 6750 2.1. */
bool gate_find_bearer(const struct http_exchange *x, struct str *ret);
