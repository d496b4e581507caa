// SPDX-License-Identifier: MIT
/* From facts to verdicts: what is done, what is waited for and why, what will not come. No I/O, no state: each function
 * looks at one struct world. */
#include "core/checks.h"

#include <string.h>

#include "core/base/fit.h"

enum {
    CRASHES_MANY = 3,               /* a container may fall once or twice while it waits for others */
    UNSCHEDULABLE_GRACE_MS = 10000, /* a cluster autoscaler or a leaving pod may make room */
    VOLUME_GRACE_MS = 10000,        /* a provisioner tries again */
    ROUTE_GRACE_MS = 10000,         /* a Gateway looks again when it sees the Service */
    QUOTA_GRACE_MS = 5000,
    REFUSED_GRACE_MS = 3000,    /* a right that was just given: the watch that was refused is begun anew */
    DB_FAILED_GRACE_MS = 10000, /* KubeBlocks passes through Failed when a pod restarts */
};

#define SAY(v, what, why, ...)                                                                                         \
    ((v)->check = (what), (v)->code = (why), text_fitf((v)->message, sizeof((v)->message), __VA_ARGS__))

void checks_unreachable(const struct sandbox *sb, const struct observed *seen, enum reason *ret_code,
                        char ret_message[MESSAGE_SIZE])
{
    *ret_code = REASON_CLUSTER_UNREACHABLE;
    if (seen->is_cluster_unknown)
        text_fitf(ret_message, MESSAGE_SIZE,
                  "cluster %s is not in this server's configuration; waiting until it is again", sb->cluster);
    else if (seen->unread[0] != '\0')
        text_fitf(ret_message, MESSAGE_SIZE, "cluster %s: %s; trying again", sb->cluster, seen->unread);
    else
        text_fitf(ret_message, MESSAGE_SIZE, "the Kubernetes API of cluster %s does not answer; trying again",
                  sb->cluster);
}

static bool is_unsettled(const struct world *w, struct verdict *v)
{
    if (w->seen->refused[0] != '\0') {
        SAY(v, CHECK_BROKEN, REASON_FORBIDDEN, "%s", w->seen->refused);
        v->grace_ms = REFUSED_GRACE_MS;
        return true;
    }
    if (w->seen->is_synced)
        return false;
    if (w->seen->is_reachable)
        SAY(v, CHECK_WAITING, REASON_NONE, "reading the state of the cluster");
    else
        checks_unreachable(w->sb, w->seen, &v->code, v->message);
    v->check = CHECK_WAITING;
    return true;
}

static void by_presence(const struct step *s, const struct world *w, struct verdict *v, const char *what)
{
    switch (w->seen->objects[s->object]) {
    case PRESENCE_PRESENT:
        SAY(v, CHECK_DONE, REASON_NONE, "%s exists", what);
        return;
    case PRESENCE_DELETING:
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting until the former %s is gone", what);
        return;
    case PRESENCE_FOREIGN:
        SAY(v, CHECK_BROKEN, REASON_CONFLICT, "a %s of that name belongs to somebody else", what);
        return;
    case PRESENCE_UNKNOWN:
    case PRESENCE_ABSENT:
        SAY(v, CHECK_MISSING, REASON_NONE, "creating the %s", what);
        return;
    }
}

static bool is_applied(const struct step *s, const struct world *w)
{
    return (w->applied >> s->object & 1) != 0;
}

void object_applied(const struct step *s, const struct world *w, struct verdict *v)
{
    if (is_unsettled(w, v))
        return;
    enum presence presence = w->seen->objects[s->object];
    bool is_known = presence != PRESENCE_UNKNOWN;
    if (!is_applied(s, w) && (presence == PRESENCE_PRESENT || !is_known))
        SAY(v, CHECK_MISSING, REASON_NONE, "creating the %s", sandbox_object_kind(w->sb, s->object));
    else if (!is_known)
        SAY(v, CHECK_DONE, REASON_NONE, "%s exists", sandbox_object_kind(w->sb, s->object));
    else
        by_presence(s, w, v, sandbox_object_kind(w->sb, s->object));
}

void rbac_applied(const struct step *s, const struct world *w, struct verdict *v)
{
    /* They serve the database alone and are not watched: what is remembered of them counts as long as it is there. */
    if (w->seen->is_synced && w->seen->objects[OBJECT_DATABASE] == PRESENCE_PRESENT && w->has_rights)
        SAY(v, CHECK_DONE, REASON_NONE, "%s exists", sandbox_object_kind(w->sb, s->object));
    else
        object_applied(s, w, v);
}

/* A database that was there and is gone is not made anew for anybody who did not ask: it would be an empty one. */
void checks_database_lost(const struct sandbox *sb, enum presence presence, struct verdict *ret)
{
    *ret = (struct verdict){.check = CHECK_BROKEN, .code = REASON_DRIFT};
    if (presence == PRESENCE_DELETING)
        SAY(ret, CHECK_BROKEN, REASON_DRIFT, "the database %s is being deleted from outside: its data goes with it",
            sb->database_name);
    else if (presence == PRESENCE_FOREIGN)
        SAY(ret, CHECK_BROKEN, REASON_CONFLICT, "a database that belongs to somebody else has taken the place of %s",
            sb->database_name);
    else
        SAY(ret, CHECK_BROKEN, REASON_DRIFT,
            "the database %s was deleted from outside: its data is lost unless there is a "
            "backup. It is not made again by itself; a start makes an empty one",
            sb->database_name);
}

void checks_volume_going(struct verdict *ret)
{
    SAY(ret, CHECK_BROKEN, REASON_DRIFT,
        "the sandbox's volume is being deleted from outside: it goes, with what it holds, when the pod ends. Copy what "
        "you need, then stop and start the sandbox for an empty one");
    ret->grace_ms = VOLUME_GRACE_MS;
}

/* Under a StatefulSet that is there a volume stays for as long as the pod does: nothing that a repair makes again waits
 * for that, and what starts a pod does. */
void volume_free(const struct step *s, const struct world *w, struct verdict *v)
{
    if (is_unsettled(w, v))
        return;
    enum presence presence = w->seen->objects[s->object];
    bool is_used = presence == PRESENCE_DELETING && w->seen->objects[OBJECT_WORKLOAD] == PRESENCE_PRESENT;
    bool is_taken = presence == PRESENCE_DELETING || presence == PRESENCE_FOREIGN;
    if (is_used && sandbox_is_repair(w->sb))
        SAY(v, CHECK_DONE, REASON_NONE, "the volume is in use");
    else if (is_taken)
        by_presence(s, w, v, "volume");
    else
        SAY(v, CHECK_DONE, REASON_NONE, "no former volume is in the way");
}

/* Whether an Ingress leads anywhere nobody says; of an HTTPRoute its Gateway does. */
void route_accepted(const struct step *s, const struct world *w, struct verdict *v)
{
    const struct observed_route *r = s->object == OBJECT_INGRESS_APP ? &w->seen->route_app : &w->seen->route_tty;
    object_applied(s, w, v);
    if (v->check != CHECK_DONE || w->sb->kinds.route != ROUTE_HTTPROUTE)
        return;
    bool is_early = w->seen->objects[OBJECT_SERVICE] != PRESENCE_PRESENT && !r->is_conflict;
    if (r->is_refused && is_early) {
        /* It leads nowhere because of that; what keeps the Service away says so itself. */
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the Service that the HTTPRoute leads to");
    } else if (r->is_refused) {
        SAY(v, CHECK_BROKEN, r->is_conflict ? REASON_INGRESS_CONFLICT : REASON_INVALID,
            "the Gateway refuses the HTTPRoute: %s", r->message);
        v->grace_ms = ROUTE_GRACE_MS;
    } else if (!r->is_accepted) {
        SAY(v, CHECK_WAITING, REASON_NONE, "no controller has accepted the HTTPRoute yet; waiting for its Gateway");
    }
}

void database_exists(const struct step *s, const struct world *w, struct verdict *v)
{
    if (is_unsettled(w, v))
        return;
    enum presence presence = w->seen->objects[s->object];
    by_presence(s, w, v, "database cluster");
    if (v->check == CHECK_DONE)
        return;
    if (sandbox_is_repair(w->sb) && w->seen->is_blind)
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for KubeBlocks, which is not installed at the moment");
    else if (sandbox_is_repair(w->sb))
        checks_database_lost(w->sb, presence, v);
    else if (v->check == CHECK_MISSING && w->sb->attempt > 1 && w->has_credentials)
        SAY(v, CHECK_MISSING, REASON_DRIFT, "the former database is gone from the cluster; creating an empty one");
}

void database_running(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (is_unsettled(w, v))
        return;
    const struct observed_database *db = &w->seen->database;
    const char *why = db->message[0] != '\0' ? db->message : "KubeBlocks gives no reason";
    /* An operator newer than a running database refuses its description, and lets it run. */
    if (db->is_refused && db->phase != DB_PHASE_RUNNING) {
        SAY(v, CHECK_BROKEN, REASON_DB_CLUSTER_FAILED, "KubeBlocks refuses the database: %s", why);
        v->grace_ms = DB_FAILED_GRACE_MS;
        return;
    }
    /* Every attempt but the first tells it to run, whatever it seems to do: that write outdates an earlier call to stop
     * it which may still be on its way. */
    bool is_resumed = (w->applied >> OBJECT_DATABASE & 1) != 0;
    if (db->is_halted || (!is_resumed && w->sb->attempt > 1)) {
        SAY(v, CHECK_MISSING, REASON_NONE, "starting the database");
        return;
    }
    switch (db->phase) {
    case DB_PHASE_RUNNING:
        SAY(v, CHECK_DONE, REASON_NONE, "the database runs");
        return;
    case DB_PHASE_FAILED:
        SAY(v, CHECK_BROKEN, REASON_DB_CLUSTER_FAILED, "the database failed: %s", why);
        v->grace_ms = DB_FAILED_GRACE_MS;
        return;
    case DB_PHASE_NONE:
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for KubeBlocks to take the database up");
        return;
    case DB_PHASE_STOPPING:
    case DB_PHASE_STOPPED:
        SAY(v, CHECK_WAITING, REASON_NONE, "KubeBlocks is starting the database");
        v->late_code = REASON_DB_CLUSTER_FAILED;
        return;
    case DB_PHASE_CREATING:
    case DB_PHASE_OTHER:
        SAY(v, CHECK_WAITING, REASON_NONE, "KubeBlocks is creating the database");
        return;
    case DB_PHASE_UPDATING:
        SAY(v, CHECK_WAITING, REASON_NONE, "KubeBlocks is changing the database");
        return;
    case DB_PHASE_DELETING:
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting until the former database is gone");
        return;
    }
}

void credentials_known(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (w->has_credentials)
        SAY(v, CHECK_DONE, REASON_NONE, "the database's credentials are known");
    else
        SAY(v, CHECK_MISSING, REASON_NONE, "reading the database's credentials");
}

void login_proven(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (!w->must_prove_login)
        SAY(v, CHECK_DONE, REASON_NONE, "the database runs");
    else if (w->is_login_proven)
        SAY(v, CHECK_DONE, REASON_NONE, "PostgreSQL answers with its credentials");
    else
        SAY(v, CHECK_MISSING, REASON_NONE, "logging in to the database");
}

static bool starts_with(const char *text, const char *prefix)
{
    return str_starts(str_from(text), str_from(prefix));
}

static void unscheduled(const struct observed_pod *pod, struct verdict *v)
{
    if (!pod->is_unschedulable) {
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for a node");
        return;
    }
    struct str why = str_from(pod->message);
    bool is_volume = str_find_str(why, STR("PersistentVolumeClaim")) < why.n;
    bool is_memory = str_find_str(why, STR("Insufficient memory")) < why.n;
    bool is_cpu = str_find_str(why, STR("Insufficient cpu")) < why.n;
    SAY(v, CHECK_BROKEN, is_volume ? REASON_PVC_PENDING : REASON_UNSCHEDULABLE, "%s: %s",
        is_volume   ? "a volume cannot be bound"
        : is_memory ? "no node has enough memory"
        : is_cpu    ? "no node has enough CPU"
                    : "no node can take the pod",
        pod->message);
    v->grace_ms = UNSCHEDULABLE_GRACE_MS;
}

/* Slow provisioning is not told from none: only an event that says what is wrong, or the deadline, ends it. */
static void unbound(const struct observed_claim *claim, struct verdict *v)
{
    v->late_code = REASON_PVC_PENDING;
    if (claim->message[0] == '\0') {
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the volume to be bound");
        return;
    }
    SAY(v, CHECK_BROKEN, REASON_PVC_PENDING, "the volume cannot be bound: %s", claim->message);
    v->grace_ms = VOLUME_GRACE_MS;
}

static void crashed(const struct observed_pod *pod, struct verdict *v)
{
    const char *why = pod->last_reason[0] != '\0' ? pod->last_reason : "Error";
    bool is_many = pod->restarts >= CRASHES_MANY;
    bool is_memory = strcmp(why, "OOMKilled") == 0;
    SAY(v, is_many ? CHECK_BROKEN : CHECK_WAITING, REASON_CRASH_LOOP, "the container ended %d %s (%s, exit code %d)",
        pod->restarts, pod->restarts == 1 ? "time" : "times", is_memory ? "out of memory" : why, pod->exit_code);
}

static void waiting(const struct world *w, struct verdict *v)
{
    const struct observed_pod *pod = &w->seen->pod;
    const char *why = pod->waiting_reason;
    if (strcmp(why, "ImagePullBackOff") == 0 || strcmp(why, "InvalidImageName") == 0 ||
        strcmp(why, "ErrImageNeverPull") == 0) {
        SAY(v, CHECK_BROKEN, REASON_IMAGE_PULL, "the image cannot be pulled: %s", pod->message);
    } else if (starts_with(why, "ErrImage") || strcmp(why, "RegistryUnavailable") == 0) {
        SAY(v, CHECK_WAITING, REASON_IMAGE_PULL, "pulling the image failed, it is tried again: %s", pod->message);
    } else if (strcmp(why, "CrashLoopBackOff") == 0) {
        crashed(pod, v);
    } else if (starts_with(why, "CreateContainer")) {
        bool is_env_there = (w->applied >> OBJECT_ENV_SECRET & 1) != 0;
        /* The Secret is there and the kubelet sleeps in its back-off: start touches the pod. */
        SAY(v, is_env_there ? CHECK_MISSING : CHECK_WAITING, REASON_NONE,
            is_env_there ? "starting the container with its environment" : "image pulled; waiting for the database");
    } else if (pod->is_pulling) {
        SAY(v, CHECK_WAITING, REASON_NONE, "pulling image %s", w->sb->image);
    } else {
        SAY(v, CHECK_WAITING, REASON_NONE, "starting the container on node %s", pod->node[0] ? pod->node : "(unknown)");
    }
}

/* A refusal is of what was tried; a retry changes the workload, and what its controller said before is about the former
 * one. 0: it does not tell what it looked at. */
static bool has_been_tried(const struct observed_workload *d)
{
    return d->observed_generation == 0 || d->observed_generation >= d->generation;
}

static void without_pod(const struct world *w, struct verdict *v)
{
    const struct observed_workload *d = &w->seen->workload;
    if (d->replicas_wanted == 0 && sandbox_is_repair(w->sb)) {
        SAY(v, CHECK_BROKEN, REASON_DRIFT, "the %s was scaled to 0 from outside", workload_kind(w->sb->kinds.workload));
        v->grace_ms = QUOTA_GRACE_MS;
        return;
    }
    if (!d->is_replica_failure) {
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the pod");
        return;
    }
    enum reason code = d->is_quota ? REASON_QUOTA_EXCEEDED : REASON_FORBIDDEN;
    if (!has_been_tried(d)) {
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the pod; the last one was refused: %s", d->message);
        v->late_code = code;
        return;
    }
    SAY(v, CHECK_BROKEN, code, "the pod is refused: %s", d->message);
    v->grace_ms = QUOTA_GRACE_MS;
}

void container_running(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (is_unsettled(w, v))
        return;
    const struct observed_pod *pod = &w->seen->pod;
    if (!pod->exists)
        without_pod(w, v);
    else if (pod->is_former)
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting until the former pod is replaced");
    else if (pod->is_running)
        SAY(v, CHECK_DONE, REASON_NONE, "the container runs on node %s", pod->node[0] ? pod->node : "(unknown)");
    else if (pod->is_failed)
        SAY(v, CHECK_WAITING, REASON_NONE, "the pod was evicted, another one follows: %s", pod->message);
    else if (!pod->is_scheduled && w->seen->claim.exists && !w->seen->claim.is_bound)
        unbound(&w->seen->claim, v);
    else if (!pod->is_scheduled)
        unscheduled(pod, v);
    else
        waiting(w, v);
}

void endpoint_found(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (is_unsettled(w, v))
        return;
    if (w->seen->endpoints_n > 0)
        SAY(v, CHECK_DONE, REASON_NONE, "Service and %s lead to the pod",
            w->sb->kinds.route == ROUTE_HTTPROUTE ? "HTTPRoutes" : "Ingresses");
    else
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the Service to find the pod");
}

void terminal_listens(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (is_unsettled(w, v))
        return;
    const struct observed_pod *pod = &w->seen->pod;
    if (pod->exists && pod->is_ready)
        SAY(v, CHECK_DONE, REASON_NONE, "the terminal listens on port 7681");
    else if (pod->exists && !pod->is_running && pod->restarts > 0)
        crashed(pod, v);
    else
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the terminal to listen on port 7681");
    v->late_code = REASON_TERMINAL_NO_ANSWER;
}

void sandbox_available(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (is_unsettled(w, v))
        return;
    const struct observed_workload *d = &w->seen->workload;
    /* replicas 0 is Available=True as well, and right after a change the status is still the old one's. */
    bool is_current = d->observed_generation >= d->generation && d->replicas_wanted > 0 && !d->is_rolling &&
                      d->replicas_updated >= d->replicas_wanted && d->replicas_available >= d->replicas_wanted;
    if (!is_current || !d->is_available)
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the %s to be available", workload_kind(w->sb->kinds.workload));
    else if (w->seen->endpoints_ready_n == 0)
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the Service to send requests to the pod");
    else if (sandbox_has_object(w->sb, OBJECT_CLAIM) && w->seen->objects[OBJECT_CLAIM] == PRESENCE_DELETING)
        checks_volume_going(v);
    else if (!w->seen->is_reachable) /* then what is seen is what was */
        SAY(v, CHECK_WAITING, REASON_NONE, "looking once more whether everything is available");
    else
        SAY(v, CHECK_DONE, REASON_NONE, "everything is available");
}

/* ---- stopping ---- */

/* What is not there does not run; but until a call that was given up can make it no more, it may yet come, and the
 * cache may be older than its coming: the API itself is asked. False: it is there, and told to stop. */
static bool is_halt_clear(const struct step *s, const struct world *w, struct verdict *v, const char *what)
{
    if (is_unsettled(w, v))
        return true;
    bool is_doubted = (w->doubted >> s->object & 1) != 0;
    bool is_told = (w->halted >> s->object & 1) != 0;
    switch (w->seen->objects[s->object]) {
    case PRESENCE_FOREIGN:
        SAY(v, CHECK_DONE, REASON_NONE, "there is no %s of this project", what);
        return true;
    case PRESENCE_ABSENT:
    case PRESENCE_UNKNOWN:
        SAY(v,
            is_doubted ? CHECK_WAITING
            : is_told  ? CHECK_DONE
                       : CHECK_MISSING,
            REASON_NONE, is_told && !is_doubted ? "there is no %s" : "making sure that there is no %s", what);
        return true;
    case PRESENCE_DELETING:
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting until the %s is gone", what);
        return true;
    case PRESENCE_PRESENT:
        break;
    }
    if (is_told)
        return false;
    SAY(v, CHECK_MISSING, REASON_NONE, "stopping the %s", what);
    return true;
}

void former_env_gone(const struct step *s, const struct world *w, struct verdict *v)
{
    (void)s;
    if (is_unsettled(w, v))
        return;
    SAY(v, w->is_tidy ? CHECK_DONE : CHECK_MISSING, REASON_NONE, "removing what earlier attempts left");
}

void workload_halted(const struct step *s, const struct world *w, struct verdict *v)
{
    if (is_halt_clear(s, w, v, "container"))
        return;
    if (w->seen->workload.replicas_wanted > 0)
        SAY(v, CHECK_MISSING, REASON_NONE, "stopping the container"); /* somebody started it again */
    else if (w->seen->has_left_over_pod || (w->seen->pod.exists && !w->seen->pod.is_failed)) /* a failed pod is over */
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the container to end");
    else
        SAY(v, CHECK_DONE, REASON_NONE, "the container is stopped");
}

void database_halted(const struct step *s, const struct world *w, struct verdict *v)
{
    if (is_halt_clear(s, w, v, "database"))
        return;
    if (!w->seen->database.is_halted)
        SAY(v, CHECK_MISSING, REASON_NONE, "stopping the database"); /* somebody started it again */
    else if (w->seen->database.phase == DB_PHASE_STOPPED)
        SAY(v, CHECK_DONE, REASON_NONE, "the database is stopped");
    else
        SAY(v, CHECK_WAITING, REASON_NONE, "waiting for the database to stop");
}
