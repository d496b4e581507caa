// SPDX-License-Identifier: MIT
/* Pairs apart at '&', a name from its value at the first '=', '+' for a blank, then escapes. The standard lets a
 * browser repair what is malformed; a server that is asked to change something does not. */
#include "core/base/form.h"

#include "core/base/codec.h"
#include "core/base/json_read.h"

enum { FIELDS_MAX = 32 };

static bool decode(struct arena *a, struct str text, struct str *ret)
{
    char *bytes = arena_dup(a, text);
    for (size_t i = 0; i < text.n; i++) {
        if (bytes[i] == '+')
            bytes[i] = ' ';
    }
    return codec_percent_decode(a, (struct str){bytes, text.n}, ret, NULL) && str_is_utf8(*ret);
}

static size_t index_of(const struct form_field *fields, size_t n_fields, struct str name)
{
    size_t i = 0;
    while (i < n_fields && !str_eq_text(name, fields[i].name))
        i++;
    return i;
}

static bool bind_value(struct arena *a, struct str text, const struct form_field *field, void *ret_struct,
                       struct err *reterr)
{
    struct str value;
    if (!decode(a, text, &value))
        return json_refuse_member(str_from(field->name), "must be percent-encoded UTF-8 without NUL", reterr);
    if (value.n > field->max_bytes)
        return json_refuse_member(str_from(field->name),
                                  arena_printf(a, "must have at most %zu bytes", field->max_bytes), reterr);
    *(struct str *)((char *)ret_struct + field->offset) = value;
    return true;
}

bool form_bind(struct arena *a, struct str body, const struct form_field *fields, size_t n_fields, void *ret_struct,
               struct err *reterr)
{
    bool has_come[FIELDS_MAX] = {false};
    struct str rest = body;
    struct str pair;
    if (n_fields > FIELDS_MAX)
        return err_set(reterr, ERR_BUG, __func__, "a form has more fields than %d", FIELDS_MAX);
    while (str_next(&rest, '&', &pair)) {
        size_t equals = str_find(pair, '=', 0);
        struct str name;
        if (pair.n == 0)
            continue;
        if (!decode(a, str_slice(pair, 0, equals), &name))
            return err_set(reterr, ERR_INVALID, __func__, "a field's name must be percent-encoded UTF-8 without NUL");
        size_t i = index_of(fields, n_fields, name);
        if (i == n_fields)
            return json_refuse_member(name, "is not a known field", reterr);
        if (has_come[i])
            return json_refuse_member(name, "is there twice", reterr);
        has_come[i] = true;
        if (!bind_value(a, str_slice(pair, equals + 1, pair.n), &fields[i], ret_struct, reterr))
            return false;
    }
    return true;
}
