// SPDX-License-Identifier: MIT
/* What was true of a sandbox and when, and how much of it each process could know: what is told is held against it. */
#include "core/flow.h"
#include "tests/sim/sim_cluster_private.h"

/* ---- ready ---- */

void sim_note_ready(const struct sim_cluster *c, struct place *p, const struct observed *truth)
{
    bool must_be_accepted = p->kinds.route == ROUTE_HTTPROUTE;
    const bool facts[SIM_FACTS_N] = {
        [SIM_FACT_DATABASE] = truth->database.phase == DB_PHASE_RUNNING,
        [SIM_FACT_POD] = truth->pod.is_ready,
        [SIM_FACT_ENDPOINT] = truth->endpoints_ready_n > 0,
        [SIM_FACT_APP] = sim_presence_of(&p->things[OBJECT_INGRESS_APP]) == PRESENCE_PRESENT &&
                         (!must_be_accepted || truth->route_app.is_accepted),
        [SIM_FACT_TTY] = sim_presence_of(&p->things[OBJECT_INGRESS_TTY]) == PRESENCE_PRESENT &&
                         (!must_be_accepted || truth->route_tty.is_accepted),
    };
    bool is_ready = true;
    for (size_t i = 0; i < SIM_FACTS_N; i++) {
        is_ready = is_ready && facts[i];
        if (facts[i])
            p->fact_last_ms[i] = sim_now(c);
    }
    if (!is_ready)
        p->ready_since_ms = 0;
    else if (p->ready_since_ms == 0)
        p->ready_since_ms = sim_now(c);
    if (is_ready)
        p->ready_last_ms = sim_now(c);
}

static struct place *find_place(struct sim_cluster *c, const char *project_id)
{
    for (size_t i = 0; i < c->places_n; i++) {
        if (strcmp(c->places[i].project_id, project_id) == 0)
            return &c->places[i];
    }
    return NULL;
}

enum {
    /* From the last look at which it was ready to the row: the engine's own bound, and a call that is heard of late. */
    WRITTEN_MS = FLOW_READY_FRESH_MS + SIM_CALL_MS + SIM_COMMIT_LATE_MS,
    SEEN_MS = 2 * SIM_BEHIND_MS, /* a tick of the world more */
};

/* When it had last looked, at that moment. */
static ms_t look_before(const struct sight *s, ms_t at_ms)
{
    for (unsigned n = s->looks_n; n > 0 && n + SIM_LOOKS_N > s->looks_n; n--) {
        if (s->looks_ms[(n - 1) % SIM_LOOKS_N] <= at_ms)
            return s->looks_ms[(n - 1) % SIM_LOOKS_N];
    }
    return 0;
}

ms_t sim_cluster_ready_since(struct sim_cluster *c, size_t node, const char *project_id)
{
    struct place *p = find_place(c, project_id);
    ms_t now_ms = sim_now(c);
    if (p == NULL)
        return 0;
    struct observed truth;
    sim_show(c, p, &truth);
    sim_note_ready(c, p, &truth);
    /* What it saw when it decided, at the earliest. */
    ms_t seen_ms = look_before(&c->views[node].sights[p - c->places], now_ms - WRITTEN_MS) - SEEN_MS;
    if (p->ready_last_ms > 0 && p->ready_last_ms >= seen_ms)
        return p->ready_since_ms > 0 ? p->ready_since_ms : p->ready_last_ms;
    ms_t oldest_ms = p->fact_last_ms[0];
    for (size_t i = 1; i < SIM_FACTS_N; i++)
        oldest_ms = p->fact_last_ms[i] < oldest_ms ? p->fact_last_ms[i] : oldest_ms;
    ms_t blind_ms = c->views[node].blind_last_ms;
    bool was_blind = blind_ms > 0 && now_ms <= blind_ms + WRITTEN_MS + SEEN_MS;
    return was_blind && oldest_ms > 0 && oldest_ms >= seen_ms ? oldest_ms : 0;
}

/* ---- what a process knows ---- */

void sim_sight_look(struct view *v, size_t place)
{
    struct sight *s = &v->sights[place];
    s->looked_ms = sim_now(v->cluster);
    s->looks_ms[s->looks_n++ % SIM_LOOKS_N] = s->looked_ms;
    s->surely_n = v->cluster->places[place].worse_n;
    s->perhaps_n = s->surely_n;
}

void sim_sight_answer(struct view *v, size_t place)
{
    v->sights[place].perhaps_n = v->cluster->places[place].worse_n;
}

void sim_sight_use(struct view *v, size_t place)
{
    struct sight *s = &v->sights[place];
    const struct sim *sim = v->cluster->sim;
    const struct knowledge *last = s->known_n > 0 ? &s->known[s->known_n - 1] : NULL;
    ms_t at_ms = loop_now_ms(sim->processes[v - v->cluster->views]);
    if (last != NULL && last->surely_n == s->surely_n && last->perhaps_n == s->perhaps_n)
        return;
    if (last != NULL && last->at_ms == at_ms)
        s->known_n--;
    if (s->known_n == SIM_KNOWN_N) {
        s->known_n /= 2;
        memmove(s->known, s->known + s->known_n, s->known_n * sizeof(*s->known));
    }
    s->known[s->known_n++] = (struct knowledge){at_ms, s->surely_n, s->perhaps_n};
}

static const struct knowledge *known_at(const struct sight *s, ms_t at_ms)
{
    for (size_t i = s->known_n; i-- > 0;) {
        if (s->known[i].at_ms <= at_ms)
            return &s->known[i];
    }
    return NULL;
}

void sim_cluster_hear_leader(const struct sim_cluster *c, size_t node, struct sim_told *told)
{
    for (size_t i = 0; i < STAGE_N; i++) {
        if (c->views[node].blind_last_ms >= told->completed_ms[i])
            told->is_blurred[i] = true;
    }
}

void sim_cluster_hear_stage(struct sim_cluster *c, size_t node, const struct journal_event *e, struct sim_told *told)
{
    const struct place *p = find_place(c, e->project_id);
    const struct loop *process = c->sim->processes[node];
    /* The wall clocks of processes differ, and by how much is known unless somebody set one. */
    ms_t at_ms = e->at_ms - (loop_wall_ms(process) - loop_now_ms(process));
    if (told->attempt != e->attempt)
        *told = (struct sim_told){.attempt = e->attempt};
    const struct knowledge *known = p != NULL ? known_at(&c->views[node].sights[p - c->places], at_ms) : NULL;
    bool was_completed = told->is_completed[e->stage];
    told->is_completed[e->stage] = e->stage_status == STAGE_STATUS_COMPLETED && known != NULL;
    if (told->is_completed[e->stage]) {
        told->worse_n[e->stage] = known->surely_n;
        told->completed_ms[e->stage] = at_ms;
        told->is_blurred[e->stage] = false;
    }
    if (!told->is_completed[e->stage] && was_completed && known != NULL && !c->sim->is_wall_set &&
        !told->is_blurred[e->stage] && known->perhaps_n <= told->worse_n[e->stage])
        sim_violated(c->sim, "%s attempt %u: stage %s was completed, nothing got worse, and it is told %s: %s",
                     e->project_id, e->attempt, stage_id(e->stage), stage_status_id(e->stage_status), e->message);
}
