// SPDX-License-Identifier: MIT
/* The table of metrics. A plain one is a row; a family with a label is a function below. Names follow Prometheus: base
 * units (seconds, bytes), _total for counters. */
#include "server/metrics.h"

#include <stddef.h>

#include "core/stage.h"

enum metric_member { MEMBER_U64, MEMBER_UNSIGNED, MEMBER_BOOL, MEMBER_MS };

struct metric {
    const char *name;
    const char *type;
    const char *help;
    enum metric_member member;
    size_t offset;
};

#define AT(member)      offsetof(struct metrics_sample, member)

#define AT_KUBE(member) offsetof(struct metrics_kube, member)

/* clang-format off */
/* Each a family with a series per cluster. */
static const struct metric kube_metrics[] = {
    {"fullstackd_kube_reachable",            "gauge",   "1 if the Kubernetes API answered last",                          MEMBER_BOOL,     AT_KUBE(is_reachable)},
    {"fullstackd_kube_lists_total",          "counter", "Lists made for the watch caches",                                MEMBER_U64,      AT_KUBE(lists_n)},
    {"fullstackd_kube_watch_streams_total",  "counter", "Watch streams opened",                                           MEMBER_U64,      AT_KUBE(streams_n)},
    {"fullstackd_kube_watch_events_total",   "counter", "Watch events received",                                          MEMBER_U64,      AT_KUBE(events_n)},
    {"fullstackd_kube_watch_failures_total", "counter", "Lists and watches that failed",                                  MEMBER_U64,      AT_KUBE(failures_n)},
    {"fullstackd_kube_calls",                "gauge",   "Calls that are with the Kubernetes API",                         MEMBER_UNSIGNED, AT_KUBE(calls_n)},
    {"fullstackd_kube_calls_waiting",        "gauge",   "Calls that wait for their turn",                                 MEMBER_UNSIGNED, AT_KUBE(calls_waiting_n)},
};

static const struct metric metrics[] = {
    {"process_start_time_seconds",           "gauge",   "When the process started, seconds since 1970",                   MEMBER_MS,       AT(started_ms)},
    {"process_resident_memory_bytes",        "gauge",   "Resident memory",                                                MEMBER_U64,      AT(resident_bytes)},
    {"fullstackd_draining",                  "gauge",   "1 after SIGTERM",                                                MEMBER_BOOL,     AT(is_draining)},
    {"fullstackd_event_loop_lag_seconds",    "gauge",   "How late the last heartbeat of the event loop came",             MEMBER_MS,       AT(loop.lag_last_ms)},
    {"fullstackd_event_loop_lag_max_seconds","gauge",   "The latest heartbeat of the last ten seconds",                   MEMBER_MS,       AT(loop.lag_max_ms)},
    {"fullstackd_event_loop_held_total",     "counter", "Callbacks that held the loop for more than 50 ms",               MEMBER_U64,      AT(loop.held_n)},
    {"fullstackd_log_dropped_lines_total",   "counter", "Log lines dropped because their reader was too slow",            MEMBER_U64,      AT(log_dropped_n)},

    {"fullstackd_http_connections",          "gauge",   "Open connections",                                               MEMBER_UNSIGNED, AT(listener.connections_n)},
    {"fullstackd_http_accepted_total",       "counter", "Accepted connections",                                           MEMBER_U64,      AT(listener.accepted_n)},
    {"fullstackd_http_refused_total",        "counter", "Connections and requests refused by the wire's own rules",       MEMBER_U64,      AT(listener.refused_n)},
    {"fullstackd_sse_streams",               "gauge",   "Open event streams",                                             MEMBER_UNSIGNED, AT(listener.streams_n)},
    {"fullstackd_sse_streams_cut_total",     "counter", "Event streams cut because their reader was too slow",            MEMBER_U64,      AT(listener.streams_cut_n)},
    {"fullstackd_sse_backlog_bytes",         "gauge",   "Bytes that were not sent yet",                                   MEMBER_U64,      AT(listener.unsent_bytes)},
    {"fullstackd_event_readers",             "gauge",   "Readers of the event bus",                                       MEMBER_UNSIGNED, AT(event_readers_n)},
    {"fullstackd_gate_unauthorized_total",   "counter", "Requests without a session that need one",                       MEMBER_U64,      AT(gate.unauthorized_n)},
    {"fullstackd_gate_forbidden_total",      "counter", "Requests refused for their role or site",                        MEMBER_U64,      AT(gate.forbidden_n)},
    {"fullstackd_gate_limited_total",        "counter", "Requests refused because there were too many",                   MEMBER_U64,      AT(gate.limited_n)},
    {"fullstackd_session_lookups_total",     "counter", "Sessions looked up",                                             MEMBER_U64,      AT(gate.lookups_n)},
    {"fullstackd_idempotency_runs_total",    "counter", "Requests done under an Idempotency-Key",                         MEMBER_U64,      AT(gate.idempotency.runs_n)},
    {"fullstackd_idempotency_replayed_total","counter", "Requests answered as their key was answered before",             MEMBER_U64,      AT(gate.idempotency.replayed_n)},
    {"fullstackd_idempotency_refused_total", "counter", "Requests refused for their key: in use, used otherwise, too many", MEMBER_U64,    AT(gate.idempotency.refused_n)},
    {"fullstackd_audit_rows_total",          "counter", "Rows of the audit that were written",                            MEMBER_U64,      AT(gate.audit.written_n)},
    {"fullstackd_audit_dropped_total",       "counter", "Rows of the audit that were lost",                               MEMBER_U64,      AT(gate.audit.dropped_n)},

    {"fullstackd_postgres_up",               "gauge",   "1 if PostgreSQL answers",                                        MEMBER_BOOL,     AT(store.is_postgres_up)},
    {"fullstackd_schema_current",            "gauge",   "1 if the schema is that of this program",                        MEMBER_BOOL,     AT(store.is_schema_current)},
    {"fullstackd_postgres_queue_depth",      "gauge",   "Statements waiting for a connection",                            MEMBER_UNSIGNED, AT(store.queue_n)},
    {"fullstackd_redis_up",                  "gauge",   "1 if Redis answers",                                             MEMBER_BOOL,     AT(store.is_redis_up)},

    {"fullstackd_creations_waiting",         "gauge",   "Creations that wait for their turn, of all replicas",            MEMBER_UNSIGNED, AT(reconciler.waiting_n)},
    {"fullstackd_flows",                     "gauge",   "Creations and removals this replica works on",                   MEMBER_UNSIGNED, AT(reconciler.flows_n)},
    {"fullstackd_limits_warned_total",       "counter", "Stops that were announced for idleness or age",                  MEMBER_U64,      AT(limits.warned_n)},
    {"fullstackd_limits_kept_total",         "counter", "Announced stops that were taken back",                           MEMBER_U64,      AT(limits.kept_n)},
    {"fullstackd_limits_stopped_total",      "counter", "Sandboxes stopped for idleness or age",                          MEMBER_U64,      AT(limits.stopped_n)},
    {"fullstackd_watched_sandboxes",         "gauge",   "Sandboxes that should run and that no replica works on",         MEMBER_UNSIGNED, AT(reconciler.drift.watched_n)},
    {"fullstackd_drifted_sandboxes",         "gauge",   "Of them told not to run as they should",                         MEMBER_UNSIGNED, AT(reconciler.drift.drifted_n)},
    {"fullstackd_drift_reports_total",       "counter", "Drifts of sandboxes that this replica told of",                  MEMBER_U64,      AT(reconciler.drift.told_n)},
    {"fullstackd_drift_repairs_total",       "counter", "Repairs that this replica began by itself",                      MEMBER_U64,      AT(reconciler.drift.repairs_n)},
    {"fullstackd_drift_healed_total",        "counter", "Sandboxes that were seen to run again by themselves",            MEMBER_U64,      AT(reconciler.drift.healed_n)},
    {"fullstackd_replica_lease",             "gauge",   "1 while this replica holds its lease",                           MEMBER_BOOL,     AT(reconciler.has_lease)},

    {"fullstackd_sweeps_total",              "counter", "Clusters this replica has compared with the rows",                MEMBER_U64,      AT(sweeper.sweeps_n)},
    {"fullstackd_orphans_removed_total",     "counter", "Objects without a row that this replica has deleted",             MEMBER_U64,      AT(sweeper.removed_n)},
    {"fullstackd_failed_expired_total",      "counter", "Failed creations that nobody tried again in time",                MEMBER_U64,      AT(sweeper.expired_n)},
};
/* clang-format on */

static void add_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_seconds(struct buf *out, int64_t ms)
{
    buf_addf(out, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
}

/* sample: what m->offset counts from. */
static void add_value(const struct metric *m, const void *sample, struct buf *out)
{
    const void *member = (const char *)sample + m->offset;
    switch (m->member) {
    case MEMBER_U64:
        buf_addf(out, "%llu", (unsigned long long)*(const uint64_t *)member);
        break;
    case MEMBER_UNSIGNED:
        buf_addf(out, "%u", *(const unsigned *)member);
        break;
    case MEMBER_BOOL:
        buf_addf(out, "%d", *(const bool *)member ? 1 : 0);
        break;
    case MEMBER_MS:
        add_seconds(out, *(const int64_t *)member);
        break;
    }
    buf_add_byte(out, '\n');
}

static void add_plain(const struct metric *m, const struct metrics_sample *sample, struct buf *out)
{
    add_head(out, m->name, m->type, m->help);
    buf_addf(out, "%s ", m->name);
    add_value(m, sample, out);
}

/* ---- families ---- */

static void add_info(struct buf *out)
{
    add_head(out, "fullstackd_build_info", "gauge", "The version as a label");
    buf_addf(out, "fullstackd_build_info{version=\"%s\"} 1\n", FULLSTACKD_VERSION);
}

static void add_kube(const struct metric *m, const struct metrics_sample *s, struct buf *out)
{
    add_head(out, m->name, m->type, m->help);
    for (size_t i = 0; i < s->kube_n; i++) {
        buf_addf(out, "%s{cluster=\"%s\"} ", m->name, s->kube[i].cluster);
        add_value(m, &s->kube[i], out);
    }
}

static void add_requests(const struct metrics_sample *s, struct buf *out)
{
    add_head(out, "fullstackd_http_requests_total", "counter", "Requests by route");
    for (size_t i = 0; i < s->routes_n; i++)
        buf_addf(out, "fullstackd_http_requests_total{method=\"%s\",route=\"%s\"} %llu\n",
                 http_method_name(s->routes[i].method), s->routes[i].pattern,
                 (unsigned long long)s->gate.requests_n[i]);
    buf_addf(out, "fullstackd_http_requests_total{method=\"GET\",route=\"dashboard\"} %llu\n",
             (unsigned long long)s->gate.requests_n[s->routes_n]);
}

static void add_attempts(const struct flow_counters *flows, struct buf *out)
{
    add_head(out, "fullstackd_attempts_total", "counter", "Creations and removals that ended, by outcome");
    for (enum outcome o = 0; o < OUTCOME_N; o++) {
        if (o != OUTCOME_NONE)
            buf_addf(out, "fullstackd_attempts_total{outcome=\"%s\"} %llu\n", outcome_id(o),
                     (unsigned long long)flows->outcomes_n[o]);
    }
    add_head(out, "fullstackd_failures_total", "counter", "Failed attempts by reason");
    for (enum reason r = 0; r < REASON_N; r++) {
        if (r != REASON_NONE)
            buf_addf(out, "fullstackd_failures_total{reason=\"%s\"} %llu\n", reason_id(r),
                     (unsigned long long)flows->failures_n[r]);
    }
}

/* What any replica found last. */
static void add_sweep(const struct sweeper_stats *s, struct buf *out)
{
    add_head(out, "fullstackd_sweep_found", "gauge", "Objects and rows by what the last sweep judged them to be");
    for (size_t i = 0; i < s->clusters_n; i++) {
        for (size_t v = 0; v < SWEEP_VERDICT_N; v++)
            buf_addf(out, "fullstackd_sweep_found{cluster=\"%s\",verdict=\"%s\"} %llu\n", s->clusters[i].cluster,
                     sweep_verdict_id((enum sweep_verdict)v), (unsigned long long)s->clusters[i].counts[v]);
    }
    add_head(out, "fullstackd_sweep_complete", "gauge", "1 if the last sweep could look at everything");
    for (size_t i = 0; i < s->clusters_n; i++)
        buf_addf(out, "fullstackd_sweep_complete{cluster=\"%s\"} %d\n", s->clusters[i].cluster,
                 s->clusters[i].result == SWEEP_COMPLETE);
    add_head(out, "fullstackd_sweep_end_time_seconds", "gauge", "When the last sweep ended, seconds since 1970");
    for (size_t i = 0; i < s->clusters_n; i++) {
        buf_addf(out, "fullstackd_sweep_end_time_seconds{cluster=\"%s\"} ", s->clusters[i].cluster);
        add_seconds(out, s->clusters[i].ended_ms > 0 ? s->clusters[i].ended_ms : 0);
        buf_add_byte(out, '\n');
    }
}

static void add_stages(const struct flow_counters *flows, struct buf *out)
{
    add_head(out, "fullstackd_stage_duration_seconds", "summary", "How long completed stages took");
    for (enum stage s = 0; s < STAGE_N; s++) {
        buf_addf(out, "fullstackd_stage_duration_seconds_sum{stage=\"%s\"} ", stage_id(s));
        add_seconds(out, flows->stages_sum_ms[s]);
        buf_addf(out, "\nfullstackd_stage_duration_seconds_count{stage=\"%s\"} %llu\n", stage_id(s),
                 (unsigned long long)flows->stages_n[s]);
    }
}

void metrics_text(const struct metrics_sample *sample, struct buf *out)
{
    add_info(out);
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
        add_plain(&metrics[i], sample, out);
    for (size_t i = 0; i < sizeof(kube_metrics) / sizeof(kube_metrics[0]); i++)
        add_kube(&kube_metrics[i], sample, out);
    if (sample->gate.requests_n != NULL)
        add_requests(sample, out);
    add_attempts(&sample->reconciler.flows, out);
    add_stages(&sample->reconciler.flows, out);
    add_sweep(&sample->sweeper, out);
}
