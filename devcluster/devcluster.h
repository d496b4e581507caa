// SPDX-License-Identifier: MIT
/* The embedded cluster as one thing: store, API server, controllers, gateway, its files. Used by devcluster/main.c and
 * by tests that want it in their own process. */
#pragma once

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/io/loop.h"
#include "devcluster/control/control.h"

struct devcluster;

/* Texts are borrowed for the cluster's life. */
struct devcluster_config {
    const char *dir;     /* state: certificates, tokens, kubeconfigs; made when missing */
    const char *address; /* numeric; NULL: 127.0.0.1 */
    const char *host;    /* name in the certificate and in the kubeconfigs; NULL: the address */
    uint16_t port;       /* of the API; 0: any */
    bool is_kept;        /* what the cluster holds outlives it, in `dir` */
    bool has_gateway;
    uint16_t gateway_port;  /* 0: any */
    const char *ns;         /* NULL: ns-ajno7yq7 */
    const char *kubeconfig; /* one more file to write; NULL: none */
    const char *account;    /* whose: "sealos-user" (NULL), "fullstackd" or "admin" */
    const char *role;       /* file with the Role that the account "fullstackd" has, and follows; NULL: the table's */
    enum crd kubeblocks;    /* how it is installed at the start */
    struct control_delays delays;
    const char *history;     /* file for a line per object made, removed or of a new generation; NULL: none */
    size_t events_n;         /* remembered per kind; 0: 4,096 */
    ms_t bookmark_ms;        /* 0: 60,000 */
    const struct secret *pg; /* connection of a PostgreSQL role that may make roles and databases; NULL: none */
    const char *pg_host;     /* what the Secrets say; NULL: 127.0.0.1 */
    uint16_t pg_port;        /* 0: 5432 */
};

/* NULL with the reason. Listens when it returns. */
MUST_CHECK struct devcluster *devcluster_new(struct loop *loop, const struct devcluster_config *config,
                                             struct err *reterr);
void devcluster_free(struct devcluster *d);
uint16_t devcluster_port(const struct devcluster *d);
uint16_t devcluster_gateway_port(const struct devcluster *d); /* 0: none */
const char *devcluster_server(const struct devcluster *d);    /* "https://127.0.0.1:16443" */
/* The path of the kubeconfig of an account, in the state directory. */
const char *devcluster_kubeconfig(const struct devcluster *d, const char *account);
