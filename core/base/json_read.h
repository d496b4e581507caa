// SPDX-License-Identifier: MIT
/* JSON is read only through this: yajl's SAX parser feeding a small tree, with ceilings on size, depth and nodes.
 * Duplicate keys, NUL characters in texts, invalid UTF-8, trailing bytes and (for json_parse) anything that is not one
 * value are refused. Strings keep their length. Freeing never recurses: nodes live in an arena. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STR, JSON_ARRAY, JSON_OBJECT };

struct json_value; /* opaque; lives in the arena it was parsed into */

struct json_limits {
    size_t max_bytes;     /* of the whole text (json_parse) or of one item (json_stream) */
    unsigned max_depth;   /* nested arrays and objects; at most 64 */
    size_t max_nodes;     /* values in the tree */
    const char *skip_key; /* an object key whose value is checked but not stored, such as "managedFields"; NULL: none.
                           * Its values do not count for max_nodes, and its keys may repeat. */
};

/* Bodies of our own API: 64 levels, 20,000 values. */
extern const struct json_limits JSON_LIMITS_BODY;
/* Answers of the Kubernetes API: 16 MiB, managedFields skipped. */
extern const struct json_limits JSON_LIMITS_KUBE;

/* NULL on failure with INVALID or TOO_LARGE; the message tells line and column, err.field a JSON pointer when known. */
MUST_CHECK const struct json_value *json_parse(struct arena *a, struct str bytes, const struct json_limits *limits,
                                               struct err *reterr);

/* A NULL value has type JSON_NULL, so chains of finds need no checks between. */
enum json_type json_type(const struct json_value *v);
const char *json_type_name(enum json_type type);

/* The member of an object or NULL (also when v is NULL or not an object). */
const struct json_value *json_find(const struct json_value *v, const char *key);
/* Follows keys through nested objects; the list ends with NULL: json_at(v, "metadata", "labels", "app", NULL). */
const struct json_value *json_at(const struct json_value *v, ...) __attribute__((sentinel));

/* Members of an object or elements of an array; 0 for anything else. Walk with json_first / json_next. */
size_t json_count(const struct json_value *v);
const struct json_value *json_first(const struct json_value *v);
const struct json_value *json_next(const struct json_value *v);
/* The key under which v stands in its object; absent for array elements and the root. */
struct str json_key(const struct json_value *v);

/* The text, or STR_NONE when v is not a string. */
struct str json_str(const struct json_value *v);
/* An integer within int64 (written without fraction or exponent), or `otherwise`. */
int64_t json_int(const struct json_value *v, int64_t otherwise);
bool json_is_int(const struct json_value *v);
double json_double(const struct json_value *v, double otherwise);
bool json_bool(const struct json_value *v, bool otherwise);

struct json_writer;
/* Writes the value as it is (numbers keep their text). */
void json_copy_to(const struct json_value *v, struct json_writer *w);

/* ---- binding a request body to a struct by a table ---- */

enum json_presence { JSON_OPTIONAL, JSON_REQUIRED };

/* One row per field. The struct's member is: struct str (JSON_STR), int64_t (JSON_NUMBER, integers only), bool
 * (JSON_BOOL), const struct json_value * (JSON_OBJECT, JSON_ARRAY). An absent optional field leaves the member alone.
 * min, max: bytes of a text, value of a number, members of an object or array; both 0: not limited. null is a wrong
 * type, not an absence. */
struct json_field {
    const char *key;
    enum json_type type;
    size_t offset;
    enum json_presence presence;
    int64_t min;
    int64_t max;
};

/* Refuses unknown keys, wrong types and sizes with INVALID, naming the field ("/name"). v must be an object.
 * Texts are borrowed from v's arena. */
MUST_CHECK bool json_bind(const struct json_value *v, const struct json_field *fields, size_t n_fields,
                          void *ret_struct, struct err *reterr);

/* For what a table cannot say: INVALID, "KEY WHAT", naming the member as json_bind does. Returns false. */
bool json_refuse_member(struct str key, const char *what, struct err *reterr);

/* ---- streams: the items of a list, or one value per watch event, in bounded memory ---- */

struct json_stream;

/* Called for each complete item. item and everything under it is valid during the call only.
 * Returning false stops the stream: json_stream_feed then fails with the error the callee set. */
typedef bool json_on_item(void *arg, const struct json_value *item, struct err *reterr);

/* array_key NULL: every top-level value is an item (a Kubernetes watch).
 * array_key "items": every element of that top-level member is an item, and the other members make up the rest (a
 * List). */
struct json_stream *json_stream_new(const char *array_key, const struct json_limits *item_limits, json_on_item *on_item,
                                    void *arg);
void json_stream_free(struct json_stream *s); /* NULL is fine; not from within on_item */
/* Bytes as they come, cut anywhere. */
MUST_CHECK bool json_stream_feed(struct json_stream *s, struct str bytes, struct err *reterr);
/* Call at the end of the input. *ret_rest (may be NULL): the document without its items, valid until the stream is
 * freed; NULL for a stream of top-level values. Fails when the input stopped inside a value. */
MUST_CHECK bool json_stream_finish(struct json_stream *s, const struct json_value **ret_rest, struct err *reterr);
