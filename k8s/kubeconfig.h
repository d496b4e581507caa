// SPDX-License-Identifier: MIT
/* Where the Kubernetes API is, whom to trust and who we are: from a kubeconfig file (YAML or JSON) or from the service
 * account of a pod. Reads files once, at start; only the token file is read again. Not supported, and said so: exec
 * plug-ins, auth providers, user name and password, tls-server-name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"

enum {
    KUBECONFIG_CEILING_BYTES = 1 << 20,
    KUBECONFIG_DEPTH_MAX = 64,
    KUBECONFIG_EVENTS_MAX = 100000, /* nodes of the YAML document, so that it stays small in memory */
};

struct kubeconfig {
    char *server;         /* base URL, as written */
    char *namespace_name; /* of the context; NULL if it names none */
    char *context;        /* "in-cluster" for a service account */
    struct secret ca;     /* PEM; none: the system's store */
    struct secret cert;   /* PEM; none: no client certificate */
    struct secret key;
    struct secret token;
    char *token_path;       /* NULL: the token does not change */
    int64_t token_mtime_ns; /* of what `token` was read from */
    bool is_unverified;     /* insecure-skip-tls-verify was asked for and allowed; the caller should warn */
};

struct kubeconfig_source {
    const char *path;         /* NULL: .secret/kubeconfig, then ../.secret/kubeconfig, then the service account */
    const char *context;      /* NULL: current-context */
    const char *service_host; /* $KUBERNETES_SERVICE_HOST; NULL or "": not in a pod */
    const char *service_port; /* $KUBERNETES_SERVICE_PORT; NULL: 443 */
    const char *account_dir;  /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
    bool is_loopback_allowed;
    bool is_unverified_allowed;
};

/* Finds and reads the configuration. Fails with MISSING ("Kubeconfig file not found at: …"), INVALID ("Invalid server
 * endpoint: …" for an empty or loopback server, anything malformed or not supported), TOO_LARGE. */
MUST_CHECK struct kubeconfig *kubeconfig_load(const struct kubeconfig_source *source, struct err *reterr);
/* As kubeconfig_load for a text. dir: what relative file names in it are relative to. */
MUST_CHECK struct kubeconfig *kubeconfig_parse(struct str text, const char *dir, const struct kubeconfig_source *source,
                                               struct err *reterr);
void kubeconfig_free(struct kubeconfig *kc); /* NULL is fine */

/* Reads the token file again if it changed (or if is_forced). *ret_is_new: the token is another one than before.
 * Without a token file: true, nothing new. On failure the old token stays. A file of the node's own memory is read: it
 * does not block the loop for longer than a system call. */
MUST_CHECK bool kubeconfig_refresh_token(struct kubeconfig *kc, bool is_forced, bool *ret_is_new, struct err *reterr);
