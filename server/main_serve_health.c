// SPDX-License-Identifier: MIT
/* What the running server tells of itself: the checks of /readyz and the sample of /metrics. Pure: nothing is asked of
 * anybody else here, what is known is told. */
#include <stdio.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/bus.h"
#include "core/limits.h"
#include "core/reconciler.h"
#include "handlers/routes.h"
#include "k8s/port.h"
#include "server/gate.h"
#include "server/listener.h"
#include "server/main_serve.h"
#include "server/metrics.h"
#include "store/store_port.h"

enum { LAG_WARN_MS = 1000, METRICS_BYTES = 1024 * 1024 };

static struct app_check check(const char *name, bool is_ok, bool is_needed, const char *text)
{
    return (struct app_check){name, is_ok, is_needed, is_ok ? "" : text};
}

/* Needed until one of the clusters was reached: later, one that does not answer must not take the dashboard, which says
 * so, away as well. */
static size_t check_cluster(const struct server *s, const struct server_cluster *parts, struct app_check *ret)
{
    struct k8s_port_stats k8s;
    bool is_needed = !s->has_reached_cluster;
    k8s_port_stats(parts->k8s, &k8s);
    const char *const *names = parts->check_names;
    ret[0] = check(names[0], k8s.is_reachable, is_needed, "the Kubernetes API does not answer");
    ret[1] = check(names[1], k8s.is_synced, is_needed, "not every list has been read yet");
    ret[2] = check(names[2], k8s.kubeblocks_version[0] != '\0', false, "not found in the cluster");
    return 3;
}

enum app_cluster_state server_cluster_state(void *self, size_t i)
{
    const struct server *s = self;
    struct k8s_port_stats k8s;
    k8s_port_stats(s->cluster_parts[i].k8s, &k8s);
    if (k8s.is_away)
        return APP_CLUSTER_UNREACHABLE;
    return k8s.is_synced ? APP_CLUSTER_AVAILABLE : APP_CLUSTER_STARTING;
}

size_t server_checks(void *self, struct app_check ret[APP_CHECKS_MAX])
{
    struct server *s = self;
    const struct port_store *store = store_port(s->store);
    struct store_health health;
    struct k8s_port_stats k8s;
    struct loop_stats loop;
    size_t n = 0;
    store->health(store->self, &health);
    loop_stats(s->loop, &loop);
    for (size_t i = 0; i < s->config.clusters_n; i++) {
        k8s_port_stats(s->cluster_parts[i].k8s, &k8s);
        s->has_reached_cluster = s->has_reached_cluster || (k8s.is_reachable && k8s.is_synced);
    }
    ret[n++] = check("database", health.is_postgres_up, true, "PostgreSQL does not answer");
    ret[n++] = check("schema", health.is_schema_current, true, "the schema is not current; fullstackd migrate");
    ret[n++] = health.has_redis ? check("redis", health.is_redis_up, false, "Redis does not answer; using own memory")
                                : (struct app_check){"redis", true, false, "not configured; using own memory"};
    for (size_t i = 0; i < s->config.clusters_n; i++)
        n += check_cluster(s, &s->cluster_parts[i], &ret[n]);
    ret[n++] = check("loop", loop.lag_max_ms < LAG_WARN_MS, false, "the event loop was late by more than a second");
    ret[n++] = check("draining", s->drain == DRAIN_NOT, true, "the server is stopping");
    return n;
}

/* Second number of /proc/self/statm: resident pages; a file of the kernel's memory, so reading it does not wait. */
static uint64_t resident_bytes(void)
{
    char line[128] = "";
    uint64_t pages = 0;
    struct str rest;
    struct str part = STR_NONE;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    size_t n = fread(line, 1, sizeof(line), file);
    fclose(file);
    rest = (struct str){line, n};
    /* proc(5): the second of the numbers is the resident size in pages. */
    bool is_there = str_next(&rest, ' ', &part);
    is_there = is_there && str_next(&rest, ' ', &part);
    if (!is_there || !str_parse_u64(part, UINT32_MAX, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void server_metrics(void *self, struct buf *out)
{
    const struct server *s = self;
    const struct port_store *store = store_port(s->store);
    struct metrics_sample sample = {
        .routes = ROUTES,
        .routes_n = ROUTES_N,
        .event_readers_n = bus_readers_n(s->bus),
        .is_draining = s->drain != DRAIN_NOT,
        .log_dropped_n = log_dropped_lines(),
        .resident_bytes = resident_bytes(),
        .started_ms = s->started_ms,
    };
    struct metrics_kube kube[CONFIG_CLUSTERS_MAX];
    for (size_t i = 0; i < s->config.clusters_n; i++) {
        struct k8s_port_stats k8s;
        k8s_port_stats(s->cluster_parts[i].k8s, &k8s);
        kube[i] = (struct metrics_kube){s->cluster_parts[i].config->name,
                                        k8s.lists_n,
                                        k8s.streams_n,
                                        k8s.events_n,
                                        k8s.failures_n,
                                        k8s.is_reachable,
                                        k8s.calls_n,
                                        k8s.calls_waiting_n};
    }
    sample.kube = kube;
    sample.kube_n = s->config.clusters_n;
    loop_stats(s->loop, &sample.loop);
    listener_stats(s->listener, &sample.listener);
    gate_stats(s->gate, &sample.gate);
    store->health(store->self, &sample.store);
    reconciler_stats(s->reconciler, &sample.reconciler);
    limits_stats(s->limits, &sample.limits);
    if (s->sweeper != NULL)
        sweeper_stats(s->sweeper, &sample.sweeper);
    metrics_text(&sample, out);
}

/* ---- the listener that only knows /metrics ---- */

static void on_head(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_accept_body(x, 0);
}

static void on_request(void *arg, struct http_exchange *x)
{
    struct err err = {0};
    struct buf body;
    bool is_read = http_method(x) == HTTP_GET || http_method(x) == HTTP_HEAD;
    if (!is_read || !str_eq_text(http_path(x), "/metrics")) {
        err_set(&err, ERR_MISSING, __func__, "Only /metrics is served here");
        http_answer_err(x, &err);
        return;
    }
    buf_init(&body, METRICS_BYTES);
    server_metrics(arg, &body);
    http_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&body));
    buf_fini(&body);
}

void server_metrics_service(struct server *s, struct http_service *ret)
{
    *ret = (struct http_service){on_head, on_request, s};
}
