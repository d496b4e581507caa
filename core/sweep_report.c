// SPDX-License-Identifier: MIT
/* Words and JSON of a report. */
#include "core/sweep_report.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/json_write.h"

const char *sweep_result_id(enum sweep_result result)
{
    static const char *const ids[] = {
#define X(name, id) id,
        SWEEP_RESULTS(X)
#undef X
    };
    return ids[result];
}

bool sweep_result_parse(struct str id, enum sweep_result *ret)
{
    for (size_t i = 0; i < SWEEP_RESULT_N; i++) {
        if (str_eq_text(id, sweep_result_id((enum sweep_result)i))) {
            *ret = (enum sweep_result)i;
            return true;
        }
    }
    return false;
}

static void write_summary(struct json_writer *w, const struct sweep_summary *s)
{
    jw_object(w);
    jw_kv_text(w, "cluster", s->cluster);
    jw_kv_text(w, "result", sweep_result_id(s->result));
    jw_kv_text(w, "detail", s->detail[0] != '\0' ? s->detail : NULL);
    jw_kv_time(w, "endedAt", s->ended_ms);
    jw_kv_int(w, "objects", (int64_t)s->objects_n);
    jw_key(w, "counts");
    jw_object(w);
    for (size_t i = 0; i < SWEEP_VERDICT_N; i++)
        jw_kv_int(w, sweep_verdict_id((enum sweep_verdict)i), (int64_t)s->counts[i]);
    jw_object_end(w);
    jw_object_end(w);
}

static void write_finding(struct json_writer *w, const struct sweep_finding *f)
{
    jw_object(w);
    jw_kv_text(w, "cluster", f->cluster);
    jw_kv_text(w, "kind", f->kind);
    jw_kv_text(w, "name", f->name);
    jw_kv_text(w, "uid", f->uid[0] != '\0' ? f->uid : NULL);
    jw_kv_text(w, "projectId", f->project_id);
    jw_kv_text(w, "verdict", sweep_verdict_id(f->verdict));
    jw_kv_text(w, "meaning", sweep_verdict_text(f->verdict));
    jw_kv_text(w, "detail", f->detail[0] != '\0' ? f->detail : NULL);
    jw_kv_time(w, "createdAt", f->made_ms);
    jw_kv_time(w, "firstSeenAt", f->first_seen_ms);
    jw_object_end(w);
}

void sweep_report_write(struct json_writer *w, const struct sweep_report *report)
{
    jw_object(w);
    jw_key(w, "clusters");
    jw_array(w);
    for (size_t i = 0; i < report->clusters_n; i++)
        write_summary(w, &report->clusters[i]);
    jw_array_end(w);
    jw_key(w, "findings");
    jw_array(w);
    for (size_t i = 0; i < report->findings_n; i++)
        write_finding(w, &report->findings[i]);
    jw_array_end(w);
    jw_object_end(w);
}

void sweep_counts_format(const uint64_t counts[SWEEP_VERDICT_N], char ret[SWEEP_COUNTS_SIZE])
{
    struct buf b;
    buf_init(&b, SWEEP_COUNTS_SIZE - 1);
    for (size_t i = 0; i < SWEEP_VERDICT_N; i++) {
        if (counts[i] > 0)
            buf_addf(&b, "%s%s=%llu", b.n > 0 ? " " : "", sweep_verdict_id((enum sweep_verdict)i),
                     (unsigned long long)counts[i]);
    }
    if (!str_copy(buf_str(&b), ret, SWEEP_COUNTS_SIZE))
        ret[0] = '\0'; /* cannot be: twelve short words with numbers fit */
    buf_fini(&b);
}

void sweep_counts_parse(struct str text, uint64_t ret[SWEEP_VERDICT_N])
{
    struct str rest = text;
    struct str one;
    memset(ret, 0, SWEEP_VERDICT_N * sizeof(*ret));
    while (str_next(&rest, ' ', &one)) {
        enum sweep_verdict verdict;
        uint64_t n;
        size_t at = str_find(one, '=', 0);
        if (sweep_verdict_parse(str_slice(one, 0, at), &verdict) &&
            str_parse_u64(str_slice(one, at + 1, one.n), UINT64_MAX, &n))
            ret[verdict] = n;
    }
}
