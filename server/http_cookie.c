// SPDX-License-Identifier: MIT
/* Cookies that hold a token of ours. */
#include "core/base/codec.h"
#include "server/http.h"

/* 256 bits as base64url: anything else was not made by us and needs no look-up. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return s.n == CODEC_TOKEN_SIZE - 1;
}

struct str http_token_cookie(const struct http_exchange *x, const char *cookie_name)
{
    struct str name = str_from(cookie_name);
    struct str rest = http_header(x, "Cookie");
    struct str pair;
    while (str_next(&rest, ';', &pair)) {
        pair = str_trim(pair);
        struct str value = str_slice(pair, name.n + 1, pair.n);
        if (pair.n > name.n && pair.p[name.n] == '=' && str_starts(pair, name) && is_token(value))
            return value;
    }
    return STR_NONE;
}
