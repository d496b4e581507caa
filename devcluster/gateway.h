// SPDX-License-Identifier: MIT
/* Stands for the ingress controller: answers the host names of Ingresses with a page that says what would be there. */
#pragma once

#include "devcluster/objects/store.h"
#include "server/http.h"

struct gateway;
struct gateway *gateway_new(struct store *store); /* store: borrowed */
void gateway_free(struct gateway *g);
const struct http_service *gateway_service(struct gateway *g);
