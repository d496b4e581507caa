// SPDX-License-Identifier: MIT
/* The sweep's two questions to the API: everything of a kind that bears our labels, and one of them away again. Asks
 * the API itself: it serves a process without watches as well, and what a cache does not show must not count as gone.
 */
#pragma once

#include "core/port_survey.h"
#include "k8s/account.h"
#include "k8s/client.h"
#include "k8s/profile.h"

/* Whom it asks; borrowed for the life of its operations, as is what it points to. */
struct survey_of {
    struct kube *kube;
    const struct k8s_profile *profile;
    const char *namespace_name;
    struct account *account; /* hears of refused lists */
};

struct port_survey survey_port(struct survey_of *of);
