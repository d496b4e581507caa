// SPDX-License-Identifier: MIT
/* What runs without a flow is watched here too: what is found of it is told, and a repair begins a flow. */
#include "core/reconciler_private.h"

enum { REPAIR_FLOWS_MAX = 64 }; /* beyond so many flows none is begun by itself: people come first */

static void on_drift_event(void *arg, const struct journal_event *event)
{
    struct reconciler *r = arg;
    r->ports.listener.on_events(r, event, 1);
}

static void on_repair(void *arg, const char *project_id)
{
    reconciler_poke(arg, project_id);
}

static bool has_room(void *arg)
{
    const struct reconciler *r = arg;
    return HASH_COUNT(r->leds) < REPAIR_FLOWS_MAX;
}

struct drift_watch *reconciler_watch_drift(struct reconciler *r)
{
    const struct drift_config config = {
        .loop = r->config.loop,
        .cluster = r->ports.cluster,
        .store = r->config.store,
        .is_repairing = r->config.is_repairing,
        .listener = {.on_event = on_drift_event,
                     .on_repair = on_repair,
                     .on_doubt = reconciler_recount,
                     .may_act = r->ports.listener.may_act,
                     .has_room = has_room,
                     .arg = r},
    };
    return drift_new(&config);
}

bool reconciler_shows_drift(const struct reconciler *r, const struct sandbox *sb, enum reason *ret_code,
                            char ret_message[MESSAGE_SIZE])
{
    return drift_shown(r->drift, sb, ret_code, ret_message);
}
