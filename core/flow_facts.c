// SPDX-License-Identifier: MIT
/* What a flow may believe of the world: what its watches show, unless they lag, and what it remembers to have applied,
 * unless that is gone. */
#include "core/flow_private.h"

enum { LAG_MS = 1000 };

/* Objects of which nobody knows whether they are there: they are not watched. */
static uint64_t unseen(const struct flow *f)
{
    uint64_t objects = 0;
    for (size_t i = 0; i < OBJECT_N; i++) {
        if (f->seen.objects[i] == PRESENCE_UNKNOWN)
            objects |= BIT(i);
    }
    return objects;
}

/* What is gone has to be applied again, and with the workload what it owned, though whoever makes it anew may not hear
 * of it. When the workload was away so shortly that it was not seen, what it owned goes all the same: if one went,
 * those that are not watched may have gone with it. */
void flow_facts_forget_absent(struct flow *f)
{
    for (size_t i = 0; i < OBJECT_N && f->seen.is_synced; i++) {
        if (f->seen.objects[i] != PRESENCE_ABSENT || (f->applied & BIT(i)) == 0)
            continue;
        uint64_t with_it = i == OBJECT_WORKLOAD ? UINT64_MAX : i > OBJECT_WORKLOAD ? unseen(f) : 0;
        f->applied &= ~(BIT(i) | (with_it & ~FLOW_DATABASE_OBJECTS));
        f->is_dirty = true;
    }
}

bool flow_facts_may_make(const struct flow *f, enum cluster_object object)
{
    const uint64_t owned = ~(FLOW_DATABASE_OBJECTS | BIT(OBJECT_WORKLOAD));
    bool is_writing = f->save != NULL || f->is_save_in_doubt;
    uint64_t believed = f->row_applied | (is_writing ? f->saving_applied : 0);
    return object != OBJECT_WORKLOAD || (believed & ~f->applied & owned) == 0;
}

/* A process begins a repair with what the attempt had done. Of what is not watched nobody knows whether it is there
 * still: it is applied once more. */
static void begin_repair(struct flow *f)
{
    if (!f->is_repair_new || !f->seen.is_synced)
        return;
    f->applied &= ~unseen(f);
    f->is_repair_new = false;
    f->is_dirty = true;
}

/* Watches may lag behind what the process before has seen, made and told: for a moment they count as not read. */
static void await_news(struct flow *f)
{
    bool is_behind = f->taken_ms > 0 && f->seen.current_ms <= f->taken_ms;
    if (!is_behind || loop_now_ms(f->ports.loop) >= f->taken_ms + LAG_MS)
        return;
    f->seen.is_synced = false;
    flow_look_at(f, f->taken_ms + LAG_MS);
}

void flow_facts_read(struct flow *f)
{
    const struct port_cluster *cluster = f->ports.cluster;
    cluster->observe(cluster->self, &f->sb, &f->seen);
    await_news(f);
    if (f->seen.is_reachable)
        f->away_since_ms = 0;
    else if (f->away_since_ms == 0)
        f->away_since_ms = loop_now_ms(f->ports.loop);
    begin_repair(f);
}
