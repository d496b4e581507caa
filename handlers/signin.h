// SPDX-License-Identifier: MIT
/* What every way of signing in shares: the session that is asked for, its cookie, its document. */
#pragma once

#include "core/base/codec.h"
#include "core/visitor.h"
#include "handlers/app.h"
#include "server/http.h"

/* A session to be made for whoever sent x; borrowed by `wish` as long as this lives. */
struct signin {
    char token[CODEC_TOKEN_SIZE];
    char agent[VISITOR_AGENT_SIZE];
    char address[VISITOR_ADDRESS_SIZE];
    struct session_wish wish;
};

/* Draws a token of its own: one that was planted in the browser before never becomes a session. The session that the
 * browser had is to end. */
void signin_wish(struct signin *s, struct http_exchange *x, const struct app *app);
/* The session cookie; max_age_ms 0: it is removed. source: RFC 6265bis, OWASP ASVS 5.0 3.3. */
void signin_add_cookie(struct http_exchange *x, const char *token, ms_t max_age_ms);
/* Answers 200 with the session as NextAuth's clients read it. */
void signin_answer(struct http_exchange *x, const struct principal *who);
