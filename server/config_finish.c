// SPDX-License-Identifier: MIT
/* What follows from several keys together: files found where the original looked for them, a key ring derived from the
 * original's secret, and combinations that make no sense. */
#include "server/config_finish.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/codec.h"
#include "server/config_clusters.h"
#include "server/config_report.h"

/* Different words give different keys from the same secret. */
static const char KEYRING_PURPOSE[] = "fullstackd encryption at rest 1|";

static void derive_keyring(struct config *c, struct config_report *report)
{
    uint8_t key[CODEC_SHA256_BYTES];
    struct buf text;
    if (!secret_is_none(&c->encryption_keys) || secret_is_none(&c->nextauth_secret))
        return;
    buf_init(&text, 64 * 1024);
    buf_add_text(&text, KEYRING_PURPOSE);
    buf_add_str(&text, secret_reveal(&c->nextauth_secret));
    codec_sha256(buf_str(&text), key);
    explicit_bzero(text.p, text.n);
    buf_clear(&text);
    buf_add_text(&text, "nextauth:");
    codec_base64(&text, (struct str){(const char *)key, sizeof(key)});
    c->encryption_keys = secret_new(buf_str(&text));
    c->is_keyring_derived = true;
    explicit_bzero(key, sizeof(key));
    explicit_bzero(text.p, text.n);
    buf_fini(&text);
    config_report_warning(report, "encryption_keys",
                          "derived from nextauth_secret; give a key ring of its own before that secret is changed");
}

static void strip_slash(struct config *c)
{
    struct str url = str_from(c->public_url);
    if (str_ends(url, STR("/")))
        c->public_url = arena_dup(c->private_arena, str_slice(url, 0, url.n - 1));
}

/* What Kubernetes takes as the name of an environment variable; others would make the Secret unreadable for the pod. */
static bool is_variable_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool is_later = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_letter && !(i > 0 && is_later))
            return false;
    }
    return s.n > 0;
}

static void read_secret_env(struct config *c, const char *directory, struct config_report *report)
{
    const char *path = arena_printf(c->private_arena, "%s/.secret/.env", directory);
    size_t kept = 0;
    c->secret_env_path = "";
    if (!config_read_dotenv(path, &c->secret_env, report))
        return;
    c->secret_env_path = path;
    for (size_t i = 0; i < c->secret_env.n; i++) {
        const struct dotenv_var *var = &c->secret_env.vars[i];
        if (is_variable_name(var->key))
            c->secret_env.vars[kept++] = *var;
        else
            config_report_warning(report, path, "line %u: '%.*s' is no name of a variable and is left out", var->line,
                                  STR_ARG(var->key));
    }
    c->secret_env.n = kept;
}

static bool is_loopback_url(struct str url)
{
    static const char *const hosts[] = {"http://localhost", "http://127.", "http://[::1]"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct str host = str_from(hosts[i]);
        if (str_starts(url, host) && (url.n == host.n || host.p[host.n - 1] == '.' || url.p[host.n] == ':'))
            return true;
    }
    return false;
}

static void check_gateways(const struct config *c, struct config_report *report)
{
    for (size_t i = 0; i < c->clusters_n; i++) {
        const struct config_sandbox *s = &c->clusters[i].sandbox;
        if (str_eq_text(str_from(s->ingress_profile), "gateway") && s->gateway_name[0] == '\0')
            config_report_error(report, "sandbox.gateway_name", "cluster %s: needed with the ingress profile gateway",
                                c->clusters[i].name);
    }
}

static void check_together(const struct config *c, struct config_report *report)
{
    struct str url = str_from(c->public_url);
    if ((c->listen.tls_cert[0] == '\0') != (c->listen.tls_key[0] == '\0'))
        config_report_error(report, "listen.tls_cert", "listen.tls_cert and listen.tls_key need each other");
    if (c->listen.stream_slow_bytes > c->listen.stream_unsent_bytes)
        config_report_error(report, "listen.stream_slow_size", "larger than listen.stream_unsent");
    if (c->listen.drain_spread_ms > c->listen.drain_deadline_ms)
        config_report_error(report, "listen.drain_spread", "longer than listen.drain_deadline");
    if (c->flow.claim_interval_ms > c->flow.lease_ms)
        config_report_error(report, "flow.claim_interval", "longer than flow.lease");
    check_gateways(c, report);
    if (c->session_idle_ms > c->session_absolute_ms)
        config_report_error(report, "session.idle", "longer than session.absolute");
    if ((c->github_client_id[0] == '\0') != secret_is_none(&c->github_client_secret))
        config_report_error(report, "github.client_id", "github.client_id and github.client_secret need each other");
    if (c->github_client_id[0] != '\0' && url.n == 0)
        config_report_error(report, "github.client_id",
                            "needs public_url (NEXTAUTH_URL): GitHub sends browsers back there");
    if (str_starts(url, STR("http://")) && !is_loopback_url(url))
        config_report_warning(report, "public_url",
                              "plain http beyond this machine: sessions can be read on the way; use https");
}

void config_finish(struct config *c, const char *directory, struct config_report *report)
{
    strip_slash(c);
    read_secret_env(c, directory, report);
    derive_keyring(c, report);
    config_clusters_finish(c, report);
    check_together(c, report);
}

bool config_require_database(const struct config *c, struct config_report *report)
{
    unsigned before = report->errors_n;
    if (secret_is_none(&c->database_url))
        config_report_error(report, "database_url",
                            "not set: give DATABASE_URL, for example postgresql://user:password@localhost:5432/name");
    return report->errors_n == before;
}

bool config_require_serve(const struct config *c, struct config_report *report)
{
    unsigned before = report->errors_n;
    bool has_database = config_require_database(c, report);
    if (secret_is_none(&c->encryption_keys))
        config_report_error(
            report, "encryption_keys",
            "not set: give FULLSTACKD_ENCRYPTION_KEYS (\"main:\" and the output of openssl rand -base64 "
            "32), or the original's NEXTAUTH_SECRET");
    return has_database && report->errors_n == before;
}
