// SPDX-License-Identifier: MIT
/* The sweep's words and its judgement: what a cluster holds against what the rows say, object by object. Pure. Who
 * lists, asks and deletes is core/sweep_pass.c; why nothing else is ever deleted: docs/adr/0016. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/str.h"
#include "core/io/loop.h"
#include "core/stage.h"

/* What is looked at, in this order: a database's rights are judged by whether it is there. Secrets are not among them
 * (we may not list them), nor what only ever belongs to a workload and goes with it. */
#define SURVEY_KINDS(X)                                                                                                \
    X(DATABASE, "Cluster", true)                                                                                       \
    X(DEPLOYMENT, "Deployment", false)                                                                                 \
    X(STATEFULSET, "StatefulSet", false)                                                                               \
    X(SERVICE, "Service", false)                                                                                       \
    X(INGRESS, "Ingress", false)                                                                                       \
    X(HTTPROUTE, "HTTPRoute", false)                                                                                   \
    X(CLAIM, "PersistentVolumeClaim", true)                                                                            \
    X(SERVICE_ACCOUNT, "ServiceAccount", false)                                                                        \
    X(ROLE, "Role", false)                                                                                             \
    X(ROLE_BINDING, "RoleBinding", false)

enum survey_kind {
#define X(name, kind, is_data) SURVEY_##name,
    SURVEY_KINDS(X)
#undef X
        SURVEY_N
};
const char *survey_kind_text(enum survey_kind kind);
/* Does an object of it hold what a user made? */
bool survey_kind_is_data(enum survey_kind kind);

/* One object that bears our labels, as a list showed it. Texts are borrowed from whoever shows it. */
struct surveyed {
    enum survey_kind kind;
    struct str name;
    struct str base; /* the sandbox's or database's name that `name` is derived from; absent: from none we could draw */
    bool is_of_database;
    struct str project_id;
    struct str uid;
    struct str version; /* resourceVersion */
    int64_t made_ms;    /* creationTimestamp; -1: none */
    bool is_deleting;
    bool is_managed; /* the label managed-by is what our manifests say for this kind */
};

/*    name      id          what it means, for people */
#define SWEEP_VERDICTS(X)                                                                                              \
    X(KNOWN, "known", "a row needs exactly this")                                                                      \
    X(FOREIGN, "foreign", "managed by somebody else: never touched")                                                   \
    X(STRANGER, "stranger", "its project was never one of this database's: never touched")                             \
    X(UNNAMED, "unnamed", "its name is none that is ever drawn: never touched")                                        \
    X(ATTACHED, "attached", "serves a database that is there: kept")                                                   \
    X(DATA, "data", "no row needs it, but it holds data: kept")                                                        \
    X(GOING, "going", "no row needs it, and it is being deleted")                                                      \
    X(WAITING, "waiting", "no row needs it; deleted when the grace is over")                                           \
    X(DUE, "due", "no row needs it, the grace is over")                                                                \
    X(REMOVED, "removed", "was deleted")                                                                               \
    X(REFUSED, "refused", "could not be deleted")                                                                      \
    X(MISSING, "missing", "a row says it is there, and it is not")

enum sweep_verdict {
#define X(name, id, text) SWEEP_##name,
    SWEEP_VERDICTS(X)
#undef X
        SWEEP_VERDICT_N
};
const char *sweep_verdict_id(enum sweep_verdict verdict);
const char *sweep_verdict_text(enum sweep_verdict verdict);
MUST_CHECK bool sweep_verdict_parse(struct str id, enum sweep_verdict *ret);

/* What the rows say of an object's project. */
struct sweep_row {
    bool is_ours;    /* it is or was a project of this database */
    bool has_row;    /* of a sandbox; the members below are of it */
    bool is_settled; /* nothing is being made or removed */
    enum sandbox_status status;
    struct str name;
    struct str database_name;
    int64_t first_seen_ms; /* of the object as an orphan; -1: it was none before */
};

/* now_ms: the database's wall clock, by which first_seen_ms is counted. is_database_there: for the rights of a
 * database, its Cluster may be there. */
enum sweep_verdict sweep_judge(const struct surveyed *object, const struct sweep_row *row, bool is_database_there,
                               ms_t grace_ms, int64_t now_ms);

/* What a settled row says is in the cluster. */
struct sweep_claim {
    enum sandbox_status status;
    bool has_had_database; /* its credentials were read once */
};
/* Must the database's Cluster, must the workload be there? */
bool sweep_needs_database(const struct sweep_claim *claim);
bool sweep_needs_workload(const struct sweep_claim *claim);
