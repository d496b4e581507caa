// SPDX-License-Identifier: MIT
/* Private to k8s/cache*.c: the records and their two indexes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/base/codec.h"

/* Names and ids come from outside: the hash is keyed. */
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)codec_hash((keyptr), (keylen)))
#include <uthash.h>

#include "k8s/cache.h"
#include "k8s/facts.h"

struct record {
    UT_hash_handle hh;   /* by name, within its kind */
    struct record *next; /* of the same project and kind */
    struct cache_project *project;
    struct facts facts;
    uint64_t version;
    uint64_t owner; /* as object_head.owner */
    unsigned epoch; /* of the list that last held it */
    bool is_deleting;
    char uid[40];
    char name[]; /* NUL-terminated */
};

/* The newest of what Events said about one object. */
struct pod_events {
    uint64_t uid; /* hash of the object's: a StatefulSet's pods bear the same name one after the other */
    char *warning_reason;
    char *warning_message;
    int64_t warning_ms;
    bool is_pulling;
    bool is_pulled;
};

struct noted {
    enum presence presence;
    uint64_t owner;
};

enum { EVENTS_OF_SANDBOX, EVENTS_OF_DATABASE, EVENTS_OF_WORKLOAD, EVENTS_OF_CLAIM, EVENTS_N };

struct cache_project {
    UT_hash_handle hh; /* by id */
    struct record *records[KIND_CACHED_N];
    struct pod_events *events[EVENTS_N];
    struct noted *noted; /* OBJECT_N of them; NULL: nothing noted */
    bool is_dirty;
    TAILQ_ENTRY(cache_project) dirty_link;
    char id[]; /* NUL-terminated */
};

struct cached_kind {
    struct record *by_name;
    unsigned epoch;
    uint64_t reached; /* version up to which the watch has told everything */
    ms_t begun_ms;    /* of the list under way */
    ms_t current_ms;  /* all that happened up to then has been heard */
    bool is_synced;
    bool is_unseen; /* it may not be watched: what is remembered of our own calls counts */
};

struct cache {
    struct cached_kind kinds[KIND_CACHED_N];
    struct cache_project *projects;
    TAILQ_HEAD(, cache_project) dirty;
    bool is_all_dirty;
    struct loop *loop;
    struct loop_task flush;
    cluster_on_change *on_change;
    void *on_change_arg;
};

struct record *cache_find(const struct cache *c, enum kube_kind kind, struct str name);
struct cache_project *cache_project_find(const struct cache *c, struct str id);
void cache_mark_dirty(struct cache *c, struct cache_project *p);
void pod_events_free(struct pod_events *e); /* NULL is fine */
