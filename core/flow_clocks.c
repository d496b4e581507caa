// SPDX-License-Identifier: MIT
/* What the engine must remember over a restart: when each step was entered, how each stage stands, what was proven.
 * Kept as one small JSON text in the sandbox's row; unreadable text means a fresh start of the clocks, never a failure.
 */
#include "core/flow_private.h"

#include "core/base/json_read.h"
#include "core/base/json_write.h"

static int64_t wall_of(const struct flow *f, ms_t at_ms)
{
    return loop_wall_ms(f->ports.loop) - (loop_now_ms(f->ports.loop) - at_ms);
}

/* Until when a call that was given up may still take effect; the past if none may. */
static ms_t late_until(const struct flow *f)
{
    ms_t latest = 0;
    for (size_t i = 0; i < STEP_N; i++) {
        if (f->steps[i].uncertain_until_ms > latest)
            latest = f->steps[i].uncertain_until_ms;
    }
    return latest;
}

/* A call that an earlier attempt gave up concerns this one as well. */
static void read_late(struct flow *f, const struct json_value *v)
{
    ms_t now = loop_now_ms(f->ports.loop);
    int64_t wall = loop_wall_ms(f->ports.loop);
    ms_t wait_ms = json_int(json_find(v, "late_until"), 0) - wall;
    ms_t longest_ms = f->ports.settings->call_timeout_ms + f->ports.settings->late_ms;
    if (wait_ms > longest_ms)
        wait_ms = longest_ms; /* the wall clock was set back */
    for (size_t i = 0; i < STEP_N && wait_ms > 0; i++) {
        if (f->steps[i].uncertain_until_ms < now + wait_ms)
            f->steps[i].uncertain_until_ms = now + wait_ms;
    }
}

/* Unlike the clocks it outlives an attempt, but not the names. Nothing is known of a row that a former version wrote.
 */
static void read_env(struct flow *f, const struct json_value *v)
{
    struct str name = json_str(json_find(v, "env_of"));
    int64_t from = json_int(json_find(v, "env_from"), 1);
    bool is_same = str_is_none(name) || str_eq_text(name, f->sb.name);
    f->env_from = is_same && from > 0 && from < f->sb.attempt ? (unsigned)from : f->sb.attempt;
}

/* It too outlives an attempt, and belongs to one database. A former version stored credentials only after the rights;
 * a creation that left the queue was written without steps, and says nothing. */
static void read_rights(struct flow *f, const struct json_value *v)
{
    const struct json_value *name = json_find(v, "rights_of");
    bool is_former = name == NULL && json_find(v, "steps") != NULL;
    f->has_rights = is_former ? f->has_credentials : str_eq_text(json_str(name), f->sb.database_name);
}

bool flow_clocks_write(const struct flow *f, struct json_writer *w, struct str *ret)
{
    jw_object(w);
    jw_kv_int(w, "attempt", f->sb.attempt);
    jw_kv_bool(w, "login", f->is_login_proven);
    jw_kv_int(w, "applied", (int64_t)f->applied);
    jw_kv_int(w, "halted", (int64_t)f->halted);
    jw_kv_bool(w, "ended", f->has_ended);
    jw_kv_int(w, "repair", f->is_repair_new ? 0 : f->sb.drift_ms);
    jw_kv_int(w, "events", f->events_n);
    jw_kv_int(w, "late_until", wall_of(f, late_until(f)));
    jw_kv_text(w, "env_of", f->sb.name);
    jw_kv_int(w, "env_from", f->env_from);
    jw_kv_text(w, "rights_of", f->has_rights ? f->sb.database_name : "");
    jw_key(w, "steps");
    jw_object(w);
    for (size_t i = 0; i < STEP_N; i++) {
        if (f->steps[i].is_entered)
            jw_kv_int(w, step_name((enum step_id)i), wall_of(f, f->steps[i].entered_at_ms));
    }
    jw_object_end(w);
    jw_key(w, "stages");
    jw_object(w);
    for (size_t i = 0; i < STAGE_N; i++) {
        const struct stage_run *stage = &f->stages[i];
        jw_key(w, stage_id((enum stage)i));
        jw_object(w);
        jw_kv_text(w, "status", stage_status_id(stage->status));
        jw_kv_int(w, "started", stage->started_ms);
        jw_kv_int(w, "ended", stage->ended_ms);
        jw_object_end(w);
    }
    jw_object_end(w);
    jw_object_end(w);
    return jw_finish(w, ret, NULL);
}

static void read_steps(struct flow *f, const struct json_value *steps)
{
    ms_t now = loop_now_ms(f->ports.loop);
    int64_t wall = loop_wall_ms(f->ports.loop);
    for (size_t i = 0; i < STEP_N; i++) {
        const struct json_value *at = json_find(steps, step_name((enum step_id)i));
        if (!json_is_int(at))
            continue;
        int64_t ago_ms = wall - json_int(at, wall);
        f->steps[i].is_entered = true;
        /* A wall clock that was set back must not give the step more time than its deadline. */
        f->steps[i].entered_at_ms = now - (ago_ms > 0 ? ago_ms : 0);
    }
}

static void read_stages(struct flow *f, const struct json_value *stages)
{
    for (size_t i = 0; i < STAGE_N; i++) {
        const struct json_value *stage = json_find(stages, stage_id((enum stage)i));
        struct stage_run *run = &f->stages[i];
        if (!stage_status_parse(json_str(json_find(stage, "status")), &run->status))
            run->status = STAGE_STATUS_PENDING;
        run->started_ms = json_int(json_find(stage, "started"), 0);
        run->ended_ms = json_int(json_find(stage, "ended"), 0);
    }
}

/* A repair's clocks are its own, and what it brings to a stage is told as such. */
static void begin_anew(struct flow *f)
{
    for (size_t i = 0; i < STAGE_N; i++) {
        f->stages[i].started_ms = 0;
        f->stages[i].ended_ms = 0;
    }
}

void flow_clocks_read(struct flow *f, struct str steps_json)
{
    struct arena *a = arena_new();
    const struct json_value *v = steps_json.n > 0 ? json_parse(a, steps_json, &JSON_LIMITS_BODY, NULL) : NULL;
    read_late(f, v);
    read_env(f, v);
    read_rights(f, v);
    /* The clocks of an earlier attempt do not count for this one. */
    if (json_int(json_find(v, "attempt"), -1) == (int64_t)f->sb.attempt) {
        f->is_login_proven = json_bool(json_find(v, "login"), false);
        f->applied = (uint64_t)json_int(json_find(v, "applied"), 0);
        f->row_applied = f->applied;
        f->halted = (uint64_t)json_int(json_find(v, "halted"), 0);
        f->has_ended = json_bool(json_find(v, "ended"), false);
        read_stages(f, json_find(v, "stages"));
        if (sandbox_is_repair(&f->sb) && json_int(json_find(v, "repair"), 0) != f->sb.drift_ms) {
            begin_anew(f);
        } else {
            f->is_repair_new = false;
            f->events_n = (unsigned)json_int(json_find(v, "events"), 0);
            read_steps(f, json_find(v, "steps"));
        }
    }
    arena_free(a);
}
