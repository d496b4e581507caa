// SPDX-License-Identifier: MIT
/* Name queries on libevent's evdns: A and AAAA side by side, one deadline over both. A query that ended (done, late or
 * cancelled) stays until evdns has given back both halves, then it is freed. The name servers and search domains are
 * read again when resolv.conf has changed and nothing is in flight. */
#include "core/io/resolve.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/loop_private.h"
#include "core/io/resolve_local.h"

enum { HOSTS_MAX_BYTES = 64 * 1024, OTHER_HALF_MS = 200 };

struct resolver {
    struct loop *loop;
    struct evdns_base *dns;  /* NULL: not needed yet */
    struct timespec read_at; /* resolv.conf's time of change when dns was made */
    char *resolv_conf;
    char *hosts;
    struct query *first; /* neither answered nor cancelled */
    size_t n_in_flight;  /* questions evdns still holds, also of queries that ended */
    bool is_closing;     /* goes with the last of them */
};

/* One of A and AAAA. */
struct half {
    struct query *query;
    struct evdns_request *request;
    bool is_waiting;
    int result; /* DNS_ERR_* */
};

struct query {
    struct op op; /* first: the op is the query */
    struct resolver *resolver;
    struct loop *loop;
    struct query *next;
    struct query *prev;
    char *host;
    resolve_done *done;
    void *arg;
    bool has_ended;
    bool is_short; /* half of it is answered: the timer runs for the other half */
    struct loop_timer deadline;
    struct loop_task answer; /* what is known without asking is told next turn */
    struct err err;
    struct resolved found;
    struct half v4;
    struct half v6;
};

/* ---- the resolver of a loop ---- */

static void on_evdns_log(int is_warning, const char *message)
{
    if (is_warning)
        LOG(WARN, "resolver complains", KV("message", message));
}

static struct resolver *resolver_of(struct loop *loop)
{
    if (loop->resolver != NULL)
        return loop->resolver;
    struct resolver *r = xcalloc(1, sizeof(*r));
    r->loop = loop;
    r->resolv_conf = xstrdup("/etc/resolv.conf");
    r->hosts = xstrdup("/etc/hosts");
    evdns_set_log_fn(on_evdns_log);
    loop->resolver = r;
    return r;
}

void resolve_set_files(struct loop *loop, const char *resolv_conf, const char *hosts)
{
    struct resolver *r = resolver_of(loop);
    free(r->resolv_conf);
    free(r->hosts);
    r->resolv_conf = xstrdup(resolv_conf);
    r->hosts = xstrdup(hosts);
}

static struct timespec change_time(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

/* Makes evdns if there is none for the resolv.conf of this moment. Its defaults (5 s for each try) are too slow under
 * deadlines of a few seconds; an "options" line of the file wins over ours. Without a file it asks 127.0.0.1, as
 * resolv.conf(5) says. */
static struct evdns_base *dns_of(struct resolver *r)
{
    struct timespec now = change_time(r->resolv_conf);
    bool is_same = now.tv_sec == r->read_at.tv_sec && now.tv_nsec == r->read_at.tv_nsec;
    if (r->dns != NULL && (is_same || r->n_in_flight > 0))
        return r->dns;
    if (r->dns != NULL)
        evdns_base_free(r->dns, 0);
    r->read_at = now;
    r->dns = evdns_base_new(loop_event_base(r->loop), 0);
    if (r->dns == NULL)
        return NULL;
    (void)evdns_base_set_option(r->dns, "timeout:", "1");
    (void)evdns_base_set_option(r->dns, "attempts:", "5");
    (void)evdns_base_set_option(r->dns, "initial-probe-timeout:", "1");
    int flags = DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC;
    if (evdns_base_resolv_conf_parse(r->dns, flags, r->resolv_conf) != 0)
        LOG(WARN, "name servers cannot be read", KV("file", r->resolv_conf));
    return r->dns;
}

/* ---- the end of a query ---- */

static void query_free(void *p)
{
    struct query *q = p;
    free(q->host);
    free(q);
}

static void free_if_over(struct query *q)
{
    if (q->has_ended && !q->v4.is_waiting && !q->v6.is_waiting)
        loop_defer_free(q->loop, q, query_free);
}

static void free_if_closed(struct resolver *r)
{
    if (!r->is_closing || r->n_in_flight > 0)
        return;
    free(r->resolv_conf);
    free(r->hosts);
    free(r);
}

static void give_up(struct query *q, struct half *h)
{
    if (h->is_waiting)
        evdns_cancel_request(q->resolver->dns, h->request); /* calls on_reply later */
}

/* The callback is made, will be made, or will never be made: nothing can happen to the query after this. */
static void query_end(struct query *q)
{
    struct resolver *r = q->resolver;
    q->has_ended = true;
    loop_timer_clear(&q->deadline);
    loop_task_clear(&q->answer);
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        r->first = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    give_up(q, &q->v4);
    give_up(q, &q->v6);
    free_if_over(q);
}

static void query_finish(struct query *q, const struct err *err)
{
    query_end(q);
    q->done(q->arg, err == NULL ? &q->found : NULL, err);
}

static void on_cancel(struct op *op)
{
    query_end((struct query *)op);
}

static void on_answer(void *arg)
{
    struct query *q = arg;
    query_finish(q, q->err.kind != ERR_NONE ? &q->err : NULL);
}

/* ---- evdns's answers ---- */

static bool is_no_such_name(int result)
{
    return result == DNS_ERR_NOTEXIST || result == DNS_ERR_NODATA;
}

/* Both halves failed; the one that says more is told. */
static void make_err(struct query *q)
{
    int result = is_no_such_name(q->v4.result) ? q->v6.result : q->v4.result;
    enum err_kind kind = ERR_UPSTREAM;
    if (is_no_such_name(result))
        kind = ERR_MISSING;
    else if (result == DNS_ERR_TIMEOUT)
        kind = ERR_TIMEOUT;
    err_set(&q->err, kind, "resolve", "no address for the name \"%s\": %s", q->host, evdns_err_to_string(result));
    q->err.code = result;
}

static void note_addresses(struct query *q, int family, int n, const char *bytes)
{
    size_t size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    for (int i = 0; i < n; i++) {
        char text[INET6_ADDRSTRLEN];
        if (inet_ntop(family, bytes + (size_t)i * size, text, sizeof(text)) != NULL)
            resolve_add(&q->found, str_from(text));
    }
}

/* The timer for the other half must not run longer than the deadline. */
static void wait_shortly(struct query *q)
{
    ms_t left_ms = q->deadline.at_ms - loop_now_ms(q->loop);
    q->is_short = true;
    loop_timer_set(&q->deadline, left_ms < OTHER_HALF_MS ? left_ms : OTHER_HALF_MS);
}

static void on_reply(int result, char type, int n, int ttl, void *addresses, void *arg)
{
    struct half *h = arg;
    struct query *q = h->query;
    (void)ttl;
    loop_wake(q->loop);
    h->is_waiting = false;
    h->result = result;
    q->resolver->n_in_flight--;
    if (q->has_ended) {
        free_if_closed(q->resolver);
        free_if_over(q);
        return;
    }
    if (result == DNS_ERR_NONE)
        note_addresses(q, type == DNS_IPv4_A ? AF_INET : AF_INET6, n, addresses);
    if (q->v4.is_waiting || q->v6.is_waiting) {
        if (q->found.n > 0)
            wait_shortly(q);
        return;
    }
    if (q->found.n == 0)
        make_err(q);
    on_answer(q);
}

static void on_deadline(void *arg)
{
    struct query *q = arg;
    if (!q->is_short)
        err_set(&q->err, ERR_TIMEOUT, "resolve", "no answer for the name \"%s\"", q->host);
    on_answer(q);
}

/* ---- the beginning of a query ---- */

static struct str read_hosts(const char *path, char *room, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STR_NONE;
    size_t n = 0;
    ssize_t got;
    while (n < size && (got = read(fd, room + n, size - n)) > 0)
        n += (size_t)got;
    close(fd);
    return (struct str){room, n};
}

/* True when nobody has to be asked. */
static bool is_known(struct query *q, const char *host)
{
    struct str name = str_from(host);
    if (str_is_none(name) || !resolve_is_host(name)) {
        err_set(&q->err, ERR_INVALID, "resolve", "not a host name");
        return true;
    }
    if (resolve_is_address(name)) {
        resolve_add(&q->found, name);
        return true;
    }
    if (loop_event_base(q->loop) != NULL) {
        char *room = xmalloc(HOSTS_MAX_BYTES);
        resolve_from_hosts(read_hosts(q->resolver->hosts, room, HOSTS_MAX_BYTES), name, &q->found);
        free(room);
    }
    if (q->found.n == 0)
        resolve_localhost(name, &q->found);
    if (q->found.n == 0 && loop_event_base(q->loop) == NULL)
        err_set(&q->err, ERR_MISSING, "resolve", "a simulated loop asks no name server");
    return q->found.n > 0 || q->err.kind != ERR_NONE;
}

static void ask(struct query *q)
{
    struct evdns_base *dns = dns_of(q->resolver);
    if (dns != NULL) {
        q->v4.request = evdns_base_resolve_ipv4(dns, q->host, 0, on_reply, &q->v4);
        q->v6.request = evdns_base_resolve_ipv6(dns, q->host, 0, on_reply, &q->v6);
    }
    q->v4.is_waiting = q->v4.request != NULL;
    q->v6.is_waiting = q->v6.request != NULL;
    q->resolver->n_in_flight += (size_t)q->v4.is_waiting + (size_t)q->v6.is_waiting;
    if (!q->v4.is_waiting && !q->v6.is_waiting) {
        err_set(&q->err, ERR_UPSTREAM, "resolve", "the name \"%s\" cannot be asked for", q->host);
        loop_defer(&q->answer);
    }
}

struct op *resolve_start(struct loop *loop, const char *host, ms_t timeout_ms, resolve_done *done, void *arg)
{
    struct resolver *r = resolver_of(loop);
    struct query *q = xcalloc(1, sizeof(*q));
    q->op.cancel = on_cancel;
    q->resolver = r;
    q->loop = loop;
    q->done = done;
    q->arg = arg;
    q->host = xstrdup(host != NULL ? host : "");
    q->v4 = (struct half){.query = q, .result = DNS_ERR_UNKNOWN};
    q->v6 = (struct half){.query = q, .result = DNS_ERR_UNKNOWN};
    q->next = r->first;
    if (r->first != NULL)
        r->first->prev = q;
    r->first = q;
    loop_timer_init(&q->deadline, loop, on_deadline, q);
    loop_task_init(&q->answer, loop, on_answer, q);
    if (is_known(q, host)) {
        loop_defer(&q->answer);
    } else {
        loop_timer_set(&q->deadline, timeout_ms);
        ask(q);
    }
    return &q->op;
}

/* evdns tells every question it still holds DNS_ERR_SHUTDOWN in libevent's turn after this; then the rest goes. */
void resolver_free(struct resolver *r)
{
    if (r == NULL)
        return;
    while (r->first != NULL)
        query_end(r->first);
    if (r->dns != NULL)
        evdns_base_free(r->dns, 1);
    r->dns = NULL;
    r->is_closing = true;
    free_if_closed(r);
}
