// SPDX-License-Identifier: MIT
/* Who is at the other end: addresses as values, lists of trusted networks, and how many connections each address has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

struct sockaddr;

/* IPv4 is kept as IPv4-mapped IPv6, so that one form compares with the other. */
struct peer_address {
    uint8_t bytes[16];
    bool is_local; /* a Unix socket */
};

struct peer_address peer_address_of(const struct sockaddr *sa);
/* Numeric IPv4 or IPv6 (also in brackets); a port after it is cut off. */
MUST_CHECK bool peer_address_parse(struct str text, struct peer_address *ret);
/* "192.0.2.1", "2001:db8::1" or "local". */
struct str peer_address_text(const struct peer_address *address, struct arena *a);

/* ---- networks whose X-Forwarded-* fields count ---- */

struct peer_networks;
/* list: comma-separated addresses, CIDRs, or "local" for Unix sockets; NULL or empty: none. NULL with INVALID. */
MUST_CHECK struct peer_networks *peer_networks_new(const char *list, struct err *reterr);
void peer_networks_free(struct peer_networks *networks); /* NULL is fine */
bool peer_networks_has(const struct peer_networks *networks, const struct peer_address *address);
/* The client a request comes from: the rightmost address of X-Forwarded-For that is not trusted itself, if `direct` is.
 */
struct peer_address peer_client(const struct peer_networks *networks, const struct peer_address *direct,
                                struct str forwarded_for);

/* ---- how many connections an address has; IPv6 counts by its /64, which one customer owns ---- */

struct peer_counts;
struct peer_counts *peer_counts_new(void);
void peer_counts_free(struct peer_counts *counts); /* NULL is fine */
/* Counts one more; false, and nothing counted, when it has `max` (0: no cap). */
MUST_CHECK bool peer_counts_add(struct peer_counts *counts, const struct peer_address *address, unsigned max);
void peer_counts_drop(struct peer_counts *counts, const struct peer_address *address);
