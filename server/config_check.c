// SPDX-License-Identifier: MIT
/* The meaning of single values: addresses, URLs, names. Ranges of numbers are the table's; whether files exist is found
 * out by whoever opens them. */
#include "server/config_check.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/secret.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63, SECRET_MIN_BYTES = 16 };

static bool is_numeric_ip(struct str s, int *ret_bits)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (!str_copy(s, text, sizeof(text)))
        return false;
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *ret_bits = 32;
        return true;
    }
    *ret_bits = 128;
    return inet_pton(AF_INET6, text, bytes) == 1;
}

bool config_check_address(struct str value, struct err *reterr)
{
    int bits;
    if (str_starts(value, STR("unix:/")) || is_numeric_ip(value, &bits))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is neither a numeric address nor unix:/path", STR_ARG(value));
}

bool config_check_peers(struct str value, struct err *reterr)
{
    struct str rest = value;
    struct str item;
    while (str_next(&rest, ',', &item)) {
        item = str_trim(item);
        int bits;
        uint64_t prefix = 0;
        size_t slash = str_find(item, '/', 0);
        bool is_good = is_numeric_ip(str_slice(item, 0, slash), &bits);
        if (is_good && slash < item.n)
            is_good = str_parse_u64(str_slice(item, slash + 1, item.n), (uint64_t)bits, &prefix);
        if (!is_good)
            return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is neither an address nor a CIDR", STR_ARG(item));
    }
    return true;
}

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(struct str s)
{
    if (s.n == 0 || s.n > DNS_LABEL_MAX || !is_lower_alnum(s.p[0]) || !is_lower_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_lower_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    }
    return true;
}

static bool is_dns_name(struct str s)
{
    struct str rest = s;
    struct str label;
    if (s.n == 0 || s.n > DNS_NAME_MAX)
        return false;
    while (str_next(&rest, '.', &label)) {
        if (!is_label(label))
            return false;
    }
    return true;
}

bool config_check_domain(struct str value, struct err *reterr)
{
    if (is_dns_name(value))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not a DNS name in lower case", STR_ARG(value));
}

bool config_check_kube_label(struct str value, struct err *reterr)
{
    if (is_label(value))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not a Kubernetes name (a-z, 0-9, -)", STR_ARG(value));
}

bool config_check_kube_labels(struct str value, struct err *reterr)
{
    struct str rest = value;
    struct str one;
    while (str_next(&rest, ',', &one)) {
        if (!config_check_kube_label(str_trim(one), reterr))
            return false;
    }
    return true;
}

bool config_check_kube_name(struct str value, struct err *reterr)
{
    if (is_dns_name(value))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not a Kubernetes name (a-z, 0-9, -, .)", STR_ARG(value));
}

static bool is_port(struct str s)
{
    uint64_t port;
    return str_parse_u64(s, 65535, &port) && port > 0;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool is_authority(struct str s)
{
    int bits;
    size_t end = str_find(s, ':', 0);
    if (str_starts(s, STR("["))) {
        size_t close = str_find(s, ']', 0);
        if (!is_numeric_ip(str_slice(s, 1, close), &bits) || bits != 128 || close == s.n)
            return false;
        end = close + 1;
    } else if (!is_dns_name(str_slice(s, 0, end))) {
        return false;
    }
    return end == s.n || (s.p[end] == ':' && is_port(str_slice(s, end + 1, s.n)));
}

bool config_check_public_url(struct str value, struct err *reterr)
{
    struct str https = STR("https://");
    struct str http = STR("http://");
    size_t scheme = str_starts(value, https) ? https.n : str_starts(value, http) ? http.n : 0;
    struct str rest = str_slice(value, scheme, value.n);
    if (str_ends(rest, STR("/")))
        rest = str_slice(rest, 0, rest.n - 1);
    if (scheme > 0 && is_authority(rest))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not http(s)://host[:port] in lower case, without a path",
                   STR_ARG(value));
}

static bool is_origin(struct str s)
{
    struct str https = STR("https://");
    struct str http = STR("http://");
    if (str_starts(s, https))
        return !str_ends(s, STR(":443")) && is_authority(str_slice(s, https.n, s.n));
    struct str authority = str_slice(s, http.n, s.n);
    struct str host = str_slice(authority, 0, str_find(authority, ':', 0));
    bool is_near = str_eq(host, STR("localhost")) || str_eq(host, STR("127.0.0.1"));
    return str_starts(s, http) && is_near && !str_ends(s, STR(":80")) && is_authority(authority);
}

bool config_check_origins(struct str value, struct err *reterr)
{
    struct str rest = value;
    struct str one;
    while (str_next(&rest, ',', &one)) {
        one = str_trim(one);
        if (!is_origin(one))
            return err_set(reterr, ERR_INVALID, __func__,
                           "'%.*s' is not an origin as browsers send it: https://host[:port] in lower case, without a "
                           "path and without the port 443; http for localhost only",
                           STR_ARG(one));
    }
    return true;
}

static bool is_url_path(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_lower_alnum(s.p[i]) && s.p[i] != '/' && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
            return false;
    }
    return !str_ends(s, STR("/"));
}

bool config_check_provider_url(struct str value, struct err *reterr)
{
    struct str https = STR("https://");
    bool is_near = str_starts(value, STR("http://127.0.0.1:")) || str_starts(value, STR("http://localhost:"));
    size_t scheme = str_starts(value, https) ? https.n : is_near ? STR("http://").n : 0;
    size_t slash = str_find(value, '/', scheme);
    if (scheme > 0 && is_authority(str_slice(value, scheme, slash)) && is_url_path(str_slice(value, slash, value.n)))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not https://host[:port][/path] without a slash at the end",
                   STR_ARG(value));
}

bool config_check_postgres_url(struct str value, struct err *reterr)
{
    if (str_starts(value, STR("postgresql://")) || str_starts(value, STR("postgres://")))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "does not begin with postgresql://");
}

bool config_check_redis_url(struct str value, struct err *reterr)
{
    if (str_starts(value, STR("redis://")) || str_starts(value, STR("unix:/")))
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "does not begin with redis:// or unix:/");
}

static size_t digits_n(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

bool config_check_quantity(struct str value, struct err *reterr)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"};
    size_t n = digits_n(value);
    for (size_t i = 0; n > 0 && value.p[0] != '0' && i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_eq_text(str_slice(value, n, value.n), units[i]))
            return true;
    }
    return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not a size as Kubernetes writes it (10Gi)",
                   STR_ARG(value));
}

bool config_check_path(struct str value, struct err *reterr)
{
    bool is_good = value.p[0] == '/' && value.n > 1 && str_find_str(value, STR("..")) == value.n;
    for (size_t i = 0; i < value.n; i++)
        is_good = is_good && value.p[i] > ' ' && value.p[i] < 0x7f && value.p[i] != ':';
    return is_good ||
           err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not an absolute path without ':'", STR_ARG(value));
}

/* source: Gateway API, Duration: ^([0-9]{1,5}(h|m|s|ms)){1,4}$ */
bool config_check_gateway_duration(struct str value, struct err *reterr)
{
    enum { PARTS_MAX = 4, DIGITS_MAX = 5 };
    static const char *const units[] = {"ms", "h", "m", "s"};
    struct str rest = value;
    int parts = 0;
    while (rest.n > 0 && parts < PARTS_MAX) {
        size_t n = digits_n(rest);
        size_t unit = 0;
        rest = str_slice(rest, n, rest.n);
        while (unit < 4 && !str_starts(rest, str_from(units[unit])))
            unit++;
        if (n == 0 || n > DIGITS_MAX || unit == 4)
            break;
        rest = str_slice(rest, str_from(units[unit]).n, rest.n);
        parts++;
    }
    return (parts > 0 && rest.n == 0) ||
           err_set(reterr, ERR_INVALID, __func__,
                   "'%.*s' is not a duration as the Gateway API writes it (0s, 90m, 1h30m)", STR_ARG(value));
}

/* Only what would break a manifest or a log line; the registry knows the rest. */
bool config_check_image(struct str value, struct err *reterr)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        if (!is_lower_alnum(c) && !is_upper && strchr("._-/:@", c) == NULL)
            return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not an image reference", STR_ARG(value));
    }
    return true;
}

bool config_check_version(struct str value, struct err *reterr)
{
    for (size_t i = 0; i < value.n; i++) {
        if (!is_lower_alnum(value.p[i]) && value.p[i] != '.' && value.p[i] != '-')
            return err_set(reterr, ERR_INVALID, __func__, "'%.*s' is not a version", STR_ARG(value));
    }
    return true;
}

bool config_check_keyring(struct str value, struct err *reterr)
{
    struct secret spec = secret_new(value);
    struct codec_keyring *ring = codec_keyring_new(&spec, reterr);
    secret_fini(&spec);
    codec_keyring_free(ring);
    return ring != NULL;
}

bool config_check_long_secret(struct str value, struct err *reterr)
{
    if (value.n >= SECRET_MIN_BYTES)
        return true;
    return err_set(reterr, ERR_INVALID, __func__, "shorter than %d characters", SECRET_MIN_BYTES);
}
