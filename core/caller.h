// SPDX-License-Identifier: MIT
/* Who asks: what the gate (server/gate.c) finds out about a request and keeps as the exchange's context for handlers.
 */
#pragma once

#include <stdbool.h>

#include "core/base/str.h"
#include "core/port_store.h"

struct caller {
    bool is_signed_in;
    struct principal who;     /* valid if is_signed_in */
    bool is_by_token;         /* signed in by an API token: who.scopes counts */
    struct str session_token; /* as the cookie held it; absent without a well-formed one, or beside a bearer token */
    struct str api_token;     /* well-formed, of Authorization */
    const char *operation_id; /* of a request with an Idempotency-Key, each time it is run; NULL: it has none */
    const char *cookie_name;  /* of the session: "__Host-sid" over https, else "sid" */
    bool is_secure;           /* the browser speaks https, to us or to a proxy before us */
};
