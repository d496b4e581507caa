// SPDX-License-Identifier: MIT
/* What a step of a plan is. The plans are one table, core/plan_create.c; the engine that runs it, forwards and
 * backwards, is core/flow.c; what the checks look at is struct world. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/io/loop.h"
#include "core/observed.h"
#include "core/sandbox.h"
#include "core/stage.h"

/*    name             wire id */
#define CREATE_STEPS(X)                                                                                                \
    X(DB_ACCOUNT, "db_account")                                                                                        \
    X(DB_ROLE, "db_role")                                                                                              \
    X(DB_BINDING, "db_binding")                                                                                        \
    X(DB_CLUSTER, "db_cluster")                                                                                        \
    X(DB_RUNNING, "db_running")                                                                                        \
    X(DB_CREDENTIALS, "db_credentials")                                                                                \
    X(DB_LOGIN, "db_login")                                                                                            \
    X(APP_VOLUME, "app_volume")                                                                                        \
    X(APP_DEPLOYED, "app_deployed")                                                                                    \
    X(APP_ENV, "app_env")                                                                                              \
    X(APP_RUNNING, "app_running")                                                                                      \
    X(NET_POLICY, "net_policy")                                                                                        \
    X(NET_SERVICE, "net_service")                                                                                      \
    X(NET_INGRESS_APP, "net_ingress_app")                                                                              \
    X(NET_INGRESS_TTY, "net_ingress_tty")                                                                              \
    X(NET_ENDPOINT, "net_endpoint")                                                                                    \
    X(TTY_LISTENS, "tty_listens")                                                                                      \
    X(ALL_READY, "all_ready")                                                                                          \
    X(APP_TIDY, "app_tidy")

/* Stopping keeps every object and ends what runs in them. */
#define STOP_STEPS(X)                                                                                                  \
    X(STOP_APP, "stop_app")                                                                                            \
    X(STOP_DB, "stop_db")

#define STEPS(X) CREATE_STEPS(X) STOP_STEPS(X)

enum step_id {
#define X(name, id) STEP_##name,
    STEPS(X)
#undef X
        STEP_N,
    STEP_CREATE_N = STEP_STOP_APP, /* steps below it create, the others stop */
};

#define AFTER(step) (UINT64_C(1) << STEP_##step)

/* How long a step may take from the moment its needs are met. Keys of the configuration: flow.<id>_deadline. */
#define DEADLINES(X)                                                                                                   \
    X(APPLY, "apply", 60 * 1000)             /* one call to the API, tried again until then */                         \
    X(DATABASE, "database", 300 * 1000)      /* KubeBlocks brings the database up */                                   \
    X(CREDENTIALS, "credentials", 60 * 1000) /* the Secret is published and the login works */                         \
    X(CONTAINER, "container", 300 * 1000)    /* scheduled, pulled, running */                                          \
    X(ENDPOINT, "endpoint", 60 * 1000)       /* the Service finds the pod */                                           \
    X(TERMINAL, "terminal", 180 * 1000)      /* port 7681 listens */                                                   \
    X(READY, "ready", 60 * 1000)             /* Deployment available, endpoint ready */                                \
    X(STOP, "stop", 180 * 1000)              /* the container or the database ends when it is stopped */

enum deadline {
#define X(name, id, ms) DEADLINE_##name,
    DEADLINES(X)
#undef X
        DEADLINE_N
};

/* What a check finds. MISSING: start has to act. WAITING: it was asked for and is coming. BROKEN: it will not come. */
enum check { CHECK_MISSING, CHECK_WAITING, CHECK_DONE, CHECK_BROKEN };

struct verdict {
    enum check check;
    enum reason code;
    enum reason late_code; /* what it is called when the deadline ends the waiting; NONE: code, else DEADLINE */
    ms_t grace_ms;         /* BROKEN counts only after the same code stood that long: what may still heal by itself */
    char message[MESSAGE_SIZE]; /* plain words; empty: nothing to say */
};

/* All that a check may look at. */
struct world {
    const struct sandbox *sb;
    const struct observed *seen;
    uint64_t applied; /* bits of enum cluster_object: brought to their manifest by this flow */
    uint64_t halted;  /* bits of enum cluster_object: told to stop by this flow */
    uint64_t doubted; /* bits of enum cluster_object: a call given up may still change it */
    bool has_rights;  /* what the database's pods may do was applied, by this attempt or an earlier one */
    bool has_credentials;
    bool is_login_proven;
    bool must_prove_login;
    bool is_tidy; /* nothing of earlier attempts is left, or it was tried */
};

/* Which undo reaches a row: removing the sandbox alone, or the database with it. */
enum scope { SCOPE_SANDBOX, SCOPE_DATABASE };

struct flow;

struct step {
    enum stage stage;           /* STAGE_N: told as words of the status, or not at all */
    enum cluster_object object; /* what start applies and undo removes; OBJECT_N: none */
    void (*check)(const struct step *s, const struct world *w, struct verdict *ret); /* pure */
    void (*start)(struct flow *f, enum step_id step); /* begins one operation; NULL: only observed */
    enum scope scope;
    uint64_t needs;
    uint64_t heard_after; /* from then on its words are told, though its needs are not met yet; 0: never */
    enum deadline deadline;
    unsigned
        tries; /* refused answers that may still change (409, 500) before it fails; busy and unreachable do not count */
    uint64_t undone_after; /* rows that must be gone before this one is undone, beside those that need it */
};

extern const struct step PLAN[STEP_N];

const char *step_name(enum step_id step);
const char *deadline_id(enum deadline deadline);
ms_t deadline_default_ms(enum deadline deadline);
