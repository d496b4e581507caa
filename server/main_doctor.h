// SPDX-License-Identifier: MIT
/* fullstackd doctor: a list of checks run one after the other, each saying one line or a few: ok, warn or fail, and
 * what to do. The checks stand in main_doctor_<what>.c; the list, the order and the output in main_doctor.c. Nothing is
 * changed anywhere, no secret's value is shown. */
#pragma once

#include "core/base/arena.h"
#include "core/io/fetch.h"
#include "k8s/client.h"
#include "server/main_program.h"
#include "store/pg_conn.h"
#include "store/redis.h"

/*    name  word    ends with failure */
#define DOCTOR_LEVELS(X)                                                                                               \
    X(OK, "ok")                                                                                                        \
    X(WARN, "warn")                                                                                                    \
    X(FAIL, "fail")

enum doctor_level {
#define X(name, word) DOCTOR_##name,
    DOCTOR_LEVELS(X)
#undef X
        DOCTOR_LEVEL_N
};

enum { DOCTOR_TIMEOUT_MS = 10000, DOCTOR_STALE_MAX = 100, DOCTOR_CLUSTER_NAMES_MAX = 256 };

struct doctor {
    const struct main_options *options;
    struct config config;
    struct arena *arena;
    struct loop *loop;
    struct json_writer *json; /* NULL: lines */
    unsigned said_n[DOCTOR_LEVEL_N];

    size_t at;         /* the check that runs */
    size_t cluster_at; /* of a cluster's checks */
    struct loop_task next;
    struct loop_timer timer; /* of the check that runs */
    bool is_answered;        /* by an object that may report more than once */
    ms_t asked_ms;

    struct pg_connection *pg; /* NULL: not reachable */
    struct redis *redis;
    struct fetch *fetch;
    struct fetch_client *client;

    /* of the cluster that is looked at: its checks run once for each, and begin with none of this */
    const struct config_cluster *cluster; /* NULL: none yet */
    struct kube *kube;                    /* NULL: no usable kubeconfig */
    const char *namespace_name;
    unsigned rights_n;
    unsigned rights_bad_n;
    const char *stale[DOCTOR_STALE_MAX]; /* names of databases to look for */
    size_t stale_n;
    size_t stale_at;
    unsigned stale_gone_n;
    const char *kubeblocks_version; /* NULL: not found */
};

/* The names by which rows of projects may call the cluster, its own first. */
void doctor_add_cluster_names(struct doctor *d, const struct config_cluster *cluster, struct str *list, size_t *n,
                              size_t max);

/* Says a line. advice: what to do; NULL when there is nothing to do. */
void doctor_say(struct doctor *d, enum doctor_level level, const char *check, const char *advice, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* The running check is over; the next one starts from the loop. */
void doctor_next(struct doctor *d);

/* Each ends in doctor_next, now or later. */
typedef void doctor_check(struct doctor *d);

doctor_check doctor_descriptors, doctor_http_client, doctor_settings, doctor_secret_env, doctor_dashboard;
doctor_check doctor_own_readiness;                           /* --quick: asks the server that runs here */
doctor_check doctor_postgres, doctor_schema, doctor_redis;   /* main_doctor_store.c */
doctor_check doctor_terminals, doctor_clusters;              /* main_doctor_store.c */
doctor_check doctor_kubeconfig, doctor_api, doctor_rights;   /* main_doctor_kube.c */
doctor_check doctor_answers, doctor_storage, doctor_ingress; /* main_doctor_kube.c */
doctor_check doctor_certificate;                             /* main_doctor_kube.c */
doctor_check doctor_stale_databases;                         /* main_doctor_stale.c */
