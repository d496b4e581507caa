// SPDX-License-Identifier: MIT
/* The store port: all that core and handlers know of PostgreSQL and Redis. Implemented by store/store_port.c and, the
 * part the engine uses, by the simulation's store. Every function obeys core/io/op.h; results are borrowed during the
 * callback. While PostgreSQL is away every call ends with NOT_READY within its deadline. */
#pragma once

#include "core/api_token.h"
#include "core/base/err.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/port_admin.h"
#include "core/port_queue.h"
#include "core/port_repos.h"
#include "core/visitor.h"

struct github_user; /* core/github.h */
struct json_writer;
struct surveyed;
struct sweep_outcome;
struct sweep_place;
struct sweep_places_query;
struct sweep_report;
struct sweep_row;

/* ---- who asks ---- */

struct principal {
    char user_id[ID_SIZE];
    char name[161];
    char email[255];
    char image[501];
    bool is_admin;
    unsigned scopes;        /* of an API token: bits of 1 << enum token_scope; a session has none and may all */
    char token_id[ID_SIZE]; /* of the API token; "": a session */
    int64_t expires_ms;     /* of the session or token, wall clock */
};

typedef void store_on_principal(void *arg, const struct principal *who, const struct err *err);

/* ---- sessions ---- */

/* What a sign-in makes. */
struct session_wish {
    struct str token;
    struct str former; /* of the session that this browser had: it ends; absent: none */
    ms_t idle_ms;
    ms_t absolute_ms;
    struct str agent; /* both as core/visitor.h writes them */
    struct str address;
};

struct session_info {
    char id[ID_SIZE];
    char agent[VISITOR_AGENT_SIZE];
    char address[VISITOR_ADDRESS_SIZE];
    int64_t created_ms;
    int64_t used_ms; /* to the minute */
    int64_t expires_ms;
    bool is_current;
};
typedef void store_on_sessions(void *arg, const struct session_info *sessions, size_t n, const struct err *err);
/* SHA-256 in hexadecimal. */
typedef void store_on_hashes(void *arg, const struct str *hexes, size_t n, const struct err *err);

/* Which of a user's sessions. */
struct session_choice {
    const char *user_id;
    const char *id;        /* NULL: all */
    struct str kept_token; /* but this one; absent: none is kept */
};

/* ---- signing in with GitHub ---- */

/* One that is under way. */
struct oauth_attempt {
    struct str state;   /* as sent to GitHub */
    struct str browser; /* what the cookie of the browser that began it holds */
    struct str verifier;
    struct str return_to; /* a local path */
};
typedef void store_on_attempt(void *arg, const struct oauth_attempt *attempt, const struct err *err);

/* ---- API tokens ---- */

enum { API_TOKEN_NAME_CHARS = 40, API_TOKEN_NAME_SIZE = API_TOKEN_NAME_CHARS * 4 + 1 };

struct api_token {
    char id[ID_SIZE];
    char name[API_TOKEN_NAME_SIZE];
    char prefix[API_TOKEN_SHOWN_N + 1]; /* its first characters, so that a person recognises it */
    unsigned scopes;
    int64_t created_ms;
    int64_t expires_ms;
    int64_t used_ms; /* to the minute; -1: never */
};
typedef void store_on_tokens(void *arg, const struct api_token *tokens, size_t n, const struct err *err);

struct token_wish {
    const char *owner_id;
    struct str name;
    struct str token; /* the text that is shown once; only its hash is stored */
    unsigned scopes;
    ms_t valid_ms;
};

/* ---- programs on devices without a browser ---- */

/* What a program asks for. */
struct device_asked {
    struct str name;
    unsigned scopes;
    struct str agent; /* both as core/visitor.h writes them */
    struct str address;
    int64_t expires_ms;
};
struct device_wish {
    struct str device_code; /* what it polls with */
    struct str user_code;   /* what its user types */
    struct device_asked asked;
    int interval_s;
    ms_t valid_ms;
};
struct device_decision {
    const char *user_id;
    struct str user_code;
    bool is_allowed;
    bool is_admin; /* the user; without it the scope admin cannot be given */
};
typedef void store_on_device(void *arg, const struct device_asked *asked, const struct err *err);
enum device_verdict { DEVICE_PENDING, DEVICE_SLOW_DOWN, DEVICE_DENIED, DEVICE_EXPIRED, DEVICE_TOKEN, DEVICE_VERDICT_N };
/* token: what was made, with DEVICE_TOKEN. */
typedef void store_on_polled(void *arg, enum device_verdict verdict, const struct api_token *token,
                             const struct err *err);

/* ---- projects ---- */

typedef void store_on_project(void *arg, const struct project *project, const struct err *err);

/* What a POST of a project asks for. */
struct project_wish {
    const char *owner_id;
    struct str name;
    struct str description; /* absent: none */
    const char *cluster;    /* a name that is known */
    const char *id;         /* if it is drawn already: a second wish with the same one finds it made; NULL: a new one */
    unsigned projects_max;  /* of this owner: CONFLICT with reason "TooManyProjects"; 0: no limit */
};

/* What a POST or DELETE of a sandbox or project asks for. */
struct sandbox_request {
    const char *owner_id;
    const char *project_id;
    enum desired desired;
    unsigned states; /* bits of enum sandbox_status in which it may be asked for; 0: in all */
    bool is_again;   /* a running sandbox is led through its creation once more */
    /* The names to use if the request starts a new sandbox or a new database; ignored where names exist already (Retry
     * keeps them; a terminated sandbox gets new ones, its database keeps its own). */
    const struct sandbox *names;
    const struct env_list *env; /* of the request, stored encrypted with the sandbox; NULL: keep what is stored */
    struct request_limits limits;
    int64_t now_ms; /* wall clock, for the journal row */
};

enum request_result {
    REQUEST_STARTED,     /* a flow leads there now; events were written */
    REQUEST_IN_PROGRESS, /* a flow was leading there already */
    REQUEST_ALREADY,     /* it is so: running, or terminated */
    REQUEST_NOTHING,     /* nothing exists that could be removed */
    REQUEST_REFUSED,     /* the project is being deleted, or its state is none of `states`: the row tells */
};

/* events: the journal rows written, in order, with their numbers. */
typedef void store_on_request(void *arg, enum request_result result, const struct sandbox *sb,
                              const struct journal_event *events, size_t n_events, const struct err *err);

/* ---- a project's variables ---- */

struct variable {
    char id[ID_SIZE];
    struct str key;
    struct str value; /* absent in a put: keep what is stored */
    struct str category;
    bool is_secret;
    int64_t created_ms;
    int64_t updated_ms;
};
typedef void store_on_variables(void *arg, const struct variable *vars, size_t n, const struct err *err);

enum variables_how {
    VARIABLES_ADDED,      /* adds, or replaces those of the same key */
    VARIABLES_CATEGORIES, /* and removes every other variable of the categories that are named */
    VARIABLES_EXISTING,   /* changes values only; MISSING when there is no such variable */
};
struct variables_put {
    const char *owner_id;
    const char *project_id;
    enum variables_how how;
    const struct variable *vars; /* id and times are not read; keys differ */
    size_t n;
};

/* ---- requests that may be sent again ---- */

/* A request with an Idempotency-Key. Hashes are SHA-256. */
struct idempotent_request {
    const char *owner_id;
    struct str scope; /* hash of what the key belongs to: method and path */
    struct str key;
    struct str fingerprint; /* hash of the whole request */
    ms_t hold_ms;           /* whoever runs it has so long, if its replica lives; then another may */
    ms_t valid_ms;          /* the key is remembered so long */
    unsigned keys_max;      /* an owner's, at a time */
};
struct idempotent_answer {
    int status;
    struct str content_type; /* absent: none */
    struct str fields;       /* header fields, "Name: value" a line each */
    struct str body;         /* stored encrypted; absent: it was, or shall, not be kept */
};
enum idempotency_verdict {
    IDEMPOTENCY_RUN,      /* held for the caller, who ends it */
    IDEMPOTENCY_ANSWERED, /* with `answer` */
    IDEMPOTENCY_BUSY,     /* somebody runs it */
    IDEMPOTENCY_OTHER,    /* the key was used for another request */
    IDEMPOTENCY_MANY,     /* the owner has keys_max of them */
};
struct idempotency_found {
    enum idempotency_verdict verdict;
    char operation_id[ID_SIZE]; /* the same in each run of the request */
    int64_t fence;              /* of this run */
    struct idempotent_answer answer;
};
typedef void store_on_idempotency(void *arg, const struct idempotency_found *found, const struct err *err);
typedef void store_on_count(void *arg, size_t n, const struct err *err);

/* ---- limits ---- */

/* The server's; ms, 0: none. */
struct limits_settings {
    ms_t idle_stop_ms; /* a sandbox is stopped after so long without use */
    ms_t max_age_ms;   /* and so long after it was created, started or restarted */
    ms_t warning_ms;   /* it is announced so long before */
    bool may_extend;   /* an owner's own limit may be longer, or none; else the shorter one holds */
};
/* Of one project. */
struct project_limits {
    ms_t own_idle_stop_ms; /* -1: the owner set none; 0: never */
    ms_t own_max_age_ms;   /* as above */
    ms_t idle_stop_ms;     /* what holds; 0: never */
    ms_t max_age_ms;
    int64_t active_ms; /* last use that was heard of, wall clock; -1: none yet */
    int64_t stops_ms;  /* a stop that was announced, wall clock; -1: none */
    bool is_stop_for_age;
};
typedef void store_on_limits(void *arg, const struct project_limits *limits, const struct err *err);
struct limits_wish {
    const char *owner_id;
    const char *project_id;
    ms_t idle_stop_ms; /* -1: as the server is configured; 0: never */
    ms_t max_age_ms;
    const struct limits_settings *settings;
};

enum limits_verdict {
    LIMITS_OFF,  /* nothing has a limit */
    LIMITS_NONE, /* nothing is due */
    LIMITS_WARNED,
    LIMITS_KEPT,   /* the announcement was taken back */
    LIMITS_STOPPED /* a flow leads there now, held by this replica */
};
/* event: the journal row that was written; NULL for OFF and NONE. */
typedef void store_on_limits_look(void *arg, enum limits_verdict verdict, const struct journal_event *event,
                                  const struct err *err);

struct activity_use {
    const char *project_id;
    const char *user_id;
    ms_t age_ms; /* so long ago */
};

/* ---- flows ---- */

/* One write of a flow: the row's new state and the journal rows of what was observed, in one transaction. Refused with
 * CONFLICT (reason "Fenced") when the lease is not this replica's any more, a request changed the row (each that does
 * raises the fence), or `saves` is not the row's: the write before this one had no answer and took effect. Success
 * raises the row's `saves` by one. */
struct flow_save {
    const struct sandbox *sb; /* project_id, attempt, fence, status, code, message, is_settled are written */
    struct str steps_json;    /* the engine's clocks; at most 4 KiB */
    const struct db_credentials *credentials; /* NULL: unchanged; stored encrypted */
    struct journal_event *events;             /* seq is filled in on success */
    size_t n_events;
    bool is_project_gone; /* delete the project's row (and what hangs on it); the journal stays */
};
typedef void store_on_saved(void *arg, const struct journal_event *events, size_t n_events, const struct err *err);

/* One claimed flow. credentials: NULL while none are stored. */
struct flow_row {
    struct sandbox sandbox;
    struct str steps_json;
    const struct db_credentials *credentials;
};
typedef void store_on_flows(void *arg, const struct flow_row *rows, size_t n, const struct err *err);

/* Sandboxes that ran and should run, and that nobody leads: which of them. */
struct watched_query {
    const char *after;     /* those after this project, in their order */
    unsigned max;          /* 1..1000 */
    const struct str *ids; /* NULL: all; else these projects' only */
    size_t ids_n;
};
/* now_ms: the store's clock, by which rows were updated. */
typedef void store_on_watched(void *arg, const struct sandbox *rows, size_t n, int64_t now_ms, const struct err *err);

enum drift_wish {
    DRIFT_REPORT, /* it does not run as it should */
    DRIFT_REPAIR, /* and this replica takes it up */
    DRIFT_HEALED, /* it runs again; where a flow had failed on it this replica takes it up to see to the rest */
};
struct drift_note {
    const char *project_id;
    unsigned attempt; /* with fence: the row as it is known */
    int64_t fence;
    enum drift_wish wish;
    enum reason code;
    const char *message;
    int64_t now_ms;   /* wall clock, for the journal row */
    ms_t pace_ms;     /* the second report or repair waits so long after the first, each further one twice as long */
    ms_t pace_cap_ms; /* at most so long */
    ms_t calm_ms;     /* after which they are counted anew */
};
enum drift_result {
    DRIFT_TOLD,  /* event was written */
    DRIFT_LATER, /* not before wait_ms */
    DRIFT_OTHER, /* the row is another than was known */
};
/* sb: the row as it is, unsettled if this replica has to lead it; NULL: it is not to be watched any more. event: NULL
 * unless TOLD. */
typedef void store_on_drift(void *arg, enum drift_result result, ms_t wait_ms, const struct sandbox *sb,
                            const struct journal_event *event, const struct err *err);

/* Which flows a replica wants to take up. */
struct flow_claim {
    unsigned max;
    /* Also those that name this replica and are not among `led`: a claim whose answer was lost left them so. */
    bool is_recount;
    const struct str *led; /* project ids; NULL if none */
    size_t led_n;
};

/* was_held: the lease was still this replica's until now, by PostgreSQL's clock, which may have been set: if not,
 * others may have taken flows. */
typedef void store_on_renewed(void *arg, bool was_held, const struct err *err);

/* Another replica gave its flows back: there is something to claim. */
typedef void store_on_flows_freed(void *arg);

typedef void store_on_env(void *arg, const struct env_list *env, const struct err *err);

typedef void store_on_credentials(void *arg, const struct db_credentials *credentials, const struct err *err);

/* ---- the sweep; its types are in core/sweep_report.h and core/sweep.h ---- */

/* now_ms: PostgreSQL's wall clock. */
typedef void store_on_sweep_begun(void *arg, bool is_begun, int64_t now_ms, const struct err *err);
/* rows: as many as objects, in their order. */
typedef void store_on_sweep_match(void *arg, const struct sweep_row *rows, size_t n, int64_t now_ms,
                                  const struct err *err);

typedef void store_on_sweep_places(void *arg, const struct sweep_place *places, size_t n, const struct err *err);

/* is_written: false when another replica took the comparison over meanwhile. */
typedef void store_on_sweep_ended(void *arg, bool is_written, const struct err *err);
typedef void store_on_sweep_report(void *arg, const struct sweep_report *report, const struct err *err);

/* ---- the journal ---- */

struct journal_query {
    const char *owner_id;
    const char *project_id; /* NULL: of all the owner's projects */
    uint64_t after;         /* numbers above this */
    unsigned attempt;       /* only of this attempt; 0: of all */
    unsigned limit;         /* 1..500 */
};
/* last_seq: the owner's newest number at the time of reading. */
typedef void store_on_journal(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq,
                              const struct err *err);
/* An event that another replica wrote. */
typedef void store_on_foreign_event(void *arg, const struct journal_event *event);

struct store_health {
    bool is_postgres_up;
    bool is_schema_current;
    bool is_redis_up;
    bool has_redis; /* is one configured? */
    int postgres_version;
    unsigned queue_n;
};

struct port_store {
    void *self;
    struct port_audit audit;
    struct port_admin admin;
    struct port_repos repos;

    /* -- the engine's part (also in the simulation) -- */

    /* Says "this replica lives" for lease_ms more, by PostgreSQL's clock. */
    struct op *(*replica_renew)(void *self, ms_t lease_ms, ms_t timeout_ms, store_on_renewed *done, void *arg);
    /* Gives all leases back (drain) and tells the others. */
    struct op *(*replica_release)(void *self, ms_t timeout_ms, op_done *done, void *arg);
    /* Called when others give flows back, on the loop; the word may be lost. One subscriber; NULL ends it. */
    void (*flows_subscribe)(void *self, store_on_flows_freed *on_freed, void *arg);
    /* Takes unsettled flows which no living replica holds and which do not wait for their turn; each gets a new fence.
     * An error may have taken some. */
    struct op *(*flows_claim)(void *self, const struct flow_claim *claim, ms_t timeout_ms, store_on_flows *done,
                              void *arg);
    /* Gives this replica the creations whose turn it is: everybody's first before anybody's second. An error may have
     * given some. */
    struct op *(*queue_admit)(void *self, const struct queue_look *look, ms_t timeout_ms, store_on_queue *done,
                              void *arg);
    /* Median duration of each stage over the last 50 completed. */
    struct op *(*stage_usual)(void *self, ms_t timeout_ms, store_on_usual *done, void *arg);
    /* The unsettled flow of one project, if this replica holds it (after a request was written). */
    struct op *(*flow_load)(void *self, const char *project_id, ms_t timeout_ms, store_on_flows *done, void *arg);
    struct op *(*flow_save)(void *self, const struct flow_save *save, ms_t timeout_ms, store_on_saved *done, void *arg);
    /* Project's variables and the request's over them, decrypted. */
    struct op *(*env_of)(void *self, const char *project_id, ms_t timeout_ms, store_on_env *done, void *arg);
    /* Logs in with exactly these credentials and runs SELECT 1. */
    struct op *(*prove_login)(void *self, const struct db_credentials *credentials, ms_t timeout_ms, op_done *done,
                              void *arg);
    struct op *(*watched_list)(void *self, const struct watched_query *query, ms_t timeout_ms, store_on_watched *done,
                               void *arg);
    /* What was seen of a watched sandbox, in one transaction. An error may have written it: then the row of a repair
     * names this replica. */
    struct op *(*drift_note)(void *self, const struct drift_note *note, ms_t timeout_ms, store_on_drift *done,
                             void *arg);

    /* Turns creations that failed longer than grace_ms ago and were never ready towards their end, at most max of them;
     * whoever claims next leads them there. `done` gets the journal rows that were written. */
    struct op *(*failed_expire)(void *self, ms_t grace_ms, unsigned max, ms_t timeout_ms, store_on_saved *done,
                                void *arg);

    /* -- the sweep (not in the simulation) -- */

    /* Takes the comparison of a cluster for at most lease_ms, unless another replica is at it or one ended less than
     * age_ms ago. */
    struct op *(*sweep_begin)(void *self, const char *cluster, ms_t age_ms, ms_t lease_ms, ms_t timeout_ms,
                              store_on_sweep_begun *done, void *arg);
    /* Changes nothing. objects: at most 1000, borrowed during the call. */
    struct op *(*sweep_match)(void *self, const char *cluster, const struct surveyed *objects, size_t n,
                              ms_t timeout_ms, store_on_sweep_match *done, void *arg);
    /* By project id. */
    struct op *(*sweep_places)(void *self, const struct sweep_places_query *query, ms_t timeout_ms,
                               store_on_sweep_places *done, void *arg);
    struct op *(*sweep_end)(void *self, const struct sweep_outcome *outcome, ms_t timeout_ms,
                            store_on_sweep_ended *done, void *arg);
    /* The last comparison of every cluster. */
    struct op *(*sweep_read)(void *self, ms_t timeout_ms, store_on_sweep_report *done, void *arg);

    /* -- requests -- */

    struct op *(*project_create)(void *self, const struct project_wish *wish, ms_t timeout_ms, store_on_project *done,
                                 void *arg);
    /* MISSING when unknown or somebody else's. */
    struct op *(*project_get)(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                              store_on_project *done, void *arg);
    struct op *(*project_list)(void *self, const struct project_query *query, ms_t timeout_ms, store_on_projects *done,
                               void *arg);
    /* Sorted by key, values opened; without those of the category "database". */
    struct op *(*variables_list)(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                                 store_on_variables *done, void *arg);
    /* In one transaction; `done` gets the written ones. INVALID when they are too many or too large together. */
    struct op *(*variables_put)(void *self, const struct variables_put *put, ms_t timeout_ms, store_on_variables *done,
                                void *arg);
    /* MISSING when there is none of that id. */
    struct op *(*variable_delete)(void *self, const char *owner_id, const char *project_id, const char *id,
                                  ms_t timeout_ms, op_done *done, void *arg);
    /* In one transaction: row, desired state, lease to this replica or a place in the queue, first journal rows.
     * MISSING as above. */
    struct op *(*sandbox_request)(void *self, const struct sandbox_request *request, ms_t timeout_ms,
                                  store_on_request *done, void *arg);
    /* The credentials of a project's database; MISSING while there are none. */
    struct op *(*credentials_get)(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                                  store_on_credentials *done, void *arg);
    struct op *(*journal_read)(void *self, const struct journal_query *query, ms_t timeout_ms, store_on_journal *done,
                               void *arg);
    /* Sends the event to the other replicas (Redis pub/sub; without Redis the row's own NOTIFY has done it). */
    void (*journal_publish)(void *self, const struct journal_event *event);
    void (*journal_subscribe)(void *self, store_on_foreign_event *on_event, void *arg);

    /* -- identity; tokens are the text the client sent, only their SHA-256 is stored -- */

    /* A one-time link for a user that is made if need be ("local:<name>"). */
    struct op *(*signin_link_create)(void *self, struct str user_key, struct str token, ms_t valid_ms, ms_t timeout_ms,
                                     op_done *done, void *arg);
    /* Uses the link up and makes the session, in one transaction; UNAUTHENTICATED when used, expired or unknown. */
    struct op *(*signin_link_use)(void *self, struct str token, const struct session_wish *wish, ms_t timeout_ms,
                                  store_on_principal *done, void *arg);
    /* Redis first; UNAUTHENTICATED when unknown or expired. Moves the idle end at most once a minute. */
    struct op *(*session_find)(void *self, struct str session_token, ms_t timeout_ms, store_on_principal *done,
                               void *arg);
    struct op *(*session_end)(void *self, struct str session_token, ms_t timeout_ms, op_done *done, void *arg);
    /* Those that work, the last used first, 200 at most. */
    struct op *(*session_list)(void *self, const char *user_id, struct str current_token, ms_t timeout_ms,
                               store_on_sessions *done, void *arg);
    /* MISSING when one was chosen that is not there. */
    struct op *(*session_revoke)(void *self, const struct session_choice *which, ms_t timeout_ms, op_done *done,
                                 void *arg);
    /* All sessions and API tokens of a user; MISSING when there is no such user. */
    struct op *(*credentials_revoke)(void *self, const char *user_id, ms_t timeout_ms, op_done *done, void *arg);
    /* on_ended: a session or token has ended, here or at another replica. May come twice; may be missed while
     * PostgreSQL is away, therefore credentials_ended tells which of `hexes` are none any more. */
    void (*credentials_subscribe)(void *self, void (*on_ended)(void *arg, struct str hash_hex), void *arg);
    struct op *(*credentials_ended)(void *self, const struct str *hexes, size_t n, ms_t timeout_ms,
                                    store_on_hashes *done, void *arg);
    struct op *(*oauth_begin)(void *self, const struct oauth_attempt *attempt, ms_t valid_ms, ms_t timeout_ms,
                              op_done *done, void *arg);
    /* Uses it up; UNAUTHENTICATED when unknown, used, over or another browser's. `done` gets verifier and return_to. */
    struct op *(*oauth_take)(void *self, struct str state, struct str browser, ms_t timeout_ms, store_on_attempt *done,
                             void *arg);
    /* The user of that GitHub id, made if need be, with what GitHub tells of it now, and a session. */
    struct op *(*github_enter)(void *self, const struct github_user *user, const struct session_wish *wish,
                               ms_t timeout_ms, store_on_principal *done, void *arg);
    struct op *(*device_begin)(void *self, const struct device_wish *wish, ms_t timeout_ms, op_done *done, void *arg);
    /* MISSING when nobody waits with that code. */
    struct op *(*device_find)(void *self, struct str user_code, ms_t timeout_ms, store_on_device *done, void *arg);
    struct op *(*device_decide)(void *self, const struct device_decision *decision, ms_t timeout_ms, op_done *done,
                                void *arg);
    /* token: becomes the program's API token if a user has allowed it. */
    struct op *(*device_poll)(void *self, struct str device_code, struct str token, ms_t valid_ms, ms_t timeout_ms,
                              store_on_polled *done, void *arg);
    /* CONFLICT with reason "TooManyTokens"; `done` gets the one that was made. */
    struct op *(*token_create)(void *self, const struct token_wish *wish, ms_t timeout_ms, store_on_tokens *done,
                               void *arg);
    /* Those that work, newest first. */
    struct op *(*token_list)(void *self, const char *owner_id, ms_t timeout_ms, store_on_tokens *done, void *arg);
    /* MISSING when there is none of that id, or no more. */
    struct op *(*token_revoke)(void *self, const char *owner_id, const char *id, ms_t timeout_ms, op_done *done,
                               void *arg);
    /* As session_find; who->scopes is set. Its use is written down at most once a minute. */
    struct op *(*token_find)(void *self, struct str token, ms_t timeout_ms, store_on_principal *done, void *arg);

    /* -- limits -- */

    /* Does the one thing that is most due to any sandbox, in one transaction that no two replicas do twice. */
    struct op *(*limits_look)(void *self, const struct limits_settings *settings, ms_t timeout_ms,
                              store_on_limits_look *done, void *arg);
    /* MISSING when unknown or somebody else's. */
    struct op *(*limits_get)(void *self, const char *owner_id, const char *project_id,
                             const struct limits_settings *settings, ms_t timeout_ms, store_on_limits *done, void *arg);
    /* As above; it counts as use. */
    struct op *(*limits_set)(void *self, const struct limits_wish *wish, ms_t timeout_ms, store_on_limits *done,
                             void *arg);
    /* Use of projects; that of others' or unknown ones is passed over. At most 500. */
    struct op *(*activity_write)(void *self, const struct activity_use *uses, size_t n, ms_t timeout_ms, op_done *done,
                                 void *arg);

    /* -- requests that may be sent again -- */

    struct op *(*idempotency_begin)(void *self, const struct idempotent_request *request, ms_t timeout_ms,
                                    store_on_idempotency *done, void *arg);
    /* answer: NULL when there is none, the request may be run again at once. Nothing happens when another run has
     * begun since. */
    struct op *(*idempotency_end)(void *self, const char *operation_id, int64_t fence,
                                  const struct idempotent_answer *answer, ms_t timeout_ms, op_done *done, void *arg);
    /* Forgets at most `max` keys whose time is over; `done` gets how many. */
    struct op *(*idempotency_clean)(void *self, unsigned max, ms_t timeout_ms, store_on_count *done, void *arg);

    /* -- the status document's cache: Redis, else this process's memory; never truth -- */

    /* done gets MISSING, or the JSON that was put. */
    struct op *(*status_find)(void *self, const char *owner_id, const char *project_id, ms_t timeout_ms,
                              void (*done)(void *arg, struct str json, const struct err *err), void *arg);
    void (*status_put)(void *self, const char *owner_id, const char *project_id, struct str json, ms_t ttl_ms);
    void (*status_drop)(void *self, const char *owner_id, const char *project_id);

    void (*health)(void *self, struct store_health *ret);
};
