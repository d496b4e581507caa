// SPDX-License-Identifier: MIT
/* What the subcommands share: configuration with its errors told, where the cluster is, and the two small ones that
 * need nothing else. */
#include "server/main_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "k8s/kubeconfig.h"
#include "k8s/profile.h"

/* Where the original put everything when the kubeconfig named no namespace. */
static const char SEED_NAMESPACE[] = "ns-ajno7yq7";

static void write_all(FILE *file, const struct buf *text)
{
    if (text->n > 0)
        fwrite(text->p, 1, text->n, file);
    fflush(file);
}

bool main_read_config(const struct main_options *o, const char *file, struct config *ret, struct config_report *report)
{
    struct config_inputs in = {.file = file != NULL ? file : o->config_file, .directory = ".", .environ = environ};
    return config_load(&in, ret, report);
}

static void log_warnings(const struct config_report *report)
{
    struct str rest = buf_str(&report->warnings);
    struct str line;
    while (str_next(&rest, '\n', &line)) {
        if (line.n > 0)
            LOG(WARN, "configuration", KV("text", line));
    }
}

bool main_load_config(const struct main_options *o, struct config *ret,
                      bool (*require)(const struct config *c, struct config_report *report))
{
    struct config_report report;
    config_report_init(&report);
    bool is_loaded = main_read_config(o, NULL, ret, &report);
    bool is_complete = require == NULL || require(ret, &report);
    if (is_loaded && is_complete) {
        log_init(STDERR_FILENO, (enum log_format)ret->log_format, (enum log_level)ret->log_level);
        log_warnings(&report);
    } else {
        write_all(stderr, &report.errors);
        fprintf(stderr, "fullstackd: %u error%s in the configuration; docs/CONFIG.md tells every key\n",
                report.errors_n, report.errors_n == 1 ? "" : "s");
    }
    config_report_fini(&report);
    return is_loaded && is_complete;
}

struct kubeconfig *main_load_kubeconfig(const struct config_cluster *c, struct err *reterr)
{
    const struct kubeconfig_source source = {
        .path = c->kube.kubeconfig[0] != '\0' ? c->kube.kubeconfig : NULL,
        .context = c->kube.context[0] != '\0' ? c->kube.context : NULL,
        .service_host = getenv("KUBERNETES_SERVICE_HOST"),
        .service_port = getenv("KUBERNETES_SERVICE_PORT"),
        .is_loopback_allowed = c->kube.is_loopback_allowed,
    };
    return kubeconfig_load(&source, reterr);
}

const char *main_namespace(const struct config_cluster *c, const struct kubeconfig *kubeconfig)
{
    if (c->kube.namespace_name[0] != '\0')
        return c->kube.namespace_name;
    return kubeconfig->namespace_name != NULL ? kubeconfig->namespace_name : SEED_NAMESPACE;
}

struct sandbox_kinds main_kinds(const struct config_sandbox *c)
{
    return (struct sandbox_kinds){c->workload, ingress_profile_find(str_from(c->ingress_profile))->route};
}

struct sweep_options main_sweep_options(const struct config *c, struct loop *loop, const struct clusters *clusters,
                                        const struct port_store *store)
{
    return (struct sweep_options){
        .loop = loop,
        .clusters = clusters,
        .store = store,
        .grace_ms = c->sweep.grace_ms,
        .call_ms = c->flow.call_ms,
        .at_most_n = (unsigned)c->sweep.at_most_n,
        .is_deleting = c->sweep.mode == SWEEP_MODE_DELETE,
    };
}

int main_fail(int status, const char *doing, const struct err *err)
{
    fprintf(stderr, "fullstackd: %s: %s\n", doing, err->msg);
    return status;
}

static int print_markdown(void)
{
    struct buf out;
    buf_init(&out, 1024 * 1024);
    config_print_markdown(&out);
    write_all(stdout, &out);
    buf_fini(&out);
    return EXIT_OK;
}

int main_check_config(const struct main_options *o)
{
    struct config config;
    struct config_report report;
    struct buf out;
    if (o->is_markdown)
        return print_markdown();
    config_report_init(&report);
    buf_init(&out, 1024 * 1024);
    bool is_good = main_read_config(o, o->argument, &config, &report);
    write_all(stderr, &report.errors);
    write_all(stderr, &report.warnings);
    if (is_good && o->is_printing) {
        config_print(&config, &out);
        write_all(stdout, &out);
    } else if (is_good) {
        printf("ok\n");
    }
    buf_fini(&out);
    config_report_fini(&report);
    config_fini(&config);
    return is_good ? EXIT_OK : EXIT_USAGE;
}

int main_version(const struct main_options *o)
{
    (void)o;
    printf("fullstackd %s\n", FULLSTACKD_VERSION);
    return EXIT_OK;
}
