// SPDX-License-Identifier: MIT
/* All that handlers may use: the store, the domain, and what the process tells of itself. Filled once by the program
 * (server/cmd_serve.c), read by handlers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/activity.h"
#include "core/base/buf.h"
#include "core/port_store.h"

struct bus;
struct clusters;
struct github;
struct open_streams;
struct sandboxes;

struct app_settings {
    ms_t request_ms;            /* for one call to the store on behalf of a request */
    const char *public_url;     /* of browsers; "" if not known */
    const char *admin_users;    /* ids of administrators by configuration, with commas between */
    unsigned projects_per_user; /* 0: no limit */
    ms_t session_idle_ms;
    ms_t session_absolute_ms;
    struct limits_settings limits;
    bool is_development;
    bool has_metrics; /* is /metrics served here? */
};

/* One line of /readyz?verbose. */
struct app_check {
    const char *name;
    bool is_ok;
    bool is_needed;   /* not ready without it; else it is only told */
    const char *text; /* what is wrong or worth knowing; static, "" if nothing */
};
enum { APP_CHECKS_MAX = 64 };

enum app_cluster_state { APP_CLUSTER_STARTING, APP_CLUSTER_AVAILABLE, APP_CLUSTER_UNREACHABLE };

struct app {
    struct loop *loop;
    const struct port_store *store;
    const struct clusters *clusters;
    struct sandboxes *sandboxes;
    struct bus *bus;
    struct open_streams *streams;
    struct activity *activity;
    struct github *github; /* NULL: not offered */
    struct app_settings settings;

    /* How long stages took lately, read again when `usual_until_ms` is over. */
    struct stage_usual usual[STAGE_N];
    ms_t usual_until_ms;

    size_t (*checks)(void *self, struct app_check ret[APP_CHECKS_MAX]); /* pure, how many */
    enum app_cluster_state (*cluster_state)(void *self, size_t i);      /* pure; i: as clusters_get counts */
    void (*metrics)(void *self, struct buf *out);                       /* Prometheus text */
    void *self;
};
