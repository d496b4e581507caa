// SPDX-License-Identifier: MIT
/* SQLSTATE to the program's error kinds: one table. */
#pragma once

#include "core/base/err.h"

/* Fills reterr and returns false. code: the SQLSTATE as 5 base-36 digits; reason: the row's word, else the SQLSTATE.
 * sqlstate: 5 characters; NULL or anything else means the connection broke (NOT_READY).
 * message: the server's primary message; line ends become blanks; NULL: none. */
bool sqlstate_err(struct err *reterr, const char *origin, const char *sqlstate, const char *message);
/* Reads the detail "limit current" of an error of class FS into err; anything else is left alone. NULL is fine. */
void sqlstate_numbers(struct err *err, const char *sqlstate, const char *detail);
