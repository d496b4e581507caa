// SPDX-License-Identifier: MIT
/* fullstackd role: prints the account that the server needs in the cluster, for kubectl apply. Which rights those are
 * depends on what the configuration says that sandboxes are made of. */
#include <stdio.h>

#include "core/base/json_write.h"
#include "k8s/rights.h"
#include "server/main_program.h"

enum { ROLE_CEILING_BYTES = 64 * 1024, NAMESPACE_MAX = 63 };

/* A DNS-1123 label, as Kubernetes wants it; it needs no escaping anywhere. */
static bool is_namespace_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool is_inner = s.p[i] == '-' && i > 0 && i + 1 < s.n;
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && !is_inner)
            return false;
    }
    return s.n > 0 && s.n <= NAMESPACE_MAX;
}

static int print_json(const char *namespace_name, const struct sandbox_kinds *kinds)
{
    struct json_writer *w = jw_new(ROLE_CEILING_BYTES);
    struct str json;
    struct err err = {0};
    rights_write_json(w, namespace_name, kinds);
    bool is_good = jw_finish(w, &json, &err);
    if (is_good)
        printf("%.*s\n", STR_ARG(json));
    jw_free(w);
    return is_good ? EXIT_OK : main_fail(EXIT_FAILED, "writing JSON", &err);
}

/* Mistakes elsewhere in the configuration do not matter here; they are told, and what they concern has its default. */
static struct sandbox_kinds configured_kinds(const struct main_options *o)
{
    struct config_report report;
    struct config config = {0};
    config_report_init(&report);
    if (!main_read_config(o, NULL, &config, &report))
        fputs(buf_text(&report.errors), stderr);
    struct sandbox_kinds kinds = main_kinds(&config.sandbox);
    config_report_fini(&report);
    config_fini(&config);
    return kinds;
}

int main_role(const struct main_options *o)
{
    struct buf yaml;
    if (o->namespace_name != NULL && !is_namespace_name(str_from(o->namespace_name))) {
        fprintf(stderr, "fullstackd: --namespace takes small letters, digits and '-' within, at most %d\n",
                NAMESPACE_MAX);
        return EXIT_USAGE;
    }
    const struct sandbox_kinds kinds = configured_kinds(o);
    if (o->is_json)
        return print_json(o->namespace_name, &kinds);
    buf_init(&yaml, ROLE_CEILING_BYTES);
    rights_write_yaml(&yaml, o->namespace_name, &kinds);
    fputs(buf_text(&yaml), stdout);
    buf_fini(&yaml);
    return EXIT_OK;
}
