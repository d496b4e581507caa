// SPDX-License-Identifier: MIT
/* JSON is written only through this: typed, escaped, UTF-8 checked, with one sticky error asked for at the end.
 * json_write.c and json_read.c are the only files that include yajl. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct json_writer;

/* ceiling_bytes: output larger than this is an error at jw_finish. */
struct json_writer *jw_new(size_t ceiling_bytes);
void jw_free(struct json_writer *w); /* NULL is fine */

void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
void jw_key_str(struct json_writer *w, struct str key);
void jw_str(struct json_writer *w, struct str value);   /* an absent str writes null */
void jw_text(struct json_writer *w, const char *value); /* NULL writes null */
void jw_int(struct json_writer *w, int64_t value);
void jw_double(struct json_writer *w,
               double value); /* shortest text that reads back the same; NaN and infinity are errors */
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
/* One JSON value that was made by a json_writer earlier; it is not checked again. */
void jw_raw(struct json_writer *w, struct str json);

/* Key and value in one go. */
void jw_kv_str(struct json_writer *w, const char *key, struct str value);
void jw_kv_text(struct json_writer *w, const char *key, const char *value);
void jw_kv_int(struct json_writer *w, const char *key, int64_t value);
void jw_kv_bool(struct json_writer *w, const char *key, bool value);
/* Milliseconds since 1970 as RFC 3339 with milliseconds and Z; a negative value writes null. */
void jw_kv_time(struct json_writer *w, const char *key, int64_t wall_ms);

/* *ret_json: borrowed, NUL-terminated, valid until the writer is freed or reset.
 * Fails with BUG when anything written was refused (bad UTF-8, NaN, unbalanced), with TOO_LARGE over the ceiling. */
MUST_CHECK bool jw_finish(struct json_writer *w, struct str *ret_json, struct err *reterr);
void jw_reset(struct json_writer *w); /* ready to write another document */
