// SPDX-License-Identifier: MIT
/* Descriptors and signals on libevent. An epoll call is made only when what is wanted changes. */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/io/loop_private.h"

struct loop_fd {
    struct loop *loop;
    int fd;
    loop_on_fd *on_ready;
    void *arg;
    int wanted;
    struct event event;
};

/* Only LOOP_CLOSED is wanted. libevent reports a reset connection (EPOLLERR) as readable and writable but not as
 * closed, so waiting for EV_CLOSED alone would spin without a callback. We wait edge-triggered for reading too, which
 * costs a wake per arrival, and ask the descriptor itself. */
static bool is_only_closed(const struct loop_fd *f)
{
    return f->wanted == LOOP_CLOSED;
}

static int hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    if (poll(&p, 1, 0) != 1)
        return 0;
    return (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0 ? LOOP_CLOSED : 0;
}

static int events_from_libevent(short what)
{
    return ((what & EV_READ) != 0 ? LOOP_READ : 0) | ((what & EV_WRITE) != 0 ? LOOP_WRITE : 0) |
           ((what & EV_CLOSED) != 0 ? LOOP_CLOSED : 0);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct loop_fd *f = arg;
    struct loop *loop = f->loop;
    loop_wake(loop);
    int events = is_only_closed(f) ? hung_up(fd) : events_from_libevent(what) & f->wanted;
    if (events == 0)
        return;
    loop_on_fd *on_ready = f->on_ready;
    int64_t start_ns = loop_now_ns();
    on_ready(f->arg, events);
    loop_ran(loop, start_ns, (loop_function *)on_ready);
}

struct loop_fd *loop_fd_new(struct loop *loop, int fd, loop_on_fd *on_ready, void *arg)
{
    assert(loop->base != NULL); /* a simulated loop has no descriptors */
    struct loop_fd *f = xcalloc(1, sizeof(*f));
    f->loop = loop;
    f->fd = fd;
    f->on_ready = on_ready;
    f->arg = arg;
    return f;
}

static short libevent_flags(const struct loop_fd *f)
{
    if (is_only_closed(f))
        return EV_PERSIST | EV_ET | EV_READ | EV_CLOSED;
    return (short)(EV_PERSIST | ((f->wanted & LOOP_READ) != 0 ? EV_READ : 0) |
                   ((f->wanted & LOOP_WRITE) != 0 ? EV_WRITE : 0) | ((f->wanted & LOOP_CLOSED) != 0 ? EV_CLOSED : 0));
}

static void watch(struct loop_fd *f)
{
    if (event_assign(&f->event, f->loop->base, f->fd, libevent_flags(f), on_event, f) == 0 &&
        event_add(&f->event, NULL) == 0)
        return;
    /* A closed descriptor or one without readiness, such as a file: its owner would wait for ever. */
    LOG(ERROR, "descriptor cannot be watched", KV("fd", f->fd), KV("errno", errno));
    abort();
}

void loop_fd_want(struct loop_fd *f, int events)
{
    if (events == f->wanted)
        return;
    if (f->wanted != 0) {
        event_del(&f->event);
        f->loop->n_wanted_fds--;
    }
    f->wanted = events;
    if (events != 0) {
        watch(f);
        f->loop->n_wanted_fds++;
    }
}

void loop_fd_free(struct loop_fd *f)
{
    if (f == NULL)
        return;
    loop_fd_want(f, 0);
    loop_defer_free(f->loop, f, free);
}

/* ---- signals ---- */

struct loop_signal {
    struct loop *loop;
    loop_on_task *on_signal;
    void *arg;
    struct event event;
};

static void on_signal_event(evutil_socket_t signo, short what, void *arg)
{
    struct loop_signal *s = arg;
    struct loop *loop = s->loop;
    loop_on_task *on_signal = s->on_signal;
    (void)signo;
    (void)what;
    loop_wake(loop);
    int64_t start_ns = loop_now_ns();
    on_signal(s->arg);
    loop_ran(loop, start_ns, (loop_function *)on_signal);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_on_task *on_signal, void *arg)
{
    assert(loop->base != NULL);
    struct loop_signal *s = xcalloc(1, sizeof(*s));
    s->loop = loop;
    s->on_signal = on_signal;
    s->arg = arg;
    if (evsignal_assign(&s->event, loop->base, signo, on_signal_event, s) != 0 || evsignal_add(&s->event, NULL) != 0)
        abort(); /* not a signal, or one watched by another loop */
    return s;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s == NULL)
        return;
    evsignal_del(&s->event);
    loop_defer_free(s->loop, s, free);
}
