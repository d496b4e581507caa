// SPDX-License-Identifier: MIT
/* Tokens of service accounts: each is in a Secret, and good for as long as that Secret is there. */
#pragma once

#include "devcluster/objects/store.h"

#define TOKEN_SECRET_TYPE     "kubernetes.io/service-account-token"
#define TOKEN_ACCOUNT_KEY     "kubernetes.io/service-account.name" /* annotations of the Secret */
#define TOKEN_ACCOUNT_UID_KEY "kubernetes.io/service-account.uid"

/* A fresh one for the Secret, in the arena. */
struct str token_new(struct arena *a, const struct object *secret);
/* The Secret that holds this token; NULL: none does. */
const struct object *token_secret(struct store *s, struct str token);
/* The name of the account whose token the Secret is for; absent: it is another kind of Secret. */
struct str token_account(const struct object *secret);
