// SPDX-License-Identifier: MIT
/* What our account holds of the table of rights, as read from the API's answer; who asks, and when, is account.c. */
#pragma once

#include <stdbool.h>

#include "core/base/json_read.h"
#include "k8s/rights.h"

enum { HELD_RIGHTS_MAX = 32 };

struct held {
    bool is_known;                   /* false: everything counts as held, the API itself refuses what is not */
    unsigned verbs[HELD_RIGHTS_MAX]; /* a row of RIGHTS each: bits 1 << enum right_verb */
};

/* Reads the answer's status. source: authorization.k8s.io/v1, SubjectRulesReviewStatus. Rules for single objects by
 * name are left out. */
void held_read(const struct json_value *review, struct held *ret);
/* Is the verb on the resource (a row of RIGHTS; another counts as held) allowed? held NULL: yes. */
bool held_has(const struct held *held, const char *group, const char *resource, const char *verb);
bool held_equal(const struct held *a, const struct held *b);
/* Is any right known not to be held that sandboxes of these kinds need? */
bool held_lacks(const struct held *held, const struct sandbox_kinds *kinds);
/* One line per such row of RIGHTS: an error, or a warning where all that it lacks is spared. */
void held_log_lacking(const struct held *held, const char *cluster, const struct sandbox_kinds *kinds);
