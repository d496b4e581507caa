// SPDX-License-Identifier: MIT
/* The API server: the HTTP service in front of a store. */
#pragma once

#include "core/base/err.h"
#include "core/io/loop.h"
#include "devcluster/api/access.h"
#include "devcluster/objects/store.h"
#include "server/http.h"

struct api;

struct api_config {
    struct store *store;   /* borrowed */
    struct access *access; /* borrowed */
    ms_t bookmark_ms;      /* idle watches that allow bookmarks get one this often; 0: 60,000 */
};

struct api *api_new(struct loop *loop, const struct api_config *config);
void api_free(struct api *api); /* ends open watches */
const struct http_service *api_service(struct api *api);
