// SPDX-License-Identifier: MIT
/* The contract of an asynchronous call, said once and true everywhere:
 *  1. A start function cannot fail and never calls back before it returns.
 *  2. The callback runs exactly once, on the loop.
 *  3. After op_cancel(op) it never runs.
 *  4. Every op has a deadline.
 *  5. The callback gets `const struct err *err` (NULL: it worked), valid during the call only, as are all results.
 *  6. When the callback runs the op is spent: the pointer must not be used any more. Nothing is freed inside its own
 *     callback: see loop_defer_free. */
#pragma once

#include <stddef.h>

#include "core/base/err.h"

struct op {
    void (*cancel)(struct op *op); /* private: set by the implementor, who embeds struct op as first member */
};

typedef void op_done(void *arg, const struct err *err);

/* Ends the operation without its callback; what it sent may still take effect at the other end. NULL is fine. */
static inline void op_cancel(struct op *op)
{
    if (op != NULL)
        op->cancel(op);
}
