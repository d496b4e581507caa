// SPDX-License-Identifier: MIT
/* Looking into a parsed tree, and writing it again. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/base/json_private.h"
#include "core/base/json_write.h"

enum json_type json_type(const struct json_value *v)
{
    return v == NULL ? JSON_NULL : v->type;
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",  [JSON_BOOL] = "boolean", [JSON_NUMBER] = "number",
        [JSON_STR] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object",
    };
    return names[type];
}

static const struct json_value *find(const struct json_value *v, struct str key)
{
    if (json_type(v) != JSON_OBJECT)
        return NULL;
    for (const struct json_value *m = v->first; m != NULL; m = m->next) {
        if (str_eq(m->key, key))
            return m;
    }
    return NULL;
}

const struct json_value *json_find(const struct json_value *v, const char *key)
{
    return find(v, str_from(key));
}

const struct json_value *json_at(const struct json_value *v, ...)
{
    va_list keys;
    va_start(keys, v);
    for (const char *key = va_arg(keys, const char *); key != NULL; key = va_arg(keys, const char *))
        v = json_find(v, key);
    va_end(keys);
    return v;
}

size_t json_count(const struct json_value *v)
{
    return v == NULL ? 0 : v->count;
}

const struct json_value *json_first(const struct json_value *v)
{
    return v == NULL ? NULL : v->first;
}

const struct json_value *json_next(const struct json_value *v)
{
    return v == NULL ? NULL : v->next;
}

struct str json_key(const struct json_value *v)
{
    return v == NULL ? STR_NONE : v->key;
}

struct str json_str(const struct json_value *v)
{
    return json_type(v) == JSON_STR ? v->text : STR_NONE;
}

/* The grammar was checked by the parser: what has only digits after an optional "-" is an integer. */
static bool to_int(const struct json_value *v, int64_t *ret)
{
    if (json_type(v) != JSON_NUMBER)
        return false;
    bool is_negative = v->text.p[0] == '-';
    uint64_t max = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t size = 0;
    if (!str_parse_u64(str_slice(v->text, is_negative ? 1 : 0, v->text.n), max, &size))
        return false;
    if (is_negative)
        *ret = size > INT64_MAX ? INT64_MIN : -(int64_t)size;
    else
        *ret = (int64_t)size;
    return true;
}

int64_t json_int(const struct json_value *v, int64_t otherwise)
{
    int64_t value = otherwise;
    return to_int(v, &value) ? value : otherwise;
}

bool json_is_int(const struct json_value *v)
{
    int64_t value = 0;
    return to_int(v, &value);
}

double json_double(const struct json_value *v, double otherwise)
{
    if (json_type(v) != JSON_NUMBER)
        return otherwise;
    double value = strtod(v->text.p, NULL); /* the arena's copy ends with a NUL */
    return isfinite(value) ? value : otherwise;
}

bool json_bool(const struct json_value *v, bool otherwise)
{
    return json_type(v) == JSON_BOOL ? v->boolean : otherwise;
}

/* ---- writing ---- */

static void write_scalar(const struct json_value *v, struct json_writer *w)
{
    enum json_type type = json_type(v);
    if (type == JSON_STR)
        jw_str(w, v->text);
    else if (type == JSON_NUMBER)
        jw_raw(w, v->text);
    else if (type == JSON_BOOL)
        jw_bool(w, v->boolean);
    else
        jw_null(w);
}

static bool is_container(const struct json_value *v)
{
    return json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY;
}

static void write_end(const struct json_value *v, struct json_writer *w)
{
    if (v->type == JSON_OBJECT)
        jw_object_end(w);
    else
        jw_array_end(w);
}

void json_copy_to(const struct json_value *v, struct json_writer *w)
{
    const struct json_value *open[JSON_MAX_DEPTH]; /* the parser's depth ceiling */
    size_t depth = 0;
    const struct json_value *root = v;
    for (;;) {
        if (depth > 0 && v != NULL && v->key.p != NULL)
            jw_key_str(w, v->key);
        if (is_container(v)) {
            if (v->type == JSON_OBJECT)
                jw_object(w);
            else
                jw_array(w);
            open[depth++] = v;
            v = v->first;
        } else {
            write_scalar(v, w);
            v = v == root ? NULL : v->next;
        }
        while (v == NULL && depth > 0) {
            const struct json_value *done = open[--depth];
            write_end(done, w);
            v = done == root ? NULL : done->next;
        }
        if (v == NULL)
            return;
    }
}
