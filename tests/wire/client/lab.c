// SPDX-License-Identifier: MIT
/* The common ground of the client's tests. */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/log.h"

enum { LOOK_MS = 2, CALL_MS = 30000, LINE_CEILING_BYTES = 1024, OBJECT_CEILING_BYTES = 8 << 20 };

/* ---- waiting ---- */

struct waiter {
    struct loop *loop;
    struct loop_timer timer;
    ms_t until_ms;
    bool (*is_true)(void *arg);
    void *arg;
    bool is_late;
};

static void on_look(void *arg)
{
    struct waiter *w = arg;
    bool is_over = w->is_true(w->arg);
    w->is_late = !is_over && loop_now_ms(w->loop) >= w->until_ms;
    if (is_over || w->is_late)
        loop_stop(w->loop);
    else
        loop_timer_set(&w->timer, LOOK_MS);
}

void lab_until(struct lab *lab, bool (*is_true)(void *arg), void *arg, const char *what)
{
    struct waiter w = {.loop = lab->loop, .is_true = is_true, .arg = arg};
    w.until_ms = loop_now_ms(lab->loop) + LAB_MS;
    loop_timer_init(&w.timer, lab->loop, on_look, &w);
    loop_timer_set(&w.timer, 0);
    loop_run(lab->loop);
    loop_timer_clear(&w.timer);
    if (w.is_late)
        fail_msg("it never came to be: %s", what);
}

/* ---- the hand on the server ---- */

struct reply {
    int fd;
    bool is_done;
    char line[LINE_CEILING_BYTES];
    size_t n;
};

static void on_control(void *arg, int events)
{
    struct reply *r = arg;
    ssize_t n = recv(r->fd, r->line + r->n, sizeof r->line - 1 - r->n, MSG_DONTWAIT);
    (void)events;
    r->n += n > 0 ? (size_t)n : 0;
    r->is_done = n == 0 || (r->n > 0 && r->line[r->n - 1] == '\n') || r->n == sizeof r->line - 1;
}

static bool is_replied(void *arg)
{
    return ((struct reply *)arg)->is_done;
}

void lab_do(struct lab *lab, const char *fmt, ...)
{
    struct reply r = {.fd = lab->control};
    struct loop_fd *fd = loop_fd_new(lab->loop, lab->control, on_control, &r);
    struct buf line;
    va_list args;
    buf_init(&line, LINE_CEILING_BYTES);
    va_start(args, fmt);
    buf_addv(&line, fmt, args);
    va_end(args);
    buf_add_byte(&line, '\n');
    assert_int_equal(send(lab->control, buf_text(&line), line.n, MSG_NOSIGNAL), (ssize_t)line.n);
    loop_fd_want(fd, LOOP_READ);
    lab_until(lab, is_replied, &r, buf_text(&line));
    loop_fd_free(fd);
    if (strcmp(r.line, "ok\n") != 0)
        fail_msg("%s: %s", buf_text(&line), r.line);
    buf_fini(&line);
}

/* ---- calls ---- */

static void on_answered(void *arg, const struct json_value *object, const struct err *err)
{
    struct lab_answer *a = arg;
    struct json_writer *w = jw_new(OBJECT_CEILING_BYTES);
    struct str text;
    a->is_done = true;
    err_copy(&a->err, err);
    if (object != NULL) {
        json_copy_to(object, w);
        assert_true(jw_finish(w, &text, NULL));
        a->object = json_parse(a->arena, text, &JSON_LIMITS_KUBE, NULL);
        assert_non_null(a->object);
    }
    jw_free(w);
}

static bool is_answered(void *arg)
{
    return ((struct lab_answer *)arg)->is_done;
}

void lab_begin(struct lab *lab, struct kube *kube, struct lab_call call, struct lab_answer *ret)
{
    struct kube_request req = {.method = call.method,
                               .path = call.path,
                               .content_type = call.content_type,
                               .body = call.body != NULL ? str_from(call.body) : STR_NONE,
                               .timeout_ms = call.timeout_ms > 0 ? call.timeout_ms : CALL_MS,
                               .on_answer = on_answered,
                               .arg = ret};
    *ret = (struct lab_answer){.arena = lab->arena};
    (void)!kube_call(kube, &req);
}

void lab_end(struct lab *lab, struct lab_answer *a)
{
    lab_until(lab, is_answered, a, "an answer, or the end of its time");
}

struct lab_answer lab_ask(struct lab *lab, struct kube *kube, struct lab_call call)
{
    struct lab_answer a;
    lab_begin(lab, kube, call, &a);
    lab_end(lab, &a);
    return a;
}

const struct json_value *lab_must(struct lab *lab, struct kube *kube, struct lab_call call)
{
    struct lab_answer a = lab_ask(lab, kube, call);
    if (a.err.kind != ERR_NONE)
        fail_msg("%s %s: %s %s", call.method, call.path, err_slug(a.err.kind), a.err.msg);
    return a.object;
}

const char *lab_text(struct lab *lab, const char *fmt, ...)
{
    struct buf text;
    const char *copy;
    va_list args;
    buf_init(&text, OBJECT_CEILING_BYTES);
    va_start(args, fmt);
    buf_addv(&text, fmt, args);
    va_end(args);
    copy = arena_dup(lab->arena, buf_str(&text));
    buf_fini(&text);
    return copy;
}

const char *lab_core(struct lab *lab, const char *rest)
{
    return lab_text(lab, "/api/v1/namespaces/%s/%s", lab->ns, rest);
}

const char *lab_apps(struct lab *lab, const char *rest)
{
    return lab_text(lab, "/apis/apps/v1/namespaces/%s/%s", lab->ns, rest);
}

const char *lab_meta(struct lab *lab, const struct json_value *object, const char *key)
{
    struct str value = json_str(json_at(object, "metadata", key, NULL));
    return str_is_none(value) ? "" : arena_dup(lab->arena, value);
}

/* ---- Deployments ---- */

const char *lab_deployment(struct lab *lab, const char *name, bool is_ours)
{
    return lab_text(lab,
                    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\",\"labels\":"
                    "{\"%s\":\"lab-%s\"}},\"spec\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},"
                    "\"template\":{\"metadata\":{\"labels\":{\"app\":\"%s\"}},\"spec\":{\"containers\":[{\"name\":"
                    "\"web\",\"image\":\"web:1\"}]}}}}",
                    name, is_ours ? LABEL_PROJECT_ID : "nobodys", lab->run, name, name);
}

static const char *path_of(struct lab *lab, const char *name)
{
    return lab_apps(lab, lab_text(lab, "deployments/%s", name));
}

void lab_make(struct lab *lab, const char *name)
{
    lab_must(lab, lab->admin,
             (struct lab_call){
                 .method = "POST", .path = lab_apps(lab, "deployments"), .body = lab_deployment(lab, name, true)});
}

void lab_change(struct lab *lab, const char *name)
{
    static int value;
    lab_must(lab, lab->admin,
             (struct lab_call){.method = "PATCH",
                               .path = path_of(lab, name),
                               .content_type = MERGE_PATCH,
                               .body = lab_text(lab, "{\"spec\":{\"minReadySeconds\":%d}}", ++value)});
}

void lab_delete(struct lab *lab, const char *name)
{
    lab_must(lab, lab->admin, (struct lab_call){.method = "DELETE", .path = path_of(lab, name)});
}

/* ---- one kind, watched ---- */

static bool is_synced(void *arg)
{
    const struct sight *s = arg;
    return cache_is_synced(s->cache, s->kind);
}

void sight_open_for(struct sight *s, struct lab *lab, const char *client, enum kube_kind kind, unsigned timeout_s)
{
    *s = (struct sight){.lab = lab, .kube = lab_client(lab, client), .cache = cache_new(lab->loop), .kind = kind};
    s->watch = watch_new(&(struct watch_options){
        .kube = s->kube, .cache = s->cache, .kind = kind, .namespace_name = lab->ns, .timeout_s = timeout_s});
    watch_start(s->watch);
    lab_until(lab, is_synced, s, "the first list");
}

void sight_open(struct sight *s, struct lab *lab, const char *client, enum kube_kind kind)
{
    sight_open_for(s, lab, client, kind, 0);
}

void sight_close(struct sight *s)
{
    watch_free(s->watch);
    cache_free(s->cache);
    kube_free(s->kube);
}

struct watch_stats sight_stats(const struct sight *s)
{
    struct watch_stats stats;
    watch_stats(s->watch, &stats);
    return stats;
}

int64_t sight_generation(const struct sight *s, const char *name)
{
    struct sandbox sb = {0};
    struct observed seen;
    assert_true(str_copy(str_from(lab_text(s->lab, "lab-%s", s->lab->run)), sb.project_id, sizeof sb.project_id));
    assert_true(str_copy(str_from(name), sb.name, sizeof sb.name));
    cache_observe(s->cache, &sb, &seen);
    return seen.workload.generation;
}

struct wanted {
    const struct sight *sight;
    const char *name;
    int64_t generation;
};

static bool is_as_wanted(void *arg)
{
    const struct wanted *w = arg;
    bool is_there = cache_has(w->sight->cache, w->sight->kind, w->name);
    if (w->generation == SIGHT_GONE || !is_there)
        return w->generation == SIGHT_GONE && !is_there;
    return w->generation == SIGHT_THERE || sight_generation(w->sight, w->name) == w->generation;
}

void sight_until(struct sight *s, const char *name, int64_t generation)
{
    struct wanted w = {s, name, generation};
    lab_until(s->lab, is_as_wanted, &w, lab_text(s->lab, "%s at generation %lld", name, (long long)generation));
}

/* ---- the whole ---- */

static const char *need_env(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        (void)fprintf(stderr, "%s is not set: run me by tests/wire/client/lab.py\n", name);
        exit(2);
    }
    return value;
}

static int connect_control(const char *dir)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s/control", dir);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static struct kubeconfig *load(struct lab *lab, const char *name)
{
    struct kubeconfig_source source = {.path = lab_text(lab, "%s/%s.kubeconfig", lab->dir, name),
                                       .is_loopback_allowed = true};
    struct err err = {0};
    struct kubeconfig *config = kubeconfig_load(&source, &err);
    if (config == NULL)
        fail_msg("%s", err.msg);
    return config;
}

struct kube *lab_client(struct lab *lab, const char *name)
{
    struct err err = {0};
    struct kube *kube = kube_new(lab->loop, lab->fetch, load(lab, name), &err);
    if (kube == NULL)
        fail_msg("%s", err.msg);
    return kube;
}

int lab_setup(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct kubeconfig *config;
    struct err err = {0};
    char run[8];
    log_init(2, LOG_FORMAT_LOGFMT, LOG_LEVEL_WARN);
    assert_true(codec_init(&err));
    codec_random_text(run, 6, "abcdefghijklmnopqrstuvwxyz");
    lab->dir = need_env("LAB_DIR");
    lab->is_real = strcmp(need_env("LAB_IS_REAL"), "1") == 0;
    lab->control = connect_control(lab->dir);
    lab->arena = arena_new();
    lab->run = arena_dup(lab->arena, str_from(run));
    lab->loop = loop_new(&err);
    lab->fetch = fetch_new(lab->loop, &err);
    lab->owner = lab_client(lab, "sealos-user");
    lab->admin = lab_client(lab, "admin");
    config = load(lab, "sealos-user");
    lab->ns = arena_dup(lab->arena, str_from(config->namespace_name));
    kubeconfig_free(config);
    *state = lab;
    return 0;
}

int lab_teardown(void **state)
{
    struct lab *lab = *state;
    kube_free(lab->owner);
    kube_free(lab->admin);
    fetch_free(lab->fetch);
    loop_free(lab->loop);
    arena_free(lab->arena);
    close(lab->control);
    free(lab);
    return 0;
}
