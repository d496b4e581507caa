// SPDX-License-Identifier: MIT
/* One JSON line per event on standard error (or logfmt on a terminal). Event texts are constants, so that grep finds
 * the line. A write never blocks: lines that do not fit into a full pipe are counted and the count is logged later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"

/* error: someone must act. warn: we coped. info: a change a user can see. debug: for us. */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum log_kv_type { LOG_KV_END, LOG_KV_TEXT, LOG_KV_STR, LOG_KV_INT, LOG_KV_BOOL, LOG_KV_ERR, LOG_KV_DOUBLE };

struct log_kv {
    const char *key;
    enum log_kv_type type;
    union {
        const char *text;
        struct str str;
        int64_t integer;
        double real;
        bool boolean;
        const struct err *err;
    } value;
};

/* clang-format off */
/* A value's type chooses its branch; a type without one (struct secret) does not compile. */
#define KV(key, value)                                                                            \
    _Generic((value), char *: log_kv_text, const char *: log_kv_text, struct str: log_kv_str,     \
             bool: log_kv_bool, int: log_kv_int, unsigned: log_kv_int, long: log_kv_int,          \
             unsigned long: log_kv_uint, long long: log_kv_int, unsigned long long: log_kv_uint,  \
             unsigned short: log_kv_int, double: log_kv_double, struct err *: log_kv_err,         \
             const struct err *: log_kv_err)((key), (value))

/* At least one KV: an event without any fact is of no use at night. */
#define LOG(level, event, ...)                                                                    \
    do {                                                                                          \
        if (log_is_on(LOG_LEVEL_##level))                                                         \
            log_write(LOG_LEVEL_##level, (event),                                                 \
                      (const struct log_kv[]){__VA_ARGS__, {NULL, LOG_KV_END, {NULL}}});          \
    } while (0)
/* clang-format on */

struct log_kv log_kv_text(const char *key, const char *value);
struct log_kv log_kv_str(const char *key, struct str value);
struct log_kv log_kv_int(const char *key, int64_t value);
struct log_kv log_kv_uint(const char *key, uint64_t value); /* over INT64_MAX: INT64_MAX */
struct log_kv log_kv_double(const char *key, double value);
struct log_kv log_kv_bool(const char *key, bool value);
struct log_kv log_kv_err(const char *key, const struct err *value);

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_LOGFMT };

/* fd: where to write, set to non-blocking only if it is a pipe or socket. Process-wide; call once at start. */
void log_init(int fd, enum log_format format, enum log_level level);
void log_set_level(enum log_level level);
MUST_CHECK bool log_level_parse(struct str text, enum log_level *ret);
bool log_is_on(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_kv *kvs);
/* The id that stands on every line until it is changed: of the request or flow being worked on; NULL: none. Borrowed.
 */
void log_scope_set(const char *id);
/* Lines dropped because the reader was too slow. */
uint64_t log_dropped_lines(void);
