// SPDX-License-Identifier: MIT
/* THE table of configuration keys. A key is one row here and one member in config.h; parser, --print-config and
 * docs/CONFIG.md follow. The order is the order of the documentation; keys of one section stand together. */
#include <stddef.h>

#include "server/config.h"
#include "server/config_check.h"
#include "server/config_row.h"

#define MS(n)      INT64_C(n)
#define SECONDS(n) (INT64_C(n) * 1000)
#define MINUTES(n) (INT64_C(n) * 60000)
#define HOURS(n)   (INT64_C(n) * 3600000)
#define DAYS(n)    (INT64_C(n) * 86400000)
#define KIB(n)     (INT64_C(n) * 1024)
#define MIB(n)     (INT64_C(n) * 1024 * 1024)

#define AT(member) offsetof(struct config, member)

/* key, member, default, …, text. The macros only name the columns that a type has. */
#define TEXT(key, member, standard, check, text)                                                                       \
    {                                                                                                                  \
        key, CONFIG_TEXT, AT(member), standard, 0, 0, NULL, NULL, check, text                                          \
    }
#define TEXT_ALIAS(key, member, alias, standard, check, text)                                                          \
    {                                                                                                                  \
        key, CONFIG_TEXT, AT(member), standard, 0, 0, alias, NULL, check, text                                         \
    }
#define TEXT_OF(key, member, standard, choices, text)                                                                  \
    {                                                                                                                  \
        key, CONFIG_TEXT, AT(member), standard, 0, 0, NULL, choices, NULL, text                                        \
    }
#define SECRET(key, member, alias, check, text)                                                                        \
    {                                                                                                                  \
        key, CONFIG_SECRET, AT(member), "", 0, 0, alias, NULL, check, text                                             \
    }
#define BOOL(key, member, standard, text)                                                                              \
    {                                                                                                                  \
        key, CONFIG_BOOL, AT(member), standard, 0, 0, NULL, NULL, NULL, text                                           \
    }
#define INT(key, member, standard, min, max, text)                                                                     \
    {                                                                                                                  \
        key, CONFIG_INT, AT(member), standard, min, max, NULL, NULL, NULL, text                                        \
    }
#define DURATION(key, member, standard, min, max, text)                                                                \
    {                                                                                                                  \
        key, CONFIG_DURATION, AT(member), standard, min, max, NULL, NULL, NULL, text                                   \
    }
#define SIZE(key, member, standard, min, max, text)                                                                    \
    {                                                                                                                  \
        key, CONFIG_SIZE, AT(member), standard, min, max, NULL, NULL, NULL, text                                       \
    }
#define CHOICE(key, member, alias, standard, choices, text)                                                            \
    {                                                                                                                  \
        key, CONFIG_CHOICE, AT(member), standard, 0, 0, alias, choices, NULL, text                                     \
    }

/* clang-format off */
const struct config_row CONFIG_ROWS[] = {
    CHOICE("node_env", node_env, "NODE_ENV", "production", "production|development|test",
           "Which environment file is read: `.env.local` in development, `.env.production` in production. In development an error answer also carries `details.stack`."),
    TEXT_ALIAS("public_url", public_url, "NEXTAUTH_URL", "", config_check_public_url,
               "Where browsers find this server: scheme, host and port, no path. With https the session cookie is `__Host-sid`. Empty: taken from each request."),
    SECRET("nextauth_secret", nextauth_secret, "NEXTAUTH_SECRET", config_check_long_secret,
           "The original's secret. Only used to derive `encryption_keys` when those are not given; then it must not change."),
    SECRET("database_url", database_url, "DATABASE_URL", config_check_postgres_url,
           "The server's own PostgreSQL: `postgresql://user:password@host:port/database`. Needed to serve."),
    SECRET("redis_url", redis_url, "REDIS_URL", config_check_redis_url,
           "Redis, shared by the replicas: `redis://:password@host:port/0`. Empty: each process uses its own memory."),
    SECRET("encryption_keys", encryption_keys, NULL, config_check_keyring,
           "Key ring of encryption at rest: `id:base64,id:base64` with 32 bytes each. The first encrypts, all decrypt. `openssl rand -base64 32` makes one."),
    TEXT("admin_users", admin_users, "", NULL,
         "User ids with administrator's rights, comma-separated: the first ones, who make others by `PATCH /api/admin/users/{id}`. These stay so whatever the API is told."),
    TEXT("default_cluster", default_cluster, "default", config_check_kube_label,
         "Name of the cluster that the sections `kube` and `sandbox` describe: projects that name none get it."),
    TEXT("web_dir", web_dir, "web/dist", NULL,
         "The built dashboard. Empty: the API only."),

    TEXT("listen.address", listen.address, "127.0.0.1", config_check_address,
         "Numeric address, or `unix:/path`. In a container: `0.0.0.0` or `::`."),
    INT("listen.port", listen.port, "8080", 0, 65535, "TCP port; 0 takes any free one."),
    TEXT("listen.tls_cert", listen.tls_cert, "", NULL, "PEM certificate chain; with `listen.tls_key` the listener speaks TLS. Read again on SIGHUP."),
    TEXT("listen.tls_key", listen.tls_key, "", NULL, "PEM private key of `listen.tls_cert`."),
    TEXT("listen.trusted_proxies", listen.trusted_proxies, "", config_check_peers,
         "Addresses or CIDRs whose `X-Forwarded-*` are believed, comma-separated."),
    SIZE("listen.head_size", listen.head_bytes, "16KiB", KIB(1), KIB(256), "Largest request head."),
    INT("listen.head_fields", listen.fields_n, "64", 8, 1000, "Most header fields of a request."),
    SIZE("listen.target_size", listen.target_bytes, "8000B", 256, KIB(64), "Longest request target."),
    SIZE("listen.stream_unsent", listen.stream_unsent_bytes, "256KiB", KIB(16), MIB(64),
         "An event stream with more unsent bytes is cut; its reader resumes by id."),
    SIZE("listen.stream_slow_size", listen.stream_slow_bytes, "64KiB", KIB(4), MIB(64),
         "An event stream with more unsent bytes for `listen.stream_slow_deadline` is cut."),
    INT("listen.connections", listen.connections_n, "10000", 16, 1000000, "Most connections in all."),
    INT("listen.connections_per_address", listen.connections_per_peer, "1000", 0, 1000000,
        "Most connections of one address; 0: no cap. Behind a proxy all come from its address."),
    DURATION("listen.head_deadline", listen.head_ms, "10s", MS(100), MINUTES(5), "For a whole request head."),
    DURATION("listen.body_deadline", listen.body_ms, "30s", MS(100), MINUTES(30), "For a whole request body."),
    DURATION("listen.idle_deadline", listen.idle_ms, "60s", MS(100), HOURS(1), "Between two requests of a connection."),
    DURATION("listen.write_deadline", listen.write_ms, "30s", MS(100), MINUTES(30), "Without progress while an answer is sent."),
    DURATION("listen.stream_slow_deadline", listen.stream_slow_ms, "30s", MS(100), MINUTES(30), "See `listen.stream_slow_size`."),
    DURATION("listen.handler_deadline", listen.handler_ms, "60s", SECONDS(1), MINUTES(10), "A request without an answer by then is answered 503."),
    DURATION("listen.drain_delay", listen.drain_delay_ms, "3s", 0, MINUTES(5), "After SIGTERM it goes on serving for so long while /readyz says 503, until load balancers have seen that; never longer than the deadline leaves."),
    DURATION("listen.drain_spread", listen.drain_spread_ms, "5s", 0, MINUTES(5), "After that event streams end spread over this time."),
    DURATION("listen.drain_deadline", listen.drain_deadline_ms, "25s", 0, MINUTES(30), "After SIGTERM the process ends by then."),

    INT("database.pool_size", database.pool_size, "8", 1, 200, "Connections to PostgreSQL."),
    BOOL("database.auto_migrate", database.is_auto_migrate, "true",
         "Bring the schema up to date at start. false: `serve` ends with status 3 while `fullstackd migrate` has not been run."),
    DURATION("database.request_deadline", database.request_ms, "5s", MS(100), MINUTES(1), "For one query on behalf of a request."),

    TEXT_ALIAS("kube.kubeconfig", kube.kubeconfig, "KUBECONFIG_PATH", "", NULL,
               "Path of the kubeconfig. Empty: `.secret/kubeconfig`, then `../.secret/kubeconfig`, then the service account of the pod."),
    TEXT("kube.context", kube.context, "", NULL, "Context of the kubeconfig. Empty: its current one."),
    BOOL("kube.allow_loopback", kube.is_loopback_allowed, "false",
         "Accept a kubeconfig whose server is this machine. Otherwise it is refused as in the original: it is nearly always a left-over of a test cluster."),
    TEXT("kube.namespace", kube.namespace_name, "", config_check_kube_label,
         "Namespace of all objects. Empty: that of the kubeconfig's context, else `ns-ajno7yq7`."),
    TEXT("kube.former_names", kube.former_names, "", config_check_kube_labels,
         "Names that the cluster had before, comma-separated: projects made under them are found here."),
    BOOL("kube.prove_login", kube.is_login_possible, "true",
         "false where the server cannot reach this cluster's databases; the others' logins are proven as `flow.prove_login` says."),
    INT("kube.sandboxes", kube.sandboxes_n, "0", 0, 1000000, "Most sandboxes in the cluster; 0: no limit."),
    INT("kube.creations", kube.creations_n, "0", 0, 1000000,
        "Most sandboxes being created in the cluster at the same time; more wait for their turn, see `flow.queue`. 0: no limit."),
    DURATION("kube.settle", kube.settle_ms, "30s", 0, MINUTES(10),
             "An API server that just began refuses what it allows a moment later: a 403 is believed once it has answered for so long."),

    TEXT("sandbox.domain", sandbox.domain, "usw.sealos.io", config_check_domain, "Sandboxes get host names below this domain."),
    CHOICE("sandbox.url_scheme", sandbox.url_scheme, NULL, "https", "https|http", "Scheme of the URLs given to users."),
    INT("sandbox.url_port", sandbox.url_port, "0", 0, 65535, "Port of the URLs given to users; 0: the scheme's own, not shown."),
    TEXT_ALIAS("sandbox.image", sandbox.image, "RUNTIME_IMAGE", "fullstackagent/fullstack-web-runtime:latest", config_check_image,
               "Container image of a sandbox. A digest starts faster: it is not pulled again."),
    TEXT_OF("sandbox.ingress_profile", sandbox.ingress_profile, "seed", "seed|nginx|traefik|plain|gateway",
            "How hosts lead to sandboxes. Ingresses with the annotations that the original wrote (`seed`), without those that ingress-nginx rejects by default (`nginx`), for Traefik (`traefik`), or without any (`plain`); or HTTPRoutes of the Gateway API (`gateway`). A sandbox keeps the kind it was made with."),
    TEXT("sandbox.ingress_class", sandbox.ingress_class, "", config_check_kube_name,
         "Class of the Ingresses. Empty: `nginx` or `traefik` by the profile, with `plain` the cluster's default."),
    TEXT("sandbox.controller_namespace", sandbox.controller_namespace, "", config_check_kube_label,
         "Namespace of the pods that lead requests to sandboxes: only from there their ports can be reached. Empty: `ingress-nginx` or `traefik` by the profile, with `plain` and `gateway` any but the sandboxes' own."),
    TEXT("sandbox.gateway_name", sandbox.gateway_name, "", config_check_kube_name, "Name of the Gateway that HTTPRoutes belong to. Needed with the profile `gateway`."),
    TEXT("sandbox.gateway_namespace", sandbox.gateway_namespace, "", config_check_kube_label, "Namespace of that Gateway. Empty: that of the sandboxes."),
    TEXT("sandbox.gateway_section", sandbox.gateway_section, "", config_check_kube_name, "Its listener. Empty: any that fits."),
    TEXT("sandbox.gateway_timeout", sandbox.gateway_timeout, "0s", config_check_gateway_duration,
         "How long a request may last, an open terminal too: `timeouts.request` of HTTPRoutes; `0s`: without end. Empty: not written, for Gateways that refuse it."),
    BOOL("sandbox.gateway_must_accept", sandbox.is_acceptance_needed, "true",
         "The networking stage waits until the Gateway has accepted both HTTPRoutes. false, for a Gateway that reports nothing: that they exist is enough. A refusal is told in both cases."),
    TEXT("sandbox.tls_secret", sandbox.tls_secret, "wildcard-cert", config_check_kube_name,
         "Secret with the wildcard certificate of `sandbox.domain`. Empty: Ingresses without TLS. Of HTTPRoutes the Gateway has it."),
    TEXT("sandbox.storage_class", sandbox.storage_class, "openebs-backup", config_check_kube_name, "Storage class of the databases."),
    CHOICE("sandbox.workload", sandbox.workload, NULL, "deployment", "deployment|statefulset",
           "What runs a sandbox: a Deployment as in the original, or a StatefulSet with a volume of its own as in its successor. A sandbox keeps the kind it was made with; its volume goes with it."),
    TEXT("sandbox.volume_size", sandbox.volume_size, "10Gi", config_check_quantity, "Size of a StatefulSet's volume. One that exists keeps its size."),
    TEXT("sandbox.volume_path", sandbox.volume_path, "/home/fulling", config_check_path, "Where it is mounted. A fresh one begins with what the image has there."),
    TEXT("sandbox.volume_class", sandbox.volume_class, "", config_check_kube_name, "Its storage class. Empty: the cluster's default."),
    DURATION("sandbox.min_ready", sandbox.min_ready_ms, "10s", 0, MINUTES(10), "A StatefulSet's pod has to be ready so long before it counts (`minReadySeconds`, in whole seconds)."),
    TEXT("sandbox.database_version", sandbox.database_version, "postgresql-14.8.0", config_check_version, "ClusterVersion of KubeBlocks up to 0.9."),
    CHOICE("sandbox.pod_security", sandbox.pod_security, NULL, "baseline", "baseline|restricted",
           "Pod Security level that sandboxes keep to. `restricted` needs an image that does not run as root, as the original's does: no root, no capabilities."),
    INT("sandbox.run_as_user", sandbox.run_as_user, "1001", 1, 2147483647, "Whose processes a sandbox's are with `restricted`."),
    TEXT_OF("sandbox.rbac_profile", sandbox.rbac_profile, "least", "least|seed",
            "Rights of a database's service account: `least` is what its PostgreSQL needs, `seed` the original's full rights in the namespace."),

    BOOL("flow.overlap", flow.is_overlapping, "true", "Create what does not depend on each other at the same time. false: strictly one stage after the other."),
    BOOL("flow.prove_login", flow.is_login_proven, "true",
         "The database stage is only done when a login with the delivered credentials works. false where the server cannot reach the databases."),
    DURATION("flow.apply_deadline", flow.deadlines_ms[DEADLINE_APPLY], "60s", SECONDS(1), MINUTES(30), "For one object to be written, retries included."),
    DURATION("flow.database_deadline", flow.deadlines_ms[DEADLINE_DATABASE], "300s", SECONDS(1), HOURS(2), "For KubeBlocks to bring the database up."),
    DURATION("flow.credentials_deadline", flow.deadlines_ms[DEADLINE_CREDENTIALS], "60s", SECONDS(1), HOURS(2), "For the credentials to be published and to work."),
    DURATION("flow.container_deadline", flow.deadlines_ms[DEADLINE_CONTAINER], "300s", SECONDS(1), HOURS(2), "For the container to be scheduled, pulled and running."),
    DURATION("flow.endpoint_deadline", flow.deadlines_ms[DEADLINE_ENDPOINT], "60s", SECONDS(1), HOURS(2), "For the Service to find the pod."),
    DURATION("flow.terminal_deadline", flow.deadlines_ms[DEADLINE_TERMINAL], "180s", SECONDS(1), HOURS(2), "For the terminal to listen."),
    DURATION("flow.stop_deadline", flow.deadlines_ms[DEADLINE_STOP], "180s", SECONDS(1), HOURS(2), "For the container, and then for the database, to end when a project is stopped."),
    DURATION("flow.ready_deadline", flow.deadlines_ms[DEADLINE_READY], "60s", SECONDS(1), HOURS(2), "For everything to be available after that."),
    DURATION("flow.call_deadline", flow.call_ms, "10s", MS(100), MINUTES(1), "For one call to the cluster or the database."),
    DURATION("flow.late", flow.late_ms, "30s", 0, MINUTES(10), "How long after its deadline a call may still take effect; nothing is removed before that."),
    DURATION("flow.lease", flow.lease_ms, "6s", SECONDS(3), MINUTES(5), "A replica that has not been heard of for so long loses its work to the others; it tells every third of it that it lives."),
    DURATION("flow.claim_interval", flow.claim_interval_ms, "2s", MS(100), MINUTES(5), "How often a replica looks for work that nobody does; at most `flow.lease`."),
    CHOICE("flow.drift", flow.drift, NULL, "repair", "repair|report",
           "What happens when an object of a running sandbox is deleted from outside. `repair`: it is made again (never a database). `report`: it is told."),
    INT("flow.claim_batch", flow.claim_n, "32", 1, 1000, "How much of it is taken over at once."),
    INT("flow.creations", flow.creations_n, "0", 0, 1000000,
        "Most sandboxes being created at the same time, by all replicas together; more wait for their turn, fairly between users. 0: no limit."),
    INT("flow.creations_per_replica", flow.replica_creations_n, "100", 0, 1000000, "The same by one replica."),
    INT("flow.queue", flow.waiting_n, "1000", 0, 1000000,
        "Most creations that wait, for these limits and for `kube.creations`; one more is answered 429. 0: none waits."),

    DURATION("flow.failed_grace", flow.failed_grace_ms, "24h", 0, DAYS(365),
             "A creation that failed and was never ready keeps what it made for a retry; when nobody tried again for so long it is removed, the database is kept. 0s: it stays until it is deleted."),

    DURATION("sweep.interval", sweep.interval_ms, "1h", 0, DAYS(30),
             "How often the clusters are compared with the rows, and soon after a start; one replica does it. 0s: only when `fullstackd sweep` is run."),
    CHOICE("sweep.mode", sweep.mode, NULL, "delete", "report|delete",
           "What becomes of objects that bear our labels, belong to a project that this database knows or knew, and that no row needs: told, or deleted when `sweep.grace` is over. Databases and volumes are only ever told."),
    DURATION("sweep.grace", sweep.grace_ms, "24h", 0, DAYS(365), "How long such an object must have been known, and must have existed, before it is deleted."),
    INT("sweep.at_most", sweep.at_most_n, "20", 0, 10000,
        "With more to delete in one cluster something else is wrong: then none is deleted, and the log says so."),

    DURATION("session.idle", session_idle_ms, "12h", MINUTES(1), DAYS(30), "A session ends after so long without a request."),
    DURATION("session.absolute", session_absolute_ms, "7d", MINUTES(1), DAYS(90), "A session ends after so long in any case."),
    DURATION("signin_link.valid", signin_link_ms, "15m", SECONDS(10), DAYS(7), "A sign-in link works once and so long."),

    TEXT("cors.origins", cors_origins, "", config_check_origins,
         "Origins of other sites whose pages may call the API with an API token, comma-separated: `https://console.example.org`. Cookies never count for them. Empty: none."),

    INT("rate.read", rate.read_n, "1200", 0, 1000000, "Reading requests per minute and caller, and requests with an unknown session per minute and address; 0: no limit."),
    INT("rate.write", rate.write_n, "240", 0, 1000000, "Changing requests per minute and caller; 0: no limit."),
    INT("rate.signin", rate.signin_n, "30", 0, 1000000, "Sign-in attempts per minute and address; 0: no limit."),
    INT("rate.stream", rate.stream_n, "240", 0, 1000000, "Event streams opened per minute and caller; 0: no limit."),

    INT("limits.projects_per_user", limits.projects_n, "100", 0, 1000000, "Most projects of a user; one more is answered 409. 0: no limit."),
    INT("limits.sandboxes_per_user", limits.sandboxes_n, "20", 0, 1000000,
        "Most sandboxes of a user that run or are to run, failed ones too; one more is answered 409. 0: no limit."),
    DURATION("limits.idle_stop", limits.idle_stop_ms, "0s", 0, DAYS(365),
             "A sandbox that nobody has used for so long is stopped; its data stays. Use is what changes something of the project, or says so (`POST /api/projects/{id}/activity`). 0: never."),
    DURATION("limits.max_age", limits.max_age_ms, "0s", 0, DAYS(365),
             "A sandbox is stopped so long after it was last created, started or restarted, used or not. 0: never."),
    DURATION("limits.warning", limits.warning_ms, "10m", 0, DAYS(1), "So long before, the stop is announced on the project's stream. 0: it is not."),
    BOOL("limits.owner_may_extend", limits.may_extend, "true",
         "A project's own limits (`PUT /api/projects/{id}/limits`) may be longer than these, or none. false: only shorter ones count."),
    DURATION("limits.interval", limits.interval_ms, "15s", MS(100), MINUTES(10),
             "How often it is looked for what is due, and the least time between two notes of a project's use. Should be a small part of the limits."),

    DURATION("idempotency.valid", idempotency_ms, "24h", 0, DAYS(30),
             "How long an `Idempotency-Key` of a POST is remembered with its answer; 0: the field is not looked at."),
    INT("idempotency.keys", idempotency_keys_n, "10000", 1, 1000000, "How many of them a user may have at a time; beyond that 429."),

    DURATION("audit.keep", audit_keep_ms, "90d", 0, DAYS(3650),
             "How long the audit (table `audit`: who changed what, when, from where, with which answer; no values) is kept; 0: none is written."),

    TEXT_ALIAS("github.client_id", github_client_id, "GITHUB_CLIENT_ID", "", NULL, "OAuth application for signing in with GitHub; its callback is `public_url` and `/api/auth/callback/github`. Empty: not offered."),
    SECRET("github.client_secret", github_client_secret, "GITHUB_CLIENT_SECRET", NULL, "Secret of `github.client_id`."),
    TEXT("github.url", github_url, "https://github.com", config_check_provider_url, "Where browsers sign in. Of GitHub Enterprise: `https://HOST`."),
    TEXT("github.api_url", github_api_url, "https://api.github.com", config_check_provider_url, "Its API. Of GitHub Enterprise: `https://HOST/api/v3`."),
    DURATION("github.deadline", github_ms, "10s", MS(100), SECONDS(20), "For one call to GitHub; a sign-in makes three, the creation of a repository at most six."),

    CHOICE("log.level", log_level, "LOG_LEVEL", "info", "debug|info|warn|error", "Least level that is logged. Read again on SIGHUP."),
    CHOICE("log.format", log_format, NULL, "auto", "auto|json|logfmt", "`auto`: logfmt on a terminal, else JSON."),

    TEXT("metrics.address", metrics_address, "", config_check_address,
         "A listener of its own for `/metrics`. Empty: `/metrics` is served by the main listener."),
    INT("metrics.port", metrics_port, "9464", 0, 65535, "Port of `metrics.address`."),
};
/* clang-format on */

const size_t CONFIG_ROWS_N = sizeof(CONFIG_ROWS) / sizeof(CONFIG_ROWS[0]);

const struct config_row *config_row_find(struct str key)
{
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        if (str_eq_text(key, CONFIG_ROWS[i].key))
            return &CONFIG_ROWS[i];
    }
    return NULL;
}

bool config_row_of_cluster(const struct config_row *row, struct config_row *ret)
{
    size_t kube = offsetof(struct config, kube);
    size_t sandbox = offsetof(struct config, sandbox);
    *ret = *row;
    if (row->offset >= kube && row->offset - kube < sizeof(struct config_kube))
        ret->offset = row->offset - kube + offsetof(struct config_cluster, kube);
    else if (row->offset >= sandbox && row->offset - sandbox < sizeof(struct config_sandbox))
        ret->offset = row->offset - sandbox + offsetof(struct config_cluster, sandbox);
    else
        return false;
    return true;
}

void config_row_env_name(const struct config_row *row, struct buf *out)
{
    buf_add_text(out, "FULLSTACKD_");
    for (const char *c = row->key; *c != '\0'; c++)
        buf_add_byte(out, *c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
}
