// SPDX-License-Identifier: MIT
/* Builds Status bodies; who refuses and why is decided elsewhere. */
#include "devcluster/base/fail.h"

#include "core/base/buf.h"

enum { FAIL_MESSAGE_CEILING_BYTES = 256 << 10 };

void fail_init(struct fail *f, struct arena *a)
{
    *f = (struct fail){.arena = a};
}

bool fail_set(struct fail *f, int code, const char *reason, const char *message)
{
    f->code = code;
    f->reason = reason;
    f->message = message;
    return false;
}

bool fail_details(struct fail *f, const char *group, const char *kind, struct str name)
{
    f->has_details = true;
    f->group = group;
    f->kind = kind;
    f->name = name.n > 0 ? arena_dup(f->arena, name) : NULL;
    return false;
}

void fail_cause(struct fail *f, const char *reason, const char *field, const char *message)
{
    for (size_t i = 0; i < f->causes_n; i++)
        if (str_eq_text(str_from(field), f->causes[i].field) && str_eq_text(str_from(message), f->causes[i].message))
            return;
    if (f->causes_n == FAIL_CAUSES_MAX)
        return;
    struct fail_cause *cause = &f->causes[f->causes_n++];
    cause->reason = reason;
    cause->field = arena_dup(f->arena, str_from(field));
    cause->message = message;
}

void fail_value(struct fail *f, const char *field, struct str value, const char *why)
{
    fail_cause(f, "FieldValueInvalid", field,
               arena_printf(f->arena, "Invalid value: \"%.*s\": %s", STR_ARG(value), why));
}

void fail_required(struct fail *f, const char *field, const char *why)
{
    fail_cause(f, "FieldValueRequired", field,
               why == NULL ? "Required value" : arena_printf(f->arena, "Required value: %s", why));
}

bool fail_has_causes(const struct fail *f)
{
    return f->causes_n > 0;
}

bool fail_invalid(struct fail *f, const char *group, const char *kind_name, struct str name)
{
    struct buf text;
    buf_init(&text, FAIL_MESSAGE_CEILING_BYTES);
    buf_add_text(&text, kind_name);
    if (group[0] != '\0')
        buf_addf(&text, ".%s", group);
    buf_addf(&text, " \"%.*s\" is invalid: %s", STR_ARG(name), f->causes_n > 1 ? "[" : "");
    for (size_t i = 0; i < f->causes_n; i++)
        buf_addf(&text, "%s%s: %s", i > 0 ? ", " : "", f->causes[i].field, f->causes[i].message);
    if (f->causes_n > 1)
        buf_add_byte(&text, ']');
    fail_set(f, 422, "Invalid", arena_dup(f->arena, buf_str(&text)));
    buf_fini(&text);
    return fail_details(f, group, kind_name, name);
}

static void write_causes(const struct fail *f, struct json_writer *w)
{
    if (f->causes_n == 0)
        return;
    jw_key(w, "causes");
    jw_array(w);
    for (size_t i = 0; i < f->causes_n; i++) {
        jw_object(w);
        if (f->causes[i].reason != NULL)
            jw_kv_text(w, "reason", f->causes[i].reason);
        jw_kv_text(w, "message", f->causes[i].message);
        if (f->causes[i].field[0] != '\0')
            jw_kv_text(w, "field", f->causes[i].field);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_details(const struct fail *f, struct json_writer *w)
{
    jw_key(w, "details");
    jw_object(w);
    if (f->name != NULL)
        jw_kv_text(w, "name", f->name);
    if (f->group != NULL && f->group[0] != '\0')
        jw_kv_text(w, "group", f->group);
    if (f->kind != NULL && f->kind[0] != '\0')
        jw_kv_text(w, "kind", f->kind);
    write_causes(f, w);
    if (f->retry_after_s > 0)
        jw_kv_int(w, "retryAfterSeconds", f->retry_after_s);
    jw_object_end(w);
}

void fail_write(const struct fail *f, struct json_writer *w)
{
    jw_object(w);
    jw_kv_text(w, "kind", "Status");
    jw_kv_text(w, "apiVersion", "v1");
    jw_key(w, "metadata");
    jw_object(w);
    if (f->continue_token != NULL)
        jw_kv_text(w, "continue", f->continue_token);
    jw_object_end(w);
    jw_kv_text(w, "status", "Failure");
    jw_kv_text(w, "message", f->message);
    if (f->reason != NULL)
        jw_kv_text(w, "reason", f->reason);
    if (f->has_details || f->causes_n > 0)
        write_details(f, w);
    jw_kv_int(w, "code", f->code);
    jw_object_end(w);
}
