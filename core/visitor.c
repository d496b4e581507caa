// SPDX-License-Identifier: MIT
/* User agents by the words that tell them apart: the first that is found counts, because browsers also name the ones
 * they want to be taken for. */
#include "core/visitor.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/base/buf.h"

struct word {
    const char *part;
    const char *name;
};
static const struct word programs[] = {
    {"Edg",        "Edge"        },
    {"OPR/",       "Opera"       },
    {"Firefox/",   "Firefox"     },
    {"FxiOS/",     "Firefox"     },
    {"CriOS/",     "Chrome"      },
    {"Chrome/",    "Chrome"      },
    {"Safari/",    "Safari"      },
    {"fullstackd", "fullstackd"  },
    {"curl/",      "curl"        },
    {"python",     "Python"      },
    {"Python",     "Python"      },
    {"Go-http",    "a Go program"},
    {"node",       "Node.js"     },
};
static const struct word systems[] = {
    {"Windows",   "Windows" },
    {"Android",   "Android" },
    {"iPhone",    "iOS"     },
    {"iPad",      "iPadOS"  },
    {"Macintosh", "macOS"   },
    {"CrOS",      "ChromeOS"},
    {"Linux",     "Linux"   },
};

static const char *find(const struct word *words, size_t n, struct str text)
{
    for (size_t i = 0; i < n; i++) {
        if (str_find_str(text, str_from(words[i].part)) < text.n)
            return words[i].name;
    }
    return NULL;
}

static void finish(struct buf *b, char *ret, size_t size)
{
    if (!str_copy(buf_str(b), ret, size))
        ret[0] = '\0';
    buf_fini(b);
}

void visitor_agent(struct str user_agent, char ret[VISITOR_AGENT_SIZE])
{
    const char *program = find(programs, sizeof(programs) / sizeof(programs[0]), user_agent);
    const char *system = find(systems, sizeof(systems) / sizeof(systems[0]), user_agent);
    struct buf b;
    buf_init(&b, VISITOR_AGENT_SIZE);
    if (program != NULL && system != NULL)
        buf_addf(&b, "%s on %s", program, system);
    else if (program != NULL || system != NULL)
        buf_add_text(&b, program != NULL ? program : system);
    finish(&b, ret, VISITOR_AGENT_SIZE);
}

/* The bytes behind are none of our business. */
static bool write_network(int family, uint8_t *bytes, size_t kept_n, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    size_t n = family == AF_INET ? 4 : 16;
    memset(bytes + kept_n, 0, n - kept_n);
    if (inet_ntop(family, bytes, text, sizeof(text)) == NULL)
        return false;
    buf_addf(out, "%s/%zu", text, kept_n * 8);
    return true;
}

void visitor_address(struct str address, char ret[VISITOR_ADDRESS_SIZE])
{
    enum { MAPPED_N = 12, KEPT_V4 = 3, KEPT_V6 = 6 };
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    struct buf b;
    bool is_known = false;
    buf_init(&b, VISITOR_ADDRESS_SIZE);
    if (str_copy(address, text, sizeof(text))) {
        if (inet_pton(AF_INET, text, bytes) == 1)
            is_known = write_network(AF_INET, bytes, KEPT_V4, &b);
        else if (inet_pton(AF_INET6, text, bytes) == 1 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(void *)bytes))
            is_known = write_network(AF_INET, bytes + MAPPED_N, KEPT_V4, &b);
        else if (inet_pton(AF_INET6, text, bytes) == 1)
            is_known = write_network(AF_INET6, bytes, KEPT_V6, &b);
    }
    if (!is_known)
        buf_clear(&b);
    finish(&b, ret, VISITOR_ADDRESS_SIZE);
}
