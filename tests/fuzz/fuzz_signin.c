// SPDX-License-Identifier: MIT
/* What a stranger sends around a sign-in: a return address that is taken is one that a browser, reading it in the way
 * of the WHATWG URL standard, finds here; a token is formed only if its check fits; what is kept of a client fits its
 * array and is plain text. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/api_token.h"
#include "core/base/codec.h"
#include "core/visitor.h"
#include "handlers/return_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char PUBLIC[] = "https://studio.example.org";

/* source: WHATWG URL, 4.4: C0 controls and blanks are cut at both ends, tabs and line ends anywhere, and in an address
 * of the web a backslash is a slash. */
static size_t as_a_browser_reads(struct str s, char *ret)
{
    size_t n = 0;
    while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
        s = str_slice(s, 1, s.n);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\t' && s.p[i] != '\n' && s.p[i] != '\r')
            ret[n++] = s.p[i] == '\\' ? '/' : s.p[i];
    }
    return n;
}

static void check_return_path(struct str given)
{
    char read[RETURN_PATH_MAX];
    struct str path;
    struct err err = {0};
    if (!return_path_check(PUBLIC, given, &path, &err)) {
        assert(err.kind == ERR_INVALID);
        return;
    }
    assert(path.n > 0 && path.n <= sizeof(read));
    size_t n = as_a_browser_reads(path, read);
    assert(n == path.n && memcmp(read, path.p, n) == 0);
    assert(read[0] == '/' && (n == 1 || read[1] != '/'));
    assert(memchr(path.p, '\0', path.n) == NULL);
}

static void check_token(struct str given)
{
    if (!api_token_is_formed(given))
        return;
    char changed[API_TOKEN_SIZE];
    assert(given.n == API_TOKEN_N);
    memcpy(changed, given.p, given.n);
    changed[API_TOKEN_N - 1] = changed[API_TOKEN_N - 1] == 'x' ? 'y' : 'x';
    assert(!api_token_is_formed((struct str){changed, API_TOKEN_N}));
}

static void check_visitor(struct str given)
{
    char agent[VISITOR_AGENT_SIZE];
    char address[VISITOR_ADDRESS_SIZE];
    visitor_agent(given, agent);
    visitor_address(given, address);
    assert(strlen(agent) < sizeof(agent) && strlen(address) < sizeof(address));
    for (size_t i = 0; address[i] != '\0'; i++)
        assert(strchr("0123456789abcdef:./", address[i]) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str given = {(const char *)data, size};
    static bool is_ready;
    struct err err = {0};
    is_ready = is_ready || codec_init(&err);
    assert(is_ready);
    check_return_path(given);
    check_token(given);
    check_visitor(given);
    return 0;
}
