// SPDX-License-Identifier: MIT
/* The program's subcommands and what they share. Only main*.c, which know every folder, include this. */
#pragma once

#include <stdbool.h>

#include "core/sweep_pass.h"
#include "server/config.h"

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,  /* wrong arguments or configuration: nothing was started */
    EXIT_SCHEMA = 3, /* the database's schema is not this program's */
};

struct main_options {
    const char *config_file;    /* --config; NULL: none */
    const char *argument;       /* the one behind the subcommand; NULL: none */
    const char *user;           /* --user */
    const char *namespace_name; /* --namespace; NULL: none */
    bool is_json;
    bool is_quick;
    bool is_printing; /* --print-config */
    bool is_markdown;
    bool is_dry; /* --dry-run */
};

/* Each returns the process's exit status. */
int main_serve(const struct main_options *o);
int main_migrate(const struct main_options *o);
int main_doctor(const struct main_options *o);
int main_role(const struct main_options *o);
int main_reencrypt(const struct main_options *o);
int main_routes(const struct main_options *o);
int main_check_config(const struct main_options *o);
int main_version(const struct main_options *o);
int main_sweep(const struct main_options *o);
int main_signin_link(const struct main_options *o);

/* Loads the configuration and sets up logging. False: its errors were written to standard error; exit with EXIT_USAGE.
 * require: config_require_serve, config_require_database or NULL. *ret is the caller's to config_fini in both cases. */
MUST_CHECK bool main_load_config(const struct main_options *o, struct config *ret,
                                 bool (*require)(const struct config *c, struct config_report *report));
/* Only reads and reports. file: instead of --config; NULL: none. */
MUST_CHECK bool main_read_config(const struct main_options *o, const char *file, struct config *ret,
                                 struct config_report *report);
struct kubeconfig;
/* Where the configuration says the cluster is; the caller's to kubeconfig_free. NULL with what kubeconfig_load fails
 * with. */
MUST_CHECK struct kubeconfig *main_load_kubeconfig(const struct config_cluster *c, struct err *reterr);
/* kube.namespace, else the context's, else the original's. Borrowed from the two. */
const char *main_namespace(const struct config_cluster *c, const struct kubeconfig *kubeconfig);
struct clusters;
struct port_store;
/* As the configuration says; the rest is borrowed. */
struct sweep_options main_sweep_options(const struct config *c, struct loop *loop, const struct clusters *clusters,
                                        const struct port_store *store);
/* What sandboxes are to be made of. */
struct sandbox_kinds main_kinds(const struct config_sandbox *c);
/* What a command could not do, to standard error. Returns status. */
int main_fail(int status, const char *doing, const struct err *err);
