// SPDX-License-Identifier: MIT
/* fullstackd serve: the life of the server. It begins to serve at once, also while PostgreSQL is away; the schema is
 * brought up to date when it comes. SIGHUP reads what can be read again; SIGTERM drains; a second one ends at once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/reconciler.h"
#include "core/sweeper.h"
#include "server/gate.h"
#include "server/listener.h"
#include "server/main_serve.h"
#include "server/notify.h"
#include "store/migrate.h"

enum {
    MIGRATE_DEADLINE_MS = 5 * 60 * 1000,
    MIGRATE_CHECK_MS = 10 * 1000,
    MIGRATE_FIRST_MS = 500,
    MIGRATE_CAP_MS = 10 * 1000,
    DRAIN_SLACK_MS = 3000, /* over the listener's own deadline, for the lease to be given back */
};

/* ---- the schema ---- */

static void start_migration(void *arg);

static bool is_fatal_for_schema(const struct server *s, const struct err *err)
{
    bool is_old = str_eq_text(str_from(err->reason), "SchemaOlder");
    return (is_old && !s->config.database.is_auto_migrate) || err->kind == ERR_CONFLICT || !err_retryable(err->kind);
}

static void on_migrated(void *arg, unsigned applied_n, const struct err *err)
{
    struct server *s = arg;
    uint32_t chance;
    s->migration = NULL;
    if (err == NULL) {
        LOG(INFO, "schema is current", KV("applied", applied_n));
    } else if (is_fatal_for_schema(s, err)) {
        LOG(ERROR, "schema is not usable", KV("err", err));
        s->status = EXIT_SCHEMA;
        loop_stop(s->loop);
    } else {
        if (!s->is_schema_waited_for)
            LOG(WARN, "database is away, the schema is checked when it comes", KV("err", err));
        s->is_schema_waited_for = true;
        codec_random(&chance, sizeof(chance));
        loop_timer_set(&s->migration_timer, backoff_next(&s->migration_backoff, chance));
    }
}

static void start_migration(void *arg)
{
    struct server *s = arg;
    bool is_auto = s->config.database.is_auto_migrate;
    s->migration = migrate_start(s->loop, &s->config.database_url, is_auto ? MIGRATE_APPLY : MIGRATE_CHECK,
                                 is_auto ? MIGRATE_DEADLINE_MS : MIGRATE_CHECK_MS, on_migrated, s);
}

/* ---- drain ---- */

static void end_when_drained(struct server *s)
{
    if (s->is_listener_empty && s->is_lease_released) {
        LOG(INFO, "server has drained", KV("status", s->status));
        loop_stop(s->loop);
    }
}

static void on_listener_empty(void *arg)
{
    struct server *s = arg;
    s->is_listener_empty = true;
    end_when_drained(s);
}

/* The last requests are over: what the audit holds of them is all there will be. */
static void on_requests_over(void *arg)
{
    struct server *s = arg;
    gate_drain(s->gate, on_listener_empty, s);
}

static void on_lease_released(void *arg)
{
    struct server *s = arg;
    s->is_lease_released = true;
    end_when_drained(s);
}

static void on_drain_late(void *arg)
{
    struct server *s = arg;
    LOG(WARN, "drain took too long", KV("is_listener_empty", s->is_listener_empty),
        KV("is_lease_released", s->is_lease_released));
    loop_stop(s->loop);
}

/* As long as is asked for and the deadline leaves. */
static ms_t door_delay_ms(const struct config_listen *c)
{
    ms_t room_ms = c->drain_deadline_ms - c->drain_spread_ms;
    return c->drain_delay_ms < room_ms ? c->drain_delay_ms : room_ms;
}

/* Whoever leads requests here knows by now that it is not ready: a door that shut before would refuse some of them. */
static void on_door(void *arg)
{
    struct server *s = arg;
    const struct config_listen *c = &s->config.listen;
    listener_drain(s->listener, c->drain_spread_ms, c->drain_deadline_ms - door_delay_ms(c), on_requests_over, s);
}

static void on_stop_signal(void *arg)
{
    struct server *s = arg;
    const struct config_listen *c = &s->config.listen;
    if (s->drain != DRAIN_NOT) {
        LOG(WARN, "server stops at once", KV("drain", "second signal"));
        s->drain = DRAIN_NOW;
        loop_stop(s->loop);
        return;
    }
    s->drain = DRAIN_WAITING;
    notify_state("STOPPING=1");
    LOG(INFO, "server drains", KV("delay_ms", door_delay_ms(c)), KV("deadline_ms", c->drain_deadline_ms));
    op_cancel(s->migration);
    s->migration = NULL;
    loop_timer_clear(&s->migration_timer);
    loop_timer_set(&s->drain_timer, c->drain_deadline_ms + DRAIN_SLACK_MS);
    sweeper_free(s->sweeper);
    s->sweeper = NULL;
    reconciler_drain(s->reconciler, s->config.database.request_ms, on_lease_released, s);
    if (door_delay_ms(c) > 0)
        loop_timer_set(&s->door_timer, door_delay_ms(c));
    else
        on_door(s);
}

/* ---- reload ---- */

/* Log level and TLS files. Whatever is wrong leaves the old in place. */
static void on_reload_signal(void *arg)
{
    struct server *s = arg;
    struct config fresh;
    struct err err = {0};
    bool is_good = main_load_config(s->options, &fresh, config_require_serve);
    notify_state("RELOADING=1");
    if (is_good)
        LOG(INFO, "configuration was read again", KV("file", s->options->config_file));
    else
        LOG(ERROR, "configuration is wrong, the old one stays", KV("file", s->options->config_file));
    if (s->config.listen.tls_cert[0] != '\0' && !listener_reload_tls(s->listener, &err))
        LOG(ERROR, "certificate could not be read again, the old one stays", KV("err", &err));
    config_fini(&fresh);
    notify_state("READY=1");
}

/* ---- all ---- */

/* Streams, connections to PostgreSQL and the cluster: as many descriptors as the system allows. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        LOG(WARN, "descriptor limit stays low", KV("why", strerror(errno)));
}

static void run(struct server *s)
{
    loop_timer_init(&s->migration_timer, s->loop, start_migration, s);
    loop_timer_init(&s->drain_timer, s->loop, on_drain_late, s);
    loop_timer_init(&s->door_timer, s->loop, on_door, s);
    s->migration_backoff = (struct backoff){.first_ms = MIGRATE_FIRST_MS, .cap_ms = MIGRATE_CAP_MS};
    s->signals[0] = loop_signal_new(s->loop, SIGTERM, on_stop_signal, s);
    s->signals[1] = loop_signal_new(s->loop, SIGINT, on_stop_signal, s);
    s->signals[2] = loop_signal_new(s->loop, SIGHUP, on_reload_signal, s);
    start_migration(s);
    notify_state("READY=1");
    loop_run(s->loop);
    for (size_t i = 0; i < sizeof(s->signals) / sizeof(s->signals[0]); i++)
        loop_signal_free(s->signals[i]);
    op_cancel(s->migration);
    loop_timer_clear(&s->migration_timer);
    loop_timer_clear(&s->drain_timer);
    loop_timer_clear(&s->door_timer);
}

int main_serve(const struct main_options *o)
{
    struct server s = {.options = o, .status = EXIT_USAGE};
    struct err err = {0};
    if (!main_load_config(o, &s.config, config_require_serve)) {
        config_fini(&s.config);
        return EXIT_USAGE;
    }
    raise_descriptor_limit();
    s.arena = arena_new();
    s.loop = loop_new(&err);
    if (s.loop != NULL) {
        s.started_ms = loop_wall_ms(s.loop);
        if (server_make(&s, &err)) {
            s.status = EXIT_OK;
            run(&s);
        } else {
            main_fail(EXIT_USAGE, "starting", &err);
        }
        server_unmake(&s);
    } else {
        s.status = main_fail(EXIT_FAILED, "starting", &err);
    }
    loop_free(s.loop);
    arena_free(s.arena);
    config_fini(&s.config);
    return s.status;
}
