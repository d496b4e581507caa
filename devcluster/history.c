// SPDX-License-Identifier: MIT
/* One line of JSON for each object that is added or removed and for each new generation of one. Each line is one write,
 * so that a reader never waits for a half; what cannot be written is missing from the file and nowhere else. */
#include "devcluster/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

enum { LINE_CEILING_BYTES = 8 * 1024 };

struct history {
    int fd;
    struct store_listener listener;
};

static int64_t generation_of(const struct object *o)
{
    return doc_as_int(doc_find(object_meta(o), "generation"), 0);
}

static void on_event(void *arg, struct entry *entry, const struct event *event)
{
    static const char *const types[] = {
        [EVENT_ADDED] = "added", [EVENT_MODIFIED] = "changed", [EVENT_DELETED] = "deleted"};
    const struct history *h = arg;
    const struct object *o = event->now;
    if (event->type == EVENT_MODIFIED && generation_of(o) == generation_of(event->before))
        return;
    struct json_writer *w = jw_new(LINE_CEILING_BYTES);
    struct str line;
    jw_object(w);
    jw_kv_text(w, "type", types[event->type]);
    jw_kv_text(w, "resource", entry->kind->plural);
    jw_kv_str(w, "namespace", o->ns);
    jw_kv_str(w, "name", o->name);
    jw_kv_str(w, "uid", o->uid);
    jw_kv_int(w, "generation", generation_of(o));
    jw_kv_int(w, "version", (int64_t)event->version);
    jw_object_end(w);
    struct buf text;
    buf_init(&text, LINE_CEILING_BYTES);
    if (jw_finish(w, &line, NULL))
        buf_addf(&text, "%.*s\n", STR_ARG(line));
    if (write(h->fd, text.p, text.n) != (ssize_t)text.n)
        LOG(WARN, "the history cannot be written", KV("why", strerror(errno)));
    buf_fini(&text);
    jw_free(w);
}

struct history *history_new(struct store *store, const char *path, struct err *reterr)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_set(reterr, ERR_INVALID, __func__, "%s cannot be written: %s", path, strerror(errno));
        return NULL;
    }
    struct history *h = xcalloc(1, sizeof(*h));
    h->fd = fd;
    h->listener = (struct store_listener){.on_event = on_event, .arg = h};
    store_listen(store, &h->listener);
    return h;
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    (void)close(h->fd);
    free(h);
}
