// SPDX-License-Identifier: MIT
/* The ladder of one cluster: BEGIN -> each kind: LIST, MATCH in batches -> PLACES in pages -> DELETE one by one -> END.
 * The list comes before the rows: a row is written before anything of it is made, so whatever a list shows has its row
 * by then. */
#include "core/sweep_pass.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

enum {
    LEASE_MS = 15 * 60 * 1000,
    LEG_MS = 10 * 60 * 1000, /* then a cluster's comparison ends where it is */
    LIST_MS = 60 * 1000,
    BATCH_N = 500,
    OBJECTS_MAX = 200000, /* of one kind */
    DETAIL_BYTES = 512,
    DRY_SLACK_MS = 60 * 1000, /* between our clock and PostgreSQL's, where nothing was written that would tell */
};

struct names {
    const char **list;
    size_t n;
    size_t room;
};

struct pass {
    struct op op;
    struct sweep_options options;
    sweep_on_done *done;
    void *arg;
    struct arena *arena; /* what the report is made of */
    struct op *call;
    struct loop_task next; /* the next cluster */
    size_t left_out_n;
    struct sweep_summary *summaries;
    size_t summaries_n;
    struct sweep_finding *findings; /* of all clusters */
    size_t findings_n;
    size_t findings_room;

    /* of the cluster that is being compared */
    size_t at;
    struct arena *leg_arena;
    struct sweep_summary *summary;
    size_t first; /* its first finding */
    ms_t until_ms;
    int64_t begun_ms;   /* PostgreSQL's wall clock */
    uint32_t looked_at; /* bits of enum survey_kind */
    bool is_partial;
    bool is_away; /* it stopped to answer, or the store did: nothing is deleted */
    struct buf detail;
    enum survey_kind kind; /* that is being looked at */
    struct arena *kind_arena;
    struct surveyed *objects;
    size_t objects_n;
    size_t objects_room;
    size_t matched_n;
    struct names databases; /* sorted once they are listed */
    struct names workloads[SURVEY_N];
    char last_project_id[ID_SIZE];
    struct surveyed *due;
    size_t *due_findings; /* where each stands */
    size_t due_n;
    size_t due_at;
};

/* ---- small things ---- */

static const struct cluster *cluster_of(const struct pass *p)
{
    return clusters_get(p->options.clusters, p->at);
}

static const struct port_survey *survey_of(const struct pass *p)
{
    return cluster_of(p)->survey;
}

static void *grow(void *list, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return list;
    *room = *room == 0 ? 64 : *room * 2;
    return xrealloc(list, *room * size);
}

static void names_add(struct names *names, const char *name)
{
    names->list = grow(names->list, names->n, &names->room, sizeof(*names->list));
    names->list[names->n++] = name;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool names_has(const struct names *names, const char *name)
{
    return names->n > 0 && bsearch(&name, names->list, names->n, sizeof(*names->list), compare_names) != NULL;
}

static void names_fini(struct names *names)
{
    free(names->list);
    *names = (struct names){0};
}

static bool was_looked_at(const struct pass *p, enum survey_kind kind)
{
    return (p->looked_at >> kind & 1) != 0;
}

static void add_detail(struct pass *p, const char *what, const char *why)
{
    buf_addf(&p->detail, "%s%s: %s", p->detail.n > 0 ? "; " : "", what, why);
}

static struct sweep_finding *add_finding(struct pass *p, enum sweep_verdict verdict)
{
    p->summary->counts[verdict]++;
    if (verdict == SWEEP_KNOWN || p->findings_n - p->first >= SWEEP_FINDINGS_MAX)
        return NULL;
    p->findings = grow(p->findings, p->findings_n, &p->findings_room, sizeof(*p->findings));
    struct sweep_finding *f = &p->findings[p->findings_n++];
    *f = (struct sweep_finding){.cluster = cluster_of(p)->name,
                                .uid = "",
                                .verdict = verdict,
                                .detail = "",
                                .made_ms = -1,
                                .first_seen_ms = -1};
    return f;
}

/* ---- the whole ---- */

static void free_pass(void *arg)
{
    struct pass *p = arg;
    arena_free(p->arena);
    free(p->summaries);
    free(p->findings);
    free(p);
}

static void leave_kind(struct pass *p)
{
    arena_free(p->kind_arena);
    p->kind_arena = NULL;
    free(p->objects);
    p->objects = NULL;
    p->objects_n = 0;
    p->objects_room = 0;
    p->matched_n = 0;
}

static void leave_cluster(struct pass *p)
{
    leave_kind(p);
    buf_fini(&p->detail);
    names_fini(&p->databases);
    for (size_t i = 0; i < SURVEY_N; i++)
        names_fini(&p->workloads[i]);
    free(p->due);
    free(p->due_findings);
    p->due = NULL;
    p->due_findings = NULL;
    arena_free(p->leg_arena);
    p->leg_arena = NULL;
}

static void spend(struct pass *p)
{
    op_cancel(p->call);
    p->call = NULL;
    loop_task_clear(&p->next);
    leave_cluster(p);
    loop_defer_free(p->options.loop, p, free_pass);
}

static void cancel_pass(struct op *op)
{
    spend((struct pass *)op);
}

static void begin_cluster(struct pass *p);

/* From a task, so that clusters that are left out do not call each other deeper and deeper. */
static void on_next(void *arg)
{
    struct pass *p = arg;
    if (p->at < clusters_count(p->options.clusters)) {
        begin_cluster(p);
        return;
    }
    const struct sweep_report report = {p->summaries, p->summaries_n, p->findings, p->findings_n};
    spend(p);
    p->done(p->arg, &report, p->left_out_n);
}

static void next_cluster(struct pass *p)
{
    leave_cluster(p);
    p->at++;
    loop_defer(&p->next);
}

/* ---- END ---- */

static void on_ended(void *arg, bool is_written, const struct err *err)
{
    struct pass *p = arg;
    p->call = NULL;
    if (err != NULL || !is_written)
        LOG(WARN, "what a sweep found was not stored", KV("cluster", cluster_of(p)->name),
            KV("taken_over", (bool)(err == NULL)), KV("err", err));
    next_cluster(p);
}

static void end_cluster(struct pass *p)
{
    struct sweep_summary *s = p->summary;
    bool is_blind = p->looked_at == 0 || p->is_away;
    s->result = is_blind ? SWEEP_UNKNOWN : p->is_partial ? SWEEP_PARTIAL : SWEEP_COMPLETE;
    s->detail = arena_dup(p->arena, buf_str(&p->detail));
    s->ended_ms = loop_wall_ms(p->options.loop);
    LOG(INFO, "swept", KV("cluster", s->cluster), KV("result", sweep_result_id(s->result)), KV("detail", s->detail),
        KV("objects", s->objects_n), KV("waiting", s->counts[SWEEP_WAITING]), KV("due", s->counts[SWEEP_DUE]),
        KV("removed", s->counts[SWEEP_REMOVED]), KV("missing", s->counts[SWEEP_MISSING]));
    if (p->options.is_dry) {
        next_cluster(p);
        return;
    }
    const struct sweep_outcome outcome = {s, p->is_away ? 0 : p->looked_at, p->findings + p->first,
                                          p->findings_n - p->first};
    const struct port_store *store = p->options.store;
    p->call = store->sweep_end(store->self, &outcome, p->options.call_ms, on_ended, p);
}

/* ---- DELETE ---- */

static void remove_next(struct pass *p);

static void on_removed(void *arg, const struct err *err)
{
    struct pass *p = arg;
    struct sweep_finding *f = &p->findings[p->due_findings[p->due_at++]];
    p->call = NULL;
    f->verdict = err == NULL ? SWEEP_REMOVED : SWEEP_REFUSED;
    p->summary->counts[SWEEP_DUE]--;
    p->summary->counts[f->verdict]++;
    if (err == NULL) {
        LOG(INFO, "orphan deleted", KV("cluster", f->cluster), KV("kind", f->kind), KV("name", f->name),
            KV("uid", f->uid), KV("project", f->project_id));
    } else {
        LOG(WARN, "orphan not deleted", KV("cluster", f->cluster), KV("kind", f->kind), KV("name", f->name),
            KV("err", err));
        f->detail = arena_dup(p->arena, str_from(err->msg));
    }
    remove_next(p);
}

static void remove_next(struct pass *p)
{
    if (p->due_at >= p->due_n || loop_now_ms(p->options.loop) >= p->until_ms) {
        end_cluster(p);
        return;
    }
    const struct port_survey *survey = survey_of(p);
    p->call = survey->remove(survey->self, &p->due[p->due_at], p->options.call_ms, on_removed, p);
}

static void remove_due(struct pass *p)
{
    bool may_delete = p->options.is_deleting && !p->options.is_dry && !p->is_away;
    uint64_t due_n = p->summary->counts[SWEEP_DUE];
    if (due_n > p->options.at_most_n) {
        LOG(ERROR, "so many orphans are due that none is deleted; see fullstackd sweep",
            KV("cluster", cluster_of(p)->name), KV("due", due_n), KV("at_most", p->options.at_most_n));
        buf_addf(&p->detail, "%s%llu objects are due, more than sweep.at_most allows: none is deleted",
                 p->detail.n > 0 ? "; " : "", (unsigned long long)due_n);
        may_delete = false;
    }
    p->due_at = may_delete ? 0 : p->due_n;
    remove_next(p);
}

/* ---- PLACES ---- */

static void ask_places(struct pass *p);

static void add_missing(struct pass *p, const struct sweep_place *place, enum survey_kind kind, const char *name)
{
    struct sweep_finding *f = add_finding(p, SWEEP_MISSING);
    if (f == NULL)
        return;
    f->kind = survey_kind_text(kind);
    f->name = arena_dup(p->arena, str_from(name));
    f->project_id = arena_dup(p->arena, str_from(place->project_id));
    f->detail = arena_printf(p->arena, "the project is %s", sandbox_status_row(place->claim.status));
}

static void compare_place(struct pass *p, const struct sweep_place *place)
{
    enum survey_kind kind = place->workload == WORKLOAD_STATEFULSET ? SURVEY_STATEFULSET : SURVEY_DEPLOYMENT;
    if (sweep_needs_database(&place->claim) && was_looked_at(p, SURVEY_DATABASE) &&
        !names_has(&p->databases, place->database_name))
        add_missing(p, place, SURVEY_DATABASE, place->database_name);
    if (sweep_needs_workload(&place->claim) && was_looked_at(p, kind) && !names_has(&p->workloads[kind], place->name))
        add_missing(p, place, kind, place->name);
}

static void store_failed(struct pass *p, const struct err *err)
{
    p->is_away = true;
    add_detail(p, "the rows", err->msg);
    end_cluster(p);
}

static void on_places(void *arg, const struct sweep_place *places, size_t n, const struct err *err)
{
    struct pass *p = arg;
    p->call = NULL;
    if (err != NULL) {
        store_failed(p, err);
        return;
    }
    for (size_t i = 0; i < n; i++)
        compare_place(p, &places[i]);
    if (n > 0)
        memcpy(p->last_project_id, places[n - 1].project_id, sizeof(p->last_project_id));
    if (n == BATCH_N && loop_now_ms(p->options.loop) < p->until_ms)
        ask_places(p);
    else
        remove_due(p);
}

static void ask_places(struct pass *p)
{
    const struct port_store *store = p->options.store;
    const struct sweep_places_query query = {
        .cluster = cluster_of(p)->name,
        .former_names = cluster_of(p)->former_names,
        .namespace_name = survey_of(p)->namespace_name(survey_of(p)->self),
        .before_ms = p->begun_ms,
        .after_project_id = p->last_project_id,
        .max = BATCH_N,
    };
    p->call = store->sweep_places(store->self, &query, p->options.call_ms, on_places, p);
}

/* ---- MATCH ---- */

static void list_kind(struct pass *p);

static void next_kind(struct pass *p)
{
    leave_kind(p);
    p->kind++;
    list_kind(p);
}

static void keep_due(struct pass *p, const struct surveyed *o, const struct sweep_finding *f)
{
    if (p->due_n >= p->options.at_most_n) /* more than that and none is deleted */
        return;
    p->due[p->due_n] = *o;
    p->due[p->due_n].name = str_from(f->name);
    p->due[p->due_n].uid = str_from(f->uid);
    p->due[p->due_n].project_id = str_from(f->project_id);
    p->due[p->due_n].version = STR_NONE; /* it is read again */
    p->due[p->due_n].base = STR_NONE;
    p->due_findings[p->due_n++] = (size_t)(f - p->findings);
}

static void judge(struct pass *p, const struct surveyed *o, const struct sweep_row *row, int64_t now_ms)
{
    char base[KUBE_NAME_SIZE];
    bool is_named = str_copy(o->base, base, sizeof(base));
    bool is_database_there = !was_looked_at(p, SURVEY_DATABASE) || (is_named && names_has(&p->databases, base));
    enum sweep_verdict verdict = sweep_judge(o, row, is_database_there, p->options.grace_ms, now_ms);
    struct sweep_finding *f = add_finding(p, verdict);
    if (f == NULL)
        return;
    f->kind = survey_kind_text(o->kind);
    f->name = arena_dup(p->arena, o->name);
    f->uid = arena_dup(p->arena, o->uid);
    f->project_id = arena_dup(p->arena, o->project_id);
    f->made_ms = o->made_ms;
    f->first_seen_ms = row->first_seen_ms;
    if (verdict == SWEEP_DUE)
        keep_due(p, o, f);
}

static void match_next(struct pass *p);

static void on_match(void *arg, const struct sweep_row *rows, size_t n, int64_t now_ms, const struct err *err)
{
    struct pass *p = arg;
    p->call = NULL;
    if (err != NULL) {
        store_failed(p, err);
        return;
    }
    for (size_t i = 0; i < n && p->matched_n < p->objects_n; i++)
        judge(p, &p->objects[p->matched_n++], &rows[i], now_ms);
    if (n == 0) /* cannot be: there is one for each */
        p->matched_n = p->objects_n;
    match_next(p);
}

static void match_next(struct pass *p)
{
    const struct port_store *store = p->options.store;
    size_t left_n = p->objects_n - p->matched_n;
    if (left_n == 0)
        next_kind(p);
    else
        p->call = store->sweep_match(store->self, cluster_of(p)->name, p->objects + p->matched_n,
                                     left_n < BATCH_N ? left_n : BATCH_N, p->options.call_ms, on_match, p);
}

/* ---- LIST ---- */

static void on_object(void *arg, const struct surveyed *object)
{
    struct pass *p = arg;
    if (p->objects_n >= OBJECTS_MAX)
        return;
    p->objects = grow(p->objects, p->objects_n, &p->objects_room, sizeof(*p->objects));
    struct surveyed *o = &p->objects[p->objects_n++];
    size_t base_at = str_is_none(object->base) ? 0 : (size_t)(object->base.p - object->name.p);
    *o = *object;
    o->name = arena_dup_str(p->kind_arena, object->name);
    o->base = str_is_none(object->base) ? STR_NONE : str_slice(o->name, base_at, base_at + object->base.n);
    o->project_id = arena_dup_str(p->kind_arena, object->project_id);
    o->uid = arena_dup_str(p->kind_arena, object->uid);
    o->version = STR_NONE;
}

/* Of databases and workloads the names are kept, for what is judged by them. */
static void keep_names(struct pass *p)
{
    struct names *names = p->kind == SURVEY_DATABASE ? &p->databases : &p->workloads[p->kind];
    if (p->kind > SURVEY_STATEFULSET)
        return;
    for (size_t i = 0; i < p->objects_n; i++)
        names_add(names, arena_dup(p->leg_arena, p->objects[i].name));
    if (names->n > 1)
        qsort(names->list, names->n, sizeof(*names->list), compare_names);
}

/* Where a kind cannot be seen, nothing is known of it: no orphan, nothing missing. */
static void miss_kind(struct pass *p, const struct err *err)
{
    bool is_said = err->kind == ERR_DENIED || err->kind == ERR_MISSING;
    if (is_said && !survey_of(p)->is_used(survey_of(p)->self, p->kind)) {
        next_kind(p);
        return;
    }
    p->is_partial = true;
    add_detail(p, survey_kind_text(p->kind), err->msg);
    if (is_said) {
        next_kind(p);
        return;
    }
    p->is_away = true;
    end_cluster(p);
}

static void on_listed(void *arg, const struct err *err)
{
    struct pass *p = arg;
    struct err many = {0};
    p->call = NULL;
    if (err == NULL && p->objects_n >= OBJECTS_MAX) {
        err_set(&many, ERR_TOO_LARGE, __func__, "there are more than %d", OBJECTS_MAX);
        err = &many;
    }
    if (err != NULL) {
        miss_kind(p, err);
        return;
    }
    p->looked_at |= UINT32_C(1) << p->kind;
    p->summary->objects_n += p->objects_n;
    keep_names(p);
    match_next(p);
}

static void list_kind(struct pass *p)
{
    const struct port_survey *survey = survey_of(p);
    if (p->kind == SURVEY_N) {
        ask_places(p);
    } else if (loop_now_ms(p->options.loop) >= p->until_ms) {
        p->is_away = true;
        add_detail(p, survey_kind_text(p->kind), "there was no time left for it");
        end_cluster(p);
    } else {
        p->kind_arena = arena_new();
        p->call = survey->list(survey->self, p->kind, LIST_MS, on_object, on_listed, p);
    }
}

/* ---- BEGIN ---- */

static void enter_cluster(struct pass *p, int64_t now_ms)
{
    p->summary = &p->summaries[p->summaries_n++];
    *p->summary = (struct sweep_summary){.cluster = cluster_of(p)->name, .detail = "", .ended_ms = -1};
    p->first = p->findings_n;
    p->until_ms = loop_now_ms(p->options.loop) + LEG_MS;
    p->begun_ms = now_ms;
    p->looked_at = 0;
    p->is_partial = false;
    p->is_away = false;
    p->kind = 0;
    p->last_project_id[0] = '\0';
    p->due_n = 0;
    p->leg_arena = arena_new();
    p->due = xcalloc(p->options.at_most_n + 1, sizeof(*p->due));
    p->due_findings = xcalloc(p->options.at_most_n + 1, sizeof(*p->due_findings));
    buf_init(&p->detail, DETAIL_BYTES);
    list_kind(p);
}

static void on_begun(void *arg, bool is_begun, int64_t now_ms, const struct err *err)
{
    struct pass *p = arg;
    p->call = NULL;
    if (err == NULL && is_begun) {
        enter_cluster(p, now_ms);
        return;
    }
    if (err != NULL)
        LOG(WARN, "a sweep could not begin", KV("cluster", cluster_of(p)->name), KV("err", err));
    p->left_out_n++;
    next_cluster(p);
}

static void begin_cluster(struct pass *p)
{
    const struct port_store *store = p->options.store;
    if (survey_of(p) == NULL) {
        p->left_out_n++;
        next_cluster(p);
    } else if (p->options.is_dry) {
        enter_cluster(p, loop_wall_ms(p->options.loop) - DRY_SLACK_MS);
    } else {
        p->call = store->sweep_begin(store->self, cluster_of(p)->name, p->options.age_ms, LEASE_MS, p->options.call_ms,
                                     on_begun, p);
    }
}

struct op *sweep_start(const struct sweep_options *options, sweep_on_done *done, void *arg)
{
    struct pass *p = xcalloc(1, sizeof(*p));
    p->op.cancel = cancel_pass;
    p->options = *options;
    p->done = done;
    p->arg = arg;
    p->arena = arena_new();
    p->summaries = xcalloc(clusters_count(options->clusters) + 1, sizeof(*p->summaries));
    loop_task_init(&p->next, options->loop, on_next, p);
    loop_defer(&p->next);
    return &p->op;
}
