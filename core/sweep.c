// SPDX-License-Identifier: MIT
/* The judgement. Its order is its safety: whatever speaks for keeping an object is asked before what speaks against. */
#include "core/sweep.h"

#include "core/names.h"

const char *survey_kind_text(enum survey_kind kind)
{
    static const char *const texts[] = {
#define X(name, kind, is_data) kind,
        SURVEY_KINDS(X)
#undef X
    };
    return texts[kind];
}

bool survey_kind_is_data(enum survey_kind kind)
{
    static const bool are_data[] = {
#define X(name, kind, is_data) is_data,
        SURVEY_KINDS(X)
#undef X
    };
    return are_data[kind];
}

const char *sweep_verdict_id(enum sweep_verdict verdict)
{
    static const char *const ids[] = {
#define X(name, id, text) id,
        SWEEP_VERDICTS(X)
#undef X
    };
    return ids[verdict];
}

const char *sweep_verdict_text(enum sweep_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, id, text) text,
        SWEEP_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

bool sweep_verdict_parse(struct str id, enum sweep_verdict *ret)
{
    for (size_t i = 0; i < SWEEP_VERDICT_N; i++) {
        if (str_eq_text(id, sweep_verdict_id((enum sweep_verdict)i))) {
            *ret = (enum sweep_verdict)i;
            return true;
        }
    }
    return false;
}

/* A row that is being worked on needs all its names: what is to go is removed by whoever works on it. A settled one
 * that is terminated needs its database's alone. */
static bool is_needed(const struct surveyed *object, const struct sweep_row *row)
{
    if (!row->has_row)
        return false;
    if (object->is_of_database)
        return str_eq(object->base, row->database_name);
    bool is_over = row->is_settled && row->status == SANDBOX_TERMINATED;
    return !is_over && str_eq(object->base, row->name);
}

/* By two clocks: how long we know it as an orphan, and how long it exists at all. */
static bool is_grace_over(const struct surveyed *object, const struct sweep_row *row, ms_t grace_ms, int64_t now_ms)
{
    bool is_old = object->made_ms >= 0 && now_ms - object->made_ms >= grace_ms;
    if (grace_ms == 0)
        return true;
    return is_old && row->first_seen_ms >= 0 && now_ms - row->first_seen_ms >= grace_ms;
}

enum sweep_verdict sweep_judge(const struct surveyed *object, const struct sweep_row *row, bool is_database_there,
                               ms_t grace_ms, int64_t now_ms)
{
    bool is_right = object->is_of_database && object->kind != SURVEY_DATABASE;
    if (!object->is_managed || object->project_id.n == 0)
        return SWEEP_FOREIGN;
    if (!row->is_ours)
        return SWEEP_STRANGER;
    if (!names_is_drawn(object->base))
        return SWEEP_UNNAMED;
    if (is_needed(object, row))
        return SWEEP_KNOWN;
    if (object->is_deleting)
        return SWEEP_GOING;
    if (is_right && is_database_there)
        return SWEEP_ATTACHED;
    if (survey_kind_is_data(object->kind))
        return SWEEP_DATA;
    return is_grace_over(object, row, grace_ms, now_ms) ? SWEEP_DUE : SWEEP_WAITING;
}

bool sweep_needs_database(const struct sweep_claim *claim)
{
    return claim->has_had_database || claim->status == SANDBOX_RUNNING || claim->status == SANDBOX_STOPPED;
}

bool sweep_needs_workload(const struct sweep_claim *claim)
{
    return claim->status == SANDBOX_RUNNING || claim->status == SANDBOX_STOPPED;
}
