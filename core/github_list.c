// SPDX-License-Identifier: MIT
/* A page of the user's repositories at GitHub. source: GitHub Docs, "List repositories for the authenticated user",
 * "Using pagination in the REST API". */
#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "core/github_private.h"

enum { PATH_BYTES = 128 };

struct listing {
    struct github_op base; /* first */
    github_on_page *done;
    void *arg;
};

static bool read_page(const struct listing *l, struct arena *a, const struct fetch_answer *answer,
                      struct github_page *ret, struct err *reterr)
{
    const struct json_value *body = github_read_body(a, answer, &GITHUB_LIMITS_LIST, reterr);
    struct str link = str_from(fetch_answer_header(answer, "Link"));
    if (answer->status != 200)
        return github_refuse(l->base.g, answer, body, reterr);
    if (body == NULL || !github_read_repos(a, body, ret, reterr))
        return false;
    /* That there is another page is believed, where it is is not: the token goes to no address out of an answer. */
    ret->has_next = str_find_str(link, STR("rel=\"next\"")) < link.n;
    return true;
}

static void on_page(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct listing *l = arg;
    struct arena *a = arena_new();
    struct github_page page;
    struct err err = {0};
    l->base.call = NULL;
    bool is_ok = fetch_err != NULL ? github_not_reached(fetch_err, &err) : read_page(l, a, answer, &page, &err);
    l->done(l->arg, is_ok ? &page : NULL, is_ok ? NULL : &err);
    arena_free(a);
    github_op_spend(&l->base);
}

struct op *github_repos_list(struct github *g, const struct github_listing *listing, github_on_page *done, void *arg)
{
    struct listing *l = xcalloc(1, sizeof(*l));
    struct buf path;
    l->done = done;
    l->arg = arg;
    github_op_begin(&l->base, g);
    l->base.token = secret_dup(listing->token);
    buf_init(&path, PATH_BYTES);
    buf_addf(&path, "/user/repos?sort=updated&per_page=%u&page=%u", listing->limit, listing->page);
    github_op_ask(&l->base, &(struct fetch_request){.method = "GET",
                                                    .path = buf_text(&path),
                                                    .accept = "application/vnd.github+json",
                                                    .ceiling_bytes = GITHUB_LIST_BYTES,
                                                    .on_done = on_page,
                                                    .arg = l});
    buf_fini(&path);
    return &l->base.op;
}
