// SPDX-License-Identifier: MIT
/* Events between replicas. Whatever is not understood is dropped by the caller: the journal is the truth. */
#include "store/store_event.h"

#include "core/base/json_read.h"
#include "store/store_rows.h"

bool store_event_write(struct json_writer *w, const char *replica_id, const struct journal_event *event,
                       struct str *ret, struct err *reterr)
{
    bool is_stage = event->kind == JOURNAL_STAGE;
    jw_object(w);
    jw_kv_text(w, "replica", replica_id);
    jw_kv_text(w, "owner", event->owner_id);
    jw_kv_text(w, "project", event->project_id);
    jw_kv_int(w, "seq", (int64_t)event->seq);
    jw_kv_int(w, "attempt", (int64_t)event->attempt);
    jw_kv_text(w, "kind", rows_kind_id(event->kind));
    jw_kv_text(w, "stage", is_stage ? stage_id(event->stage) : NULL);
    jw_kv_text(w, "stage_status", is_stage ? stage_status_id(event->stage_status) : NULL);
    jw_kv_text(w, "status", is_stage ? NULL : sandbox_status_row(event->status));
    jw_kv_text(w, "outcome", event->kind == JOURNAL_DONE ? outcome_id(event->outcome) : NULL);
    jw_kv_text(w, "code", reason_id(event->code));
    jw_kv_text(w, "message", event->message);
    jw_kv_int(w, "at", event->at_ms);
    jw_key(w, "duration");
    if (event->duration_ms >= 0)
        jw_int(w, event->duration_ms);
    else
        jw_null(w);
    if (event->kind == JOURNAL_QUEUED)
        jw_kv_int(w, "position", event->position);
    jw_object_end(w);
    return jw_finish(w, ret, reterr);
}

/* NULL is what does not apply to the kind. */
static bool read_sets(const struct json_value *v, struct journal_event *ret)
{
    struct str stage = json_str(json_find(v, "stage"));
    struct str stage_status = json_str(json_find(v, "stage_status"));
    struct str status = json_str(json_find(v, "status"));
    struct str outcome = json_str(json_find(v, "outcome"));
    return rows_kind_parse(json_str(json_find(v, "kind")), &ret->kind) &&
           (str_is_none(stage) || stage_parse(stage, &ret->stage)) &&
           (str_is_none(stage_status) || stage_status_parse(stage_status, &ret->stage_status)) &&
           (str_is_none(status) || sandbox_status_parse(status, &ret->status)) &&
           (str_is_none(outcome) || outcome_parse(outcome, &ret->outcome)) &&
           reason_parse(json_str(json_find(v, "code")), &ret->code);
}

static const struct json_limits LIMITS = {.max_bytes = STORE_EVENT_BYTES_MAX, .max_depth = 2, .max_nodes = 40};

struct str store_event_ended(struct arena *a, struct str json)
{
    return json_str(json_find(json_parse(a, json, &LIMITS, NULL), "ended"));
}

bool store_event_is_freed(struct arena *a, struct str json, struct str *ret_replica)
{
    const struct json_value *v = json_parse(a, json, &LIMITS, NULL);
    *ret_replica = json_str(json_find(v, "replica"));
    return json_int(json_find(v, "freed"), 0) > 0;
}

bool store_event_read(struct arena *a, struct str json, struct journal_event *ret, struct str *ret_replica,
                      struct err *reterr)
{
    const struct json_value *v = json_parse(a, json, &LIMITS, reterr);
    if (v == NULL)
        return false;
    *ret = (struct journal_event){0};
    *ret_replica = json_str(json_find(v, "replica"));
    ret->seq = (uint64_t)json_int(json_find(v, "seq"), 0);
    ret->attempt = (unsigned)json_int(json_find(v, "attempt"), 0);
    ret->at_ms = json_int(json_find(v, "at"), -1);
    ret->duration_ms = json_int(json_find(v, "duration"), -1);
    ret->position = (unsigned)json_int(json_find(v, "position"), 0);
    if (ret->seq == 0 || !read_sets(v, ret) ||
        !str_copy(json_str(json_find(v, "owner")), ret->owner_id, sizeof(ret->owner_id)) ||
        !str_copy(json_str(json_find(v, "project")), ret->project_id, sizeof(ret->project_id)) ||
        !str_copy(json_str(json_find(v, "message")), ret->message, sizeof(ret->message)))
        return err_set(reterr, ERR_INVALID, __func__, "a message about an event cannot be understood");
    if (ret->kind == JOURNAL_STATUS && ret->position > 0)
        ret->kind = JOURNAL_QUEUED;
    return true;
}
