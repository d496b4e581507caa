// SPDX-License-Identifier: MIT
/* Is a text fit to be what its key says? Each: value is not empty; fails with INVALID and never shows the value where a
 * secret may stand in it. Used by the rows of config_table.c. */
#pragma once

#include "core/base/err.h"
#include "core/base/str.h"

MUST_CHECK bool config_check_address(struct str value, struct err *reterr);    /* numeric IP or unix:/path */
MUST_CHECK bool config_check_peers(struct str value, struct err *reterr);      /* addresses or CIDRs, comma-separated */
MUST_CHECK bool config_check_public_url(struct str value, struct err *reterr); /* http(s)://host[:port] */
/* https://host[:port][/path]; http only on this machine; no slash at the end. */
MUST_CHECK bool config_check_provider_url(struct str value, struct err *reterr);
MUST_CHECK bool config_check_postgres_url(struct str value, struct err *reterr);
MUST_CHECK bool config_check_redis_url(struct str value, struct err *reterr);
MUST_CHECK bool config_check_domain(struct str value, struct err *reterr);     /* DNS names without a dot at the end */
MUST_CHECK bool config_check_kube_label(struct str value, struct err *reterr); /* DNS-1123 label */
/* Origins as browsers send them, comma-separated: https, or http of this machine; no path, no standard port. */
MUST_CHECK bool config_check_origins(struct str value, struct err *reterr);
MUST_CHECK bool config_check_kube_labels(struct str value, struct err *reterr);      /* of them, comma-separated */
MUST_CHECK bool config_check_kube_name(struct str value, struct err *reterr);        /* DNS-1123 subdomain */
MUST_CHECK bool config_check_quantity(struct str value, struct err *reterr);         /* "10Gi" */
MUST_CHECK bool config_check_path(struct str value, struct err *reterr);             /* absolute, fit for a mount */
MUST_CHECK bool config_check_gateway_duration(struct str value, struct err *reterr); /* "0s", "1h30m" */
MUST_CHECK bool config_check_image(struct str value, struct err *reterr);
MUST_CHECK bool config_check_version(struct str value, struct err *reterr); /* "14.8.0" */
MUST_CHECK bool config_check_keyring(struct str value, struct err *reterr);
MUST_CHECK bool config_check_long_secret(struct str value, struct err *reterr); /* at least 16 bytes */
