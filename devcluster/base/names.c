// SPDX-License-Identifier: MIT
/* Names, labels, quantities and durations. */
#include "devcluster/base/names.h"

#include <string.h>

static const char SUBDOMAIN_WHY[] =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char LABEL_WHY[] =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
static const char VALUE_WHY[] =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char KEY_WHY[] =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_dns_label(struct str s)
{
    if (s.n == 0 || !is_lower(s.p[0]) || !is_lower(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_lower(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool is_subdomain(struct str s)
{
    if (s.n == 0)
        return false;
    struct str part;
    while (str_next(&s, '.', &part))
        if (!is_dns_label(part))
            return false;
    return true;
}

static const char *path_refusal(struct str name)
{
    if (str_eq_text(name, ".") || str_eq_text(name, ".."))
        return "may not be '.' or '..'";
    if (str_find(name, '/', 0) < name.n)
        return "may not contain '/'";
    if (str_find(name, '%', 0) < name.n)
        return "may not contain '%'";
    return NULL;
}

const char *name_refusal(enum name_rule rule, struct str name)
{
    switch (rule) {
    case NAME_SUBDOMAIN:
        if (name.n > 253)
            return "must be no more than 253 characters";
        return is_subdomain(name) ? NULL : SUBDOMAIN_WHY;
    case NAME_LABEL:
        if (name.n > 63)
            return "must be no more than 63 characters";
        return is_dns_label(name) ? NULL : LABEL_WHY;
    case NAME_PATH:
        return path_refusal(name);
    }
    return NULL;
}

static bool is_label_text(struct str s)
{
    if (s.n == 0 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && strchr("-_.", s.p[i]) == NULL)
            return false;
    return true;
}

const char *label_key_refusal(struct str key)
{
    size_t slash = str_find(key, '/', 0);
    struct str name = key;
    if (slash < key.n) {
        struct str prefix = str_slice(key, 0, slash);
        name = str_slice(key, slash + 1, key.n);
        if (prefix.n == 0)
            return "prefix part must be non-empty";
        if (prefix.n > 253)
            return "prefix part must be no more than 253 bytes";
        if (!is_subdomain(prefix))
            return "prefix part must be a lowercase RFC 1123 subdomain";
    }
    if (name.n == 0)
        return "name part must be non-empty";
    if (name.n > 63)
        return "name part must be no more than 63 bytes";
    return is_label_text(name) ? NULL : KEY_WHY;
}

const char *label_value_refusal(struct str value)
{
    if (value.n > 63)
        return "must be no more than 63 bytes";
    return value.n == 0 || is_label_text(value) ? NULL : VALUE_WHY;
}

const char *port_name_refusal(struct str name)
{
    if (name.n > 15)
        return "must be no more than 15 characters";
    bool has_letter = false;
    for (size_t i = 0; i < name.n; i++)
        has_letter = has_letter || (name.p[i] >= 'a' && name.p[i] <= 'z');
    if (!is_dns_label(name))
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
    return has_letter ? NULL : "must contain at least one letter (a-z)";
}

const char *env_name_refusal(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 0x20 || name.p[i] > 0x7e || name.p[i] == '=')
            return "a valid environment variable name must consist only of printable ASCII characters other than '='";
    return NULL;
}

struct suffix {
    const char *text;
    int64_t times; /* 0: the suffix divides by 1000 */
};
static const struct suffix SUFFIXES[] = {
    {"m",  0                 },
    {"k",  1000              },
    {"Ki", 1LL << 10         },
    {"M",  1000000           },
    {"Mi", 1LL << 20         },
    {"G",  1000000000        },
    {"Gi", 1LL << 30         },
    {"T",  1000000000000LL   },
    {"Ti", 1LL << 40         },
    {"P",  1000000000000000LL},
    {"Pi", 1LL << 50         },
    {"",   1                 },
};

static bool multiply(int64_t *value, int64_t by)
{
    return !__builtin_mul_overflow(*value, by, value) && *value <= INT64_MAX / 2;
}

static bool suffix_apply(struct str suffix, int64_t *milli)
{
    if (suffix.n > 1 && (suffix.p[0] == 'e' || suffix.p[0] == 'E')) {
        uint64_t exponent;
        if (!str_parse_u64(str_slice(suffix, 1, suffix.n), 18, &exponent))
            return false;
        for (uint64_t i = 0; i < exponent; i++)
            if (!multiply(milli, 10))
                return false;
        return true;
    }
    for (size_t i = 0; i < sizeof(SUFFIXES) / sizeof(SUFFIXES[0]); i++) {
        if (!str_eq_text(suffix, SUFFIXES[i].text))
            continue;
        if (SUFFIXES[i].times == 0) {
            *milli = *milli / 1000 + (*milli % 1000 != 0);
            return true;
        }
        return multiply(milli, SUFFIXES[i].times);
    }
    return false;
}

bool quantity_parse(struct str text, int64_t *ret_milli)
{
    size_t digits = 0;
    while (digits < text.n && ((text.p[digits] >= '0' && text.p[digits] <= '9') || text.p[digits] == '.'))
        digits++;
    struct str number = str_slice(text, 0, digits);
    size_t dot = str_find(number, '.', 0);
    uint64_t whole = 0;
    if (number.n == 0 || (dot > 0 && !str_parse_u64(str_slice(number, 0, dot), INT64_MAX / 4000, &whole)))
        return false;
    int64_t milli = (int64_t)whole * 1000;
    int64_t place = 100;
    for (size_t i = dot + 1; i < number.n; i++) {
        if (number.p[i] == '.')
            return false;
        milli += (number.p[i] - '0') * place;
        place /= 10;
    }
    if (!suffix_apply(str_slice(text, digits, text.n), &milli))
        return false;
    *ret_milli = milli;
    return true;
}

static bool unit_ms(struct str *rest, int64_t *ret_unit_ms)
{
    static const struct {
        const char *text;
        int64_t ms;
    } units[] = {
        {"ms", 1      },
        {"s",  1000   },
        {"m",  60000  },
        {"h",  3600000},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct str unit = str_from(units[i].text);
        if (!str_starts(*rest, unit))
            continue;
        *ret_unit_ms = units[i].ms;
        *rest = str_slice(*rest, unit.n, rest->n);
        return true;
    }
    return false;
}

bool duration_parse_ms(struct str text, int64_t *ret_ms)
{
    int64_t total = 0;
    if (text.n == 0)
        return false;
    while (text.n > 0) {
        size_t digits = 0;
        while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
            digits++;
        uint64_t count;
        int64_t unit;
        if (!str_parse_u64(str_slice(text, 0, digits), 1000000, &count))
            return false;
        text = str_slice(text, digits, text.n);
        if (!unit_ms(&text, &unit))
            return false;
        total += (int64_t)count * unit;
    }
    *ret_ms = total;
    return true;
}
