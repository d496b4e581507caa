// SPDX-License-Identifier: MIT
/* The part of the store's port (core/port_store.h) about repositories at GitHub: with which token a user asks there,
 * and which one a project is connected with. The link itself is read with the project. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/secret.h"
#include "core/io/loop.h"
#include "core/io/op.h"

/* token: borrowed during the call. */
typedef void store_on_secret(void *arg, const struct secret *token, const struct err *err);
typedef void store_on_repo_begun(void *arg, bool was_begun, const struct err *err);

/* That a repository is about to be made. */
struct repo_beginning {
    const char *owner_id;
    const char *project_id;
    const char *name; /* "owner/name" */
    const char *id;   /* drawn for it */
    ms_t late_ms;     /* a call of an earlier one may take effect for so long */
};
/* What GitHub told of one. */
struct repo_linking {
    const char *owner_id;
    const char *project_id;
    const char *name; /* as GitHub writes it */
    int64_t repo_id;  /* GitHub's */
    bool is_private;
    const char *pending; /* the name it was begun as; NULL: it was there before */
};

/* self: the store's. Each but token is MISSING when the project is unknown or somebody else's. */
struct port_repos {
    /* That GitHub gave at the user's last sign-in; MISSING when he never came by GitHub. */
    struct op *(*token)(void *self, const char *user_id, ms_t timeout_ms, store_on_secret *done, void *arg);
    /* was_begun: an earlier call may still make one of that name. CONFLICT "AlreadyConnected", "CreationUnknown" (of
     * another name). */
    struct op *(*begin)(void *self, const struct repo_beginning *beginning, ms_t timeout_ms, store_on_repo_begun *done,
                        void *arg);
    /* GitHub refused what was begun with that id: it is forgotten, unless another one has begun since. */
    struct op *(*refused)(void *self, const struct repo_beginning *beginning, ms_t timeout_ms, op_done *done,
                          void *arg);
    /* CONFLICT "CreationUnknown" as above, "Disconnected". */
    struct op *(*link)(void *self, const struct repo_linking *linking, ms_t timeout_ms, op_done *done, void *arg);
    /* Also forgets what was begun. */
    struct op *(*unlink)(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms, op_done *done,
                         void *arg);
};
