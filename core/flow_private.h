// SPDX-License-Identifier: MIT
/* The engine's own state, shared by flow.c and flow_undo.c (deciding), flow_facts.c (seeing), flow_ops.c (acting),
 * flow_journal.c (telling) and flow_clocks.c (remembering). Nobody else includes it. */
#pragma once

#include "core/flow.h"
#include "core/io/backoff.h"

enum {
    FLOW_OUTBOX_N = 24,
    FLOW_OUTBOX_LAST_N = STAGE_N + 1, /* room kept for the events that end a flow */
    FLOW_STEPS_CEILING_BYTES = 4096,
    FLOW_EVENTS_PER_ATTEMPT = 400, /* after that only changes of a stage's status are told, not its words */
};

enum flow_state {
    FLOW_WORKING, /* builds or undoes, as desired says */
    FLOW_ENDING,  /* the last write is under way */
    FLOW_OVER,    /* the owner was told */
};

/* One row of the plan as it stands in this flow. */
struct step_run {
    struct flow *flow;
    enum step_id id;
    bool is_entered;
    bool is_done;
    bool is_fatal;      /* the last error will not go away */
    bool is_undone;     /* undo succeeded */
    ms_t entered_at_ms; /* monotonic; may be negative after a restart */
    struct op *op;      /* at most one in flight */
    bool is_act;        /* op changes the cluster: it is waited for, not dropped */
    struct backoff backoff;
    unsigned refused_n; /* answers that were refusals */
    ms_t retry_at_ms;
    ms_t uncertain_until_ms; /* a call that timed out may still take effect until then */
    enum reason error_code;  /* of the last failed try; NONE after a success */
    char error_message[MESSAGE_SIZE];
    enum reason broken_code; /* since when it looks broken, for the grace */
    ms_t broken_since_ms;
    bool is_going;       /* it was seen being deleted, for an undo */
    ms_t going_since_ms; /* since then */
};

struct stage_run {
    enum stage_status status;
    int64_t started_ms; /* wall clock */
    int64_t ended_ms;
    enum reason code;
    char message[MESSAGE_SIZE];
};

/* Sets of enum step_id and of enum cluster_object are bits. */
#define BIT(i)                (UINT64_C(1) << (i))
/* The objects that come before the workload. */
#define FLOW_DATABASE_OBJECTS (BIT(OBJECT_WORKLOAD) - 1)

struct flow {
    struct flow_ports ports;
    struct sandbox sb;
    struct observed seen;
    enum flow_state state;
    struct step_run steps[STEP_N];
    struct stage_run stages[STAGE_N];
    uint64_t applied;     /* bits of enum cluster_object */
    uint64_t row_applied; /* the same, as the row is known to say */
    uint64_t halted;      /* the same, told to stop */
    struct db_credentials credentials;
    bool has_rights; /* what serves the database was applied after it was last made */
    bool has_credentials;
    bool must_save_credentials;
    bool is_login_proven;
    bool had_ended; /* before the end that is being written */
    bool has_ended; /* this attempt's creation ended before (ready or failed): what follows is no cancel */
    bool is_project_gone;
    ms_t ended_at_ms; /* when the end that is being written was decided */
    bool is_overtaken;
    bool is_left;
    bool has_settled;
    bool is_repair_new; /* what this repair can rely on has yet to be looked at */
    struct journal_event outbox[FLOW_OUTBOX_N];
    size_t outbox_n;
    /* The write under way, or one that had no answer: then the same is sent again, so that the row's `saves` can tell
     * whether it took effect. */
    size_t saving_n;
    struct sandbox saving_sb;
    bool saving_is_gone;
    bool saving_has_credentials; /* and they are the newest */
    char *saving_steps;
    size_t saving_steps_n;
    uint64_t saving_applied;
    bool is_save_in_doubt;
    unsigned events_n;
    bool is_dirty;
    struct op *save;
    struct backoff save_backoff;
    ms_t save_at_ms;
    struct op *load;
    bool must_load; /* the row changed under us: read it before anything else */
    ms_t load_at_ms;
    ms_t known_at_ms;       /* when the row was last known to be as it is here */
    ms_t away_since_ms;     /* monotonic; 0: the API answers */
    ms_t taken_ms;          /* when it was taken over from another process; 0: it was begun here */
    ms_t settling_until_ms; /* taken over from another process: what it had done has yet to be seen or done again */
    ms_t next_ms;           /* the next moment at which looking again makes sense */
    struct loop_timer timer;
    struct loop_task end_task;
    uint32_t chance;
    unsigned env_from; /* the first attempt whose Secret may still be there */
    unsigned tidied_n; /* asked to go by this flow */
    bool is_tidied;    /* no more is asked */
};

/* flow.c */
void flow_wake(struct flow *f);
void flow_look_at(struct flow *f, ms_t at_ms);
void flow_end_open_stages(struct flow *f, enum reason code, const char *message);
/* One verdict per step of this look, for flow_journal_stages. */
struct flow_notes {
    bool is_entered[STEP_N];
    bool is_done[STEP_N];
    enum reason code[STEP_N];
    char message[STEP_N][MESSAGE_SIZE];
};

/* flow_facts.c */
/* What is seen at this look, and how far it can be relied on. */
void flow_facts_read(struct flow *f);
/* What is gone does not count as applied any more, nor does what went with it. */
void flow_facts_forget_absent(struct flow *f);
/* May the object be made now? Not a workload while the row counts as applied what a former one owned: whoever takes
 * over would find that workload and believe it. The write that mends the row is due or under way. */
bool flow_facts_may_make(const struct flow *f, enum cluster_object object);

/* flow_undo.c: one look in that direction. */
void flow_undo(struct flow *f);

/* flow_ops.c */
void flow_ops_cancel(struct flow *f, bool acts_too);
/* The flow ends: what is in flight may take effect after it, and whoever undoes it later must know. */
void flow_ops_doubt(struct flow *f);

/* Drops a step's call: what waits for its turn is never sent, what was sent may take effect. */
void flow_ops_drop(struct flow *f, enum step_id step);

/* flow_journal.c */
void flow_journal_stages(struct flow *f, const struct flow_notes *notes);
void flow_journal_stage_end(struct flow *f, enum stage stage, enum stage_status status, enum reason code,
                            const char *message);
/* Why the status stays as it is; told once, until it is something else. NONE: nothing is in the way. */
void flow_journal_status(struct flow *f, enum reason code, const char *message);
/* The row was read anew and no write is under way: its words are those told last, and what waits to be told of the
 * status may belong to a wish that is over. What still holds it up is told anew. */
void flow_journal_drop_status(struct flow *f);
void flow_journal_done(struct flow *f, enum outcome outcome, enum reason code, const char *message);
/* The words of the first row from `first` up to `end` that is not done, as the status's. */
void flow_journal_words(struct flow *f, const struct flow_notes *notes, enum step_id first, enum step_id end);
void flow_journal_flush(struct flow *f);

/* flow_clocks.c */
bool flow_clocks_write(const struct flow *f, struct json_writer *w, struct str *ret);
void flow_clocks_read(struct flow *f, struct str steps_json);
