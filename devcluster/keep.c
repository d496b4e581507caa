// SPDX-License-Identifier: MIT
/* One line of JSON with the version, then one for each object. The file is small and is written whole, beside the old
 * one and into its place: a cluster that is killed is found again as it was at most SAVE_MS before. */
#include "devcluster/keep.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "devcluster/control/control.h"
#include "devcluster/files.h"

enum {
    SAVE_MS = 500,
    CEILING_BYTES = 64 << 20,
    /* Versions that were given out after the file was written must not come again. */
    VERSIONS_SKIPPED = 1000000,
};

/* An object as whoever wrote it was allowed to make it, and what the cluster added to that. */
static const struct json_limits OBJECT_LIMITS = {.max_bytes = CEILING_BYTES, .max_depth = 64, .max_nodes = 1000000};

struct keep {
    struct store *store;
    const char *path;
    struct loop_timer timer;
    bool is_dirty;
    struct store_listener listener;
};

static bool is_kept(const struct object *o)
{
    enum kind_id kind = o->kind->id;
    bool is_on_its_way = kind == KIND_POD && (!pod_is_ready(o) || object_is_deleting(o));
    return kind != KIND_EVENT && kind != KIND_NODE && !is_on_its_way;
}

static void save(struct keep *k)
{
    struct buf text;
    struct err err;
    buf_init(&text, CEILING_BYTES);
    buf_addf(&text, "{\"version\":%" PRIu64 "}\n", store_version(k->store));
    for (int id = 0; id < KIND_N; id++) {
        size_t n;
        struct entry **all = store_range(k->store, kind_get((enum kind_id)id), STR_NONE, &n);
        for (size_t i = 0; i < n; i++) {
            if (!is_kept(all[i]->now))
                continue;
            buf_add_str(&text, all[i]->now->json);
            buf_add_text(&text, "\n");
        }
    }
    if (text.is_over)
        LOG(WARN, "the cluster is too large to be kept", KV("path", k->path));
    else if (!files_write(k->path, buf_str(&text), &err))
        LOG(WARN, "the cluster is not kept", KV("err", &err));
    k->is_dirty = false;
    buf_fini(&text);
}

static void on_timer(void *arg)
{
    save(arg);
}

static void on_event(void *arg, struct entry *entry, const struct event *event)
{
    struct keep *k = arg;
    (void)entry;
    (void)event;
    if (k->is_dirty)
        return;
    k->is_dirty = true;
    loop_timer_set(&k->timer, SAVE_MS);
}

/* ---- reading ---- */

/* "apps/v1": a group and a version; "v1": the core group. */
static const struct kind *kind_of(const struct json_value *object)
{
    struct str api = json_str(json_find(object, "apiVersion"));
    struct str name = json_str(json_find(object, "kind"));
    size_t slash = str_find(api, '/', 0);
    struct str group = slash < api.n ? str_slice(api, 0, slash) : STR("");
    struct str version = slash < api.n ? str_slice(api, slash + 1, api.n) : api;
    const struct kind *v1 = kind_cluster_v1();
    for (int id = 0; id < KIND_N; id++) {
        const struct kind *kind = kind_get((enum kind_id)id);
        if (str_eq_text(group, kind->group) && str_eq_text(name, kind->name))
            return kind->id == v1->id && str_eq_text(version, v1->version) ? v1 : kind;
    }
    return NULL;
}

static bool restore(struct store *store, struct str line)
{
    struct arena *a = arena_new();
    const struct json_value *object = json_parse(a, line, &OBJECT_LIMITS, NULL);
    const struct kind *kind = kind_of(object);
    const struct json_value *meta = json_find(object, "metadata");
    struct str ns = json_str(json_find(meta, "namespace"));
    struct str name = json_str(json_find(meta, "name"));
    bool is_good = kind != NULL && name.n > 0 && json_str(json_find(meta, "uid")).n > 0 &&
                   store_find(store, kind, ns, name) == NULL;
    if (!is_good) {
        arena_free(a);
        return false;
    }
    (void)store_restore(store, draft_new(kind, doc_from_json(a, object), a));
    return true;
}

static bool load(struct store *store, const char *path, struct err *reterr)
{
    struct arena *a = arena_new();
    struct err err;
    struct str rest;
    struct str line;
    uint64_t version = 0;
    bool is_there = files_read(a, path, CEILING_BYTES, &rest, &err);
    bool is_good = is_there || err.kind == ERR_MISSING;
    if (!is_good && reterr != NULL)
        *reterr = err;
    for (size_t n = 1; is_there && is_good && str_next(&rest, '\n', &line); n++) {
        if (line.n == 0)
            continue;
        if (n == 1) {
            int64_t known = json_int(json_find(json_parse(a, line, &OBJECT_LIMITS, NULL), "version"), 0);
            version = known > 0 ? (uint64_t)known : 0;
            is_good = version > 0;
        } else {
            is_good = restore(store, line);
        }
        if (!is_good)
            err_set(reterr, ERR_INVALID, __func__, "line %zu of %s is no object of this cluster", n, path);
    }
    if (is_there && is_good) {
        store_set_crd(store, store_crd(store)); /* Clusters without a definition go */
        store_resume(store, version + VERSIONS_SKIPPED);
    }
    arena_free(a);
    return is_good;
}

/* ---- life ---- */

struct keep *keep_new(struct loop *loop, struct store *store, const char *path, struct err *reterr)
{
    if (!load(store, path, reterr))
        return NULL;
    struct keep *k = xcalloc(1, sizeof(*k));
    k->store = store;
    k->path = path;
    loop_timer_init(&k->timer, loop, on_timer, k);
    k->listener = (struct store_listener){.on_event = on_event, .arg = k};
    store_listen(store, &k->listener);
    return k;
}

void keep_free(struct keep *k)
{
    if (k == NULL)
        return;
    loop_timer_clear(&k->timer);
    if (k->is_dirty)
        save(k);
    free(k);
}
