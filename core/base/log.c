// SPDX-License-Identifier: MIT
/* Log lines: a JSON object or logfmt, one write(2) each, never blocking. What a full pipe does not take is dropped and
 * counted; what it took half is finished first, so that lines stay whole. */
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/log_line.h"

enum { LINE_CEILING_BYTES = 16 * 1024 };

static struct {
    int fd;
    bool is_logfmt;
    enum log_level level;
    const char *scope;
    uint64_t dropped;      /* since the start */
    uint64_t dropped_told; /* of these, already told by a line */
    struct buf line;
    struct buf rest; /* the end of a line which a pipe took half of */
} sink = {.fd = STDERR_FILENO, .level = LOG_LEVEL_INFO};

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

struct log_kv log_kv_text(const char *key, const char *value)
{
    return (struct log_kv){.key = key, .type = LOG_KV_TEXT, .value.text = value};
}

struct log_kv log_kv_str(const char *key, struct str value)
{
    return (struct log_kv){.key = key, .type = LOG_KV_STR, .value.str = value};
}

struct log_kv log_kv_int(const char *key, int64_t value)
{
    return (struct log_kv){.key = key, .type = LOG_KV_INT, .value.integer = value};
}

struct log_kv log_kv_uint(const char *key, uint64_t value)
{
    return log_kv_int(key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

struct log_kv log_kv_double(const char *key, double value)
{
    return (struct log_kv){.key = key, .type = LOG_KV_DOUBLE, .value.real = value};
}

struct log_kv log_kv_bool(const char *key, bool value)
{
    return (struct log_kv){.key = key, .type = LOG_KV_BOOL, .value.boolean = value};
}

struct log_kv log_kv_err(const char *key, const struct err *value)
{
    return (struct log_kv){.key = key, .type = LOG_KV_ERR, .value.err = value};
}

/* Not for files and terminals: O_NONBLOCK belongs to the open file, which a shell may share with us. */
static void make_nonblocking(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        return;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void log_init(int fd, enum log_format format, enum log_level level)
{
    make_nonblocking(fd);
    sink.fd = fd;
    sink.is_logfmt = format == LOG_FORMAT_LOGFMT || (format == LOG_FORMAT_AUTO && isatty(fd) == 1);
    sink.level = level;
    sink.dropped = 0;
    sink.dropped_told = 0;
    buf_fini(&sink.rest);
}

void log_set_level(enum log_level level)
{
    sink.level = level;
}

bool log_level_parse(struct str text, enum log_level *ret)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (str_eq_nocase(text, str_from(level_names[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_is_on(enum log_level level)
{
    return level >= sink.level;
}

void log_scope_set(const char *id)
{
    sink.scope = id;
}

uint64_t log_dropped_lines(void)
{
    return sink.dropped;
}

/* The number of bytes the reader took; 0 when it is too slow or gone. */
static size_t write_some(struct str bytes)
{
    ssize_t n;
    do {
        n = write(sink.fd, bytes.p, bytes.n);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}

static bool flush_rest(void)
{
    if (sink.rest.n > 0)
        buf_drop(&sink.rest, write_some(buf_str(&sink.rest)));
    return sink.rest.n == 0;
}

/* False when nothing of the line was taken. */
static bool write_line(enum log_level level, const char *event, const struct log_kv *kvs)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct log_line line = {
        .wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
        .level = level_names[level],
        .event = event,
        .scope = sink.scope,
        .kvs = kvs,
    };
    sink.line.ceiling_bytes = LINE_CEILING_BYTES;
    buf_clear(&sink.line);
    if (sink.is_logfmt)
        log_line_logfmt(&line, &sink.line);
    else
        log_line_json(&line, &sink.line);
    size_t n = write_some(buf_str(&sink.line));
    if (n == 0)
        return false;
    sink.rest.ceiling_bytes = LINE_CEILING_BYTES;
    buf_add_str(&sink.rest, str_slice(buf_str(&sink.line), n, sink.line.n));
    return true;
}

static void tell_dropped(void)
{
    uint64_t lines = sink.dropped - sink.dropped_told;
    const struct log_kv kvs[] = {
        KV("lines", lines), {NULL, LOG_KV_END, {NULL}}
    };
    if (lines > 0 && flush_rest() && write_line(LOG_LEVEL_WARN, "log lines dropped", kvs))
        sink.dropped_told += lines;
}

void log_write(enum log_level level, const char *event, const struct log_kv *kvs)
{
    int saved_errno = errno; /* logging must not disturb the caller's error handling */
    if (flush_rest() && write_line(level, event, kvs))
        tell_dropped();
    else
        sink.dropped++;
    errno = saved_errno;
}
