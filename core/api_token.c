// SPDX-License-Identifier: MIT
/* Names of scopes, and the form of API tokens. */
#include "core/api_token.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"

#define PREFIX "fsa_"
enum { CHECK_BYTES = 4, UNCHECKED_N = API_TOKEN_PREFIX_N + CODEC_TOKEN_SIZE - 1 };
_Static_assert(sizeof(PREFIX) - 1 == API_TOKEN_PREFIX_N, "the prefix has its length");
_Static_assert(UNCHECKED_N + 2 * CHECK_BYTES == API_TOKEN_N, "the parts make up the whole");

static const char *const ids[TOKEN_SCOPE_N] = {
#define X(name, id) [TOKEN_SCOPE_##name] = (id),
    TOKEN_SCOPES(X)
#undef X
};

const char *token_scope_id(enum token_scope scope)
{
    return ids[scope];
}

bool token_scope_parse(struct str id, enum token_scope *ret)
{
    for (size_t i = 0; i < TOKEN_SCOPE_N; i++) {
        if (str_eq_text(id, ids[i])) {
            *ret = (enum token_scope)i;
            return true;
        }
    }
    return false;
}

bool token_scope_allows(unsigned scopes, enum token_scope needed)
{
    return scopes >> needed != 0;
}

/* ---- tokens ---- */

static void add_check(struct buf *out, struct str unchecked)
{
    uint8_t hash[CODEC_SHA256_BYTES];
    codec_sha256(unchecked, hash);
    codec_hex(out, hash, CHECK_BYTES);
}

void api_token_new(char ret[API_TOKEN_SIZE])
{
    char random[CODEC_TOKEN_SIZE];
    struct buf b;
    codec_random_token(random);
    buf_init(&b, API_TOKEN_SIZE);
    buf_add_text(&b, PREFIX);
    buf_add_text(&b, random);
    add_check(&b, (struct str){b.p, b.n});
    memcpy(ret, buf_text(&b), API_TOKEN_SIZE);
    buf_fini(&b);
}

bool api_token_is_formed(struct str token)
{
    struct buf b;
    if (token.n != API_TOKEN_N || !str_starts(token, STR(PREFIX)))
        return false;
    buf_init(&b, API_TOKEN_SIZE);
    add_check(&b, str_slice(token, 0, UNCHECKED_N));
    bool is_formed = str_eq(buf_str(&b), str_slice(token, UNCHECKED_N, token.n));
    buf_fini(&b);
    return is_formed;
}
