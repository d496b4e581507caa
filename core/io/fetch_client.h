// SPDX-License-Identifier: MIT
/* Private to core/io/fetch*.c: the peer, and how a request to it becomes a curl easy handle. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/io/fetch.h"

struct fetch_client {
    struct fetch *f;
    char *base_url;
    struct secret ca, cert, key, token; /* only the last two are secret; one type to copy and free */
    bool is_unverified;
};

void fetch_client_fini(struct fetch_client *c);

/* Sets every option of `easy` but its callbacks. body: what req->body was, in memory that lives as long as `easy`.
 * *ret_headers: to be freed with the handle; one of them may hold the token. */
CURLcode fetch_client_prepare(const struct fetch_client *c, const struct fetch_request *req, struct str body,
                              CURL *easy, struct curl_slist **ret_headers);
