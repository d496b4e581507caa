// SPDX-License-Identifier: MIT
/* What NextAuth's clients post to begin a sign-in and to sign out, and the answer they read. source: @auth/core 0.41
 * and next-auth 4.24. */
#pragma once

#include "core/base/err.h"
#include "handlers/app.h"
#include "server/http.h"

struct nextauth_wish {
    struct str callback_url; /* where the browser is to go afterwards, as it came; absent: not said */
    bool is_page;            /* an HTML form sent by itself, which follows a redirect and reads no JSON */
};

/* The body of x, a form or JSON; none is a wish without any. Fails with INVALID. */
MUST_CHECK bool nextauth_read(struct http_exchange *x, struct nextauth_wish *ret, struct err *reterr);
/* {"url":…}, or a redirect there. url: text of the exchange's arena. */
void nextauth_answer(struct http_exchange *x, const struct nextauth_wish *wish, const char *url);
