// SPDX-License-Identifier: MIT
/* Repositories at GitHub, with a user's own token: is there one, may the user see it, and make one. Nothing is changed
 * or removed there but by github_repos_create. source: GitHub Docs, "REST API endpoints for repositories", "Best
 * practices for using the REST API". */
#pragma once

#include "core/github.h"
#include "core/sandbox.h"

/* "owner/name"; or "name" alone, one of the user's own, where has_own. GitHub's letters: [A-Za-z0-9-_] of at most 39,
 * [A-Za-z0-9-_.] of at most 100. Fails with INVALID naming "/repoName". */
MUST_CHECK bool github_repos_check_name(struct str name, bool has_own, struct err *reterr);

struct github_repo {
    int64_t id;                  /* stays when it is renamed */
    char name[GITHUB_REPO_SIZE]; /* "owner/name" as GitHub writes it now */
    bool is_private;
};

/* What github_repos_look saw. */
struct github_look {
    const struct github_repo *repo; /* NULL: there is none, or none that the user may see */
    const char *name;               /* that was looked for, with its owner */
    bool is_own;                    /* the owner is the user; told if wants_owner or the name came without one */
    bool is_renamed;                /* repo was found under a former name */
};

/* Failures of all, each with a reason: CONFLICT "GitHubSignInNeeded" (the token is not taken any more), DENIED
 * "GitHubDenied", NOT_READY "GitHubRateLimited" with retry_after_s, NOT_READY "GitHubUnavailable"; TIMEOUT; UPSTREAM
 * for answers that are not what they should be. err.code: GitHub's HTTP status where it is known what that means. */
typedef void github_on_look(void *arg, const struct github_look *look, const struct err *err);
typedef void github_on_repo(void *arg, const struct github_repo *repo, const struct err *err);

struct github_question {
    const struct secret *token;
    struct str name; /* as github_repos_check_name takes it */
    bool wants_owner;
};
/* Three calls at most: whose the token is, the name, and where a former name leads. The contract of op.h holds; the
 * question is copied. */
MUST_CHECK struct op *github_repos_look(struct github *g, const struct github_question *question, github_on_look *done,
                                        void *arg);

struct github_repo_wish {
    const struct secret *token;
    const char *name; /* "owner/name" */
    bool is_own;      /* the owner is the user, else an organization */
    bool is_private;
};
/* One call. Besides: CONFLICT "RepositoryExists"; UNPROCESSABLE "RepositoryRefused"; MISSING "RepositoryOwnerMissing".
 * After these and whatever else has an err.code below 500 nothing was made; after anything else it may have been. */
MUST_CHECK struct op *github_repos_create(struct github *g, const struct github_repo_wish *wish, github_on_repo *done,
                                          void *arg);

enum {
    GITHUB_PAGE_MAX_N = 100, /* GitHub gives no more at a time */
    GITHUB_PAGE_LAST = 1000, /* and nobody turns so many pages */
    GITHUB_BRANCH_SIZE = 256,
};

/* One of a list. */
struct github_listed {
    struct github_repo repo;
    char default_branch[GITHUB_BRANCH_SIZE]; /* UTF-8; "" if not told */
    int64_t updated_ms;                      /* -1 if not told */
    bool can_push;                           /* the user may */
};
/* Borrowed during the callback. */
struct github_page {
    const struct github_listed *repos;
    size_t n;
    bool has_next;
};
typedef void github_on_page(void *arg, const struct github_page *page, const struct err *err);

struct github_listing {
    const struct secret *token;
    unsigned limit; /* 1 to GITHUB_PAGE_MAX_N */
    unsigned page;  /* 1 to GITHUB_PAGE_LAST */
};
/* The repositories that are the user's, or that he works on, the last changed first. One call; a page may show one
 * twice or not at all if something changes between two of them. */
MUST_CHECK struct op *github_repos_list(struct github *g, const struct github_listing *listing, github_on_page *done,
                                        void *arg);
