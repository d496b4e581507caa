// SPDX-License-Identifier: MIT
/* The rows of the plan as they look to somebody who did all of them: what is not done any more has drifted. The worst
 * comes first: lost data, then what is missing, then what does not run. */
#include "core/drift_check.h"

#include "core/base/fit.h"
#include "core/checks.h"
#include "core/plan.h"

enum {
    PASSING_GRACE_MS = 3000, /* a container that restarts, a pod that is replaced: most of it passes */
    ROUTE_GRACE_MS = 10000,  /* Gateways that are reconfigured take routes back for a moment */
};

static void say(struct drift_verdict *v, enum drift drift, enum reason code, const char *message)
{
    v->drift = drift;
    v->code = code != REASON_NONE ? code : REASON_DRIFT;
    text_fit(v->message, sizeof(v->message), str_from(message));
}

bool drift_can_check(const struct observed *seen)
{
    return seen->is_synced && seen->is_reachable && !seen->is_blind && !seen->is_cluster_unknown &&
           seen->refused[0] == '\0';
}

/* ---- objects ---- */

static bool is_lost(const struct sandbox *sb, const struct observed *seen, struct drift_verdict *v)
{
    enum presence presence = seen->objects[OBJECT_DATABASE];
    if (presence == PRESENCE_PRESENT || presence == PRESENCE_UNKNOWN)
        return false;
    struct verdict words;
    checks_database_lost(sb, presence, &words);
    say(v, DRIFT_BROKEN, words.code, words.message);
    return true;
}

static void object_words(const struct sandbox *sb, enum cluster_object object, enum presence presence,
                         struct drift_verdict *v)
{
    const char *kind = sandbox_object_kind(sb, object);
    struct verdict words;
    bool is_with_volume = object == OBJECT_WORKLOAD && sb->kinds.workload == WORKLOAD_STATEFULSET;
    switch (presence) {
    case PRESENCE_ABSENT:
        v->drift = DRIFT_MISSING;
        text_fitf(v->message, sizeof(v->message), "the %s of the %s is gone from the cluster%s", kind,
                  object == OBJECT_INGRESS_TTY ? "terminal" : "sandbox",
                  is_with_volume ? ", and what its volume held goes with it unless the volume is kept" : "");
        return;
    case PRESENCE_DELETING:
        if (object == OBJECT_CLAIM) {
            checks_volume_going(&words);
            say(v, DRIFT_BROKEN, words.code, words.message);
            v->grace_ms = PASSING_GRACE_MS;
            return;
        }
        v->drift = DRIFT_BROKEN;
        v->grace_ms = PASSING_GRACE_MS;
        text_fitf(v->message, sizeof(v->message), "the %s is being deleted from outside", kind);
        return;
    case PRESENCE_FOREIGN:
        v->drift = DRIFT_BROKEN;
        v->code = REASON_CONFLICT;
        text_fitf(v->message, sizeof(v->message), "a %s that belongs to somebody else has taken its place", kind);
        return;
    case PRESENCE_UNKNOWN:
    case PRESENCE_PRESENT:
        return;
    }
}

/* What can be made again is told first: it is what is going to be done. */
static bool is_object_wrong(const struct sandbox *sb, const struct observed *seen, struct drift_verdict *v)
{
    enum cluster_object worst = OBJECT_N;
    for (enum cluster_object i = OBJECT_WORKLOAD; i < OBJECT_N; i++) {
        bool is_absent = seen->objects[i] == PRESENCE_ABSENT && i != OBJECT_CLAIM;
        bool is_wrong = is_absent || seen->objects[i] == PRESENCE_DELETING || seen->objects[i] == PRESENCE_FOREIGN;
        if (!is_wrong || !sandbox_has_object(sb, i))
            continue;
        if (worst == OBJECT_N || (is_absent && seen->objects[worst] != PRESENCE_ABSENT))
            worst = i;
    }
    if (worst == OBJECT_N)
        return false;
    v->code = REASON_DRIFT;
    object_words(sb, worst, seen->objects[worst], v);
    return true;
}

/* ---- what runs ---- */

static bool is_step_wrong(enum step_id step, const struct world *w, struct drift_verdict *v)
{
    struct verdict found = {.check = CHECK_DONE};
    PLAN[step].check(&PLAN[step], w, &found);
    if (found.check == CHECK_DONE)
        return false;
    say(v, DRIFT_BROKEN, found.code, found.message);
    v->grace_ms = found.check == CHECK_BROKEN ? found.grace_ms : PASSING_GRACE_MS;
    return true;
}

/* KubeBlocks changes a database that runs on, and is not asked how that goes: only what it calls failed, or what
 * somebody has stopped, counts. */
static bool is_database_wrong(const struct world *w, struct drift_verdict *v)
{
    const struct observed_database *db = &w->seen->database;
    if (db->is_halted || db->phase == DB_PHASE_STOPPED || db->phase == DB_PHASE_STOPPING) {
        say(v, DRIFT_BROKEN, REASON_DRIFT, "the database was stopped from outside");
        return true;
    }
    return db->phase == DB_PHASE_FAILED && is_step_wrong(STEP_DB_RUNNING, w, v);
}

/* A kubelet says so of a container whose environment is not there; the Secret itself may not be watched. */
static bool is_environment_gone(const struct world *w, struct drift_verdict *v)
{
    const struct observed_pod *pod = &w->seen->pod;
    bool is_waiting = pod->exists && str_starts(str_from(pod->waiting_reason), STR("CreateContainerConfig"));
    if (!is_waiting)
        return false;
    v->drift = DRIFT_MISSING;
    v->code = REASON_DRIFT;
    v->grace_ms = PASSING_GRACE_MS;
    text_fitf(v->message, sizeof(v->message), "the container cannot start without its environment: %s", pod->message);
    return true;
}

static bool is_container_wrong(const struct world *w, struct drift_verdict *v)
{
    char message[MESSAGE_SIZE];
    if (w->seen->workload.replicas_wanted == 0) {
        text_fitf(message, sizeof(message), "the %s was scaled to 0 from outside",
                  workload_kind(w->sb->kinds.workload));
        say(v, DRIFT_BROKEN, REASON_DRIFT, message);
        return true;
    }
    /* While something answers, another pod may come and go: a rollout from outside, an eviction. */
    if (w->seen->endpoints_ready_n > 0)
        return false;
    if (is_environment_gone(w, v) || is_step_wrong(STEP_APP_RUNNING, w, v) || is_step_wrong(STEP_TTY_LISTENS, w, v))
        return true;
    say(v, DRIFT_BROKEN, REASON_DRIFT, "the Service sends requests to no pod");
    v->grace_ms = PASSING_GRACE_MS;
    return true;
}

static bool is_route_wrong(const struct world *w, struct drift_verdict *v)
{
    bool is_of_tty = w->seen->route_tty.is_elsewhere;
    if (is_of_tty || w->seen->route_app.is_elsewhere) {
        v->drift = DRIFT_BROKEN;
        v->code = REASON_DRIFT;
        text_fitf(v->message, sizeof(v->message),
                  "the %s of the %s was changed from outside: it leads from another host name",
                  route_kind(w->sb->kinds.route), is_of_tty ? "terminal" : "sandbox");
        return true;
    }
    bool is_wrong = is_step_wrong(STEP_NET_INGRESS_APP, w, v) || is_step_wrong(STEP_NET_INGRESS_TTY, w, v);
    if (is_wrong && v->grace_ms < ROUTE_GRACE_MS)
        v->grace_ms = ROUTE_GRACE_MS;
    return is_wrong;
}

void drift_check(const struct sandbox *sb, const struct observed *seen, struct drift_verdict *ret)
{
    const struct world world = {.sb = sb,
                                .seen = seen,
                                .applied = UINT64_MAX,
                                .has_rights = true,
                                .has_credentials = true,
                                .is_login_proven = true,
                                .is_tidy = true};
    *ret = (struct drift_verdict){.drift = DRIFT_NONE};
    (void)(is_lost(sb, seen, ret) || is_object_wrong(sb, seen, ret) || is_database_wrong(&world, ret) ||
           is_container_wrong(&world, ret) || is_route_wrong(&world, ret));
}
