// SPDX-License-Identifier: MIT
/* Makes the server's parts from the configuration and ties them together: the one place where every folder meets. */
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/bus.h"
#include "core/github.h"
#include "core/io/fetch.h"
#include "core/limits.h"
#include "core/reconciler.h"
#include "core/sandboxes.h"
#include "core/sweeper.h"
#include "handlers/handlers.h"
#include "handlers/open_streams.h"
#include "handlers/routes.h"
#include "k8s/kubeconfig.h"
#include "k8s/port.h"
#include "server/gate.h"
#include "server/listener.h"
#include "server/main_serve.h"
#include "server/rate.h"
#include "server/static.h"
#include "store/store_port.h"

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* ---- store ---- */

static bool make_store(struct server *s, struct err *reterr)
{
    char *replica_id = arena_alloc(s->arena, CODEC_UUID_SIZE);
    s->keyring = codec_keyring_new(&s->config.encryption_keys, reterr);
    if (s->keyring == NULL)
        return err_wrap(reterr, "encryption_keys");
    codec_uuid7(loop_wall_ms(s->loop), replica_id);
    const struct store_config config = {
        .database_url = &s->config.database_url,
        .redis_url = &s->config.redis_url,
        .replica_id = replica_id,
        .keyring = s->keyring,
        .pool_n = (unsigned)s->config.database.pool_size,
    };
    s->store = store_open(s->loop, &config, reterr);
    LOG(INFO, "replica starts", KV("replica", replica_id), KV("version", FULLSTACKD_VERSION));
    return s->store != NULL || err_wrap(reterr, "opening the store");
}

/* ---- cluster ---- */

static void fill_profile(const struct config_sandbox *c, struct k8s_profile *ret)
{
    *ret = K8S_PROFILE_DEFAULT;
    ret->ingress = ingress_profile_find(str_from(c->ingress_profile));
    ret->ingress_class = text_or_null(c->ingress_class);
    ret->controller_namespace = text_or_null(c->controller_namespace);
    ret->gateway_name = c->gateway_name;
    ret->gateway_namespace = text_or_null(c->gateway_namespace);
    ret->gateway_section = text_or_null(c->gateway_section);
    ret->gateway_timeout = text_or_null(c->gateway_timeout);
    ret->is_acceptance_needed = c->is_acceptance_needed;
    ret->workload = c->workload;
    ret->volume_size = c->volume_size;
    ret->volume_path = c->volume_path;
    ret->volume_class = text_or_null(c->volume_class);
    ret->min_ready_s = (int)(c->min_ready_ms / 1000);
    ret->tls_secret = text_or_null(c->tls_secret);
    ret->storage_class = text_or_null(c->storage_class);
    ret->database_version = c->database_version;
    ret->is_restricted = c->pod_security == POD_SECURITY_RESTRICTED;
    ret->run_as_user = (int)c->run_as_user;
    ret->is_role_full = str_eq_text(str_from(c->rbac_profile), "seed");
}

/* The default one's keep the names that there were before there could be more. */
static void name_checks(struct server *s, struct server_cluster *parts)
{
    static const char *const names[] = {"kubernetes", "kubernetes-caches", "kubeblocks"};
    bool is_default = parts == s->cluster_parts;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        parts->check_names[i] = is_default ? names[i] : arena_printf(s->arena, "%s/%s", names[i], parts->config->name);
}

/* Nothing is sent yet: a cluster that does not answer keeps no server from starting. */
static bool make_cluster(struct server *s, struct server_cluster *parts, struct err *reterr)
{
    const struct config_cluster *c = parts->config;
    struct kubeconfig *kubeconfig = main_load_kubeconfig(c, reterr);
    if (kubeconfig == NULL)
        return false;
    parts->namespace_name = arena_dup(s->arena, str_from(main_namespace(c, kubeconfig)));
    LOG(INFO, "kubernetes", KV("cluster", c->name), KV("server", kubeconfig->server),
        KV("namespace", parts->namespace_name));
    fill_profile(&c->sandbox, &parts->profile);
    name_checks(s, parts);
    const struct k8s_port_options options = {
        s->loop, s->fetch, kubeconfig, &parts->profile, parts->namespace_name, c->name, c->kube.settle_ms};
    parts->k8s = k8s_port_new(&options, reterr);
    return parts->k8s != NULL || err_wrap(reterr, "kubeconfig");
}

static void fill_cluster(const struct server_cluster *parts, struct cluster *ret)
{
    const struct config_cluster *c = parts->config;
    *ret = (struct cluster){
        .name = c->name,
        .former_names = c->kube.former_names,
        .port = k8s_port_cluster(parts->k8s),
        .survey = k8s_port_survey(parts->k8s),
        .are_databases_far = !c->kube.is_login_possible,
        .names = {parts->namespace_name, c->sandbox.domain, c->sandbox.image, k8s_profile_kinds(&parts->profile)},
        .url_scheme = c->sandbox.url_scheme == URL_SCHEME_HTTP ? "http" : "https",
        .url_port = (int)c->sandbox.url_port,
        .sandboxes_max = (unsigned)c->kube.sandboxes_n,
        .creations_max = (unsigned)c->kube.creations_n,
    };
}

static bool make_clusters(struct server *s, struct err *reterr)
{
    struct cluster list[CONFIG_CLUSTERS_MAX];
    size_t n = s->config.clusters_n;
    s->fetch = fetch_new(s->loop, reterr);
    if (s->fetch == NULL)
        return err_wrap(reterr, "starting the HTTP client");
    for (size_t i = 0; i < n; i++) {
        struct server_cluster *parts = &s->cluster_parts[i];
        parts->config = &s->config.clusters[i];
        if (!make_cluster(s, parts, reterr))
            return i == 0 ? false : err_wrap(reterr, config_cluster_place(parts->config, s->arena));
        fill_cluster(parts, &list[i]);
    }
    s->clusters = clusters_new(s->loop, list, n);
    return true;
}

/* ---- engine ---- */

static struct env_list base_env(struct server *s)
{
    const struct dotenv *d = &s->config.secret_env;
    struct env_var *vars = arena_alloc(s->arena, (d->n + 1) * sizeof(*vars));
    for (size_t i = 0; i < d->n; i++)
        vars[i] = (struct env_var){d->vars[i].key, d->vars[i].value};
    return (struct env_list){vars, d->n};
}

static void fill_flow(struct server *s)
{
    const struct config_flow *c = &s->config.flow;
    for (enum deadline d = 0; d < DEADLINE_N; d++)
        s->flow.deadlines_ms[d] = c->deadlines_ms[d];
    s->flow.call_timeout_ms = c->call_ms;
    s->flow.late_ms = c->late_ms;
    s->flow.has_overlap = c->is_overlapping;
    s->flow.must_prove_login = c->is_login_proven;
    s->flow.base_env = base_env(s);
}

static void make_engine(struct server *s)
{
    const struct config *c = &s->config;
    fill_flow(s);
    s->bus = bus_new(s->loop, store_port(s->store));
    const struct reconciler_config config = {
        .loop = s->loop,
        .clusters = s->clusters,
        .store = store_port(s->store),
        .bus = s->bus,
        .settings = &s->flow,
        .lease_ms = c->flow.lease_ms,
        .claim_ms = c->flow.claim_interval_ms,
        .claim_n = (unsigned)c->flow.claim_n,
        .is_repairing = c->flow.drift == CONFIG_DRIFT_REPAIR,
        .limits = {.replica_creations_max = (unsigned)c->flow.replica_creations_n,
                   .creations_max = (unsigned)c->flow.creations_n,
                   .waiting_max = (unsigned)c->flow.waiting_n},
    };
    s->reconciler = reconciler_new(&config);
    const struct sandboxes_config sandboxes = {
        .loop = s->loop,
        .clusters = s->clusters,
        .store = store_port(s->store),
        .bus = s->bus,
        .reconciler = s->reconciler,
        .user_sandboxes_max = (unsigned)c->limits.sandboxes_n,
    };
    s->sandboxes = sandboxes_new(&sandboxes);
}

static struct limits_settings limits_of(const struct config_limits *c)
{
    return (struct limits_settings){.idle_stop_ms = c->idle_stop_ms,
                                    .max_age_ms = c->max_age_ms,
                                    .warning_ms = c->warning_ms,
                                    .may_extend = c->may_extend};
}

static void make_limits(struct server *s)
{
    const struct config_limits *c = &s->config.limits;
    s->activity = activity_new(s->loop, store_port(s->store), c->interval_ms);
    const struct limits_config config = {
        .loop = s->loop,
        .store = store_port(s->store),
        .bus = s->bus,
        .reconciler = s->reconciler,
        .activity = s->activity,
        .settings = limits_of(c),
        .interval_ms = c->interval_ms,
    };
    s->limits = limits_new(&config);
}

static void make_sweeper(struct server *s)
{
    const struct config *c = &s->config;
    const struct sweeper_config config = {
        .sweep = main_sweep_options(c, s->loop, s->clusters, store_port(s->store)),
        .bus = s->bus,
        .interval_ms = c->sweep.interval_ms,
        .failed_grace_ms = c->flow.failed_grace_ms,
    };
    s->sweeper = sweeper_new(&config);
}

/* ---- front ---- */

static void serve_dashboard(struct http_exchange *x, struct app *app)
{
    const struct server *s = app->self;
    static_files_answer(s->dashboard, x);
}

static const struct route dashboard_route = {
    HTTP_GET, "/", serve_dashboard, ROUTE_PUBLIC, {0, false},
        RATE_NONE
};

static void make_dashboard(struct server *s)
{
    struct err err = {0};
    if (s->config.web_dir[0] == '\0')
        return;
    s->dashboard = static_files_new(s->config.web_dir, &err);
    if (s->dashboard == NULL)
        LOG(WARN, "dashboard is not served", KV("folder", s->config.web_dir), KV("err", &err));
}

static bool make_github(struct server *s, struct err *reterr)
{
    const struct config *c = &s->config;
    if (c->github_client_id[0] == '\0')
        return true;
    const struct github_settings settings = {
        .url = c->github_url,
        .api_url = c->github_api_url,
        .client_id = c->github_client_id,
        .client_secret = &c->github_client_secret,
        .redirect_uri = arena_printf(s->arena, "%s/api/auth/callback/github", c->public_url),
        .timeout_ms = c->github_ms,
    };
    s->github = github_new(s->loop, s->fetch, &settings, reterr);
    return s->github != NULL || err_wrap(reterr, "github.url");
}

static void make_gate(struct server *s)
{
    const struct config *c = &s->config;
    s->streams = open_streams_new(s->loop, store_port(s->store), c->database.request_ms);
    s->app = (struct app){
        .loop = s->loop,
        .store = store_port(s->store),
        .clusters = s->clusters,
        .sandboxes = s->sandboxes,
        .bus = s->bus,
        .streams = s->streams,
        .activity = s->activity,
        .github = s->github,
        .settings = {.request_ms = c->database.request_ms,
                     .public_url = c->public_url,
                     .admin_users = c->admin_users,
                     .projects_per_user = (unsigned)c->limits.projects_n,
                     .session_idle_ms = c->session_idle_ms,
                     .session_absolute_ms = c->session_absolute_ms,
                     .limits = limits_of(&c->limits),
                     .is_development = c->node_env == NODE_ENV_DEVELOPMENT,
                     .has_metrics = c->metrics_address[0] == '\0'},
        .checks = server_checks,
        .cluster_state = server_cluster_state,
        .metrics = server_metrics,
        .self = s,
    };
    const struct gate_settings settings = {
        .routes = ROUTES,
        .routes_n = ROUTES_N,
        .fallback = s->dashboard != NULL ? &dashboard_route : NULL,
        .app = &s->app,
        .public_url = c->public_url,
        .cors_origins = c->cors_origins,
        .admin_users = c->admin_users,
        .per_window = {[RATE_READ] = (unsigned)c->rate.read_n,
                       [RATE_WRITE] = (unsigned)c->rate.write_n,
                       [RATE_SIGNIN] = (unsigned)c->rate.signin_n,
                       [RATE_STREAM] = (unsigned)c->rate.stream_n },
        .after = limits_note_use,
        .audit_keep_ms = c->audit_keep_ms,
        .lookup_ms = c->database.request_ms,
        .idempotency = {.valid_ms = c->idempotency_ms,
                       .hold_ms = c->listen.handler_ms,
                       .call_ms = c->database.request_ms,
                       .keys_max = (unsigned)c->idempotency_keys_n},
    };
    s->gate = gate_new(s->loop, store_port(s->store), &settings);
}

static void fill_limits(const struct config_listen *c, struct listener_limits *ret)
{
    *ret = LISTENER_DEFAULTS;
    ret->head_bytes = c->head_bytes;
    ret->fields_n = (unsigned)c->fields_n;
    ret->target_bytes = c->target_bytes;
    ret->stream_unsent_bytes = c->stream_unsent_bytes;
    ret->stream_slow_bytes = c->stream_slow_bytes;
    ret->connections_n = (unsigned)c->connections_n;
    ret->connections_per_peer = (unsigned)c->connections_per_peer;
    ret->head_ms = c->head_ms;
    ret->body_ms = c->body_ms;
    ret->idle_ms = c->idle_ms;
    ret->write_ms = c->write_ms;
    ret->stream_slow_ms = c->stream_slow_ms;
    ret->handler_ms = c->handler_ms;
}

static bool make_listener(struct server *s, struct err *reterr)
{
    const struct config_listen *c = &s->config.listen;
    struct http_service service;
    struct listener_config config = {
        .address = c->address,
        .port = (uint16_t)c->port,
        .tls_cert_path = text_or_null(c->tls_cert),
        .tls_key_path = text_or_null(c->tls_key),
        .trusted_proxies = text_or_null(c->trusted_proxies),
    };
    fill_limits(c, &config.limits);
    gate_service(s->gate, &service);
    s->listener = listener_new(s->loop, &config, &service, reterr);
    if (s->listener == NULL)
        return err_wrap(reterr, "listen");
    LOG(INFO, "server listens", KV("address", c->address), KV("port", listener_port(s->listener)),
        KV("dashboard", (bool)(s->dashboard != NULL)));
    return true;
}

static bool make_metrics_listener(struct server *s, struct err *reterr)
{
    struct http_service service;
    const struct listener_config config = {
        .address = s->config.metrics_address, .port = (uint16_t)s->config.metrics_port, .limits = LISTENER_DEFAULTS};
    if (s->config.metrics_address[0] == '\0')
        return true;
    server_metrics_service(s, &service);
    s->metrics_listener = listener_new(s->loop, &config, &service, reterr);
    return s->metrics_listener != NULL || err_wrap(reterr, "metrics.address");
}

/* ---- all ---- */

bool server_make_ports(struct server *s, struct err *reterr)
{
    return make_store(s, reterr) && make_clusters(s, reterr);
}

bool server_make(struct server *s, struct err *reterr)
{
    if (!server_make_ports(s, reterr))
        return false;
    make_engine(s);
    make_limits(s);
    make_sweeper(s);
    make_dashboard(s);
    if (!make_github(s, reterr))
        return false;
    make_gate(s);
    if (!make_listener(s, reterr) || !make_metrics_listener(s, reterr))
        return false;
    for (size_t i = 0; i < s->config.clusters_n; i++)
        k8s_port_start(s->cluster_parts[i].k8s);
    return true;
}

/* Also for a server that was made in part: every free accepts NULL. Requests go first, because they cancel what they
 * wait for in the parts behind; the store goes after everybody who calls it. */
void server_unmake(struct server *s)
{
    if (s->metrics_listener != NULL)
        listener_free(s->metrics_listener);
    if (s->listener != NULL)
        listener_free(s->listener);
    gate_free(s->gate);
    open_streams_free(s->streams);
    static_files_free(s->dashboard);
    limits_free(s->limits);
    activity_free(s->activity);
    sweeper_free(s->sweeper);
    if (s->sandboxes != NULL)
        sandboxes_free(s->sandboxes);
    if (s->reconciler != NULL)
        reconciler_free(s->reconciler);
    if (s->bus != NULL)
        bus_free(s->bus);
    clusters_free(s->clusters);
    for (size_t i = 0; i < CONFIG_CLUSTERS_MAX; i++)
        k8s_port_free(s->cluster_parts[i].k8s);
    github_free(s->github);
    fetch_free(s->fetch);
    store_close(s->store);
    codec_keyring_free(s->keyring);
}
