// SPDX-License-Identifier: MIT
/* What the cluster has of every project: compact records per kind, by name and by project, fed by watches and by the
 * answers to our own calls; and what is remembered of objects that are not watched. No I/O. Whoever reads gets facts,
 * never records. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/json_read.h"
#include "core/io/loop.h"
#include "core/observed.h"
#include "core/port_cluster.h"
#include "k8s/objects.h"

struct cache;

struct cache *cache_new(struct loop *loop);
void cache_free(struct cache *c); /* NULL is fine */
/* on_change runs from a deferred task, once per changed project and turn, or with an absent id for all. */
void cache_subscribe(struct cache *c, cluster_on_change *on_change, void *arg);
/* Tells the subscriber that anything may have changed. */
void cache_touch_all(struct cache *c);

/* ---- fed by watches ---- */

/* A list begins: objects that are not in it when it ends are gone. */
void cache_list_begin(struct cache *c, enum kube_kind kind);
void cache_list_end(struct cache *c, enum kube_kind kind, uint64_t version);
/* The kind is not served (KubeBlocks is not installed): there are none, and that is known. */
void cache_list_none(struct cache *c, enum kube_kind kind);
/* The kind may not be watched: nothing is waited for, and of its objects what our own calls said is what is known. */
void cache_list_unseen(struct cache *c, enum kube_kind kind);
bool cache_is_synced(const struct cache *c, enum kube_kind kind);
/* Every kind that such a sandbox is made of. */
bool cache_is_synced_for(const struct cache *c, const struct sandbox_kinds *of);
/* One object of a list or event. An older version than the one kept changes nothing. */
void cache_put(struct cache *c, enum kube_kind kind, const struct json_value *object);
void cache_drop(struct cache *c, enum kube_kind kind, const struct json_value *object);
/* An Event about a pod of ours (pulling, pulled, the newest warning), about a StatefulSet or a claim. */
void cache_event(struct cache *c, enum kube_kind kind, const struct json_value *event);
/* The watch has reached this version (a bookmark). */
void cache_reached(struct cache *c, enum kube_kind kind, uint64_t version);

/* The watch brought something: a watch is in order, so all that was before has been heard. */
void cache_heard(struct cache *c, enum kube_kind kind);

/* ---- fed by our own calls ---- */

/* The answer to a create or patch. Ignored if the watch has been past it: then the object may be gone already. */
void cache_merge(struct cache *c, enum kube_kind kind, const struct json_value *object);
/* What became of an object: PRESENT, with its owner; FOREIGN; UNKNOWN when it went (a call given up may still make it).
 */
void cache_note(struct cache *c, enum cluster_object object, const struct sandbox *sb, enum presence presence,
                const char *owner_uid);
/* A delete was accepted: it counts as DELETING until the watch says it is gone. */
void cache_note_deleting(struct cache *c, enum kube_kind kind, const char *name);
void cache_forget(struct cache *c, struct str project_id);

/* ---- read ---- */

/* Is an object of that name known, whosever it is? */
bool cache_has(const struct cache *c, enum kube_kind kind, const char *name);
/* The uid of the sandbox's workload, if it is there, ours and stays; else NULL. Borrowed until the next event. */
const char *cache_workload_uid(const struct cache *c, const struct sandbox *sb);
/* The name of the pod that cache_observe would describe; NULL if there is none. */
const char *cache_pod_name(const struct cache *c, const struct sandbox *sb);
/* Everything but is_reachable. */
void cache_observe(const struct cache *c, const struct sandbox *sb, struct observed *ret);
