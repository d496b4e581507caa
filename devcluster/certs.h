// SPDX-License-Identifier: MIT
/* The cluster's own certificate authority and server certificate (EC P-256), as PEM files. certs.c is the only file of
 * this folder that includes OpenSSL. */
#pragma once

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"

struct certs {
    const char *cert_path; /* of the server; all texts in the arena */
    const char *key_path;
    struct str ca_pem;
};

/* Takes ca.crt and ca.key of an earlier start, or makes them; makes server.crt and server.key (keys: mode 0600).
 * host: one more name or address in the certificate besides localhost, 127.0.0.1 and ::1; NULL: none. */
MUST_CHECK bool certs_make(struct arena *a, const char *dir, const char *host, struct certs *ret, struct err *reterr);
