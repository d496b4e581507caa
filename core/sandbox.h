// SPDX-License-Identifier: MIT
/* What a project is: its row, its sandbox with the names drawn once before the first call, its database. Plain data,
 * filled by store/, read by everybody. Texts are NUL-terminated. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/secret.h"
#include "core/observed.h"
#include "core/stage.h"

enum {
    ID_SIZE = 65,             /* UUIDv7, or an id of the original's (cuid) */
    PROJECT_NAME_SIZE = 161,  /* 40 characters of at most 4 bytes */
    PROJECT_TEXT_SIZE = 2001, /* description */
    SLUG_SIZE = 21,           /* DNS label part of the name, 20 characters */
    KUBE_NAME_SIZE = 64,      /* DNS-1123 label */
    CLUSTER_NAME_SIZE = KUBE_NAME_SIZE,
    HOST_SIZE = 254,
    GITHUB_REPO_SIZE = 39 + 1 + 100 + 1, /* "owner/name" */
    HOST_LABEL_SIZE = 13,                /* 12 letters */
    IMAGE_SIZE = 256,
    MESSAGE_SIZE = 320,
    SANDBOX_PORT_N = 4,
};

extern const int SANDBOX_PORTS[SANDBOX_PORT_N]; /* 3000, 5000, 7681, 8080 */

struct db_credentials {
    char host[HOST_SIZE];
    int port;
    char user[64];
    char database[64];
    struct secret password;
};
void db_credentials_fini(struct db_credentials *c);
/* postgresql://user:password@host:port/database?schema=public, percent-encoded. */
struct secret db_credentials_url(const struct db_credentials *c);

/* Which kinds of objects a sandbox is made of. Set when its names are drawn and kept in its row: whatever the
 * configuration says later, it is retried and undone as what it was made. */
struct sandbox_kinds {
    enum workload_kind workload;
    enum route_kind route;
};

struct sandbox {
    char id[ID_SIZE]; /* of the sandbox row; empty: not created yet */
    char project_id[ID_SIZE];
    char owner_id[ID_SIZE];
    char project_name[PROJECT_NAME_SIZE];
    char slug[SLUG_SIZE];            /* value of the label project.fullstackagent.io/name */
    char cluster[CLUSTER_NAME_SIZE]; /* the project's: where every object of it is */
    char namespace_name[KUBE_NAME_SIZE];
    char name[KUBE_NAME_SIZE];          /* {slug}-agentruntime-{6}: Deployment; Service and Ingresses derive from it */
    char database_name[KUBE_NAME_SIZE]; /* the KubeBlocks Cluster, another suffix */
    char app_host[HOST_SIZE];
    char tty_host[HOST_SIZE];
    char app_label[HOST_LABEL_SIZE]; /* first label of app_host */
    char tty_label[HOST_LABEL_SIZE];
    char port_names[SANDBOX_PORT_N][HOST_LABEL_SIZE];
    char image[IMAGE_SIZE];
    char restart_time[15]; /* YYYYMMDDHHMMSS of the attempt, UTC */
    struct sandbox_kinds kinds;
    enum sandbox_status status;
    enum desired desired;
    unsigned attempt;           /* 1, 2, …: counts requests that started a flow */
    int64_t attempt_started_ms; /* wall clock */
    enum reason code;           /* why it is in error, or what it waits for */
    char message[MESSAGE_SIZE];
    bool is_settled; /* nothing is to be done: no flow */
    int64_t fence;   /* grows with each change of lease; a writer with an old one is refused */
    int64_t saves;   /* writes of flows so far: each names the one before it, so none is done twice */
    int64_t created_ms;
    int64_t updated_ms;
    /* Since when this attempt, which ran, was last seen not to run as it should (wall clock); 0: never. A flow that
     * leads such a row to run is a repair. */
    int64_t drift_ms;
    int64_t queued_ms;       /* its creation waits since then, or had not begun when its wish changed; 0: neither */
    unsigned queue_position; /* while it waits, as told last; 1 is next */
    int64_t queue_wait_ms;   /* so long, as told last; -1: not known */
};

/* Does its creation wait for its turn? Nobody leads it then. */
bool sandbox_waits(const struct sandbox *sb);
/* The kind of an object as Kubernetes calls it. */
const char *sandbox_object_kind(const struct sandbox *sb, enum cluster_object object);
/* Is the sandbox made of it? */
bool sandbox_has_object(const struct sandbox *sb, enum cluster_object object);
/* Does a flow that leads this row repair what ran, rather than create it? */
bool sandbox_is_repair(const struct sandbox *sb);

/* Which repository at GitHub a project is connected with, as GitHub told it. */
struct repo_link {
    char name[GITHUB_REPO_SIZE]; /* "owner/name"; "": none */
    bool is_private;
    int64_t checked_ms; /* when it was told, wall clock */
    /* One whose creation was begun and whose end is not known: it may or may not be there. "": none. */
    char pending[GITHUB_REPO_SIZE];
};

/* One row of the project list. */
struct project {
    char id[ID_SIZE];
    char owner_id[ID_SIZE];
    char name[PROJECT_NAME_SIZE];
    char description[PROJECT_TEXT_SIZE];
    bool has_description;
    char cluster[CLUSTER_NAME_SIZE]; /* chosen when it was created, for good */
    int64_t created_ms;
    int64_t updated_ms;
    struct repo_link repo;
    bool has_sandbox;
    struct sandbox sandbox; /* valid if has_sandbox */
};

/* One row of the journal: written before it is sent; SSE id = seq. */
enum journal_kind { JOURNAL_STAGE, JOURNAL_STATUS, JOURNAL_DONE, JOURNAL_QUEUED };

struct journal_event {
    char owner_id[ID_SIZE];
    char project_id[ID_SIZE];
    uint64_t seq; /* gapless per owner; 0 until written */
    unsigned attempt;
    enum journal_kind kind;
    enum stage stage;               /* JOURNAL_STAGE */
    enum stage_status stage_status; /* JOURNAL_STAGE */
    enum sandbox_status status;     /* all others */
    unsigned position;              /* JOURNAL_QUEUED: 1 is next */
    enum outcome outcome;           /* JOURNAL_DONE */
    enum reason code;
    char message[MESSAGE_SIZE]; /* plain words */
    int64_t at_ms;              /* wall clock of the observation */
    int64_t duration_ms;        /* of the stage or the attempt when it ended; JOURNAL_QUEUED: how long it will probably
                                   wait; -1: does not apply, or is not known */
};

/* One environment variable. */
struct env_var {
    struct str key;
    struct str value; /* may be secret: never logged, never listed */
};
struct env_list {
    const struct env_var *vars;
    size_t n;
};
