// SPDX-License-Identifier: MIT
/* A small JSON tree that can be changed: the shape in which the embedded cluster edits objects (patches, defaults,
 * status). Nodes live in one arena and die with it; there is no parent pointer and nothing is shared between trees. A
 * tree that is published as a version of an object is only handed out const. Reading bytes is json_read's business. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/str.h"

struct doc {
    enum json_type type;
    bool boolean;   /* JSON_BOOL */
    bool is_real;   /* JSON_NUMBER with a fraction or exponent */
    struct str key; /* under which it stands in its object */
    union {
        struct str text; /* JSON_STR */
        struct {
            int64_t integer; /* JSON_NUMBER */
            double real;     /* JSON_NUMBER when is_real */
        };
    };
    struct doc *first; /* children of JSON_OBJECT and JSON_ARRAY, in order; NULL for all others */
    struct doc *last;
    struct doc *next;
};

/* ---- making ---- */

struct doc *doc_object(struct arena *a);
struct doc *doc_array(struct arena *a);
struct doc *doc_str(struct arena *a, struct str text); /* copies */
struct doc *doc_text(struct arena *a, const char *text);
struct doc *doc_int(struct arena *a, int64_t value);
struct doc *doc_null(struct arena *a);
/* Deep copies into `a`; the source may go afterwards. */
struct doc *doc_from_json(struct arena *a, const struct json_value *v);
struct doc *doc_copy(struct arena *a, const struct doc *d);

/* ---- reading; NULL is allowed everywhere and reads as an absent value ---- */

enum json_type doc_type(const struct doc *d); /* JSON_NULL for NULL */
const struct doc *doc_find(const struct doc *object, const char *key);
const struct doc *doc_find_str(const struct doc *object, struct str key);
/* Follows keys through nested objects; the list ends with NULL. */
const struct doc *doc_at(const struct doc *d, ...) __attribute__((sentinel));
struct str doc_as_str(const struct doc *d); /* STR_NONE when not a text */
int64_t doc_as_int(const struct doc *d, int64_t otherwise);
bool doc_as_bool(const struct doc *d, bool otherwise);
/* doc_as_str(doc_find(...)). */
struct str doc_get(const struct doc *object, const char *key);
size_t doc_count(const struct doc *d);
/* The same value; the order of an object's members does not matter. NULL equals null. */
bool doc_equal(const struct doc *a, const struct doc *b);
/* Are there at most `depth` objects and arrays inside each other? */
bool doc_fits(const struct doc *d, unsigned depth);
/* The tree as JSON text, in the arena. */
struct str doc_json(struct arena *a, const struct doc *d);

/* ---- changing ---- */

struct doc *doc_edit(struct doc *object, const char *key);
/* Puts value under key (the key is copied), in the place of an older one or at the end. Returns value. */
struct doc *doc_set(struct arena *a, struct doc *object, const char *key, struct doc *value);
struct doc *doc_set_str_key(struct arena *a, struct doc *object, struct str key, struct doc *value);
void doc_set_str(struct arena *a, struct doc *object, const char *key, struct str value);
void doc_set_text(struct arena *a, struct doc *object, const char *key, const char *value);
void doc_set_int(struct arena *a, struct doc *object, const char *key, int64_t value);
void doc_set_bool(struct arena *a, struct doc *object, const char *key, bool value);
/* The object (or array) under key, made when it is missing or of another type. */
struct doc *doc_need_object(struct arena *a, struct doc *object, const char *key);
struct doc *doc_need_array(struct arena *a, struct doc *object, const char *key);
struct doc *doc_append(struct doc *array, struct doc *value);
/* Takes a child out by key or by identity; false when it is not there. */
bool doc_remove(struct doc *object, const char *key);
bool doc_remove_str(struct doc *object, struct str key);
bool doc_remove_child(struct doc *parent, const struct doc *child);
/* Puts `value` where `old` stands (it takes over the key). */
void doc_replace_child(struct doc *parent, const struct doc *old, struct doc *value);
/* Before the index-th element of an array (its count: at the end). */
void doc_insert(struct doc *array, size_t index, struct doc *value);
/* Members in the order of their keys, at every level when is_deep. */
void doc_sort(struct arena *a, struct doc *object, bool is_deep);
