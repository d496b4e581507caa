// SPDX-License-Identifier: MIT
/* The part of resolving that asks nobody; for resolve.c only. */
#pragma once

#include "core/base/str.h"
#include "core/io/resolve.h"

/* Letters, digits, '-', '_' and dots between labels of 1 to 63; at most 253 in all; or an address. */
bool resolve_is_host(struct str host);
bool resolve_is_address(struct str host);
/* Adds an address unless `ret` is full or the text too long; IPv4 goes before IPv6. */
void resolve_add(struct resolved *ret, struct str address);
/* All addresses which the text of a hosts file (hosts(5)) gives to the name. */
void resolve_from_hosts(struct str text, struct str host, struct resolved *ret);
/* "localhost" and names under it are this machine (RFC 6761 section 6.3), whatever the files say or leave out. */
void resolve_localhost(struct str host, struct resolved *ret);
