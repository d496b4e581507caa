// SPDX-License-Identifier: MIT
/* Acting: starts the operations of the plan's rows and notes how they ended. Decides nothing: the next look at the
 * world does. */
#include "core/flow_ops.h"

#include "core/base/arena.h"
#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/environment.h"
#include "core/flow_errors.h"
#include "core/flow_private.h"

/* What the database's pods may do. */
#define RIGHTS (BIT(OBJECT_SERVICE_ACCOUNT) | BIT(OBJECT_ROLE) | BIT(OBJECT_ROLE_BINDING))

enum { TRY_FIRST_MS = 250, TRY_CAP_MS = 10000, SEEN_WITHIN_MS = 5000, TIDY_MAX = 16 };

static ms_t timeout_ms(const struct flow *f)
{
    return f->ports.settings->call_timeout_ms;
}

static const struct port_cluster *cluster_of(const struct flow *f)
{
    return f->ports.cluster;
}

static void try_later(struct step_run *run, const struct err *err)
{
    struct flow *f = run->flow;
    run->backoff.first_ms = TRY_FIRST_MS;
    run->backoff.cap_ms = TRY_CAP_MS;
    ms_t wait_ms = backoff_next(&run->backoff, f->chance++ * 2654435761u);
    run->retry_at_ms = loop_now_ms(f->ports.loop) + flow_error_wait_ms(err, wait_ms);
}

static void note_failure(struct step_run *run, enum reason code, const struct err *err, bool is_fatal)
{
    run->error_code = code;
    run->is_fatal = is_fatal;
    run->refused_n += flow_error_is_refusal(err);
    if (code == REASON_CLUSTER_UNREACHABLE)
        text_fitf(run->error_message, sizeof(run->error_message), "cluster %s: %s", run->flow->sb.cluster, err->msg);
    else
        text_fit(run->error_message, sizeof(run->error_message), str_from(err->msg));
    if (err->kind == ERR_TIMEOUT || err->kind == ERR_UPSTREAM || err->kind == ERR_NOT_READY)
        run->uncertain_until_ms = loop_now_ms(run->flow->ports.loop) + run->flow->ports.settings->late_ms;
    try_later(run, err);
    LOG(WARN, "step failed", KV("project", run->flow->sb.project_id), KV("cluster", run->flow->sb.cluster),
        KV("step", step_name(run->id)), KV("tries", run->backoff.tries), KV("err", err));
}

static void note_success(struct step_run *run)
{
    run->error_code = REASON_NONE;
    run->is_fatal = false;
    run->retry_at_ms = 0;
    backoff_reset(&run->backoff);
}

/* What was asked for shows in the watch; asked again only if it stays silent. */
static void await_watch(struct step_run *run)
{
    run->retry_at_ms = loop_now_ms(run->flow->ports.loop) + SEEN_WITHIN_MS;
}

/* What a former workload owned goes with it, also what is just being applied. */
static void forget_owned(struct flow *f)
{
    f->applied = BIT(OBJECT_WORKLOAD) | (f->applied & FLOW_DATABASE_OBJECTS);
    for (size_t i = 0; i < STEP_CREATE_N; i++) {
        if (PLAN[i].object > OBJECT_WORKLOAD && PLAN[i].object < OBJECT_N)
            flow_ops_drop(f, (enum step_id)i);
    }
}

static bool is_right(enum cluster_object object)
{
    return (RIGHTS >> object & 1) != 0;
}

static void on_applied(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    struct flow *f = run->flow;
    enum cluster_object object = PLAN[run->id].object;
    run->op = NULL;
    if (err != NULL) {
        note_failure(run, flow_error_reason(err, object), err, flow_error_is_final(err));
    } else {
        note_success(run);
        f->applied |= BIT(object);
        run->is_undone = false;
        if (object == OBJECT_WORKLOAD)
            forget_owned(f);
        if (object == OBJECT_DATABASE || is_right(object))
            f->has_rights = (f->applied & RIGHTS) == RIGHTS;
    }
    flow_wake(f);
}

/* A database made anew has new credentials. The answer would be too late for that: by then a watch, or an earlier call
 * that was given up and landed, may have shown it, and its credentials may be known. */
static void forget_credentials(struct flow *f)
{
    f->has_credentials = false;
    f->is_login_proven = false;
}

void start_apply(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    if (PLAN[step].object == OBJECT_DATABASE)
        forget_credentials(f);
    run->is_act = true;
    run->op =
        cluster_of(f)->apply(cluster_of(f)->self, PLAN[step].object, &f->sb, NULL, timeout_ms(f), on_applied, run);
}

static void on_env(void *arg, const struct env_list *project, const struct err *err)
{
    struct step_run *run = arg;
    struct flow *f = run->flow;
    run->op = NULL;
    if (err != NULL) {
        note_failure(run, REASON_NONE, err, false);
        flow_wake(f);
        return;
    }
    /* The lease was lost while it was read; it may even be back, and the row another replica's. */
    if (f->state != FLOW_WORKING || f->must_load || !f->ports.listener.may_act(f->ports.listener.arg)) {
        flow_wake(f);
        return;
    }
    struct arena *a = arena_new();
    struct env_list merged = environment_merge(a, &f->ports.settings->base_env, project, &f->credentials);
    run->is_act = true;
    run->op = cluster_of(f)->apply(cluster_of(f)->self, PLAN[run->id].object, &f->sb, &merged, timeout_ms(f),
                                   on_applied, run);
    arena_free(a);
}

void start_env(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    const struct port_store *store = f->ports.store;
    run->is_act = false;
    run->op = store->env_of(store->self, f->sb.project_id, timeout_ms(f), on_env, run);
}

static void on_credentials(void *arg, const struct db_credentials *credentials, const struct err *err)
{
    struct step_run *run = arg;
    struct flow *f = run->flow;
    run->op = NULL;
    if (err != NULL) {
        bool is_missing = err->kind == ERR_MISSING || err->kind == ERR_INVALID;
        enum reason code = is_missing ? REASON_DB_SECRET_MISSING : flow_error_reason(err, OBJECT_N);
        note_failure(run, code, err, !is_missing && flow_error_is_final(err));
    } else {
        note_success(run);
        db_credentials_fini(&f->credentials);
        f->credentials = *credentials;
        f->credentials.password = secret_dup(&credentials->password);
        f->has_credentials = true;
        f->must_save_credentials = true;
        f->saving_has_credentials = false; /* a write under way has older ones or none */
    }
    flow_wake(f);
}

void start_credentials(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    run->is_act = false;
    run->op = cluster_of(f)->credentials(cluster_of(f)->self, &f->sb, timeout_ms(f), on_credentials, run);
}

static void on_login(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    struct flow *f = run->flow;
    run->op = NULL;
    if (err != NULL) {
        note_failure(run, REASON_DB_UNREACHABLE, err, false);
        /* Stored credentials may be of a former database: read them again before the next try. */
        f->has_credentials = false;
    } else {
        note_success(run);
        f->is_login_proven = true;
        f->is_dirty = true;
    }
    flow_wake(f);
}

void start_login(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    const struct port_store *store = f->ports.store;
    run->is_act = false;
    run->op = store->prove_login(store->self, &f->credentials, timeout_ms(f), on_login, run);
}

static void on_nudged(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    run->op = NULL;
    if (err != NULL) {
        note_failure(run, REASON_NONE, err, false);
    } else {
        note_success(run);
        await_watch(run); /* a busy kubelet takes its time */
    }
    flow_wake(run->flow);
}

void start_nudge(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    run->is_act = false;
    run->op = cluster_of(f)->nudge(cluster_of(f)->self, &f->sb, timeout_ms(f), on_nudged, run);
}

/* An earlier attempt's Secret held the container's start back until its own was there; nothing uses it once this
 * attempt's pod is the only one. What cannot be removed is tried again when the sandbox is ready the next time. */
static void on_tidied(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    struct flow *f = run->flow;
    run->op = NULL;
    f->tidied_n++;
    if (err == NULL)
        f->env_from++;
    else
        LOG(WARN, "an earlier attempt's environment stays", KV("project", f->sb.project_id), KV("attempt", f->env_from),
            KV("err", err));
    f->is_tidied = err != NULL || f->tidied_n >= TIDY_MAX;
    f->is_dirty = true;
    flow_wake(f);
}

void start_tidy(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    run->is_act = true;
    run->op = cluster_of(f)->remove_former_env(cluster_of(f)->self, &f->sb, f->env_from, timeout_ms(f), on_tidied, run);
}

/* Stopped or let run again: `told` notes which. */
static void on_told(struct step_run *run, const struct err *err, enum cluster_object object, uint64_t *told)
{
    run->op = NULL;
    if (err != NULL) {
        note_failure(run, flow_error_reason(err, object), err, flow_error_is_final(err));
    } else {
        note_success(run);
        *told |= BIT(object);
        await_watch(run);
    }
    flow_wake(run->flow);
}

static void on_halted(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    on_told(run, err, PLAN[run->id].object, &run->flow->halted);
}

void start_halt(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    run->is_act = true;
    run->op = cluster_of(f)->halt(cluster_of(f)->self, PLAN[step].object, &f->sb, timeout_ms(f), on_halted, run);
}

static void on_resumed(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    on_told(run, err, OBJECT_DATABASE, &run->flow->applied);
}

void start_resume(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    run->is_act = true;
    run->op = cluster_of(f)->resume(cluster_of(f)->self, OBJECT_DATABASE, &f->sb, timeout_ms(f), on_resumed, run);
}

static void on_removed(void *arg, const struct err *err)
{
    struct step_run *run = arg;
    struct flow *f = run->flow;
    run->op = NULL;
    if (err != NULL) {
        note_failure(run, flow_error_reason(err, OBJECT_N), err, false);
    } else {
        note_success(run);
        /* A call given up earlier may still land behind this one: then it is asked again when that is over. */
        run->is_undone = loop_now_ms(f->ports.loop) >= run->uncertain_until_ms;
        f->applied &= ~BIT(PLAN[run->id].object);
        f->has_rights = f->has_rights && !is_right(PLAN[run->id].object);
        await_watch(run);
        if (!run->is_undone && run->retry_at_ms < run->uncertain_until_ms)
            run->retry_at_ms = run->uncertain_until_ms;
    }
    flow_wake(f);
}

void start_undo(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    run->is_act = true;
    run->op = cluster_of(f)->remove(cluster_of(f)->self, PLAN[step].object, &f->sb, timeout_ms(f), on_removed, run);
}

void flow_ops_cancel(struct flow *f, bool acts_too)
{
    for (size_t i = 0; i < STEP_N; i++) {
        struct step_run *run = &f->steps[i];
        if (run->op == NULL || (run->is_act && !acts_too))
            continue;
        op_cancel(run->op);
        run->op = NULL;
    }
}

static void doubt(struct step_run *run)
{
    const struct flow *f = run->flow;
    const struct flow_settings *settings = f->ports.settings;
    if (run->op != NULL && run->is_act)
        run->uncertain_until_ms = loop_now_ms(f->ports.loop) + settings->call_timeout_ms + settings->late_ms;
}

void flow_ops_doubt(struct flow *f)
{
    for (size_t i = 0; i < STEP_N; i++)
        doubt(&f->steps[i]);
}

void flow_ops_drop(struct flow *f, enum step_id step)
{
    struct step_run *run = &f->steps[step];
    doubt(run);
    op_cancel(run->op);
    run->op = NULL;
}
