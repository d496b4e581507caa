// SPDX-License-Identifier: MIT
/* The clusters a server knows, each behind a port of its own, and one port over all of them: it hands on to the cluster
 * that the sandbox's row names. A row whose cluster is not known waits: its cluster is neither reached nor read, no
 * call for it is sent anywhere, so nothing of it is taken for gone. */
#pragma once

#include "core/names.h"
#include "core/port_cluster.h"
#include "core/port_survey.h"

struct cluster {
    const char *name;
    const char *former_names; /* comma-separated; "" if none: rows may still say so */
    const struct port_cluster *port;
    const struct port_survey *survey; /* NULL: it is not swept */
    bool are_databases_far;           /* this server cannot log in to them */
    struct names_settings names;
    const char *url_scheme; /* "https" */
    int url_port;           /* 0: none is written */
    unsigned sandboxes_max; /* 0: no limit */
    unsigned creations_max; /* at the same time; 0: no limit */
};

struct clusters;

/* list: copied, its texts and ports borrowed; the first is the default. */
struct clusters *clusters_new(struct loop *loop, const struct cluster *list, size_t n);
/* Operations of its port must be done or cancelled. NULL is fine. */
void clusters_free(struct clusters *c);

const struct port_cluster *clusters_port(const struct clusters *c);
size_t clusters_count(const struct clusters *c);
/* The default one is number 0. */
const struct cluster *clusters_get(const struct clusters *c, size_t i);
/* By its name or a former one; NULL if there is none. */
const struct cluster *clusters_find(const struct clusters *c, struct str name);

/* The one that a new project is to have; absent: the default. Fails with INVALID naming `field` and the known names. */
MUST_CHECK bool clusters_choose(const struct clusters *c, struct str name, const char *field,
                                const struct cluster **ret, struct err *reterr);
