// SPDX-License-Identifier: MIT
/* A client of Kubernetes on a loop of its own, before a server that answers what the test says (canned_http.h). */
#pragma once

#include "unit/canned_http.h"

#include "k8s/client.h"

struct canned_api {
    struct loop *loop;
    struct fetch *fetch;
    struct canned_server server;
    struct kube *kube;
};

static inline void canned_api_init(struct canned_api *api, canned_on_request *on_request, void *arg)
{
    struct kubeconfig *config = calloc(1, sizeof *config);
    struct err err = {0};
    api->loop = loop_new(&err);
    api->fetch = fetch_new(api->loop, &err);
    canned_init(&api->server, api->loop, on_request, arg);
    config->server = xstrdup(api->server.url);
    api->kube = kube_new(api->loop, api->fetch, config, &err);
}

static inline void canned_api_fini(struct canned_api *api)
{
    kube_free(api->kube);
    fetch_free(api->fetch);
    canned_fini(&api->server);
    loop_free(api->loop);
}
