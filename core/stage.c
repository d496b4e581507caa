// SPDX-License-Identifier: MIT
/* Names and texts of the closed sets in stage.h. Holds no logic. */
#include "core/stage.h"

#include <stddef.h>

/* Each table is indexed by its enum; `id` is what rows and messages carry. */
struct word {
    const char *id;
    const char *more;
    const char *text;
};

static const struct word stages[] = {
#define X(name, id, title, text) {id, title, text},
    STAGES(X)
#undef X
};
static const struct word stage_statuses[] = {
#define X(name, id) {id, "", ""},
    STAGE_STATUSES(X)
#undef X
};
static const struct word sandbox_statuses[] = {
#define X(name, row, outer) {row, outer, ""},
    SANDBOX_STATUSES(X)
#undef X
};
static const struct word desireds[] = {
#define X(name, id) {id, "", ""},
    DESIREDS(X)
#undef X
};
static const struct word workloads[] = {
#define X(name, id, kind) {id, kind, ""},
    WORKLOADS(X)
#undef X
};
static const struct word routes[] = {
#define X(name, id, kind) {id, kind, ""},
    ROUTES(X)
#undef X
};
static const struct word outcomes[] = {
#define X(name, id) {id, "", ""},
    OUTCOMES(X)
#undef X
};
static const struct word reasons[] = {
#define X(name, id, hint) {id, hint, ""},
    REASONS(X)
#undef X
};

static bool find(const struct word *words, size_t n, struct str id, size_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (!str_is_none(id) && str_eq_text(id, words[i].id)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

#define WORD_N(words) (sizeof(words) / sizeof(*(words)))

bool stage_parse(struct str text, enum stage *ret)
{
    size_t i = 0;
    bool is_known = find(stages, WORD_N(stages), text, &i);
    if (is_known)
        *ret = (enum stage)i;
    return is_known;
}

bool stage_status_parse(struct str text, enum stage_status *ret)
{
    size_t i = 0;
    bool is_known = find(stage_statuses, WORD_N(stage_statuses), text, &i);
    if (is_known)
        *ret = (enum stage_status)i;
    return is_known;
}

bool sandbox_status_parse(struct str row, enum sandbox_status *ret)
{
    size_t i = 0;
    bool is_known = find(sandbox_statuses, WORD_N(sandbox_statuses), row, &i);
    if (is_known)
        *ret = (enum sandbox_status)i;
    return is_known;
}

bool desired_parse(struct str text, enum desired *ret)
{
    size_t i = 0;
    bool is_known = find(desireds, WORD_N(desireds), text, &i);
    if (is_known)
        *ret = (enum desired)i;
    return is_known;
}

bool workload_parse(struct str text, enum workload_kind *ret)
{
    size_t i = 0;
    bool is_known = find(workloads, WORD_N(workloads), text, &i);
    if (is_known)
        *ret = (enum workload_kind)i;
    return is_known;
}

bool route_parse(struct str text, enum route_kind *ret)
{
    size_t i = 0;
    bool is_known = find(routes, WORD_N(routes), text, &i);
    if (is_known)
        *ret = (enum route_kind)i;
    return is_known;
}

bool outcome_parse(struct str text, enum outcome *ret)
{
    size_t i = 0;
    bool is_known = find(outcomes, WORD_N(outcomes), text, &i);
    if (is_known)
        *ret = (enum outcome)i;
    return is_known;
}

bool reason_parse(struct str text, enum reason *ret)
{
    size_t i = 0;
    bool is_known = find(reasons, WORD_N(reasons), text, &i);
    if (is_known)
        *ret = (enum reason)i;
    return is_known;
}

const char *stage_id(enum stage s)
{
    return stages[s].id;
}

const char *stage_title(enum stage s)
{
    return stages[s].more;
}

const char *stage_description(enum stage s)
{
    return stages[s].text;
}

const char *stage_status_id(enum stage_status s)
{
    return stage_statuses[s].id;
}

const char *sandbox_status_row(enum sandbox_status s)
{
    return sandbox_statuses[s].id;
}

const char *sandbox_status_outer(enum sandbox_status s)
{
    return sandbox_statuses[s].more;
}

const char *desired_id(enum desired d)
{
    return desireds[d].id;
}

const char *workload_id(enum workload_kind k)
{
    return workloads[k].id;
}

const char *workload_kind(enum workload_kind k)
{
    return workloads[k].more;
}

const char *route_id(enum route_kind k)
{
    return routes[k].id;
}

const char *route_kind(enum route_kind k)
{
    return routes[k].more;
}

const char *outcome_id(enum outcome o)
{
    return outcomes[o].id;
}

const char *reason_id(enum reason r)
{
    return reasons[r].id;
}

const char *reason_hint(enum reason r)
{
    return reasons[r].more;
}
