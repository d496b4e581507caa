// SPDX-License-Identifier: MIT
/* A small service on the HTTP layer for tests over real sockets. Arguments are key=value; prints "ready PORT" when it
 * listens. SIGTERM drains, SIGHUP loads the certificate again. Routes: see `routes`. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/loop.h"
#include "server/http_conn.h"
#include "server/listener.h"
#include "server/sse.h"

enum {
    BODY_CEILING_BYTES = 1024 * 1024,
    ANSWER_CEILING_BYTES = 4 * 1024 * 1024,
    ECHO_FIELD_MAX = 8 * 1024,
    BIG_MAX = 16 * 1024 * 1024,
    SLOW_MS = 300,
    DRAIN_SPREAD_MS = 200,
    DRAIN_DEADLINE_MS = 5000,
};

struct reader {
    struct sse_stream *sse;
    struct server *server;
    TAILQ_ENTRY(reader) link;
};

struct server {
    struct loop *loop;
    struct listener *listener;
    unsigned slow_n; /* requests that wait */
    unsigned gone_n;
    TAILQ_HEAD(, reader) readers;
};

/* ---- routes ---- */

/* The answer to HEAD has no body, so what a small request was is told in a field as well. */
static void add_echo_field(struct http_exchange *x, struct json_writer *w)
{
    struct buf field;
    struct str json;
    struct err err;
    buf_init(&field, ECHO_FIELD_MAX);
    if (jw_finish(w, &json, &err)) {
        codec_base64(&field, json);
        if (!field.is_over)
            http_add_header(x, "X-Echo", buf_str(&field));
    }
    buf_fini(&field);
}

static void answer_echo(struct server *s, struct http_exchange *x)
{
    struct json_writer *w = jw_new(ANSWER_CEILING_BYTES);
    struct buf body;
    (void)s;
    buf_init(&body, ANSWER_CEILING_BYTES);
    codec_base64(&body, http_body(x));
    jw_object(w);
    jw_kv_text(w, "method", http_method_name(http_method(x)));
    jw_kv_str(w, "target", http_target(x));
    jw_kv_str(w, "path", http_path(x));
    jw_kv_str(w, "query", http_query(x));
    jw_kv_str(w, "peer", http_peer(x));
    jw_kv_bool(w, "secure", http_is_secure(x));
    jw_kv_str(w, "body", buf_str(&body));
    jw_key(w, "fields");
    jw_array(w);
    for (unsigned i = 0; i < x->head.fields_n; i++) {
        struct buf value;
        struct str raw = http_span_str(x->head.fields[i].value, x->text);
        buf_init(&value, ANSWER_CEILING_BYTES);
        codec_base64(&value, raw); /* not every field value is UTF-8 */
        jw_array(w);
        jw_str(w, http_span_str(x->head.fields[i].name, x->text));
        jw_str(w, buf_str(&value));
        jw_array_end(w);
        buf_fini(&value);
    }
    jw_array_end(w);
    jw_object_end(w);
    add_echo_field(x, w);
    http_answer_json(x, 200, w);
    buf_fini(&body);
}

struct slow {
    struct server *server;
    struct http_exchange *x;
    struct loop_timer timer;
};

static void on_slow_gone(void *arg)
{
    struct slow *slow = arg;
    slow->server->gone_n++;
    slow->server->slow_n--;
    loop_timer_clear(&slow->timer);
    loop_defer_free(slow->server->loop, slow, free);
}

static void on_slow(void *arg)
{
    struct slow *slow = arg;
    slow->server->slow_n--;
    answer_echo(slow->server, slow->x);
    loop_defer_free(slow->server->loop, slow, free);
}

static uint64_t number_of(const struct http_exchange *x, const char *name, uint64_t max, uint64_t otherwise)
{
    struct str text;
    uint64_t n = otherwise;
    if (http_query_find(x, name, &text) && !str_parse_u64(text, max, &n))
        n = otherwise;
    return n;
}

static void answer_slow(struct server *s, struct http_exchange *x)
{
    struct slow *slow = xcalloc(1, sizeof *slow);
    s->slow_n++;
    slow->server = s;
    slow->x = x;
    loop_timer_init(&slow->timer, s->loop, on_slow, slow);
    loop_timer_set(&slow->timer, (ms_t)number_of(x, "ms", 3600 * 1000, SLOW_MS));
    http_on_gone(x, on_slow_gone, slow);
}

static void answer_big(struct server *s, struct http_exchange *x)
{
    size_t n = (size_t)number_of(x, "n", BIG_MAX, 1);
    char *bytes = xmalloc(n + 1);
    (void)s;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)('a' + i % 26);
    http_answer(x, 200, "text/plain", (struct str){bytes, n});
    free(bytes);
}

static void on_reader_close(void *arg)
{
    struct reader *r = arg;
    TAILQ_REMOVE(&r->server->readers, r, link);
    loop_defer_free(r->server->loop, r, free);
}

static void answer_stream(struct server *s, struct http_exchange *x)
{
    struct reader *r = xcalloc(1, sizeof *r);
    r->server = s;
    TAILQ_INSERT_TAIL(&s->readers, r, link);
    r->sse = sse_start(x, on_reader_close, r);
}

static void answer_publish(struct server *s, struct http_exchange *x)
{
    static char text[60 * 1024];
    size_t n = (size_t)number_of(x, "bytes", sizeof text, 10);
    memset(text, 'x', n);
    struct sse_frame *f = sse_frame_new(number_of(x, "id", INT64_MAX, 0), "news", (struct str){text, n});
    struct reader *r;
    TAILQ_FOREACH(r, &s->readers, link)
    {
        (void)sse_send(r->sse, f);
    }
    sse_frame_unref(f);
    http_answer(x, 204, NULL, STR(""));
}

static void answer_stats(struct server *s, struct http_exchange *x)
{
    struct listener_stats stats;
    struct loop_stats turns;
    struct json_writer *w = jw_new(ANSWER_CEILING_BYTES);
    listener_stats(s->listener, &stats);
    loop_stats(s->loop, &turns);
    jw_object(w);
    jw_kv_int(w, "connections", stats.connections_n);
    jw_kv_int(w, "streams", stats.streams_n);
    jw_kv_int(w, "accepted", (int64_t)stats.accepted_n);
    jw_kv_int(w, "requests", (int64_t)stats.requests_n);
    jw_kv_int(w, "refused", (int64_t)stats.refused_n);
    jw_kv_int(w, "streams_cut", (int64_t)stats.streams_cut_n);
    jw_kv_int(w, "unsent", (int64_t)stats.unsent_bytes);
    jw_kv_int(w, "turns", (int64_t)turns.turns_n);
    jw_kv_int(w, "gone", s->gone_n);
    jw_kv_int(w, "waiting", s->slow_n);
#if defined(__SANITIZE_ADDRESS__)
    jw_kv_bool(w, "sanitized", true);
#else
    jw_kv_bool(w, "sanitized", false);
#endif
    jw_object_end(w);
    http_answer_json(x, 200, w);
}

static const struct route_row {
    const char *path;
    void (*answer)(struct server *s, struct http_exchange *x);
} routes[] = {
    {"/slow",    answer_slow   },
    {"/big",     answer_big    },
    {"/stream",  answer_stream },
    {"/publish", answer_publish},
    {"/stats",   answer_stats  },
};

static void on_request(void *arg, struct http_exchange *x)
{
    struct server *s = arg;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (str_eq_text(http_path(x), routes[i].path)) {
            routes[i].answer(s, x);
            return;
        }
    }
    answer_echo(s, x); /* every other path */
}

static void on_head(void *arg, struct http_exchange *x)
{
    struct err err;
    (void)arg;
    if (str_eq_text(http_path(x), "/deny")) {
        err_set(&err, ERR_UNAUTHENTICATED, __func__, "Unauthorized");
        http_answer_err(x, &err);
    } else if (str_eq_text(http_path(x), "/media")) {
        err_set(&err, ERR_MEDIA_TYPE, __func__, "Only JSON is taken here");
        http_answer_err(x, &err);
    } else {
        http_accept_body(x, BODY_CEILING_BYTES);
    }
}

/* ---- the process ---- */

static void on_empty(void *arg)
{
    struct server *s = arg;
    loop_stop(s->loop);
}

static void on_terminate(void *arg)
{
    struct server *s = arg;
    listener_drain(s->listener, DRAIN_SPREAD_MS, DRAIN_DEADLINE_MS, on_empty, s);
}

static void on_reload(void *arg)
{
    struct server *s = arg;
    struct err err;
    if (!listener_reload_tls(s->listener, &err))
        LOG(ERROR, "certificate was not loaded again", KV("err", &err));
}

static uint64_t take_number(const char *text)
{
    uint64_t n = 0;
    if (!str_parse_u64(str_from(text), UINT32_MAX, &n)) {
        fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return n;
}

static void set_files(const char *text)
{
    struct rlimit files = {take_number(text), take_number(text)};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        perror("setrlimit");
}

/* Descriptors that other parts of a server would hold; the kernel takes them back at the end. */
static void occupy_files(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            perror("open");
    }
}

static void take_argument(struct listener_config *config, const char *key, const char *value)
{
    struct listener_limits *limits = &config->limits;
    if (strcmp(key, "address") == 0)
        config->address = value;
    else if (strcmp(key, "port") == 0)
        config->port = (uint16_t)take_number(value);
    else if (strcmp(key, "cert") == 0)
        config->tls_cert_path = value;
    else if (strcmp(key, "key") == 0)
        config->tls_key_path = value;
    else if (strcmp(key, "trusted") == 0)
        config->trusted_proxies = value;
    else if (strcmp(key, "files") == 0)
        set_files(value);
    else if (strcmp(key, "occupied") == 0)
        occupy_files(take_number(value));
    else if (strcmp(key, "head_ms") == 0)
        limits->head_ms = (ms_t)take_number(value);
    else if (strcmp(key, "body_ms") == 0)
        limits->body_ms = (ms_t)take_number(value);
    else if (strcmp(key, "idle_ms") == 0)
        limits->idle_ms = (ms_t)take_number(value);
    else if (strcmp(key, "per_peer") == 0)
        limits->connections_per_peer = (unsigned)take_number(value);
    else if (strcmp(key, "connections") == 0)
        limits->connections_n = (unsigned)take_number(value);
    else {
        fprintf(stderr, "unknown argument: %s\n", key);
        exit(2);
    }
}

static void take_arguments(struct listener_config *config, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL) {
            fprintf(stderr, "not key=value: %s\n", argv[i]);
            exit(2);
        }
        *equals = '\0';
        take_argument(config, argv[i], equals + 1);
    }
}

static int run(struct server *s, const struct listener_config *config, struct err *reterr)
{
    const struct http_service service = {on_head, on_request, s};
    s->listener = listener_new(s->loop, config, &service, reterr);
    if (s->listener == NULL)
        return 1;
    struct loop_signal *terminate = loop_signal_new(s->loop, SIGTERM, on_terminate, s);
    struct loop_signal *reload = loop_signal_new(s->loop, SIGHUP, on_reload, s);
    printf("ready %u\n", (unsigned)listener_port(s->listener));
    fflush(stdout);
    loop_run(s->loop);
    loop_signal_free(terminate);
    loop_signal_free(reload);
    listener_free(s->listener);
    return 0;
}

int main(int argc, char **argv)
{
    struct listener_config config = {.address = "127.0.0.1", .limits = LISTENER_DEFAULTS};
    struct server s = {.readers = TAILQ_HEAD_INITIALIZER(s.readers)};
    struct err err;
    config.limits.connections_per_peer = 0;
    take_arguments(&config, argc, argv);
    log_init(STDERR_FILENO, LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    int status = 1;
    if (codec_init(&err) && (s.loop = loop_new(&err)) != NULL) {
        status = run(&s, &config, &err);
        loop_free(s.loop);
    }
    if (status != 0)
        LOG(ERROR, "test server cannot start", KV("err", &err));
    return status;
}
