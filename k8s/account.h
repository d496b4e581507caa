// SPDX-License-Identifier: MIT
/* What our account may really do in its namespace (SelfSubjectRulesReview): so that the database's Role grants no more
 * than may be granted on, and a kind that may not be watched is not waited for. Asked at start and, since nobody tells
 * when a Role changes, again when an answer or a wish gives reason to; it is not polled. */
#pragma once

#include "core/io/op.h"
#include "k8s/client.h"
#include "k8s/held.h"

struct account;

/* on_change: it is known for the first time (or cannot be known), or it is not what it was; on the loop, from within an
 * answer. namespace_name: borrowed. kinds: of new sandboxes, copied; what only others need is not missed. */
struct account *account_new(struct kube *kube, const char *namespace_name, const struct sandbox_kinds *kinds,
                            void (*on_change)(void *arg), void *arg);
void account_free(struct account *a); /* NULL is fine */

/* Asks until there is an answer. */
void account_start(struct account *a);
/* Never NULL; nothing is known before the first on_change. */
const struct held *account_held(const struct account *a);
/* Is anything known not to be held that new sandboxes need? */
bool account_lacks(const struct account *a);
/* An answer was 403, or something that is lacking is wanted: what is known may be out of date. Asks now, but not more
 * often than every 2 s. */
void account_doubt(struct account *a);
/* Asks now, for something that must know: done when an answer to a question asked after this call is read. err: the
 * question had no answer, account_held is what it was. */
MUST_CHECK struct op *account_ask(struct account *a, op_done *done, void *arg);
