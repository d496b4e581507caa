// SPDX-License-Identifier: MIT
/* fullstackd sweep: compares every cluster with the rows once, as the server does periodically, and tells what it found
 * as a table or as JSON. What is due is deleted, whatever sweep.mode says; with --dry-run nothing is changed anywhere.
 */
#include <stdio.h>

#include "core/base/json_write.h"
#include "core/base/wall.h"
#include "server/main_serve.h"
#include "store/store_port.h"

enum { LEASE_MS = 60 * 1000, RENEW_MS = 20 * 1000, JSON_CEILING_BYTES = 16 << 20, KIND_WIDTH = 22, NAME_WIDTH = 44 };

struct run {
    struct server server;
    const struct main_options *options;
    struct loop_timer renew_timer;
    struct op *renew;
    struct op *sweep;
    int status;
};

/* ---- telling ---- */

static void print_finding(const struct sweep_finding *f)
{
    char made[WALL_TEXT_SIZE] = "-";
    if (f->made_ms >= 0)
        wall_format(f->made_ms, made);
    printf("%-12s %-*s %-*s %-24s %-9s %s%s%s\n", f->cluster, KIND_WIDTH, f->kind, NAME_WIDTH, f->name, made,
           sweep_verdict_id(f->verdict), sweep_verdict_text(f->verdict), f->detail[0] != '\0' ? ": " : "", f->detail);
}

static void print_summary(const struct sweep_summary *s)
{
    char counts[SWEEP_COUNTS_SIZE];
    sweep_counts_format(s->counts, counts);
    printf("%s: %s, %llu objects%s%s%s%s\n", s->cluster, sweep_result_id(s->result), (unsigned long long)s->objects_n,
           counts[0] != '\0' ? ": " : "", counts, s->detail[0] != '\0' ? "; " : "", s->detail);
}

static void print_table(const struct sweep_report *report)
{
    if (report->findings_n > 0)
        printf("%-12s %-*s %-*s %-24s %-9s %s\n", "CLUSTER", KIND_WIDTH, "KIND", NAME_WIDTH, "NAME", "CREATED",
               "VERDICT", "MEANING");
    for (size_t i = 0; i < report->findings_n; i++)
        print_finding(&report->findings[i]);
    for (size_t i = 0; i < report->clusters_n; i++)
        print_summary(&report->clusters[i]);
}

static int print_json(const struct sweep_report *report)
{
    struct json_writer *w = jw_new(JSON_CEILING_BYTES);
    struct str json;
    struct err err = {0};
    sweep_report_write(w, report);
    bool is_ok = jw_finish(w, &json, &err);
    if (is_ok)
        printf("%.*s\n", STR_ARG(json));
    jw_free(w);
    return is_ok ? EXIT_OK : main_fail(EXIT_FAILED, "writing JSON", &err);
}

/* Orphans are no failure; that it is not known what there is, or that something due stays, is one. */
static bool is_failure(const struct run *run, const struct sweep_summary *s)
{
    bool must_delete = !run->options->is_dry;
    return s->result == SWEEP_UNKNOWN || s->counts[SWEEP_REFUSED] > 0 || (must_delete && s->counts[SWEEP_DUE] > 0);
}

/* ---- running ---- */

static void on_released(void *arg, const struct err *err)
{
    struct run *run = arg;
    (void)err; /* it ends by itself */
    run->renew = NULL;
    loop_stop(run->server.loop);
}

static void end(struct run *run)
{
    const struct port_store *store = store_port(run->server.store);
    loop_timer_clear(&run->renew_timer);
    op_cancel(run->renew);
    run->renew = NULL;
    if (run->options->is_dry)
        loop_stop(run->server.loop);
    else
        run->renew = store->replica_release(store->self, RENEW_MS, on_released, run);
}

static void on_swept(void *arg, const struct sweep_report *report, size_t left_out_n)
{
    struct run *run = arg;
    run->sweep = NULL;
    run->status = EXIT_OK;
    if (run->options->is_json)
        run->status = print_json(report);
    else
        print_table(report);
    if (left_out_n > 0)
        fprintf(stderr, "fullstackd: %zu cluster%s not compared: a server is at it, or the database did not answer\n",
                left_out_n, left_out_n == 1 ? " was" : "s were");
    bool is_bad = left_out_n > 0;
    for (size_t i = 0; i < report->clusters_n; i++)
        is_bad = is_bad || is_failure(run, &report->clusters[i]);
    if (is_bad)
        run->status = EXIT_FAILED;
    end(run);
}

static void start_sweep(struct run *run)
{
    struct server *s = &run->server;
    struct sweep_options options = main_sweep_options(&s->config, s->loop, s->clusters, store_port(s->store));
    options.is_deleting = true;
    options.is_dry = run->options->is_dry;
    run->sweep = sweep_start(&options, on_swept, run);
}

static void on_renewed(void *arg, bool was_held, const struct err *err)
{
    struct run *run = arg;
    (void)was_held;
    run->renew = NULL;
    if (err != NULL && run->sweep == NULL) {
        run->status = main_fail(EXIT_FAILED, "reaching the database", err);
        loop_stop(run->server.loop);
        return;
    }
    if (run->sweep == NULL)
        start_sweep(run);
    loop_timer_set(&run->renew_timer, RENEW_MS);
}

/* A server takes over what somebody who is gone was comparing, so this process says that it lives. */
static void on_renew_timer(void *arg)
{
    struct run *run = arg;
    const struct port_store *store = store_port(run->server.store);
    run->renew = store->replica_renew(store->self, LEASE_MS, RENEW_MS, on_renewed, run);
}

static int run_once(struct run *run)
{
    struct server *s = &run->server;
    struct err err = {0};
    if (!server_make_ports(s, &err))
        return main_fail(EXIT_USAGE, "starting", &err);
    loop_timer_init(&run->renew_timer, s->loop, on_renew_timer, run);
    if (run->options->is_dry)
        start_sweep(run);
    else
        loop_timer_set(&run->renew_timer, 0);
    loop_run(s->loop);
    loop_timer_clear(&run->renew_timer);
    op_cancel(run->sweep);
    op_cancel(run->renew);
    return run->status;
}

int main_sweep(const struct main_options *o)
{
    struct run run = {.options = o, .status = EXIT_FAILED};
    struct server *s = &run.server;
    struct err err = {0};
    int status = EXIT_USAGE;
    s->options = o;
    if (main_load_config(o, &s->config, config_require_serve)) {
        s->arena = arena_new();
        s->loop = loop_new(&err);
        status = s->loop != NULL ? run_once(&run) : main_fail(EXIT_FAILED, "starting", &err);
        if (s->loop != NULL)
            server_unmake(s);
        loop_free(s->loop);
        arena_free(s->arena);
    }
    config_fini(&s->config);
    return status;
}
