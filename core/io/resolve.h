// SPDX-License-Identifier: MIT
/* Host names to numeric addresses on the loop, for libraries that would otherwise block in getaddrinfo (libpq,
 * hiredis). Asks /etc/hosts, then the name servers of /etc/resolv.conf with its search domains; both files are looked
 * at again when they change. Answers are not cached. Not here: libcurl resolves by itself, in a thread of its own. */
#pragma once

#include <stddef.h>

#include "core/base/err.h"
#include "core/io/loop.h"
#include "core/io/op.h"

enum {
    RESOLVE_MAX_ADDRESSES = 16,
    RESOLVE_ADDRESS_SIZE = 64, /* an IPv6 address with its zone ("fe80::1%eth0") and a NUL */
};

/* At least one; IPv4 before IPv6, else in the order of the answer. */
struct resolved {
    size_t n;
    char addresses[RESOLVE_MAX_ADDRESSES][RESOLVE_ADDRESS_SIZE];
};

/* found: valid during the call only; NULL when err is not. */
typedef void resolve_done(void *arg, const struct resolved *found, const struct err *err);

/* Looks a name up. A numeric address comes back as it is, without any question asked.
 * host:       copied; NULL or not a host name gives INVALID.
 * timeout_ms: from now; then TIMEOUT.
 * done:       MISSING: the name servers know no address; UPSTREAM: they refused or answered badly; TIMEOUT. When one of
 *             IPv4 and IPv6 is answered, the other is waited for 200 ms at most.
 * On a simulated loop only numeric addresses and "localhost" are known; the rest is MISSING. */
struct op *resolve_start(struct loop *loop, const char *host, ms_t timeout_ms, resolve_done *done, void *arg);

/* Other files than /etc/resolv.conf and /etc/hosts, for tests. Before the first resolve_start of the loop; copied. */
void resolve_set_files(struct loop *loop, const char *resolv_conf, const char *hosts);
