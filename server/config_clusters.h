// SPDX-License-Identifier: MIT
/* The section `clusters` of the YAML file: any number of clusters beside the default one, each with the keys of the
 * sections kube and sandbox. Used by config*.c only. */
#pragma once

#include "server/config.h"

/* Takes "clusters.NAME.KEY"; false when the key is of another section. What is wrong is reported. where: lives as long
 * as c. */
MUST_CHECK bool config_clusters_take(struct config *c, struct str key, struct str value, const char *where,
                                     struct config_report *report);
/* After every source: the default cluster takes its place, the others what was not given for them. */
void config_clusters_finish(struct config *c, struct config_report *report);
