// SPDX-License-Identifier: MIT
/* Private to github*.c: where GitHub is, and what every operation with it is made of. */
#pragma once

#include <sys/queue.h>

#include "core/base/json_read.h"
#include "core/github.h"
#include "core/github_repos.h"

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

/* ---- answers: github_answers.c ---- */

enum {
    GITHUB_ONE_BYTES = 256 * 1024,       /* a repository with its owner, organization and template is some 20 KiB */
    GITHUB_LIST_BYTES = 2 * 1024 * 1024, /* in a list it is some 6 KiB */
};
extern const struct json_limits GITHUB_LIMITS_ONE;
extern const struct json_limits GITHUB_LIMITS_LIST;

/* What it said, whatever the status; NULL with err set (UPSTREAM) where that cannot be read and is needed: in success.
 */
const struct json_value *github_read_body(struct arena *a, const struct fetch_answer *answer,
                                          const struct json_limits *limits, struct err *reterr);
/* What an answer that is no success means. body: what it said, NULL if that is no JSON. Gives false, as the next two.
 */
bool github_refuse(const struct github *g, const struct fetch_answer *answer, const struct json_value *body,
                   struct err *reterr);
/* What it means that there was no answer. */
bool github_not_reached(const struct err *fetch_err, struct err *reterr);
bool github_set_reason(struct err *reterr, int status, const char *reason);

/* Each fails with UPSTREAM where what is needed is not there; no text of an answer stands in err. */
bool github_read_token(const struct json_value *v, struct secret *ret, struct err *reterr); /* or DENIED */
bool github_read_user(const struct json_value *v, struct github_user *ret, struct err *reterr);
bool github_read_repo(const struct json_value *v, struct github_repo *ret, struct err *reterr);
bool github_read_repos(struct arena *a, const struct json_value *list, struct github_page *ret, struct err *reterr);
/* Sets the e-mail address that is verified and primary; leaves it alone if there is none. */
void github_read_address(const struct json_value *list, struct github_user *ret);
