// SPDX-License-Identifier: MIT
/* The life of a pod: scheduled, image pulled, configured, started, ready; or what goes wrong on the way. Each step is a
 * row of a table: what it does when its time has come, and what comes next. One step per turn of the queue, so that
 * watchers see every state. */
#include "devcluster/control/pod_private.h"

enum pod_step {
    STEP_SCHEDULE,
    STEP_CREATE,
    STEP_PULLED,
    STEP_PULL_ERROR,
    STEP_PULL_BACKOFF,
    STEP_CONFIGURE,
    STEP_START,
    STEP_READY,
    STEP_CRASH,
    STEP_RESTART,
    STEP_EVICT,
    STEP_REST, /* nothing more to do */
    STEP_STOPPING,
    STEP_STOPPED
};

enum {
    SCHEDULE_RETRY_MS = 1000,
    PULL_ERROR_MS = 200, /* from ErrImagePull to ImagePullBackOff */
    CRASH_MS = 300,      /* how long a crashing container runs */
    EVICT_MS = 2000,
};

struct pod {
    struct control *control;
    struct work *work;
    struct arena *arena;
};

static const struct object *object_of(const struct pod *p)
{
    return p->work->entry->now;
}

static void then(struct pod *p, enum pod_step step, ms_t delay_ms)
{
    p->work->step = (int)step;
    p->work->due_ms = loop_now_ms(p->control->loop) + delay_ms;
}

static void tell(struct pod *p, const char *type, const char *reason, const char *message)
{
    event_record(p->control, object_of(p), &(struct happening){type, reason, "kubelet", message});
}

static struct pod_look waiting(const char *reason, const char *message)
{
    return (struct pod_look){.phase = "Pending", .waiting = reason, .message = message};
}

static ms_t retry_ms(struct pod *p)
{
    return pod_delay(p->control, object_of(p), "retry-delay", p->control->delays.retry_ms);
}

/* ---- scheduling ---- */

static void note_unschedulable(struct pod *p, const char *why)
{
    struct draft *d = draft_of(p->work->entry);
    struct arena *a = d->arena;
    struct doc *rows = doc_need_array(a, doc_need_object(a, d->root, "status"), "conditions");
    struct doc *row = condition_find(rows, "PodScheduled");
    if (row != NULL && str_eq_text(doc_get(row, "message"), why)) {
        draft_drop(d);
        return;
    }
    struct str since = row == NULL ? store_time(p->control->store, a) : doc_get(row, "lastTransitionTime");
    if (row != NULL)
        doc_remove_child(rows, row);
    row = doc_append(rows, doc_object(a));
    doc_set_text(a, row, "type", "PodScheduled");
    doc_set_int(a, row, "observedGeneration", 1);
    doc_set_text(a, row, "status", "False");
    doc_set(a, row, "lastProbeTime", doc_null(a));
    doc_set_str(a, row, "lastTransitionTime", since);
    doc_set_text(a, row, "reason", "Unschedulable");
    doc_set_text(a, row, "message", why);
    (void)store_put(p->control->store, d, STORE_STATUS);
    event_record(p->control, object_of(p),
                 &(struct happening){"Warning", "FailedScheduling", "default-scheduler", why});
}

static void do_schedule(struct pod *p)
{
    const char *why = node_bind(p->control, p->arena, p->work);
    if (why != NULL) {
        note_unschedulable(p, why);
        then(p, STEP_SCHEDULE, SCHEDULE_RETRY_MS);
        return;
    }
    const struct object *o = object_of(p);
    struct str node = doc_as_str(doc_at(o->root, "spec", "nodeName", NULL));
    event_record(p->control, o,
                 &(struct happening){"Normal", "Scheduled", "default-scheduler",
                                     arena_printf(p->arena, "Successfully assigned %.*s/%.*s to %.*s", STR_ARG(o->ns),
                                                  STR_ARG(o->name), STR_ARG(node))});
    then(p, STEP_CREATE, 0);
}

/* ---- image ---- */

static bool pulls_always(struct pod *p)
{
    const struct doc *all = doc_at(object_of(p)->root, "spec", "containers", NULL);
    return all != NULL && str_eq_text(doc_get(all->first, "imagePullPolicy"), "Always");
}

static ms_t pull_ms(struct pod *p, bool is_first)
{
    ms_t again = pulls_always(p) ? p->control->delays.pull_again_ms : 0;
    ms_t normal = is_first ? p->control->delays.pull_first_ms : again;
    return pod_delay(p->control, object_of(p), "ready-delay", normal);
}

static void do_create(struct pod *p)
{
    struct pod_look look = waiting("ContainerCreating", NULL);
    pod_show(p->control, p->work, &look);
    struct str image = pod_image(object_of(p));
    switch (pod_fate(p->control, object_of(p))) {
    case FATE_NEVER_STARTS:
        then(p, STEP_REST, 0);
        return;
    case FATE_EVICTED:
        then(p, STEP_EVICT, EVICT_MS);
        return;
    case FATE_INVALID_IMAGE:
        then(p, STEP_PULLED, 0);
        return;
    case FATE_IMAGE_PULL:
        tell(p, "Normal", "Pulling", arena_printf(p->arena, "Pulling image \"%.*s\"", STR_ARG(image)));
        then(p, STEP_PULL_ERROR, pull_ms(p, true));
        return;
    case FATE_NONE:
    case FATE_CRASH:
    case FATE_OOM:
    case FATE_CONFIG:
    case FATE_NOT_READY:
        break;
    }
    bool is_first = node_needs_pull(p->control, image);
    ms_t delay = pull_ms(p, is_first);
    if (is_first || pulls_always(p))
        tell(p, "Normal", "Pulling", arena_printf(p->arena, "Pulling image \"%.*s\"", STR_ARG(image)));
    then(p, STEP_PULLED, delay);
}

static void do_pulled(struct pod *p)
{
    struct str image = pod_image(object_of(p));
    if (pod_fate(p->control, object_of(p)) == FATE_INVALID_IMAGE) {
        const char *why = arena_printf(
            p->arena, "Failed to apply default image tag \"%.*s\": couldn't parse image name", STR_ARG(image));
        struct pod_look look = waiting("InvalidImageName", why);
        pod_show(p->control, p->work, &look);
        tell(p, "Warning", "InspectFailed", why);
        then(p, STEP_REST, 0);
        return;
    }
    bool is_first = node_needs_pull(p->control, image);
    node_pulled(p->control, image);
    tell(p, "Normal", "Pulled",
         is_first || pulls_always(p)
             ? arena_printf(p->arena, "Successfully pulled image \"%.*s\"", STR_ARG(image))
             : arena_printf(p->arena, "Container image \"%.*s\" already present on machine", STR_ARG(image)));
    then(p, STEP_CONFIGURE, 0);
}

static const char *not_found(struct pod *p, struct str image)
{
    return arena_printf(
        p->arena, "failed to pull and unpack image \"%.*s\": failed to resolve reference \"%.*s\": %.*s: not found",
        STR_ARG(image), STR_ARG(image), STR_ARG(image));
}

static void do_pull_error(struct pod *p)
{
    struct str image = pod_image(object_of(p));
    const char *why = not_found(p, image);
    struct pod_look look = waiting("ErrImagePull", why);
    look.has_sandbox = true;
    pod_show(p->control, p->work, &look);
    tell(p, "Warning", "Failed", arena_printf(p->arena, "Failed to pull image \"%.*s\": %s", STR_ARG(image), why));
    tell(p, "Warning", "Failed", "Error: ErrImagePull");
    then(p, STEP_PULL_BACKOFF, PULL_ERROR_MS);
}

static void do_pull_backoff(struct pod *p)
{
    struct str image = pod_image(object_of(p));
    const char *why = arena_printf(p->arena, "Back-off pulling image \"%.*s\": ErrImagePull: %s", STR_ARG(image),
                                   not_found(p, image));
    struct pod_look look = waiting("ImagePullBackOff", why);
    look.has_sandbox = true;
    pod_show(p->control, p->work, &look);
    tell(p, "Normal", "BackOff", arena_printf(p->arena, "Back-off pulling image \"%.*s\"", STR_ARG(image)));
    tell(p, "Warning", "Failed", "Error: ImagePullBackOff");
    then(p, STEP_PULL_ERROR, retry_ms(p));
}

/* ---- container ---- */

static void do_configure(struct pod *p)
{
    const char *why = pod_missing_config(p->control, p->arena, object_of(p));
    if (why == NULL && pod_fate(p->control, object_of(p)) == FATE_CONFIG)
        why = "secret \"missing\" not found";
    if (why == NULL) {
        then(p, STEP_START, p->control->delays.start_ms);
        return;
    }
    struct pod_look look = waiting("CreateContainerConfigError", why);
    pod_show(p->control, p->work, &look);
    tell(p, "Warning", "Failed", arena_printf(p->arena, "Error: %s", why));
    then(p, STEP_CONFIGURE, retry_ms(p));
}

static int64_t restarts_of(const struct object *o)
{
    const struct doc *all = doc_at(o->root, "status", "containerStatuses", NULL);
    return all == NULL ? 0 : doc_as_int(doc_find(all->first, "restartCount"), 0);
}

static bool is_crashing(struct pod *p, enum fate fate)
{
    return (fate == FATE_CRASH || fate == FATE_OOM) &&
           restarts_of(object_of(p)) < pod_fail_times(p->control, object_of(p));
}

static void run_container(struct pod *p)
{
    enum fate fate = pod_fate(p->control, object_of(p));
    struct pod_look look = {.phase = "Running", .has_sandbox = true, .is_pulled = true, .is_started = true};
    bool waits = pod_has_probe(object_of(p));
    look.is_ready = !waits && fate != FATE_NOT_READY;
    pod_show(p->control, p->work, &look);
    struct str name = pod_container(object_of(p));
    tell(p, "Normal", "Created", arena_printf(p->arena, "Created container: %.*s", STR_ARG(name)));
    tell(p, "Normal", "Started", arena_printf(p->arena, "Started container %.*s", STR_ARG(name)));
    if (is_crashing(p, fate))
        then(p, STEP_CRASH, CRASH_MS);
    else if (look.is_ready)
        then(p, STEP_REST, 0);
    else
        then(p, STEP_READY, fate == FATE_NOT_READY ? 0 : p->control->delays.ready_ms);
}

static void do_ready(struct pod *p)
{
    if (pod_fate(p->control, object_of(p)) == FATE_NOT_READY) {
        tell(p, "Warning", "Unhealthy", "Readiness probe failed: dial tcp: connect: connection refused");
        then(p, STEP_READY, retry_ms(p) > 0 ? retry_ms(p) : p->control->delays.retry_ms);
        return;
    }
    struct pod_look look = {
        .phase = "Running", .has_sandbox = true, .is_pulled = true, .is_started = true, .is_ready = true};
    pod_show(p->control, p->work, &look);
    then(p, STEP_REST, 0);
}

static void do_crash(struct pod *p)
{
    bool is_oom = pod_fate(p->control, object_of(p)) == FATE_OOM;
    const struct object *o = object_of(p);
    struct str name = pod_container(o);
    const char *why = arena_printf(p->arena, "back-off 10s restarting failed container=%.*s pod=%.*s_%.*s(%.*s)",
                                   STR_ARG(name), STR_ARG(o->name), STR_ARG(o->ns), STR_ARG(o->uid));
    struct pod_look look = {.phase = "Running",
                            .waiting = "CrashLoopBackOff",
                            .message = why,
                            .has_sandbox = true,
                            .is_pulled = true,
                            .adds_restart = true,
                            .ended = is_oom ? "OOMKilled" : "Error",
                            .exit_code = is_oom ? 137 : 1};
    pod_show(p->control, p->work, &look);
    tell(p, "Warning", "BackOff",
         arena_printf(p->arena, "Back-off restarting failed container %.*s in pod %.*s", STR_ARG(name),
                      STR_ARG(object_of(p)->name)));
    then(p, STEP_RESTART, retry_ms(p));
}

static void do_evict(struct pod *p)
{
    static const char why[] = "The node was low on resource: memory.";
    pod_fail(p->control, p->work, "Evicted", why);
    tell(p, "Warning", "Evicted", why);
    node_release(p->control, p->work);
    then(p, STEP_REST, 0);
}

static void do_stop(struct pod *p)
{
    then(p, STEP_STOPPED, 0);
    store_delete(p->control->store, p->work->entry, DELETE_BACKGROUND, 0);
}

static void do_nothing(struct pod *p)
{
    (void)p;
}

static void (*const STEPS[])(struct pod *p) = {
    [STEP_SCHEDULE] = do_schedule,
    [STEP_CREATE] = do_create,
    [STEP_PULLED] = do_pulled,
    [STEP_PULL_ERROR] = do_pull_error,
    [STEP_PULL_BACKOFF] = do_pull_backoff,
    [STEP_CONFIGURE] = do_configure,
    [STEP_START] = run_container,
    [STEP_READY] = do_ready,
    [STEP_CRASH] = do_crash,
    [STEP_RESTART] = run_container,
    [STEP_EVICT] = do_evict,
    [STEP_REST] = do_nothing,
    [STEP_STOPPING] = do_stop,
    [STEP_STOPPED] = do_nothing,
};

static void begin_stopping(struct pod *p)
{
    struct str name = pod_container(object_of(p));
    bool has_run = doc_at(object_of(p)->root, "status", "podIP", NULL) != NULL;
    if (has_run)
        tell(p, "Normal", "Killing", arena_printf(p->arena, "Stopping container %.*s", STR_ARG(name)));
    then(p, STEP_STOPPING, has_run ? p->control->delays.stop_ms : 0);
}

/* One that is ready at the first look was so in an earlier life of the cluster, and still is. */
static void begin(struct pod *p)
{
    if (!pod_is_ready(object_of(p))) {
        then(p, STEP_SCHEDULE, p->control->delays.schedule_ms);
        return;
    }
    node_occupy(p->control, p->work);
    node_pulled(p->control, pod_image(object_of(p)));
    then(p, STEP_REST, 0);
}

void pod_reconcile(struct control *control, struct work *w)
{
    struct pod p = {.control = control, .work = w};
    ms_t now = loop_now_ms(control->loop);
    bool is_deleting = object_is_deleting(w->entry->now);
    p.arena = arena_new();
    if (w->due_ms == 0)
        begin(&p);
    if (is_deleting && w->step != STEP_STOPPING && w->step != STEP_STOPPED)
        begin_stopping(&p);
    if (w->is_poked && !is_deleting && w->step == STEP_CONFIGURE)
        w->due_ms = now;
    w->is_poked = false;
    if (now < w->due_ms) {
        work_after(w, w->due_ms - now);
    } else if (w->step != STEP_REST && w->step != STEP_STOPPED) {
        STEPS[w->step](&p);
        if (w->entry != NULL)
            work_enqueue(w->entry);
    }
    arena_free(p.arena);
}
