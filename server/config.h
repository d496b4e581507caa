// SPDX-License-Identifier: MIT
/* The configuration: one table of rows (config_table.c) from which come the parser, --print-config and docs/CONFIG.md.
 * Sources, later wins: the rows' defaults, a YAML file, .env.local (NODE_ENV development) or .env.production, the
 * environment. Every mistake of every source is reported at once; with one nothing starts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/dotenv.h"
#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/io/loop.h"
#include "core/plan.h"

enum config_node_env { NODE_ENV_PRODUCTION, NODE_ENV_DEVELOPMENT, NODE_ENV_TEST };
enum config_pod_security { POD_SECURITY_BASELINE, POD_SECURITY_RESTRICTED };
enum config_url_scheme { URL_SCHEME_HTTPS, URL_SCHEME_HTTP };

struct config_listen {
    const char *address;
    int64_t port;
    const char *tls_cert;
    const char *tls_key;
    const char *trusted_proxies;
    size_t head_bytes;
    int64_t fields_n;
    size_t target_bytes;
    size_t stream_unsent_bytes;
    size_t stream_slow_bytes;
    int64_t connections_n;
    int64_t connections_per_peer;
    ms_t head_ms;
    ms_t body_ms;
    ms_t idle_ms;
    ms_t write_ms;
    ms_t stream_slow_ms;
    ms_t handler_ms;
    ms_t drain_delay_ms;
    ms_t drain_spread_ms;
    ms_t drain_deadline_ms;
};

struct config_database {
    int64_t pool_size;
    bool is_auto_migrate;
    ms_t request_ms;
};

struct config_kube {
    const char *kubeconfig;   /* "": found by k8s/kubeconfig.h */
    const char *former_names; /* of the cluster, comma-separated */
    const char *context;      /* "": the kubeconfig's current one */
    bool is_loopback_allowed;
    const char *namespace_name;
    bool is_login_possible; /* to its databases, from here */
    int64_t sandboxes_n;    /* 0: no limit */
    int64_t creations_n;    /* 0: no limit */
    ms_t settle_ms;
};

struct config_sandbox {
    const char *domain;
    enum config_url_scheme url_scheme;
    int64_t url_port;
    const char *image;
    const char *ingress_profile;
    const char *ingress_class;
    const char *controller_namespace;
    const char *gateway_name;
    const char *gateway_namespace;
    const char *gateway_section;
    const char *gateway_timeout;
    bool is_acceptance_needed;
    const char *tls_secret;
    const char *storage_class;
    enum workload_kind workload; /* in the order of the row's choices */
    const char *volume_size;
    const char *volume_path;
    const char *volume_class;
    ms_t min_ready_ms;
    const char *database_version;
    const char *rbac_profile;
    enum config_pod_security pod_security;
    int64_t run_as_user;
};

/* One cluster: the same keys as the default one's, which are the sections kube and sandbox themselves. */
struct config_cluster {
    const char *name;
    struct config_kube kube;
    struct config_sandbox sandbox;
    struct config_origin *private_origins; /* one per row; NULL for the default cluster */
};
enum { CONFIG_CLUSTERS_MAX = 16 };

enum config_drift { CONFIG_DRIFT_REPAIR, CONFIG_DRIFT_REPORT }; /* in the order of the key's choices */

struct config_flow {
    bool is_overlapping;
    bool is_login_proven;
    int drift; /* enum config_drift */
    ms_t deadlines_ms[DEADLINE_N];
    ms_t call_ms;
    ms_t late_ms;
    ms_t lease_ms;
    ms_t claim_interval_ms;
    int64_t claim_n;
    int64_t creations_n; /* over all replicas; 0: no limit */
    int64_t replica_creations_n;
    int64_t waiting_n;    /* 0: none may wait */
    ms_t failed_grace_ms; /* 0: for ever */
};

/* What is in a cluster against what the rows say. */
enum config_sweep_mode { SWEEP_MODE_REPORT, SWEEP_MODE_DELETE };
struct config_sweep {
    enum config_sweep_mode mode;
    ms_t interval_ms; /* 0: never */
    ms_t grace_ms;
    int64_t at_most_n;
};

/* 0: no limit. */
struct config_limits {
    int64_t projects_n; /* of a user */
    int64_t sandboxes_n;
    ms_t idle_stop_ms;
    ms_t max_age_ms;
    ms_t warning_ms;
    bool may_extend;
    ms_t interval_ms;
};

/* Requests per minute and caller; 0: no limit. */
struct config_rate {
    int64_t read_n;
    int64_t write_n;
    int64_t signin_n;
    int64_t stream_n;
};

struct config {
    enum config_node_env node_env;
    const char *public_url; /* without a slash at the end; "" if not known */
    struct secret nextauth_secret;
    struct secret database_url;
    struct secret redis_url;
    struct secret encryption_keys; /* as codec_keyring_new wants it; derived from nextauth_secret if not given */
    bool is_keyring_derived;
    struct config_listen listen;
    struct config_database database;
    struct config_kube kube;
    struct config_sandbox sandbox;
    const char *default_cluster;
    /* The default cluster first, with kube and sandbox as they stand above. Filled when everything was read. */
    struct config_cluster clusters[CONFIG_CLUSTERS_MAX];
    size_t clusters_n;
    struct config_flow flow;
    ms_t session_idle_ms;
    ms_t session_absolute_ms;
    ms_t signin_link_ms;
    struct config_sweep sweep;
    struct config_rate rate;
    ms_t idempotency_ms;
    int64_t idempotency_keys_n;
    ms_t audit_keep_ms;
    struct config_limits limits;
    const char *admin_users;
    const char *cors_origins;     /* comma-separated; "": none */
    const char *github_client_id; /* "": not offered */
    struct secret github_client_secret;
    const char *github_url;
    const char *github_api_url;
    ms_t github_ms;
    const char *web_dir;
    int log_level;  /* enum log_level */
    int log_format; /* enum log_format */
    const char *metrics_address;
    int64_t metrics_port;

    struct dotenv secret_env;    /* .secret/.env: variables of every container */
    const char *secret_env_path; /* "" if there is none */

    struct arena *private_arena;
    struct config_origin *private_origins; /* one per row */
};

struct config_inputs {
    const char *file;      /* YAML; NULL: none */
    const char *directory; /* where .env.* and .secret/ are looked for; "." in production */
    char *const *environ;  /* "NAME=value", NULL at the end */
};

/* What is wrong or worth knowing, one line each: "fullstackd.yaml:12: listen.port: …". Never a secret's value. */
struct config_report {
    struct buf errors;
    struct buf warnings;
    unsigned errors_n;
    unsigned warnings_n;
};
void config_report_init(struct config_report *report);
void config_report_fini(struct config_report *report);

/* False when report->errors_n > 0. *ret is filled as far as it goes and is the caller's to config_fini in both cases.
 */
MUST_CHECK bool config_load(const struct config_inputs *in, struct config *ret, struct config_report *report);
void config_fini(struct config *c); /* also for a zeroed struct */

/* What only some commands need: adds an error for each missing thing; false if there was one. */
MUST_CHECK bool config_require_database(const struct config *c, struct config_report *report);
MUST_CHECK bool config_require_serve(const struct config *c, struct config_report *report);

/* The effective configuration as YAML with the source of each value; secrets only as "set" or "not set". */
void config_print(const struct config *c, struct buf *out);
/* Where a cluster beyond the default one gets its kubeconfig from: "clusters.eu.kube.kubeconfig (conf.yaml:7)". */
const char *config_cluster_place(const struct config_cluster *cluster, struct arena *arena);
/* docs/CONFIG.md. */
void config_print_markdown(struct buf *out);
