// SPDX-License-Identifier: MIT
/* Accepting: bursts, caps, descriptors running out, the drain. What happens on a connection is http_conn.c's. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "server/http_conn.h"
#include "server/peers.h"
#include "server/tls.h"

enum {
    ACCEPTS_PER_WAKE = 64,
    BACKLOG = 1024,
    PAUSE_MS = 50, /* after descriptors ran out */
    LOG_EVERY_MS = 1000,
    LAST_COMERS_MS = 100, /* for those who are in the middle of the handshake when the drain begins */
    RESERVED_FDS = 64,    /* for PostgreSQL, Redis, Kubernetes and files */
};

const struct listener_limits LISTENER_DEFAULTS = {
    .head_bytes = 16 * 1024,
    .fields_n = 64,
    .target_bytes = 8000,
    .stream_unsent_bytes = 256 * 1024,
    .stream_slow_bytes = 64 * 1024,
    .connections_n = 10000,
    .connections_per_peer = 1024,
    .head_ms = 10 * 1000,
    .body_ms = 30 * 1000,
    .idle_ms = 60 * 1000,
    .write_ms = 30 * 1000,
    .stream_slow_ms = 30 * 1000,
    .handler_ms = 60 * 1000,
};

struct listener {
    struct loop *loop;
    struct http_shared *shared;
    struct peer_counts *counts;
    struct tls_context *tls; /* NULL: none */
    char *cert_path;
    char *key_path;
    char *unix_path; /* removed at the end; NULL: TCP */
    int fd;
    int spare_fd; /* given up for a moment to accept and close when there are no descriptors */
    struct loop_fd *ready;
    struct loop_timer pause;
    struct loop_timer door; /* the drain: nobody is let in after that */
    struct loop_timer deadline;
    struct loop_task emptied;
    void (*on_empty)(void *arg);
    void *on_empty_arg;
    uint16_t port;
    uint64_t accepted_n;
    uint64_t refused_n;
    uint64_t refused_quietly_n; /* since the last log line */
    ms_t logged_at_ms;
};

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage room;
};

/* ---- opening ---- */

static bool parse_address(const struct listener_config *config, union any_address *ret, socklen_t *ret_n,
                          struct err *reterr)
{
    struct str text = str_from(config->address);
    memset(ret, 0, sizeof *ret);
    if (str_starts(text, STR("unix:"))) {
        ret->local.sun_family = AF_UNIX;
        *ret_n = sizeof ret->local;
        return str_copy(str_slice(text, 5, text.n), ret->local.sun_path, sizeof ret->local.sun_path) ||
               err_set(reterr, ERR_INVALID, __func__, "the socket's path is too long: %s", config->address);
    }
    if (config->address != NULL && inet_pton(AF_INET, config->address, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(config->port);
        *ret_n = sizeof ret->v4;
        return true;
    }
    if (config->address != NULL && inet_pton(AF_INET6, config->address, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(config->port);
        *ret_n = sizeof ret->v6;
        return true;
    }
    return err_set(reterr, ERR_INVALID, __func__, "\"%s\" is not a numeric address or unix:/path",
                   config->address != NULL ? config->address : "");
}

/* A socket left behind by a process that is gone may be removed; one that answers, or another kind of file, may not. */
static void remove_stale_socket(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED)
        (void)unlink(address->sun_path);
    (void)close(fd);
}

static bool fail_open(struct err *reterr, const char *address, const char *doing)
{
    err_set(reterr, ERR_NOT_READY, "listener_new", "%s %s: %s", doing, address, strerror(errno));
    if (reterr != NULL)
        reterr->code = errno;
    return false;
}

static bool open_socket(struct listener *l, const struct listener_config *config, struct err *reterr)
{
    union any_address address;
    socklen_t n = 0;
    int one = 1;
    if (!parse_address(config, &address, &n, reterr))
        return false;
    l->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return fail_open(reterr, config->address, "cannot open a socket for");
    (void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address.any.sa_family == AF_UNIX)
        remove_stale_socket(&address.local);
    if (bind(l->fd, &address.any, n) != 0 || listen(l->fd, BACKLOG) != 0)
        return fail_open(reterr, config->address, "cannot listen on");
    if (address.any.sa_family == AF_UNIX) {
        l->unix_path = xstrdup(address.local.sun_path);
        return true;
    }
    n = sizeof address;
    if (getsockname(l->fd, &address.any, &n) != 0)
        return fail_open(reterr, config->address, "cannot tell the port of");
    l->port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return true;
}

/* ---- accepting ---- */

static void log_refusal(struct listener *l, const char *why)
{
    ms_t now = loop_now_ms(l->loop);
    l->refused_n++;
    l->refused_quietly_n++;
    if (l->logged_at_ms != 0 && now - l->logged_at_ms < LOG_EVERY_MS)
        return;
    LOG(WARN, "connections refused", KV("why", why), KV("count", l->refused_quietly_n), KV("port", l->port));
    l->refused_quietly_n = 0;
    l->logged_at_ms = now;
}

static void on_pause_over(void *arg)
{
    struct listener *l = arg;
    if (l->ready != NULL)
        loop_fd_want(l->ready, LOOP_READ);
}

static void pause_accepting(struct listener *l)
{
    loop_fd_want(l->ready, 0);
    loop_timer_set(&l->pause, PAUSE_MS);
}

/* No descriptor is left. An idle connection makes room; without one the client at the head of the queue is let in and
 * closed, or it would keep the listener readable for ever. */
static bool make_room(struct listener *l)
{
    log_refusal(l, "out of descriptors");
    if (http_shared_evict_idle(l->shared))
        return true;
    if (l->spare_fd >= 0) {
        (void)close(l->spare_fd);
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            (void)close(fd);
        l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pause_accepting(l);
    return false;
}

static void set_options(struct listener *l, int fd)
{
    int one = 1;
    unsigned timeout_ms = (unsigned)l->shared->limits.write_ms;
    if (l->unix_path != NULL)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* A peer that vanished without a word is noticed by its missing acknowledgements, not after the kernel's 15
     * minutes. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static void take_connection(struct listener *l, int fd, const struct peer_address *address)
{
    const struct listener_limits *limits = &l->shared->limits;
    struct transport transport = {.fd = fd};
    bool is_proxy = peer_networks_has(l->shared->trusted, address);
    if (l->shared->conns_n >= limits->connections_n && !http_shared_evict_idle(l->shared)) {
        log_refusal(l, "too many connections");
        (void)close(fd);
        return;
    }
    if (!peer_counts_add(l->counts, address, is_proxy ? 0 : limits->connections_per_peer)) {
        log_refusal(l, "too many connections of one address");
        (void)close(fd);
        return;
    }
    if (l->tls != NULL)
        transport.tls = tls_new(l->tls, fd);
    if (l->tls != NULL && transport.tls == NULL) {
        log_refusal(l, "TLS could not be set up");
        peer_counts_drop(l->counts, address);
        (void)close(fd);
        return;
    }
    set_options(l, fd);
    l->accepted_n++;
    conn_new(l->shared, transport, address);
}

static void on_acceptable(void *arg, int events)
{
    struct listener *l = arg;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
        union any_address from = {.any = {.sa_family = AF_UNIX}};
        socklen_t n = sizeof from;
        int fd = accept4(l->fd, &from.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            struct peer_address address = peer_address_of(&from.any);
            take_connection(l, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!make_room(l))
                return;
        } else if (errno == ENOBUFS || errno == ENOMEM) {
            log_refusal(l, "the kernel is out of memory");
            pause_accepting(l);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return; /* EAGAIN: the queue is empty */
        }
    }
}

static void on_conn_end(void *arg, const struct http_conn *conn)
{
    struct listener *l = arg;
    peer_counts_drop(l->counts, &conn->address);
    if (l->shared->conns_n == 0 && l->fd < 0)
        loop_defer(&l->emptied);
}

/* ---- the door is shut ---- */

static void stop_accepting(struct listener *l)
{
    loop_fd_free(l->ready);
    l->ready = NULL;
    loop_timer_clear(&l->pause);
    loop_timer_clear(&l->door);
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    if (l->unix_path != NULL)
        (void)unlink(l->unix_path);
    free(l->unix_path);
    l->unix_path = NULL;
}

/* Closing a listening socket resets every connection in its queue, whose client has perhaps sent its request already.
 * So new handshakes are ignored for a moment (the client sends its SYN again a second later and is refused, which any
 * client can tell from a lost request), those in progress come to their end, and the queue runs empty. False: not TCP,
 * or the kernel does not know filters. */
static bool ignore_handshakes(const struct listener *l)
{
    enum { FLAGS_AT = 13, SYN = 0x02, SYN_ACK = 0x12 };
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),   BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    return l->unix_path == NULL && setsockopt(l->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

static void shut_door(void *arg)
{
    struct listener *l = arg;
    uint64_t before;
    do {
        before = l->accepted_n;
        on_acceptable(l, LOOP_READ);
    } while (l->accepted_n > before);
    stop_accepting(l);
    if (l->shared->conns_n == 0)
        loop_defer(&l->emptied);
}

/* ---- life ---- */

/* Fewer connections than descriptors, so that the caps are reached before the system's. */
static void fit_to_descriptors(struct listener_limits *limits)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return;
    rlim_t half = files.rlim_cur / 2;
    rlim_t room = files.rlim_cur > 2 * RESERVED_FDS ? files.rlim_cur - RESERVED_FDS : half;
    if (room < limits->connections_n)
        limits->connections_n = (unsigned)room;
}

static void tell_empty(struct listener *l)
{
    void (*on_empty)(void *arg) = l->on_empty;
    l->on_empty = NULL;
    loop_timer_clear(&l->deadline);
    if (on_empty != NULL)
        on_empty(l->on_empty_arg);
}

static void on_emptied(void *arg)
{
    tell_empty(arg);
}

static void on_deadline(void *arg)
{
    struct listener *l = arg;
    LOG(WARN, "drain is over, connections are cut", KV("connections", l->shared->conns_n), KV("port", l->port));
    stop_accepting(l);
    while (!TAILQ_EMPTY(&l->shared->all))
        conn_end(TAILQ_FIRST(&l->shared->all));
    loop_task_clear(&l->emptied);
    tell_empty(l);
}

static bool open_listener(struct listener *l, const struct listener_config *config, const struct http_service *service,
                          struct err *reterr)
{
    struct listener_config fitted = *config;
    fit_to_descriptors(&fitted.limits);
    l->shared = http_shared_new(l->loop, &fitted, service, reterr);
    if (l->shared == NULL)
        return false;
    l->shared->on_conn_end = on_conn_end;
    l->shared->on_conn_end_arg = l;
    if (config->tls_cert_path != NULL && config->tls_key_path == NULL)
        return err_set(reterr, ERR_INVALID, __func__, "a TLS certificate needs its key");
    if (config->tls_cert_path != NULL) {
        l->cert_path = xstrdup(config->tls_cert_path);
        l->key_path = xstrdup(config->tls_key_path);
        if (!listener_reload_tls(l, reterr))
            return false;
    }
    return open_socket(l, config, reterr);
}

struct listener *listener_new(struct loop *loop, const struct listener_config *config,
                              const struct http_service *service, struct err *reterr)
{
    struct listener *l = xcalloc(1, sizeof *l);
    l->loop = loop;
    l->fd = -1;
    l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    l->counts = peer_counts_new();
    loop_timer_init(&l->pause, loop, on_pause_over, l);
    loop_timer_init(&l->door, loop, shut_door, l);
    loop_timer_init(&l->deadline, loop, on_deadline, l);
    loop_task_init(&l->emptied, loop, on_emptied, l);
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    if (!open_listener(l, config, service, reterr)) {
        listener_free(l);
        return NULL;
    }
    l->ready = loop_fd_new(loop, l->fd, on_acceptable, l);
    loop_fd_want(l->ready, LOOP_READ);
    return l;
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    stop_accepting(l);
    l->on_empty = NULL;
    http_shared_free(l->shared);
    loop_timer_clear(&l->deadline);
    loop_task_clear(&l->emptied);
    if (l->spare_fd >= 0)
        (void)close(l->spare_fd);
    peer_counts_free(l->counts);
    tls_context_free(l->tls);
    free(l->cert_path);
    free(l->key_path);
    free(l);
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}

void listener_drain(struct listener *l, ms_t spread_ms, ms_t deadline_ms, void (*on_empty)(void *arg), void *arg)
{
    l->on_empty = on_empty;
    l->on_empty_arg = arg;
    loop_timer_set(&l->deadline, deadline_ms);
    http_shared_drain(l->shared, spread_ms);
    if (ignore_handshakes(l))
        loop_timer_set(&l->door, LAST_COMERS_MS);
    else
        shut_door(l);
}

bool listener_reload_tls(struct listener *l, struct err *reterr)
{
    if (l->cert_path == NULL)
        return true;
    struct tls_context *fresh = tls_context_new(l->cert_path, l->key_path, reterr);
    if (fresh == NULL)
        return false;
    tls_context_free(l->tls);
    l->tls = fresh;
    return true;
}

void listener_stats(const struct listener *l, struct listener_stats *ret)
{
    const struct http_shared *s = l->shared;
    const struct http_conn *c;
    *ret = (struct listener_stats){
        .connections_n = s->conns_n,
        .streams_n = s->streams_n,
        .accepted_n = l->accepted_n,
        .requests_n = s->requests_n,
        .refused_n = l->refused_n + s->refused_n,
        .streams_cut_n = s->streams_cut_n,
    };
    TAILQ_FOREACH(c, &s->all, all_link)
    {
        ret->unsent_bytes += conn_unsent_bytes(c);
    }
}
