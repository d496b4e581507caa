// SPDX-License-Identifier: MIT
/* Users, projects, requests and flows for the store's tests: each call runs until its answer is there. */
#pragma once

#include "core/sandbox.h"
#include "tests/wire/store/fixture.h"

enum { WORLD_EVENTS_MAX = 8, WORLD_FLOWS_MAX = 16 };

/* Answers, copied. Credentials are kept as texts. */
struct asked {
    bool is_done;
    struct err err;
    enum request_result result;
    struct sandbox sb;
    size_t n_events;
    struct journal_event events[WORLD_EVENTS_MAX];
};
struct flows {
    bool is_done;
    struct err err;
    size_t n;
    struct sandbox sb[WORLD_FLOWS_MAX];
    char steps[256];      /* of the first */
    bool has_credentials; /* of the first */
    char password[64];
    char host[64];
};

/* A user with one project; ids end with `name`, which must be new in the database. */
struct owned {
    char owner_id[ID_SIZE];
    char project_id[ID_SIZE];
};
struct owned world_project(struct fixture *f, const char *name);
/* One more project of the same owner. */
void world_another_project(struct fixture *f, struct owned *o, const char *name);

/* Names drawn for `name`; valid until the next call. */
const struct sandbox *world_names(const char *name);
void world_request_start(const struct port_store *port, const struct owned *o, enum desired desired, const char *name,
                         const struct env_list *env, struct asked *ret);
void world_request_within(const struct port_store *port, const struct owned *o, const char *name,
                          const struct request_limits *limits, struct asked *ret);
struct asked world_request(struct fixture *f, const struct port_store *port, const struct owned *o,
                           enum desired desired, const char *name);

struct flows world_claim(struct fixture *f, const struct port_store *port, unsigned max);
/* A claim after one without an answer; led: the one project that is led, NULL: none. */
struct flows world_recount(struct fixture *f, const struct port_store *port, const char *led);
struct flows world_load(struct fixture *f, const struct port_store *port, const char *project_id);
struct flows world_watched(struct fixture *f, const struct port_store *port, const struct watched_query *query);

/* Saves sb with n stage events; on success sb->saves counts. */
struct asked world_save(struct fixture *f, const struct port_store *port, struct sandbox *sb, size_t n_events);
/* As world_save for the end of an attempt: settled with `status`, one DONE event. */
struct asked world_settle(struct fixture *f, const struct port_store *port, struct sandbox *sb,
                          enum sandbox_status status, enum outcome outcome);
struct asked world_save_it(struct fixture *f, const struct port_store *port, const struct flow_save *save);

/* Of a group of cases: a database of its own, a store on it, and this replica's lease; *state is the fixture. */
int world_setup(void **state, const char *name);
int world_teardown(void **state);

/* Was the lease still held before? */
bool world_renew(struct fixture *f, const struct port_store *port, ms_t lease_ms);
