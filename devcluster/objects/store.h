// SPDX-License-Identifier: MIT
/* The objects of the embedded cluster, in memory: versions that never change, entries that point to the newest one, the
 * resourceVersion counter, and for each kind the last events so that watches can begin in the past. Whoever writes,
 * HTTP request or controller, comes through store_add, store_put and store_remove; they tell the listeners. No rights,
 * no validation and no HTTP here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/str.h"
#include "core/io/loop.h"
#include "devcluster/base/doc.h"
#include "devcluster/objects/crd.h"
#include "devcluster/objects/index.h"
#include "devcluster/objects/kinds.h"

struct store;
struct work; /* devcluster/control/control.h: what a controller keeps about an entry */

/* One version of one object. Immutable, counted; texts point into its tree. */
struct object {
    unsigned refs;
    const struct kind *kind;
    struct arena *arena;
    const struct doc *root;
    uint64_t version; /* metadata.resourceVersion */
    struct str ns;
    struct str name;
    struct str uid;
    struct str json; /* the whole object as JSON text */
};
const struct object *object_ref(const struct object *o);
void object_unref(const struct object *o); /* NULL is fine */
const struct doc *object_meta(const struct object *o);
const struct doc *object_labels(const struct object *o);
bool object_is_deleting(const struct object *o);

/* A living object. Valid until the loop turn in which it is removed ends. */
struct entry {
    const struct kind *kind;
    const struct object *now;
    bool is_gone; /* removed; `now` is its last version */
    struct index_link *links;
    struct work *work;
};

enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED };

struct event {
    uint64_t version;
    enum event_type type;
    const struct object *now;    /* for DELETED the last state under the version of the removal */
    const struct object *before; /* NULL for ADDED */
};

/* A new version in the making. */
struct draft {
    const struct kind *kind;
    struct arena *arena;
    struct doc *root;
    struct entry *entry; /* NULL for a new object */
};

typedef void store_on_event(void *arg, struct entry *entry, const struct event *event);
struct store_listener {
    store_on_event *on_event;
    void (*on_crd)(void *arg); /* KubeBlocks is installed otherwise; NULL: of no interest */
    void *arg;
    struct store_listener *next; /* private */
};

/* events_n: how many events are remembered per kind. */
struct store *store_new(struct loop *loop, size_t events_n);
void store_free(struct store *s);
/* The newest resourceVersion. */
uint64_t store_version(const struct store *s);
/* How KubeBlocks is installed, at first in its 0.9. A change is an upgrade: objects stay as they are stored until they
 * are written; without a definition they go. */
enum crd store_crd(const struct store *s);
void store_set_crd(struct store *s, enum crd crd);
/* listener: borrowed until the store is freed. Called within the write. */
void store_listen(struct store *s, struct store_listener *listener);

/* ---- reading ---- */

/* The order of everything that is read in order: by namespace, then by name. */
int object_compare(const struct object *o, struct str ns, struct str name);

struct entry *store_find(struct store *s, const struct kind *kind, struct str ns, struct str name);
struct entry *store_find_uid(struct store *s, struct str uid);
/* The entries of a kind in the order of (namespace, name): [*ret_first, *ret_first + n). ns absent: of all namespaces.
 */
struct entry **store_range(struct store *s, const struct kind *kind, struct str ns, size_t *ret_n);
/* Snapshots in the arena, NULL-terminated, unordered. */
struct entry **store_by_label(struct store *s, struct arena *a, const struct kind *kind, struct str key,
                              struct str value);
struct entry **store_by_owner(struct store *s, struct arena *a, struct str owner_uid);
/* Services whose selector holds key=value; Ingresses and HTTPRoutes with host `value` (key is ""); events about the uid
 * `key` with the message `value`. */
struct entry **store_by_reference(struct store *s, struct arena *a, struct str key, struct str value);

/* ---- writing ---- */

struct draft *draft_new(const struct kind *kind, struct doc *root_in_arena, struct arena *a); /* takes the arena */
struct draft *draft_of(struct entry *e); /* a copy of the newest version */
void draft_drop(struct draft *d);        /* NULL is fine */

enum store_what {
    STORE_MAIN,   /* spec and metadata: the generation follows */
    STORE_STATUS, /* status and what controllers note in annotations */
};
/* Fills what the server owns (uid, times, generation), in place; store_add and store_put do it themselves. */
void store_prepare(struct store *s, struct draft *d, enum store_what what);
/* Takes the draft. The name must be free. */
struct entry *store_add(struct store *s, struct draft *d);
/* Takes the draft of an object as it was in an earlier life of the cluster, with uid, times and version. Its name must
 * be free. */
struct entry *store_restore(struct store *s, struct draft *d);
/* After the last one: the versions go on behind this one, and a watch that began in the earlier life gets 410. */
void store_resume(struct store *s, uint64_t version);
/* Takes the draft. Nothing changed: no new version and false. An object that is being deleted and holds no finalizer
 * any more goes (unless a pod's grace period runs): store_remove. */
bool store_put(struct store *s, struct draft *d, enum store_what what);
void store_remove(struct store *s, struct entry *e);

enum delete_policy { DELETE_BACKGROUND, DELETE_FOREGROUND, DELETE_ORPHAN };
/* As the API server deletes: at once, or a deletionTimestamp while finalizers or a pod's grace period hold it back.
 * grace_s: -1 for the pod's own. Dependents are the garbage collector's business. */
void store_delete(struct store *s, struct entry *e, enum delete_policy policy, int64_t grace_s);
/* Now as metadata writes times, in the arena. */
struct str store_time(const struct store *s, struct arena *a);

/* ---- the past ---- */

/* The oldest version a watch of this kind may begin after. */
uint64_t store_oldest(const struct store *s, const struct kind *kind);
/* Remembered events after `version`, oldest first; NULL at the end. *i starts at 0. */
const struct event *store_event_after(const struct store *s, const struct kind *kind, uint64_t version, size_t *i);
/* Forgets all events: watches of the past get 410. */
void store_compact(struct store *s);
/* The objects of a kind as they were at `version` (not older than store_oldest), ordered, in the arena. */
const struct object **store_at(struct store *s, struct arena *a, const struct kind *kind, uint64_t version,
                               size_t *ret_n);
