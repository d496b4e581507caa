// SPDX-License-Identifier: MIT
/* Fills a struct from an object by a table of fields. The messages are for the person who sent the body. */
#include <inttypes.h>
#include <stdio.h>

#include "core/base/json_private.h"

enum {
    NAMED_MAX = 64, /* bytes of a name that is told; the pointer has it whole */
    RANGE_TEXT_SIZE = 96,
};

bool json_refuse_member(struct str key, const char *what, struct err *reterr)
{
    struct json_value object = {.type = JSON_OBJECT};
    struct json_build at = {.depth = 1, .open = {&object}, .has_key = true, .key = key};
    char pointer[sizeof(reterr->field)];
    struct str named = str_slice(key, 0, NAMED_MAX);
    json_build_pointer(&at, pointer, sizeof(pointer));
    return err_set_field(reterr, ERR_INVALID, "json_bind", pointer, "%.*s %s", (int)str_utf8_prefix(named), named.p,
                         what);
}

static const struct json_field *find_field(const struct json_field *fields, size_t n_fields, struct str key)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (str_eq_text(key, fields[i].key))
            return &fields[i];
    }
    return NULL;
}

static bool refuse_range(const struct json_field *f, const char *of_what, struct err *reterr)
{
    char text[RANGE_TEXT_SIZE];
    snprintf(text, sizeof(text), "must have %s from %" PRId64 " to %" PRId64, of_what, f->min, f->max);
    return json_refuse_member(str_from(f->key), text, reterr);
}

/* min and max both 0: no limits beyond the body's. */
static bool is_in_range(const struct json_field *f, int64_t n)
{
    return (f->min == 0 && f->max == 0) || (n >= f->min && n <= f->max);
}

static bool bind_number(const struct json_value *v, const struct json_field *f, int64_t *ret, struct err *reterr)
{
    if (!json_is_int(v))
        return json_refuse_member(v->key, "must be a whole number", reterr);
    int64_t value = json_int(v, 0);
    if (!is_in_range(f, value))
        return refuse_range(f, "a value", reterr);
    *ret = value;
    return true;
}

static bool bind_str(const struct json_value *v, const struct json_field *f, struct str *ret, struct err *reterr)
{
    if (!is_in_range(f, (int64_t)v->text.n))
        return refuse_range(f, "a length in bytes", reterr);
    *ret = v->text;
    return true;
}

static bool bind_container(const struct json_value *v, const struct json_field *f, const struct json_value **ret,
                           struct err *reterr)
{
    if (!is_in_range(f, (int64_t)v->count))
        return refuse_range(f, "a number of members", reterr);
    *ret = v;
    return true;
}

static bool refuse_type(const struct json_field *f, struct err *reterr)
{
    static const char *const texts[] = {
        [JSON_NULL] = "must be null",    [JSON_BOOL] = "must be true or false", [JSON_NUMBER] = "must be a number",
        [JSON_STR] = "must be a string", [JSON_ARRAY] = "must be an array",     [JSON_OBJECT] = "must be an object",
    };
    return json_refuse_member(str_from(f->key), texts[f->type], reterr);
}

static bool bind_field(const struct json_value *v, const struct json_field *f, void *ret_struct, struct err *reterr)
{
    void *member = (char *)ret_struct + f->offset;
    if (v->type != f->type)
        return refuse_type(f, reterr);
    switch (f->type) {
    case JSON_BOOL:
        *(bool *)member = v->boolean;
        return true;
    case JSON_NUMBER:
        return bind_number(v, f, member, reterr);
    case JSON_STR:
        return bind_str(v, f, member, reterr);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return bind_container(v, f, member, reterr);
    case JSON_NULL:
        break;
    }
    return err_set(reterr, ERR_BUG, __func__, "a field table has a row of type null");
}

bool json_bind(const struct json_value *v, const struct json_field *fields, size_t n_fields, void *ret_struct,
               struct err *reterr)
{
    if (json_type(v) != JSON_OBJECT)
        return err_set(reterr, ERR_INVALID, __func__, "must be a JSON object");
    for (const struct json_value *m = v->first; m != NULL; m = m->next) {
        const struct json_field *f = find_field(fields, n_fields, m->key);
        if (f == NULL)
            return json_refuse_member(m->key, "is not a known field", reterr);
        if (!bind_field(m, f, ret_struct, reterr))
            return false;
    }
    for (size_t i = 0; i < n_fields; i++) {
        if (fields[i].presence == JSON_REQUIRED && json_find(v, fields[i].key) == NULL)
            return json_refuse_member(str_from(fields[i].key), "is missing", reterr);
    }
    return true;
}
