// SPDX-License-Identifier: MIT
/* Paths, verbs, refusals and answers. */
#include "devcluster/api/call.h"

#include "core/base/json_write.h"
#include "devcluster/api/api_private.h"

enum { ANSWER_CEILING_BYTES = 256 << 20 };

/* ---- the path ---- */

static bool next_segment(struct str *rest, struct str *ret)
{
    if (str_next(rest, '/', ret) && ret->n > 0)
        return true;
    *ret = STR_NONE;
    return false;
}

static bool parse_resource(struct call *c, struct str rest)
{
    struct str part;
    if (!next_segment(&rest, &part))
        return false;
    if (str_eq_text(part, "namespaces") && next_segment(&rest, &c->ns)) {
        struct str next = STR_NONE;
        bool has_more = next_segment(&rest, &next);
        if (!has_more || str_eq_text(next, "status") || str_eq_text(next, "finalize")) {
            c->resource = part;
            c->name = c->ns;
            c->sub = has_more ? next : STR_NONE;
            return true;
        }
        part = next;
    }
    c->resource = part;
    if (!next_segment(&rest, &c->name))
        return true;
    (void)next_segment(&rest, &c->sub);
    return str_is_none(rest);
}

bool call_parse_path(struct call *c, struct str path)
{
    struct str part;
    c->group = c->version = c->ns = c->resource = c->name = c->sub = STR_NONE;
    path = str_slice(path, 1, path.n);
    if (!next_segment(&path, &part))
        return false;
    if (str_eq_text(part, "api"))
        c->group = STR("");
    else if (!str_eq_text(part, "apis") || !next_segment(&path, &c->group))
        return false;
    if (!next_segment(&path, &c->version) || str_is_none(path))
        return false;
    return parse_resource(c, path);
}

struct entry *call_entry(struct call *c)
{
    bool is_spaced = (c->kind->flags & IS_NAMESPACED) != 0;
    return store_find(c->api->store, c->kind, is_spaced ? c->ns : STR_NONE, c->name);
}

bool call_query_is_true(const struct call *c, const char *name)
{
    struct str value;
    if (!http_query_find(c->x, name, &value))
        return false;
    return value.n == 0 || str_eq_text(value, "1") || str_eq_text(value, "true");
}

const char *call_verb(const struct call *c)
{
    bool is_one = !str_is_none(c->name);
    switch (http_method(c->x)) {
    case HTTP_GET:
    case HTTP_HEAD:
        if (call_query_is_true(c, "watch"))
            return "watch";
        return is_one ? "get" : "list";
    case HTTP_POST:
        return "create";
    case HTTP_PUT:
        return "update";
    case HTTP_PATCH:
        return "patch";
    case HTTP_DELETE:
        return is_one ? "delete" : "deletecollection";
    case HTTP_OPTIONS:
    case HTTP_METHOD_N:
        break;
    }
    return "";
}

/* ---- refusals ---- */

static const char *resource_text(struct call *c)
{
    if (c->group.n == 0)
        return arena_dup(c->arena, c->resource);
    return arena_printf(c->arena, "%.*s.%.*s", STR_ARG(c->resource), STR_ARG(c->group));
}

bool call_not_found(struct call *c)
{
    fail_set(&c->fail, 404, "NotFound",
             arena_printf(c->arena, "%s \"%.*s\" not found", resource_text(c), STR_ARG(c->name)));
    return fail_details(&c->fail, c->kind->group, c->kind->plural, c->name);
}

bool call_forbidden(struct call *c)
{
    const char *what = resource_text(c);
    if (!str_is_none(c->name))
        what = arena_printf(c->arena, "%s \"%.*s\"", what, STR_ARG(c->name));
    const char *where = "at the cluster scope";
    if (!str_is_none(c->ns))
        where = arena_printf(c->arena, "in the namespace \"%.*s\"", STR_ARG(c->ns));
    const char *resource = arena_dup(c->arena, c->resource);
    if (!str_is_none(c->sub))
        resource = arena_printf(c->arena, "%s/%.*s", resource, STR_ARG(c->sub));
    FAIL(&c->fail, 403, "Forbidden", "%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%.*s\" %s",
         what, c->who->user, c->verb, resource, STR_ARG(c->group), where);
    return fail_details(&c->fail, arena_dup(c->arena, c->group), arena_dup(c->arena, c->resource), c->name);
}

bool call_conflict(struct call *c, const char *why)
{
    FAIL(&c->fail, 409, "Conflict", "Operation cannot be fulfilled on %s \"%.*s\": %s",
         kind_resource(c->arena, c->kind), STR_ARG(c->name), why);
    return fail_details(&c->fail, c->kind->group, c->kind->plural, c->name);
}

bool call_bad_request(struct call *c, const char *why)
{
    return fail_set(&c->fail, 400, "BadRequest", why);
}

bool call_invalid(struct call *c, struct str name)
{
    return fail_invalid(&c->fail, c->kind->group, c->kind->name, name);
}

/* ---- versions ---- */

const struct doc *call_view(struct call *c, const struct object *o)
{
    return o->kind == c->kind ? o->root : crd_convert(c->arena, c->kind, o->root);
}

void call_to_stored(struct call *c, struct draft *d)
{
    d->kind = crd_stored(store_crd(c->api->store), c->kind);
    if (d->kind != c->kind)
        d->root = crd_convert(d->arena, d->kind, d->root);
}

/* ---- answers ---- */

static void add_common_headers(struct call *c)
{
    http_add_header(c->x, "Cache-Control", STR("no-cache, private"));
}

void call_answer_fail(struct call *c)
{
    add_common_headers(c);
    if (c->fail.retry_after_s > 0)
        http_add_header(c->x, "Retry-After", str_from(arena_printf(c->arena, "%d", c->fail.retry_after_s)));
    if (c->fail.is_plain) {
        http_answer(c->x, c->fail.code, "text/plain; charset=utf-8", str_from(c->fail.message));
        return;
    }
    struct json_writer *w = jw_new(ANSWER_CEILING_BYTES);
    fail_write(&c->fail, w);
    http_answer_json(c->x, c->fail.code, w);
}

void call_answer_json(struct call *c, int status, struct str json)
{
    add_common_headers(c);
    http_answer(c->x, status, "application/json", json);
}

void call_answer_doc(struct call *c, int status, const struct doc *d)
{
    call_answer_json(c, status, doc_json(c->arena, d));
}

bool call_wants(const struct call *c, const char *name)
{
    struct str accept = http_header(c->x, "Accept");
    struct str first;
    struct str wanted = str_from(arena_printf(c->arena, "as=%s;", name));
    /* The client's first choice counts: kubectl lists Table first and plain JSON last. */
    if (str_is_none(accept) || !str_next(&accept, ',', &first))
        return false;
    first = str_from(arena_printf(c->arena, "%.*s;", STR_ARG(first)));
    return str_find_str(first, wanted) < first.n;
}

void call_answer_object(struct call *c, int status, const struct object *o)
{
    if (!call_wants(c, "PartialObjectMetadata")) {
        if (o->kind == c->kind)
            call_answer_json(c, status, o->json);
        else
            call_answer_doc(c, status, call_view(c, o));
        return;
    }
    struct doc *d = doc_object(c->arena);
    doc_set_text(c->arena, d, "kind", "PartialObjectMetadata");
    doc_set_text(c->arena, d, "apiVersion", "meta.k8s.io/v1");
    doc_set(c->arena, d, "metadata", doc_copy(c->arena, object_meta(o)));
    call_answer_doc(c, status, d);
}

void call_answer_deleted(struct call *c, const struct object *o)
{
    struct doc *d = doc_object(c->arena);
    doc_set_text(c->arena, d, "kind", "Status");
    doc_set_text(c->arena, d, "apiVersion", "v1");
    doc_need_object(c->arena, d, "metadata");
    doc_set_text(c->arena, d, "status", "Success");
    struct doc *details = doc_need_object(c->arena, d, "details");
    doc_set_str(c->arena, details, "name", o->name);
    if (o->kind->group[0] != '\0')
        doc_set_text(c->arena, details, "group", o->kind->group);
    doc_set_text(c->arena, details, "kind", o->kind->plural);
    doc_set_str(c->arena, details, "uid", o->uid);
    call_answer_doc(c, 200, d);
}
