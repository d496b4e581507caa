// SPDX-License-Identifier: MIT
/* JSON paths per kind. Wordings of reasons are the kubelet's and the controllers'. */
#include "k8s/facts.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/wall.h"
#include "core/base/xmem.h"
#include "k8s/kubeblocks.h"

enum { TEXT_CEILING_BYTES = 512 };

/* A copy, cut to a ceiling; NULL for an empty or absent text. */
static char *keep(struct str text)
{
    text = str_slice(text, 0, TEXT_CEILING_BYTES);
    return text.n > 0 ? xmemdup(text.p, text.n) : NULL;
}

/* The first that is not empty. */
static struct str either(struct str a, struct str b)
{
    return a.n > 0 ? a : b;
}

static struct str text_at(const struct json_value *v, const char *key)
{
    return json_str(json_find(v, key));
}

static int int_at(const struct json_value *v, const char *key)
{
    int64_t n = json_int(json_find(v, key), 0);
    return n < INT32_MIN || n > INT32_MAX ? 0 : (int)n;
}

static const struct json_value *condition(const struct json_value *object, const char *type)
{
    const struct json_value *list = json_at(object, "status", "conditions", NULL);
    for (const struct json_value *c = json_first(list); c != NULL; c = json_next(c)) {
        if (str_eq_text(text_at(c, "type"), type))
            return c;
    }
    return NULL;
}

static bool is_status(const struct json_value *cond, const char *status)
{
    return str_eq_text(text_at(cond, "status"), status);
}

void facts_head(enum kube_kind kind, const struct json_value *object, struct object_head *ret)
{
    const struct json_value *metadata = json_find(object, "metadata");
    const struct json_value *labels = json_find(metadata, "labels");
    struct str belongs_to = text_at(json_first(json_find(metadata, "ownerReferences")), "uid");
    memset(ret, 0, sizeof *ret);
    ret->name = text_at(metadata, "name");
    ret->uid = text_at(metadata, "uid");
    ret->project_id = text_at(labels, LABEL_PROJECT_ID);
    ret->version_text = text_at(metadata, "resourceVersion");
    if (!str_parse_u64(ret->version_text, UINT64_MAX, &ret->version))
        ret->version = 0;
    if (kind == KIND_ENDPOINT_SLICE)
        belongs_to = text_at(labels, "kubernetes.io/service-name");
    ret->owner = belongs_to.n > 0 ? codec_hash(belongs_to.p, belongs_to.n) : 0;
    ret->is_deleting = !str_is_none(text_at(metadata, "deletionTimestamp"));
}

static void read_database(const struct json_value *object, struct database_facts *ret)
{
    struct str why;
    ret->phase = kubeblocks_phase(object);
    ret->is_halted = kubeblocks_is_halted(object);
    ret->is_refused = kubeblocks_is_refused(object, &why);
    ret->message = keep(why);
}

static void read_deployment(const struct json_value *object, struct workload_facts *ret)
{
    const struct json_value *status = json_find(object, "status");
    const struct json_value *failure = condition(object, "ReplicaFailure");
    const struct json_value *progress = condition(object, "Progressing");
    ret->generation = json_int(json_at(object, "metadata", "generation", NULL), 0);
    ret->observed_generation = json_int(json_find(status, "observedGeneration"), 0);
    ret->wanted = int_at(json_find(object, "spec"), "replicas");
    ret->updated = int_at(status, "updatedReplicas");
    ret->available = int_at(status, "availableReplicas");
    ret->is_available = is_status(condition(object, "Available"), "True");
    ret->is_replica_failure = is_status(failure, "True");
    ret->is_progress_over = is_status(progress, "False");
    if (ret->is_replica_failure)
        ret->message = keep(text_at(failure, "message"));
    else if (ret->is_progress_over)
        ret->message = keep(text_at(progress, "message"));
}

/* It has no conditions: what is wrong with it only events tell. */
static void read_statefulset(const struct json_value *object, struct workload_facts *ret)
{
    const struct json_value *status = json_find(object, "status");
    ret->generation = json_int(json_at(object, "metadata", "generation", NULL), 0);
    ret->observed_generation = json_int(json_find(status, "observedGeneration"), 0);
    ret->wanted = int_at(json_find(object, "spec"), "replicas");
    ret->updated = int_at(status, "updatedReplicas");
    ret->available = int_at(status, "availableReplicas");
    ret->is_rolling = !str_eq(text_at(status, "currentRevision"), text_at(status, "updateRevision"));
    ret->is_available = int_at(status, "readyReplicas") >= ret->wanted;
}

static void read_claim(const struct json_value *object, struct claim_facts *ret)
{
    ret->is_bound = str_eq_text(text_at(json_find(object, "status"), "phase"), "Bound");
}

/* Says it something of the present generation? A condition without a generation does. */
static bool is_present(const struct json_value *cond, int64_t generation)
{
    return json_int(json_find(cond, "observedGeneration"), generation) >= generation;
}

static const struct json_value *present_condition(const struct json_value *parent, const char *type, int64_t generation)
{
    const struct json_value *list = json_find(parent, "conditions");
    for (const struct json_value *c = json_first(list); c != NULL; c = json_next(c)) {
        if (str_eq_text(text_at(c, "type"), type) && is_present(c, generation))
            return c;
    }
    return NULL;
}

static bool has_word(struct str text, const char *word)
{
    return str_find_str(text, str_from(word)) < text.n;
}

static void refuse_route(const struct json_value *cond, struct route_facts *ret)
{
    struct str reason = text_at(cond, "reason");
    struct buf words;
    ret->is_refused = true;
    ret->is_conflict = has_word(reason, "Conflict") || has_word(reason, "Claimed");
    buf_init(&words, TEXT_CEILING_BYTES);
    buf_add_str(&words, str_slice(reason, 0, TEXT_CEILING_BYTES / 4));
    buf_add_text(&words, ": ");
    buf_add_str(&words, str_slice(text_at(cond, "message"), 0, TEXT_CEILING_BYTES / 2));
    free(ret->message);
    ret->message = keep(buf_str(&words));
    buf_fini(&words);
}

static void add_host(struct str host, struct route_facts *ret)
{
    for (size_t i = 0; i < ROUTE_HOSTS_N && host.n > 0; i++) {
        if (ret->hosts[i] != 0)
            continue;
        ret->hosts[i] = codec_hash(host.p, host.n);
        return;
    }
}

static void read_ingress(const struct json_value *object, struct route_facts *ret)
{
    const struct json_value *rules = json_at(object, "spec", "rules", NULL);
    for (const struct json_value *r = json_first(rules); r != NULL; r = json_next(r))
        add_host(text_at(r, "host"), ret);
}

/* Several controllers may report; one that takes it is enough. source: gateway-api.sigs.k8s.io, RouteParentStatus. */
static void read_route(const struct json_value *object, struct route_facts *ret)
{
    int64_t generation = json_int(json_at(object, "metadata", "generation", NULL), 0);
    const struct json_value *parents = json_at(object, "status", "parents", NULL);
    const struct json_value *hosts = json_at(object, "spec", "hostnames", NULL);
    for (const struct json_value *h = json_first(hosts); h != NULL; h = json_next(h))
        add_host(json_str(h), ret);
    for (const struct json_value *p = json_first(parents); p != NULL; p = json_next(p)) {
        const struct json_value *accepted = present_condition(p, "Accepted", generation);
        const struct json_value *resolved = present_condition(p, "ResolvedRefs", generation);
        if (is_status(accepted, "False") && !str_eq_text(text_at(accepted, "reason"), "Pending"))
            refuse_route(accepted, ret);
        else if (is_status(resolved, "False"))
            refuse_route(resolved, ret);
        else if (is_status(accepted, "True"))
            ret->is_accepted = true;
    }
    ret->is_refused = ret->is_refused && !ret->is_accepted;
}

/* A container that waits for one of these has its image. */
static bool is_reason_after_pull(struct str reason)
{
    static const char *const reasons[] = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError",
                                          "CrashLoopBackOff"};

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (str_eq_text(reason, reasons[i]))
            return true;
    }
    return false;
}

static void read_container(const struct json_value *container, struct pod_facts *ret, struct str *message)
{
    const struct json_value *waiting = json_at(container, "state", "waiting", NULL);
    const struct json_value *ended = json_at(container, "state", "terminated", NULL);
    const struct json_value *last = ended != NULL ? ended : json_at(container, "lastState", "terminated", NULL);
    struct str reason = text_at(waiting, "reason");
    ret->is_running = json_at(container, "state", "running", NULL) != NULL;
    ret->restarts = int_at(container, "restartCount");
    ret->exit_code = int_at(last, "exitCode");
    ret->waiting_reason = keep(reason);
    ret->last_reason = keep(text_at(last, "reason"));
    ret->is_pulled =
        ret->is_running || last != NULL || text_at(container, "imageID").n > 0 || is_reason_after_pull(reason);
    *message = either(*message, either(text_at(waiting, "message"), text_at(last, "message")));
}

/* An init container goes first: until it has ended well the others only wait for it. */
static const struct json_value *init_container(const struct json_value *status)
{
    const struct json_value *list = json_find(status, "initContainerStatuses");
    for (const struct json_value *c = json_first(list); c != NULL; c = json_next(c)) {
        const struct json_value *ended = json_at(c, "state", "terminated", NULL);
        if (ended == NULL || int_at(ended, "exitCode") != 0)
            return c;
    }
    return NULL;
}

static void read_containers(const struct json_value *status, struct pod_facts *ret, struct str *message)
{
    const struct json_value *init = init_container(status);
    read_container(init != NULL ? init : json_first(json_find(status, "containerStatuses")), ret, message);
    ret->is_running = ret->is_running && init == NULL;
}

static void read_pod(const struct json_value *object, struct pod_facts *ret)
{
    const struct json_value *status = json_find(object, "status");
    const struct json_value *scheduled = condition(object, "PodScheduled");
    const struct json_value *ready = condition(object, "Ready");
    struct str message = STR_NONE;
    if (!wall_parse(json_str(json_at(object, "metadata", "creationTimestamp", NULL)), &ret->created_ms))
        ret->created_ms = 0;
    if (!str_copy(json_str(json_at(object, "metadata", "labels", "restartTime", NULL)), ret->restart_time,
                  sizeof ret->restart_time))
        ret->restart_time[0] = '\0';
    ret->is_failed = str_eq_text(text_at(status, "phase"), "Failed");
    ret->is_scheduled = is_status(scheduled, "True");
    ret->is_unschedulable = is_status(scheduled, "False") && str_eq_text(text_at(scheduled, "reason"), "Unschedulable");
    ret->is_ready = is_status(ready, "True");
    if (is_status(scheduled, "False"))
        message = text_at(scheduled, "message");
    message = either(message, text_at(status, "message")); /* why it was evicted */
    read_containers(status, ret, &message);
    if (ret->is_failed && ret->last_reason == NULL)
        ret->last_reason = keep(text_at(status, "reason"));
    if (is_status(ready, "False"))
        message = either(message, text_at(ready, "message"));
    ret->message = keep(message);
    ret->node = keep(text_at(json_find(object, "spec"), "nodeName"));
}

static void read_endpoints(const struct json_value *object, struct endpoint_facts *ret)
{
    const struct json_value *list = json_find(object, "endpoints");
    for (const struct json_value *e = json_first(list); e != NULL; e = json_next(e)) {
        int n = (int)json_count(json_find(e, "addresses"));
        ret->addresses_n += n;
        if (json_bool(json_at(e, "conditions", "ready", NULL), true)) /* the API says: absent means ready */
            ret->ready_n += n;
    }
}

void facts_read(enum kube_kind kind, const struct json_value *object, struct facts *ret)
{
    if (kind == KIND_CLUSTER)
        read_database(object, &ret->database);
    else if (kind == KIND_DEPLOYMENT)
        read_deployment(object, &ret->workload);
    else if (kind == KIND_STATEFULSET)
        read_statefulset(object, &ret->workload);
    else if (kind == KIND_CLAIM)
        read_claim(object, &ret->claim);
    else if (kind == KIND_INGRESS)
        read_ingress(object, &ret->route);
    else if (kind == KIND_HTTPROUTE)
        read_route(object, &ret->route);
    else if (kind == KIND_POD)
        read_pod(object, &ret->pod);
    else if (kind == KIND_ENDPOINT_SLICE)
        read_endpoints(object, &ret->endpoints);
}

void facts_fini(enum kube_kind kind, struct facts *facts)
{
    if (kind == KIND_CLUSTER) {
        free(facts->database.message);
    } else if (kind == KIND_DEPLOYMENT || kind == KIND_STATEFULSET) {
        free(facts->workload.message);
    } else if (kind == KIND_HTTPROUTE) {
        free(facts->route.message);
    } else if (kind == KIND_POD) {
        free(facts->pod.waiting_reason);
        free(facts->pod.last_reason);
        free(facts->pod.message);
        free(facts->pod.node);
    }
    memset(facts, 0, sizeof *facts);
}
