// SPDX-License-Identifier: MIT
/* What a request's head alone decides: foreign sites, media type, the bearer token. */
#include "server/gate_check.h"

#include "core/api_token.h"

static bool is_safe_method(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
}

static bool is_ours(const struct http_exchange *x, struct str origin, const char *public_url, bool is_secure)
{
    struct str https = STR("https://");
    struct str http = STR("http://");
    if (public_url[0] != '\0' && str_eq_text(origin, public_url))
        return true;
    size_t scheme = str_starts(origin, https) ? https.n : !is_secure && str_starts(origin, http) ? http.n : 0;
    struct str host = http_header(x, "Host");
    return scheme > 0 && host.n > 0 && str_eq_nocase(str_slice(origin, scheme, origin.n), host);
}

bool gate_check_site(const struct http_exchange *x, const char *public_url, bool is_secure, struct err *reterr)
{
    struct str origin = http_header(x, "Origin");
    struct str site = http_header(x, "Sec-Fetch-Site");
    if (is_safe_method(http_method(x)))
        return true;
    if (!str_is_none(origin)) {
        if (is_ours(x, origin, public_url, is_secure))
            return true;
    } else if (str_is_none(site) || str_eq_text(site, "same-origin") || str_eq_text(site, "none")) {
        return true;
    }
    return err_set_field(reterr, ERR_DENIED, __func__, "Origin", "Requests from another site are not accepted");
}

static bool has_body(const struct http_exchange *x)
{
    struct str length = http_header(x, "Content-Length");
    uint64_t bytes;
    if (!str_is_none(http_header(x, "Transfer-Encoding")))
        return true;
    return !str_is_none(length) && !(str_parse_u64(length, UINT64_MAX, &bytes) && bytes == 0);
}

bool gate_check_media_type(const struct http_exchange *x, bool takes_form, struct err *reterr)
{
    if (is_safe_method(http_method(x)) || !has_body(x) || http_is_json(x) || (takes_form && http_is_form(x)))
        return true;
    return err_set_field(reterr, ERR_MEDIA_TYPE, __func__, "Content-Type", "The body must be application/json%s",
                         takes_form ? " or application/x-www-form-urlencoded" : "");
}

bool gate_find_bearer(const struct http_exchange *x, struct str *ret)
{
    static const struct str scheme = {"Bearer ", 7};
    struct str value = http_header(x, "Authorization");
    *ret = STR_NONE;
    if (!str_eq_nocase(str_slice(value, 0, scheme.n), scheme))
        return false;
    value = str_trim(str_slice(value, scheme.n, value.n));
    if (api_token_is_formed(value))
        *ret = value;
    return true;
}
