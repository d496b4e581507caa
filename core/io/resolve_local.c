// SPDX-License-Identifier: MIT
/* Names and addresses known without asking: numeric texts, the hosts file, localhost. Pure. */
#include "core/io/resolve_local.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOST_MAX = 253, LABEL_MAX = 63 };

static bool is_v4(const char *text)
{
    struct in_addr v4;
    return inet_pton(AF_INET, text, &v4) == 1;
}

bool resolve_is_address(struct str host)
{
    char text[RESOLVE_ADDRESS_SIZE];
    struct in6_addr v6;
    if (!str_copy(host, text, sizeof(text)))
        return false;
    if (is_v4(text))
        return true;
    size_t zone = str_find(host, '%', 0);
    if (zone + 1 == host.n)
        return false;
    text[zone] = '\0';
    return inet_pton(AF_INET6, text, &v6) == 1;
}

static bool is_label_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static struct str without_last_dot(struct str host)
{
    return str_ends(host, STR(".")) ? str_slice(host, 0, host.n - 1) : host;
}

bool resolve_is_host(struct str host)
{
    if (resolve_is_address(host))
        return true;
    struct str rest = without_last_dot(host);
    struct str label;
    if (rest.n == 0 || rest.n > HOST_MAX)
        return false;
    while (str_next(&rest, '.', &label)) {
        if (label.n == 0 || label.n > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label.n; i++) {
            if (!is_label_byte(label.p[i]))
                return false;
        }
    }
    return true;
}

void resolve_add(struct resolved *ret, struct str address)
{
    char text[RESOLVE_ADDRESS_SIZE];
    if (ret->n == RESOLVE_MAX_ADDRESSES || !str_copy(address, text, sizeof(text)))
        return;
    size_t at = ret->n;
    while (is_v4(text) && at > 0 && !is_v4(ret->addresses[at - 1])) {
        memcpy(ret->addresses[at], ret->addresses[at - 1], RESOLVE_ADDRESS_SIZE);
        at--;
    }
    memcpy(ret->addresses[at], text, sizeof(text));
    ret->n++;
}

/* The next word of a line; blanks are spaces and tabs. */
static bool next_word(struct str *line, struct str *ret_word)
{
    *line = str_trim(*line);
    if (line->n == 0)
        return false;
    size_t space = str_find(*line, ' ', 0);
    size_t tab = str_find(*line, '\t', 0);
    size_t end = space < tab ? space : tab;
    *ret_word = str_slice(*line, 0, end);
    *line = str_slice(*line, end, line->n);
    return true;
}

void resolve_from_hosts(struct str text, struct str host, struct resolved *ret)
{
    struct str line;
    host = without_last_dot(host);
    while (str_next(&text, '\n', &line)) {
        struct str address;
        struct str name;
        line = str_slice(line, 0, str_find(line, '#', 0));
        if (!next_word(&line, &address) || !resolve_is_address(address))
            continue;
        while (next_word(&line, &name)) {
            if (!str_eq_nocase(name, host))
                continue;
            resolve_add(ret, address);
            break;
        }
    }
}

void resolve_localhost(struct str host, struct resolved *ret)
{
    static const char tail[] = ".localhost";
    host = without_last_dot(host);
    bool is_under = host.n >= sizeof(tail) - 1 &&
                    str_eq_nocase(str_slice(host, host.n - (sizeof(tail) - 1), host.n), str_from(tail));
    if (!is_under && !str_eq_nocase(host, STR("localhost")))
        return;
    resolve_add(ret, STR("127.0.0.1"));
    resolve_add(ret, STR("::1"));
}
