// SPDX-License-Identifier: MIT
/* The running server: every part, made by main_serve_parts.c in this order and unmade in the opposite one; its life
 * (schema, signals, drain) is main_serve.c's, what it tells of itself main_serve_health.c's. */
#pragma once

#include "core/flow.h"
#include "core/io/backoff.h"
#include "handlers/app.h"
#include "k8s/profile.h"
#include "server/main_program.h"

struct clusters;
struct codec_keyring;
struct fetch;
struct gate;
struct github;
struct http_service;
struct k8s_port;
struct limits;
struct listener;
struct reconciler;
struct static_files;
struct store;
struct sweeper;

/* A cluster of the configuration, and what was made for it. */
struct server_cluster {
    const struct config_cluster *config;
    struct k8s_profile profile;
    const char *namespace_name;
    struct k8s_port *k8s;
    const char *check_names[3]; /* on /readyz: the API, the caches, KubeBlocks */
};

enum drain { DRAIN_NOT, DRAIN_WAITING, DRAIN_NOW };

struct server {
    const struct main_options *options;
    struct config config;
    struct arena *arena; /* of the process */
    struct loop *loop;

    /* parts */
    struct codec_keyring *keyring;
    struct store *store;
    struct fetch *fetch;
    struct server_cluster cluster_parts[CONFIG_CLUSTERS_MAX]; /* the default one first */
    struct clusters *clusters;
    struct flow_settings flow;
    struct bus *bus;
    struct reconciler *reconciler;
    struct activity *activity;
    struct limits *limits;
    struct sandboxes *sandboxes;
    struct sweeper *sweeper;        /* NULL once the server drains */
    struct static_files *dashboard; /* NULL: the API only */
    struct app app;
    struct open_streams *streams;
    struct github *github; /* NULL: not configured */
    struct gate *gate;
    struct listener *listener;
    struct listener *metrics_listener; /* NULL: /metrics is on the main one */

    /* life */
    struct op *migration;
    struct loop_timer migration_timer;
    struct backoff migration_backoff;
    bool is_schema_waited_for; /* a failure was logged */
    struct loop_signal *signals[3];
    enum drain drain;
    bool is_listener_empty;
    bool is_lease_released;
    struct loop_timer drain_timer;
    struct loop_timer door_timer; /* until then it serves as before */
    int64_t started_ms;           /* wall clock */
    bool has_reached_cluster;     /* any of them */
    int status;                   /* of the process */
};

/* main_serve_parts.c. config, arena and loop are there. What was made when it fails is unmade by server_unmake. */
MUST_CHECK bool server_make(struct server *s, struct err *reterr);
/* Only the store and the clusters, of which none is watched: for a command that does one thing. */
MUST_CHECK bool server_make_ports(struct server *s, struct err *reterr);
void server_unmake(struct server *s);

/* main_serve_health.c */
size_t server_checks(void *self, struct app_check ret[APP_CHECKS_MAX]);
enum app_cluster_state server_cluster_state(void *self, size_t i);
void server_metrics(void *self, struct buf *out);
/* The service of the listener that only knows /metrics. */
void server_metrics_service(struct server *s, struct http_service *ret);
