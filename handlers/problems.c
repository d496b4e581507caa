// SPDX-License-Identifier: MIT
/* The pages that the "type" of an error body points to (RFC 9457 section 3.1.1): one per kind of error. */
#include "handlers/handlers.h"

enum { PAGE_BYTES = 4096 };

static const enum err_kind kinds[] = {
#define X(name, slug, http, retry) ERR_##name,
    ERR_KINDS(X)
#undef X
};

static bool find_kind(struct str slug, enum err_kind *ret)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_eq_text(slug, err_slug(kinds[i]))) {
            *ret = kinds[i];
            return true;
        }
    }
    return false;
}

void problems_page(struct http_exchange *x, struct app *app)
{
    enum err_kind kind;
    struct err err = {0};
    struct buf page;
    (void)app;
    if (!find_kind(http_param(x, "slug"), &kind)) {
        err_set(&err, ERR_MISSING, __func__, "There is no such problem type");
        http_answer_err(x, &err);
        return;
    }
    buf_init(&page, PAGE_BYTES);
    buf_addf(&page, "%s\n\nAnswered with HTTP status %d. %s\n", err_slug(kind), err_http_status(kind),
             err_retryable(kind) ? "The same request may succeed later; Retry-After, where given, says when."
                                 : "The same request will not succeed; \"detail\" and \"errors\" say what to change.");
    buf_add_text(&page, "An operator finds the cause in the log under the answer's requestId.\n");
    http_answer(x, 200, "text/plain; charset=utf-8", buf_str(&page));
    buf_fini(&page);
}
