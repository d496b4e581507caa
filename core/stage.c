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
#define DEFINE_PARSE(function, type, words)                                                                            \
    bool function(struct str text, type *ret)                                                                          \
    {                                                                                                                  \
        size_t i;                                                                                                      \
        if (!find(words, WORD_N(words), text, &i))                                                                     \
            return false;                                                                                              \
        *ret = (type)i;                                                                                                \
        return true;                                                                                                   \
    }

DEFINE_PARSE(stage_parse, enum stage, stages)
DEFINE_PARSE(stage_status_parse, enum stage_status, stage_statuses)
DEFINE_PARSE(sandbox_status_parse, enum sandbox_status, sandbox_statuses)
DEFINE_PARSE(desired_parse, enum desired, desireds)
DEFINE_PARSE(outcome_parse, enum outcome, outcomes)
DEFINE_PARSE(reason_parse, enum reason, reasons)

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
