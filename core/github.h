// SPDX-License-Identifier: MIT
/* GitHub as a provider of identity: where a browser is sent, and who came back, by OAuth 2.0 with PKCE. Everything it
 * answers is read with ceilings and believed only where it is complete. Not here: state, cookies and sessions
 * (handlers/github.c). source: RFC 6749, RFC 7636, RFC 9700; GitHub Docs, "Authorizing OAuth apps". */
#pragma once

#include "core/base/arena.h"
#include "core/base/secret.h"
#include "core/io/fetch.h"

struct github;

struct github_settings {
    const char *url;     /* https://github.com, or of an Enterprise server; no slash at the end. All is copied. */
    const char *api_url; /* https://api.github.com, or https://HOST/api/v3; as above */
    const char *client_id;
    const struct secret *client_secret;
    const char *redirect_uri; /* fixed: what the OAuth application was registered with */
    ms_t timeout_ms;          /* of one call; a sign-in makes three at most */
};

MUST_CHECK struct github *github_new(struct loop *loop, struct fetch *f, const struct github_settings *settings,
                                     struct err *reterr);
void github_free(struct github *g); /* its calls end without callbacks; NULL is fine */

/* As configured: where people look at repositories. */
const char *github_url(const struct github *g);

/* Is `iss` of a callback ours? source: RFC 9207. */
bool github_is_issuer(const struct github *g, struct str iss);
/* Where the browser goes. state, verifier: base64url; only the verifier's SHA-256 is in the URL. In the arena. */
const char *github_authorize_url(const struct github *g, struct arena *a, const char *state, const char *verifier);

struct github_user {
    int64_t id;
    char login[40];
    char name[161];  /* the login if there is none */
    char email[255]; /* verified and primary; "" if not told */
    char image[501];
    const struct secret *token; /* borrowed during the callback */
};
/* err: DENIED (GitHub refused the code, the token or the account), UPSTREAM, TIMEOUT, TOO_LARGE. */
typedef void github_on_user(void *arg, const struct github_user *user, const struct err *err);

/* Trades the code for a token and asks whose it is; the contract of op.h holds. */
MUST_CHECK struct op *github_identify(struct github *g, struct str code, const char *verifier, github_on_user *done,
                                      void *arg);
