// SPDX-License-Identifier: MIT
/* The few fields of an object that decide, read from its JSON. Pure. Texts are copies that facts_fini frees: ten
 * thousand sandboxes are kept in memory, so nothing is stored that nobody asks for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/json_read.h"
#include "core/observed.h"
#include "k8s/objects.h"

struct database_facts {
    enum db_phase phase;
    bool is_halted;
    bool is_refused;
    char *message; /* NULL: none; so are all texts here */
};

struct workload_facts {
    int64_t generation, observed_generation;
    int wanted, updated, available;
    bool is_rolling, is_available, is_replica_failure, is_progress_over;
    char *message;
};

struct pod_facts {
    int64_t created_ms;
    bool is_failed, is_scheduled, is_unschedulable, is_pulled, is_running, is_ready;
    int restarts, exit_code;
    char restart_time[15]; /* label of the attempt it was made for */
    char *waiting_reason, *last_reason, *message, *node;
};

struct claim_facts {
    bool is_bound;
};

enum { ROUTE_HOSTS_N = 3 };

/* Of an Ingress only the hosts. */
struct route_facts {
    uint64_t hosts[ROUTE_HOSTS_N]; /* hashes of the first host names it leads from; 0: no more */
    bool is_accepted, is_refused, is_conflict;
    char *message;
};

struct endpoint_facts {
    int addresses_n, ready_n;
};

struct facts {
    union {
        struct database_facts database;
        struct workload_facts workload;
        struct pod_facts pod;
        struct claim_facts claim;
        struct route_facts route;
        struct endpoint_facts endpoints;
    };
};

/* What every object has. Texts are borrowed from the JSON. */
struct object_head {
    struct str name;
    struct str uid;
    struct str project_id; /* label; absent: not ours */
    struct str version_text;
    uint64_t version; /* resourceVersion as a number; 0 if it is none */
    uint64_t owner;   /* hash of what it belongs to: the first owner's uid, for an EndpointSlice its Service's name */
    bool is_deleting;
};

void facts_head(enum kube_kind kind, const struct json_value *object, struct object_head *ret);
/* Fills *ret, which is empty before. */
void facts_read(enum kube_kind kind, const struct json_value *object, struct facts *ret);
void facts_fini(enum kube_kind kind, struct facts *facts);
