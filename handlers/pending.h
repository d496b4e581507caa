// SPDX-License-Identifier: MIT
/* A request that waits for one operation: a client who leaves cancels it. */
#pragma once

#include "handlers/app.h"
#include "server/http.h"

struct pending {
    struct http_exchange *x;
    struct app *app;
    struct op *op;
};

/* In the exchange's arena. */
struct pending *pending_new(struct http_exchange *x, struct app *app);
/* Waits for op, whose callback gets p and calls pending_done first. */
void pending_wait(struct pending *p, struct op *op);
/* The operation ended; with an error the request is answered with it, and false says so. err: NULL if it worked. */
MUST_CHECK bool pending_done(struct pending *p, const struct err *err);
