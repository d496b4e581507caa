// SPDX-License-Identifier: MIT
/* Kubeconfig files for the accounts. They are JSON, which is YAML as well. */
#pragma once

#include "core/base/err.h"
#include "core/base/str.h"
#include "devcluster/api/access.h"

struct kubeconfig_cluster {
    const char *server; /* "https://127.0.0.1:16443" */
    struct str ca_pem;
    const char *ns; /* of the context */
};

/* Mode 0600. */
MUST_CHECK bool kubeconfig_write(const char *path, const struct kubeconfig_cluster *cluster,
                                 const struct account *account, struct err *reterr);
