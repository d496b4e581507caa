// SPDX-License-Identifier: MIT
/* Writes a pod's status as a kubelet does: phase, conditions, containerStatuses, addresses. */
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "devcluster/control/pod_private.h"

struct str pod_container(const struct object *pod)
{
    const struct doc *all = doc_at(pod->root, "spec", "containers", NULL);
    return all == NULL ? STR("") : doc_get(all->first, "name");
}

struct str pod_image(const struct object *pod)
{
    const struct doc *all = doc_at(pod->root, "spec", "containers", NULL);
    return all == NULL ? STR("") : doc_get(all->first, "image");
}

static const char *hex_digest(struct arena *a, const char *text)
{
    uint8_t digest[CODEC_SHA256_BYTES];
    struct buf hex;
    buf_init(&hex, 2 * CODEC_SHA256_BYTES);
    codec_sha256(str_from(text), digest);
    codec_hex(&hex, digest, sizeof(digest));
    const char *copy = arena_dup(a, buf_str(&hex));
    buf_fini(&hex);
    return copy;
}

static const char *unready_list(struct arena *a, const struct doc *containers)
{
    const char *text = "";
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next)
        text = arena_printf(a, "%s%s%.*s", text, text[0] == '\0' ? "" : " ", STR_ARG(doc_get(c, "name")));
    return arena_printf(a, "containers with unready status: [%s]", text);
}

/* Pod conditions carry lastProbeTime and no lastUpdateTime; they keep their place. */
static void set_condition(struct control *control, struct draft *d, struct doc *rows, const char *type, bool is_true)
{
    struct arena *a = d->arena;
    bool tells_why = !is_true && !str_eq_text(str_from(type), "PodReadyToStartContainers");
    struct doc *row = condition_find(rows, type);
    bool is_same = row != NULL && str_eq_text(doc_get(row, "status"), is_true ? "True" : "False");
    struct str since = is_same ? doc_get(row, "lastTransitionTime") : store_time(control->store, a);
    struct doc *fresh = doc_object(a);
    doc_set_text(a, fresh, "type", type);
    doc_set_text(a, fresh, "status", is_true ? "True" : "False");
    doc_set(a, fresh, "lastProbeTime", doc_null(a));
    doc_set_str(a, fresh, "lastTransitionTime", since);
    if (tells_why) {
        doc_set_text(a, fresh, "reason", "ContainersNotReady");
        doc_set_text(a, fresh, "message", unready_list(a, doc_at(d->root, "spec", "containers", NULL)));
    }
    if (row != NULL)
        doc_replace_child(rows, row, fresh);
    else
        doc_insert(rows, doc_count(rows) - (condition_find(rows, "PodScheduled") != NULL ? 1 : 0), fresh);
}

static struct doc *build_state(struct control *control, struct arena *a, const struct pod_look *look,
                               const struct doc *old)
{
    struct doc *state = doc_object(a);
    if (look->waiting != NULL) {
        struct doc *waiting = doc_need_object(a, state, "waiting");
        doc_set_text(a, waiting, "reason", look->waiting);
        if (look->message != NULL)
            doc_set_text(a, waiting, "message", look->message);
        return state;
    }
    const struct doc *since = doc_at(old, "state", "running", "startedAt", NULL);
    doc_set_str(a, doc_need_object(a, state, "running"), "startedAt",
                since != NULL ? doc_as_str(since) : store_time(control->store, a));
    return state;
}

static struct doc *build_last_state(struct control *control, struct arena *a, const struct pod_look *look,
                                    const struct doc *old)
{
    if (look->ended == NULL)
        return old == NULL ? doc_object(a) : doc_copy(a, doc_find(old, "lastState"));
    struct doc *last = doc_object(a);
    struct doc *ended = doc_need_object(a, last, "terminated");
    struct str time = store_time(control->store, a);
    const struct doc *since = doc_at(old, "state", "running", "startedAt", NULL);
    doc_set_int(a, ended, "exitCode", look->exit_code);
    doc_set_text(a, ended, "reason", look->ended);
    doc_set_str(a, ended, "startedAt", since != NULL ? doc_as_str(since) : time);
    doc_set_str(a, ended, "finishedAt", time);
    return last;
}

static void add_container(struct control *control, struct draft *d, struct doc *all, const struct doc *spec,
                          const struct pod_look *look)
{
    struct arena *a = d->arena;
    struct str name = doc_get(spec, "name");
    struct str image = doc_get(spec, "image");
    const struct doc *old_all = doc_at(d->entry->now->root, "status", "containerStatuses", NULL);
    const struct doc *old = old_all == NULL ? NULL : old_all->first;
    while (old != NULL && !str_eq(doc_get(old, "name"), name))
        old = old->next;
    int64_t restarts = doc_as_int(doc_find(old, "restartCount"), 0) + look->adds_restart;
    struct doc *c = doc_append(all, doc_object(a));
    doc_set_str(a, c, "name", name);
    doc_set(a, c, "state", build_state(control, a, look, old));
    doc_set(a, c, "lastState", build_last_state(control, a, look, old));
    doc_set_bool(a, c, "ready", look->is_ready);
    doc_set_int(a, c, "restartCount", restarts);
    doc_set_str(a, c, "image", image);
    const char *id = look->is_pulled ? arena_printf(a, "docker.io/%.*s@sha256:%s", STR_ARG(image),
                                                    hex_digest(a, arena_dup(a, image)))
                                     : "";
    doc_set_text(a, c, "imageID", id);
    if (look->is_pulled) {
        const char *what =
            arena_printf(a, "%.*s/%.*s/%lld", STR_ARG(d->entry->now->uid), STR_ARG(name), (long long)restarts);
        doc_set_text(a, c, "containerID", arena_printf(a, "containerd://%s", hex_digest(a, what)));
    }
    doc_set_bool(a, c, "started", look->is_started);
}

static void set_address(struct control *control, struct draft *d, struct doc *status)
{
    struct arena *a = d->arena;
    if (doc_find(status, "podIP") != NULL)
        return;
    uint32_t n = ++control->pod_ips_n;
    const char *ip = arena_printf(a, "10.244.%u.%u", (n / 254) % 256, n % 254 + 1);
    doc_set_text(a, status, "podIP", ip);
    struct doc *row = doc_append(doc_need_array(a, status, "podIPs"), doc_object(a));
    doc_set_text(a, row, "ip", ip);
}

void pod_show(struct control *control, struct work *w, const struct pod_look *look)
{
    struct draft *d = draft_of(w->entry);
    struct arena *a = d->arena;
    struct doc *status = doc_need_object(a, d->root, "status");
    if (look->phase != NULL)
        doc_set_text(a, status, "phase", look->phase);
    struct doc *rows = doc_need_array(a, status, "conditions");
    set_condition(control, d, rows, "PodReadyToStartContainers", look->has_sandbox);
    set_condition(control, d, rows, "Initialized", true);
    set_condition(control, d, rows, "Ready", look->is_ready);
    set_condition(control, d, rows, "ContainersReady", look->is_ready);
    if (doc_find(status, "hostIP") == NULL) {
        doc_set_text(a, status, "hostIP", "127.0.0.1");
        doc_set_text(a, doc_append(doc_need_array(a, status, "hostIPs"), doc_object(a)), "ip", "127.0.0.1");
        doc_set_str(a, status, "startTime", store_time(control->store, a));
    }
    if (look->has_sandbox)
        set_address(control, d, status);
    struct doc *all = doc_array(a);
    const struct doc *containers = doc_at(d->root, "spec", "containers", NULL);
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next)
        add_container(control, d, all, c, look);
    doc_set(a, status, "containerStatuses", all);
    (void)store_put(control->store, d, STORE_STATUS);
}

void pod_fail(struct control *control, struct work *w, const char *reason, const char *message)
{
    struct draft *d = draft_of(w->entry);
    struct doc *status = doc_need_object(d->arena, d->root, "status");
    doc_set_text(d->arena, status, "phase", "Failed");
    doc_set_text(d->arena, status, "reason", reason);
    doc_set_text(d->arena, status, "message", message);
    struct doc *rows = doc_need_array(d->arena, status, "conditions");
    set_condition(control, d, rows, "Ready", false);
    set_condition(control, d, rows, "ContainersReady", false);
    (void)store_put(control->store, d, STORE_STATUS);
}
