// SPDX-License-Identifier: MIT
/* The survey port: what the sweep asks of one cluster. Implemented by k8s/survey.c. */
#pragma once

#include "core/io/op.h"
#include "core/sweep.h"

/* Each object of a list; valid during the call. */
typedef void survey_on_object(void *arg, const struct surveyed *object);

struct port_survey {
    void *self;

    /* Asks the API, not the caches, for every object of the kind that bears the label of a project. `done` without an
     * error: that were all. DENIED: it may not be looked at. MISSING: its API is not installed, or an API server that
     * just began does not know it yet. */
    struct op *(*list)(void *self, enum survey_kind kind, ms_t timeout_ms, survey_on_object *on_object, op_done *done,
                       void *arg);
    /* Are sandboxes made of it, as this server is configured? */
    bool (*is_used)(void *self, enum survey_kind kind);
    const char *(*namespace_name)(void *self);
    /* Deletes exactly that object, if it still bears our labels of the same project, and is as it was just read. One
     * that is not there any more, or is another one of that name, counts as done. CONFLICT: it changed meanwhile.
     * object: borrowed during the call. */
    struct op *(*remove)(void *self, const struct surveyed *object, ms_t timeout_ms, op_done *done, void *arg);
};
