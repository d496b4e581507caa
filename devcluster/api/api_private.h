// SPDX-License-Identifier: MIT
/* The API server's own struct; for the files of this folder. */
#pragma once

#include "devcluster/api/api.h"
#include "devcluster/api/faults.h"

struct watch;

struct api {
    struct loop *loop;
    struct store *store;
    struct access *access;
    ms_t bookmark_ms;
    struct http_service service;
    struct store_listener listener;
    struct watch *watches[KIND_N]; /* open ones, doubly linked */
    struct faults *faults;
    struct held *held; /* requests a fault delays */
};

/* To watch.c: an event of the store; everything ends; clients are cut without a last chunk. */
void watch_on_event(void *arg, struct entry *entry, const struct event *event);
void watch_end_kind(struct api *api, enum kind_id kind);
void watch_end_all(struct api *api);
void watch_cut_all(struct api *api);
