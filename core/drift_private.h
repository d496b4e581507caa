// SPDX-License-Identifier: MIT
/* The inside of the watch for drift, shared by drift.c (looking and telling) and drift_set.c (which sandboxes). */
#pragma once

#include <sys/queue.h>

#include "core/base/codec.h"
#include "core/drift.h"
#include "core/io/backoff.h"

#define HASH_FUNCTION(key, n, hash) ((hash) = (unsigned)codec_hash((key), (n)))
#include <uthash.h>

/* A sandbox as it is kept: there may be ten thousand. */
struct watched {
    UT_hash_handle hh; /* by project id */
    TAILQ_ENTRY(watched) link;
    struct drift_watch *owner;
    enum { WATCHED_AT_REST, WATCHED_QUEUED, WATCHED_WAITING } at; /* the last two: in that list */
    struct op *note;
    struct backoff backoff; /* of notes that failed */
    enum drift_wish wish;   /* of the note under way */
    uint64_t noted;         /* words of the note under way */
    uint64_t told;          /* words of the row; 0: it says that all is well */
    int64_t fence;
    unsigned attempt;
    unsigned pass;        /* of the list that last held it */
    ms_t changed_ms;      /* monotonic: no later than that the row became as it is */
    bool is_agreed;       /* since then the cluster was seen to be as the row says */
    bool is_bad;          /* it was seen not to be, for long enough */
    bool must_read;       /* when its wait is over, before anything else */
    ms_t due_ms;          /* end of its wait */
    ms_t later_ms;        /* the store wants to hear no more before */
    bool is_later_healed; /* no more of healing; else of drift */
    uint64_t bad;         /* what it looks like, while that has to stand for a while */
    ms_t bad_since_ms;
    struct sandbox_kinds kinds;
    const char *name; /* these point into texts */
    const char *database_name;
    const char *cluster;
    const char *namespace_name;
    const char *app_host;
    const char *tty_host;
    const char *restart_time;
    char texts[]; /* the project id first */
};

TAILQ_HEAD(watched_list, watched);

struct asked {
    STAILQ_ENTRY(asked) link;
    char project_id[ID_SIZE];
};

struct drift_watch {
    struct drift_config config;
    struct watched *all;
    struct watched_list queue;   /* to be looked at */
    struct watched_list waiting; /* until their due_ms */
    struct loop_task run;
    struct loop_timer wait;
    ms_t wait_ms;     /* when that ends */
    unsigned notes_n; /* under way */
    bool is_stopped;
    struct drift_stats stats;
    /* drift_set.c */
    struct loop_timer list_timer;
    struct op *list; /* a page of all */
    struct backoff list_backoff;
    unsigned pass;
    char after[ID_SIZE];
    struct loop_timer ask_timer;
    struct op *ask; /* some by name */
    struct backoff ask_backoff;
    STAILQ_HEAD(, asked) asked; /* the first asking_n are being read */
    unsigned asked_n;
    unsigned asking_n;
};

/* drift.c */
void drift_enqueue(struct watched *w);
void drift_leave_lists(struct watched *w);
uint64_t drift_words(enum reason code, const char *message);

/* drift_set.c */
void drift_set_init(struct drift_watch *d);
void drift_set_fini(struct drift_watch *d);
struct watched *drift_find(const struct drift_watch *d, struct str project_id);
/* The row as it was at changed_ms, or keeps what is known if that is the same. is_agreed: so the cluster looked. */
void drift_take(struct drift_watch *d, const struct sandbox *sb, ms_t changed_ms, bool is_agreed);
void drift_drop(struct watched *w);
/* For observe. */
void drift_expand(const struct watched *w, struct sandbox *ret);
