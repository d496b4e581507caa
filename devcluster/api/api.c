// SPDX-License-Identifier: MIT
/* The order every request goes through: who asks, faults, body, what is asked, may they, do it, answer. */
#include "devcluster/api/api.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"
#include "devcluster/objects/token.h"

enum {
    BOOKMARK_MS = 60000,
    /* A body that is too large is read to its end before it is refused, as a kube-apiserver does: whoever is still
     * sending would find the connection broken instead of an answer. Of a larger one the head is enough. */
    READ_CEILING_BYTES = 2 * API_BODY_CEILING_BYTES,
};

/* A request a fault delays. */
struct held {
    struct api *api;
    struct http_exchange *x;
    struct loop_timer timer;
    struct fault fault;
    struct held *next;
    struct held *prev;
};

/* ---- what is asked ---- */

static bool no_such_resource(struct call *c)
{
    if (!crd_has_version(store_crd(c->api->store), c->group, c->version)) {
        c->fail.is_plain = true;
        return fail_set(&c->fail, 404, "NotFound", "404 page not found\n");
    }
    c->fail.has_details = true;
    return fail_set(&c->fail, 404, "NotFound", "the server could not find the requested resource");
}

static bool not_allowed(struct call *c)
{
    c->fail.has_details = true;
    return fail_set(&c->fail, 405, "MethodNotAllowed",
                    "the server does not allow this method on the requested resource");
}

static bool is_known_sub(const struct call *c)
{
    if (str_is_none(c->sub))
        return true;
    if (str_eq_text(c->sub, "status"))
        return (c->kind->flags & HAS_STATUS) != 0;
    if (str_eq_text(c->sub, "scale"))
        return (c->kind->flags & HAS_SCALE) != 0;
    return c->kind->id == KIND_POD && str_eq_text(c->sub, "log");
}

static bool is_acceptable(struct call *c)
{
    struct str accept = http_header(c->x, "Accept");
    struct str part;
    if (accept.n == 0)
        return true;
    while (str_next(&accept, ',', &part)) {
        struct str type = str_trim(str_slice(part, 0, str_find(part, ';', 0)));
        if (str_eq_text(type, "*/*") || str_eq_text(type, "application/*") || str_eq_text(type, "application/json"))
            return true;
    }
    c->fail.has_details = true;
    return fail_set(&c->fail, 406, "NotAcceptable",
                    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
                    "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
                    "application/vnd.kubernetes.protobuf;stream=watch");
}

static bool run_verb(struct call *c)
{
    enum http_method method = http_method(c->x);
    bool is_one = !str_is_none(c->name);
    bool is_whole = str_is_none(c->sub);
    if (str_eq_text(c->sub, "log"))
        return method == HTTP_GET ? call_log(c) : not_allowed(c);
    if (str_eq_text(str_from(c->verb), "watch"))
        return call_watch(c);
    switch (method) {
    case HTTP_GET:
    case HTTP_HEAD:
        return is_one ? call_get(c) : call_list(c);
    case HTTP_POST:
        return is_one ? not_allowed(c) : call_create(c);
    case HTTP_PUT:
        return is_one ? call_update(c) : not_allowed(c);
    case HTTP_PATCH:
        return is_one ? call_patch(c) : not_allowed(c);
    case HTTP_DELETE:
        if (!is_whole)
            return not_allowed(c);
        return is_one ? call_delete(c) : call_delete_collection(c);
    case HTTP_OPTIONS:
    case HTTP_METHOD_N:
        break;
    }
    return not_allowed(c);
}

static bool run_resource(struct call *c)
{
    struct str resource = c->resource;
    struct str dry;
    if (!str_is_none(c->sub))
        resource = str_from(arena_printf(c->arena, "%.*s/%.*s", STR_ARG(c->resource), STR_ARG(c->sub)));
    if (!access_may(c->who, c->verb, c->group, resource, c->ns))
        return call_forbidden(c);
    if (str_eq_text(c->group, "authorization.k8s.io") && str_starts(c->resource, STR("selfsubject")))
        return http_method(c->x) == HTTP_POST ? call_review(c) : not_allowed(c);
    c->kind = crd_find(store_crd(c->api->store), c->group, c->version, c->resource);
    if (c->kind == NULL || !is_known_sub(c))
        return no_such_resource(c);
    if (!str_eq_text(c->sub, "log") && !is_acceptable(c))
        return false;
    c->is_dry_run = http_query_find(c->x, "dryRun", &dry) && str_eq_text(dry, "All");
    return run_verb(c);
}

/* ---- the cluster's own controls: /devcluster/… ---- */

/* KubeBlocks is installed, upgraded or removed. */
static bool install(struct call *c)
{
    struct doc *body = NULL;
    enum crd crd;
    if (!body_json(c, c->arena, &body))
        return false;
    if (!crd_parse(doc_get(body, "serve"), &crd))
        return call_bad_request(c, "serve: v1alpha1, v1, both or none");
    store_set_crd(c->api->store, crd);
    call_answer_json(c, 200, STR("{}"));
    return true;
}

static bool run_control(struct call *c, struct str path)
{
    if (c->who->id != ACCOUNT_ADMIN)
        return fail_set(&c->fail, 403, "Forbidden", "only the admin account may use /devcluster");
    if (str_eq_text(path, "/devcluster/requests") && http_method(c->x) == HTTP_GET) {
        call_answer_doc(c, 200, faults_counts(c->api->faults, c->arena));
        return true;
    }
    if (str_eq_text(path, "/devcluster/kubeblocks") && http_method(c->x) == HTTP_POST)
        return install(c);
    if (!str_eq_text(path, "/devcluster/faults"))
        return no_such_resource(c);
    if (http_method(c->x) == HTTP_DELETE) {
        faults_clear(c->api->faults);
    } else {
        struct doc *body = NULL;
        if (!body_json(c, c->arena, &body))
            return false;
        bool drops = doc_as_bool(doc_find(body, "dropWatches"), false);
        bool ends = doc_as_bool(doc_find(body, "endWatches"), false);
        bool compacts = doc_as_bool(doc_find(body, "compact"), false);
        if (drops)
            watch_cut_all(c->api);
        if (ends)
            watch_end_all(c->api);
        if (compacts)
            store_compact(c->api->store);
        if (!drops && !ends && !compacts && !faults_add(c->api->faults, body))
            return call_bad_request(c, "a fault needs status, close or delayMs; or dropWatches, endWatches or compact");
    }
    call_answer_json(c, 200, STR("{}"));
    return true;
}

/* ---- the way of a request ---- */

/* By the token an account began with, or by one that a Secret holds. */
static const struct account *who_asks(struct api *api, struct str authorization)
{
    struct str token = access_token(authorization);
    const struct account *who = access_who(api->access, token);
    const struct object *secret = who == NULL ? token_secret(api->store, token) : NULL;
    return secret != NULL ? access_service_account(api->access, secret->ns, token_account(secret)) : who;
}

static void call_init(struct call *c, struct api *api, struct http_exchange *x)
{
    *c = (struct call){.api = api, .x = x, .arena = http_arena(x)};
    fail_init(&c->fail, c->arena);
    c->who = who_asks(api, http_header(x, "Authorization"));
    if (!call_parse_path(c, http_path(x)))
        c->resource = STR_NONE;
    c->verb = call_verb(c);
}

static void run(struct api *api, struct http_exchange *x)
{
    struct call c;
    call_init(&c, api, x);
    struct str path = http_path(x);
    bool is_done;
    if (str_starts(path, STR("/devcluster/"))) {
        is_done = run_control(&c, path);
    } else if (str_is_none(c.resource)) {
        is_done = call_discovery(&c, path);
        if (!is_done) {
            c.fail.is_plain = true;
            fail_set(&c.fail, 404, "NotFound", "404 page not found\n");
        }
    } else {
        is_done = run_resource(&c);
    }
    if (!is_done)
        call_answer_fail(&c);
}

static void answer_fault(struct api *api, struct http_exchange *x, const struct fault *fault)
{
    struct call c;
    if (fault->is_close) {
        http_abort(x);
        return;
    }
    call_init(&c, api, x);
    if (fault->status == 429) {
        c.fail.is_plain = true;
        c.fail.retry_after_s = 1;
        fail_set(&c.fail, 429, "TooManyRequests", "Too many requests, please try again later.\n");
    } else if (fault->status == 504) {
        c.fail.is_plain = true;
        fail_set(&c.fail, 504, "Timeout",
                 "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: request did not complete within the "
                 "allotted timeout\",\"reason\":\"Timeout\",\"details\":{},\"code\":504}");
    } else {
        fail_set(&c.fail, fault->status, fault->status == 503 ? "ServiceUnavailable" : "InternalError",
                 "an injected fault");
    }
    call_answer_fail(&c);
}

static void held_leave(struct held *h)
{
    loop_timer_clear(&h->timer);
    if (h->prev != NULL)
        h->prev->next = h->next;
    else
        h->api->held = h->next;
    if (h->next != NULL)
        h->next->prev = h->prev;
    loop_defer_free(h->api->loop, h, free);
}

static void on_held_gone(void *arg)
{
    held_leave(arg);
}

static void on_held_due(void *arg)
{
    struct held *h = arg;
    http_on_gone(h->x, NULL, NULL);
    if (h->fault.status != 0 || h->fault.is_close)
        answer_fault(h->api, h->x, &h->fault);
    else
        run(h->api, h->x);
    held_leave(h);
}

static void hold(struct api *api, struct http_exchange *x, const struct fault *fault)
{
    struct held *h = xcalloc(1, sizeof(*h));
    h->api = api;
    h->x = x;
    h->fault = *fault;
    h->next = api->held;
    if (h->next != NULL)
        h->next->prev = h;
    api->held = h;
    loop_timer_init(&h->timer, api->loop, on_held_due, h);
    loop_timer_set(&h->timer, fault->delay_ms);
    http_on_gone(x, on_held_gone, h);
}

static void answer_too_large(struct call *c)
{
    FAIL(&c->fail, 413, "RequestEntityTooLarge", "Request entity too large: limit is %d", API_BODY_CEILING_BYTES);
    call_answer_fail(c);
}

static void on_request(void *arg, struct http_exchange *x)
{
    struct api *api = arg;
    struct call c;
    struct fault fault;
    call_init(&c, api, x);
    struct str resource = str_is_none(c.resource) ? STR("-") : c.resource;
    if (str_starts(http_path(x), STR("/devcluster/"))) {
        run(api, x);
        return;
    }
    faults_count(api->faults, c.verb, resource);
    if (http_body(x).n > API_BODY_CEILING_BYTES) {
        answer_too_large(&c);
        return;
    }
    if (!faults_take(api->faults, c.verb, resource, &fault))
        run(api, x);
    else if (fault.delay_ms > 0)
        hold(api, x, &fault);
    else
        answer_fault(api, x, &fault);
}

static void on_head(void *arg, struct http_exchange *x)
{
    struct api *api = arg;
    struct call c;
    uint64_t length;
    call_init(&c, api, x);
    if (c.who == NULL) {
        fail_set(&c.fail, 401, "Unauthorized", "Unauthorized");
        call_answer_fail(&c);
    } else if (str_parse_u64(http_header(x, "Content-Length"), UINT64_MAX, &length) && length > READ_CEILING_BYTES) {
        answer_too_large(&c);
    } else {
        http_accept_body(x, READ_CEILING_BYTES);
    }
}

/* Whoever watches Clusters is sent away, as by a real server. */
static void on_crd(void *arg)
{
    watch_end_kind(arg, KIND_CLUSTER);
}

struct api *api_new(struct loop *loop, const struct api_config *config)
{
    struct api *api = xcalloc(1, sizeof(*api));
    api->loop = loop;
    api->store = config->store;
    api->access = config->access;
    api->bookmark_ms = config->bookmark_ms > 0 ? config->bookmark_ms : BOOKMARK_MS;
    api->faults = faults_new();
    api->service = (struct http_service){.on_head = on_head, .on_request = on_request, .arg = api};
    api->listener = (struct store_listener){.on_event = watch_on_event, .on_crd = on_crd, .arg = api};
    store_listen(api->store, &api->listener);
    return api;
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    watch_end_all(api);
    while (api->held != NULL) {
        http_on_gone(api->held->x, NULL, NULL);
        held_leave(api->held);
    }
    faults_free(api->faults);
    free(api);
}

const struct http_service *api_service(struct api *api)
{
    return &api->service;
}
