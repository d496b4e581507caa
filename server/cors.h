// SPDX-License-Identifier: MIT
/* Pages of other origins that may call the API (`cors.origins`): they get the fields that let them read answers, and
 * show an API token. Cookies never count for them: no answer carries Access-Control-Allow-Credentials, and the gate
 * takes no change from them without a bearer token (docs/adr/0033). source: Fetch, "CORS protocol"; RFC 6454. */
#pragma once

#include "server/http.h"
#include "server/router.h"

/* Does the request come from a page of one of `origins` ("scheme://host[:port]", with commas between), byte for byte?
 * Adds the fields that the answer then needs, whatever it will be. "": false, and nothing is added. */
MUST_CHECK bool cors_admit(struct http_exchange *x, const char *origins);
/* To an admitted request that asks what it may send: adds what may be sent to this path. The router answers it. */
void cors_add_preflight(struct http_exchange *x, const struct router *router);
