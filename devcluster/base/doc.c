// SPDX-License-Identifier: MIT
/* The changeable JSON tree. Recursion is bounded by the parser's depth ceiling (64). */
#include "devcluster/base/doc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { DOC_JSON_CEILING_BYTES = 64 << 20 };

static struct doc *node_new(struct arena *a, enum json_type type)
{
    struct doc *d = arena_alloc(a, sizeof(*d));
    d->type = type;
    return d;
}

struct doc *doc_object(struct arena *a)
{
    return node_new(a, JSON_OBJECT);
}

struct doc *doc_array(struct arena *a)
{
    return node_new(a, JSON_ARRAY);
}

struct doc *doc_str(struct arena *a, struct str text)
{
    struct doc *d = node_new(a, JSON_STR);
    d->text = text.p == NULL ? STR("") : arena_dup_str(a, text);
    return d;
}

struct doc *doc_text(struct arena *a, const char *text)
{
    return doc_str(a, str_from(text));
}

struct doc *doc_int(struct arena *a, int64_t value)
{
    struct doc *d = node_new(a, JSON_NUMBER);
    d->integer = value;
    return d;
}

static struct doc *doc_bool(struct arena *a, bool value)
{
    struct doc *d = node_new(a, JSON_BOOL);
    d->boolean = value;
    return d;
}

struct doc *doc_null(struct arena *a)
{
    return node_new(a, JSON_NULL);
}

static void link_last(struct doc *parent, struct doc *child)
{
    child->next = NULL;
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

struct doc *doc_from_json(struct arena *a, const struct json_value *v)
{
    struct doc *d = node_new(a, json_type(v));
    switch (d->type) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        d->boolean = json_bool(v, false);
        break;
    case JSON_NUMBER:
        d->is_real = !json_is_int(v);
        d->integer = json_int(v, 0);
        d->real = json_double(v, 0);
        break;
    case JSON_STR:
        d->text = arena_dup_str(a, json_str(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        for (const struct json_value *c = json_first(v); c != NULL; c = json_next(c)) {
            struct doc *child = doc_from_json(a, c);
            if (d->type == JSON_OBJECT)
                child->key = arena_dup_str(a, json_key(c));
            link_last(d, child);
        }
        break;
    }
    return d;
}

struct doc *doc_copy(struct arena *a, const struct doc *d)
{
    if (d == NULL)
        return doc_null(a);
    struct doc *copy = node_new(a, d->type);
    copy->boolean = d->boolean;
    copy->is_real = d->is_real;
    if (d->type == JSON_STR) {
        copy->text = arena_dup_str(a, d->text);
    } else {
        copy->integer = d->integer;
        copy->real = d->real;
    }
    for (const struct doc *c = d->first; c != NULL; c = c->next) {
        struct doc *child = doc_copy(a, c);
        if (d->type == JSON_OBJECT)
            child->key = arena_dup_str(a, c->key);
        link_last(copy, child);
    }
    return copy;
}

enum json_type doc_type(const struct doc *d)
{
    return d == NULL ? JSON_NULL : d->type;
}

const struct doc *doc_find_str(const struct doc *object, struct str key)
{
    if (doc_type(object) != JSON_OBJECT)
        return NULL;
    for (const struct doc *c = object->first; c != NULL; c = c->next)
        if (str_eq(c->key, key))
            return c;
    return NULL;
}

const struct doc *doc_find(const struct doc *object, const char *key)
{
    return doc_find_str(object, str_from(key));
}

const struct doc *doc_at(const struct doc *d, ...)
{
    va_list keys;
    va_start(keys, d);
    for (const char *key = va_arg(keys, const char *); key != NULL && d != NULL; key = va_arg(keys, const char *))
        d = doc_find(d, key);
    va_end(keys);
    return d;
}

struct str doc_as_str(const struct doc *d)
{
    return doc_type(d) == JSON_STR ? d->text : STR_NONE;
}

int64_t doc_as_int(const struct doc *d, int64_t otherwise)
{
    return doc_type(d) == JSON_NUMBER && !d->is_real ? d->integer : otherwise;
}

bool doc_as_bool(const struct doc *d, bool otherwise)
{
    return doc_type(d) == JSON_BOOL ? d->boolean : otherwise;
}

struct str doc_get(const struct doc *object, const char *key)
{
    return doc_as_str(doc_find(object, key));
}

size_t doc_count(const struct doc *d)
{
    size_t n = 0;
    for (const struct doc *c = d == NULL ? NULL : d->first; c != NULL; c = c->next)
        n++;
    return n;
}

static bool equal_children(const struct doc *a, const struct doc *b)
{
    if (doc_count(a) != doc_count(b))
        return false;
    const struct doc *same = b->first;
    for (const struct doc *c = a->first; c != NULL; c = c->next) {
        const struct doc *other = same;
        if (a->type == JSON_OBJECT && !str_eq(same->key, c->key))
            other = doc_find_str(b, c->key);
        if (other == NULL || !doc_equal(c, other))
            return false;
        same = same->next;
    }
    return true;
}

bool doc_equal(const struct doc *a, const struct doc *b)
{
    if (doc_type(a) != doc_type(b))
        return false;
    switch (doc_type(a)) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_NUMBER:
        return a->is_real == b->is_real &&
               (a->is_real ? !(a->real < b->real || a->real > b->real) : a->integer == b->integer);
    case JSON_STR:
        return str_eq(a->text, b->text);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return equal_children(a, b);
    }
    return false;
}

static void doc_write(const struct doc *d, struct json_writer *w)
{
    switch (doc_type(d)) {
    case JSON_NULL:
        jw_null(w);
        return;
    case JSON_BOOL:
        jw_bool(w, d->boolean);
        return;
    case JSON_NUMBER:
        if (d->is_real)
            jw_double(w, d->real);
        else
            jw_int(w, d->integer);
        return;
    case JSON_STR:
        jw_str(w, d->text);
        return;
    case JSON_ARRAY:
        jw_array(w);
        for (const struct doc *c = d->first; c != NULL; c = c->next)
            doc_write(c, w);
        jw_array_end(w);
        return;
    case JSON_OBJECT:
        jw_object(w);
        for (const struct doc *c = d->first; c != NULL; c = c->next) {
            jw_key_str(w, c->key);
            doc_write(c, w);
        }
        jw_object_end(w);
        return;
    }
}

bool doc_fits(const struct doc *d, unsigned depth)
{
    if (doc_type(d) != JSON_OBJECT && doc_type(d) != JSON_ARRAY)
        return true;
    if (depth == 0)
        return false;
    for (const struct doc *c = d->first; c != NULL; c = c->next)
        if (!doc_fits(c, depth - 1))
            return false;
    return true;
}

struct str doc_json(struct arena *a, const struct doc *d)
{
    struct json_writer *w = jw_new(DOC_JSON_CEILING_BYTES);
    doc_write(d, w);
    struct str json;
    struct str copy = STR("null");
    if (jw_finish(w, &json, NULL))
        copy = arena_dup_str(a, json);
    jw_free(w);
    return copy;
}

struct doc *doc_edit(struct doc *object, const char *key)
{
    if (doc_type(object) != JSON_OBJECT)
        return NULL;
    struct str wanted = str_from(key);
    for (struct doc *c = object->first; c != NULL; c = c->next)
        if (str_eq(c->key, wanted))
            return c;
    return NULL;
}

void doc_replace_child(struct doc *parent, const struct doc *old, struct doc *value)
{
    struct doc **at = &parent->first;
    while (*at != NULL && *at != old)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    value->key = old->key;
    value->next = old->next;
    *at = value;
    if (parent->last == old)
        parent->last = value;
}

struct doc *doc_set_str_key(struct arena *a, struct doc *object, struct str key, struct doc *value)
{
    const struct doc *old = doc_find_str(object, key);
    if (old == value)
        return value;
    if (old != NULL) {
        doc_replace_child(object, old, value);
        return value;
    }
    value->key = arena_dup_str(a, key);
    link_last(object, value);
    return value;
}

struct doc *doc_set(struct arena *a, struct doc *object, const char *key, struct doc *value)
{
    return doc_set_str_key(a, object, str_from(key), value);
}

void doc_set_str(struct arena *a, struct doc *object, const char *key, struct str value)
{
    doc_set(a, object, key, doc_str(a, value));
}

void doc_set_text(struct arena *a, struct doc *object, const char *key, const char *value)
{
    doc_set(a, object, key, doc_text(a, value));
}

void doc_set_int(struct arena *a, struct doc *object, const char *key, int64_t value)
{
    doc_set(a, object, key, doc_int(a, value));
}

void doc_set_bool(struct arena *a, struct doc *object, const char *key, bool value)
{
    doc_set(a, object, key, doc_bool(a, value));
}

static struct doc *need(struct arena *a, struct doc *object, const char *key, enum json_type type)
{
    struct doc *there = doc_edit(object, key);
    if (doc_type(there) == type)
        return there;
    return doc_set(a, object, key, node_new(a, type));
}

struct doc *doc_need_object(struct arena *a, struct doc *object, const char *key)
{
    return need(a, object, key, JSON_OBJECT);
}

struct doc *doc_need_array(struct arena *a, struct doc *object, const char *key)
{
    return need(a, object, key, JSON_ARRAY);
}

struct doc *doc_append(struct doc *array, struct doc *value)
{
    link_last(array, value);
    return value;
}

bool doc_remove_child(struct doc *parent, const struct doc *child)
{
    struct doc *before = NULL;
    for (struct doc *c = parent == NULL ? NULL : parent->first; c != NULL; before = c, c = c->next) {
        if (c != child)
            continue;
        if (before != NULL)
            before->next = c->next;
        else
            parent->first = c->next;
        if (parent->last == c)
            parent->last = before;
        return true;
    }
    return false;
}

bool doc_remove_str(struct doc *object, struct str key)
{
    const struct doc *child = doc_find_str(object, key);
    return child != NULL && doc_remove_child(object, child);
}

bool doc_remove(struct doc *object, const char *key)
{
    return doc_remove_str(object, str_from(key));
}

void doc_insert(struct doc *array, size_t index, struct doc *value)
{
    struct doc **at = &array->first;
    for (size_t i = 0; i < index && *at != NULL; i++)
        at = &(*at)->next;
    value->next = *at;
    *at = value;
    if (value->next == NULL)
        array->last = value;
}

static int by_key(const void *left, const void *right)
{
    const struct doc *a = *(struct doc *const *)left;
    const struct doc *b = *(struct doc *const *)right;
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
    int order = n == 0 ? 0 : memcmp(a->key.p, b->key.p, n);
    if (order != 0)
        return order;
    return (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

void doc_sort(struct arena *a, struct doc *object, bool is_deep)
{
    if (object == NULL)
        return;
    if (is_deep)
        for (struct doc *c = object->first; c != NULL; c = c->next)
            doc_sort(a, c, true);
    size_t n = doc_count(object);
    if (object->type != JSON_OBJECT || n < 2)
        return;
    struct doc **all = arena_alloc(a, n * sizeof(struct doc *));
    size_t i = 0;
    for (struct doc *c = object->first; c != NULL; c = c->next)
        all[i++] = c;
    qsort(all, n, sizeof(struct doc *), by_key);
    object->first = object->last = NULL;
    for (i = 0; i < n; i++)
        link_last(object, all[i]);
}
