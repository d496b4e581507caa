// SPDX-License-Identifier: MIT
/* The command line: options, subcommands, and what every process of ours does first. What a subcommand does stands in
 * main_<name>.c. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/codec.h"
#include "server/main_program.h"

static const struct command {
    const char *name;
    int (*run)(const struct main_options *o);
    const char *text;
} commands[] = {
    {"serve",        main_serve,        "run the server until SIGTERM"                                           },
    {"migrate",      main_migrate,      "bring the database's schema up to date and end"                         },
    {"doctor",       main_doctor,       "check everything the server needs, one line each [--json] [--quick]"    },
    {"check-config", main_check_config, "check the configuration [FILE] [--print-config] [--markdown]"           },
    {"sweep",        main_sweep,        "compare clusters and rows once, delete what is due [--dry-run] [--json]"},
    {"signin-link",  main_signin_link,  "print a link that signs in once [--user NAME]"                          },
    {"role",         main_role,         "print the account it needs in the cluster [--namespace NS] [--json]"    },
    {"reencrypt",    main_reencrypt,    "seal everything with the first key of the ring"                         },
    {"routes",       main_routes,       "print the table of routes [--json]"                                     },
    {"version",      main_version,      "print the version"                                                      },
};
enum { COMMANDS_N = sizeof(commands) / sizeof(commands[0]) };

static const struct option long_options[] = {
    {"config",       required_argument, NULL, 'c'},
    {"json",         no_argument,       NULL, 'j'},
    {"quick",        no_argument,       NULL, 'q'},
    {"print-config", no_argument,       NULL, 'p'},
    {"dry-run",      no_argument,       NULL, 'd'},
    {"markdown",     no_argument,       NULL, 'm'},
    {"user",         required_argument, NULL, 'u'},
    {"namespace",    required_argument, NULL, 'n'},
    {"help",         no_argument,       NULL, 'h'},
    {"version",      no_argument,       NULL, 'V'},
    {NULL,           0,                 NULL, 0  },
};

static int usage(FILE *file, int status)
{
    fprintf(file, "Usage: fullstackd COMMAND [--config FILE] [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMANDS_N; i++)
        fprintf(file, "  %-14s %s\n", commands[i].name, commands[i].text);
    fprintf(file, "\nEvery key of the configuration is told in docs/CONFIG.md.\n");
    return status;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; name != NULL && i < COMMANDS_N; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* False: *ret_status is how to end. *ret_name: the subcommand; NULL if none was given. */
static bool read_options(int argc, char **argv, struct main_options *o, const char **ret_name, int *ret_status)
{
    int c;
    while ((c = getopt_long(argc, argv, "c:hV", long_options, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config_file = optarg;
            break;
        case 'j':
            o->is_json = true;
            break;
        case 'q':
            o->is_quick = true;
            break;
        case 'p':
            o->is_printing = true;
            break;
        case 'm':
            o->is_markdown = true;
            break;
        case 'd':
            o->is_dry = true;
            break;
        case 'u':
            o->user = optarg;
            break;
        case 'n':
            o->namespace_name = optarg;
            break;
        case 'V':
            *ret_status = main_version(o);
            return false;
        case 'h':
            *ret_status = usage(stdout, EXIT_OK);
            return false;
        default:
            *ret_status = usage(stderr, EXIT_USAGE);
            return false;
        }
    }
    *ret_name = optind < argc ? argv[optind++] : NULL;
    o->argument = optind < argc ? argv[optind++] : NULL;
    *ret_status = EXIT_USAGE;
    return optind == argc || usage(stderr, EXIT_USAGE) == EXIT_OK;
}

int main(int argc, char **argv)
{
    struct main_options options = {.user = "admin"};
    const char *name = NULL;
    struct err err = {0};
    int status;
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    if (!read_options(argc, argv, &options, &name, &status))
        return status;
    if (name != NULL && strcmp(name, "help") == 0)
        return usage(stdout, EXIT_OK);
    const struct command *command = find_command(name);
    if (command == NULL)
        return usage(stderr, EXIT_USAGE);
    if (options.argument != NULL && command->run != main_check_config)
        return usage(stderr, EXIT_USAGE);
    if (!codec_init(&err))
        return main_fail(EXIT_FAILED, "starting", &err);
    return command->run(&options);
}
