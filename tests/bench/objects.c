// SPDX-License-Identifier: MIT
/* Writes the objects of N projects as the server makes them, one a line: {"path": ..., "kind": ..., "body": {...}}.
 *     bench_objects NAMESPACE PREFIX N [DIALECT]        (DIALECT: v1alpha1 or v1)
 * The raw client of the benchmarks posts them. An owner's uid is not known before the cluster gave it, so none is
 * written; everything else is what k8s/manifest_*.c says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/wall.h"
#include "core/names.h"
#include "k8s/kubeblocks.h"
#include "k8s/manifest.h"
#include "k8s/objects.h"

enum { BODY_CEILING_BYTES = 1 << 20, N_MAX = 100000 };

static const char ENV[] = "{\"DATABASE_URL\":\"postgresql://postgres:password@database:5432/postgres?schema=public\","
                          "\"NODE_ENV\":\"development\",\"TTYD_PORT\":\"7681\"}";

static void draw(struct sandbox *sb, const char *namespace_name, const char *prefix, long i)
{
    const struct names_settings settings = {.namespace_name = namespace_name,
                                            .domain = "localhost",
                                            .image = "fullstackagent/fullstack-web-runtime:latest"};
    char name[PROJECT_NAME_SIZE];
    int n = snprintf(name, sizeof name, "%s %ld", prefix, i);
    memset(sb, 0, sizeof *sb);
    names_draw(sb, (struct str){name, (size_t)n}, &settings, 0);
    codec_uuid7(i + 1, sb->project_id);
    (void)!str_copy(str_from(name), sb->project_name, sizeof sb->project_name);
    sb->attempt = 1;
}

static bool print_object(const struct manifest *m, enum cluster_object object)
{
    struct json_writer *w = jw_new(BODY_CEILING_BYTES);
    struct err err = {0};
    struct str body;
    struct buf path;
    enum kube_kind kind = object_row(object, &m->sb->kinds)->kind;
    buf_init(&path, OBJECT_NAME_SIZE + 256);
    kube_path_add(&path, kind, m->dialect != NULL ? m->dialect->version : NULL, m->sb->namespace_name, NULL);
    manifest_write(w, object, m);
    bool is_good = jw_finish(w, &body, &err);
    if (is_good)
        printf("{\"path\":\"%s\",\"kind\":\"%s\",\"body\":%.*s}\n", buf_text(&path), kube_kind_row(kind)->kind,
               (int)body.n, body.p);
    else
        fprintf(stderr, "%s: %s\n", kube_kind_row(kind)->kind, err.msg);
    buf_fini(&path);
    jw_free(w);
    return is_good;
}

static bool print_project(const struct sandbox *sb, const struct kubeblocks_dialect *dialect)
{
    /* A container that starts before its Secret is there sleeps for seconds, and the raw client does not wake it. */
    bool is_good = print_object(&(struct manifest){.sb = sb, .profile = &K8S_PROFILE_DEFAULT, .env = str_from(ENV)},
                                OBJECT_ENV_SECRET);
    for (size_t i = 0; i < OBJECT_N; i++) {
        bool is_ours = object_row((enum cluster_object)i, &sb->kinds)->write != NULL;
        if (i == OBJECT_ENV_SECRET || !is_ours)
            continue;
        const struct manifest m = {
            .sb = sb,
            .profile = &K8S_PROFILE_DEFAULT,
            .dialect = i == OBJECT_DATABASE ? dialect : NULL,
        };
        is_good = print_object(&m, (enum cluster_object)i) && is_good;
    }
    return is_good;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long n = argc >= 4 ? strtol(argv[3], &end, 10) : 0;
    if (n < 1 || n > N_MAX || *end != '\0') {
        fprintf(stderr, "usage: bench_objects NAMESPACE PREFIX N [v1alpha1|v1]\n");
        return 2;
    }
    const struct kubeblocks_dialect *dialect = kubeblocks_v1alpha1();
    if (argc > 4 && strcmp(argv[4], dialect->version) != 0) {
        static const char v1[] = "{\"versions\":[{\"version\":\"v1\"}]}";
        struct arena *a = arena_new();
        dialect = kubeblocks_choose(json_parse(a, str_from(v1), &JSON_LIMITS_KUBE, NULL));
        arena_free(a);
    }
    for (long i = 0; i < n; i++) {
        struct sandbox sb;
        draw(&sb, argv[1], argv[2], i);
        if (dialect == NULL || !print_project(&sb, dialect))
            return 1;
    }
    return 0;
}
