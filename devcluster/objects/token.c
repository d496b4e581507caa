// SPDX-License-Identifier: MIT
/* A token says in which Secret it is, "NAMESPACE.NAME.RANDOM", so that finding it needs no index. */
#include "devcluster/objects/token.h"

#include "core/base/codec.h"

struct str token_new(struct arena *a, const struct object *secret)
{
    char random[CODEC_TOKEN_SIZE];
    codec_random_token(random);
    return str_from(arena_printf(a, "%.*s.%.*s.%s", STR_ARG(secret->ns), STR_ARG(secret->name), random));
}

static size_t last_dot(struct str text)
{
    size_t n = text.n;
    while (n > 0 && text.p[n - 1] != '.')
        n--;
    return n > 0 ? n - 1 : 0;
}

const struct object *token_secret(struct store *s, struct str token)
{
    size_t first = str_find(token, '.', 0);
    size_t last = last_dot(token);
    struct arena *a;
    struct entry *e;
    struct str held = STR_NONE;
    bool is_it;
    if (first >= last)
        return NULL;
    e = store_find(s, kind_get(KIND_SECRET), str_slice(token, 0, first), str_slice(token, first + 1, last));
    if (e == NULL || str_is_none(token_account(e->now)))
        return NULL;
    a = arena_new();
    is_it = codec_base64_decode(a, doc_as_str(doc_at(e->now->root, "data", "token", NULL)), &held, NULL) &&
            codec_equal_secret(token, held);
    arena_free(a);
    return is_it ? e->now : NULL;
}

struct str token_account(const struct object *secret)
{
    if (!str_eq_text(doc_get(secret->root, "type"), TOKEN_SECRET_TYPE))
        return STR_NONE;
    return doc_get(doc_find(object_meta(secret), "annotations"), TOKEN_ACCOUNT_KEY);
}
