// SPDX-License-Identifier: MIT
/* What an answer of the Kubernetes API means: HTTP status, metav1.Status, or the plain text that filters before the API
 * send, as one struct err. Pure. The facts were recorded from a real kube-apiserver; tests/golden/kube holds them. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/str.h"

/* True for 2xx. Otherwise fills reterr: is_kubernetes is set, code is the HTTP status, field the first cause's field,
 * retry_after_s the larger of the header's and the body's; kind and reason are what the table in status.c says of the
 * status, or more precisely: 403 QuotaExceeded or NamespaceTerminating; 404 NamespaceMissing, or NoSuchResource where
 * no such API is served (its CRD is not installed); 409 FieldManagerConflict or Precondition, and NOT_READY
 * BeingDeleted.
 * status: as a JSON value, NULL if the body was none. text: the body, for plain text. */
MUST_CHECK bool status_check(int http_status, unsigned retry_after_s, const struct json_value *status, struct str text,
                             struct err *reterr);

/* The same for the Status object inside a watch's ERROR event: its code stands for the HTTP status. */
void status_from_event(const struct json_value *status, struct err *ret);
