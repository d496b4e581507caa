// SPDX-License-Identifier: MIT
/* What is not plainly a path of this server is refused, not repaired. */
#include "handlers/return_path.h"

/* Only printable ASCII: browsers encode the rest. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '\\')
            return false;
    }
    return true;
}

static bool has(struct str s, const char *part)
{
    return str_find_str(s, str_from(part)) < s.n;
}

static bool is_local(struct str s)
{
    size_t question = str_find(s, '?', 0);
    size_t hash = str_find(s, '#', 0);
    struct str path = str_slice(s, 0, question < hash ? question : hash);
    if (s.n == 0 || s.n > RETURN_PATH_MAX || s.p[0] != '/' || !is_plain(s))
        return false;
    /* An encoded slash, backslash or dot may be decoded by whatever stands before us. */
    if (has(path, "//") || has(path, "/.") || has(path, "%2f") || has(path, "%2F") || has(path, "%5c") ||
        has(path, "%5C") || has(path, "%2e") || has(path, "%2E"))
        return false;
    return !str_eq(path, STR("/api")) && !str_starts(path, STR("/api/"));
}

bool return_path_check(const char *public_url, struct str given, struct str *ret, struct err *reterr)
{
    struct str own = str_from(public_url);
    *ret = given;
    if (own.n > 0 && str_starts(given, own))
        *ret = given.n == own.n ? STR("/") : str_slice(given, own.n, given.n);
    return is_local(*ret) ||
           err_set_field(reterr, ERR_INVALID, __func__, "/callbackUrl", "callbackUrl must be a path of this server");
}
