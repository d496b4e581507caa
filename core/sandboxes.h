// SPDX-License-Identifier: MIT
/* What a person can ask for a project: one call each for handlers. Checks what was sent, draws names, writes the
 * request, tells the bus and wakes the engine. */
#pragma once

#include "core/action.h"
#include "core/clusters.h"
#include "core/port_store.h"
#include "core/reconciler.h"

struct sandboxes;

struct sandboxes_config {
    struct loop *loop;
    const struct clusters *clusters;
    const struct port_store *store;
    struct bus *bus;
    struct reconciler *reconciler;
    unsigned user_sandboxes_max; /* that run or are to run; 0: no limit */
};

enum { SANDBOX_URL_SIZE = HOST_SIZE + 16, SANDBOX_ENV_MAX_N = 512 };

struct sandboxes *sandboxes_new(const struct sandboxes_config *config);
void sandboxes_free(struct sandboxes *s);

/* Leads the project to `desired`. env: of the request, checked here; NULL: as stored. What is refused is told through
 * `done`: an invalid variable as INVALID naming "/envVars/KEY", a creation in a cluster that this server does not know
 * as CONFLICT with reason "ClusterUnknown". */
struct op *sandboxes_request(struct sandboxes *s, const struct project *project, enum desired desired,
                             const struct env_list *env, ms_t timeout_ms, store_on_request *done, void *arg);

/* Does to a project what its owner asked for; REFUSED in a state that the action's row does not name. */
struct op *sandboxes_act(struct sandboxes *s, const struct project *project, enum action action, ms_t timeout_ms,
                         store_on_request *done, void *arg);

/* Public addresses of a sandbox: scheme, host, port if one is configured; no trailing slash. */
void sandboxes_urls(const struct sandboxes *s, const struct sandbox *sb, char ret_app[SANDBOX_URL_SIZE],
                    char ret_tty[SANDBOX_URL_SIZE]);

/* What is true now: the row's status, corrected by what is seen of a sandbox that should run and not told yet. */
struct live_status {
    enum sandbox_status status;
    enum reason code;
    char message[MESSAGE_SIZE];
};
void sandboxes_live(const struct sandboxes *s, const struct sandbox *sb, struct live_status *ret);
