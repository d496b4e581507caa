// SPDX-License-Identifier: MIT
/* Reading request bodies: media types, JSON, and whether the object is of the kind, version, namespace and name the
 * path says. */
#include "devcluster/api/call.h"

enum { BODY_DEPTH_MAX = 64 };

static const struct json_limits BODY_LIMITS = {
    .max_bytes = API_BODY_CEILING_BYTES, .max_depth = BODY_DEPTH_MAX, .max_nodes = 200000, .skip_key = NULL};

bool body_is(const struct call *c, const char *media_type)
{
    return str_is_media_type(http_header(c->x, "Content-Type"), str_from(media_type));
}

bool body_is_json(struct call *c)
{
    struct str type = http_header(c->x, "Content-Type");
    if (str_is_none(type) || type.n == 0 || body_is(c, "application/json"))
        return true;
    return fail_set(&c->fail, 415, "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types include: "
                    "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

bool body_json(struct call *c, struct arena *a, struct doc **ret)
{
    struct err err;
    struct str body = http_body(c->x);
    const struct json_value *v = json_parse(c->arena, body, &BODY_LIMITS, &err);
    if (v == NULL) {
        const char *expected = c->kind == NULL ? "an object" : c->kind->name;
        return FAIL(&c->fail, 400, "BadRequest",
                    "the object provided is unrecognized (must be of type %s): couldn't get version/kind; json parse "
                    "error: %s (%.*s ...)",
                    expected, err.msg, STR_ARG(str_slice(body, 0, 30)));
    }
    *ret = doc_from_json(a, v);
    return true;
}

static bool check_kind(struct call *c, struct arena *a, struct doc *root)
{
    const char *version = kind_api_version(c->arena, c->kind);
    struct str kind = doc_get(root, "kind");
    struct str given = doc_get(root, "apiVersion");
    bool is_other_kind = kind.n > 0 && !str_eq_text(kind, c->kind->name);
    bool is_other_version = given.n > 0 && !str_eq_text(given, version);
    struct str short_version = given;
    size_t slash = str_find(given, '/', 0);
    if (slash < given.n)
        short_version = str_slice(given, slash + 1, given.n);
    if (is_other_kind || (is_other_version && (c->kind->flags & IS_CUSTOM) == 0))
        return FAIL(&c->fail, 400, "BadRequest",
                    "%.*s in version \"%.*s\" cannot be handled as a %s: converting (%.*s.%.*s) to (%s.%s): unknown "
                    "conversion",
                    STR_ARG(kind), STR_ARG(short_version), c->kind->name, STR_ARG(short_version), STR_ARG(kind),
                    c->kind->group, c->kind->name);
    if (is_other_version)
        return FAIL(&c->fail, 400, "BadRequest",
                    "the API version in the data (%.*s) does not match the expected API version (%s)", STR_ARG(given),
                    version);
    doc_set_text(a, root, "kind", c->kind->name);
    doc_set_text(a, root, "apiVersion", version);
    return true;
}

/* A whole object that cannot be decoded is 400; what a patch made undecodable is 422 with the cause "patch". */
static bool cannot_decode(struct call *c, const char *why)
{
    bool is_whole = http_method(c->x) != HTTP_PATCH || body_is(c, "application/apply-patch+yaml");
    if (is_whole)
        return FAIL(&c->fail, 400, "BadRequest", "%s in version \"%s\" cannot be handled as a %s: %s", c->kind->name,
                    c->kind->version, c->kind->name, why);
    fail_cause(&c->fail, "FieldValueInvalid", "patch", why);
    return fail_invalid(&c->fail, "", "", STR(""));
}

static bool wrong_type(struct call *c, const struct doc *value, const char *path, const char *go_type)
{
    return cannot_decode(c, arena_printf(c->arena, "json: cannot unmarshal %s into Go struct field %s of type %s",
                                         json_type_name(value->type), path, go_type));
}

static bool check_map(struct call *c, const struct doc *map, const char *path)
{
    if (doc_type(map) == JSON_NULL)
        return true;
    if (map->type != JSON_OBJECT)
        return wrong_type(c, map, path, "map[string]string");
    for (const struct doc *m = map->first; m != NULL; m = m->next)
        if (m->type != JSON_STR && m->type != JSON_NULL)
            return wrong_type(c, m, path, "string");
    return true;
}

/* The few fields whose Go type a client may get wrong; the message is the Go decoder's. */
bool body_types(struct call *c, const struct doc *root)
{
    static const struct {
        const char *section;
        const char *field;
        enum json_type type;
        const char *path;
        const char *go_type;
    } rows[] = {
        {"spec",     "replicas",                JSON_NUMBER, "Spec.spec.replicas",                "int32" },
        {"spec",     "revisionHistoryLimit",    JSON_NUMBER, "Spec.spec.revisionHistoryLimit",    "int32" },
        {"spec",     "progressDeadlineSeconds", JSON_NUMBER, "Spec.spec.progressDeadlineSeconds", "int32" },
        {"metadata", "name",                    JSON_STR,    "ObjectMeta.metadata.name",          "string"},
        {"metadata", "namespace",               JSON_STR,    "ObjectMeta.metadata.namespace",     "string"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct doc *value = doc_at(root, rows[i].section, rows[i].field, NULL);
        bool is_spec = rows[i].path[0] == 'S';
        if (value != NULL && value->type != JSON_NULL && value->type != rows[i].type)
            return wrong_type(c, value, arena_printf(c->arena, "%s%s", is_spec ? c->kind->name : "", rows[i].path),
                              rows[i].go_type);
    }
    if (!doc_fits(root, BODY_DEPTH_MAX))
        return cannot_decode(c, "the object nests too deep");
    const struct doc *meta = doc_find(root, "metadata");
    bool has_data = c->kind->id == KIND_SECRET || c->kind->id == KIND_CONFIGMAP;
    return check_map(c, doc_find(meta, "labels"), "ObjectMeta.metadata.labels") &&
           check_map(c, doc_find(meta, "annotations"), "ObjectMeta.metadata.annotations") &&
           (!has_data || (check_map(c, doc_find(root, "data"), arena_printf(c->arena, "%s.data", c->kind->name)) &&
                          check_map(c, doc_find(root, "stringData"), "Secret.stringData")));
}

bool body_object(struct call *c, struct arena *a, struct doc **ret)
{
    struct doc *root = NULL;
    if (http_method(c->x) != HTTP_PATCH && !body_is_json(c))
        return false;
    if (!body_json(c, a, &root))
        return false;
    if (doc_type(root) != JSON_OBJECT)
        return call_bad_request(c, "the object provided is not a JSON object");
    if (!check_kind(c, a, root) || !body_types(c, root))
        return false;
    struct doc *meta = doc_need_object(a, root, "metadata");
    struct str ns = doc_get(meta, "namespace");
    if ((c->kind->flags & IS_NAMESPACED) == 0)
        doc_remove(meta, "namespace");
    else if (ns.n > 0 && !str_eq(ns, c->ns))
        return call_bad_request(c, "the namespace of the provided object does not match the namespace sent on the "
                                   "request");
    else
        doc_set_str(a, meta, "namespace", c->ns);
    struct str name = doc_get(meta, "name");
    if (!str_is_none(c->name) && name.n > 0 && !str_eq(name, c->name))
        return FAIL(&c->fail, 400, "BadRequest",
                    "the name of the object (%.*s) does not match the name on the URL (%.*s)", STR_ARG(name),
                    STR_ARG(c->name));
    if (!str_is_none(c->name))
        doc_set_str(a, meta, "name", c->name);
    *ret = root;
    return true;
}
