// SPDX-License-Identifier: MIT
/* Private to store_*.c and *_repo.c: the inside of the store, and what one call of the port is made of. */
#pragma once

#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/codec.h"
#include "core/io/loop.h"
#include "core/port_store.h"
#include "store/memory_cache.h"
#include "store/pg_pool.h"
#include "store/redis.h"
#include "store/store_port.h"

#define STORE_CHANNEL       "fsd_journal" /* of NOTIFY; fs_journal_add names it too */
#define STORE_REDIS_CHANNEL "fsd:journal"

struct store {
    struct port_store port;
    struct loop *loop;
    struct pg_pool *pool;
    struct pg_connection *listener;
    struct redis *redis; /* NULL: none is configured */
    struct memory_cache *memory;
    const struct codec_keyring *ring;
    char replica_id[ID_SIZE];
    char *address;
    char lease_until[40];             /* as PostgreSQL said last; empty: never */
    store_on_foreign_event *on_event; /* NULL: nobody wants them */
    void *event_arg;
    void (*on_ended)(void *arg, struct str hash_hex); /* NULL: nobody wants to know */
    void *ended_arg;
    store_on_flows_freed *on_freed; /* the same */
    void *freed_arg;
    TAILQ_HEAD(, store_call) calls;
    struct loop_timer probe_timer;
    struct op *probe;
    bool is_schema_current;
    bool is_answering; /* the last probe was answered */
};

/* One call of the port under way. It ends in exactly one place: the handler of its result, which calls `done` and then
 * store_call_end. */
struct store_call {
    struct op op;
    TAILQ_ENTRY(store_call) link;
    struct store *store;
    struct op *inner; /* NULL: none is under way */
    struct arena *arena;
    ms_t until_ms;
    struct loop_task refuse;
    struct err refusal;
    pg_on_result *on_result;
    struct pg_connection *conn; /* of prove_login */
    union {
        op_done *plain;
        store_on_renewed *renewed;
        store_on_project *project;
        store_on_projects *projects;
        store_on_request *request;
        store_on_flows *flows;
        store_on_watched *watched;
        store_on_drift *drift;
        store_on_queue *queue;
        store_on_saved *saved;
        store_on_env *env;
        store_on_variables *variables;
        store_on_credentials *credentials;
        store_on_journal *journal;
        store_on_usual *usual;
        store_on_sweep_begun *sweep_begun;
        store_on_sweep_match *sweep_match;
        store_on_sweep_places *sweep_places;
        store_on_sweep_ended *sweep_ended;
        store_on_sweep_report *sweep_report;
        store_on_principal *principal;
        store_on_tokens *tokens;
        store_on_idempotency *idempotency;
        store_on_count *count;
        store_on_audit *audit;
        store_on_users *users;
        store_on_all_projects *all_projects;
        store_on_attempt *attempt;
        store_on_secret *secret;
        store_on_repo_begun *repo_begun;
        store_on_device *device;
        store_on_polled *polled;
        store_on_sessions *sessions;
        store_on_hashes *hashes;
        store_on_limits *limits;
        store_on_limits_look *limits_look;
        void (*text)(void *arg, struct str json, const struct err *err);
    } done;
    void *arg;
    /* What the handler needs to remember; texts in the arena. */
    const char *owner_id;
    const char *project_id;
    unsigned limit;
    struct str key;   /* of the cache */
    struct str hash;  /* of the session token */
    const char *sql;  /* that finds it; static */
    bool must_exist;  /* what is to be removed */
    struct str found; /* in memory */
    /* Hash of the session that a sign-in ends, in hexadecimal; absent: none. */
    struct str former_hex;
    redis_on_value *on_text;
    struct loop_task tell; /* of `found` */
    struct journal_event *events;
    size_t n_events;
};

struct store_call *store_call_new(struct store *s, ms_t timeout_ms, void *arg);
/* Runs `sql` (static text) on the pool; on_result gets the call as its arg. */
struct op *store_call_query(struct store_call *call, const char *sql, struct pg_params *params,
                            pg_on_result *on_result);
/* on_result gets the error at the next turn. */
struct op *store_call_refuse(struct store_call *call, const struct err *err, pg_on_result *on_result);
void store_call_end(struct store_call *call);

/* Did the query answer, with a row? Else *ret is its error, or MISSING with the words `missing`. */
bool store_found(const struct pg_result *result, const struct err *err, const char *missing, struct err *ret);
/* The end of a call that tells no more than that: done.plain. */
void store_end_found(struct store_call *call, const struct pg_result *result, const struct err *err,
                     const char *missing);

/* The next parameters: limit (at most `most`), and time and id of the row after which the page begins. */
void store_page_ask(struct store_call *call, struct pg_params *p, unsigned limit, unsigned most,
                    const struct page_cursor *after);
/* How many of the n rows that were read belong to the page. */
size_t store_page_rows(const struct store_call *call, size_t n, bool *ret_has_more);

/* The cache: Redis while it is up, else this process's memory. */
void store_cache_put(struct store *s, struct str key, struct str value, ms_t ttl_ms);
/* As put, unless something stands there already. */
void store_cache_add(struct store *s, struct str key, struct str value, ms_t ttl_ms);
/* on_text gets the call as its arg, at a later turn; err: MISSING, or why Redis did not say. */
void store_cache_find(struct store_call *call, struct str key, redis_on_value *on_text);
void store_cache_drop_status(struct store *s, const char *owner_id, const char *project_id);

/* Each fills its functions of the port. */
void project_repo_fill(struct port_store *port);
void variables_repo_fill(struct port_store *port);
void request_repo_fill(struct port_store *port);
void flow_repo_fill(struct port_store *port);
void queue_repo_fill(struct port_store *port);
void journal_repo_fill(struct port_store *port);
void identity_repo_fill(struct port_store *port);
void session_repo_fill(struct port_store *port);
void token_repo_fill(struct port_store *port);
void idempotency_repo_fill(struct port_store *port);
void audit_repo_fill(struct port_store *port);
void admin_repo_fill(struct port_store *port);
void limits_repo_fill(struct port_store *port);
void github_repo_fill(struct port_store *port);
void repo_link_repo_fill(struct port_store *port);
void device_repo_fill(struct port_store *port);
void store_cache_fill(struct port_store *port);
void sweep_repo_fill(struct port_store *port);
void login_probe_fill(struct port_store *port);

/* Who shows this session or API token, by the cache or by `sql`: $1 its hash; ROWS_USER, until, scopes, token id. */
struct op *identity_repo_find(struct store *s, struct str token, const char *sql, ms_t timeout_ms,
                              store_on_principal *done, void *arg);
/* Words with blanks between; one that this program does not know allows nothing. */
unsigned identity_repo_scopes(struct str words);
/* NUL-terminated in the arena. */
struct str identity_repo_hash_hex(struct arena *a, struct str token);
void identity_repo_add_hash(struct pg_params *p, struct str token);
/* The next parameters: hash, former hash, idle and absolute time, agent, address. */
void identity_repo_add_session(struct store_call *call, struct pg_params *p, const struct session_wish *wish);
/* The end of a call whose result is ROWS_USER, until, scopes, token id. The former session, if there was one, has ended
 * with it.
 */
void identity_repo_tell(struct store_call *call, const struct pg_result *result, const struct err *err);
/* Nobody shows it from here on. hex: of its hash. */
void identity_repo_ended(struct store *s, struct str hex);
/* The end of a call whose rows are hashes (hex, or NULL: none) of what has ended. missing: what to say where there is
 * no row; NULL: nothing has to be. The other replicas hear it from PostgreSQL. */
void identity_repo_end_revoked(struct store_call *call, const struct pg_result *result, const struct err *err,
                               const char *missing);

struct rows_at;
/* Reads the columns ROWS_PROJECT and ROWS_SANDBOX. */
MUST_CHECK bool project_repo_read(struct rows_at at, struct project *ret, struct err *reterr);
/* Reads the columns ROWS_FLOW. credentials: where to put them; the caller's to clear, also when it fails. */
MUST_CHECK bool flow_repo_read(const struct store_call *call, struct rows_at at, struct flow_row *ret,
                               struct db_credentials *credentials, struct err *reterr);
/* A message about an event came from another replica, by NOTIFY or Redis. */
void journal_repo_heard(struct store *s, struct str payload);
/* Adds the arrays of fs_journal_add, from kinds to durations. */
void journal_repo_add_events(struct pg_params *p, const struct journal_event *events, size_t n);
/* Must NOTIFY carry events? Only while Redis does not. */
bool journal_repo_must_notify(const struct store *s);
