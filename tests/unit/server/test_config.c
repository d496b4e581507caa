// SPDX-License-Identifier: MIT
/* The promises of server/config.h: defaults, units, sources in their order, every mistake with its place, no secret in
 * any text. Each test has a folder of its own for the files. */
#include "server/config.h"
#include "server/config_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/codec.h"
#include "server/config_row.h"
#include "server/read_file.h"

struct fixture {
    struct arena *arena;
    char folder[64];
    struct config config;
    struct config_report report;
};

static int setup(void **state)
{
    static struct fixture f;
    struct err err = {0};
    f = (struct fixture){.arena = arena_new(), .folder = "/tmp/test_config_XXXXXX"};
    assert_true(codec_init(&err));
    assert_non_null(mkdtemp(f.folder));
    assert_int_equal(mkdir(arena_printf(f.arena, "%s/app", f.folder), 0700), 0);
    config_report_init(&f.report);
    *state = &f;
    return 0;
}

static const char *const files[] = {
    "app/conf.yaml",    "app/.env.local",         "app/.env.production",
    "app/.secret/.env", "app/.secret/kubeconfig", ".secret/kubeconfig",
};

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(arena_printf(f->arena, "%s/%s", f->folder, files[i]));
    rmdir(arena_printf(f->arena, "%s/app/.secret", f->folder));
    rmdir(arena_printf(f->arena, "%s/.secret", f->folder));
    rmdir(arena_printf(f->arena, "%s/app", f->folder));
    assert_int_equal(rmdir(f->folder), 0);
    config_fini(&f->config);
    config_report_fini(&f->report);
    arena_free(f->arena);
    return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
    const char *slash = strrchr(name, '/');
    mkdir(arena_printf(f->arena, "%s/%.*s", f->folder, (int)(slash - name), name), 0700);
    FILE *file = fopen(arena_printf(f->arena, "%s/%s", f->folder, name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* yaml NULL: no file. environ: ends with NULL. */
static bool load(struct fixture *f, const char *yaml, char *const *environ)
{
    static char *const nothing[] = {NULL};
    struct config_inputs in = {.directory = arena_printf(f->arena, "%s/app", f->folder),
                               .environ = environ != NULL ? environ : nothing};
    if (yaml != NULL) {
        put(f, "app/conf.yaml", yaml);
        in.file = arena_printf(f->arena, "%s/app/conf.yaml", f->folder);
    }
    config_fini(&f->config);
    config_report_fini(&f->report);
    config_report_init(&f->report);
    return config_load(&in, &f->config, &f->report);
}

static void assert_says(struct buf *text, const char *part)
{
    if (strstr(buf_text(text), part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, buf_text(text));
}

static void the_table_is_sound(void **state)
{
    (void)state;
    struct str section = STR("");
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        const struct config_row *row = &CONFIG_ROWS[i];
        struct str key = str_from(row->key);
        size_t dot = str_find(key, '.', 0);
        struct str own = dot < key.n ? str_slice(key, 0, dot) : STR("");
        assert_ptr_equal(config_row_find(key), row);
        assert_true(strlen(row->text) > 10);
        assert_true(row->max >= row->min);
        /* A cluster's values are copied from the default one's: a secret would have two owners. */
        struct config_row of_cluster;
        assert_false(config_row_of_cluster(row, &of_cluster) && row->type == CONFIG_SECRET);
        /* A section that came before must not come again: --print-config would print its name twice. */
        for (size_t j = 0; !str_eq(own, section) && j < i; j++)
            assert_false(own.n == 0 || str_starts(str_from(CONFIG_ROWS[j].key), str_slice(key, 0, dot + 1)));
        section = own;
    }
}

static void defaults_load_without_a_word(void **state)
{
    struct fixture *f = *state;
    assert_true(load(f, NULL, NULL));
    assert_int_equal(f->report.warnings_n, 0);
    assert_int_equal(f->config.listen.port, 8080);
    assert_int_equal(f->config.flow.deadlines_ms[DEADLINE_DATABASE], 300000);
    assert_int_equal(f->config.flow.deadlines_ms[DEADLINE_TERMINAL], 180000);
    assert_int_equal(f->config.session_absolute_ms, 7LL * 24 * 3600 * 1000);
    assert_int_equal(f->config.listen.head_bytes, 16384);
    assert_string_equal(f->config.sandbox.domain, "usw.sealos.io");
    assert_true(f->config.flow.is_overlapping);
    assert_true(secret_is_none(&f->config.database_url));
    assert_int_equal(f->config.node_env, NODE_ENV_PRODUCTION);
}

static void each_deadline_of_the_plan_has_its_key_and_default(void **state)
{
    struct fixture *f = *state;
    assert_true(load(f, NULL, NULL));
    for (enum deadline d = 0; d < DEADLINE_N; d++) {
        const char *key = arena_printf(f->arena, "flow.%s_deadline", deadline_id(d));
        const struct config_row *row = config_row_find(str_from(key));
        assert_non_null(row);
        assert_int_equal(row->offset, offsetof(struct config, flow.deadlines_ms) + d * sizeof(ms_t));
        assert_int_equal(f->config.flow.deadlines_ms[d], deadline_default_ms(d));
    }
}

static void yaml_sets_nested_keys_lists_and_units(void **state)
{
    struct fixture *f = *state;
    assert_true(load(f,
                     "public_url: https://studio.example.org/\n"
                     "listen:\n"
                     "  port: 0\n"
                     "  trusted_proxies: [10.0.0.0/8, \"fd00::/8\"]\n"
                     "  head_size: 32KiB\n"
                     "flow:\n"
                     "  overlap: false\n"
                     "  database_deadline: 5m\n"
                     "session: {idle: 90m, absolute: 1d}\n",
                     NULL));
    assert_string_equal(f->config.public_url, "https://studio.example.org");
    assert_int_equal(f->config.listen.port, 0);
    assert_string_equal(f->config.listen.trusted_proxies, "10.0.0.0/8,fd00::/8");
    assert_int_equal(f->config.listen.head_bytes, 32768);
    assert_false(f->config.flow.is_overlapping);
    assert_int_equal(f->config.session_idle_ms, 5400000);
}

static void every_mistake_is_told_at_once_with_its_line(void **state)
{
    struct fixture *f = *state;
    assert_false(load(f,
                      "listen:\n"
                      "  port: 70000\n"
                      "  prot: 1\n"
                      "flow:\n"
                      "  database_deadline: 300\n"
                      "  ready_deadline: 5 minutes\n"
                      "  overlap: yes\n"
                      "  lease: 15s\n"
                      "  lease: 16s\n"
                      "sandbox:\n"
                      "  domain: Example.org\n"
                      "  rbac_profile: all\n",
                      NULL));
    assert_int_equal(f->report.errors_n, 8);
    assert_says(&f->report.errors, "conf.yaml:2: listen.port: 70000 is out of range: 0 to 65535");
    assert_says(&f->report.errors, "conf.yaml:3: unknown key 'listen.prot'");
    assert_says(&f->report.errors, "conf.yaml:5: flow.database_deadline: '300' needs a unit");
    assert_says(&f->report.errors, "conf.yaml:6: flow.ready_deadline: '5 minutes' needs a unit");
    assert_says(&f->report.errors, "conf.yaml:7: flow.overlap: 'yes' is neither true nor false");
    assert_says(&f->report.errors, "conf.yaml:9: flow.lease: given already at ");
    assert_says(&f->report.errors, "conf.yaml:11: sandbox.domain");
    assert_says(&f->report.errors, "conf.yaml:12: sandbox.rbac_profile: 'all' is none of least|seed");
}

static void yaml_that_is_no_configuration_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "- a\n",           "text\n",        "listen: [a, [b]]\n",      "listen: {a: {b: {c: {d: {e: 1}}}}}\n",
        "a: &x 1\n",       "web_dir: *x\n", "web_dir: !!str x\n",      "web_dir: a\n---\nweb_dir: b\n",
        "? {a: b}\n: c\n", "web_dir: [a\n", "web_dir: \"\xC3\x28\"\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (load(f, texts[i], NULL) || f->report.errors_n == 0)
            fail_msg("accepted: %s", texts[i]);
    }
    assert_true(load(f, "", NULL));
    assert_true(load(f, "# nothing\n", NULL));
}

static void a_named_file_must_exist(void **state)
{
    struct fixture *f = *state;
    static char *const nothing[] = {NULL};
    struct config_inputs in = {.file = "/nonexistent/conf.yaml", .directory = f->folder, .environ = nothing};
    assert_false(config_load(&in, &f->config, &f->report));
    assert_says(&f->report.errors, "/nonexistent/conf.yaml");
}

static const char TWO_CLUSTERS[] = "default_cluster: us\n"
                                   "kube: {namespace: here, sandboxes: 7, allow_loopback: true}\n"
                                   "sandbox: {storage_class: slow, url_port: 81, url_scheme: http}\n"
                                   "clusters:\n"
                                   "  eu:\n"
                                   "    kube: {kubeconfig: /eu, context: second, creations: 3}\n"
                                   "    sandbox:\n"
                                   "      domain: eu.example.org\n"
                                   "      storage_class: fast\n";

static void a_cluster_has_its_own_keys_and_the_default_ones_ways(void **state)
{
    struct fixture *f = *state;
    char *const environ[] = {"FULLSTACKD_SANDBOX_INGRESS_CLASS=public", "RUNTIME_IMAGE=image:2", NULL};
    assert_true(load(f, TWO_CLUSTERS, environ));
    assert_int_equal(f->config.clusters_n, 2);
    const struct config_cluster *us = &f->config.clusters[0];
    const struct config_cluster *eu = &f->config.clusters[1];
    assert_string_equal(us->name, "us");
    assert_string_equal(us->sandbox.storage_class, "slow");
    assert_int_equal(us->kube.sandboxes_n, 7);
    assert_string_equal(eu->name, "eu");
    assert_string_equal(eu->kube.kubeconfig, "/eu");
    assert_string_equal(eu->kube.context, "second");
    assert_string_equal(eu->sandbox.domain, "eu.example.org");
    assert_string_equal(eu->sandbox.storage_class, "fast");
    assert_int_equal(eu->kube.creations_n, 3);
    /* As the default cluster has it, whatever source that came from. */
    assert_string_equal(eu->sandbox.ingress_class, "public");
    assert_string_equal(eu->sandbox.image, "image:2");
    assert_int_equal(eu->sandbox.url_port, 81);
    assert_int_equal(eu->sandbox.url_scheme, URL_SCHEME_HTTP);
    /* Which cluster it is, and what it holds, is each one's own. */
    assert_string_equal(eu->kube.namespace_name, "");
    assert_int_equal(eu->kube.sandboxes_n, 0);
    assert_false(eu->kube.is_loopback_allowed);
}

static void without_the_section_there_is_the_default_cluster(void **state)
{
    struct fixture *f = *state;
    assert_true(load(f, "sandbox: {domain: example.org}\n", NULL));
    assert_int_equal(f->config.clusters_n, 1);
    assert_string_equal(f->config.clusters[0].name, "default");
    assert_string_equal(f->config.clusters[0].sandbox.domain, "example.org");
}

static void mistakes_in_clusters_are_told_with_their_line(void **state)
{
    struct fixture *f = *state;
    assert_false(load(f,
                      "default_cluster: us\n"
                      "clusters:\n"
                      "  eu:\n"
                      "    kube: {kubeconfig: /eu, kubeconfg: /x}\n"
                      "    listen: {port: 1}\n"
                      "  asia:\n"
                      "    kube:\n"
                      "      creations: many\n"
                      "    sandbox: {domain: asia.example.org}\n"
                      "  us: {kube: {kubeconfig: /us}, sandbox: {domain: us.example.org}}\n"
                      "  \"No Name\": {kube: {kubeconfig: /x}}\n"
                      "  loose: 1\n",
                      NULL));
    assert_says(&f->report.errors, "conf.yaml:4: unknown key 'clusters.eu.kube.kubeconfg'");
    assert_says(&f->report.errors, "conf.yaml:5: unknown key 'clusters.eu.listen.port'");
    assert_says(&f->report.errors, "clusters.eu.sandbox.domain: not given");
    assert_says(&f->report.errors, "conf.yaml:8: clusters.asia.kube.creations: 'many' is not a whole number");
    assert_says(&f->report.errors, "clusters.asia.kube.kubeconfig: not given");
    assert_says(&f->report.errors, "clusters.us: it is the default cluster's name");
    assert_says(&f->report.errors, "conf.yaml:11: clusters: 'No Name' is not a Kubernetes name");
    assert_says(&f->report.errors, "conf.yaml:12: unknown key 'clusters.loose'");
    assert_int_equal(f->report.errors_n, 8);
    char *const environ[] = {"FULLSTACKD_CLUSTERS_EU_KUBE_KUBECONFIG=/eu", "FULLSTACKD_DEFAULT_CLUSTER=", NULL};
    assert_false(load(f, NULL, environ));
    assert_says(&f->report.errors, "unknown variable 'FULLSTACKD_CLUSTERS_EU_KUBE_KUBECONFIG'");
    assert_says(&f->report.errors, "default_cluster: a cluster needs a name");
    assert_int_equal(f->report.errors_n, 2);
}

static void a_name_leads_to_one_cluster(void **state)
{
    struct fixture *f = *state;
    const char *eu = "clusters: {eu: {kube: {kubeconfig: /eu, former_names: [europe, old]}, sandbox: {domain: d}}}\n";
    assert_true(load(f, arena_printf(f->arena, "kube: {former_names: usw}\n%s", eu), NULL));
    assert_string_equal(f->config.clusters[1].kube.former_names, "europe,old");
    assert_false(load(f, arena_printf(f->arena, "kube: {former_names: [eu]}\n%s", eu), NULL));
    assert_says(&f->report.errors, "kube.former_names: 'eu' of cluster default is also a name of cluster eu");
    assert_false(load(f, arena_printf(f->arena, "kube: {former_names: [old]}\n%s", eu), NULL));
    assert_int_equal(f->report.errors_n, 2);
    assert_false(load(f, "kube: {former_names: [\"a b\"]}\n", NULL));
}

static void clusters_have_a_ceiling(void **state)
{
    struct fixture *f = *state;
    struct buf yaml;
    buf_init(&yaml, 64 * 1024);
    buf_add_text(&yaml, "clusters:\n");
    for (int i = 1; i <= CONFIG_CLUSTERS_MAX; i++)
        buf_addf(&yaml, "  c%d: {kube: {kubeconfig: /k}, sandbox: {domain: d}}\n", i);
    assert_false(load(f, buf_text(&yaml), NULL));
    assert_int_equal(f->config.clusters_n, CONFIG_CLUSTERS_MAX);
    assert_says(&f->report.errors, "conf.yaml:17: clusters: more than 16 with the default one");
    buf_fini(&yaml);
}

static void printed_clusters_load_and_print_the_same(void **state)
{
    struct fixture *f = *state;
    struct buf out;
    buf_init(&out, 1024 * 1024);
    assert_true(load(f, TWO_CLUSTERS, NULL));
    config_print(&f->config, &out);
    assert_says(&out, "clusters:\n  eu:\n    kube:\n      kubeconfig: \"/eu\"  # file ");
    assert_says(&out, "      sandboxes: 0  # default\n");
    assert_says(&out, "      url_port: 81  # default cluster\n");
    assert_true(load(f, buf_text(&out), NULL));
    assert_int_equal(f->config.clusters_n, 2);
    assert_string_equal(f->config.clusters[0].sandbox.storage_class, "slow");
    assert_string_equal(f->config.clusters[1].sandbox.storage_class, "fast");
    assert_int_equal(f->config.clusters[1].kube.creations_n, 3);
    buf_fini(&out);
}

static void later_sources_win_and_ours_beat_the_original_names(void **state)
{
    struct fixture *f = *state;
    put(f, "app/.env.production",
        "RUNTIME_IMAGE=from/dotenv:1\nFULLSTACKD_LISTEN_PORT=1002\nLOG_LEVEL=warn\nOTHER=x\n");
    const char *yaml = "listen: {port: 1001}\nsandbox: {image: from/yaml:1}\nlog: {level: error}\nrate: {read: 7}\n";
    char *const environ[] = {"FULLSTACKD_LISTEN_PORT=1003", "FULLSTACKD_LOG_LEVEL=debug", "LOG_LEVEL=error",
                             "PATH=/bin", NULL};
    assert_true(load(f, yaml, NULL));
    assert_int_equal(f->config.listen.port, 1002);
    assert_string_equal(f->config.sandbox.image, "from/dotenv:1");
    assert_int_equal(f->config.log_level, 2);
    assert_int_equal(f->config.rate.read_n, 7);
    assert_true(load(f, yaml, environ));
    assert_int_equal(f->config.listen.port, 1003);
    assert_int_equal(f->config.log_level, 0);
}

static void node_env_chooses_the_dotenv_file(void **state)
{
    struct fixture *f = *state;
    put(f, "app/.env.production", "RUNTIME_IMAGE=production:1\n");
    put(f, "app/.env.local", "RUNTIME_IMAGE=local:1\nNODE_ENV=production\n");
    char *const development[] = {"NODE_ENV=development", NULL};
    assert_true(load(f, NULL, NULL));
    assert_string_equal(f->config.sandbox.image, "production:1");
    assert_true(load(f, NULL, development));
    assert_string_equal(f->config.sandbox.image, "local:1");
    assert_int_equal(f->config.node_env, NODE_ENV_DEVELOPMENT);
    assert_int_equal(f->report.warnings_n, 1);
    assert_true(load(f, "node_env: development\n", NULL));
    assert_string_equal(f->config.sandbox.image, "local:1");
}

static void variables_are_checked_like_keys(void **state)
{
    struct fixture *f = *state;
    put(f, "app/.env.production", "\nFULLSTACKD_FLOW_LEASE=1s\nFULLSTACKD_NOPE=1\n");
    char *const environ[] = {"NEXTAUTH_URL=localhost:3000", "FULLSTACKD_LISTEN_PROT=1", "DATABASE_URL=", NULL};
    assert_false(load(f, NULL, environ));
    assert_int_equal(f->report.errors_n, 4);
    assert_says(&f->report.errors, ".env.production:2: flow.lease: 1s is out of range: 3s to 5m");
    assert_says(&f->report.errors, ".env.production:3: unknown variable 'FULLSTACKD_NOPE'");
    assert_says(&f->report.errors, "NEXTAUTH_URL: public_url: ");
    assert_says(&f->report.errors, "FULLSTACKD_LISTEN_PROT: unknown variable");
}

static void no_text_shows_a_secret(void **state)
{
    struct fixture *f = *state;
    char *const good[] = {"DATABASE_URL=postgresql://u:hunter2@h/d", "NEXTAUTH_SECRET=hunter2-hunter2-hunter2",
                          "FULLSTACKD_REDIS_URL=redis://:hunter2@h", NULL};
    char *const bad[] = {"DATABASE_URL=mysql://u:hunter2@h/d", "NEXTAUTH_SECRET=hunter2",
                         "FULLSTACKD_REDIS_URL=hunter2", "FULLSTACKD_ENCRYPTION_KEYS=main:hunter2", NULL};
    struct buf out;
    buf_init(&out, 1024 * 1024);
    assert_true(load(f, NULL, good));
    config_print(&f->config, &out);
    assert_null(strstr(buf_text(&out), "hunter2"));
    assert_says(&out, "database_url: (secret, set)");
    assert_false(load(f, NULL, bad));
    assert_int_equal(f->report.errors_n, 4);
    assert_null(strstr(buf_text(&f->report.errors), "hunter2"));
    buf_fini(&out);
}

static void printed_configuration_loads_and_prints_the_same(void **state)
{
    struct fixture *f = *state;
    struct buf first;
    struct buf second;
    buf_init(&first, 1024 * 1024);
    buf_init(&second, 1024 * 1024);
    assert_true(load(f, "web_dir: \"a \\\"b\\\" \\\\ c\"\nrate: {read: 7}\n", NULL));
    config_print(&f->config, &first);
    assert_says(&first, "read: 7  # file ");
    assert_true(load(f, buf_text(&first), NULL));
    config_print(&f->config, &second);
    assert_string_equal(f->config.web_dir, "a \"b\" \\ c");
    assert_int_equal(f->config.rate.read_n, 7);
    assert_says(&second, "  port: 8080  # file ");
    buf_fini(&first);
    buf_fini(&second);
}

static void keyring_is_derived_once_and_for_all_from_the_original_secret(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    char *const one[] = {"NEXTAUTH_SECRET=0123456789abcdef", NULL};
    char *const other[] = {"NEXTAUTH_SECRET=0123456789abcdeF", NULL};
    char *const given[] = {"NEXTAUTH_SECRET=0123456789abcdef",
                           "FULLSTACKD_ENCRYPTION_KEYS=main:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", NULL};
    assert_true(load(f, NULL, one));
    assert_int_equal(f->report.warnings_n, 1);
    struct str derived = arena_dup_str(f->arena, secret_reveal(&f->config.encryption_keys));
    struct codec_keyring *ring = codec_keyring_new(&f->config.encryption_keys, &err);
    assert_non_null(ring);
    codec_keyring_free(ring);
    /* Changing the derivation would make everything stored unreadable: the value is pinned. */
    assert_string_equal(arena_dup(f->arena, derived), "nextauth:EE0Wmb5BiwHCboZVAMymYOxUrEaj4eGjJTUMx85U/Ls=");
    assert_true(load(f, NULL, other));
    assert_false(str_eq(derived, secret_reveal(&f->config.encryption_keys)));
    assert_true(load(f, NULL, given));
    assert_int_equal(f->report.warnings_n, 0);
    assert_true(str_starts(secret_reveal(&f->config.encryption_keys), STR("main:")));
}

static void secret_env_is_found_where_the_original_had_it(void **state)
{
    struct fixture *f = *state;
    char *const named[] = {"KUBECONFIG_PATH=/else/where", NULL};
    assert_true(load(f, NULL, NULL));
    assert_string_equal(f->config.kube.kubeconfig, "");
    assert_string_equal(f->config.secret_env_path, "");
    put(f, "app/.secret/.env", "export ANTHROPIC_MODEL='m'\n9BAD=x\nA B=x\n");
    assert_true(load(f, NULL, NULL));
    assert_int_equal(f->config.secret_env.n, 1);
    assert_int_equal(f->report.warnings_n, 2);
    assert_true(str_eq_text(dotenv_find(&f->config.secret_env, "ANTHROPIC_MODEL")->value, "m"));
    assert_true(load(f, NULL, named));
    assert_string_equal(f->config.kube.kubeconfig, "/else/where");
}

static void keys_that_contradict_each_other_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_false(load(f,
                      "listen: {tls_cert: a.pem, stream_slow_size: 1MiB, drain_spread: 30s}\n"
                      "session: {idle: 2d, absolute: 1d}\n"
                      "flow: {lease: 6s, claim_interval: 7s}\n"
                      "github: {client_id: x}\n",
                      NULL));
    assert_int_equal(f->report.errors_n, 7); /* github.client_id lacks two */
    assert_says(&f->report.errors, "needs public_url");
    assert_true(load(f, "public_url: http://studio.example.org\n", NULL));
    assert_int_equal(f->report.warnings_n, 1);
    assert_true(load(f, "public_url: http://localhost:3000\n", NULL));
    assert_int_equal(f->report.warnings_n, 0);
}

static void a_provider_is_asked_by_https_except_on_this_machine(void **state)
{
    (void)state;
    static const char *const good[] = {"https://github.com", "https://ghe.example.org:8443/api/v3",
                                       "http://127.0.0.1:4000/api/v3", "http://localhost:4000"};
    static const char *const bad[] = {
        "http://github.com",
        "https://",
        "github.com",
        "https://github.com/",
        "https://a/b?c",
        "https://u@github.com",
        "https://GitHub.com",
        "http://127.0.0.1.evil",
        "http://localhost.evil",
        "ftp://a",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(config_check_provider_url(str_from(good[i]), NULL));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(config_check_provider_url(str_from(bad[i]), NULL));
}

static void a_gateway_needs_a_name_and_values_kubernetes_takes(void **state)
{
    struct fixture *f = *state;
    assert_false(load(f, "sandbox: {ingress_profile: gateway}\n", NULL));
    assert_says(&f->report.errors, "sandbox.gateway_name");
    assert_false(load(f,
                      "sandbox:\n  gateway_timeout: soon\n  volume_size: much\n  volume_path: home\n"
                      "  workload: daemonset\n",
                      NULL));
    assert_int_equal(f->report.errors_n, 4);
    for (size_t i = 0; i < 3; i++) {
        static const char *const bad[] = {"1h1h1h1h1h", "100000s", "1.5h"};
        assert_false(config_check_gateway_duration(str_from(bad[i]), NULL));
        static const char *const sizes[] = {"0", "10GB", "1.5Gi"};
        assert_false(config_check_quantity(str_from(sizes[i]), NULL));
        static const char *const paths[] = {"/", "/a/../b", "/a:b"};
        assert_false(config_check_path(str_from(paths[i]), NULL));
    }
    assert_true(load(f,
                     "sandbox:\n  ingress_profile: gateway\n  gateway_name: public\n  gateway_timeout: 1h30m\n"
                     "  workload: statefulset\n  volume_size: 20Gi\n  volume_path: /home/user\n  min_ready: 2s\n",
                     NULL));
    assert_int_equal(f->config.sandbox.workload, WORKLOAD_STATEFULSET);
    assert_string_equal(f->config.sandbox.gateway_timeout, "1h30m");
}

static void serving_needs_database_and_keys(void **state)
{
    struct fixture *f = *state;
    assert_true(load(f, NULL, NULL));
    assert_false(config_require_serve(&f->config, &f->report));
    assert_int_equal(f->report.errors_n, 2);
    char *const all[] = {"DATABASE_URL=postgresql://h/d", "NEXTAUTH_SECRET=0123456789abcdef", "KUBECONFIG_PATH=/k",
                         NULL};
    assert_true(load(f, NULL, all));
    assert_true(config_require_serve(&f->config, &f->report));
}

static void config_md_is_what_the_table_says(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf file;
    struct buf now;
    buf_init(&file, 1024 * 1024);
    buf_init(&now, 1024 * 1024);
    assert_true(read_file(FS_SOURCE_DIR "/docs/CONFIG.md", &file, &err));
    config_print_markdown(&now);
    if (!str_eq(buf_str(&file), buf_str(&now)))
        fail_msg("docs/CONFIG.md is stale: fullstackd check-config --markdown > docs/CONFIG.md");
    buf_fini(&file);
    buf_fini(&now);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_sound),
        TEST(defaults_load_without_a_word),
        TEST(each_deadline_of_the_plan_has_its_key_and_default),
        TEST(yaml_sets_nested_keys_lists_and_units),
        TEST(every_mistake_is_told_at_once_with_its_line),
        TEST(yaml_that_is_no_configuration_is_refused),
        TEST(a_named_file_must_exist),
        TEST(a_cluster_has_its_own_keys_and_the_default_ones_ways),
        TEST(without_the_section_there_is_the_default_cluster),
        TEST(mistakes_in_clusters_are_told_with_their_line),
        TEST(a_name_leads_to_one_cluster),
        TEST(clusters_have_a_ceiling),
        TEST(printed_clusters_load_and_print_the_same),
        TEST(later_sources_win_and_ours_beat_the_original_names),
        TEST(node_env_chooses_the_dotenv_file),
        TEST(variables_are_checked_like_keys),
        TEST(no_text_shows_a_secret),
        TEST(printed_configuration_loads_and_prints_the_same),
        TEST(keyring_is_derived_once_and_for_all_from_the_original_secret),
        TEST(secret_env_is_found_where_the_original_had_it),
        TEST(keys_that_contradict_each_other_are_refused),
        TEST(a_provider_is_asked_by_https_except_on_this_machine),
        TEST(a_gateway_needs_a_name_and_values_kubernetes_takes),
        TEST(serving_needs_database_and_keys),
        TEST(config_md_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
