// SPDX-License-Identifier: MIT
/* THE order of creation. Read top to bottom it is what happens; rows without a mutual need happen at the same time.
 * Read from the end it is what cancel and delete undo. The last rows are what stop does. */
#include "core/plan.h"

#include "core/checks.h"
#include "core/flow_ops.h"

/* What the database's pods may do. They ask for it long after their Cluster was made, so it is made meanwhile. An API
 * server takes its time for it: nothing but the end waits. */
#define RBAC (AFTER(DB_ACCOUNT) | AFTER(DB_ROLE) | AFTER(DB_BINDING))
#define NET  (AFTER(NET_SERVICE) | AFTER(NET_INGRESS_APP) | AFTER(NET_INGRESS_TTY) | AFTER(NET_POLICY))

/* clang-format off */
const struct step PLAN[STEP_N] = {
    /* step                   stage             object                  check              start             undo with       needs                                            heard after          deadline              tries  undone after */
    [STEP_DB_ACCOUNT]      = {STAGE_DATABASE,   OBJECT_SERVICE_ACCOUNT, rbac_applied,      start_apply,       SCOPE_DATABASE, 0,                                               0,                   DEADLINE_APPLY,        8, 0},
    [STEP_DB_ROLE]         = {STAGE_DATABASE,   OBJECT_ROLE,            rbac_applied,      start_apply,       SCOPE_DATABASE, 0,                                               0,                   DEADLINE_APPLY,        8, AFTER(DB_CLUSTER)},
    [STEP_DB_BINDING]      = {STAGE_DATABASE,   OBJECT_ROLE_BINDING,    rbac_applied,      start_apply,       SCOPE_DATABASE, AFTER(DB_ROLE),                                  0,                   DEADLINE_APPLY,        8, AFTER(DB_CLUSTER)},
    [STEP_DB_CLUSTER]      = {STAGE_DATABASE,   OBJECT_DATABASE,        database_exists,   start_apply,       SCOPE_DATABASE, AFTER(DB_ACCOUNT),                               0,                   DEADLINE_APPLY,        8, 0},
    [STEP_DB_RUNNING]      = {STAGE_DATABASE,   OBJECT_N,               database_running,  start_resume,      SCOPE_DATABASE, AFTER(DB_CLUSTER),                               0,                   DEADLINE_DATABASE,    30, 0},
    [STEP_DB_CREDENTIALS]  = {STAGE_DATABASE,   OBJECT_N,               credentials_known, start_credentials, SCOPE_DATABASE, AFTER(DB_RUNNING),                               0,                   DEADLINE_CREDENTIALS, 30, 0},
    [STEP_DB_LOGIN]        = {STAGE_DATABASE,   OBJECT_N,               login_proven,      start_login,       SCOPE_DATABASE, AFTER(DB_CREDENTIALS),                           0,                   DEADLINE_CREDENTIALS, 30, 0},
    [STEP_APP_VOLUME]      = {STAGE_CONTAINER,  OBJECT_CLAIM,           volume_free,       NULL,              SCOPE_SANDBOX,  0,                                               0,                   DEADLINE_APPLY,        0, 0},
    [STEP_APP_DEPLOYED]    = {STAGE_CONTAINER,  OBJECT_WORKLOAD,        object_applied,    start_apply,       SCOPE_SANDBOX,  AFTER(APP_VOLUME),                               0,                   DEADLINE_APPLY,        8, 0},
    [STEP_APP_ENV]         = {STAGE_CONTAINER,  OBJECT_ENV_SECRET,      object_applied,    start_env,         SCOPE_SANDBOX,  AFTER(DB_LOGIN) | AFTER(APP_DEPLOYED),           0,                   DEADLINE_APPLY,        8, 0},
    [STEP_APP_RUNNING]     = {STAGE_CONTAINER,  OBJECT_N,               container_running, start_nudge,       SCOPE_SANDBOX,  AFTER(APP_ENV),                                  AFTER(APP_DEPLOYED), DEADLINE_CONTAINER,   30, 0},
    [STEP_NET_POLICY]      = {STAGE_NETWORKING, OBJECT_NETWORK_POLICY,  object_applied,    start_apply,       SCOPE_SANDBOX,  AFTER(APP_DEPLOYED),                             0,                   DEADLINE_APPLY,        8, 0},
    [STEP_NET_SERVICE]     = {STAGE_NETWORKING, OBJECT_SERVICE,         object_applied,    start_apply,       SCOPE_SANDBOX,  AFTER(APP_DEPLOYED),                             0,                   DEADLINE_APPLY,        8, 0},
    [STEP_NET_INGRESS_APP] = {STAGE_NETWORKING, OBJECT_INGRESS_APP,     route_accepted,    start_apply,       SCOPE_SANDBOX,  AFTER(APP_DEPLOYED),                             0,                   DEADLINE_APPLY,        8, 0},
    [STEP_NET_INGRESS_TTY] = {STAGE_NETWORKING, OBJECT_INGRESS_TTY,     route_accepted,    start_apply,       SCOPE_SANDBOX,  AFTER(APP_DEPLOYED),                             0,                   DEADLINE_APPLY,        8, 0},
    [STEP_NET_ENDPOINT]    = {STAGE_NETWORKING, OBJECT_N,               endpoint_found,    NULL,              SCOPE_SANDBOX,  NET | AFTER(APP_RUNNING),                        NET,                 DEADLINE_ENDPOINT,     0, 0},
    [STEP_TTY_LISTENS]     = {STAGE_TERMINAL,   OBJECT_N,               terminal_listens,  NULL,              SCOPE_SANDBOX,  AFTER(APP_RUNNING),                              0,                   DEADLINE_TERMINAL,     0, 0},
    [STEP_ALL_READY]       = {STAGE_READY,      OBJECT_N,               sandbox_available, NULL,              SCOPE_SANDBOX,  AFTER(NET_ENDPOINT) | AFTER(TTY_LISTENS) | RBAC, 0,                   DEADLINE_READY,        0, 0},
    /* Told to nobody, and nothing fails for it. */
    [STEP_APP_TIDY]        = {STAGE_N,          OBJECT_N,               former_env_gone,   start_tidy,        SCOPE_SANDBOX,  AFTER(ALL_READY),                                0,                   DEADLINE_READY,        0, 0},

    [STEP_STOP_APP]        = {STAGE_N,          OBJECT_WORKLOAD,        workload_halted,   start_halt,        SCOPE_SANDBOX,  0,                                               0,                   DEADLINE_STOP,        30, 0},
    [STEP_STOP_DB]         = {STAGE_N,          OBJECT_DATABASE,        database_halted,   start_halt,        SCOPE_DATABASE, AFTER(STOP_APP),                                 0,                   DEADLINE_STOP,        30, 0},
};
/* clang-format on */

const char *step_name(enum step_id step)
{
    static const char *const names[] = {
#define X(name, id) id,
        STEPS(X)
#undef X
    };
    return names[step];
}

const char *deadline_id(enum deadline deadline)
{
    static const char *const names[] = {
#define X(name, id, ms) id,
        DEADLINES(X)
#undef X
    };
    return names[deadline];
}

ms_t deadline_default_ms(enum deadline deadline)
{
    static const ms_t defaults[] = {
#define X(name, id, ms) ms,
        DEADLINES(X)
#undef X
    };
    return defaults[deadline];
}
