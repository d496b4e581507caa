// SPDX-License-Identifier: MIT
/* What a sweep came to, and what it asks of the store for it: plain data; and its one form as JSON, for the command and
 * for /api/admin/orphans. */
#pragma once

#include <stddef.h>

#include "core/sandbox.h"
#include "core/sweep.h"

struct json_writer;

/* COMPLETE: all was looked at. PARTIAL: not every kind. UNKNOWN: the cluster did not answer, so nothing is known. */
#define SWEEP_RESULTS(X)                                                                                               \
    X(NEVER, "never")                                                                                                  \
    X(COMPLETE, "complete")                                                                                            \
    X(PARTIAL, "partial")                                                                                              \
    X(UNKNOWN, "unknown")

enum sweep_result {
#define X(name, id) SWEEP_##name,
    SWEEP_RESULTS(X)
#undef X
        SWEEP_RESULT_N
};
const char *sweep_result_id(enum sweep_result result);
MUST_CHECK bool sweep_result_parse(struct str id, enum sweep_result *ret);

enum { SWEEP_FINDINGS_MAX = 2000 }; /* of a cluster that are kept; the counts are of all */

/* Something worth telling: whatever is not KNOWN. Texts live as long as the report. */
struct sweep_finding {
    const char *cluster;
    const char *kind;
    const char *name;
    const char *uid; /* "": of a row whose object is missing */
    const char *project_id;
    enum sweep_verdict verdict;
    const char *detail;    /* why not, of REFUSED; whose, of MISSING; else "" */
    int64_t made_ms;       /* creationTimestamp; -1: none */
    int64_t first_seen_ms; /* -1: this is the first time */
};

struct sweep_summary {
    const char *cluster;
    enum sweep_result result;
    const char *detail; /* what was not looked at, or why nothing was deleted; "" */
    uint64_t objects_n; /* that bear our labels */
    uint64_t counts[SWEEP_VERDICT_N];
    int64_t ended_ms; /* wall clock; -1: never */
};

struct sweep_report {
    const struct sweep_summary *clusters;
    size_t clusters_n;
    const struct sweep_finding *findings;
    size_t findings_n;
};

/* What settled rows say is in a cluster. */
struct sweep_place {
    char project_id[ID_SIZE];
    char name[KUBE_NAME_SIZE];
    char database_name[KUBE_NAME_SIZE];
    enum workload_kind workload;
    struct sweep_claim claim;
};
struct sweep_places_query {
    const char *cluster;
    const char *former_names; /* comma-separated */
    const char *namespace_name;
    int64_t before_ms; /* only rows that did not change since, PostgreSQL's wall clock */
    const char *after_project_id;
    unsigned max; /* 1..1000 */
};
/* What a comparison of one cluster came to. */
struct sweep_outcome {
    const struct sweep_summary *summary;
    uint32_t looked_at; /* bits of enum survey_kind: findings of these are all there are */
    const struct sweep_finding *findings;
    size_t findings_n;
};
void sweep_report_write(struct json_writer *w, const struct sweep_report *report);

/* The counts that are not 0 as "verdict=number ...", and back; what is not known is left out. */
enum { SWEEP_COUNTS_SIZE = 512 };
void sweep_counts_format(const uint64_t counts[SWEEP_VERDICT_N], char ret[SWEEP_COUNTS_SIZE]);
void sweep_counts_parse(struct str text, uint64_t ret[SWEEP_VERDICT_N]);
