// SPDX-License-Identifier: MIT
/* Fills, wraps and names errors. Holds no table of foreign codes: SQLSTATE, HTTP and Kubernetes reasons are turned into
 * kinds where they arrive (store, k8s, core/io). */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kind_row {
    const char *slug;
    int http;
    bool is_retryable;
};

#define X(name, slug, http, retry) [ERR_##name] = {slug, http, retry},
static const struct kind_row kinds[] = {
    [ERR_NONE] = {"none", 200, false},
      ERR_KINDS(X)
};
#undef X

static const struct kind_row *kind_row(enum err_kind kind)
{
    size_t i = (size_t)kind;
    return &kinds[i < sizeof(kinds) / sizeof(kinds[0]) ? i : (size_t)ERR_BUG];
}

/* A text cut by snprintf may end inside a UTF-8 sequence, which a JSON writer would refuse later. */
static void drop_cut_character(char *text)
{
    size_t n = strlen(text);
    size_t back = 0;
    while (back < n && back < 4 && ((unsigned char)text[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back == n)
        return;
    unsigned char lead = (unsigned char)text[n - 1 - back];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (want > back + 1)
        text[n - 1 - back] = '\0';
}

static void copy_cut(char *ret, size_t size, const char *text)
{
    if (snprintf(ret, size, "%s", text) >= (int)size)
        drop_cut_character(ret);
}

/* The arguments may point into *reterr, so it is filled only when the message is made. */
PRINTF_LIKE(5, 0)
static bool fill(struct err *reterr, enum err_kind kind, const char *origin, const char *field, const char *fmt,
                 va_list args)
{
    struct err made = {.kind = kind, .origin = origin};
    if (vsnprintf(made.msg, sizeof(made.msg), fmt, args) >= (int)sizeof(made.msg))
        drop_cut_character(made.msg);
    if (field != NULL)
        copy_cut(made.field, sizeof(made.field), field);
    *reterr = made;
    return false;
}

bool err_set(struct err *reterr, enum err_kind kind, const char *origin, const char *fmt, ...)
{
    if (reterr == NULL)
        return false;
    va_list args;
    va_start(args, fmt);
    fill(reterr, kind, origin, NULL, fmt, args);
    va_end(args);
    return false;
}

bool err_set_field(struct err *reterr, enum err_kind kind, const char *origin, const char *field, const char *fmt, ...)
{
    if (reterr == NULL)
        return false;
    va_list args;
    va_start(args, fmt);
    fill(reterr, kind, origin, field, fmt, args);
    va_end(args);
    return false;
}

bool err_wrap(struct err *err, const char *doing)
{
    if (err == NULL)
        return false;
    char msg[sizeof(err->msg)];
    if (snprintf(msg, sizeof(msg), "%s: %s", doing, err->msg) >= (int)sizeof(msg))
        drop_cut_character(msg);
    memcpy(err->msg, msg, sizeof(msg));
    return false;
}

void err_copy(struct err *ret, const struct err *from)
{
    if (ret == NULL)
        return;
    if (from == NULL)
        *ret = (struct err){.kind = ERR_NONE};
    else if (ret != from)
        *ret = *from;
}

const char *err_slug(enum err_kind kind)
{
    return kind_row(kind)->slug;
}

int err_http_status(enum err_kind kind)
{
    return kind_row(kind)->http;
}

bool err_retryable(enum err_kind kind)
{
    return kind_row(kind)->is_retryable;
}
