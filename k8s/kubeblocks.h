// SPDX-License-Identifier: MIT
/* KubeBlocks' dialects: how its API version spells a PostgreSQL cluster and where it leaves the credentials. Pure. A
 * new API version is a new row. */
#pragma once

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/observed.h"
#include "core/sandbox.h"

struct json_writer;
struct manifest;

#define KUBEBLOCKS_GROUP_PATH "/apis/apps.kubeblocks.io"

struct kubeblocks_dialect {
    const char *version;
    const char *secret_suffix; /* of the credentials' Secret, after the Cluster's name */
    const char *host_suffix;   /* of the Service's name, where the Secret does not tell the host */
    bool has_stop_field;       /* a component is stopped by its field `stop`; else by replicas 0 and an annotation */
    void (*write)(struct json_writer *w, const struct manifest *m);
};

/* kubeblocks_run.c. Does the Cluster's spec say, in either way, that none of its components is to run? */
bool kubeblocks_is_halted(const struct json_value *cluster);
/* Members of the annotations and of the spec of the merge patch that stops or starts a database. */
struct manifest_run;
void kubeblocks_write_run_annotations(struct json_writer *w, const struct manifest_run *m);
void kubeblocks_write_run_spec(struct json_writer *w, const struct manifest_run *m);

/* The dialect for a server with these versions of the group: v1 if it is served (then v1alpha1 is too, but the operator
 * does not run what is written in it), else v1alpha1; NULL if neither is. group: the APIGroup object. */
const struct kubeblocks_dialect *kubeblocks_choose(const struct json_value *group);
const struct kubeblocks_dialect *kubeblocks_v1alpha1(void);
const struct kubeblocks_dialect *kubeblocks_newest(void);
/* Whose Secret a database may have, the likeliest first: i 0 is the served dialect, then come the others, because a
 * database keeps the Secret it was made with when KubeBlocks is upgraded. NULL at the end. */
const struct kubeblocks_dialect *kubeblocks_likely(const struct kubeblocks_dialect *served, size_t i);

/* The first field of the manifest's spec that the answer to its creation does not have, as "spec.clusterDef" into ret;
 * false: all was kept. Where a newer version is stored, an older one's Cluster is accepted without a word, with
 * fieldValidation=Strict too, and is robbed of what the newer one does not know. */
bool kubeblocks_lost_field(const struct json_value *sent, const struct json_value *kept, char *ret, size_t size);

/* Name of the Secret with the credentials; OBJECT_NAME_SIZE + 32 bytes hold it. */
enum { KUBEBLOCKS_SECRET_SIZE = KUBE_NAME_SIZE + 48 };
void kubeblocks_secret_name(const struct kubeblocks_dialect *d, const struct sandbox *sb,
                            char ret[KUBEBLOCKS_SECRET_SIZE]);
/* From that Secret: a missing database is "postgres", a missing port 5432, a host is taken as it is. A missing user or
 * password is MISSING, since it may still come; a text that is no text is INVALID. *ret is empty on failure; else
 * db_credentials_fini it. */
MUST_CHECK bool kubeblocks_credentials(const struct kubeblocks_dialect *d, const struct sandbox *sb,
                                       const struct json_value *secret, struct db_credentials *ret, struct err *reterr);

/* status of a Cluster, in either dialect. */
enum db_phase kubeblocks_phase(const struct json_value *cluster);
/* Will it not even begin? *ret_why: the message that says so or the first condition that is False; may be absent. */
bool kubeblocks_is_refused(const struct json_value *cluster, struct str *ret_why);
