// SPDX-License-Identifier: MIT
/* Percent-decoding of paths and queries. Source: RFC 3986; '+' for a space in queries: WHATWG URL, section 5.1. */
#include "server/http_path.h"

#include "server/http_bytes.h"

/* Decodes all escapes; false at a bad one. is_query: '+' is a space. */
static bool decode(struct arena *a, struct str text, bool is_query, struct str *ret)
{
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? http_hex_value(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? http_hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (is_query && c == '+') {
            c = ' ';
        }
        out[n++] = c;
    }
    *ret = (struct str){out, n};
    return true;
}

static bool has_control(struct str s, bool is_blank_fine)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_blank = c == '\t' || c == '\n' || c == '\r';
        if ((c < 0x20 && !(is_blank && is_blank_fine)) || c == 0x7f)
            return true;
    }
    return false;
}

static bool has_encoded_slash(struct str target)
{
    for (size_t i = 0; i + 2 < target.n; i++) {
        if (target.p[i] == '%' && target.p[i + 1] == '2' && (target.p[i + 2] == 'F' || target.p[i + 2] == 'f'))
            return true;
    }
    return false;
}

static bool refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return false;
}

bool http_path_decode(struct arena *a, struct str target, struct str *ret, const char **ret_why)
{
    struct str path;
    if (has_encoded_slash(target))
        return refuse(ret_why, "The path holds an encoded slash.");
    if (!decode(a, target, false, &path))
        return refuse(ret_why, "The path holds a malformed escape.");
    if (has_control(path, false) || str_find(path, '\\', 0) < path.n || !str_is_utf8(path))
        return refuse(ret_why, "The path holds a byte that is not allowed.");
    struct str rest = str_slice(path, path.n > 0 && path.p[0] == '/' ? 1 : 0, path.n);
    struct str segment;
    while (str_next(&rest, '/', &segment)) {
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return refuse(ret_why, "The path holds a dot segment.");
        if (segment.n == 0 && !str_is_none(rest))
            return refuse(ret_why, "The path holds an empty segment.");
    }
    *ret = path;
    return true;
}

static struct str value_of(struct str pair, struct str *ret_name)
{
    size_t equals = str_find(pair, '=', 0);
    *ret_name = str_slice(pair, 0, equals);
    return str_slice(pair, equals + 1, pair.n);
}

bool http_query_check(struct arena *a, struct str query, const char **ret_why)
{
    struct str text = STR("");
    if (!str_is_none(query) && !decode(a, query, true, &text))
        return refuse(ret_why, "The query holds a malformed escape.");
    if (has_control(text, true) || !str_is_utf8(text))
        return refuse(ret_why, "The query holds a byte that is not allowed.");
    return true;
}

bool http_query_get(struct arena *a, struct str query, const char *name, struct str *ret)
{
    struct str rest = query;
    struct str pair;
    while (str_next(&rest, '&', &pair)) {
        struct str key;
        struct str value = value_of(pair, &key);
        struct str decoded;
        if (pair.n > 0 && decode(a, key, true, &decoded) && str_eq_text(decoded, name))
            return decode(a, value, true, ret);
    }
    return false;
}
