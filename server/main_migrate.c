// SPDX-License-Identifier: MIT
/* fullstackd migrate: the schema, once, from the command line. */
#include <stdio.h>

#include "server/main_program.h"
#include "store/migrate.h"

enum { MIGRATE_DEADLINE_MS = 5 * 60 * 1000 };

struct run {
    struct loop *loop;
    int status;
};

static void on_done(void *arg, unsigned applied_n, const struct err *err)
{
    struct run *run = arg;
    if (err == NULL)
        printf("%u migration%s applied, the schema is current\n", applied_n, applied_n == 1 ? "" : "s");
    else
        main_fail(EXIT_FAILED, "migrating", err);
    run->status = err == NULL ? EXIT_OK : err->kind == ERR_CONFLICT ? EXIT_SCHEMA : EXIT_FAILED;
    loop_stop(run->loop);
}

int main_migrate(const struct main_options *o)
{
    struct run run = {.status = EXIT_USAGE};
    struct config config;
    struct err err = {0};
    if (!main_load_config(o, &config, config_require_database)) {
        config_fini(&config);
        return EXIT_USAGE;
    }
    run.loop = loop_new(&err);
    if (run.loop == NULL) {
        run.status = main_fail(EXIT_FAILED, "starting", &err);
    } else {
        migrate_start(run.loop, &config.database_url, MIGRATE_APPLY, MIGRATE_DEADLINE_MS, on_done, &run);
        loop_run(run.loop);
    }
    loop_free(run.loop);
    config_fini(&config);
    return run.status;
}
