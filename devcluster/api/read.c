// SPDX-License-Identifier: MIT
/* GET: one object, lists with limit and continue, the scale of a workload, the log of a pod. */
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"
#include "devcluster/api/filter.h"
#include "devcluster/api/table.h"

enum { LIST_CEILING_BYTES = 512 << 20, TOKEN_CEILING_BYTES = 4096 };

/* ---- one object ---- */

static void answer_scale(struct call *c, const struct object *o)
{
    struct arena *a = c->arena;
    struct doc *scale = doc_object(a);
    doc_set_text(a, scale, "kind", "Scale");
    doc_set_text(a, scale, "apiVersion", "autoscaling/v1");
    struct doc *meta = doc_need_object(a, scale, "metadata");
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        doc_set_str(a, meta, kept[i], doc_get(object_meta(o), kept[i]));
    doc_set_int(a, doc_need_object(a, scale, "spec"), "replicas",
                doc_as_int(doc_at(o->root, "spec", "replicas", NULL), 0));
    struct doc *status = doc_need_object(a, scale, "status");
    doc_set_int(a, status, "replicas", doc_as_int(doc_at(o->root, "status", "replicas", NULL), 0));
    const struct doc *labels = doc_at(o->root, "spec", "selector", "matchLabels", NULL);
    const char *selector = "";
    for (const struct doc *l = labels == NULL ? NULL : labels->first; l != NULL; l = l->next)
        selector = arena_printf(a, "%s%s%.*s=%.*s", selector, selector[0] == '\0' ? "" : ",", STR_ARG(l->key),
                                STR_ARG(doc_as_str(l)));
    doc_set_text(a, status, "selector", selector);
    call_answer_doc(c, 200, scale);
}

bool call_get(struct call *c)
{
    const struct entry *e = call_entry(c);
    if (e == NULL)
        return call_not_found(c);
    if (str_eq_text(c->sub, "scale"))
        answer_scale(c, e->now);
    else if (call_wants(c, "Table"))
        table_answer(c, &e->now, 1, NULL);
    else
        call_answer_object(c, 200, e->now);
    return true;
}

static bool has_container(const struct object *pod, struct str name)
{
    const struct doc *containers = doc_at(pod->root, "spec", "containers", NULL);
    for (const struct doc *x = containers == NULL ? NULL : containers->first; x != NULL; x = x->next)
        if (str_eq(doc_get(x, "name"), name))
            return true;
    return false;
}

bool call_log(struct call *c)
{
    struct str container;
    const struct entry *e = call_entry(c);
    if (e == NULL)
        return call_not_found(c);
    if (http_query_find(c->x, "container", &container) && container.n > 0 && !has_container(e->now, container))
        return FAIL(&c->fail, 400, "BadRequest", "container %.*s is not valid for pod %.*s", STR_ARG(container),
                    STR_ARG(e->now->name));
    const struct doc *statuses = doc_at(e->now->root, "status", "containerStatuses", NULL);
    const struct doc *first = statuses == NULL ? NULL : statuses->first;
    struct str reason = doc_as_str(doc_at(first, "state", "waiting", "reason", NULL));
    bool has_run = doc_get(first, "containerID").n > 0;
    if (!has_run)
        return FAIL(&c->fail, 400, "BadRequest", "container \"%.*s\" in pod \"%.*s\" is waiting to start: %.*s",
                    STR_ARG(doc_as_str(doc_at(doc_at(e->now->root, "spec", "containers", NULL)->first, "name", NULL))),
                    STR_ARG(e->now->name), STR_ARG(reason.n > 0 ? reason : STR("ContainerCreating")));
    http_answer(c->x, 200, "text/plain",
                STR("[ttyd] listening on 0.0.0.0:7681\nnext dev ready on http://0.0.0.0:3000\n"));
    return true;
}

/* ---- lists ---- */

struct page {
    struct filter filter;
    uint64_t limit;   /* 0: none */
    uint64_t version; /* of the answer */
    bool is_past;     /* `version` is not now */
    struct str after; /* continue behind this key "ns/name"; absent: from the start */
};

static bool expired(struct call *c)
{
    return fail_set(&c->fail, 410, "Expired", "The resourceVersion for the provided list is too old.");
}

static const char *make_token(struct arena *a, int64_t version, struct str key)
{
    struct doc *d = doc_object(a);
    doc_set_text(a, d, "v", "meta.k8s.io/v1");
    doc_set_int(a, d, "rv", version);
    doc_set_str(a, d, "start", key);
    struct buf text;
    buf_init(&text, TOKEN_CEILING_BYTES);
    codec_base64url(&text, doc_json(a, d));
    const char *token = arena_dup(a, buf_str(&text));
    buf_fini(&text);
    return token;
}

/* base64url without padding into base64 with it. */
static bool decode_token(struct arena *a, struct str token, struct str *ret)
{
    struct buf text;
    buf_init(&text, TOKEN_CEILING_BYTES);
    for (size_t i = 0; i < token.n; i++)
        buf_add_byte(&text, token.p[i] == '-' ? '+' : token.p[i] == '_' ? '/' : token.p[i]);
    while (text.n % 4 != 0)
        buf_add_byte(&text, '=');
    bool is_good = !text.is_over && codec_base64_decode(a, buf_str(&text), ret, NULL);
    buf_fini(&text);
    return is_good;
}

static bool read_token(struct call *c, struct str token, struct page *p)
{
    struct str json;
    const struct json_value *v = NULL;
    if (decode_token(c->arena, token, &json))
        v = json_parse(c->arena, json, &JSON_LIMITS_BODY, NULL);
    p->after = json_str(json_find(v, "start"));
    int64_t version = json_int(json_find(v, "rv"), 0);
    if (str_is_none(p->after) || version == 0)
        return call_bad_request(c, "invalid continue token: continue key is not valid");
    if (version < 0)
        return true;
    p->version = (uint64_t)version;
    p->is_past = p->version < store_version(c->api->store);
    if (p->version >= store_oldest(c->api->store, c->kind) && p->version <= store_version(c->api->store))
        return true;
    c->fail.continue_token = make_token(c->arena, -1, p->after);
    return fail_set(
        &c->fail, 410, "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new "
        "list without the continue parameter, or use the continue token in this response to retrieve the "
        "remainder of the results. Continuing with the provided token results in an inconsistent list - "
        "objects that were created, modified, or deleted between the time the first chunk was returned and "
        "now may show up in the list.");
}

static bool too_new(struct call *c, uint64_t version)
{
    FAIL(&c->fail, 504, "Timeout", "Timeout: Too large resource version: %llu, current: %llu",
         (unsigned long long)version, (unsigned long long)store_version(c->api->store));
    fail_cause(&c->fail, "ResourceVersionTooLarge", "", "Too large resource version");
    c->fail.has_details = true;
    c->fail.retry_after_s = 1;
    return false;
}

static bool read_version(struct call *c, struct page *p)
{
    struct str text;
    struct str match = STR_NONE;
    uint64_t version;
    (void)http_query_find(c->x, "resourceVersionMatch", &match);
    if (!http_query_find(c->x, "resourceVersion", &text) || text.n == 0)
        return true;
    if (!str_parse_u64(text, UINT64_MAX, &version))
        return FAIL(&c->fail, 500, NULL,
                    "resourceVersion: Invalid value: \"%.*s\": strconv.ParseUint: parsing \"%.*s\": invalid syntax",
                    STR_ARG(text), STR_ARG(text));
    if (version > store_version(c->api->store))
        return too_new(c, version);
    if (!str_eq_text(match, "Exact") || version == 0)
        return true;
    if (version < store_oldest(c->api->store, c->kind))
        return expired(c);
    p->version = version;
    p->is_past = version < store_version(c->api->store);
    return true;
}

static bool read_page(struct call *c, struct page *p)
{
    struct str text;
    *p = (struct page){.version = store_version(c->api->store), .after = STR_NONE};
    if (!filter_parse(c, c->arena, &p->filter))
        return false;
    if (http_query_find(c->x, "limit", &text) && text.n > 0 && !str_parse_u64(text, UINT32_MAX, &p->limit))
        return call_bad_request(c, "limit: Invalid value: must be a number");
    if (http_query_find(c->x, "continue", &text) && text.n > 0)
        return read_token(c, text, p);
    return read_version(c, p);
}

static struct str key_of(struct arena *a, const struct object *o)
{
    return str_from(arena_printf(a, "%.*s/%.*s", STR_ARG(o->ns), STR_ARG(o->name)));
}

/* In the order of the store; key: of key_of. A page of thousands asks this of every object before it. */
static bool is_after(const struct object *o, struct str key)
{
    size_t slash = str_find(key, '/', 0);
    return str_is_none(key) || object_compare(o, str_slice(key, 0, slash), str_slice(key, slash + 1, key.n)) > 0;
}

static bool is_selective(const struct filter *f)
{
    return f->labels.first != NULL || f->fields.first != NULL;
}

static const struct object **present(struct call *c, const struct page *p, size_t *ret_n)
{
    struct entry **range = store_range(c->api->store, c->kind, p->filter.ns, ret_n);
    const struct object **set = arena_alloc(c->arena, (*ret_n + 1) * sizeof(set[0]));
    for (size_t i = 0; i < *ret_n; i++)
        set[i] = range[i]->now;
    return set;
}

/* One more than the page holds is enough, unless it is told how many are left: a list in pages costs what it brings. */
static const struct object **collect(struct call *c, const struct page *p, size_t *ret_n)
{
    bool is_indexed = !p->is_past && selector_equality(&p->filter.labels) != NULL;
    bool is_counted = p->limit == 0 || !is_selective(&p->filter);
    size_t n;
    const struct object **set;
    if (is_indexed)
        set = filter_collect(c, &p->filter, &n);
    else if (p->is_past)
        set = store_at(c->api->store, c->arena, c->kind, p->version, &n);
    else
        set = present(c, p, &n);
    size_t kept = 0;
    for (size_t i = 0; i < n && (is_counted || kept <= p->limit); i++)
        if (is_after(set[i], p->after) && (is_indexed || filter_matches(&p->filter, set[i])))
            set[kept++] = set[i];
    *ret_n = kept;
    return set;
}

/* Items of built-in kinds leave their kind and apiVersion out, as the real server's do. */
static struct str item_json(struct call *c, const struct object *o)
{
    if (o->kind != c->kind)
        return doc_json(c->arena, call_view(c, o));
    if ((o->kind->flags & IS_CUSTOM) != 0)
        return o->json;
    return str_slice(o->json, str_find_str(o->json, STR("\"metadata\":")), o->json.n);
}

static void write_list(struct call *c, const struct object **set, size_t n, const struct doc *meta)
{
    bool is_custom = (c->kind->flags & IS_CUSTOM) != 0;
    struct buf out;
    buf_init(&out, LIST_CEILING_BYTES);
    struct doc *head = doc_object(c->arena);
    doc_set_text(c->arena, head, "kind", arena_printf(c->arena, "%sList", c->kind->name));
    doc_set_text(c->arena, head, "apiVersion", kind_api_version(c->arena, c->kind));
    doc_set(c->arena, head, "metadata", doc_copy(c->arena, meta));
    struct str text = doc_json(c->arena, head);
    buf_add(&out, text.p, text.n - 1);
    buf_add_text(&out, ",\"items\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(&out, ',');
        if (!is_custom)
            buf_add_byte(&out, '{');
        buf_add_str(&out, item_json(c, set[i]));
    }
    buf_add_text(&out, "]}");
    call_answer_json(c, 200, buf_str(&out));
    buf_fini(&out);
}

static void write_partial_list(struct call *c, const struct object **set, size_t n, const struct doc *meta)
{
    struct doc *list = doc_object(c->arena);
    doc_set_text(c->arena, list, "kind", "PartialObjectMetadataList");
    doc_set_text(c->arena, list, "apiVersion", "meta.k8s.io/v1");
    doc_set(c->arena, list, "metadata", doc_copy(c->arena, meta));
    struct doc *items = doc_need_array(c->arena, list, "items");
    for (size_t i = 0; i < n; i++) {
        struct doc *item = doc_append(items, doc_object(c->arena));
        doc_set_text(c->arena, item, "kind", "PartialObjectMetadata");
        doc_set_text(c->arena, item, "apiVersion", "meta.k8s.io/v1");
        doc_set(c->arena, item, "metadata", doc_copy(c->arena, object_meta(set[i])));
    }
    call_answer_doc(c, 200, list);
}

void list_answer(struct call *c, const struct object **set, size_t n, const struct doc *meta)
{
    if (call_wants(c, "Table"))
        table_answer(c, set, n, meta);
    else if (call_wants(c, "PartialObjectMetadataList"))
        write_partial_list(c, set, n, meta);
    else
        write_list(c, set, n, meta);
}

bool call_list(struct call *c)
{
    struct page p;
    size_t n;
    if (!read_page(c, &p))
        return false;
    const struct object **set = collect(c, &p, &n);
    struct doc *meta = doc_object(c->arena);
    if ((c->kind->flags & IS_CUSTOM) != 0)
        doc_set_text(c->arena, meta, "continue", "");
    doc_set_text(c->arena, meta, "resourceVersion", arena_printf(c->arena, "%llu", (unsigned long long)p.version));
    if (p.limit > 0 && n > p.limit) {
        size_t left = n - (size_t)p.limit;
        n = (size_t)p.limit;
        doc_set_text(c->arena, meta, "continue",
                     make_token(c->arena, (int64_t)p.version, key_of(c->arena, set[n - 1])));
        if (!is_selective(&p.filter))
            doc_set_int(c->arena, meta, "remainingItemCount", (int64_t)left);
    }
    list_answer(c, set, n, meta);
    return true;
}
