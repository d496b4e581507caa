// SPDX-License-Identifier: MIT
/* The doctor's list of checks, its order, and its output as lines or JSON. */
#include "server/main_doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/json_write.h"
#include "core/base/log.h"

enum { JSON_BYTES = 1024 * 1024, LINE_BYTES = 2048 };

/* In this order; the NULL is where the checks of each cluster come. */
static doctor_check *const checks[] = {
    doctor_descriptors, doctor_http_client, doctor_settings,
    doctor_secret_env,  doctor_dashboard,   doctor_postgres,
    doctor_schema,      doctor_redis,       NULL,
    doctor_terminals,   doctor_clusters,
};
static doctor_check *const cluster_checks[] = {
    doctor_kubeconfig, doctor_api,     doctor_rights,      doctor_answers,
    doctor_storage,    doctor_ingress, doctor_certificate, doctor_stale_databases,
};
static doctor_check *const quick_checks[] = {doctor_own_readiness};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const level_words[DOCTOR_LEVEL_N] = {
#define X(name, word) [DOCTOR_##name] = (word),
    DOCTOR_LEVELS(X)
#undef X
};

/* ---- output ---- */

static void say_json(struct doctor *d, enum doctor_level level, const char *check, const char *advice, struct str text)
{
    jw_object(d->json);
    jw_kv_text(d->json, "check", check);
    jw_kv_text(d->json, "level", level_words[level]);
    jw_kv_str(d->json, "text", text);
    jw_kv_text(d->json, "advice", advice);
    jw_object_end(d->json);
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *check, const char *advice, const char *fmt, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, LINE_BYTES);
    if (d->cluster != NULL && d->config.clusters_n > 1)
        buf_addf(&text, "cluster %s: ", d->cluster->name);
    va_start(args, fmt);
    buf_addv(&text, fmt, args);
    va_end(args);
    d->said_n[level]++;
    if (d->json != NULL) {
        say_json(d, level, check, advice, buf_str(&text));
    } else {
        printf("%-5s %-12s %s\n", level_words[level], check, buf_text(&text));
        if (advice != NULL)
            printf("      %-12s -> %s\n", "", advice);
        fflush(stdout);
    }
    buf_fini(&text);
}

static int finish(struct doctor *d)
{
    struct str json;
    struct err err = {0};
    int status = d->said_n[DOCTOR_FAIL] > 0 ? EXIT_FAILED : EXIT_OK;
    if (d->json == NULL) {
        if (!d->options->is_quick)
            printf("%u ok, %u warnings, %u failures\n", d->said_n[DOCTOR_OK], d->said_n[DOCTOR_WARN],
                   d->said_n[DOCTOR_FAIL]);
        return status;
    }
    jw_array_end(d->json);
    jw_kv_bool(d->json, "ok", status == EXIT_OK);
    jw_object_end(d->json);
    if (!jw_finish(d->json, &json, &err))
        return main_fail(EXIT_FAILED, "writing JSON", &err);
    printf("%.*s\n", STR_ARG(json));
    return status;
}

/* ---- running ---- */

void doctor_next(struct doctor *d)
{
    loop_timer_clear(&d->timer);
    loop_defer(&d->next);
}

static void leave_cluster(struct doctor *d)
{
    kube_free(d->kube);
    fetch_client_free(d->client);
    d->kube = NULL;
    d->client = NULL;
    d->rights_n = 0;
    d->rights_bad_n = 0;
    d->stale_n = 0;
    d->stale_at = 0;
    d->stale_gone_n = 0;
    d->kubeblocks_version = NULL;
}

/* False: every cluster was looked at. */
static bool next_cluster(struct doctor *d)
{
    size_t i = d->cluster == NULL ? 0 : (size_t)(d->cluster - d->config.clusters) + 1;
    leave_cluster(d);
    d->cluster = i < d->config.clusters_n ? &d->config.clusters[i] : NULL;
    d->cluster_at = 0;
    return d->cluster != NULL;
}

/* NULL: that was all. */
static doctor_check *find_next(struct doctor *d)
{
    if (d->options->is_quick)
        return d->at < COUNT(quick_checks) ? quick_checks[d->at++] : NULL;
    if (d->at < COUNT(checks) && checks[d->at] == NULL) {
        bool is_open = d->cluster != NULL && d->cluster_at < COUNT(cluster_checks);
        if (is_open || next_cluster(d))
            return cluster_checks[d->cluster_at++];
        d->at++;
    }
    return d->at < COUNT(checks) ? checks[d->at++] : NULL;
}

static void run_next(void *arg)
{
    struct doctor *d = arg;
    doctor_check *check = find_next(d);
    if (check == NULL) {
        loop_stop(d->loop);
        return;
    }
    d->is_answered = false;
    d->asked_ms = loop_now_ms(d->loop);
    check(d);
}

static void run(struct doctor *d)
{
    struct err err = {0};
    d->loop = loop_new(&err);
    d->fetch = d->loop != NULL ? fetch_new(d->loop, &err) : NULL;
    if (d->fetch == NULL) {
        doctor_say(d, DOCTOR_FAIL, "start", NULL, "%s", err.msg);
        loop_free(d->loop);
        return;
    }
    loop_task_init(&d->next, d->loop, run_next, d);
    loop_timer_init(&d->timer, d->loop, NULL, d);
    loop_defer(&d->next);
    loop_run(d->loop);
    leave_cluster(d);
    fetch_free(d->fetch);
    pg_conn_free(d->pg);
    redis_free(d->redis);
    loop_free(d->loop);
}

/* False: the rest would only repeat it. */
static bool check_configuration(struct doctor *d)
{
    struct config_report report;
    struct str line;
    config_report_init(&report);
    bool is_good = main_read_config(d->options, NULL, &d->config, &report);
    struct str rest = buf_str(&report.errors);
    while (str_next(&rest, '\n', &line)) {
        if (line.n > 0)
            doctor_say(d, DOCTOR_FAIL, "config", "docs/CONFIG.md tells every key", "%.*s", STR_ARG(line));
    }
    rest = buf_str(&report.warnings);
    while (str_next(&rest, '\n', &line)) {
        if (line.n > 0 && !d->options->is_quick)
            doctor_say(d, DOCTOR_WARN, "config", NULL, "%.*s", STR_ARG(line));
    }
    config_report_fini(&report);
    return is_good;
}

int main_doctor(const struct main_options *o)
{
    struct doctor d = {.options = o, .arena = arena_new()};
    if (o->is_json) {
        d.json = jw_new(JSON_BYTES);
        jw_object(d.json);
        jw_key(d.json, "checks");
        jw_array(d.json);
    }
    /* What goes wrong is told by the checks; the libraries' own lines would only come between. */
    log_init(STDERR_FILENO, LOG_FORMAT_AUTO, LOG_LEVEL_ERROR);
    if (check_configuration(&d))
        run(&d);
    int status = finish(&d);
    jw_free(d.json);
    config_fini(&d.config);
    arena_free(d.arena);
    return status;
}
