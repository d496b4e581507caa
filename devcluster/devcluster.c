// SPDX-License-Identifier: MIT
/* Puts the parts together and takes them apart. */
#include "devcluster/devcluster.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "devcluster/api/api.h"
#include "devcluster/certs.h"
#include "devcluster/files.h"
#include "devcluster/gateway.h"
#include "devcluster/history.h"
#include "devcluster/keep.h"
#include "devcluster/kubeconfig.h"
#include "server/listener.h"
#include "store/pg_conn.h"

enum { ROLE_CEILING_BYTES = 256 * 1024 };
enum { EVENTS_N = 4096, TOKEN_CEILING_BYTES = 256, STREAM_UNSENT_BYTES = 48 << 20, PG_PORT = 5432 };

struct devcluster {
    struct loop *loop;
    struct arena *arena;
    struct devcluster_config config;
    struct store *store;
    struct access *access;
    struct control *control;
    struct api *api;
    struct history *history;
    struct keep *keep;
    struct gateway *gateway;
    struct listener *listener;
    struct listener *gateway_listener;
    struct pg_connection *pg;
    const char *server;
    struct store_listener role_listener;
};

#define ROLE_ACCOUNT "fullstackd"

/* ---- what a cluster holds that holds nothing yet ---- */

static struct doc *base_object(struct arena *a, const struct kind *kind, const char *ns, const char *name)
{
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", kind->name);
    doc_set_text(a, root, "apiVersion", kind_api_version(a, kind));
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", name);
    if (ns != NULL)
        doc_set_text(a, meta, "namespace", ns);
    return root;
}

static struct entry *find(struct devcluster *d, enum kind_id id, const char *ns, const char *name)
{
    return store_find(d->store, kind_get(id), ns == NULL ? STR_NONE : str_from(ns), str_from(name));
}

static void seed(struct devcluster *d, enum kind_id id, const char *ns, const char *name)
{
    const struct kind *kind = kind_get(id);
    if (find(d, id, ns, name) != NULL)
        return;
    struct arena *a = arena_new();
    struct doc *root = base_object(a, kind, ns, name);
    if (kind->fill != NULL)
        kind->fill(a, root);
    (void)store_add(d->store, draft_new(kind, root, a));
}

static void seed_node(struct devcluster *d)
{
    struct arena *a = arena_new();
    struct doc *root = base_object(a, kind_get(KIND_NODE), NULL, "fake-node");
    struct doc *status = doc_need_object(a, root, "status");
    static const char *const sections[] = {"allocatable", "capacity"};
    for (size_t i = 0; i < 2; i++) {
        struct doc *amounts = doc_need_object(a, status, sections[i]);
        doc_set_text(a, amounts, "cpu", "256");
        doc_set_text(a, amounts, "memory", "1Ti");
        doc_set_text(a, amounts, "pods", "10000");
    }
    struct doc *ready = doc_append(doc_need_array(a, status, "conditions"), doc_object(a));
    doc_set_text(a, ready, "type", "Ready");
    doc_set_text(a, ready, "status", "True");
    doc_set_text(a, ready, "reason", "KubeletReady");
    (void)store_add(d->store, draft_new(kind_get(KIND_NODE), root, a));
}

static void seed_listener(struct arena *a, struct doc *listeners, const char *name, int64_t port, const char *protocol)
{
    struct doc *l = doc_append(listeners, doc_object(a));
    doc_set_text(a, l, "name", name);
    doc_set_int(a, l, "port", port);
    doc_set_text(a, l, "protocol", protocol);
    struct doc *namespaces = doc_need_object(a, doc_need_object(a, l, "allowedRoutes"), "namespaces");
    doc_set_text(a, namespaces, "from", "All");
}

/* The Gateway that HTTPRoutes may name: gateway-system/gateway. */
static void seed_gateway(struct devcluster *d)
{
    if (find(d, KIND_GATEWAY, "gateway-system", "gateway") != NULL)
        return;
    struct arena *a = arena_new();
    struct doc *root = base_object(a, kind_get(KIND_GATEWAY), "gateway-system", "gateway");
    struct doc *spec = doc_need_object(a, root, "spec");
    doc_set_text(a, spec, "gatewayClassName", "devcluster");
    struct doc *listeners = doc_need_array(a, spec, "listeners");
    seed_listener(a, listeners, "http", 80, "HTTP");
    seed_listener(a, listeners, "https", 443, "HTTPS");
    (void)store_add(d->store, draft_new(kind_get(KIND_GATEWAY), root, a));
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void seed_all(struct devcluster *d)
{
    const char *const spaces[] = {"default", "kube-system", "gateway-system", d->config.ns};
    for (size_t i = 0; i < 4; i++) {
        if (i == 3 && is_one_of(d->config.ns, spaces, 3))
            continue;
        seed(d, KIND_NAMESPACE, NULL, spaces[i]);
        seed(d, KIND_SERVICEACCOUNT, spaces[i], "default");
    }
    seed(d, KIND_SERVICEACCOUNT, d->config.ns, "sealos-user");
    seed(d, KIND_SERVICEACCOUNT, d->config.ns, "fullstackd");
    seed_node(d);
    seed_gateway(d);
}

/* ---- the account that follows a Role ---- */

static void on_role_event(void *arg, struct entry *entry, const struct event *event)
{
    struct devcluster *d = arg;
    bool is_its = entry->kind->id == KIND_ROLE && str_eq_text(event->now->ns, d->config.ns) &&
                  str_eq_text(event->now->name, ROLE_ACCOUNT);
    if (is_its)
        access_set_rules(d->access, ACCOUNT_LIMITED,
                         event->type == EVENT_DELETED ? NULL : doc_find(event->now->root, "rules"));
}

/* The Role in the file: it alone, or an item of a List. */
static const struct json_value *find_role(const struct json_value *root)
{
    if (str_eq_text(json_str(json_find(root, "kind")), "Role"))
        return root;
    for (const struct json_value *v = json_first(json_find(root, "items")); v != NULL; v = json_next(v))
        if (str_eq_text(json_str(json_find(v, "kind")), "Role"))
            return v;
    return NULL;
}

static bool seed_role(struct devcluster *d, struct err *reterr)
{
    struct str json;
    if (d->config.role == NULL)
        return true;
    if (!files_read(d->arena, d->config.role, ROLE_CEILING_BYTES, &json, reterr))
        return false;
    const struct json_value *root = json_parse(d->arena, json, &JSON_LIMITS_KUBE, reterr);
    if (root == NULL)
        return false;
    const struct json_value *role = find_role(root);
    if (json_type(json_find(role, "rules")) != JSON_ARRAY)
        return err_set(reterr, ERR_INVALID, __func__, "%s holds no Role", d->config.role);
    d->role_listener = (struct store_listener){.on_event = on_role_event, .arg = d};
    store_listen(d->store, &d->role_listener);
    struct entry *former = find(d, KIND_ROLE, d->config.ns, ROLE_ACCOUNT);
    if (former != NULL)
        store_remove(d->store, former);
    struct arena *a = arena_new();
    struct doc *object = base_object(a, kind_get(KIND_ROLE), d->config.ns, ROLE_ACCOUNT);
    doc_set(a, object, "rules", doc_from_json(a, json_find(role, "rules")));
    (void)store_add(d->store, draft_new(kind_get(KIND_ROLE), object, a));
    return true;
}

/* ---- files ---- */

static const char *const ACCOUNTS[] = {"admin", "sealos-user", "fullstackd", "meagre"};
static const enum account_id ACCOUNT_IDS[] = {ACCOUNT_ADMIN, ACCOUNT_OWNER, ACCOUNT_LIMITED, ACCOUNT_MEAGRE};
enum { ACCOUNTS_N = 4 };

static bool keep_token(struct devcluster *d, size_t i, struct err *reterr)
{
    const char *path = arena_printf(d->arena, "%s/%s.token", d->config.dir, ACCOUNTS[i]);
    struct str token;
    if (files_read(d->arena, path, TOKEN_CEILING_BYTES, &token, NULL) && token.n >= CODEC_TOKEN_SIZE - 1) {
        access_set_token(d->access, ACCOUNT_IDS[i], str_trim(token));
        return true;
    }
    return files_write(path, secret_reveal(&access_account(d->access, ACCOUNT_IDS[i])->token), reterr);
}

const char *devcluster_kubeconfig(const struct devcluster *d, const char *account)
{
    return arena_printf(d->arena, "%s/%s.kubeconfig", d->config.dir, account);
}

static bool write_kubeconfigs(struct devcluster *d, struct str ca_pem, struct err *reterr)
{
    const struct kubeconfig_cluster cluster = {.server = d->server, .ca_pem = ca_pem, .ns = d->config.ns};
    bool is_known = d->config.kubeconfig == NULL;
    for (size_t i = 0; i < ACCOUNTS_N; i++) {
        const struct account *account = access_account(d->access, ACCOUNT_IDS[i]);
        if (!kubeconfig_write(devcluster_kubeconfig(d, ACCOUNTS[i]), &cluster, account, reterr))
            return false;
        if (d->config.kubeconfig == NULL || strcmp(d->config.account, ACCOUNTS[i]) != 0)
            continue;
        is_known = true;
        if (!kubeconfig_write(d->config.kubeconfig, &cluster, account, reterr))
            return false;
    }
    return is_known || err_set(reterr, ERR_INVALID, __func__, "there is no account %s", d->config.account);
}

/* ---- start and end ---- */

static struct listener *listen_on(struct devcluster *d, const struct certs *certs, struct err *reterr)
{
    struct listener_config config = {.address = d->config.address,
                                     .port = certs != NULL ? d->config.port : d->config.gateway_port,
                                     .is_bare = true,
                                     .limits = LISTENER_DEFAULTS};
    config.limits.stream_unsent_bytes = STREAM_UNSENT_BYTES;
    config.limits.stream_slow_bytes = STREAM_UNSENT_BYTES;
    config.limits.connections_per_peer = 0;
    config.limits.connections_n = 4096;
    config.limits.handler_ms = 0;
    if (certs != NULL) {
        config.tls_cert_path = certs->cert_path;
        config.tls_key_path = certs->key_path;
    }
    return listener_new(d->loop, &config, certs != NULL ? api_service(d->api) : gateway_service(d->gateway), reterr);
}

static bool connect_pg(struct devcluster *d, struct err *reterr)
{
    if (d->config.pg == NULL)
        return true;
    const struct pg_conn_config config = {.conninfo = d->config.pg, .application_name = "devcluster"};
    d->pg = pg_conn_new(d->loop, &config, reterr);
    return d->pg != NULL;
}

static void fill_config(struct devcluster *d, const struct devcluster_config *config)
{
    d->config = *config;
    struct devcluster_config *c = &d->config;
    c->ns = c->ns != NULL ? c->ns : "ns-ajno7yq7";
    c->address = c->address != NULL ? c->address : "127.0.0.1";
    c->host = c->host != NULL ? c->host : c->address;
    c->account = c->account != NULL ? c->account : "sealos-user";
    c->events_n = c->events_n > 0 ? c->events_n : EVENTS_N;
    c->pg_host = c->pg_host != NULL ? c->pg_host : "127.0.0.1";
    c->pg_port = c->pg_port != 0 ? c->pg_port : PG_PORT;
}

static bool start(struct devcluster *d, struct err *reterr)
{
    struct certs certs;
    if (!files_make_dir(d->config.dir, reterr) ||
        !certs_make(d->arena, d->config.dir, d->config.host, &certs, reterr) || !connect_pg(d, reterr))
        return false;
    for (size_t i = 0; i < ACCOUNTS_N; i++)
        if (!keep_token(d, i, reterr))
            return false;
    const struct control_config control = {.store = d->store,
                                           .ca_pem = certs.ca_pem,
                                           .delays = d->config.delays,
                                           .pg = d->pg,
                                           .pg_host = d->config.pg_host,
                                           .pg_port = d->config.pg_port};
    const struct api_config api = {.store = d->store, .access = d->access, .bookmark_ms = d->config.bookmark_ms};
    d->control = control_new(d->loop, &control);
    d->api = api_new(d->loop, &api);
    d->gateway = gateway_new(d->store);
    if (d->config.history != NULL && (d->history = history_new(d->store, d->config.history, reterr)) == NULL)
        return false;
    const char *kept = arena_printf(d->arena, "%s/objects", d->config.dir);
    if (d->config.is_kept && (d->keep = keep_new(d->loop, d->store, kept, reterr)) == NULL)
        return false;
    seed_all(d);
    if (!seed_role(d, reterr))
        return false;
    d->listener = listen_on(d, &certs, reterr);
    if (d->listener == NULL)
        return false;
    if (d->config.has_gateway)
        d->gateway_listener = listen_on(d, NULL, reterr);
    if (d->config.has_gateway && d->gateway_listener == NULL)
        return false;
    d->server = arena_printf(d->arena, "https://%s:%u", d->config.host, (unsigned)listener_port(d->listener));
    return write_kubeconfigs(d, certs.ca_pem, reterr);
}

struct devcluster *devcluster_new(struct loop *loop, const struct devcluster_config *config, struct err *reterr)
{
    struct devcluster *d = xcalloc(1, sizeof(*d));
    d->loop = loop;
    d->arena = arena_new();
    fill_config(d, config);
    d->store = store_new(loop, d->config.events_n);
    store_set_crd(d->store, config->kubeblocks);
    d->access = access_new(d->config.ns);
    if (start(d, reterr))
        return d;
    devcluster_free(d);
    return NULL;
}

void devcluster_free(struct devcluster *d)
{
    if (d == NULL)
        return;
    api_free(d->api);
    if (d->listener != NULL)
        listener_free(d->listener);
    if (d->gateway_listener != NULL)
        listener_free(d->gateway_listener);
    gateway_free(d->gateway);
    keep_free(d->keep);
    control_free(d->control);
    pg_conn_free(d->pg);
    store_free(d->store);
    history_free(d->history);
    access_free(d->access);
    arena_free(d->arena);
    free(d);
}

uint16_t devcluster_port(const struct devcluster *d)
{
    return listener_port(d->listener);
}

uint16_t devcluster_gateway_port(const struct devcluster *d)
{
    return d->gateway_listener == NULL ? 0 : listener_port(d->gateway_listener);
}

const char *devcluster_server(const struct devcluster *d)
{
    return d->server;
}
