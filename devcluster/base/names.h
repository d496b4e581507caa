// SPDX-License-Identifier: MIT
/* What Kubernetes calls a valid name, label and quantity, with a real API server's words of refusal. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"

enum name_rule {
    NAME_SUBDOMAIN, /* DNS-1123 subdomain, 253 characters: most objects */
    NAME_LABEL,     /* DNS-1123 label, 63: namespaces, services, containers, volumes */
    NAME_PATH,      /* anything that can stand in a path: roles and bindings */
};

/* NULL when `name` obeys the rule, else why not. */
const char *name_refusal(enum name_rule rule, struct str name);
/* A label or annotation key: [prefix/]name. */
const char *label_key_refusal(struct str key);
const char *label_value_refusal(struct str value);
/* Names of ports: at most 15 of [a-z0-9-], at least one letter. */
const char *port_name_refusal(struct str name);
const char *env_name_refusal(struct str name);

/* "100m", "1.5", "256Mi", "5k", "1e3": in thousandths of the unit, rounded up. False: not a quantity, negative or more
 * than 2^62 thousandths. source: Kubernetes API reference, "Quantity". */
MUST_CHECK bool quantity_parse(struct str text, int64_t *ret_milli);

/* A Go duration of the kinds used in annotations: "2s", "300ms", "1m30s". */
MUST_CHECK bool duration_parse_ms(struct str text, int64_t *ret_ms);
