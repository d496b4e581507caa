// SPDX-License-Identifier: MIT
/* Where somebody signed in from, coarse enough to be kept: a person recognises his own browser and network, and no more
 * is known about anybody. Pure. */
#pragma once

#include "core/base/str.h"

enum { VISITOR_AGENT_SIZE = 48, VISITOR_ADDRESS_SIZE = 52 };

/* "Firefox on Linux"; "" when nothing in it is known. user_agent: as sent, absent is fine. */
void visitor_agent(struct str user_agent, char ret[VISITOR_AGENT_SIZE]);
/* "192.0.2.0/24" or "2001:db8:1::/48"; "" for what is no address. */
void visitor_address(struct str address, char ret[VISITOR_ADDRESS_SIZE]);
