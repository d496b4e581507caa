// SPDX-License-Identifier: MIT
/* Which sandboxes are watched: those of the rows, read page by page again and again, since the word of a change may be
 * lost; and one by one when there is word of it. */
#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/drift_private.h"

enum {
    PAGE_N = 500,
    PASS_MS = 60000, /* between the end of a list and the next */
    CALL_TIMEOUT_MS = 5000,
    AGAIN_FIRST_MS = 500,
    AGAIN_CAP_MS = 10000,
    ASK_SOON_MS = 20, /* several in a row cause one read */
    ASKED_MAX = 2000, /* more are left to the next list */
};

/* ---- one of them ---- */

static const char *add_text(char **at, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = *at;
    memcpy(copy, text, n);
    *at += n;
    return copy;
}

static struct watched *watched_new(struct drift_watch *d, const struct sandbox *sb)
{
    const char *const texts[] = {sb->project_id,     sb->name,     sb->database_name, sb->cluster,
                                 sb->namespace_name, sb->app_host, sb->tty_host,      sb->restart_time};
    size_t size = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        size += strlen(texts[i]) + 1;
    struct watched *w = xcalloc(1, sizeof(*w) + size);
    char *at = w->texts;
    (void)add_text(&at, sb->project_id);
    w->owner = d;
    w->name = add_text(&at, sb->name);
    w->database_name = add_text(&at, sb->database_name);
    w->cluster = add_text(&at, sb->cluster);
    w->namespace_name = add_text(&at, sb->namespace_name);
    w->app_host = add_text(&at, sb->app_host);
    w->tty_host = add_text(&at, sb->tty_host);
    w->restart_time = add_text(&at, sb->restart_time);
    w->kinds = sb->kinds;
    w->backoff = (struct backoff){.first_ms = AGAIN_FIRST_MS, .cap_ms = AGAIN_CAP_MS};
    HASH_ADD_KEYPTR(hh, d->all, w->texts, strlen(w->texts), w);
    return w;
}

void drift_expand(const struct watched *w, struct sandbox *ret)
{
    *ret = (struct sandbox){.attempt = w->attempt,
                            .kinds = w->kinds,
                            .status = SANDBOX_RUNNING,
                            .desired = DESIRED_RUNNING,
                            .is_settled = true};
    text_fit(ret->project_id, sizeof(ret->project_id), str_from(w->texts));
    text_fit(ret->name, sizeof(ret->name), str_from(w->name));
    text_fit(ret->database_name, sizeof(ret->database_name), str_from(w->database_name));
    text_fit(ret->cluster, sizeof(ret->cluster), str_from(w->cluster));
    text_fit(ret->namespace_name, sizeof(ret->namespace_name), str_from(w->namespace_name));
    text_fit(ret->app_host, sizeof(ret->app_host), str_from(w->app_host));
    text_fit(ret->tty_host, sizeof(ret->tty_host), str_from(w->tty_host));
    text_fit(ret->restart_time, sizeof(ret->restart_time), str_from(w->restart_time));
}

struct watched *drift_find(const struct drift_watch *d, struct str project_id)
{
    struct watched *w = NULL;
    if (project_id.n > 0)
        HASH_FIND(hh, d->all, project_id.p, project_id.n, w);
    return w;
}

void drift_drop(struct watched *w)
{
    struct drift_watch *d = w->owner;
    if (w->note != NULL) {
        op_cancel(w->note);
        d->notes_n--;
        /* What it wrote is found by whoever looks for what is led by nobody. */
        if (w->wish != DRIFT_REPORT && !d->is_stopped)
            d->config.listener.on_doubt(d->config.listener.arg);
    }
    drift_leave_lists(w);
    d->stats.watched_n--;
    d->stats.drifted_n -= w->told != 0;
    HASH_DEL(d->all, w);
    free(w);
}

void drift_take(struct drift_watch *d, const struct sandbox *sb, ms_t changed_ms, bool is_agreed)
{
    struct watched *w = drift_find(d, str_from(sb->project_id));
    if (w != NULL)
        w->pass = d->pass;
    if (w != NULL && w->note != NULL)
        return; /* its answer tells more than this row, which may be from before */
    if (w != NULL && (sb->fence < w->fence || (w->attempt == sb->attempt && w->fence == sb->fence)))
        return; /* no news, or from before */
    if (w != NULL)
        drift_drop(w);
    w = watched_new(d, sb);
    w->pass = d->pass;
    w->attempt = sb->attempt;
    w->fence = sb->fence;
    w->told = sb->status == SANDBOX_ERROR ? drift_words(sb->code, sb->message) : 0;
    w->changed_ms = changed_ms;
    w->is_agreed = is_agreed;
    d->stats.watched_n++;
    d->stats.drifted_n += w->told != 0;
    drift_enqueue(w);
}

/* ---- all of them ---- */

/* When the row became as it is, on our clock, or rather too late. What is read at start is as old as the store says: it
 * may have drifted while nobody ran. Of everything else there was word a moment ago, or it was lost. */
static ms_t changed_at(const struct drift_watch *d, const struct sandbox *sb, int64_t now_ms)
{
    int64_t ago_ms = d->pass == 0 ? now_ms - sb->updated_ms : 0;
    return loop_now_ms(d->config.loop) - (ago_ms > 0 ? ago_ms : 0);
}

static void end_pass(struct drift_watch *d)
{
    struct watched *w;
    struct watched *next;
    HASH_ITER(hh, d->all, w, next)
    {
        if (w->pass != d->pass && w->note == NULL)
            drift_drop(w);
    }
    d->pass++;
    d->after[0] = '\0';
    loop_timer_set(&d->list_timer, PASS_MS);
}

static void on_page(void *arg, const struct sandbox *rows, size_t n, int64_t now_ms, const struct err *err)
{
    struct drift_watch *d = arg;
    d->list = NULL;
    if (err != NULL) {
        if (d->list_backoff.tries == 0)
            LOG(WARN, "reading the sandboxes that run failed", KV("err", err));
        loop_timer_set(&d->list_timer, backoff_next(&d->list_backoff, d->pass * 2654435761u));
        return;
    }
    backoff_reset(&d->list_backoff);
    for (size_t i = 0; i < n; i++)
        drift_take(d, &rows[i], changed_at(d, &rows[i], now_ms), false);
    if (n < PAGE_N) {
        end_pass(d);
        return;
    }
    text_fit(d->after, sizeof(d->after), str_from(rows[n - 1].project_id));
    loop_timer_set(&d->list_timer, 1);
}

static void on_list_timer(void *arg)
{
    struct drift_watch *d = arg;
    const struct port_store *store = d->config.store;
    const struct watched_query query = {.after = d->after, .max = PAGE_N};
    d->list = store->watched_list(store->self, &query, CALL_TIMEOUT_MS, on_page, d);
}

/* ---- some of them ---- */

static void asked_done(struct drift_watch *d)
{
    for (; d->asking_n > 0; d->asking_n--) {
        struct asked *a = STAILQ_FIRST(&d->asked);
        STAILQ_REMOVE_HEAD(&d->asked, link);
        d->asked_n--;
        free(a);
    }
    if (d->asked_n > 0)
        loop_timer_set(&d->ask_timer, ASK_SOON_MS);
}

static bool is_among(const struct sandbox *rows, size_t n, const char *project_id)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].project_id, project_id) == 0)
            return true;
    }
    return false;
}

static void on_asked(void *arg, const struct sandbox *rows, size_t n, int64_t now_ms, const struct err *err)
{
    struct drift_watch *d = arg;
    d->ask = NULL;
    if (err != NULL) {
        d->asking_n = 0;
        loop_timer_set(&d->ask_timer, backoff_next(&d->ask_backoff, d->asked_n * 2654435761u));
        return;
    }
    backoff_reset(&d->ask_backoff);
    for (size_t i = 0; i < n; i++)
        drift_take(d, &rows[i], changed_at(d, &rows[i], now_ms), false);
    struct asked *a = STAILQ_FIRST(&d->asked);
    for (unsigned i = 0; i < d->asking_n; i++, a = STAILQ_NEXT(a, link)) {
        struct watched *w = drift_find(d, str_from(a->project_id));
        if (w != NULL && w->note == NULL && !is_among(rows, n, a->project_id))
            drift_drop(w);
    }
    asked_done(d);
}

static void on_ask_timer(void *arg)
{
    struct drift_watch *d = arg;
    const struct port_store *store = d->config.store;
    struct str ids[PAGE_N];
    if (d->ask != NULL || d->asked_n == 0)
        return;
    struct asked *a;
    STAILQ_FOREACH(a, &d->asked, link)
    {
        if (d->asking_n < PAGE_N)
            ids[d->asking_n++] = str_from(a->project_id);
    }
    const struct watched_query query = {.after = "", .max = PAGE_N, .ids = ids, .ids_n = d->asking_n};
    d->ask = store->watched_list(store->self, &query, CALL_TIMEOUT_MS, on_asked, d);
}

void drift_ask(struct drift_watch *d, struct str project_id)
{
    if (d->is_stopped || d->asked_n >= ASKED_MAX)
        return;
    struct asked *a = xcalloc(1, sizeof(*a));
    text_fit(a->project_id, sizeof(a->project_id), project_id);
    STAILQ_INSERT_TAIL(&d->asked, a, link);
    d->asked_n++;
    if (d->ask == NULL && !loop_timer_is_set(&d->ask_timer))
        loop_timer_set(&d->ask_timer, ASK_SOON_MS);
}

/* ---- life ---- */

void drift_set_init(struct drift_watch *d)
{
    STAILQ_INIT(&d->asked);
    d->list_backoff = (struct backoff){.first_ms = AGAIN_FIRST_MS, .cap_ms = AGAIN_CAP_MS};
    d->ask_backoff = d->list_backoff;
    loop_timer_init(&d->list_timer, d->config.loop, on_list_timer, d);
    loop_timer_init(&d->ask_timer, d->config.loop, on_ask_timer, d);
    loop_timer_set(&d->list_timer, 0);
}

void drift_set_fini(struct drift_watch *d)
{
    loop_timer_clear(&d->list_timer);
    loop_timer_clear(&d->ask_timer);
    op_cancel(d->list);
    op_cancel(d->ask);
    d->list = NULL;
    d->ask = NULL;
    while (!STAILQ_EMPTY(&d->asked)) {
        struct asked *a = STAILQ_FIRST(&d->asked);
        STAILQ_REMOVE_HEAD(&d->asked, link);
        free(a);
    }
    d->asked_n = 0;
    d->asking_n = 0;
    struct watched *w;
    struct watched *next;
    HASH_ITER(hh, d->all, w, next)
    {
        drift_drop(w);
    }
}
