// SPDX-License-Identifier: MIT
/* Private to github*.c: where GitHub is, and what every operation with it is made of. */
#pragma once

#include <sys/queue.h>

#include "core/github.h"

/* An operation: begins a struct that is one block of the heap, freed with it. */
struct github_op {
    struct op op;
    LIST_ENTRY(github_op) link;
    struct github *g;
    struct op *call;     /* under way; whoever hears its end sets NULL */
    struct secret token; /* SECRET_NONE: not known yet */
};

struct github {
    struct loop *loop;
    struct fetch_client *site; /* authorize, token */
    struct fetch_client *api;
    char *url;
    char *api_url;
    char *client_id;
    char *redirect_uri;
    struct secret client_secret;
    ms_t timeout_ms;
    LIST_HEAD(, github_op) running;
};

void github_op_begin(struct github_op *o, struct github *g);
/* A call of the API with the operation's token, within the time of one call. */
void github_op_ask(struct github_op *o, const struct fetch_request *what);
/* Reached by: the end of its calls, op_cancel, github_free. */
void github_op_spend(struct github_op *o);
/* Does it say that it is JSON? */
bool github_is_json(const struct fetch_answer *answer);
