// SPDX-License-Identifier: MIT
/* What is wrong with a sandbox that ran and should run: pure, from the facts of the cluster. */
#pragma once

#include "core/io/loop.h"
#include "core/observed.h"
#include "core/sandbox.h"

enum drift {
    DRIFT_NONE,
    DRIFT_MISSING, /* an object is gone that can be made again without losing anything */
    DRIFT_BROKEN,  /* for people to look at, or to pass */
};

struct drift_verdict {
    enum drift drift;
    enum reason code;
    ms_t grace_ms; /* it counts only after the same code stood that long */
    char message[MESSAGE_SIZE];
};

/* Can anything be said? Not while caches are unread, the API is away, or something may not be seen. */
bool drift_can_check(const struct observed *seen);
/* seen: of which drift_can_check is true. */
void drift_check(const struct sandbox *sb, const struct observed *seen, struct drift_verdict *ret);
