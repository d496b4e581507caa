// SPDX-License-Identifier: MIT
/* A subcommand that needs nothing but the store: configuration, key ring, a loop and a store of its own. */
#pragma once

#include "server/main_program.h"

struct loop;
struct store;

/* What the subcommand works with; borrowed until it stops the loop. */
struct main_store {
    struct loop *loop;
    const struct config *config;
    struct store *store; /* without Redis */
    int status;          /* EXIT_FAILED until the work says otherwise */
};

/* Opens all of it, calls begin once, and runs the loop until somebody stops it. patience_ms: how long a query waits for
 * PostgreSQL. Returns the exit status; what could not be opened was told. */
int main_on_store(const struct main_options *o, ms_t patience_ms, void (*begin)(struct main_store *m, void *arg),
                  void *arg);
