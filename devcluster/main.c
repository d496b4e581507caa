// SPDX-License-Identifier: MIT
/* The program `devcluster`: options, the loop, one line of JSON when it is ready, SIGTERM or SIGINT to end. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/log.h"
#include "devcluster/devcluster.h"

enum { EXIT_USAGE = 2, LINE_CEILING_BYTES = 16 * 1024, DELAY_MAX_MS = 3600 * 1000, EVENTS_MAX = 1000000 };

static const char USAGE[] =
    "usage: devcluster --dir DIR [options]\n"
    "An embedded Kubernetes API server in memory, with controllers; for demos and tests.\n"
    "  --dir DIR             state: certificates, tokens, kubeconfigs (ACCOUNT.kubeconfig)\n"
    "  --keep                what it holds outlives it, in DIR/objects\n"
    "  --port N              of the API [any free one]      --address A    to listen on [127.0.0.1]\n"
    "  --host NAME           in certificate and kubeconfigs [the address]\n"
    "  --gateway-port N      of a plain HTTP listener for the host names of Ingresses [none; 0: any free one]\n"
    "  --namespace NS        [ns-ajno7yq7]\n"
    "  --kubeconfig PATH     write one more kubeconfig      --account NAME whose: admin, sealos-user, fullstackd,\n"
    "                        meagre\n"
    "  --role FILE           the account fullstackd may do what this Role says, and what becomes of it\n"
    "  --zero-delay          everything as fast as possible\n"
    "  --delays K=MS,...     schedule pull_first pull_again start ready stop database retry, in milliseconds\n"
    "  --kubeblocks V        how it is installed: v1alpha1 (0.9), both (1.0), v1, none [v1alpha1]\n"
    "  --watch-window N      events remembered per kind [4096]\n"
    "  --bookmark-ms N       between bookmarks of an idle watch [60000]\n"
    "  --pg CONNINFO         make a role and a database per Cluster there (or environment DEVCLUSTER_PG)\n"
    "  --pg-host H --pg-port N  what the credential Secrets say [127.0.0.1, 5432]\n"
    "  --history FILE        a line for each object made, removed, or of a new generation\n"
    "  --log-level L         debug, info, warn, error [warn]\n"
    "SIGTERM ends it. Admin token: GET /devcluster/requests, POST and DELETE /devcluster/faults, POST "
    "/devcluster/kubeblocks.\n";

enum option_id {
    OPT_DIR = 1000,
    OPT_KEEP,
    OPT_PORT,
    OPT_ADDRESS,
    OPT_HOST,
    OPT_GATEWAY_PORT,
    OPT_NAMESPACE,
    OPT_KUBECONFIG,
    OPT_ACCOUNT,
    OPT_ROLE,
    OPT_ZERO_DELAY,
    OPT_DELAYS,
    OPT_KUBEBLOCKS,
    OPT_WATCH_WINDOW,
    OPT_BOOKMARK_MS,
    OPT_PG,
    OPT_PG_HOST,
    OPT_PG_PORT,
    OPT_HISTORY,
    OPT_LOG_LEVEL,
    OPT_HELP
};

static const struct option OPTIONS[] = {
    {"dir",          required_argument, NULL, OPT_DIR         },
    {"keep",         no_argument,       NULL, OPT_KEEP        },
    {"port",         required_argument, NULL, OPT_PORT        },
    {"address",      required_argument, NULL, OPT_ADDRESS     },
    {"host",         required_argument, NULL, OPT_HOST        },
    {"gateway-port", required_argument, NULL, OPT_GATEWAY_PORT},
    {"namespace",    required_argument, NULL, OPT_NAMESPACE   },
    {"kubeconfig",   required_argument, NULL, OPT_KUBECONFIG  },
    {"account",      required_argument, NULL, OPT_ACCOUNT     },
    {"role",         required_argument, NULL, OPT_ROLE        },
    {"zero-delay",   no_argument,       NULL, OPT_ZERO_DELAY  },
    {"delays",       required_argument, NULL, OPT_DELAYS      },
    {"kubeblocks",   required_argument, NULL, OPT_KUBEBLOCKS  },
    {"watch-window", required_argument, NULL, OPT_WATCH_WINDOW},
    {"bookmark-ms",  required_argument, NULL, OPT_BOOKMARK_MS },
    {"pg",           required_argument, NULL, OPT_PG          },
    {"pg-host",      required_argument, NULL, OPT_PG_HOST     },
    {"pg-port",      required_argument, NULL, OPT_PG_PORT     },
    {"history",      required_argument, NULL, OPT_HISTORY     },
    {"log-level",    required_argument, NULL, OPT_LOG_LEVEL   },
    {"help",         no_argument,       NULL, OPT_HELP        },
    {NULL,           0,                 NULL, 0               }
};

struct settings {
    struct devcluster_config config;
    struct secret pg;
    enum log_level level;
};

static bool parse_port(const char *text, uint16_t *ret)
{
    uint64_t port;
    if (!str_parse_u64(str_from(text), UINT16_MAX, &port))
        return false;
    *ret = (uint16_t)port;
    return true;
}

static bool parse_delay(struct control_delays *delays, struct str name, struct str value)
{
    const struct {
        const char *name;
        ms_t *ms;
    } rows[] = {
        {"schedule",   &delays->schedule_ms  },
        {"pull_first", &delays->pull_first_ms},
        {"pull_again", &delays->pull_again_ms},
        {"start",      &delays->start_ms     },
        {"ready",      &delays->ready_ms     },
        {"stop",       &delays->stop_ms      },
        {"database",   &delays->database_ms  },
        {"retry",      &delays->retry_ms     },
    };
    uint64_t ms;
    if (!str_parse_u64(value, DELAY_MAX_MS, &ms))
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_eq_text(name, rows[i].name)) {
            *rows[i].ms = (ms_t)ms;
            return true;
        }
    return false;
}

static bool parse_delays(struct control_delays *delays, const char *text)
{
    struct str rest = str_from(text);
    struct str part;
    while (str_next(&rest, ',', &part)) {
        size_t equals = str_find(part, '=', 0);
        if (!parse_delay(delays, str_slice(part, 0, equals), str_slice(part, equals + 1, part.n)))
            return false;
    }
    return true;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
    return str_parse_u64(str_from(text), max, ret) && *ret > 0;
}

/* Where the value of an option that is a text goes. */
static const char **text_of(struct devcluster_config *c, int id)
{
    const struct {
        enum option_id id;
        const char **text;
    } rows[] = {
        {OPT_DIR,        &c->dir       },
        {OPT_ADDRESS,    &c->address   },
        {OPT_HOST,       &c->host      },
        {OPT_NAMESPACE,  &c->ns        },
        {OPT_KUBECONFIG, &c->kubeconfig},
        {OPT_ACCOUNT,    &c->account   },
        {OPT_ROLE,       &c->role      },
        {OPT_PG_HOST,    &c->pg_host   },
        {OPT_HISTORY,    &c->history   },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((int)rows[i].id == id)
            return rows[i].text;
    abort();
}

static bool apply_option(struct settings *s, int id, const char *value)
{
    struct devcluster_config *c = &s->config;
    uint64_t number = 0;
    switch ((enum option_id)id) {
    case OPT_DIR:
    case OPT_ADDRESS:
    case OPT_HOST:
    case OPT_NAMESPACE:
    case OPT_KUBECONFIG:
    case OPT_ACCOUNT:
    case OPT_ROLE:
    case OPT_PG_HOST:
    case OPT_HISTORY:
        *text_of(c, id) = value;
        return true;
    case OPT_KEEP:
        c->is_kept = true;
        return true;
    case OPT_PORT:
        return parse_port(value, &c->port);
    case OPT_GATEWAY_PORT:
        c->has_gateway = true;
        return parse_port(value, &c->gateway_port);
    case OPT_ZERO_DELAY:
        c->delays = CONTROL_ZERO;
        return true;
    case OPT_DELAYS:
        return parse_delays(&c->delays, value);
    case OPT_KUBEBLOCKS:
        return crd_parse(str_from(value), &c->kubeblocks);
    case OPT_WATCH_WINDOW:
        if (!parse_number(value, EVENTS_MAX, &number))
            return false;
        c->events_n = (size_t)number;
        return true;
    case OPT_BOOKMARK_MS:
        if (!parse_number(value, DELAY_MAX_MS, &number))
            return false;
        c->bookmark_ms = (ms_t)number;
        return true;
    case OPT_PG:
        secret_fini(&s->pg);
        s->pg = secret_new(str_from(value));
        return true;
    case OPT_PG_PORT:
        return parse_port(value, &c->pg_port);
    case OPT_LOG_LEVEL:
        return log_level_parse(str_from(value), &s->level);
    case OPT_HELP:
        break;
    }
    return false;
}

/* 0: go on; else the exit status plus one. */
static int parse_options(struct settings *s, int argc, char **argv)
{
    int id;
    while ((id = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (id == OPT_HELP) {
            (void)fputs(USAGE, stdout);
            return 1;
        }
        if (id == '?' || !apply_option(s, id, optarg)) {
            if (id != '?')
                (void)fprintf(stderr, "devcluster: bad value: %s\n", optarg == NULL ? "" : optarg);
            return EXIT_USAGE + 1;
        }
    }
    if (s->config.dir == NULL || optind != argc) {
        (void)fputs(USAGE, stderr);
        return EXIT_USAGE + 1;
    }
    if (secret_is_none(&s->pg) && getenv("DEVCLUSTER_PG") != NULL)
        s->pg = secret_new(str_from(getenv("DEVCLUSTER_PG")));
    if (!secret_is_none(&s->pg))
        s->config.pg = &s->pg;
    return 0;
}

static bool print_ready(const struct devcluster *d, const struct settings *s)
{
    struct json_writer *w = jw_new(LINE_CEILING_BYTES);
    struct str line;
    jw_object(w);
    jw_kv_text(w, "api", devcluster_server(d));
    jw_kv_int(w, "port", devcluster_port(d));
    if (s->config.has_gateway)
        jw_kv_int(w, "gateway_port", devcluster_gateway_port(d));
    jw_kv_text(w, "kubeconfig",
               s->config.kubeconfig != NULL ? s->config.kubeconfig : devcluster_kubeconfig(d, "sealos-user"));
    jw_kv_text(w, "limited_kubeconfig", devcluster_kubeconfig(d, "fullstackd"));
    jw_kv_text(w, "admin_kubeconfig", devcluster_kubeconfig(d, "admin"));
    jw_kv_int(w, "pid", getpid());
    jw_object_end(w);
    bool is_printed = jw_finish(w, &line, NULL) && printf("%.*s\n", STR_ARG(line)) > 0 && fflush(stdout) == 0;
    jw_free(w);
    return is_printed;
}

static void on_signal(void *arg)
{
    loop_stop(arg);
}

static int run(const struct settings *s)
{
    struct err err;
    struct loop *loop = loop_new(&err);
    if (loop == NULL) {
        (void)fprintf(stderr, "devcluster: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    int status = EXIT_FAILURE;
    /* Before the ready line: whoever reads it may end us at once. */
    struct loop_signal *term = loop_signal_new(loop, SIGTERM, on_signal, loop);
    struct loop_signal *interrupt = loop_signal_new(loop, SIGINT, on_signal, loop);
    struct devcluster *d = devcluster_new(loop, &s->config, &err);
    if (d == NULL) {
        (void)fprintf(stderr, "devcluster: %s\n", err.msg);
    } else if (print_ready(d, s)) {
        loop_run(loop);
        status = EXIT_SUCCESS;
    }
    loop_signal_free(term);
    loop_signal_free(interrupt);
    devcluster_free(d);
    loop_free(loop);
    return status;
}

int main(int argc, char **argv)
{
    struct err err;
    struct settings s = {.config = {.delays = CONTROL_REALISTIC}, .level = LOG_LEVEL_WARN};
    (void)signal(SIGPIPE, SIG_IGN);
    int answer = parse_options(&s, argc, argv);
    if (answer == 0) {
        log_init(STDERR_FILENO, LOG_FORMAT_AUTO, s.level);
        if (!codec_init(&err)) {
            (void)fprintf(stderr, "devcluster: %s\n", err.msg);
            answer = EXIT_FAILURE + 1;
        } else {
            answer = run(&s) + 1;
        }
    }
    secret_fini(&s.pg);
    return answer - 1;
}
